//! Changing the plan of a subscription at Stripe: now, or at the end of its period.
//!
//! Now: the item gets the plan's price; Stripe credits what is left of the old one, and invoices the difference at once. At
//! the end of the period: a subscription schedule gives it the price when the next period begins, and nothing is prorated.
//! **Amounts are Stripe's**: a dry run shows what Stripe's own preview says, and nothing is computed here.
//!
//! The last call counts, and a cancel beats them all: each job looks at which one that is (`plan_job`) before each of its
//! writes. A change that comes late, after the subscription was set to end, never takes that end back.

mod job;
mod preview;
mod steps;

pub use job::{ChangePlan, change_plan};
pub use preview::PlanChangePreview;
use serde_json::json;
use usher_db::Change;
use usher_jobs::JobRow;

use super::{
    Wanted, change,
    change::{When, hold},
    store,
    types::Subscription,
};
use crate::{
    areas::{
        billing::{self, job::would_call},
        plans::{self, Every, Plan},
    },
    error::{Code, Error, Fix, Result},
    gate::Cx,
    tools::Scope,
    values::{PlanId, SubscriptionId, Time},
};

/// The oldest proration date that is taken, in microseconds: a day.
const OLDEST_PRORATION_US: i64 = 86_400 * 1_000_000;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct PlanChange {
    /// The plan.
    pub plan: PlanId,
    /// When.
    pub when: When,
    /// Stripe's id of the item, where there are several.
    pub item: Option<String>,
    /// As of when the rest of the period is settled; not given: when the call is accepted.
    pub prorated_from: Option<Time>,
}

/// A change of plan that was accepted.
pub struct AcceptedPlanChange {
    pub subscription: Subscription,
    pub job: JobRow,
    /// In a dry run: what Stripe would bill.
    pub preview: Option<PlanChangePreview>,
}

/// Accepts a change of plan.
pub async fn accept(cx: &mut Cx, id: &SubscriptionId, wanted: PlanChange) -> Result<AcceptedPlanChange> {
    let (mut subscription, mut plan) = check(cx, id, &wanted).await?;
    let prorated_from = whole_seconds(wanted.prorated_from.unwrap_or(cx.now));
    let mut preview = None;
    if cx.dry_run {
        preview = preview::ask(cx, &subscription, &plan, &wanted, prorated_from).await?;
        // Stripe was asked outside the transaction.
        (subscription, plan) = check(cx, id, &wanted).await?;
    }
    let job = ChangePlan {
        subscription: id.clone(),
        plan: plan.id.clone(),
        when: wanted.when.into(),
        item: wanted.item,
        prorated_from: prorated_from.micros(),
    };
    let row = cx.enqueue(&job).await?;
    let site = cx.site();
    store::set_plan_job(cx.conn(), site, id, Some(&row.id)).await?;
    let shown = json!({ "subscription": id, "plan": plan.id, "from": subscription.plan_id });
    cx.tx().note(Change::created("planChange", id.as_str(), shown));
    plans::would_make(cx, &plan);
    let external = subscription.external_id.as_deref().unwrap_or_default();
    let call = match wanted.when {
        When::Now => format!("POST /v1/subscriptions/{external}"),
        When::PeriodEnd => "POST /v1/subscription_schedules".to_owned(),
    };
    let shown = preview.as_ref().map(PlanChangePreview::json);
    would_call(cx, id.as_str(), &call, json!({ "plan": plan.id, "preview": shown }));
    Ok(AcceptedPlanChange { subscription, job: row, preview })
}

/// Refuses what cannot be, and holds the subscription's member.
async fn check(cx: &mut Cx, id: &SubscriptionId, wanted: &PlanChange) -> Result<(Subscription, Plan)> {
    let subscription = hold(cx, id).await?;
    change::recurring(&subscription)?;
    if !subscription.is_at_stripe() {
        let text = "is paid elsewhere: cancel it, and record the other plan with subscriptions.recordExternal";
        return Err(Error::refused("args.subscription", text));
    }
    if change::is_being_canceled(cx, &subscription).await? {
        return Err(change::being_ended(&subscription));
    }
    if subscription.cancel_at.is_some() || subscription.wanted == Some(Wanted::Ending) {
        let text = format!(
            "Subscription {id} ends with its period, so there is no plan to change. Take that back with \
             subscriptions.resume first, and wait for its job."
        );
        let args = json!({ "subscription": id });
        let fix = Fix { tool: "subscriptions.resume", args, scope: Some(Scope::SubscriptionsManage.name()) };
        return Err(Error::new(Code::SubscriptionEnding, text).fixed_by(fix));
    }
    let plan = plans::find(cx, &wanted.plan).await?;
    if plan.archived_at.is_some() {
        let text = format!("Plan {} is archived. Take it back with plans.archive, or choose another.", plan.id);
        return Err(Error::new(Code::PlanArchived, text));
    }
    if plan.every == Every::OneTime {
        return Err(Error::refused(
            "args.plan",
            "is paid once; a subscription needs a plan that is paid again and again",
        ));
    }
    if let Some(date) = wanted.prorated_from {
        if wanted.when == When::PeriodEnd {
            return Err(Error::refused(
                "args.proratedFrom",
                "is for when: now; at the period's end nothing is prorated",
            ));
        }
        if date > cx.now || date.micros() < cx.now.micros() - OLDEST_PRORATION_US {
            return Err(Error::refused("args.proratedFrom", "must be within the last 24 hours"));
        }
    }
    billing::job::may_write(cx).await?;
    Ok((subscription, plan))
}

/// Stripe counts in seconds.
fn whole_seconds(at: Time) -> Time {
    Time::from_micros(at.micros().div_euclid(1_000_000) * 1_000_000)
}
