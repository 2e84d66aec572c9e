//! The SQL of members. A tag has no comma, so tags can be read as one text.

mod fill;
mod former;
mod import;
mod list;
mod many;
pub mod words;

pub use fill::fill_words;
pub use former::{
    Left, first_at, forget_former, former_of, former_of_all, has_former, held_as, last_at, leave, merges_into,
};
pub use import::{
    bundle_names, by_emails, external_ids, forget_refusals, grant_for_life, group_names, group_names_of, hold_all,
    insert_many_tags, insert_places, insert_refusals, owned_for_life, places_of, refusals, update_all,
};
pub use list::{
    FEW, Filter, Path, Place, count, few_of_group, few_of_status, few_of_tag, few_of_time, few_updated,
    list_by_creation, list_by_key,
};
pub use many::{by_ids, of_ids, of_keys, share_many};
use usher_db::{Conn, Result, Value, sql, sql_both};

use super::{
    metadata::Metadata,
    types::{Member, member_columns},
    words::Words,
};
use crate::values::{Email, MemberId, SiteId, Tag};

/// A member by id.
pub async fn by_id(conn: Conn<'_>, site: SiteId, id: &MemberId) -> Result<Option<Member>> {
    sql!(concat!("SELECT ", member_columns!(), " FROM member m WHERE m.site = $1 AND m.id = $2"))
        .bind(site)
        .bind(id)
        .optional(conn)
        .await
}

/// A member by address.
pub async fn by_email(conn: Conn<'_>, site: SiteId, email: &Email) -> Result<Option<Member>> {
    sql!(concat!("SELECT ", member_columns!(), " FROM member m WHERE m.site = $1 AND m.email_key = $2"))
        .bind(site)
        .bind(email.key())
        .optional(conn)
        .await
}

/// The id of the member with an address.
pub async fn id_of(conn: Conn<'_>, site: SiteId, email: &Email) -> Result<Option<MemberId>> {
    let row: Option<(MemberId,)> = sql!("SELECT id FROM member WHERE site = $1 AND email_key = $2")
        .bind(site)
        .bind(email.key())
        .optional(conn)
        .await?;
    Ok(row.map(|(id,)| id))
}

/// A member by its external id.
pub async fn by_external_id(conn: Conn<'_>, site: SiteId, external_id: &str) -> Result<Option<Member>> {
    sql!(concat!("SELECT ", member_columns!(), " FROM member m WHERE m.site = $1 AND m.external_id = $2"))
        .bind(site)
        .bind(external_id)
        .optional(conn)
        .await
}

