use poem_openapi::Object;
use serde_json::Value;

use crate::{
    app::App,
    areas::{
        jobs::JobView,
        subscriptions::{
            change::{self, Changed, When},
            store,
            types::Subscription,
        },
    },
    error::Result,
    gate::Cx,
    tools::{Access, Risk, Scope, Tool},
    values::{End, Moment, SiteId, SubscriptionId},
};

/// A subscription that was changed, or that a job changes at Stripe.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct SubscriptionChange {
    /// The subscription. While the job has not ended it is not so at Stripe yet: `wanted` says what it is brought to. An
    /// answer that has waited for the job has it as it is then.
    subscription: Subscription,
    /// Whether it is at Stripe, where `job` changes it. If not it is paid elsewhere: it was changed here at once, and
    /// whoever sold it has not been told.
    at_stripe: bool,
    /// The job. `Prefer: wait=N` waits up to N seconds (at most 30) for its end. Its `result.outcome` is `done`; or `superseded`, if another call came later and its word
    /// counts.
    job: Option<JobView>,
}

impl SubscriptionChange {
    fn of(changed: Changed) -> Result<Self> {
        let job = changed.job.map(JobView::from_row).transpose()?;
        Ok(Self { subscription: changed.subscription, at_stripe: job.is_some(), job })
    }
}

/// The subscription as it is now.
pub(super) async fn renew(app: &App, site: SiteId, result: &mut Value) -> Result<()> {
    let id = result["subscription"]["id"].as_str().and_then(|id| SubscriptionId::parse(id).ok());
    let Some(id) = id else { return Ok(()) };
    if let Some(now) = store::by_id(app.db.read(), site, &id).await? {
        result["subscription"] = now.json();
    }
    Ok(())
}

fn with_period() -> When {
    When::PeriodEnd
}

/// Cancel a subscription
///
/// Ends a subscription with the period that is paid, or now. With the period: access goes on until then, nothing is
/// charged any more, and `subscriptions.resume` takes it back until it has ended. Now: access ends at once, nothing is
/// given back, and nothing takes it back; it also beats a pause, a resume and an end with the period that were asked for
/// before and are not done yet. At Stripe a job does it, which never gives up because Stripe is away; a subscription that
/// was cancelled here and is later seen alive is cancelled again. One that has ended is refused as `subscription_ended`,
/// what was paid once and for all as `subscription_once`.
#[derive(Object)]
pub struct CancelSubscription {
    /// The subscription.
    subscription: SubscriptionId,
    /// When it ends.
    #[oai(default = "with_period")]
    when: When,
}

impl Tool for CancelSubscription {
    const NAME: &'static str = "subscriptions.cancel";
    const ACCESS: Access = Access::write(Scope::SubscriptionsManage, Risk::High).destructive();
    const EXAMPLE: &'static str = r#"{"subscription":"sub_01kan8v3t0e0rt8nfkzk1s7p4qh","when":"periodEnd"}"#;
    type Output = SubscriptionChange;

    async fn run(self, cx: &mut Cx) -> Result<SubscriptionChange> {
        SubscriptionChange::of(change::cancel(cx, &self.subscription, self.when).await?)
    }

    async fn renew(app: &App, site: SiteId, result: &mut Value) -> Result<()> {
        renew(app, site, result).await
    }
}

/// Pause a subscription
///
/// Bills nothing for now: at Stripe invoices are made and voided, so no debt grows (`pause_collection`, `void`). Access
/// goes on until the paid period ends. It goes on by itself at `resumesAt`, or with `subscriptions.resume`; pausing again
/// with another `resumesAt` changes it. One that ends with its period is refused as `subscription_ending`. What is paid
/// elsewhere is paused here only, and takes no `resumesAt`; what is paid for good cannot be paused (`subscription_once`).
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct PauseSubscription {
    /// The subscription.
    subscription: SubscriptionId,
    /// When it goes on by itself, to the second; not given: when somebody says so.
    resumes_at: Option<Moment<End>>,
}

impl Tool for PauseSubscription {
    const NAME: &'static str = "subscriptions.pause";
    const ACCESS: Access = Access::write(Scope::SubscriptionsManage, Risk::High);
    const EXAMPLE: &'static str =
        r#"{"subscription":"sub_01kan8v3t0e0rt8nfkzk1s7p4qh","resumesAt":"2100-01-01T00:00:00Z"}"#;
    type Output = SubscriptionChange;

    async fn run(self, cx: &mut Cx) -> Result<SubscriptionChange> {
        let resumes_at = self.resumes_at.map(|end| end.in_zone(cx.zone()));
        SubscriptionChange::of(change::pause(cx, &self.subscription, resumes_at).await?)
    }

    async fn renew(app: &App, site: SiteId, result: &mut Value) -> Result<()> {
        renew(app, site, result).await
    }
}

/// Resume a subscription
///
/// Lets a subscription go on: ends a pause, and takes back an end with the period, or at a date, that has not come yet.
/// Nothing is charged now; the next invoice comes at the end of the period. Only one that Stripe itself has paused (its
/// status there is `paused`, as after a trial without a card) begins a new period, which is charged at once; if that
/// payment fails it stays paused, and the job fails as `stripe_refused`. A subscription that has ended, or is being
/// cancelled now, is refused as `subscription_ended`.
#[derive(Object)]
pub struct ResumeSubscription {
    /// The subscription.
    subscription: SubscriptionId,
}

impl Tool for ResumeSubscription {
    const NAME: &'static str = "subscriptions.resume";
    const ACCESS: Access = Access::write(Scope::SubscriptionsManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"subscription":"sub_01kan8v3t0e0rt8nfkzk1s7p4qh"}"#;
    type Output = SubscriptionChange;

    async fn run(self, cx: &mut Cx) -> Result<SubscriptionChange> {
        SubscriptionChange::of(change::resume(cx, &self.subscription).await?)
    }

    async fn renew(app: &App, site: SiteId, result: &mut Value) -> Result<()> {
        renew(app, site, result).await
    }
}
