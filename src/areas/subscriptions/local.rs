//! What is paid elsewhere is changed here at once: nobody else is asked, and nobody else is told.

use usher_db::Change;

use super::{
    change::{Changed, When},
    store,
    types::Subscription,
};
use crate::{
    areas::{
        access::{self, SubscriptionStatus},
        members,
    },
    error::{Code, Error, Result},
    gate::Cx,
    values::MemberId,
};

/// Ends it: now, or when what is paid is over.
pub(super) async fn cancel(cx: &mut Cx, before: Subscription, when: When) -> Result<Changed> {
    let now = cx.now;
    open(cx, &before)?;
    let after = match (when, before.period_end) {
        (When::Now, end) => Subscription {
            status: SubscriptionStatus::Canceled,
            period_end: Some(end.map_or(now, |end| end.min(now))),
            canceled_at: before.canceled_at.or(Some(now)),
            ended_at: Some(now),
            ..before.clone()
        },
        (When::PeriodEnd, Some(end)) => {
            Subscription { cancel_at: Some(end), canceled_at: before.canceled_at.or(Some(now)), ..before.clone() }
        }
        (When::PeriodEnd, None) => {
            return Err(Error::refused(
                "args.when",
                "must be `now`: it is paid for good, so there is no period that ends",
            ));
        }
    };
    write(cx, before, after).await
}

/// Pauses it. What is paid goes on.
pub(super) async fn pause(
    cx: &mut Cx,
    before: Subscription,
    resumes_at: Option<crate::values::Time>,
) -> Result<Changed> {
    open(cx, &before)?;
    if before.period_end.is_none() {
        let text = format!(
            "Subscription {} is paid elsewhere and for good, so there is nothing to pause. subscriptions.cancel with when: \
             now takes its access.",
            before.id
        );
        return Err(Error::new(Code::SubscriptionOnce, text));
    }
    if resumes_at.is_some() {
        return Err(Error::refused("args.resumesAt", "is for subscriptions at Stripe; this one is paid elsewhere"));
    }
    let after = Subscription { status: SubscriptionStatus::Paused, ..before.clone() };
    write(cx, before, after).await
}

/// Lets it go on.
pub(super) async fn resume(cx: &mut Cx, before: Subscription) -> Result<Changed> {
    open(cx, &before)?;
    let after =
        Subscription { status: SubscriptionStatus::Active, cancel_at: None, canceled_at: None, ..before.clone() };
    write(cx, before, after).await
}

/// Refuses what has ended by itself.
fn open(cx: &Cx, subscription: &Subscription) -> Result<()> {
    match subscription.period_end {
        Some(end) if end <= cx.now => {
            let text = format!(
                "Subscription {} was paid until {end}, and has ended. Record what was paid since with \
                 subscriptions.recordExternal.",
                subscription.id
            );
            Err(Error::new(Code::SubscriptionEnded, text))
        }
        _ => Ok(()),
    }
}

/// Writes what is different, if anything is, and whether the member pays.
pub(super) async fn write(cx: &mut Cx, before: Subscription, mut after: Subscription) -> Result<Changed> {
    if after == before {
        return Ok(Changed { subscription: after, job: None });
    }
    let (site, now) = (cx.site(), cx.now);
    after.updated_at = now;
    store::update(cx.conn(), site, &after).await?;
    cx.tx().note(Change::updated("subscription", after.id.as_str(), before.json(), after.json()));
    recount(cx, &after.member_id).await?;
    Ok(Changed { subscription: after, job: None })
}

/// Writes whether a member pays.
pub(super) async fn recount(cx: &mut Cx, member: &MemberId) -> Result<()> {
    let (site, now) = (cx.site(), cx.now);
    let before = members::store::by_id(cx.conn(), site, member).await?;
    access::recount(cx.conn(), site, member, now).await?;
    let after = members::store::by_id(cx.conn(), site, member).await?;
    if let (Some(before), Some(after)) = (before, after)
        && before != after
    {
        cx.tx().note(Change::updated("member", member.as_str(), before.json(), after.json()));
    }
    Ok(())
}
