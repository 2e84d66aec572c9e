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

pub use job::{Checkout, checkout};
use serde_json::json;
use usher_db::Change;
use usher_stripe::Url;

pub use self::store::open_of;
use super::{Subscription, store as subscriptions};
use crate::{
    areas::{
        billing::{self, job::would_call},
        jobs::JobView,
        members::{self, MemberRef},
        plans::{self, Plan},
    },
    error::{Code, Error, Fix, Result},
    gate::Cx,
    tools::Scope,
    values::{JobId, MemberId, PlanId},
};

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
    /// Whether a second live subscription to the plan may come of it.
    pub allow_second: bool,
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
    would_call(cx, id.as_str(), "POST /v1/checkout/sessions", json!({ "member": member.id, "plan": plan.id }));
    JobView::from_row(row)
}

async fn refuse_second(cx: &mut Cx, member: &MemberId, plan: &Plan) -> Result<()> {
    let site = cx.site();
    let all = subscriptions::of_member(cx.conn(), site, member).await?;
    let Some(live) = all.iter().find(|one| is_paying(one, &plan.id)) else { return Ok(()) };
    let text = format!(
        "Member {member} has this plan already: {}, which goes on being paid. Look at it first; allowSecond: true sells a \
         second one, which is charged besides.",
        live.id
    );
    // To look, and not the call that charges twice: programs do as a fix says.
    let args = json!({ "subscription": live.id });
    let fix = Fix { tool: "subscriptions.get", args, scope: Some(Scope::SubscriptionsRead.name()) };
    Err(Error::new(Code::SubscriptionExists, text).fixed_by(fix))
}

fn is_paying(one: &Subscription, plan: &PlanId) -> bool {
    one.plan_id == *plan && one.is_live() && one.refunded_at.is_none()
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