/// Takes the external id from a member, so that another may have it.
pub async fn release_external_id(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<u64> {
    sql!("UPDATE member SET external_id = NULL WHERE site = $1 AND id = $2").bind(site).bind(member).run(conn).await
}

/// Holds the row of a member by id until the transaction ends. A transaction of SQLite holds everything anyway.
pub async fn hold(conn: Conn<'_>, site: SiteId, id: &MemberId) -> Result<Option<MemberId>> {
    let row: Option<(MemberId,)> = sql_both!(
        sqlite: "SELECT id FROM member WHERE site = $1 AND id = $2",
        postgres: "SELECT id FROM member WHERE site = $1 AND id = $2 FOR UPDATE",
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await?;
    Ok(row.map(|(id,)| id))
}

/// The same by address.
pub async fn hold_by_email(conn: Conn<'_>, site: SiteId, email: &Email) -> Result<Option<MemberId>> {
    let row: Option<(MemberId,)> = sql_both!(
        sqlite: "SELECT id FROM member WHERE site = $1 AND email_key = $2",
        postgres: "SELECT id FROM member WHERE site = $1 AND email_key = $2 FOR UPDATE",
    )
    .bind(site)
    .bind(email.key())
    .optional(conn)
    .await?;
    Ok(row.map(|(id,)| id))
}

/// Writes new members, at most 2,000 at once, without their tags; gives how many. One whose address is a member's
/// already is left out, also when another transaction makes that member at the same moment; then no member is found by
/// its words, and the caller has to undo what was written.
pub async fn insert(mut conn: Conn<'_>, site: SiteId, members: impl IntoIterator<Item = &Member>) -> Result<u64> {
    let members: Vec<(&Member, Words)> = members.into_iter().map(|member| (member, member.words())).collect();
    let n = sql!(
        "INSERT INTO member (site, id, email, email_key, name, name_key, note, status, free_since, free_until,
                             created_at, updated_at, twin_key, external_id, metadata, words)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (site, email_key) DO NOTHING"
    )
    .rows(members.iter().map(|(member, words)| values(site, member, words)))
    .run(conn.again())
    .await?;
    if n == members.len() as u64 {
        words::insert(conn, site, members.iter().map(|(member, words)| (&member.id, words))).await?;
    }
    Ok(n)
}

fn values(site: SiteId, member: &Member, words: &Words) -> [Value; 16] {
    [
        site.into(),
        (&member.id).into(),
        (&member.email).into(),
        (&member.key).into(),
        member.name.as_deref().into(),
        member.name_key().into(),
        member.note.as_deref().into(),
        member.status.as_str().into(),
        member.free_access.map(|free| free.since).into(),
        member.free_access.and_then(|free| free.expires_at).into(),
        member.created_at.into(),
        member.updated_at.into(),
        member.twin_key().into(),
        member.external_id.as_deref().into(),
        member.metadata.as_ref().and_then(Metadata::to_store).into(),
        (&words.text).into(),
    ]
}

/// Writes what may change of a member that was like `before`, but for the tags.
pub async fn update(mut conn: Conn<'_>, site: SiteId, before: &Member, member: &Member) -> Result<u64> {
    let words = member.words();
    let n = sql!(
        "UPDATE member SET email = $3, email_key = $4, name = $5, name_key = $6, note = $7, updated_at = $8,
                twin_key = $9, external_id = $10, metadata = $11, words = $12
         WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(&member.id)
    .bind(&member.email)
    .bind(&member.key)
    .bind(member.name.as_deref())
    .bind(member.name_key())
    .bind(member.note.as_deref())
    .bind(member.updated_at)
    .bind(member.twin_key())
    .bind(member.external_id.as_deref())
    .bind(member.metadata.as_ref().and_then(Metadata::to_store))
    .bind(&words.text)
    .run(conn.again())
    .await?;
    reword(conn, site, before, member).await?;
    Ok(n)
}

/// Writes what is different between the words of a member as it was and as it is.
pub async fn reword(conn: Conn<'_>, site: SiteId, before: &Member, after: &Member) -> Result<()> {
    if (&before.email, &before.name) == (&after.email, &after.name) {
        return Ok(());
    }
    words::replace(conn, site, &[(&after.id, before.words(), after.words())]).await
}

/// Gives members tags that they do not have.
pub async fn insert_tags(
    conn: Conn<'_>,
    site: SiteId,
    tags: impl IntoIterator<Item = (&MemberId, &Tag)>,
) -> Result<u64> {
    sql!("INSERT INTO member_tag (site, member_id, tag) VALUES ($1, $2, $3)")
        .rows(tags.into_iter().map(|(member, tag)| [site.into(), member.into(), tag.into()]))
        .run(conn)
        .await
}

/// Takes tags from a member.
pub async fn delete_tags(conn: Conn<'_>, site: SiteId, member: &MemberId, tags: &[&Tag]) -> Result<u64> {
    let joined: String = tags.iter().flat_map(|tag| [tag.as_str(), ","]).collect();
    // A tag has neither a comma nor a sign that LIKE knows.
    sql!("DELETE FROM member_tag WHERE site = $1 AND member_id = $2 AND $3 LIKE '%,' || tag || ',%'")
        .bind(site)
        .bind(member)
        .bind(format!(",{joined}"))
        .run(conn)
        .await
}
