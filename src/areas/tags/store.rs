//! The SQL of tags, which stand with their members.

use usher_db::{Conn, Result, sql};

use crate::values::{SiteId, Tag};

/// A text after every tag.
const LAST: char = char::MAX;

/// The tags after `after` that begin with `prefix`, each with the number of members that have it, by name.
pub async fn list(conn: Conn<'_>, site: SiteId, prefix: &str, after: &str, limit: u32) -> Result<Vec<(Tag, i64)>> {
    sql!(
        "SELECT tag, count(*) FROM member_tag WHERE site = $1 AND tag > $2 AND tag >= $3 AND tag < $4
         GROUP BY tag ORDER BY tag LIMIT $5"
    )
    .bind(site)
    .bind(after)
    .bind(prefix)
    .bind(format!("{prefix}{LAST}"))
    .bind(limit)
    .all(conn)
    .await
}
