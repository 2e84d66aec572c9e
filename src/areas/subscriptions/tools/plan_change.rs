use poem_openapi::Object;
use serde_json::Value;

use crate::{
    app::App,
    areas::{
        jobs::JobView,
        subscriptions::{
            change::When,
            plan_change::{self, PlanChange, PlanChangePreview},
            tools::change::renew,
            types::Subscription,
        },
    },
    error::Result,
    gate::Cx,
    tools::{Access, Risk, Scope, Tool},
    values::{Beginning, Moment, PlanId, SiteId, SubscriptionId},
};

/// A change of plan that was accepted.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct PlanChangeAccepted {
    /// The subscription. Its `plan` is the new one once Stripe says so: a response that has waited for the job has it.
    subscription: Subscription,
    /// The job. Its `result.outcome` is `done`; or `superseded`, if a later change or a cancel counts. `result.changesAt`
    /// says when a change at the end of the period comes.
    job: JobView,
    /// Only in a dry run: what Stripe says it would bill. Absent where Stripe does not know the plan yet.
    preview: Option<PlanChangePreview>,
}

/// Change the plan of a subscription
///
/// Moves a subscription at Stripe to another plan.
///
/// - `now`: Stripe credits what is left of the period on the old plan and **charges the difference at once**. If that
///   payment fails, the plan is changed all the same and the subscription becomes `past_due`. Where the new plan has
///   another period, a new one begins now.
/// - `periodEnd`: the new plan begins with the next period, by a subscription schedule. Nothing is charged or credited
///   before.
///
/// Amounts come from Stripe: a dry run shows its own preview, and `preview.proratedFrom`, passed as `proratedFrom`, makes
/// the change cost exactly that. The last call counts; `subscriptions.cancel` beats it. A subscription that ends with its
/// period is refused as `subscription_ending`. With several items, `item` says which one changes; without it the job fails
/// as `item_needed` and lists them.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ChangeSubscriptionPlan {
    /// The subscription.
    subscription: SubscriptionId,
    /// The plan that it moves to: one that is paid again and again, in the same currency.
    plan: PlanId,
    /// When.
    when: When,
    /// Stripe's id of the item that changes (`si_…`); needed where the subscription has several.
    #[oai(validator(min_length = 1, max_length = 255, pattern = r"^[A-Za-z0-9_]+$"))]
    item: Option<String>,
    /// For `now`: as of when the rest of the period is settled, within the last 24 hours. Not given: the time of the call.
    prorated_from: Option<Moment<Beginning>>,
}

impl Tool for ChangeSubscriptionPlan {
    const NAME: &'static str = "subscriptions.changePlan";
    const ACCESS: Access = Access::write(Scope::SubscriptionsManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"subscription":"sub_01kan8v3t0e0rt8nfkzk1s7p4qh","plan":"pln_01kan8v3t0e0rt8nfkzk1s7p4qq","when":"periodEnd"}"#;
    type Output = PlanChangeAccepted;

    async fn run(self, cx: &mut Cx) -> Result<PlanChangeAccepted> {
        let prorated_from = self.prorated_from.map(|date| date.in_zone(cx.zone()));
        let wanted = PlanChange { plan: self.plan, when: self.when, item: self.item, prorated_from };
        let accepted = plan_change::accept(cx, &self.subscription, wanted).await?;
        Ok(PlanChangeAccepted {
            subscription: accepted.subscription,
            job: JobView::from_row(accepted.job)?,
            preview: accepted.preview,
        })
    }

    async fn renew(app: &App, site: SiteId, result: &mut Value) -> Result<()> {
        renew(app, site, result).await
    }
}
