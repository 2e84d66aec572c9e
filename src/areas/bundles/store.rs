//! The SQL of bundles.

use usher_db::{Conn, Result, Value, sql, sql_both};

use super::types::Bundle;
use crate::values::{BundleId, SiteId, VideoId, search_key};

/// Which bundles.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only public or only private ones.
    pub public: Option<bool>,
    /// The archived ones too.
    pub with_archived: bool,
    /// A pattern of LIKE with the escape `!`, for the name.
    pub pattern: Option<String>,
}

/// The bundles before an id, newest first.
pub async fn list(conn: Conn<'_>, site: SiteId, filter: &Filter, before: &str, limit: u32) -> Result<Vec<Bundle>> {
    sql!(
        "SELECT b.id, b.name, b.description, b.is_public, b.archived_at,
                (SELECT count(*) FROM bundle_video v WHERE v.site = b.site AND v.bundle_id = b.id),
                b.created_at, b.updated_at
         FROM bundle b
         WHERE b.site = $1 AND b.id < $2 AND (b.is_public = $3 OR $3 IS NULL)
           AND (b.archived_at IS NULL OR $4) AND (b.name_key LIKE $5 ESCAPE '!' OR $5 IS NULL)
         ORDER BY b.id DESC LIMIT $6"
    )
    .bind(site)
    .bind(before)
    .bind(filter.public)
    .bind(filter.with_archived)
    .bind(filter.pattern.as_deref())
    .bind(limit)
    .all(conn)
    .await
}

/// A bundle by id.
pub async fn by_id(conn: Conn<'_>, site: SiteId, id: &BundleId) -> Result<Option<Bundle>> {
    sql!(
        "SELECT b.id, b.name, b.description, b.is_public, b.archived_at,
                (SELECT count(*) FROM bundle_video v WHERE v.site = b.site AND v.bundle_id = b.id),
                b.created_at, b.updated_at
         FROM bundle b WHERE b.site = $1 AND b.id = $2"
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await
}

/// Holds the row of a bundle until the transaction ends; whether there is one.
pub async fn hold(conn: Conn<'_>, site: SiteId, id: &BundleId) -> Result<bool> {
    let row: Option<(BundleId,)> = sql_both!(
        sqlite: "SELECT id FROM bundle WHERE site = $1 AND id = $2",
        postgres: "SELECT id FROM bundle WHERE site = $1 AND id = $2 FOR UPDATE",
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await?;
    Ok(row.is_some())
}

/// Writes a new bundle.
pub async fn insert(conn: Conn<'_>, site: SiteId, bundle: &Bundle) -> Result<u64> {
    sql!(
        "INSERT INTO bundle (site, id, name, name_key, description, is_public, archived_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    )
    .bind(site)
    .bind(&bundle.id)
    .bind(&bundle.name)
    .bind(search_key(bundle.name.as_str()))
    .bind(bundle.description.as_deref())
    .bind(bundle.public)
    .bind(bundle.archived_at)
    .bind(bundle.created_at)
    .bind(bundle.updated_at)
    .run(conn)
    .await
}

/// Writes what may change of a bundle, but for its videos.
pub async fn update(conn: Conn<'_>, site: SiteId, bundle: &Bundle) -> Result<u64> {
    sql!(
        "UPDATE bundle SET name = $3, name_key = $4, description = $5, is_public = $6, archived_at = $7,
                           updated_at = $8
         WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(&bundle.id)
    .bind(&bundle.name)
    .bind(search_key(bundle.name.as_str()))
    .bind(bundle.description.as_deref())
    .bind(bundle.public)
    .bind(bundle.archived_at)
    .bind(bundle.updated_at)
    .run(conn)
    .await
}

/// Puts videos into a bundle; those that are in it stay. Gives the new ones.
pub async fn insert_videos(
    conn: Conn<'_>,
    site: SiteId,
    bundle: &BundleId,
    videos: &[VideoId],
) -> Result<Vec<(VideoId,)>> {
    sql!(
        "INSERT INTO bundle_video (site, bundle_id, video_id) VALUES ($1, $2, $3)
         ON CONFLICT (site, bundle_id, video_id) DO NOTHING RETURNING video_id"
    )
    .rows(videos.iter().map(|video| [site.into(), bundle.into(), video.into()]))
    .all(conn)
    .await
}

/// Takes videos out of a bundle; gives those that were in it.
pub async fn delete_videos(
    conn: Conn<'_>,
    site: SiteId,
    bundle: &BundleId,
    videos: &[VideoId],
) -> Result<Vec<(VideoId,)>> {
    sql_both!(
        sqlite: "DELETE FROM bundle_video
                 WHERE site = $1 AND bundle_id = $2 AND video_id IN (SELECT value FROM json_each($3))
                 RETURNING video_id",
        postgres: "DELETE FROM bundle_video WHERE site = $1 AND bundle_id = $2 AND video_id = ANY($3)
                   RETURNING video_id",
    )
    .bind(site)
    .bind(bundle)
    .bind(videos.iter().collect::<Value>())
    .all(conn)
    .await
}
