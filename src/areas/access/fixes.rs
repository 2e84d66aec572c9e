//! Calls that clear a refusal.

use std::time::Duration;

use poem_openapi::{Object, types::Any};
use serde_json::{Value, json};

use super::{
    actions::DAY,
    decide::Reason,
    facts::{Content, Known, PaidPlan, Subscription, SubscriptionStatus, Wanted},
};
use crate::{
    areas::{invoices::Invoice, plans::Opens},
    tools::Scope,
    values::{MemberId, PlanId, SubscriptionId, Time},
};

/// Days of a trial that is proposed.
const TRIAL_DAYS: u64 = 7;

/// How long a gift lasts that is proposed: long enough for whoever asks to mend what is behind it.
const GIFT_DAYS: u64 = 30;
const GIFT: Duration = Duration::from_secs(GIFT_DAYS * 86_400);

/// The longest trial: 365 days.
pub(super) const LONGEST_TRIAL: Duration = Duration::from_secs(365 * 86_400);

/// A call that clears the refusal; another reason to refuse may remain.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename = "AccessFix", rename_all = "camelCase")]
pub struct FixView {
    /// The tool.
    pub tool: String,
    /// Its arguments, complete.
    pub args: Any<Value>,
    /// The scope it needs.
    pub scope: String,
    /// What it does.
    pub summary: String,
    /// A page to send to the member, who pays there; the call then only shows what it is about.
    pub url: Option<String>,
}

impl FixView {
    fn new(tool: &str, args: Value, scope: Scope, summary: impl Into<String>) -> Self {
        Self { tool: tool.into(), args: Any(args), scope: scope.name().into(), summary: summary.into(), url: None }
    }
}

/// The calls of which each clears a refusal by itself, without anybody paying: a trial before a gift, which has an end.
pub(super) fn fixes(
    member: &MemberId,
    wanted: &Wanted,
    content: &Content,
    reason: Reason,
    at: Time,
    now: Time,
) -> Vec<FixView> {
    let who = json!({ "id": member });
    let end = at.max(now) + GIFT;
    match (reason, wanted) {
        (Reason::ContentHidden | Reason::ContentUnpublished | Reason::ContentScheduled, Wanted::Video(video)) => {
            let args = json!({ "video": video, "visibility": "published" });
            vec![FixView::new(
                "videos.setVisibility",
                args,
                Scope::VideosManage,
                "Shows the video now to everyone it is for; a schedule is lost.",
            )]
        }
        (Reason::BundleRequired, Wanted::Video(video)) if content.bundles.is_empty() => {
            let args = json!({ "video": video, "level": "members" });
            let summary = "Opens the video, which no bundle holds, to all members that have access.";
            vec![FixView::new("videos.setAccess", args, Scope::VideosManage, summary)]
        }
        // What is given now does not change what was.
        _ if at < now => Vec::new(),
        (Reason::BundleRequired | Reason::BundleExpired | Reason::BundleRevoked, _) => {
            let args = json!({ "member": who, "bundle": content.bundles.first(), "expiresAt": end });
            let summary = format!("Gives the member the bundle for {GIFT_DAYS} days.");
            vec![FixView::new("access.grantBundle", args, Scope::AccessGrant, summary)]
        }
        (Reason::ContentHidden | Reason::ContentUnpublished | Reason::ContentScheduled, _) => Vec::new(),
        _ => {
            let mut fixes = Vec::new();
            let n_days = at.since(now).as_secs().div_ceil(DAY.as_secs()) + TRIAL_DAYS;
            let trial = Duration::from_secs(n_days * DAY.as_secs());
            if trial < LONGEST_TRIAL {
                let summary = format!("Gives the member a trial of {n_days} days.");
                let args = json!({ "member": who, "expiresAt": now + trial });
                fixes.push(FixView::new("access.setTrial", args, Scope::AccessGrant, summary));
            }
            let summary = format!("Gives the member free access for {GIFT_DAYS} days; billing is not touched.");
            let args = json!({ "member": who, "expiresAt": end });
            fixes.push(FixView::new("access.grantFree", args, Scope::AccessGrant, summary));
            fixes
        }
    }
}

