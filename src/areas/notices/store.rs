//! The SQL of whom a site listens to.

use usher_db::{Conn, Result, sql};

use super::{Provider, Source};
use crate::values::{SiteId, Time};

/// Whom a site listens to.
pub async fn sources(conn: Conn<'_>, site: SiteId) -> Result<Vec<Source>> {
    sql!("SELECT provider, id, proof, base, heard_at FROM notice_source WHERE site = $1 ORDER BY provider, id")
        .bind(site)
        .all(conn)
        .await
}

/// Adds one, or writes what is new of it.
pub async fn insert(conn: Conn<'_>, site: SiteId, source: &Source, now: Time) -> Result<u64> {
    sql!(
        "INSERT INTO notice_source (site, provider, id, proof, base, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (site, provider, id) DO UPDATE SET proof = excluded.proof, base = excluded.base"
    )
    .bind(site)
    .bind(source.provider.code())
    .bind(&source.id)
    .bind(source.proof.as_deref())
    .bind(source.base.as_deref())
    .bind(now)
    .run(conn)
    .await
}

/// Takes one away.
pub async fn delete(conn: Conn<'_>, site: SiteId, provider: Provider, id: &str) -> Result<u64> {
    sql!("DELETE FROM notice_source WHERE site = $1 AND provider = $2 AND id = $3")
        .bind(site)
        .bind(provider.code())
        .bind(id)
        .run(conn)
        .await
}

/// Notes that a provider was heard of, unless that was noted since `since`.
pub(super) async fn heard(conn: Conn<'_>, site: SiteId, provider: Provider, since: Time, now: Time) -> Result<u64> {
    sql!(
        "UPDATE notice_source SET heard_at = $4
         WHERE site = $1 AND provider = $2 AND (heard_at < $3 OR heard_at IS NULL)"
    )
    .bind(site)
    .bind(provider.code())
    .bind(since)
    .bind(now)
    .run(conn)
    .await
}
