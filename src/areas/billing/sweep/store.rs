//! The SQL of sweeps. A page is compared, moved on and marked in one statement each.

use usher_db::{Conn, FromRow, Result, Row, Value, sql, sql_both};

use super::SOURCE;
use crate::{
    areas::subscriptions::{Subscription, subscription_columns},
    values::{MemberId, SiteId, Time},
};

/// A subscription as it is known here.
pub(super) struct Known {
    pub(super) subscription: Subscription,
    /// The prices of its items at Stripe, in their order.
    pub(super) prices: Vec<String>,
    /// Whether it is to be read already.
    pub(super) is_pending: bool,
}

impl FromRow for Known {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        let subscription = Subscription::from_row(row)?;
        let prices: Option<String> = row.take()?;
        let prices = prices.iter().flat_map(|prices| prices.split(',')).map(str::to_owned).collect();
        Ok(Self { subscription, prices, is_pending: row.take()? })
    }
}

fn texts(ids: Vec<String>) -> Vec<Option<String>> {
    ids.into_iter().map(Some).collect()
}

/// What is known of subscriptions, by their ids at Stripe.
pub(super) async fn known(conn: Conn<'_>, site: SiteId, ids: Vec<String>) -> Result<Vec<Known>> {
    macro_rules! text {
        ($which:literal) => {
            concat!(
                "SELECT ",
                subscription_columns!(),
                ", (SELECT string_agg(p.price_id, ',' ORDER BY i.position)
                    FROM subscription_item i JOIN plan p ON p.site = i.site AND p.id = i.plan_id
                    WHERE i.site = s.site AND i.subscription_id = s.id),
                   EXISTS (SELECT 1 FROM stripe_dirty d WHERE d.site = s.site AND d.kind = 'subscription'
                                       AND d.object_id = s.external_id)
                 FROM subscription s
                 WHERE s.site = $1 AND s.external_id IS NOT NULL AND s.external_id ",
                $which
            )
        };
    }
    sql_both!(sqlite: text!("IN (SELECT value FROM json_each($2))"), postgres: text!("= ANY($2)"))
        .bind(site)
        .bind(texts(ids))
        .all(conn)
        .await
}

/// A subscription of which nobody knows the member.
pub(super) struct Stray {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) price: Option<String>,
    pub(super) customer: Option<String>,
    /// Whether its customer has become a member's.
    pub(super) has_member: bool,
    /// Whether its customer was asked for an address.
    pub(super) was_asked: bool,
}

impl FromRow for Stray {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            status: row.take()?,
            price: row.take()?,
            customer: row.take()?,
            has_member: row.take()?,
            was_asked: row.take()?,
        })
    }
}

/// What is known of strays.
pub(super) async fn strays(conn: Conn<'_>, site: SiteId, ids: Vec<String>) -> Result<Vec<Stray>> {
    macro_rules! text {
        ($which:literal) => {
            concat!(
                "SELECT t.id, t.status, t.price_id, t.customer_id,
                        EXISTS (SELECT 1 FROM stripe_customer c WHERE c.site = t.site AND c.id = t.customer_id),
                        t.email_key IS NOT NULL
                 FROM stripe_stray t WHERE t.site = $1 AND t.id ",
                $which
            )
        };
    }
    sql_both!(sqlite: text!("IN (SELECT value FROM json_each($2))"), postgres: text!("= ANY($2)"))
        .bind(site)
        .bind(texts(ids))
        .all(conn)
        .await
}

/// Those of these members that are here and stay.
pub(super) async fn members_here(conn: Conn<'_>, site: SiteId, ids: Vec<String>) -> Result<Vec<(MemberId,)>> {
    sql_both!(
        sqlite: "SELECT id FROM member
                 WHERE site = $1 AND id IN (SELECT value FROM json_each($2)) AND deleting_since IS NULL",
        postgres: "SELECT id FROM member WHERE site = $1 AND id = ANY($2) AND deleting_since IS NULL",
    )
    .bind(site)
    .bind(texts(ids))
    .all(conn)
    .await
}

/// Notes that subscriptions are as Stripe says, unless they were read since.
pub(super) async fn compared(conn: Conn<'_>, site: SiteId, ids: Vec<String>, ticket: i64, now: Time) -> Result<u64> {
    if ids.is_empty() {
        return Ok(0);
    }
    sql_both!(
        sqlite: "UPDATE subscription SET synced_at = $4
                 WHERE site = $1 AND external_id IS NOT NULL AND external_id IN (SELECT value FROM json_each($2))
                   AND ticket < $3",
        postgres: "UPDATE subscription SET synced_at = $4
                   WHERE site = $1 AND external_id IS NOT NULL AND external_id = ANY($2) AND ticket < $3",
    )
    .bind(site)
    .bind(texts(ids))
    .bind(ticket)
    .bind(now)
    .run(conn)
    .await
}

/// Notes that strays are as they were.
pub(super) async fn strays_seen(conn: Conn<'_>, site: SiteId, ids: Vec<String>, now: Time) -> Result<u64> {
    if ids.is_empty() {
        return Ok(0);
    }
    sql_both!(
        sqlite: "UPDATE stripe_stray SET seen_at = $3 WHERE site = $1 AND id IN (SELECT value FROM json_each($2))",
        postgres: "UPDATE stripe_stray SET seen_at = $3 WHERE site = $1 AND id = ANY($2)",
    )
    .bind(site)
    .bind(texts(ids))
    .bind(now)
    .run(conn)
    .await
}

