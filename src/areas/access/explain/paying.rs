//! The calls and pages that lead a member who is refused to paying.

use serde_json::json;
use usher_stripe::Url;

use crate::{
    areas::{
        access::{
            decide::{Check, Decision, Reason},
            facts::{Content, Known, PaidPlan, Subscription, SubscriptionStatus},
            fixes::FixView,
            found::{self, Found, State},
            store,
        },
        billing,
        invoices::Invoice,
        plans::Opens,
        subscriptions::OpenCheckout,
        videos::Level,
    },
    error::Result,
    gate::Cx,
    tools::Scope,
    values::{MemberId, PlanId, SubscriptionId, Time},
};

/// What leads a member who is refused to paying.
pub(super) struct Paying<'a> {
    pub known: &'a Known,
    pub content: &'a Content,
    pub decision: &'a Decision,
    pub open: Option<OpenCheckout>,
    pub overdue: Option<&'a Invoice>,
}

impl Paying<'_> {
    /// Each clears the refusal by itself, once the member has paid.
    pub async fn fixes(&self, cx: &mut Cx) -> Result<Vec<FixView>> {
        let found = self.decision.checks.iter().find(|check| check.is_decisive).map(|check| &check.found);
        let state = match found {
            Some(Found::Subscription(id, plans, state)) => Some((id, plans, state)),
            _ => None,
        };
        let mut fixes = Vec::new();
        if let (Some(invoice), Some((_, plans, _))) = (self.overdue, state) {
            fixes.extend(pay(invoice, &found::names(plans)));
        }
        if let Some((.., State::NotSaid(plan))) = state {
            fixes.push(say_what_opens(plan, self.content));
        }
        if self.content.level != Level::Members {
            return Ok(fixes);
        }
        let may_write = billing::job::can_write(cx).await?;
        if self.decision.reason == Reason::SubscriptionPaused {
            fixes.extend(resume(self.known, may_write));
        }
        if !may_write {
            return Ok(fixes);
        }
        if let Some((id, plans, state)) = state {
            let site = cx.site();
            let known = self.known.subscriptions.iter().find(|one| one.id == *id && one.is_linked);
            let back = cx.caller.site.settings.login_url.as_deref().and_then(home);
            match (state, known, back) {
                (State::PastDue(..) | State::TrialWithoutCard(_), Some(_), Some(back)) => {
                    fixes.push(give_card(&self.known.member.id, &found::names(plans), &back));
                }
                (State::NotIncluded(_), Some(one), _) if moves(one) => {
                    let plan = store::plan_on_sale(cx.conn(), site, self.content, None).await?;
                    fixes.extend(plan.map(|(plan, name)| change_plan(id, (&plan, &name))));
                }
                (State::WasToEnd(end), Some(_), _) if *end > cx.now => fixes.push(keep(id, &found::names(plans))),
                _ => {}
            }
        }
        if self.may_buy(state.map(|(_, _, state)| state), cx.now) {
            fixes.extend(self.buy(cx).await?);
        }
        Ok(fixes)
    }

    /// Whether another subscription would be the right thing to buy: not where the member has one that goes on, or could be
    /// paid.
    fn may_buy(&self, state: Option<&State>, now: Time) -> bool {
        let is_bought = |one: &Subscription| goes_on(one) && one.plans.iter().any(|plan| plan.includes(self.content));
        if self.known.subscriptions.iter().any(is_bought) {
            return false;
        }
        match state {
            Some(State::Begins(_) | State::Unknown | State::Refunded(_, Some(_))) => false,
            Some(State::FirstPaymentOpen) => self.overdue.is_none(),
            Some(State::WasToEnd(end)) => *end <= now,
            Some(State::OpensNothing) => true,
            Some(State::NotIncluded(_)) => !self.known.subscriptions.iter().any(goes_on),
            _ => matches!(
                self.decision.reason,
                Reason::NoSubscription
                    | Reason::SubscriptionEnded
                    | Reason::SubscriptionIncomplete
                    | Reason::FreeAccessExpired
                    | Reason::TrialEnded
            ),
        }
    }

    /// Whether the member pays for something that opens nothing, beside which another subscription is bought.
    fn has_other_things(&self) -> bool {
        let opens_nothing = |check: &Check| matches!(check.found, Found::Subscription(.., State::OpensNothing));
        self.decision.checks.iter().any(opens_nothing)
    }

    /// The open page of a checkout, or the call that makes one: of the plan that the member had, else of one on sale.
    async fn buy(&self, cx: &mut Cx) -> Result<Option<FixView>> {
        let member = &self.known.member.id;
        let back = cx.caller.site.settings.login_url.as_deref().and_then(home);
        let (site, had) = (cx.site(), self.known.subscriptions.iter().max_by_key(|one| one.started_at));
        let had = had.and_then(|one| one.plans.first()).map(|plan| plan.id.clone());
        let plan = match &self.open {
            Some(open) => Some((open.plan_id.clone(), open.plan_name.clone())),
            None => store::plan_on_sale(cx.conn(), site, self.content, had.as_ref()).await?,
        };
        let url = self.open.as_ref().and_then(|open| open.url.clone());
        let Some((plan, name)) = plan else { return Ok(None) };
        Ok(match (url, back) {
            (Some(url), _) => Some(paid_at(member, &name, url)),
            (None, Some(back)) => Some(buy(member, (&plan, &name), &back, self.has_other_things())),
            (None, None) => None,
        })
    }
}

