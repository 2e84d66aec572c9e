use std::time::Duration;

use poem_openapi::Object;

use crate::{
    areas::{jobs::JobView, members::MemberRef, subscriptions::portal},
    error::Result,
    gate::Cx,
    tools::{Access, Risk, Scope, Tool},
};

/// A link to the billing portal that was accepted.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct PortalLinkCreated {
    /// The job that makes the link; once it has succeeded its `result` has `url` and `sessionId` (Stripe's).
    job: JobView,
    /// The link; absent while the job has not ended. Whoever has it is taken for the member: give it to nobody else, and
    /// store it nowhere.
    url: Option<String>,
}

/// Create a billing portal link
///
/// Makes a link to Stripe's billing portal, where a member changes the card, pays an open invoice and sees earlier ones.
/// The link is for now: Stripe closes it a few minutes later unless it is opened, so create one when the member asks for
/// it. What else the portal offers, such as cancelling, is set in the Stripe dashboard. The call waits up to 15 seconds for
/// the link; `Prefer: wait=0` does not. A member without a Stripe customer is refused as `customer_not_found`. Needs a
/// connection to Stripe and Stripe writes switched on.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct CreatePortalLink {
    /// Whose card it is. Of several Stripe customers of the member, it is the one with the newest live subscription, else
    /// the newest.
    member: MemberRef,
    /// Where the portal leads back to: https, or http on this machine. At most 2,000 characters.
    #[oai(validator(min_length = 1, max_length = 2000, pattern = r"^[^\x00-\x20\x7f]*$"))]
    return_url: String,
}

impl Tool for CreatePortalLink {
    const NAME: &'static str = "subscriptions.createPortalLink";
    const ACCESS: Access = Access::write(Scope::SubscriptionsManage, Risk::Medium);
    const EXAMPLE: &'static str =
        r#"{"member":{"email":"anna@example.com"},"returnUrl":"https://example.com/account"}"#;
    const WAIT: Duration = Duration::from_secs(15);
    const LIFTS: &'static [&'static str] = &["url"];
    type Output = PortalLinkCreated;

    async fn run(self, cx: &mut Cx) -> Result<PortalLinkCreated> {
        let job = portal::accept(cx, &self.member, self.return_url).await?;
        Ok(PortalLinkCreated { job, url: None })
    }
}
