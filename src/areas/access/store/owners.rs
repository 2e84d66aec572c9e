//! Who owns a bundle.

use usher_db::{Conn, Result, sql};

use crate::{
    areas::{
        access::types::{BundleOwner, EntitlementState},
        members::member_columns,
    },
    values::{BundleId, SiteId, Time},
};

/// The members after an id who have an entitlement to a bundle, in the order of their ids; only those whose entitlement
/// stands so now, if that is asked for.
pub async fn owners(
    conn: Conn<'_>,
    site: SiteId,
    bundle: &BundleId,
    (state, now): (Option<EntitlementState>, Time),
    after: &str,
    limit: u32,
) -> Result<Vec<BundleOwner>> {
    sql!(concat!(
        "SELECT e.id, e.source, e.granted_at, e.expires_at, e.revoked_at, ",
        member_columns!(),
        " FROM entitlement e CROSS JOIN member m
         WHERE e.site = $1 AND e.bundle_id = $2 AND e.member_id > $3 AND m.site = $1 AND m.id = e.member_id AND m.id > $3
           AND (CASE WHEN e.revoked_at IS NOT NULL THEN 'revoked' WHEN e.expires_at <= $5 THEN 'expired' ELSE 'active' END = $4
                OR $4 IS NULL)
         ORDER BY e.member_id LIMIT $6"
    ))
    .bind(site)
    .bind(bundle)
    .bind(after)
    .bind(state.map(EntitlementState::as_str))
    .bind(now)
    .bind(limit)
    .all(conn)
    .await
}
