//! The SQL of what a subscription is for, and of what was paid for it.

use usher_db::{Conn, Result, sql};

use super::super::types::{PaidSpan, SubscriptionItem};
use crate::values::{PlanId, SiteId, SubscriptionId};

/// Writes all items of a subscription.
pub(super) async fn write(
    mut conn: Conn<'_>,
    site: SiteId,
    subscription: &SubscriptionId,
    items: &[SubscriptionItem],
) -> Result<()> {
    for (position, item) in items.iter().enumerate() {
        sql!(
            "INSERT INTO subscription_item AS i (site, subscription_id, position, external_id, plan_id, quantity)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (site, subscription_id, position) DO UPDATE
                 SET external_id = excluded.external_id, plan_id = excluded.plan_id, quantity = excluded.quantity
                 WHERE i.plan_id <> excluded.plan_id OR i.quantity <> excluded.quantity
                    OR COALESCE(i.external_id, '') <> COALESCE(excluded.external_id, '')"
        )
        .bind(site)
        .bind(subscription)
        .bind(position as i64)
        .bind(item.external_id.as_deref())
        .bind(&item.plan_id)
        .bind(item.quantity)
        .run(conn.again())
        .await?;
    }
    sql!("DELETE FROM subscription_item WHERE site = $1 AND subscription_id = $2 AND position >= $3")
        .bind(site)
        .bind(subscription)
        .bind(items.len() as i64)
        .run(conn)
        .await?;
    Ok(())
}

/// What was paid for a subscription, the newest first.
pub async fn spans(conn: Conn<'_>, site: SiteId, subscription: &SubscriptionId) -> Result<Vec<PaidSpan>> {
    sql!(
        "SELECT plan_id, starts_at, ends_at, invoice, paid, refunded FROM paid_span
         WHERE site = $1 AND subscription_id = $2 ORDER BY position"
    )
    .bind(site)
    .bind(subscription)
    .all(conn)
    .await
}

/// Writes all that was paid for a subscription; gives whether it is other than before.
pub async fn write_spans(
    mut conn: Conn<'_>,
    site: SiteId,
    subscription: &SubscriptionId,
    after: &[PaidSpan],
) -> Result<bool> {
    if spans(conn.again(), site, subscription).await? == after {
        return Ok(false);
    }
    sql!("DELETE FROM paid_span WHERE site = $1 AND subscription_id = $2")
        .bind(site)
        .bind(subscription)
        .run(conn.again())
        .await?;
    for (position, span) in after.iter().enumerate() {
        sql!(
            "INSERT INTO paid_span (site, subscription_id, position, plan_id, starts_at, ends_at, invoice, paid, refunded)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        )
        .bind(site)
        .bind(subscription)
        .bind(position as i64)
        .bind(span.plan_id.as_ref().map(PlanId::as_str))
        .bind(span.starts_at)
        .bind(span.ends_at)
        .bind(span.invoice.as_str())
        .bind(span.paid)
        .bind(span.refunded)
        .run(conn.again())
        .await?;
    }
    Ok(true)
}
