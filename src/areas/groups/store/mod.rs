//! The SQL of groups. A group that is being deleted is none: only what deletes it sees it.

mod places;

pub use places::{
    Fitting, count, count_fitting, delete_place_range, delete_places, fitting, insert_places, list_members,
    members_after, place_range,
};
use usher_db::{Conn, Result, sql, sql_both};

use super::types::Group;
use crate::values::{GroupId, JobId, MemberId, SiteId, Time, search_key};

/// What [`Group`] is read from, of a table `g`.
macro_rules! group_columns {
    () => {
        "g.id, g.name, g.description,
         (SELECT count(*) FROM group_place p WHERE p.site = g.site AND p.group_id = g.id), g.created_at, g.updated_at"
    };
}

/// Which groups.
#[derive(Debug, Default)]
pub struct Filter {
    /// A pattern of LIKE with the escape `!`, for the name.
    pub pattern: Option<String>,
    /// Only those that this member is in.
    pub member: Option<MemberId>,
}

/// The groups before an id, newest first.
pub async fn list(conn: Conn<'_>, site: SiteId, filter: &Filter, before: &str, limit: u32) -> Result<Vec<Group>> {
    sql!(concat!(
        "SELECT ",
        group_columns!(),
        " FROM member_group g
         WHERE g.site = $1 AND g.id < $2 AND g.deleting_since IS NULL AND (g.name_key LIKE $3 ESCAPE '!' OR $3 IS NULL)
           AND (EXISTS (SELECT 1 FROM group_place m
                        WHERE m.site = g.site AND m.group_id = g.id AND m.member_id = $4) OR $4 IS NULL)
         ORDER BY g.id DESC LIMIT $5"
    ))
    .bind(site)
    .bind(before)
    .bind(filter.pattern.as_deref())
    .bind(filter.member.as_ref().map(MemberId::as_str))
    .bind(limit)
    .all(conn)
    .await
}

/// A group by id.
pub async fn by_id(conn: Conn<'_>, site: SiteId, id: &GroupId) -> Result<Option<Group>> {
    sql!(concat!(
        "SELECT ",
        group_columns!(),
        " FROM member_group g WHERE g.site = $1 AND g.id = $2 AND g.deleting_since IS NULL"
    ))
    .bind(site)
    .bind(id)
    .optional(conn)
    .await
}

/// Whether there is such a group.
pub async fn exists(conn: Conn<'_>, site: SiteId, id: &GroupId) -> Result<bool> {
    let row: Option<(GroupId,)> =
        sql!("SELECT id FROM member_group WHERE site = $1 AND id = $2 AND deleting_since IS NULL")
            .bind(site)
            .bind(id)
            .optional(conn)
            .await?;
    Ok(row.is_some())
}

/// The group with a name.
pub async fn id_of(conn: Conn<'_>, site: SiteId, name: &str) -> Result<Option<GroupId>> {
    let row: Option<(GroupId,)> =
        sql!("SELECT id FROM member_group WHERE site = $1 AND name_key = $2 AND deleting_since IS NULL")
            .bind(site)
            .bind(search_key(name))
            .optional(conn)
            .await?;
    Ok(row.map(|(id,)| id))
}

/// Holds a group alone until the transaction ends: nobody changes it, and nobody comes or goes. Whether there is one.
pub async fn hold(conn: Conn<'_>, site: SiteId, id: &GroupId) -> Result<bool> {
    let row: Option<(GroupId,)> = sql_both!(
        sqlite: "SELECT id FROM member_group WHERE site = $1 AND id = $2 AND deleting_since IS NULL",
        postgres: "SELECT id FROM member_group WHERE site = $1 AND id = $2 AND deleting_since IS NULL FOR UPDATE",
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await?;
    Ok(row.is_some())
}

/// The last job that gave access to a group's members, or took it.
pub async fn access_job(conn: Conn<'_>, site: SiteId, id: &GroupId) -> Result<Option<JobId>> {
    let row: Option<(Option<JobId>,)> = sql!("SELECT access_job FROM member_group WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(id)
        .optional(conn)
        .await?;
    Ok(row.and_then(|(job,)| job))
}

/// Notes which job gives access to a group's members, or takes it.
pub async fn set_access_job(conn: Conn<'_>, site: SiteId, id: &GroupId, job: &str) -> Result<u64> {
    sql!("UPDATE member_group SET access_job = $3 WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(id)
        .bind(job)
        .run(conn)
        .await
}

/// Holds a group together with others that put members into it: it stays until the transaction ends. Whether there is
/// one.
pub async fn share(conn: Conn<'_>, site: SiteId, id: &GroupId) -> Result<bool> {
    let row: Option<(GroupId,)> = sql_both!(
        sqlite: "SELECT id FROM member_group WHERE site = $1 AND id = $2 AND deleting_since IS NULL",
        postgres: "SELECT id FROM member_group WHERE site = $1 AND id = $2 AND deleting_since IS NULL FOR SHARE",
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await?;
    Ok(row.is_some())
}

/// Writes a new group; `false` if another has its name.
pub async fn insert(conn: Conn<'_>, site: SiteId, group: &Group) -> Result<bool> {
    let n = sql!(
        "INSERT INTO member_group (site, id, name, name_key, description, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (site, name_key) WHERE deleting_since IS NULL DO NOTHING"
    )
    .bind(site)
    .bind(&group.id)
    .bind(&group.name)
    .bind(search_key(group.name.as_str()))
    .bind(group.description.as_deref())
    .bind(group.created_at)
    .bind(group.updated_at)
    .run(conn)
    .await?;
    Ok(n == 1)
}

/// Writes what may change of a group.
pub async fn update(conn: Conn<'_>, site: SiteId, group: &Group) -> Result<u64> {
    sql!(
        "UPDATE member_group SET name = $3, name_key = $4, description = $5, updated_at = $6
         WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(&group.id)
    .bind(&group.name)
    .bind(search_key(group.name.as_str()))
    .bind(group.description.as_deref())
    .bind(group.updated_at)
    .run(conn)
    .await
}

/// Makes a group one that is being deleted.
pub async fn mark_deleting(conn: Conn<'_>, site: SiteId, id: &GroupId, now: Time) -> Result<u64> {
    sql!("UPDATE member_group SET deleting_since = $3 WHERE site = $1 AND id = $2 AND deleting_since IS NULL")
        .bind(site)
        .bind(id)
        .bind(now)
        .run(conn)
        .await
}

/// A group that is being deleted.
pub async fn deleting(conn: Conn<'_>, site: SiteId, id: &GroupId) -> Result<Option<Group>> {
    sql!(concat!(
        "SELECT ",
        group_columns!(),
        " FROM member_group g WHERE g.site = $1 AND g.id = $2 AND g.deleting_since IS NOT NULL"
    ))
    .bind(site)
    .bind(id)
    .optional(conn)
    .await
}

/// Deletes the row of a group that is being deleted and has no places any more.
pub async fn delete(conn: Conn<'_>, site: SiteId, id: &GroupId) -> Result<u64> {
    sql!("DELETE FROM member_group WHERE site = $1 AND id = $2 AND deleting_since IS NOT NULL")
        .bind(site)
        .bind(id)
        .run(conn)
        .await
}
