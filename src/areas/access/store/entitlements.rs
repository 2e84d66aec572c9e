//! Rights to bundles: read, given and taken.

use usher_db::{Conn, Result, Value, sql, sql_both};

use crate::{
    areas::access::types::EntitlementView,
    values::{BundleId, EntitlementId, MemberId, SiteId, Time},
};

/// What an entitlement is read from, with the orders that it was granted for: those that were not taken back first, and
/// of those the newest.
macro_rules! entitlement_where {
    ($where:literal) => {
        sql_both!(
            sqlite: concat!(
                "SELECT e.id, e.member_id, e.bundle_id, b.name, e.source, e.granted_at, e.expires_at, e.revoked_at,
                        e.direct_since, e.direct_until, e.job_id,
                        (SELECT json_group_array(json_array(o.order_id, o.granted_at, o.expires_at, o.revoked_at)) FROM (
                            SELECT order_id, granted_at, expires_at, revoked_at FROM granted_order
                            WHERE site = e.site AND member_id = e.member_id AND bundle_id = e.bundle_id
                            ORDER BY (revoked_at IS NOT NULL), granted_at DESC, order_id LIMIT 201) o)
                 FROM entitlement e JOIN bundle b ON b.site = e.site AND b.id = e.bundle_id
                 WHERE e.site = $1 AND e.member_id = $2 AND ", $where),
            postgres: concat!(
                "SELECT e.id, e.member_id, e.bundle_id, b.name, e.source, e.granted_at, e.expires_at, e.revoked_at,
                        e.direct_since, e.direct_until, e.job_id,
                        (SELECT COALESCE(json_agg(json_build_array(o.order_id, o.granted_at, o.expires_at,
                                                                   o.revoked_at)), '[]')::text FROM (
                            SELECT order_id, granted_at, expires_at, revoked_at FROM granted_order
                            WHERE site = e.site AND member_id = e.member_id AND bundle_id = e.bundle_id
                            ORDER BY (revoked_at IS NOT NULL), granted_at DESC, order_id LIMIT 201) o)
                 FROM entitlement e JOIN bundle b ON b.site = e.site AND b.id = e.bundle_id
                 WHERE e.site = $1 AND e.member_id = $2 AND ", $where),
        )
    };
}

/// A page of a member's entitlements, newest first: those whose id is less than `before`.
pub async fn entitlements(
    conn: Conn<'_>,
    site: SiteId,
    member: &MemberId,
    before: &str,
    limit: u32,
) -> Result<Vec<EntitlementView>> {
    entitlement_where!("e.id < $3 ORDER BY e.id DESC LIMIT $4")
        .bind(site)
        .bind(member)
        .bind(before)
        .bind(limit)
        .all(conn)
        .await
}

/// A member's entitlement to a bundle.
pub async fn entitlement(
    conn: Conn<'_>,
    site: SiteId,
    member: &MemberId,
    bundle: &BundleId,
) -> Result<Option<EntitlementView>> {
    entitlement_where!("e.bundle_id = $3").bind(site).bind(member).bind(bundle).optional(conn).await
}

/// What a bundle is granted with.
pub struct Terms<'a> {
    pub bundle: &'a BundleId,
    /// Who grants it; what was said before stays if nothing is said.
    pub source: Option<&'a str>,
    /// Whether an order holds it, which is noted elsewhere; else the grant itself does.
    pub for_order: bool,
    pub expires_at: Option<Time>,
    /// The job that grants it, if one does.
    pub job: Option<&'a str>,
    pub now: Time,
}

/// Gives members a bundle: revives what was revoked, and lengthens what would end earlier. Gives how many got more.
pub async fn grant_bundle(
    conn: Conn<'_>,
    site: SiteId,
    members: impl IntoIterator<Item = (&MemberId, EntitlementId)>,
    terms: &Terms<'_>,
) -> Result<u64> {
    let Terms { bundle, source, for_order, expires_at, job, now } = *terms;
    let (direct_since, direct_until) = if for_order { (None, None) } else { (Some(now), expires_at) };
    sql!(
        "INSERT INTO entitlement (site, id, member_id, bundle_id, source, granted_at, expires_at, direct_since,
                                  direct_until, created_at, updated_at, job_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (site, member_id, bundle_id) DO UPDATE SET
             granted_at = CASE WHEN entitlement.revoked_at IS NULL
                                AND (entitlement.expires_at IS NULL OR entitlement.expires_at > excluded.granted_at)
                          THEN entitlement.granted_at ELSE excluded.granted_at END,
             source = COALESCE(excluded.source, entitlement.source), job_id = excluded.job_id,
             expires_at = excluded.expires_at, revoked_at = NULL, updated_at = excluded.updated_at,
             direct_since = CASE WHEN excluded.direct_since IS NULL
                                   OR entitlement.revoked_at IS NULL AND entitlement.direct_until > excluded.direct_since
                            THEN entitlement.direct_since ELSE excluded.direct_since END,
             direct_until = CASE WHEN excluded.direct_since IS NULL
                            THEN entitlement.direct_until ELSE excluded.direct_until END
         WHERE entitlement.revoked_at IS NOT NULL
            OR entitlement.expires_at < COALESCE(excluded.expires_at, 9223372036854775807)"
    )
    .rows(members.into_iter().map(|(member, id)| {
        [
            site.into(),
            (&id).into(),
            member.into(),
            bundle.into(),
            source.into(),
            now.into(),
            expires_at.into(),
            direct_since.into(),
            direct_until.into(),
            now.into(),
            now.into(),
            job.into(),
        ]
    }))
    .run(conn)
    .await
}

/// Of members that own a bundle for as long already, notes that a grant without an order holds it too.
pub async fn hold_directly(
    conn: Conn<'_>,
    site: SiteId,
    members: Value,
    bundle: &BundleId,
    until: Option<Time>,
    now: Time,
) -> Result<u64> {
    sql_both!(
        sqlite: "UPDATE entitlement SET direct_until = $4, updated_at = max(updated_at, $5),
                        direct_since = iif(direct_until > $5, direct_since, $5)
                 WHERE site = $1 AND member_id IN (SELECT value FROM json_each($2)) AND bundle_id = $3
                   AND revoked_at IS NULL
                   AND (direct_since IS NULL OR direct_until < COALESCE($4, 9223372036854775807))",
        postgres: "UPDATE entitlement SET direct_until = $4, updated_at = greatest(updated_at, $5),
                          direct_since = CASE WHEN direct_until > $5 THEN direct_since ELSE $5 END
                   WHERE site = $1 AND member_id = ANY($2) AND bundle_id = $3 AND revoked_at IS NULL
                     AND (direct_since IS NULL OR direct_until < COALESCE($4, 9223372036854775807))",
    )
    .bind(site)
    .bind(members)
    .bind(bundle)
    .bind(until)
    .bind(now)
    .run(conn)
    .await
}

/// Takes a bundle from members, whatever holds it; gives how many had it, and not yet lost it.
pub async fn revoke_bundle(conn: Conn<'_>, site: SiteId, members: Value, bundle: &BundleId, now: Time) -> Result<u64> {
    sql_both!(
        sqlite: "UPDATE entitlement SET revoked_at = $4, direct_since = NULL, direct_until = NULL, updated_at = $4
                 WHERE site = $1 AND member_id IN (SELECT value FROM json_each($2)) AND bundle_id = $3
                   AND revoked_at IS NULL",
        postgres: "UPDATE entitlement SET revoked_at = $4, direct_since = NULL, direct_until = NULL, updated_at = $4
                   WHERE site = $1 AND member_id = ANY($2) AND bundle_id = $3 AND revoked_at IS NULL",
    )
    .bind(site)
    .bind(members)
    .bind(bundle)
    .bind(now)
    .run(conn)
    .await
}
