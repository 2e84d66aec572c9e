//! Calls that clear a refusal.

use std::time::Duration;

use poem_openapi::{Object, types::Any};
use serde_json::{Value, json};

use super::{
    actions::DAY,
    decide::Reason,
    facts::{Content, Known, Subscription, SubscriptionStatus, Wanted},
};
use crate::{
    tools::Scope,
    values::{BundleId, MemberId, Time},
};

/// Days of a trial that is proposed.
const TRIAL_DAYS: u64 = 7;

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
}

impl FixView {
    fn new(tool: &str, args: Value, scope: Scope, summary: impl Into<String>) -> Self {
        Self { tool: tool.into(), args: Any(args), scope: scope.name().into(), summary: summary.into() }
    }
}

/// The calls of which each clears a refusal.
pub(super) fn fixes(
    member: &MemberId,
    wanted: &Wanted,
    content: &Content,
    reason: Reason,
    at: Time,
    now: Time,
) -> Vec<FixView> {
    let who = json!({ "id": member });
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
            let bundle = content.bundles.first();
            let args = json!({ "member": who, "bundle": bundle });
            let name = bundle.map_or("the bundle", BundleId::as_str);
            vec![FixView::new(
                "access.grantBundle",
                args,
                Scope::AccessGrant,
                format!("Gives the member {name} for life."),
            )]
        }
        (Reason::ContentHidden | Reason::ContentUnpublished | Reason::ContentScheduled, _) => Vec::new(),
        _ => {
            let summary = "Gives the member free access for good; billing is not touched.";
            let mut fixes =
                vec![FixView::new("access.grantFree", json!({ "member": who }), Scope::AccessGrant, summary)];
            let n_days = at.since(now).as_secs().div_ceil(DAY.as_secs()) + TRIAL_DAYS;
            let trial = Duration::from_secs(n_days * DAY.as_secs());
            if trial < LONGEST_TRIAL {
                let summary = format!("Gives the member a trial of {n_days} days.");
                let args = json!({ "member": who, "expiresAt": now + trial });
                fixes.push(FixView::new("access.setTrial", args, Scope::AccessGrant, summary));
            }
            fixes
        }
    }
}

/// The call that has a paused subscription go on; of one at Stripe only where the site may write there. What is paid elsewhere
/// until a day is over once it lets nobody in: that is for whoever is paid anew to say.
pub(super) fn resume(known: &Known, may_write: bool) -> Option<FixView> {
    let paused = known.subscriptions.iter().filter(|one| one.status == SubscriptionStatus::Paused);
    let goes_on = |one: &&Subscription| if one.is_linked { may_write } else { one.period_end.is_none() };
    let last = paused.filter(goes_on).max_by_key(|one| one.period_end)?;
    let args = json!({ "subscription": last.id });
    let summary =
        format!("Has {} go on, which lets the member in; it is paid again, by its next period at the latest.", last.id);
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
pub(super) fn resync(member: &MemberId, external: &str) -> FixView {
    let summary = format!("Links {external}, which is paid at Stripe with this address, to the member.");
    let args = json!({ "member": { "id": member } });
    FixView::new("subscriptions.resync", args, Scope::SubscriptionsManage, summary)
}
