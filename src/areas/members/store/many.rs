//! Many members at once, in the order of their ids.

use usher_db::{Conn, Result, Value, sql_both};

use crate::{
    areas::members::types::{Member, member_columns},
    values::{MemberId, SiteId},
};

/// Of these ids, those of members, with their addresses as typed.
pub async fn of_ids(conn: Conn<'_>, site: SiteId, ids: Value) -> Result<Vec<(MemberId, String)>> {
    sql_both!(
        sqlite: "SELECT id, email FROM member
                 WHERE site = $1 AND id IN (SELECT value FROM json_each($2)) ORDER BY id",
        postgres: "SELECT id, email FROM member WHERE site = $1 AND id = ANY($2) ORDER BY id",
    )
    .bind(site)
    .bind(ids)
    .all(conn)
    .await
}

/// The members of these ids.
pub async fn by_ids(conn: Conn<'_>, site: SiteId, ids: Value) -> Result<Vec<Member>> {
    macro_rules! text {
        ($ids:literal) => {
            concat!("SELECT ", member_columns!(), " FROM member m WHERE m.site = $1 AND m.id ", $ids)
        };
    }
    sql_both!(sqlite: text!("IN (SELECT value FROM json_each($2))"), postgres: text!("= ANY ($2)"))
        .bind(site)
        .bind(ids)
        .all(conn)
        .await
}

/// The members with these keys of addresses, and which is whose.
pub async fn of_keys(conn: Conn<'_>, site: SiteId, keys: Value) -> Result<Vec<(MemberId, String)>> {
    sql_both!(
        sqlite: "SELECT id, email_key FROM member
                 WHERE site = $1 AND email_key IN (SELECT value FROM json_each($2)) ORDER BY id",
        postgres: "SELECT id, email_key FROM member WHERE site = $1 AND email_key = ANY($2) ORDER BY id",
    )
    .bind(site)
    .bind(keys)
    .all(conn)
    .await
}

/// Holds members together with others who need them to stay, until the transaction ends: meanwhile nobody changes them
/// or begins to delete them. Gives those that are not being deleted.
pub async fn share_many(conn: Conn<'_>, site: SiteId, ids: &[MemberId]) -> Result<Vec<MemberId>> {
    let rows: Vec<(MemberId,)> = sql_both!(
        sqlite: "SELECT id FROM member
                 WHERE site = $1 AND id IN (SELECT value FROM json_each($2)) AND deleting_since IS NULL ORDER BY id",
        postgres: "SELECT id FROM member
                   WHERE site = $1 AND id = ANY($2) AND deleting_since IS NULL ORDER BY id FOR SHARE",
    )
    .bind(site)
    .bind(ids.iter().collect::<Value>())
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
