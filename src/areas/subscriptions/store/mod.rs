//! The SQL of subscriptions.

mod at_stripe;
mod items;
mod list;
mod payer;
mod plan_job;
mod word;

pub use at_stripe::{AtStripe, at_stripe};
pub use items::{spans, write_spans};
pub use list::{Filter, list};
pub use payer::payer;
pub use plan_job::{plan_job, plan_job_done, set_plan_job};
use usher_db::{Conn, Result, sql};

pub use word::{Word, ask, asked_of, silence, word};

use super::types::{Subscription, subscription_columns};
use crate::values::{MemberId, SiteId, SubscriptionId, Time};

/// A subscription by id.
pub async fn by_id(conn: Conn<'_>, site: SiteId, id: &SubscriptionId) -> Result<Option<Subscription>> {
    sql!(concat!("SELECT ", subscription_columns!(), " FROM subscription s WHERE s.site = $1 AND s.id = $2"))
        .bind(site)
        .bind(id)
        .optional(conn)
        .await
}

/// A subscription by its id at Stripe.
pub async fn by_external(conn: Conn<'_>, site: SiteId, external: &str) -> Result<Option<Subscription>> {
    sql!(concat!(
        "SELECT ",
        subscription_columns!(),
        " FROM subscription s WHERE s.site = $1 AND s.external_id IS NOT NULL AND s.external_id = $2"
    ))
    .bind(site)
    .bind(external)
    .optional(conn)
    .await
}

/// A subscription by the payment at Stripe that it was paid with, once and for all.
pub async fn by_payment(conn: Conn<'_>, site: SiteId, intent: &str) -> Result<Option<Subscription>> {
    sql!(concat!(
        "SELECT ",
        subscription_columns!(),
        " FROM subscription s WHERE s.site = $1 AND s.payment_intent IS NOT NULL AND s.payment_intent = $2"
    ))
    .bind(site)
    .bind(intent)
    .optional(conn)
    .await
}

/// A sale that was recorded, by the seller's reference.
pub async fn by_reference(conn: Conn<'_>, site: SiteId, source: &str, reference: &str) -> Result<Option<Subscription>> {
    sql!(concat!(
        "SELECT ",
        subscription_columns!(),
        " FROM subscription s
          WHERE s.site = $1 AND s.source = $2 AND s.reference IS NOT NULL AND s.reference = $3"
    ))
    .bind(site)
    .bind(source)
    .bind(reference)
    .optional(conn)
    .await
}

/// Ends what is paid elsewhere and whose time is over, of all sites; gives whose they were.
pub async fn lapse(conn: Conn<'_>, now: Time, limit: u32) -> Result<Vec<(SiteId, MemberId)>> {
    sql!(
        "UPDATE subscription SET status = 'canceled', ended_at = period_end, updated_at = $1
         WHERE external_id IS NULL AND status IN ('active', 'paused') AND period_end <= $1 AND (site, id) IN
             (SELECT site, id FROM subscription
              WHERE external_id IS NULL AND period_end IS NOT NULL AND status IN ('active', 'paused')
                AND period_end <= $1 ORDER BY period_end LIMIT $2)
         RETURNING site, member_id"
    )
    .bind(now)
    .bind(limit)
    .all(conn)
    .await
}

/// A member's subscriptions, newest first.
pub async fn of_member(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<Vec<Subscription>> {
    sql!(concat!(
        "SELECT ",
        subscription_columns!(),
        " FROM subscription s WHERE s.site = $1 AND s.member_id = $2 ORDER BY s.id DESC"
    ))
    .bind(site)
    .bind(member)
    .all(conn)
    .await
}

/// Adds a subscription; 0 if Stripe's is there already, or the sale with the seller's reference.
pub async fn insert(mut conn: Conn<'_>, site: SiteId, new: &Subscription) -> Result<u64> {
    let n = sql!(
        "INSERT INTO subscription (site, id, member_id, plan_id, status, source, started_at, period_start, period_end,
             trial_end, past_due_since, resumes_at, cancel_at, canceled_at, ended_at, refunded_at, refunded_until,
             external_id, customer_id, reference, payment_intent, ticket, synced_at, created_at, updated_at, needs_card)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                 $23, $24, $25, $26)
         ON CONFLICT DO NOTHING"
    )
    .bind(site)
    .bind(&new.id)
    .bind(&new.member_id)
    .bind(&new.plan_id)
    .bind(new.status.as_str())
    .bind(&new.source)
    .bind(new.started_at)
    .bind(new.period_start)
    .bind(new.period_end)
    .bind(new.trial_end)
    .bind(new.past_due_since)
    .bind(new.resumes_at)
    .bind(new.cancel_at)
    .bind(new.canceled_at)
    .bind(new.ended_at)
    .bind(new.refunded_at)
    .bind(new.refunded_until)
    .bind(new.external_id.as_deref())
    .bind(new.customer_id.as_deref())
    .bind(new.reference.as_deref())
    .bind(new.payment_intent.as_deref())
    .bind(new.ticket)
    .bind(new.synced_at)
    .bind(new.created_at)
    .bind(new.updated_at)
    .bind(new.needs_card)
    .run(conn.again())
    .await?;
    if n == 1 {
        items::write(conn, site, &new.id, &new.items).await?;
    }
    Ok(n)
}

/// Writes what can change of a subscription, unless what is there was read with a later ticket.
pub async fn update(mut conn: Conn<'_>, site: SiteId, new: &Subscription) -> Result<u64> {
    let n = sql!(
        "UPDATE subscription SET plan_id = $3, status = $4, started_at = $5, period_start = $6, period_end = $7,
             trial_end = $8, past_due_since = $9, resumes_at = $10, cancel_at = $11, canceled_at = $12, ended_at = $13,
             refunded_at = $14, refunded_until = $15, wanted = $16, customer_id = $17, payment_intent = $18,
             ticket = $19, synced_at = $20, updated_at = $21, resume_wanted = $22, needs_card = $23
         WHERE site = $1 AND id = $2 AND ticket <= $19"
    )
    .bind(site)
    .bind(&new.id)
    .bind(&new.plan_id)
    .bind(new.status.as_str())
    .bind(new.started_at)
    .bind(new.period_start)
    .bind(new.period_end)
    .bind(new.trial_end)
    .bind(new.past_due_since)
    .bind(new.resumes_at)
    .bind(new.cancel_at)
    .bind(new.canceled_at)
    .bind(new.ended_at)
    .bind(new.refunded_at)
    .bind(new.refunded_until)
    .bind(new.wanted.map(super::types::Wanted::as_str))
    .bind(new.customer_id.as_deref())
    .bind(new.payment_intent.as_deref())
    .bind(new.ticket)
    .bind(new.synced_at)
    .bind(new.updated_at)
    .bind(new.resume_wanted)
    .bind(new.needs_card)
    .run(conn.again())
    .await?;
    if n == 1 {
        items::write(conn, site, &new.id, &new.items).await?;
    }
    Ok(n)
}
