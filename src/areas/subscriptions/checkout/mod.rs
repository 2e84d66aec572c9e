//! Checkouts: pages at Stripe on which a member pays.
//!
//! The call writes a row of `checkout` with the id of its job: `waiting`. The job makes the row `making`, of which a
//! member has one at a time, so that two calls at once never make two customers or two pages; then it finds or makes the
//! member's customer, makes the plan's price if need be, closes what is still open, looks once more whether the member
//! has just bought, and opens the page: `open`. What becomes of the page Stripe says, and the sync job writes it:
//! `complete`, `expired`. What cannot be made is `failed`.

mod close;
mod job;
mod steps;
pub mod store;
mod trial;

pub use job::{Checkout, checkout};
use poem_openapi::Enum;
use serde::{Deserialize, Serialize};
use serde_json::json;
use usher_db::Change;
use usher_stripe::Url;

pub use self::store::{OpenCheckout, open_of};
use super::{Subscription, store as subscriptions};
use crate::{
    areas::{
        access::SubscriptionStatus,
        billing::{self, job::would_call},
        jobs::JobView,
        members::{self, MemberRef},
        plans::{self, Every, Plan},
    },
    error::{Code, Error, Fix, Result},
    gate::Cx,
    tools::Scope,
    values::{JobId, MemberId, PlanId},
};

/// Whether a checkout begins with the plan's trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "CheckoutTrial", rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum Trial {
    /// The plan's trial, unless the member has had a trial before: of any plan at Stripe, or from the site.
    #[default]
    Auto,
    /// No trial: the first payment is due at once.
    Never,
}

/// What is to be sold.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What for.
    pub plan: PlanId,
    /// Where the buyer goes afterwards.
    pub success_url: String,
    /// Where the buyer goes who does not want to.
    pub cancel_url: Option<String>,
    /// A coupon of Stripe's.
    pub coupon: Option<String>,
    /// Whether a second live subscription may come of it.
    pub allow_second: bool,
    /// Whether it begins with the plan's trial.
    pub trial: Trial,
}

/// Accepts a checkout.
pub async fn accept(cx: &mut Cx, who: &MemberRef, wanted: Wanted) -> Result<JobView> {
    let member = members::hold(cx, who).await?;
    cx.touches(&member.id);
    let plan = plans::find(cx, &wanted.plan).await?;
    https_or_here("args.successUrl", &wanted.success_url)?;
    wanted.cancel_url.as_deref().map_or(Ok(()), |url| https_or_here("args.cancelUrl", url))?;
    if plan.archived_at.is_some() {
        let text = format!("Plan {} is archived. Take it back with plans.archive, or sell another.", plan.id);
        return Err(Error::new(Code::PlanArchived, text));
    }
    billing::job::may_write(cx).await?;
    if !wanted.allow_second {
        refuse_second(cx, &member.id, &plan).await?;
    }
    let job = Checkout {
        member: member.id.clone(),
        plan: plan.id.clone(),
        success_url: wanted.success_url,
        cancel_url: wanted.cancel_url,
        coupon: wanted.coupon,
        allow_second: wanted.allow_second,
        trial: wanted.trial,
    };
    let row = cx.enqueue(&job).await?;
    let id = JobId::parse(&row.id).map_err(Error::internal)?;
    let (site, now) = (cx.site(), cx.now);
    store::insert(cx.conn(), site, &id, &member.id, &plan.id, now).await?;
    let shown = json!({ "member": member.id, "plan": plan.id, "status": "waiting" });
    cx.tx().note(Change::created("checkout", id.as_str(), shown));
    if store::customer(cx.conn(), site, &member.id).await?.is_none() {
        would_call(cx, member.id.as_str(), "POST /v1/customers", json!({ "member": member.id }));
    }
    plans::would_make(cx, &plan);
    let all = subscriptions::of_member(cx.conn(), site, &member.id).await?;
    let trial_days = trial::days(wanted.trial, &plan, &member, &all);
    let about = json!({ "member": member.id, "plan": plan.id, "trialDays": trial_days });
    would_call(cx, id.as_str(), "POST /v1/checkout/sessions", about);
    JobView::from_row(row)
}

