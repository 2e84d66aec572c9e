use poem_openapi::Object;

use crate::{
    areas::{
        access::AccessView,
        members::MemberRef,
        subscriptions::{
            external::{self, Sale},
            types::Subscription,
        },
    },
    error::Result,
    gate::Cx,
    tools::{Access, Risk, Scope, Tool},
    values::{Beginning, End, Moment, PlanId},
};

/// Record what was paid elsewhere
///
/// Gives a member a plan that was paid elsewhere: by bank transfer, in an app store, in another shop. It gives access as a
/// subscription at Stripe does, and **nothing is charged**, now or later (`charged` is always `false`). It ends by itself
/// at `expiresAt`; without it, it goes on until `subscriptions.cancel`. The same `source` and `reference` told again are
/// one sale: with a later `expiresAt`, or none, it is extended; else nothing changes (`changed: false`). Without a
/// `reference`, member, plan and source name the one that runs. What was cancelled here stays so whatever is told again: a
/// new sale has a new reference. A reference of another member or plan is refused as `reference_used`.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct RecordExternal {
    /// Who has it.
    member: MemberRef,
    /// What was paid for.
    plan: PlanId,
    /// Who sold it, in a word or two of your own: 1 to 100 characters, not `stripe`.
    #[oai(validator(min_length = 1, max_length = 100, pattern = r"^[^\x00-\x1f\x7f]*$"))]
    source: String,
    /// The seller's own reference of the sale, such as an order's number: 1 to 200 characters.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[^\x00-\x1f\x7f]*$"))]
    reference: Option<String>,
    /// When it began; not in the future. Not given: now.
    started_at: Option<Moment<Beginning>>,
    /// When what was paid for ends; in the future. Without it, it never ends.
    expires_at: Option<Moment<End>>,
}

/// What was recorded.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct RecordedSale {
    /// The subscription.
    subscription: Subscription,
    /// Whether this call made or extended it.
    changed: bool,
    /// Always `false`: nothing was charged, and nothing will be.
    charged: bool,
    /// Whether the member may now see member content in general.
    access: AccessView,
}

impl Tool for RecordExternal {
    const NAME: &'static str = "subscriptions.recordExternal";
    const ACCESS: Access = Access::write(Scope::SubscriptionsManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"},"plan":"pln_01kan8v3t0e0rt8nfkzk1s7p4qq","source":"bank transfer","reference":"R-1042","expiresAt":"2100-01-01T00:00:00Z"}"#;
    type Output = RecordedSale;

    async fn run(self, cx: &mut Cx) -> Result<RecordedSale> {
        let Self { member, plan, source, reference, started_at, expires_at } = self;
        let started_at = started_at.map(|from| from.in_zone(cx.zone()));
        let expires_at = expires_at.map(|end| end.in_zone(cx.zone()));
        let sale = Sale { plan, source, reference, started_at, expires_at };
        let recorded = external::record(cx, &member, sale).await?;
        Ok(RecordedSale {
            subscription: recorded.subscription,
            changed: recorded.changed,
            charged: false,
            access: recorded.access,
        })
    }
}
