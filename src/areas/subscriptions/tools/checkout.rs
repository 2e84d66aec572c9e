use std::time::Duration;

use poem_openapi::Object;

use crate::{
    areas::{jobs::JobView, members::MemberRef, subscriptions::checkout},
    error::Result,
    gate::Cx,
    tools::{Access, Risk, Scope, Tool},
    values::PlanId,
};

/// A checkout that was accepted.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct CheckoutCreated {
    /// The job that makes it; once it has succeeded its `result` has `url`, `sessionId` (Stripe's), `expiresAt` and
    /// `trialDays` (the days at the beginning that are free).
    job: JobView,
    /// Where the member pays; absent while the job has not ended.
    url: Option<String>,
    /// Until when that page is open.
    expires_at: Option<String>,
}

/// Create a checkout
///
/// Makes a page at Stripe on which a member subscribes to a plan, or pays it once. Access follows once Stripe says that
/// it is paid. A member has one open checkout: an older one is closed. A member with a subscription that goes on is refused
/// as `subscription_exists`: `subscriptions.changePlan` moves that one to the plan. One that is set to end does not count,
/// and a plan that is paid once is no subscription. The call waits up to 15 seconds for the page, as
/// its caller needs the address; `Prefer: wait=0` does not. Needs a connection to Stripe and Stripe writes switched on.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct CreateCheckout {
    /// Who is to pay.
    member: MemberRef,
    /// What for.
    plan: PlanId,
    /// Where the member comes back to who has paid: https, or http on this machine. Stripe puts the session's id in the
    /// place of `{CHECKOUT_SESSION_ID}`. At most 2,000 characters.
    #[oai(validator(min_length = 1, max_length = 2000, pattern = r"^[^\x00-\x20\x7f]*$"))]
    success_url: String,
    /// Where the member comes back to who has not. At most 2,000 characters.
    #[oai(validator(min_length = 1, max_length = 2000, pattern = r"^[^\x00-\x20\x7f]*$"))]
    cancel_url: Option<String>,
    /// The id of a coupon at Stripe, which is taken off. At most 200 characters.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[^\x00-\x20\x7f]*$"))]
    coupon: Option<String>,
    /// Whether a member who has a subscription that goes on may buy another, which is charged besides.
    #[oai(default)]
    allow_second: bool,
    /// Whether it begins with the plan's trial. `auto`: unless the member has had a trial before, of any plan at Stripe or
    /// from the site.
    #[oai(default)]
    trial: checkout::Trial,
}

impl Tool for CreateCheckout {
    const NAME: &'static str = "subscriptions.createCheckout";
    const ACCESS: Access = Access::write(Scope::SubscriptionsManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"},"plan":"pln_01kan8v3t0e0rt8nfkzk1s7p4qq","successUrl":"https://example.com/welcome"}"#;
    const WAIT: Duration = Duration::from_secs(15);
    const LIFTS: &'static [&'static str] = &["url", "expiresAt"];
    type Output = CheckoutCreated;

    async fn run(self, cx: &mut Cx) -> Result<CheckoutCreated> {
        let wanted = checkout::Wanted {
            plan: self.plan,
            success_url: self.success_url,
            cancel_url: self.cancel_url,
            coupon: self.coupon,
            allow_second: self.allow_second,
            trial: self.trial,
        };
        let job = checkout::accept(cx, &self.member, wanted).await?;
        Ok(CheckoutCreated { job, url: None, expires_at: None })
    }
}