/// Whether Stripe goes on collecting for a subscription, or will.
fn goes_on(one: &Subscription) -> bool {
    use SubscriptionStatus::{Canceled, Incomplete, IncompleteExpired};
    let is_over = matches!(one.status, Canceled | Incomplete | IncompleteExpired);
    one.is_linked && !is_over && one.cancel_at.is_none() && one.period_end.is_some()
}

/// Whether a subscription can become one for another plan, and its member is then let in.
fn moves(one: &Subscription) -> bool {
    use SubscriptionStatus::{Active, Trialing};
    matches!(one.status, Active | Trialing) && goes_on(one) && one.plans.len() == 1
}

/// The address of a site's pages.
fn home(address: &str) -> Option<String> {
    Some(Url::parse(address).ok()?.join("/").ok()?.to_string())
}

/// The call that says what a plan opens of which nobody has said it yet.
fn say_what_opens(plan: &PaidPlan, content: &Content) -> FixView {
    let opens = if content.plans.contains(&plan.id) { Opens::Listed } else { Opens::All };
    let what = match opens {
        Opens::Listed => "the videos that name it",
        Opens::All | Opens::Nothing => "all member content",
    };
    let args = json!({ "plan": plan.id, "opens": opens.as_str() });
    let summary = format!("Says that {} opens {what}, to everybody who pays for it.", plan.name);
    FixView::new("plans.update", args, Scope::PlansManage, summary)
}

/// The page on which an invoice is paid, if it has one.
fn pay(invoice: &Invoice, name: &str) -> Option<FixView> {
    let url = invoice.hosted_url.clone()?;
    let number = invoice.number.as_deref().unwrap_or("that is open");
    let summary = format!("Send the member the page at `url`: paying invoice {number} opens {name}.");
    let fix = FixView::new("invoices.get", json!({ "invoice": invoice.id }), Scope::InvoicesRead, summary);
    Some(FixView { url: Some(url), ..fix })
}

/// The page of a checkout that is open.
fn paid_at(member: &MemberId, name: &str, url: String) -> FixView {
    let args = json!({ "member": { "id": member } });
    let summary = format!("Send the member the page at `url`, which is open for buying {name}.");
    let fix = FixView::new("subscriptions.list", args, Scope::SubscriptionsRead, summary);
    FixView { url: Some(url), ..fix }
}

/// The page at Stripe where the member gives another card, and pays what is open with it.
fn give_card(member: &MemberId, name: &str, back: &str) -> FixView {
    let args = json!({ "member": { "id": member }, "returnUrl": back });
    let summary = format!("Makes a page at Stripe on which the member gives a card; paying opens {name}.");
    FixView::new("subscriptions.createPortalLink", args, Scope::SubscriptionsManage, summary)
}

/// The call that moves a subscription to a plan that includes the content.
fn change_plan(one: &SubscriptionId, (plan, name): (&PlanId, &str)) -> FixView {
    let args = json!({ "subscription": one, "plan": plan, "when": "now" });
    let summary = format!("Moves the subscription to {name} now; a dry run says what Stripe charges at once.");
    FixView::new("subscriptions.changePlan", args, Scope::SubscriptionsManage, summary)
}

/// The call that sells a plan to a member, who comes back to that address; beside a subscription to something else if
/// `is_second`.
fn buy(member: &MemberId, (plan, name): (&PlanId, &str), back: &str, is_second: bool) -> FixView {
    let mut args = json!({ "member": { "id": member }, "plan": plan, "successUrl": back });
    let mut summary = format!("Makes a page on which the member buys {name}.");
    if is_second {
        args["allowSecond"] = true.into();
        summary = format!("Makes a page on which the member buys {name} too, as a subscription of its own.");
    }
    FixView::new("subscriptions.createCheckout", args, Scope::SubscriptionsManage, summary)
}

/// The call that takes the end of a subscription back.
fn keep(one: &SubscriptionId, name: &str) -> FixView {
    let summary = format!("Has {name} go on instead of ending; it is paid again with its next period.");
    FixView::new("subscriptions.resume", json!({ "subscription": one }), Scope::SubscriptionsManage, summary)
}

/// The call that has a paused subscription go on; of one at Stripe only where the site may write there. What is paid elsewhere
/// until a day is over once it lets nobody in: that is for whoever is paid anew to say.
fn resume(known: &Known, may_write: bool) -> Option<FixView> {
    let is_paused = |one: &&Subscription| one.status == SubscriptionStatus::Paused && !one.needs_card;
    let paused = known.subscriptions.iter().filter(is_paused);
    let goes_on = |one: &&Subscription| if one.is_linked { may_write } else { one.period_end.is_none() };
    let last = paused.filter(goes_on).max_by_key(|one| one.period_end)?;
    let args = json!({ "subscription": last.id });
    let name = last.plans.first().map_or("the subscription", |plan| plan.name.as_str());
    let collected = if last.is_linked { "; Stripe collects again, with the next period at the latest" } else { "" };
    let summary = format!("Resumes {name}, which lets the member in{collected}.");
    Some(FixView::new("subscriptions.resume", args, Scope::SubscriptionsManage, summary))
}