/// The call that says what a plan opens of which nobody has said it yet.
pub(super) fn say_what_opens(plan: &PaidPlan, content: &Content) -> FixView {
    let opens = if content.plans.contains(&plan.id) { Opens::Listed } else { Opens::All };
    let what = match opens {
        Opens::Listed => "the videos that name it",
        Opens::All | Opens::Nothing => "all member content",
    };
    let args = json!({ "plan": plan.id, "opens": opens.as_str() });
    let summary = format!("Says that {} opens {what}, to everybody who pays for it.", plan.name);
    FixView::new("plans.update", args, Scope::PlansManage, summary)
}

/// The page on which an invoice is paid.
pub(super) fn pay(invoice: &Invoice, name: &str) -> FixView {
    let number = invoice.number.as_deref().unwrap_or("that is open");
    let summary = format!("Send the member the page at `url`: paying invoice {number} brings {name} back.");
    let args = json!({ "invoice": invoice.id });
    let fix = FixView::new("invoices.get", args, Scope::InvoicesRead, summary);
    FixView { url: invoice.hosted_url.clone(), ..fix }
}

/// The page of a checkout that is open.
pub(super) fn paid_at(member: &MemberId, name: &str, url: String) -> FixView {
    let args = json!({ "member": { "id": member } });
    let summary = format!("Send the member the page at `url`, which is open for buying {name}.");
    let fix = FixView::new("subscriptions.list", args, Scope::SubscriptionsRead, summary);
    FixView { url: Some(url), ..fix }
}

/// The page at Stripe where the member gives another card, and pays what is open with it.
pub(super) fn give_card(member: &MemberId, name: &str, back: &str) -> FixView {
    let args = json!({ "member": { "id": member }, "returnUrl": back });
    let summary = format!("Makes a page at Stripe on which the member gives a card; paying brings {name} back.");
    FixView::new("subscriptions.createPortalLink", args, Scope::SubscriptionsManage, summary)
}

/// The call that moves a subscription to a plan that includes the content.
pub(super) fn change_plan(one: &SubscriptionId, (plan, name): (&PlanId, &str)) -> FixView {
    let args = json!({ "subscription": one, "plan": plan, "when": "now" });
    let summary = format!("Moves the subscription to {name} now; Stripe charges the difference at once.");
    FixView::new("subscriptions.changePlan", args, Scope::SubscriptionsManage, summary)
}

/// The call that sells a plan to a member, who comes back to that address.
pub(super) fn buy(member: &MemberId, (plan, name): (&PlanId, &str), back: &str) -> FixView {
    let args = json!({ "member": { "id": member }, "plan": plan, "successUrl": back });
    let summary = format!("Makes a page on which the member buys {name}.");
    FixView::new("subscriptions.createCheckout", args, Scope::SubscriptionsManage, summary)
}

/// The call that has a paused subscription go on; of one at Stripe only where the site may write there. What is paid elsewhere
/// until a day is over once it lets nobody in: that is for whoever is paid anew to say.
pub(super) fn resume(known: &Known, may_write: bool) -> Option<FixView> {
    let is_paused = |one: &&Subscription| one.status == SubscriptionStatus::Paused && !one.needs_card;
    let paused = known.subscriptions.iter().filter(is_paused);
    let goes_on = |one: &&Subscription| if one.is_linked { may_write } else { one.period_end.is_none() };
    let last = paused.filter(goes_on).max_by_key(|one| one.period_end)?;
    let args = json!({ "subscription": last.id });
    let name = last.plans.first().map_or("the subscription", |plan| plan.name.as_str());
    let summary =
        format!("Has {name} go on, which lets the member in; it is paid again, by its next period at the latest.");
    Some(FixView::new("subscriptions.resume", args, Scope::SubscriptionsManage, summary))
}

/// The call that makes one of two members who are the same person; the one that was asked about keeps its address.
pub(super) fn merge((member, email): (&MemberId, &str), (twin, other): (&MemberId, &str)) -> FixView {
    let summary =
        format!("Merges the two, if they are the same person: {email} keeps its address and gets what the other has.");
    let args =
        json!({ "winner": { "id": member, "expectEmail": email }, "loser": { "id": twin, "expectEmail": other } });
    FixView::new("members.merge", args, Scope::MembersManage, summary)
}

/// The call that links a subscription at Stripe which is paid with the member's address.
pub(super) fn link(member: &MemberId, external: &str) -> FixView {
    let summary = "Links what is paid at Stripe with this address to the member.";
    let args = json!({ "member": { "id": member }, "externalId": external });
    FixView::new("subscriptions.link", args, Scope::SubscriptionsManage, summary)
}
