use poem_openapi::Object;

use crate::{
    areas::{
        jobs::{Accepted, JobView},
        members::MemberRef,
        subscriptions::link,
    },
    error::Result,
    gate::Cx,
    tools::{Access, Risk, Scope, Tool},
};

/// Link a subscription to a member
///
/// Says whose a subscription at Stripe is of which nothing there says it, or a sale that was paid once: `billing.reconcile`
/// and `members.whyPaywall` show those. A job then reads from Stripe what it opens. All that the same customer of Stripe's
/// buys later is the member's too. Nothing is written at Stripe. What is another member's already is refused with
/// `subscription_linked`.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct LinkSubscription {
    /// Whose it is.
    member: MemberRef,
    /// Stripe's id of the subscription (`sub_…`), or of the checkout of what was paid once (`cs_…`).
    #[oai(validator(min_length = 1, max_length = 255, pattern = r"^[A-Za-z0-9_]+$"))]
    external_id: String,
}

impl Tool for LinkSubscription {
    const NAME: &'static str = "subscriptions.link";
    const ACCESS: Access = Access::write(Scope::SubscriptionsManage, Risk::High);
    const EXAMPLE: &'static str =
        r#"{"member":{"email":"anna@example.com"},"externalId":"sub_1RqZ2cK8u0yXb3Wd4Lm5N6oP"}"#;
    type Output = Accepted;

    async fn run(self, cx: &mut Cx) -> Result<Accepted> {
        Ok(Accepted { job: JobView::from_row(link::link(cx, &self.member, self.external_id).await?)? })
    }
}
