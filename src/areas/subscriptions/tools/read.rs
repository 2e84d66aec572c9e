use poem_openapi::Object;

use crate::{
    areas::{
        access::SubscriptionStatus,
        members::{self, MemberRef},
        subscriptions::{
            actions,
            store::Filter,
            types::{Subscription, SubscriptionRef},
        },
    },
    error::Result,
    gate::Cx,
    paging::{Cursor, LAST, default_limit},
    tools::{Access, Scope, Tool},
    values::PlanId,
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
/// One subscription, by its id here or by Stripe's. It is as Stripe reported it last, at `syncedAt`.
/// `wanted` is there while something that was asked for is not yet so at Stripe.
#[derive(Object)]
pub struct GetSubscription {
    /// The subscription: its id, or its id at Stripe.
    subscription: SubscriptionRef,
}

/// One subscription.
#[derive(Object)]
pub struct SubscriptionResult {
    /// The subscription.
    subscription: Subscription,
}

impl Tool for GetSubscription {
    const NAME: &'static str = "subscriptions.get";
    const ACCESS: Access = Access::read(Scope::SubscriptionsRead);
    const EXAMPLE: &'static str = r#"{"subscription":"sub_01kan8v3t0e0rt8nfkzk1s7p4qh"}"#;
    type Output = SubscriptionResult;

    async fn run(self, cx: &mut Cx) -> Result<SubscriptionResult> {
        let subscription = match &self.subscription {
            SubscriptionRef::Id(id) => actions::find(cx, id).await?,
            SubscriptionRef::External(by) => actions::find_external(cx, &by.external_id).await?,
        };
        cx.touches(&subscription.member_id);
        Ok(SubscriptionResult { subscription })
    }
}
