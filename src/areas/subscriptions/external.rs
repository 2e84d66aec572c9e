//! What was paid elsewhere: recorded here so that it gives access. Nothing is charged, and nobody is asked.
//!
//! The seller's own reference names a sale: told twice it is one. Told with a later end it is extended, also after it had
//! ended by itself. One that was cancelled here stays so, whatever the seller repeats: a new sale has a new reference.

use usher_db::Change;

use super::{
    local, store,
    types::{Subscription, SubscriptionItem},
};
use crate::{
    areas::{
        access::{self, AccessView, SubscriptionStatus},
        members::{self, MemberById, MemberRef},
        plans,
    },
    error::{Code, Error, Result},
    gate::Cx,
    values::{MemberId, PlanId, Time},
};

/// What Stripe's subscriptions have as their source.
const STRIPE: &str = "stripe";

/// What was paid.
pub struct Sale {
    pub plan: PlanId,
    pub source: String,
    pub reference: Option<String>,
    pub started_at: Option<Time>,
    pub expires_at: Option<Time>,
}

/// A sale that is recorded.
pub struct Recorded {
    pub subscription: Subscription,
    pub changed: bool,
    pub access: AccessView,
}

/// Records a sale.
pub async fn record(cx: &mut Cx, who: &MemberRef, sale: Sale) -> Result<Recorded> {
    if sale.source.trim().eq_ignore_ascii_case(STRIPE) {
        let text = "is who sold it elsewhere; what Stripe sold comes from Stripe, see subscriptions.resync";
        return Err(Error::refused("args.source", text));
    }
    let member = members::hold(cx, who).await?.id;
    let site = cx.site();
    if plans::store::by_id(cx.conn(), site, &sale.plan).await?.is_none() {
        return Err(Error::new(Code::PlanNotFound, format!("The site has no plan {}.", sale.plan)));
    }
    if let Some(known) = known(cx, &member, &sale).await? {
        return again(cx, known, &member, &sale).await;
    }
    let new = new(cx, &member, &sale)?;
    if store::insert(cx.conn(), site, &new).await? == 0 {
        // Told at the same time for another member.
        let known =
            known(cx, &member, &sale).await?.ok_or_else(|| Error::internal("a sale that is there is not there"))?;
        return again(cx, known, &member, &sale).await;
    }
    cx.tx().note(Change::created("subscription", new.id.as_str(), new.json()));
    local::recount(cx, &member).await?;
    recorded(cx, new, true).await
}

/// The same sale as it was told before. Without a reference, member, plan and source name one that has not ended.
async fn known(cx: &mut Cx, member: &MemberId, sale: &Sale) -> Result<Option<Subscription>> {
    let (site, now) = (cx.site(), cx.now);
    if let Some(reference) = &sale.reference {
        return Ok(store::by_reference(cx.conn(), site, &sale.source, reference).await?);
    }
    let all = store::of_member(cx.conn(), site, member).await?;
    Ok(all.into_iter().find(|one| {
        let is_same = one.external_id.is_none() && one.source == sale.source && one.plan_id == sale.plan;
        is_same && one.reference.is_none() && !one.is_over() && one.period_end.is_none_or(|end| now < end)
    }))
}

async fn again(cx: &mut Cx, known: Subscription, member: &MemberId, sale: &Sale) -> Result<Recorded> {
    if known.member_id != *member || known.plan_id != sale.plan {
        let text = format!(
            "The sale {:?} of {} was recorded before, as subscription {} of member {} to plan {}. Give each sale a reference \
             of its own; for what was paid since of that one, name that member and that plan.",
            sale.reference.as_deref().unwrap_or_default(),
            sale.source,
            known.id,
            known.member_id,
            known.plan_id
        );
        return Err(Error::new(Code::ReferenceUsed, text));
    }
    let was_canceled = known.is_over() && known.canceled_at.is_some();
    let is_longer = match (known.period_end, sale.expires_at) {
        (Some(before), Some(after)) => before < after,
        (Some(_), None) => true,
        (None, _) => false,
    };
    if was_canceled || !is_longer {
        return recorded(cx, known, false).await;
    }
    in_the_future(cx, sale)?;
    let after = Subscription {
        status: if known.is_over() { SubscriptionStatus::Active } else { known.status },
        period_end: sale.expires_at,
        cancel_at: known.cancel_at.and(sale.expires_at),
        ended_at: None,
        ..known.clone()
    };
    let changed = local::write(cx, known, after).await?;
    recorded(cx, changed.subscription, true).await
}

fn new(cx: &Cx, member: &MemberId, sale: &Sale) -> Result<Subscription> {
    let now = cx.now;
    let started_at = sale.started_at.unwrap_or(now);
    if now < started_at {
        return Err(Error::refused("args.startedAt", "must not be in the future"));
    }
    in_the_future(cx, sale)?;
    Ok(Subscription {
        id: cx.app.clock.id(),
        member_id: member.clone(),
        plan_id: sale.plan.clone(),
        items: SubscriptionItem::only(sale.plan.clone()),
        status: SubscriptionStatus::Active,
        source: sale.source.clone(),
        started_at,
        period_start: Some(started_at),
        period_end: sale.expires_at,
        trial_end: None,
        past_due_since: None,
        needs_card: false,
        resumes_at: None,
        cancel_at: None,
        canceled_at: None,
        ended_at: None,
        refunded_at: None,
        refunded_until: None,
        wanted: None,
        external_id: None,
        customer_id: None,
        reference: sale.reference.clone(),
        synced_at: None,
        created_at: now,
        updated_at: now,
        payment_intent: None,
        resume_wanted: None,
        ticket: 0,
    })
}

fn in_the_future(cx: &Cx, sale: &Sale) -> Result<()> {
    match sale.expires_at {
        Some(until) if until <= cx.now => Err(Error::refused("args.expiresAt", "must be in the future")),
        _ => Ok(()),
    }
}

async fn recorded(cx: &mut Cx, subscription: Subscription, changed: bool) -> Result<Recorded> {
    let who = MemberRef::Id(MemberById { id: subscription.member_id.clone(), expect_email: None });
    let now = cx.now;
    let (_, decision) = access::check(cx, &who, &access::Wanted::Members, now).await?;
    Ok(Recorded { subscription, changed, access: (&decision).into() })
}
