//! A page of members.
//!
//! Every text compares its cursor, so that it reads an index from where the page before ended. By creation, a range
//! of time, a status, a tag and a group are each a range of one index, and a page costs the same whatever the number of
//! members. By address or name there is a choice, the [`Path`]: to walk in that order and try each member, which soon
//! fills a page if many fit, or to gather those that fit a filter and sort them, which is soon done if they are few.
//! A text is tried on each member in any case; by address or name in the order of the table, as reading it in any
//! other order takes SQLite many times as long.
//!
//! A range of ids stands only where it is to be read: elsewhere it would invite PostgreSQL, which plans without the
//! values, to read the whole primary key and sort. And what is gathered is sorted by `key || ''`, for which neither
//! database has an index to walk.

use usher_db::{Conn, Result, Statement, sql};
use uuid::Uuid;

use crate::{
    areas::{
        activity::store::escape,
        members::types::{Member, MemberSort, MemberStatus, member_columns},
    },
    values::{GroupId, MemberId, SiteId, Tag, Time, search_key},
};

/// Members that are few enough to gather and sort. Where more of a million fit, every 200th does, so that a walk soon
/// fills a page.
const FEW: u32 = 5000;

/// Which members.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only those with this text in address or name, whatever its case.
    pub text: Option<String>,
    /// Only those with this tag.
    pub tag: Option<Tag>,
    /// Only those in this group.
    pub group: Option<GroupId>,
    /// Only those with this status.
    pub status: Option<MemberStatus>,
    /// Only those made from then on.
    pub from: Option<Time>,
    /// Only those made before then.
    pub until: Option<Time>,
}

/// Where a page begins: after the member with this key (of address or name, in those orders) and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The key; unused by creation.
    pub key: String,
    /// The id; unused by address.
    pub id: String,
}

impl Filter {
    /// Whether only the members of some time are asked for.
    pub fn has_time(&self) -> bool {
        self.from.is_some() || self.until.is_some()
    }

    /// The range of ids that the time is, without its ends.
    fn ids(&self) -> (String, String) {
        (self.from.map_or(String::new(), before_ids_of), self.until.map_or("~".into(), before_ids_of))
    }
}

impl Place {
    /// Before every member.
    pub fn start(sort: MemberSort) -> Self {
        let id = if sort == MemberSort::Newest { "~" } else { "" };
        Self { key: String::new(), id: id.into() }
    }

    /// After a member.
    pub fn after(member: &Member, sort: MemberSort) -> Self {
        let key = match sort {
            MemberSort::Newest | MemberSort::Oldest => String::new(),
            MemberSort::Email => member.key.clone(),
            MemberSort::Name => member.name_key(),
        };
        Self { key, id: member.id.to_string() }
    }
}

/// How to find the members of a page by address or name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// In that order, trying each.
    Walk,
    /// Gathering those of the tag.
    Tag,
    /// Gathering those of the group.
    Group,
    /// Gathering those of the status.
    Status,
    /// Gathering those of the time, or all.
    Time,
}

/// Whether few members have a tag.
pub async fn few_of_tag(conn: Conn<'_>, site: SiteId, tag: &Tag) -> Result<bool> {
    let counting = sql!(
        "SELECT count(*) FROM (SELECT 1 AS one FROM member_tag
         WHERE site = $1 AND tag = $2 LIMIT $3) AS some_of_them"
    );
    few(conn, counting.bind(site).bind(tag)).await
}

/// Whether few members are in a group.
pub async fn few_of_group(conn: Conn<'_>, site: SiteId, group: &GroupId) -> Result<bool> {
    let counting = sql!(
        "SELECT count(*) FROM (SELECT 1 AS one FROM group_place
         WHERE site = $1 AND group_id = $2 LIMIT $3) AS some_of_them"
    );
    few(conn, counting.bind(site).bind(group)).await
}

/// Whether few members have a status.
pub async fn few_of_status(conn: Conn<'_>, site: SiteId, status: MemberStatus) -> Result<bool> {
    let counting = sql!(
        "SELECT count(*) FROM (SELECT 1 AS one FROM member
         WHERE site = $1 AND status = $2 LIMIT $3) AS some_of_them"
    );
    few(conn, counting.bind(site).bind(status.as_str())).await
}