/// Refuses a second subscription that would be charged beside the one that goes on.
async fn refuse_second(cx: &mut Cx, member: &MemberId, plan: &Plan) -> Result<()> {
    let site = cx.site();
    let all = subscriptions::of_member(cx.conn(), site, member).await?;
    if let Some(same) = all.iter().find(|one| one.plan_id == plan.id && goes_on(one)) {
        if same.is_at_stripe() && same.refunded_at.is_some() {
            let text = format!(
                "What member {member} paid for {} was refunded, and {} was not cancelled: it is charged again with its next \
                 period. Cancel it, then sell anew.",
                plan.name.as_str(),
                same.id
            );
            let args = json!({ "subscription": same.id, "when": "now" });
            let fix = Fix { tool: "subscriptions.cancel", args, scope: Some(Scope::SubscriptionsManage.name()) };
            return Err(Error::new(Code::SubscriptionExists, text).fixed_by(fix));
        }
        let text = format!(
            "Member {member} has {} already: {}, which goes on. Look at it first; allowSecond: true sells a second one, which \
             is charged besides.",
            plan.name.as_str(),
            same.id
        );
        // To look, and not the call that charges twice: programs do as a fix says.
        let args = json!({ "subscription": same.id });
        let fix = Fix { tool: "subscriptions.get", args, scope: Some(Scope::SubscriptionsRead.name()) };
        return Err(Error::new(Code::SubscriptionExists, text).fixed_by(fix));
    }
    if plan.every == Every::OneTime {
        return Ok(());
    }
    let Some(other) = all.iter().find(|one| one.is_at_stripe() && goes_on(one)) else { return Ok(()) };
    let before = plans::store::by_id(cx.conn(), site, &other.plan_id).await?;
    let text = format!(
        "Member {member} has {}: {}, which goes on. Move it to {} with subscriptions.changePlan; allowSecond: true sells a \
         second one, which is charged besides.",
        before.as_ref().map_or("another plan", |plan| plan.name.as_str()),
        other.id,
        plan.name.as_str()
    );
    // At the end of the period, so that doing as it says charges nothing now.
    let args = json!({ "subscription": other.id, "plan": plan.id, "when": "periodEnd" });
    let fix = Fix { tool: "subscriptions.changePlan", args, scope: Some(Scope::SubscriptionsManage.name()) };
    Err(Error::new(Code::SubscriptionExists, text).fixed_by(fix))
}

/// Whether selling another would charge besides what the member has. What was refunded and not cancelled is charged again
/// with its next period; one of which Stripe says a word that is not known here may be.
fn goes_on(one: &Subscription) -> bool {
    let is_bought_once = one.is_live() && one.period_end.is_none() && one.refunded_at.is_none();
    one.goes_on() || is_bought_once || one.status == SubscriptionStatus::Unknown
}

/// Whether a browser may be sent to an address: by https, or to this machine.
pub fn https_or_here(path: &str, text: &str) -> Result<()> {
    let wrong = || Error::refused(path, "an address of the form https://… (http only on this machine)");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" if url.has_host() => Ok(()),
        "http" if is_here => Ok(()),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::https_or_here;

    #[test]
    fn browsers_are_sent_only_where_nobody_listens_in() {
        for good in [
            "https://example.com/",
            "https://example.com/a?session={CHECKOUT_SESSION_ID}",
            "http://localhost:3000/ok",
            "http://127.0.0.1/",
            "http://[::1]:8080/",
        ] {
            assert!(https_or_here("args.successUrl", good).is_ok(), "{good}");
        }
        for bad in ["http://example.com/", "javascript:alert(1)", "/welcome", "", "ftp://example.com/", "https://"] {
            assert!(https_or_here("args.successUrl", bad).is_err(), "{bad}");
        }
    }
}
