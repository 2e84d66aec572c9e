use poem_openapi::Object;

use crate::{
    areas::{
        access::SubscriptionStatus,
        members::{self, MemberRef},
        subscriptions::{actions, store::Filter, types::Subscription},
    },
    error::{Error, Result},
    gate::Cx,
    paging::{Cursor, LAST, default_limit},
    tools::{Access, Scope, Tool},
    values::{PlanId, SubscriptionId},
};

/// The list has one order, newest first.
const ORDER: &str = "-id";

/// A page of subscriptions.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct SubscriptionPage {
    /// Newest first.
    items: Vec<Subscription>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List subscriptions
///
/// The site's subscriptions, at Stripe and elsewhere, in the order in which they were first seen here, newest first. What
/// is given must all hold. They are as Stripe said last, at `syncedAt`; `subscriptions.resync` asks it anew.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListSubscriptions {
    /// Only this member's.
    member: Option<MemberRef>,
    /// Only those to this plan.
    plan: Option<PlanId>,
    /// Only those that stand so.
    status: Option<SubscriptionStatus>,
    /// Only those that were sold there: `stripe`, or what `subscriptions.recordExternal` was given.
    #[oai(validator(min_length = 1, max_length = 100, pattern = r"^[^\x00-\x1f\x7f]*$"))]
    source: Option<String>,
    /// Only those that are live (`true`): `active`, `trialing`, `past_due`, `paused` or `unpaid`; or only the others
    /// (`false`).
    live: Option<bool>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListSubscriptions {
    const NAME: &'static str = "subscriptions.list";
    const ACCESS: Access = Access::read(Scope::SubscriptionsRead);
    const EXAMPLE: &'static str = r#"{"status":"past_due","source":"stripe","live":true}"#;
    type Output = SubscriptionPage;

    async fn run(self, cx: &mut Cx) -> Result<SubscriptionPage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(LAST.into(), |[id]| id);
        let member = match &self.member {
            Some(member) => Some(members::find(cx, member).await?.id),
            None => None,
        };
        let filter = Filter { member, plan: self.plan, status: self.status, source: self.source, live: self.live };
        let (items, more) = actions::list(cx, &filter, &before, self.limit).await?;
        let next_cursor = items.last().filter(|_| more).map(|one| Cursor::after(ORDER, [one.id.to_string()]).encode());
        Ok(SubscriptionPage { items, next_cursor })
    }
}

/// Get a subscription
///
/// One subscription, by its id here or by Stripe's: exactly one of the two. It is as Stripe said last, at `syncedAt`.
/// `wanted` is there while something that was asked for is not yet so at Stripe.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct GetSubscription {
    /// The subscription's id.
    subscription: Option<SubscriptionId>,
    /// Stripe's id of it (`sub_…`), or of the checkout of what is paid once (`cs_…`).
    #[oai(validator(min_length = 1, max_length = 255, pattern = r"^[A-Za-z0-9_]+$"))]
    external_id: Option<String>,
}

impl Tool for GetSubscription {
    const NAME: &'static str = "subscriptions.get";
    const ACCESS: Access = Access::read(Scope::SubscriptionsRead);
    const EXAMPLE: &'static str = r#"{"subscription":"sub_01kan8v3t0e0rt8nfkzk1s7p4qh"}"#;
    type Output = Subscription;

    async fn run(self, cx: &mut Cx) -> Result<Subscription> {
        let subscription = match (&self.subscription, &self.external_id) {
            (Some(id), None) => actions::find(cx, id).await?,
            (None, Some(external)) => actions::find_external(cx, external).await?,
            _ => return Err(Error::refused("args", "give one of `subscription` and `externalId`, and not both")),
        };
        cx.touches(&subscription.member_id);
        Ok(subscription)
    }
}
