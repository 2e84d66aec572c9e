//! The SQL of how a member compares with Stripe.

use usher_db::{Conn, FromRow, Result, Row, sql};

use super::types::PendingView;
use crate::values::{MemberId, SiteId};

/// What speaks against what is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Doubts {
    pub(super) is_parked: bool,
    /// 2: a read fails; 1: a sweep has found something; 0: neither.
    pub(super) worst: i64,
}

impl FromRow for Doubts {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { is_parked: row.take()?, worst: row.take::<Option<i64>>()?.unwrap_or_default() })
    }
}

/// What speaks against what is known of a member's subscriptions; `None` where the site is not connected.
pub(super) async fn doubts(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<Option<Doubts>> {
    sql!(
        "SELECT c.parked_at IS NOT NULL,
                (SELECT max(CAST(CASE WHEN d.tries > 0 THEN 2 WHEN d.source = 'sweep' THEN 1 ELSE 0 END AS BIGINT))
                 FROM subscription s
                 JOIN stripe_dirty d ON d.site = s.site AND d.kind = 'subscription' AND d.object_id = s.external_id
                 WHERE s.site = c.site AND s.member_id = $2)
         FROM stripe_connection c WHERE c.site = $1"
    )
    .bind(site)
    .bind(member)
    .optional(conn)
    .await
}

/// What of a member's is to be read, the oldest first.
pub(super) async fn pending(conn: Conn<'_>, site: SiteId, member: &MemberId, limit: u32) -> Result<Vec<PendingView>> {
    sql!(
        "SELECT d.kind, d.object_id, d.source, d.event_id, d.since, d.not_before, d.tries, d.error
         FROM (SELECT 'subscription' AS kind, external_id AS object_id FROM subscription
               WHERE site = $1 AND member_id = $2 AND external_id IS NOT NULL
               UNION ALL SELECT 'checkout', session_id FROM checkout
               WHERE site = $1 AND member_id = $2 AND session_id IS NOT NULL) AS own
         JOIN stripe_dirty d ON d.site = $1 AND d.kind = own.kind AND d.object_id = own.object_id
         ORDER BY d.since, d.kind, d.object_id LIMIT $3"
    )
    .bind(site)
    .bind(member)
    .bind(limit)
    .all(conn)
    .await
}

/// Stripe's ids of a member as one who pays, newest first.
pub(in crate::areas::billing) async fn customers(
    conn: Conn<'_>,
    site: SiteId,
    member: &MemberId,
) -> Result<Vec<(String,)>> {
    sql!("SELECT id FROM stripe_customer WHERE site = $1 AND member_id = $2 ORDER BY created_at DESC, id LIMIT 100")
        .bind(site)
        .bind(member)
        .all(conn)
        .await
}
