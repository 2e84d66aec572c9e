//! The SQL of orders, and of what is left of an entitlement when one is gone.

use usher_db::{Conn, Result, Value, sql, sql_both};

use crate::values::{BundleId, MemberId, SiteId, Time};

/// What an order was granted for.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Whose.
    pub member: MemberId,
    /// For what.
    pub bundle: BundleId,
    /// It holds the bundle until then; `None` for life.
    pub expires_at: Option<Time>,
    /// When it was taken back.
    pub revoked_at: Option<Time>,
}

/// Notes that an order is granted; `false` if it was before, also by a call of the same moment.
pub async fn insert(conn: Conn<'_>, site: SiteId, id: &str, order: &Order, now: Time) -> Result<bool> {
    let n = sql!(
        "INSERT INTO granted_order (site, order_id, member_id, bundle_id, granted_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (site, order_id) DO NOTHING"
    )
    .bind(site)
    .bind(id)
    .bind(&order.member)
    .bind(&order.bundle)
    .bind(now)
    .bind(order.expires_at)
    .run(conn)
    .await?;
    Ok(n == 1)
}

/// Whom an order was granted to, and for what.
pub async fn find(conn: Conn<'_>, site: SiteId, id: &str) -> Result<Option<Order>> {
    let row: Option<(MemberId, BundleId, Option<Time>, Option<Time>)> = sql!(
        "SELECT member_id, bundle_id, expires_at, revoked_at FROM granted_order WHERE site = $1 AND order_id = $2"
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await?;
    Ok(row.map(|(member, bundle, expires_at, revoked_at)| Order { member, bundle, expires_at, revoked_at }))
}

/// Orders of a member, at most `limit`.
pub async fn of_member(conn: Conn<'_>, site: SiteId, member: &MemberId, limit: u32) -> Result<Vec<String>> {
    let rows: Vec<(String,)> =
        sql!("SELECT order_id FROM granted_order WHERE site = $1 AND member_id = $2 ORDER BY order_id LIMIT $3")
            .bind(site)
            .bind(member)
            .bind(limit)
            .all(conn)
            .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Deletes orders.
pub async fn delete(conn: Conn<'_>, site: SiteId, orders: Value) -> Result<u64> {
    sql_both!(
        sqlite: "DELETE FROM granted_order WHERE site = $1 AND order_id IN (SELECT value FROM json_each($2))",
        postgres: "DELETE FROM granted_order WHERE site = $1 AND order_id = ANY($2)",
    )
    .bind(site)
    .bind(orders)
    .run(conn)
    .await
}

/// Keeps what is left of orders that are deleted.
pub async fn keep_hashes(conn: Conn<'_>, site: SiteId, hashes: Value) -> Result<u64> {
    sql_both!(
        sqlite: "INSERT INTO spent_order (site, hash) SELECT $1, value FROM json_each($2) WHERE true
                 ON CONFLICT (site, hash) DO NOTHING",
        postgres: "INSERT INTO spent_order (site, hash) SELECT $1, unnest($2::text[]) ON CONFLICT (site, hash) DO NOTHING",
    )
    .bind(site)
    .bind(hashes)
    .run(conn)
    .await
}

/// Whether an order of this hash was deleted.
pub async fn is_spent(conn: Conn<'_>, site: SiteId, hash: &str) -> Result<bool> {
    let row: Option<(i64,)> =
        sql!("SELECT site FROM spent_order WHERE site = $1 AND hash = $2").bind(site).bind(hash).optional(conn).await?;
    Ok(row.is_some())
}

/// Notes that an order is taken back; `false` if it was before.
pub async fn take_back(conn: Conn<'_>, site: SiteId, id: &str, now: Time) -> Result<bool> {
    let n = sql!("UPDATE granted_order SET revoked_at = $3 WHERE site = $1 AND order_id = $2 AND revoked_at IS NULL")
        .bind(site)
        .bind(id)
        .bind(now)
        .run(conn)
        .await?;
    Ok(n == 1)
}

/// The same for every order that members have for a bundle.
pub async fn revoke(conn: Conn<'_>, site: SiteId, members: Value, bundle: &BundleId, now: Time) -> Result<u64> {
    sql_both!(
        sqlite: "UPDATE granted_order SET revoked_at = $4
                 WHERE site = $1 AND member_id IN (SELECT value FROM json_each($2)) AND bundle_id = $3
                   AND revoked_at IS NULL",
        postgres: "UPDATE granted_order SET revoked_at = $4
                   WHERE site = $1 AND member_id = ANY($2) AND bundle_id = $3 AND revoked_at IS NULL",
    )
    .bind(site)
    .bind(members)
    .bind(bundle)
    .bind(now)
    .run(conn)
    .await
}

/// Makes an entitlement that was not revoked end with what still holds it; revokes it if nothing does. Its member is held.
pub async fn settle(conn: Conn<'_>, site: SiteId, member: &MemberId, bundle: &BundleId, now: Time) -> Result<()> {
    sql!(
        "WITH holder AS (
             SELECT COALESCE(expires_at, 9223372036854775807) AS until FROM granted_order
             WHERE site = $1 AND member_id = $2 AND bundle_id = $3 AND revoked_at IS NULL
             UNION ALL SELECT COALESCE(direct_until, 9223372036854775807) FROM entitlement
             WHERE site = $1 AND member_id = $2 AND bundle_id = $3 AND direct_since IS NOT NULL),
         rest AS (SELECT max(until) AS until FROM holder WHERE until > $4)
         UPDATE entitlement SET
             expires_at = CASE WHEN (SELECT until FROM rest) IS NULL THEN expires_at
                               ELSE NULLIF((SELECT until FROM rest), 9223372036854775807) END,
             revoked_at = CASE WHEN (SELECT until FROM rest) IS NULL THEN $4 END,
             direct_since = CASE WHEN (SELECT until FROM rest) IS NOT NULL THEN direct_since END,
             direct_until = CASE WHEN (SELECT until FROM rest) IS NOT NULL THEN direct_until END,
             updated_at = $4
         WHERE site = $1 AND member_id = $2 AND bundle_id = $3 AND revoked_at IS NULL"
    )
    .bind(site)
    .bind(member)
    .bind(bundle)
    .bind(now)
    .run(conn)
    .await?;
    Ok(())
}
