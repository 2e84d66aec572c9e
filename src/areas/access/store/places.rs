//! The members of a group to whom something is given.

use usher_db::{Conn, Result, Value, sql, sql_both};

use crate::values::{GroupId, MemberId, SiteId};

/// The next members of a group after an id, in the order of their ids, those that are being deleted included.
pub async fn places_after(
    conn: Conn<'_>,
    site: SiteId,
    group: &GroupId,
    after: &str,
    limit: usize,
) -> Result<Vec<MemberId>> {
    let rows: Vec<(MemberId,)> = sql!(
        "SELECT member_id FROM group_place WHERE site = $1 AND group_id = $2 AND member_id > $3
         ORDER BY member_id LIMIT $4"
    )
    .bind(site)
    .bind(group)
    .bind(after)
    .bind(limit as i64)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Of these members, those that are not being deleted; nobody else changes them until the transaction ends.
pub async fn hold(conn: Conn<'_>, site: SiteId, members: Value) -> Result<Vec<MemberId>> {
    let rows: Vec<(MemberId,)> = sql_both!(
        sqlite: "SELECT id FROM member
                 WHERE site = $1 AND id IN (SELECT value FROM json_each($2)) AND deleting_since IS NULL ORDER BY id",
        postgres: "SELECT id FROM member WHERE site = $1 AND id = ANY($2) AND deleting_since IS NULL
                   ORDER BY id FOR UPDATE",
    )
    .bind(site)
    .bind(members)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
