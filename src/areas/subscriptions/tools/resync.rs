use poem_openapi::Object;

use crate::{
    areas::{
        billing::{connection::not_connected, store::connection},
        jobs::{Accepted, JobView},
        members::{self, MemberRef},
        subscriptions::{actions, resync::Resync},
    },
    error::{Error, Result},
    gate::Cx,
    tools::{Access, Risk, Scope, Tool},
    values::SubscriptionId,
};

/// Read a member's subscriptions anew
///
/// Asks Stripe for everything of a member: its customers, and those with its address that are nobody else's, which are
/// linked to it; all their subscriptions, newest 200 invoices each and checkouts; and whatever is known here besides. What
/// is found counts as if its events had come, so access is right afterwards. Nothing is written at Stripe. The job's
/// `result` says how many `customers`, `subscriptions`, `invoices` and `checkouts` were read, which subscriptions are
/// `new` or `changed`, which customers were linked (`linkedCustomers`), and which have the address but are another
/// member's (`customersOfOthers`).
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ResyncSubscriptions {
    /// The member: exactly one of `member` and `subscription`.
    member: Option<MemberRef>,
    /// A subscription of the member.
    subscription: Option<SubscriptionId>,
}

impl Tool for ResyncSubscriptions {
    const NAME: &'static str = "subscriptions.resync";
    const ACCESS: Access = Access::write(Scope::SubscriptionsManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"}}"#;
    type Output = Accepted;

    async fn run(self, cx: &mut Cx) -> Result<Accepted> {
        let member = match (&self.member, &self.subscription) {
            (Some(member), None) => members::hold(cx, member).await?.id,
            (None, Some(subscription)) => actions::find(cx, subscription).await?.member_id,
            _ => return Err(Error::refused("args", "give one of `member` and `subscription`, and not both")),
        };
        cx.touches(&member);
        let site = cx.site();
        if connection(cx.conn(), site).await?.is_none() {
            return Err(not_connected());
        }
        let row = cx.enqueue(&Resync { member, external_id: None }).await?;
        Ok(Accepted { job: JobView::from_row(row)? })
    }
}