/// Notes that subscriptions are to be read, with a later ticket than that of the page on which they were different. Of one
/// that is to be read anyway, who said so first stays.
pub(super) async fn mark_all(conn: Conn<'_>, site: SiteId, ids: &[String], ticket: i64, now: Time) -> Result<u64> {
    sql!(
        "INSERT INTO stripe_dirty (site, kind, object_id, marks, source, since, not_before, tries)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (site, kind, object_id) DO UPDATE SET
             marks = CASE WHEN stripe_dirty.marks > excluded.marks THEN stripe_dirty.marks ELSE excluded.marks END"
    )
    .rows(ids.iter().map(|id| -> [Value; 8] {
        let kind = "subscription";
        [site.into(), kind.into(), id.into(), ticket.into(), SOURCE.into(), now.into(), now.into(), 0i64.into()]
    }))
    .run(conn)
    .await
}

/// Marks some subscriptions that were not compared since a moment and would have been, had Stripe listed them.
pub(super) async fn mark_missing(conn: Conn<'_>, site: SiteId, since: Time, now: Time, limit: u32) -> Result<u64> {
    sql!(
        "INSERT INTO stripe_dirty (site, kind, object_id, marks, source, since, not_before, tries)
         SELECT s.site, 'subscription', s.external_id, COALESCE((SELECT k.ticket FROM stripe_connection k WHERE k.site = $1), 0),
                'sweep', CAST($3 AS BIGINT), CAST($3 AS BIGINT), 0
         FROM subscription s
         WHERE s.site = $1 AND s.external_id IS NOT NULL AND s.external_id >= 'sub_' AND s.external_id < 'sub`'
           AND s.status NOT IN ('canceled', 'incomplete_expired') AND (s.synced_at IS NULL OR s.synced_at < $2)
           AND NOT EXISTS (SELECT 1 FROM stripe_dirty d
                           WHERE d.site = s.site AND d.kind = 'subscription' AND d.object_id = s.external_id)
         LIMIT $4
         ON CONFLICT (site, kind, object_id) DO NOTHING"
    )
    .bind(site)
    .bind(since)
    .bind(now)
    .bind(limit)
    .run(conn)
    .await
}

/// The same of strays.
pub(super) async fn mark_missing_strays(
    conn: Conn<'_>,
    site: SiteId,
    since: Time,
    now: Time,
    limit: u32,
) -> Result<u64> {
    sql!(
        "INSERT INTO stripe_dirty (site, kind, object_id, marks, source, since, not_before, tries)
         SELECT t.site, CASE WHEN t.id LIKE 'cs!_%' ESCAPE '!' THEN 'checkout' ELSE 'subscription' END, t.id,
                COALESCE((SELECT k.ticket FROM stripe_connection k WHERE k.site = $1), 0), 'sweep',
                CAST($3 AS BIGINT), CAST($3 AS BIGINT), 0
         FROM stripe_stray t
         WHERE t.site = $1 AND t.seen_at < $2
           AND NOT EXISTS (SELECT 1 FROM stripe_dirty d
                           WHERE d.site = t.site AND d.kind IN ('subscription', 'checkout') AND d.object_id = t.id)
         LIMIT $4
         ON CONFLICT (site, kind, object_id) DO NOTHING"
    )
    .bind(site)
    .bind(since)
    .bind(now)
    .bind(limit)
    .run(conn)
    .await
}

/// Marks some checkouts that are open here and should be over.
pub(super) async fn mark_overdue_checkouts(conn: Conn<'_>, site: SiteId, now: Time, limit: u32) -> Result<u64> {
    sql!(
        "INSERT INTO stripe_dirty (site, kind, object_id, marks, source, since, not_before, tries)
         SELECT c.site, 'checkout', c.session_id, COALESCE((SELECT k.ticket FROM stripe_connection k WHERE k.site = $1), 0), 'sweep',
                CAST($2 AS BIGINT), CAST($2 AS BIGINT), 0
         FROM checkout c
         WHERE c.site = $1 AND c.status = 'open' AND c.expires_at < $2 AND c.session_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM stripe_dirty d
                           WHERE d.site = c.site AND d.kind = 'checkout' AND d.object_id = c.session_id)
         LIMIT $3
         ON CONFLICT (site, kind, object_id) DO NOTHING"
    )
    .bind(site)
    .bind(now)
    .bind(limit)
    .run(conn)
    .await
}

/// Marks of sweeps that were not read yet, and did not fail.
pub(super) async fn waiting(conn: Conn<'_>, site: SiteId) -> Result<u64> {
    count(sql!("SELECT count(*) FROM stripe_dirty WHERE site = $1 AND source = $2 AND tries = 0"), conn, site).await
}

/// Marks of sweeps that are still there.
pub(super) async fn left(conn: Conn<'_>, site: SiteId) -> Result<u64> {
    count(sql!("SELECT count(*) FROM stripe_dirty WHERE site = $1 AND source = $2"), conn, site).await
}

async fn count(statement: usher_db::Statement, conn: Conn<'_>, site: SiteId) -> Result<u64> {
    let (n,): (i64,) = statement.bind(site).bind(SOURCE).one(conn).await?;
    Ok(u64::try_from(n).unwrap_or_default())
}
