//! The SQL of uploads.

use usher_db::{Conn, Result, sql, sql_both};

use super::Upload;
use crate::values::{KeyId, SiteId, Time, UploadId};

/// Adds an upload.
pub async fn insert(conn: Conn<'_>, site: SiteId, key: &KeyId, upload: &Upload) -> Result<u64> {
    sql!(
        "INSERT INTO upload (site, id, key_id, name, bytes, sha256, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    .bind(site)
    .bind(&upload.id)
    .bind(key)
    .bind(upload.name.as_deref())
    .bind(upload.bytes)
    .bind(&upload.sha256)
    .bind(upload.created_at)
    .bind(upload.expires_at)
    .run(conn)
    .await
}

/// One upload that has not expired.
pub async fn get(conn: Conn<'_>, site: SiteId, id: &UploadId, now: Time) -> Result<Option<Upload>> {
    sql!(
        "SELECT id, bytes, sha256, name, created_at, expires_at FROM upload
         WHERE site = $1 AND id = $2 AND expires_at > $3"
    )
    .bind(site)
    .bind(id)
    .bind(now)
    .optional(conn)
    .await
}

/// Keeps an upload that has not expired at least until then; 0 if there is none.
pub async fn extend(conn: Conn<'_>, site: SiteId, id: &UploadId, now: Time, until: Time) -> Result<u64> {
    sql!(
        "UPDATE upload SET expires_at = CASE WHEN expires_at < $4 THEN CAST($4 AS BIGINT) ELSE expires_at END
         WHERE site = $1 AND id = $2 AND expires_at > $3"
    )
    .bind(site)
    .bind(id)
    .bind(now)
    .bind(until)
    .run(conn)
    .await
}

/// Keeps an upload at most until then.
pub async fn release(conn: Conn<'_>, site: SiteId, id: &UploadId, until: Time) -> Result<u64> {
    sql!("UPDATE upload SET expires_at = $3 WHERE site = $1 AND id = $2 AND expires_at > $3")
        .bind(site)
        .bind(id)
        .bind(until)
        .run(conn)
        .await
}

/// Forgets uploads of a site that have expired, at most `limit`, and gives which.
pub async fn take_expired(conn: Conn<'_>, site: SiteId, now: Time, limit: u32) -> Result<Vec<UploadId>> {
    let gone: Vec<(UploadId,)> = sql!(
        "DELETE FROM upload WHERE site = $1 AND id IN
         (SELECT id FROM upload WHERE site = $1 AND expires_at <= $2 ORDER BY id LIMIT $3) RETURNING id"
    )
    .bind(site)
    .bind(now)
    .bind(limit)
    .all(conn)
    .await?;
    Ok(gone.into_iter().map(|row| row.0).collect())
}

/// Which of these ids, a JSON array of texts, a site has rows of.
pub async fn known(conn: Conn<'_>, site: SiteId, ids: String) -> Result<Vec<String>> {
    let found: Vec<(String,)> = sql_both!(
        sqlite: "SELECT id FROM upload WHERE site = $1 AND id IN (SELECT value FROM json_each($2))",
        postgres: "SELECT id FROM upload WHERE site = $1
                   AND id IN (SELECT json_array_elements_text(CAST($2 AS JSON)))",
    )
    .bind(site)
    .bind(ids)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|row| row.0).collect())
}
