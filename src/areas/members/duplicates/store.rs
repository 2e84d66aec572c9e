use usher_db::{Conn, Result, sql};

use crate::{
    areas::members::types::{Member, member_columns},
    values::SiteId,
};

/// The next addresses that several members' come to, after a key.
pub async fn twin_keys(conn: Conn<'_>, site: SiteId, after: &str, limit: u32) -> Result<Vec<(String,)>> {
    sql!(
        "SELECT twin_key FROM member
         WHERE site = $1 AND twin_key IS NOT NULL AND twin_key > $2 AND deleting_since IS NULL
         GROUP BY twin_key
         HAVING count(*) > 1
             OR EXISTS (SELECT 1 FROM member AS m WHERE m.site = $1 AND m.email_key = member.twin_key
                          AND m.deleting_since IS NULL)
         ORDER BY twin_key LIMIT $3"
    )
    .bind(site)
    .bind(after)
    .bind(limit)
    .all(conn)
    .await
}

/// The next names that several members have, after a key.
pub async fn names(conn: Conn<'_>, site: SiteId, after: &str, limit: u32) -> Result<Vec<(String,)>> {
    sql!(
        "SELECT name_key FROM member WHERE site = $1 AND name_key > $2
         GROUP BY name_key HAVING count(*) > 1 ORDER BY name_key LIMIT $3"
    )
    .bind(site)
    .bind(after)
    .bind(limit)
    .all(conn)
    .await
}

/// The members whose address comes to a key.
pub async fn twins(conn: Conn<'_>, site: SiteId, key: &str, limit: u32) -> Result<Vec<Member>> {
    sql!(concat!(
        "SELECT ",
        member_columns!(),
        " FROM member m WHERE m.site = $1 AND m.deleting_since IS NULL AND m.id IN
          (SELECT id FROM member WHERE site = $1 AND twin_key IS NOT NULL AND twin_key = $2
           UNION ALL SELECT id FROM member WHERE site = $1 AND email_key = $2)
          ORDER BY m.id LIMIT $3"
    ))
    .bind(site)
    .bind(key)
    .bind(limit)
    .all(conn)
    .await
}

/// The members with a name.
pub async fn namesakes(conn: Conn<'_>, site: SiteId, key: &str, limit: u32) -> Result<Vec<Member>> {
    sql!(concat!(
        "SELECT ",
        member_columns!(),
        " FROM member m WHERE m.site = $1 AND m.name_key = $2 AND m.deleting_since IS NULL ORDER BY m.id LIMIT $3"
    ))
    .bind(site)
    .bind(key)
    .bind(limit)
    .all(conn)
    .await
}
