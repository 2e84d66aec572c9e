//! The SQL of addresses that members had.

use usher_db::{Conn, Result, Value, sql, sql_both};

use crate::values::{MemberId, SiteId, Time};

/// An address that a member had.
pub struct Left<'a> {
    /// Whose it is now.
    pub member: &'a MemberId,
    /// Who had it: the same, or one that was merged into it.
    pub held_as: &'a MemberId,
    /// What it is compared by.
    pub key: &'a str,
    /// As typed.
    pub email: &'a str,
    /// When it was left.
    pub at: Time,
}

/// Writes down an address that a member has left.
pub async fn leave(conn: Conn<'_>, site: SiteId, left: Left<'_>) -> Result<u64> {
    sql!(
        "INSERT INTO former_address (site, email_key, held_as, member_id, email, is_first, left_at)
         SELECT CAST($1 AS BIGINT), $2, $3, $4, $5,
                NOT EXISTS (SELECT 1 FROM former_address WHERE site = $1 AND email_key = $2 AND held_as <> $3),
                CAST($6 AS BIGINT)
         WHERE TRUE
         ON CONFLICT (site, email_key, held_as) DO UPDATE
         SET member_id = excluded.member_id, email = excluded.email, left_at = excluded.left_at"
    )
    .bind(site)
    .bind(left.key)
    .bind(left.held_as)
    .bind(left.member)
    .bind(left.email)
    .bind(left.at)
    .run(conn)
    .await
}

/// Whose an address is that a certain member had.
pub async fn held_as(conn: Conn<'_>, site: SiteId, key: &str, member: &MemberId) -> Result<Option<MemberId>> {
    let row: Option<(MemberId,)> =
        sql!("SELECT member_id FROM former_address WHERE site = $1 AND email_key = $2 AND held_as = $3")
            .bind(site)
            .bind(key)
            .bind(member)
            .optional(conn)
            .await?;
    Ok(row.map(|(id,)| id))
}

/// The member who had an address before all others.
pub async fn first_at(conn: Conn<'_>, site: SiteId, key: &str) -> Result<Option<MemberId>> {
    let row: Option<(MemberId,)> = sql!(
        "SELECT member_id FROM former_address WHERE site = $1 AND email_key = $2 AND is_first ORDER BY left_at LIMIT 1"
    )
    .bind(site)
    .bind(key)
    .optional(conn)
    .await?;
    Ok(row.map(|(id,)| id))
}

/// The members who left addresses last that no member has now, each with the address's key.
pub async fn last_at(conn: Conn<'_>, site: SiteId, keys: Value) -> Result<Vec<(String, MemberId)>> {
    macro_rules! text {
        ($keys:literal) => {
            concat!(
                "SELECT email_key, member_id FROM former_address AS f WHERE f.site = $1 AND f.email_key ",
                $keys,
                " AND NOT EXISTS (SELECT 1 FROM member AS m WHERE m.site = $1 AND m.email_key = f.email_key
                                    AND m.merge_into IS NULL)
                  ORDER BY email_key, left_at"
            )
        };
    }
    sql_both!(sqlite: text!("IN (SELECT value FROM json_each($2))"), postgres: text!("= ANY ($2)"))
        .bind(site)
        .bind(keys)
        .all(conn)
        .await
}

/// The addresses that a member had: their keys, and as typed; the one left last comes first.
pub async fn former_of(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<Vec<(String, String)>> {
    sql!(
        "SELECT email_key, email FROM former_address WHERE site = $1 AND member_id = $2
         ORDER BY left_at DESC, email_key, held_as"
    )
    .bind(site)
    .bind(member)
    .all(conn)
    .await
}

/// Forgets that a member had an address, given by its key.
pub async fn forget_former(conn: Conn<'_>, site: SiteId, member: &MemberId, key: &str) -> Result<u64> {
    sql!("DELETE FROM former_address WHERE site = $1 AND member_id = $2 AND email_key = $3")
        .bind(site)
        .bind(member)
        .bind(key)
        .run(conn)
        .await
}

/// The addresses that members had, as typed, the one left last first.
pub async fn former_of_all(conn: Conn<'_>, site: SiteId, members: Value) -> Result<Vec<(MemberId, String)>> {
    sql_both!(
        sqlite: "SELECT member_id, email FROM former_address
                 WHERE site = $1 AND member_id IN (SELECT value FROM json_each($2))
                 ORDER BY member_id, left_at DESC, email_key",
        postgres: "SELECT member_id, email FROM former_address WHERE site = $1 AND member_id = ANY ($2)
                   ORDER BY member_id, left_at DESC, email_key",
    )
    .bind(site)
    .bind(members)
    .all(conn)
    .await
}

/// Whether any member of a site had another address.
pub async fn has_former(conn: Conn<'_>, site: SiteId) -> Result<bool> {
    let row: Option<(MemberId,)> =
        sql!("SELECT member_id FROM former_address WHERE site = $1 LIMIT 1").bind(site).optional(conn).await?;
    Ok(row.is_some())
}

/// Whether there is a member, and where its things go if a job moves them to another.
pub async fn merges_into(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<Option<Option<MemberId>>> {
    let row: Option<(Option<MemberId>,)> = sql!("SELECT merge_into FROM member WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(member)
        .optional(conn)
        .await?;
    Ok(row.map(|(into,)| into))
}
