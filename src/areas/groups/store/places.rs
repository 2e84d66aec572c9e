//! The SQL of members' places in groups. Many places are written in the order of the members' ids, so that two
//! transactions that write the same ones wait for each other and do not lock each other out.

use usher_db::{Conn, Result, Statement, Value, sql, sql_both};

use crate::{
    areas::{
        groups::types::GroupPlace,
        members::{MemberStatus, member_columns},
    },
    values::{GroupId, MemberId, SiteId, Tag, Time},
};

/// How many members a group has.
pub async fn count(conn: Conn<'_>, site: SiteId, group: &GroupId) -> Result<u64> {
    let (n_members,): (i64,) = sql!("SELECT count(*) FROM group_place WHERE site = $1 AND group_id = $2")
        .bind(site)
        .bind(group)
        .one(conn)
        .await?;
    Ok(n_members.unsigned_abs())
}

/// The members of a group after an id, in the order of their ids, without those that are being deleted: for a job that
/// goes through all, which begins after "".
pub async fn members_after(
    conn: Conn<'_>,
    site: SiteId,
    group: &GroupId,
    after: &str,
    limit: u32,
) -> Result<Vec<MemberId>> {
    let rows: Vec<(MemberId,)> = sql!(
        "SELECT p.member_id FROM group_place p CROSS JOIN member m
         WHERE p.site = $1 AND p.group_id = $2 AND p.member_id > $3 AND m.site = $1 AND m.id = p.member_id AND m.id > $3
           AND m.deleting_since IS NULL
         ORDER BY p.member_id LIMIT $4"
    )
    .bind(site)
    .bind(group)
    .bind(after)
    .bind(limit)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The members of a group after an id as they are shown, in the order of their ids.
pub async fn list_members(
    conn: Conn<'_>,
    site: SiteId,
    group: &GroupId,
    after: &str,
    limit: u32,
) -> Result<Vec<GroupPlace>> {
    sql!(concat!(
        "SELECT p.added_at, ",
        member_columns!(),
        " FROM group_place p CROSS JOIN member m
         WHERE p.site = $1 AND p.group_id = $2 AND p.member_id > $3 AND m.site = $1 AND m.id = p.member_id AND m.id > $3
         ORDER BY p.member_id LIMIT $4"
    ))
    .bind(site)
    .bind(group)
    .bind(after)
    .bind(limit)
    .all(conn)
    .await
}

/// Gives members a place in a group, if they are not being deleted; gives those that had none. The caller holds the
/// group, and the members if they may be about to be deleted.
pub async fn insert_places(
    conn: Conn<'_>,
    site: SiteId,
    group: &GroupId,
    members: &[MemberId],
    now: Time,
) -> Result<Vec<MemberId>> {
    let rows: Vec<(MemberId,)> = sql_both!(
        sqlite: "INSERT INTO group_place (site, group_id, member_id, added_at)
                 SELECT m.site, $2, m.id, $3 FROM member m
                 WHERE m.site = $1 AND m.id IN (SELECT value FROM json_each($4)) AND m.deleting_since IS NULL
                 ORDER BY m.id
                 ON CONFLICT (site, group_id, member_id) DO NOTHING RETURNING member_id",
        postgres: "INSERT INTO group_place (site, group_id, member_id, added_at)
                   SELECT m.site, $2, m.id, $3 FROM member m
                   WHERE m.site = $1 AND m.id = ANY($4) AND m.deleting_since IS NULL
                   ORDER BY m.id
                   ON CONFLICT (site, group_id, member_id) DO NOTHING RETURNING member_id",
    )
    .bind(site)
    .bind(group)
    .bind(now)
    .bind(members.iter().collect::<Value>())
    .all(conn)
    .await?;
    Ok(sorted(rows))
}

/// Takes members' places in a group away; gives those that had one. The caller holds the group alone.
pub async fn delete_places(
    conn: Conn<'_>,
    site: SiteId,
    group: &GroupId,
    members: &[MemberId],
) -> Result<Vec<MemberId>> {
    let rows: Vec<(MemberId,)> = sql_both!(
        sqlite: "DELETE FROM group_place
                 WHERE site = $1 AND group_id = $2 AND member_id IN (SELECT value FROM json_each($3))
                 RETURNING member_id",
        postgres: "DELETE FROM group_place WHERE site = $1 AND group_id = $2 AND member_id = ANY($3)
                   RETURNING member_id",
    )
    .bind(site)
    .bind(group)
    .bind(members.iter().collect::<Value>())
    .all(conn)
    .await?;
    Ok(sorted(rows))
}

/// What a statement returns comes in no particular order.
fn sorted(rows: Vec<(MemberId,)>) -> Vec<MemberId> {
    let mut ids: Vec<_> = rows.into_iter().map(|(id,)| id).collect();
    ids.sort_unstable();
    ids
}

/// The members with a place in a group after an id, whatever becomes of them, in the order of their ids.
pub async fn place_range(
    conn: Conn<'_>,
    site: SiteId,
    group: &GroupId,
    after: &str,
    limit: u32,
) -> Result<Vec<(MemberId,)>> {
    sql!(
        "SELECT member_id FROM group_place
         WHERE site = $1 AND group_id = $2 AND member_id > $3 ORDER BY member_id LIMIT $4"
    )
    .bind(site)
    .bind(group)
    .bind(after)
    .bind(limit)
    .all(conn)
    .await
}

/// Takes the places in a group away after a member's id and up to another's; gives how many.
pub async fn delete_place_range(
    conn: Conn<'_>,
    site: SiteId,
    group: &GroupId,
    after: &str,
    last: &MemberId,
) -> Result<u64> {
    sql!("DELETE FROM group_place WHERE site = $1 AND group_id = $2 AND member_id > $3 AND member_id <= $4")
        .bind(site)
        .bind(group)
        .bind(after)
        .bind(last)
        .run(conn)
        .await
}

/// Members that a filter fits, without those that are being deleted.
#[derive(Clone, Copy, Debug)]
pub struct Fitting<'a> {
    /// Only those with this tag.
    pub tag: Option<&'a Tag>,
    /// Only those with this status at a moment. What is stored may be older.
    pub status: Option<MemberStatus>,
    /// The moment.
    pub now: Time,
    /// Only those in this group.
    pub group: Option<&'a GroupId>,
}

