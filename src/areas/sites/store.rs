//! The SQL of sites.

use usher_db::{Conn, Result, sql};

use super::{Settings, Site};
use crate::values::{SiteId, Time};

/// Every site, in the order they were made.
pub async fn all(conn: Conn<'_>) -> Result<Vec<Site>> {
    sql!("SELECT id, name, domain, live, settings, revision, created_at FROM site ORDER BY id").all(conn).await
}

/// One site.
pub async fn get(conn: Conn<'_>, site: SiteId) -> Result<Option<Site>> {
    sql!("SELECT id, name, domain, live, settings, revision, created_at FROM site WHERE id = $1")
        .bind(site)
        .optional(conn)
        .await
}

/// The site of a host name.
pub async fn by_domain(conn: Conn<'_>, domain: &str) -> Result<Option<SiteId>> {
    let found: Option<(SiteId,)> = sql!("SELECT id FROM site WHERE domain = $1").bind(domain).optional(conn).await?;
    Ok(found.map(|row| row.0))
}

/// Adds a site with the next number.
pub async fn insert(conn: Conn<'_>, name: &str, domain: Option<&str>, live: bool, now: Time) -> Result<Site> {
    sql!(
        "INSERT INTO site (id, name, domain, live, settings, revision, created_at)
         SELECT COALESCE(max(id), 0) + 1, $1, $2, $3, '{}', 1, $4 FROM site
         RETURNING id, name, domain, live, settings, revision, created_at"
    )
    .bind(name)
    .bind(domain)
    .bind(live)
    .bind(now)
    .one(conn)
    .await
}

/// Writes what can be changed of a site.
pub async fn update(
    conn: Conn<'_>,
    site: SiteId,
    name: &str,
    domain: Option<&str>,
    settings: &Settings,
) -> Result<u64> {
    sql!("UPDATE site SET name = $2, domain = $3, settings = $4, revision = revision + 1 WHERE id = $1")
        .bind(site)
        .bind(name)
        .bind(domain)
        .bind(serde_json::to_string(settings).expect("settings are JSON"))
        .run(conn)
        .await
}

/// Says that a key of the site has changed.
pub async fn touch(conn: Conn<'_>, site: SiteId) -> Result<u64> {
    sql!("UPDATE site SET revision = revision + 1 WHERE id = $1").bind(site).run(conn).await
}

/// How a site stands.
pub async fn revision(conn: Conn<'_>, site: SiteId) -> Result<Option<i64>> {
    let row: Option<(i64,)> = sql!("SELECT revision FROM site WHERE id = $1").bind(site).optional(conn).await?;
    Ok(row.map(|row| row.0))
}