/// Whether few members were made in the time of a filter.
pub async fn few_of_time(conn: Conn<'_>, site: SiteId, filter: &Filter) -> Result<bool> {
    let (after, before) = filter.ids();
    let counting = sql!(
        "SELECT count(*) FROM (SELECT 1 AS one FROM member
         WHERE site = $1 AND id > $2 AND id < $3 LIMIT $4) AS some_of_them"
    );
    few(conn, counting.bind(site).bind(after).bind(before)).await
}

async fn few(conn: Conn<'_>, counting: Statement) -> Result<bool> {
    let (n_members,): (i64,) = counting.bind(FEW + 1).one(conn).await?;
    Ok(n_members <= i64::from(FEW))
}

/// How many members fit a filter. Looks at each member of its time.
pub async fn count(conn: Conn<'_>, site: SiteId, filter: &Filter) -> Result<u64> {
    let (after, before) = filter.ids();
    let (n,): (i64,) = sql!(
        "SELECT count(*) FROM member m WHERE m.site = $1 AND m.id > $2 AND m.id < $3 AND (m.status = $4 OR $4 IS NULL)
           AND (m.email_key LIKE $5 ESCAPE '!' OR m.name_key LIKE $5 ESCAPE '!' OR $5 IS NULL)
           AND (EXISTS (SELECT 1 FROM member_tag g WHERE g.site = m.site AND g.member_id = m.id AND g.tag = $6)
                OR $6 IS NULL)
           AND (EXISTS (SELECT 1 FROM group_place p WHERE p.site = m.site AND p.group_id = $7 AND p.member_id = m.id)
                OR $7 IS NULL)"
    )
    .bind(site)
    .bind(after)
    .bind(before)
    .bind(filter.status.map(MemberStatus::as_str))
    .bind(filter.text.as_ref().map(|text| format!("%{}%", escape(&search_key(text)))))
    .bind(filter.tag.as_ref().map(Tag::as_str))
    .bind(filter.group.as_ref().map(GroupId::as_str))
    .one(conn)
    .await?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// The text of a page. Placeholders 1 to 6 are the same in all: site, from, until, status, text and limit.
macro_rules! page {
    ($from:literal; $($where:literal),+; $($order:literal),+) => {
        sql!(concat!(
            "SELECT ", member_columns!(), " FROM ", $from, "
             WHERE m.site = $1 AND ", $($where,)+ "
               AND (m.email_key LIKE $5 ESCAPE '!' OR m.name_key LIKE $5 ESCAPE '!' OR $5 IS NULL)
             ORDER BY ", $($order,)+ " LIMIT $6"
        ))
    };
}

/// The text of a page by `$key`. CROSS JOIN makes SQLite begin with the tag; a status and a range of ids are pairs,
/// as SQLite takes a range of ids alone for the primary key's.
macro_rules! by_key {
    ($path:expr, $key:literal, $order:literal) => {
        match $path {
            Path::Walk => page!(
                "member m";
                "(", $key, ", m.id) > ($7, $8) AND m.created_at >= $2 AND m.created_at < $3
                   AND (EXISTS (SELECT 1 FROM member_tag g WHERE g.site = m.site AND g.member_id = m.id AND g.tag = $9)
                        OR $9 IS NULL) AND (m.status = $4 OR $4 IS NULL)
                   AND (EXISTS (SELECT 1 FROM group_place p WHERE p.site = m.site AND p.group_id = $10 AND p.member_id = m.id)
                        OR $10 IS NULL)";
                $order
            ),
            Path::Tag => page!(
                "member_tag g CROSS JOIN member m";
                "(", $key, " || '', m.id) > ($7, $8) AND g.site = $1 AND g.tag = $9 AND m.id = g.member_id
                   AND g.member_id > $2 AND g.member_id < $3 AND m.id > $2 AND m.id < $3
                   AND (m.status = $4 OR $4 IS NULL) AND (EXISTS (SELECT 1 FROM group_place p WHERE p.site = m.site AND p.group_id = $10 AND p.member_id = m.id)
                        OR $10 IS NULL)";
                $key, " || '', m.id"
            ),
            Path::Group => page!(
                "group_place p CROSS JOIN member m";
                "(", $key, " || '', m.id) > ($7, $8) AND p.site = $1 AND p.group_id = $10 AND m.id = p.member_id
                   AND p.member_id > $2 AND p.member_id < $3 AND m.id > $2 AND m.id < $3
                   AND (EXISTS (SELECT 1 FROM member_tag g WHERE g.site = m.site AND g.member_id = m.id AND g.tag = $9)
                        OR $9 IS NULL) AND (m.status = $4 OR $4 IS NULL)";
                $key, " || '', m.id"
            ),
            Path::Status => page!(
                "member m";
                "(", $key, " || '', m.id) > ($7, $8) AND (m.status, m.id) > ($4, $2) AND (m.status, m.id) < ($4, $3)
                   AND (EXISTS (SELECT 1 FROM member_tag g WHERE g.site = m.site AND g.member_id = m.id AND g.tag = $9)
                        OR $9 IS NULL)
                   AND (EXISTS (SELECT 1 FROM group_place p WHERE p.site = m.site AND p.group_id = $10 AND p.member_id = m.id)
                        OR $10 IS NULL)";
                $key, " || '', m.id"
            ),
            Path::Time => page!(
                "member m";
                "(", $key, " || '', m.id) > ($7, $8) AND m.id > $2 AND m.id < $3
                   AND (EXISTS (SELECT 1 FROM member_tag g WHERE g.site = m.site AND g.member_id = m.id AND g.tag = $9)
                        OR $9 IS NULL) AND (m.status = $4 OR $4 IS NULL)
                   AND (EXISTS (SELECT 1 FROM group_place p WHERE p.site = m.site AND p.group_id = $10 AND p.member_id = m.id)
                        OR $10 IS NULL)";
                $key, " || '', m.id"
            ),
        }
    };
}

/// The members after `place`. By creation there is but one path.
pub async fn list(
    conn: Conn<'_>,
    site: SiteId,
    filter: &Filter,
    sort: MemberSort,
    path: Path,
    place: &Place,
    limit: u32,
) -> Result<Vec<Member>> {
    let (mut after, mut before) = filter.ids();
    let tag = filter.tag.as_ref().map(Tag::as_str);
    let group = filter.group.as_ref().map(GroupId::as_str);
    let common = |statement: Statement| {
        let pattern = filter.text.as_ref().map(|text| format!("%{}%", escape(&search_key(text))));
        statement.bind(filter.status.map(MemberStatus::as_str)).bind(pattern).bind(limit)
    };
    let by_key = match sort {
        MemberSort::Email => by_key!(path, "m.email_key", "m.email_key"),
        MemberSort::Name => by_key!(path, "m.name_key", "m.name_key, m.id"),
        MemberSort::Newest | MemberSort::Oldest => {
            match sort {
                MemberSort::Newest => before = before.min(place.id.clone()),
                _ => after = after.max(place.id.clone()),
            }
            let statement = common(by_creation(filter, sort).bind(site).bind(after).bind(before));
            return match (group, tag) {
                (Some(group), tag) => statement.bind(group).bind(tag).all(conn).await,
                (None, Some(tag)) => statement.bind(tag).all(conn).await,
                (None, None) => statement.all(conn).await,
            };
        }
    };
    let by_key = match path {
        Path::Walk => by_key
            .bind(site)
            .bind(filter.from.map_or(i64::MIN, Time::micros))
            .bind(filter.until.map_or(i64::MAX, Time::micros)),
        Path::Tag | Path::Group | Path::Status | Path::Time => by_key.bind(site).bind(after).bind(before),
    };
    common(by_key).bind(&place.key).bind(&place.id).bind(tag).bind(group).all(conn).await
}

/// The bounds stand on both sides of a join: PostgreSQL does not carry a range over, and would walk half of the members.
fn by_creation(filter: &Filter, sort: MemberSort) -> Statement {
    if filter.group.is_some() {
        return by_creation_in_group(sort);
    }
    match (&filter.tag, filter.status, sort) {
        (Some(_), _, MemberSort::Oldest) => page!(
            "member_tag g CROSS JOIN member m";
            "g.site = $1 AND g.tag = $7 AND g.member_id > $2 AND g.member_id < $3 AND m.id = g.member_id
               AND m.id > $2 AND m.id < $3 AND (m.status = $4 OR $4 IS NULL)";
            "g.member_id"
        ),
        (Some(_), _, _) => page!(
            "member_tag g CROSS JOIN member m";
            "g.site = $1 AND g.tag = $7 AND g.member_id > $2 AND g.member_id < $3 AND m.id = g.member_id
               AND m.id > $2 AND m.id < $3 AND (m.status = $4 OR $4 IS NULL)";
            "g.member_id DESC"
        ),
        (None, Some(_), MemberSort::Oldest) => {
            page!("member m"; "(m.status, m.id) > ($4, $2) AND (m.status, m.id) < ($4, $3)"; "m.status, m.id")
        }
        (None, Some(_), _) => {
            page!("member m"; "(m.status, m.id) > ($4, $2) AND (m.status, m.id) < ($4, $3)"; "m.status DESC, m.id DESC")
        }
        (None, None, MemberSort::Oldest) => {
            page!("member m"; "m.id > $2 AND m.id < $3 AND (m.status = $4 OR $4 IS NULL)"; "m.id")
        }
        (None, None, _) => {
            page!("member m"; "m.id > $2 AND m.id < $3 AND (m.status = $4 OR $4 IS NULL)"; "m.id DESC")
        }
    }
}

/// The same of a group, whose places are in the order of the members' ids. With `|| ''` PostgreSQL can only begin with
/// them: it might walk the members else, to whom the group may be nothing.
fn by_creation_in_group(sort: MemberSort) -> Statement {
    match sort {
        MemberSort::Oldest => page!(
            "group_place p CROSS JOIN member m";
            "p.site = $1 AND p.group_id = $7 AND p.member_id > $2 AND p.member_id < $3 AND m.id = p.member_id || ''
               AND (m.status = $4 OR $4 IS NULL)
               AND (EXISTS (SELECT 1 FROM member_tag g WHERE g.site = m.site AND g.member_id = m.id AND g.tag = $8)
                    OR $8 IS NULL)";
            "p.member_id"
        ),
        _ => page!(
            "group_place p CROSS JOIN member m";
            "p.site = $1 AND p.group_id = $7 AND p.member_id > $2 AND p.member_id < $3 AND m.id = p.member_id || ''
               AND (m.status = $4 OR $4 IS NULL)
               AND (EXISTS (SELECT 1 FROM member_tag g WHERE g.site = m.site AND g.member_id = m.id AND g.tag = $8)
                    OR $8 IS NULL)";
            "p.member_id DESC"
        ),
    }
}

/// A text after every id of before a moment, and before every id of then or later.
fn before_ids_of(time: Time) -> String {
    const LAST_MS: i64 = (1 << 48) - 1;
    // An id is of the millisecond it was made in, so only that millisecond's beginning counts.
    let ms = time.micros().div_euclid(1000) + i64::from(time.micros().rem_euclid(1000) > 0);
    let first = MemberId::of(Uuid::from_u128((ms.clamp(0, LAST_MS) as u128) << 80));
    let mut text = first.to_string();
    text.pop(); // the check character, so that it is less than even the first id
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::areas::members::types::made_at;

    proptest! {
        #[test]
        fn a_range_of_time_is_a_range_of_ids(ms in 0i64..1 << 48, random: u64, micros in -2000i64..1 << 52) {
            let id = MemberId::of(Uuid::from_u128((ms as u128) << 80 | u128::from(random)));
            let bound = Time::from_micros(micros);
            prop_assert_eq!(id.as_str() > before_ids_of(bound).as_str(), made_at(&id) >= bound);
            let near = Time::from_micros(ms * 1000 + micros % 2000);
            prop_assert_eq!(id.as_str() > before_ids_of(near).as_str(), made_at(&id) >= near);
        }
    }
}