/// The conditions of [`Fitting`] on a table `m`, with placeholders 1 to 5: site, after, status, moment and group.
/// It says the same as `Member::status_at`.
macro_rules! fits {
    () => {
        "m.site = $1 AND m.id > $2 AND m.deleting_since IS NULL
         AND (CASE WHEN m.free_since <= $4 AND (m.free_until > $4 OR m.free_until IS NULL) THEN 'comped'
                   WHEN m.is_paid THEN 'paid' ELSE 'free' END = $3 OR $3 IS NULL)
         AND (EXISTS (SELECT 1 FROM group_place p
                      WHERE p.site = m.site AND p.group_id = $5 AND p.member_id = m.id) OR $5 IS NULL)"
    };
}

impl Fitting<'_> {
    fn bind(&self, statement: Statement, site: SiteId, after: &str) -> Statement {
        statement
            .bind(site)
            .bind(after)
            .bind(self.status.map(MemberStatus::as_str))
            .bind(self.now)
            .bind(self.group.map(GroupId::as_str))
    }
}

/// The members that a filter fits after an id, in the order of their ids.
pub async fn fitting(
    conn: Conn<'_>,
    site: SiteId,
    filter: Fitting<'_>,
    after: &str,
    limit: u32,
) -> Result<Vec<MemberId>> {
    let statement = match filter.tag {
        Some(tag) => filter
            .bind(
                sql!(concat!(
                    "SELECT m.id FROM member_tag t CROSS JOIN member m
                     WHERE t.site = $1 AND t.tag = $7 AND t.member_id > $2 AND m.id = t.member_id AND ",
                    fits!(),
                    " ORDER BY t.member_id LIMIT $6"
                )),
                site,
                after,
            )
            .bind(limit)
            .bind(tag),
        None => filter
            .bind(sql!(concat!("SELECT m.id FROM member m WHERE ", fits!(), " ORDER BY m.id LIMIT $6")), site, after)
            .bind(limit),
    };
    let rows: Vec<(MemberId,)> = statement.all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// How many members a filter fits.
pub async fn count_fitting(conn: Conn<'_>, site: SiteId, filter: Fitting<'_>) -> Result<u64> {
    let statement = match filter.tag {
        Some(tag) => filter
            .bind(
                sql!(concat!(
                    "SELECT count(*) FROM member_tag t CROSS JOIN member m
                     WHERE t.site = $1 AND t.tag = $6 AND t.member_id > $2 AND m.id = t.member_id AND ",
                    fits!()
                )),
                site,
                "",
            )
            .bind(tag),
        None => filter.bind(sql!(concat!("SELECT count(*) FROM member m WHERE ", fits!())), site, ""),
    };
    let (n_members,): (i64,) = statement.one(conn).await?;
    Ok(n_members.unsigned_abs())
}
