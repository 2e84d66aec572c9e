use usher_db::{Conn, Result, sql};

use crate::{
    areas::members::types::{Member, member_columns},
    values::{MemberId, SiteId, Time},
};

/// Members after an id whose key may be another by now: those with a quote or with letters that are not ASCII.
pub(super) async fn odd(conn: Conn<'_>, site: SiteId, after: &str, limit: u32) -> Result<Vec<Member>> {
    sql!(concat!(
        "SELECT ",
        member_columns!(),
        " FROM member m WHERE m.site = $1 AND m.id > $2
            AND (m.email_key LIKE '%\"%' OR octet_length(m.email_key) <> length(m.email_key))
          ORDER BY m.id LIMIT $3"
    ))
    .bind(site)
    .bind(after)
    .bind(limit)
    .all(conn)
    .await
}

/// Writes what a member is looked up and compared by.
pub(super) async fn set_key(conn: Conn<'_>, site: SiteId, member: &Member) -> Result<u64> {
    sql!("UPDATE member SET email_key = $3, twin_key = $4 WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(&member.id)
        .bind(&member.key)
        .bind(member.twin_key())
        .run(conn)
        .await
}

/// Members with a twin key, or whose key it is; the oldest first.
pub(super) async fn of_twin(conn: Conn<'_>, site: SiteId, twin: &str) -> Result<Vec<Member>> {
    sql!(concat!(
        "SELECT ",
        member_columns!(),
        " FROM member m WHERE m.site = $1 AND m.deleting_since IS NULL AND m.id IN
          (SELECT id FROM member WHERE site = $1 AND twin_key IS NOT NULL AND twin_key = $2
           UNION ALL SELECT id FROM member WHERE site = $1 AND email_key = $2)
          ORDER BY m.id"
    ))
    .bind(site)
    .bind(twin)
    .all(conn)
    .await
}

/// Where members were mailed who have another address now, and when last.
pub(super) async fn mailed(conn: Conn<'_>, site: SiteId) -> Result<Vec<(MemberId, String, Time)>> {
    sql!(
        "SELECT e.member_id, e.address, MAX(e.created_at) FROM email e JOIN member m ON m.site = e.site AND m.id = e.member_id
         WHERE e.site = $1 AND e.kind IN ('message', 'template') AND e.status <> 'blocked'
         GROUP BY e.member_id, e.address, m.email HAVING e.address <> m.email"
    )
    .bind(site)
    .all(conn)
    .await
}
