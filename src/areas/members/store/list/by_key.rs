//! A page by address or name.

use usher_db::{Conn, Result, Statement};

use super::{Filter, Path, Place, page};
use crate::{
    areas::members::{
        types::{Member, MemberSort},
        words::WordRange,
    },
    values::{GroupId, SiteId, Tag, Time},
};

/// Whether a member `m` has the tag `$11`.
macro_rules! tagged {
    () => {
        "(EXISTS (SELECT 1 FROM member_tag g WHERE g.site = m.site AND g.member_id = m.id AND g.tag = $11)
          OR $11 IS NULL)"
    };
}

/// Whether a member `m` is in the group `$12`.
macro_rules! placed {
    () => {
        "(EXISTS (SELECT 1 FROM group_place p WHERE p.site = m.site AND p.group_id = $12 AND p.member_id = m.id)
          OR $12 IS NULL)"
    };
}

/// Members `m` of a range of words. The lateral join has PostgreSQL look each of them up.
macro_rules! worded {
    ($engine:ident, $begins:literal, $from:literal, $to:literal) => {
        concat!(
            "(SELECT DISTINCT w.member_id FROM member_word w WHERE w.site = $1 AND w.begins ",
            worded!($engine, $begins),
            " AND w.word >= ",
            $from,
            " AND w.word <= ",
            $to,
            ") f CROSS JOIN ",
            worded!($engine)
        )
    };
    (sqlite, $begins:literal) => {
        concat!("IN (SELECT value FROM json_each(", $begins, "))")
    };
    (postgres, $begins:literal) => {
        concat!("= ANY (", $begins, "::bigint[])")
    };
    (sqlite) => {
        "member m"
    };
    (postgres) => {
        "LATERAL (SELECT * FROM member i WHERE i.site = $1 AND i.id = f.member_id OFFSET 0) m"
    };
}
pub(super) use worded;

/// The text of a page by `$key`, from `$9` and `$10` to `$13`. CROSS JOIN makes SQLite begin with the tag; a status and a
/// range of ids are pairs, as SQLite takes a range of ids alone for the primary key's.
macro_rules! by_key {
    ($path:expr, $key:literal, $after:literal, $until:literal, $order:literal, $($sorted:literal),+) => {
        match $path {
            Path::Walk | Path::Merge(_) => page!(
                "member m";
                "(", $key, ", m.id) ", $after, " ($9, $10) AND ", $key, " ", $until, " $13
                   AND m.created_at >= $2 AND m.created_at < $3 AND (m.status = $4 OR $4 IS NULL) AND ",
                tagged!(), " AND ", placed!();
                $order
            ),
            Path::Tag => page!(
                "member_tag g CROSS JOIN member m";
                "(", $key, " || '', m.id) ", $after, " ($9, $10) AND ", $key, " || '' ", $until, " $13
                   AND g.site = $1 AND g.tag = $11 AND m.id = g.member_id
                   AND g.member_id > $2 AND g.member_id < $3 AND m.id > $2 AND m.id < $3
                   AND (m.status = $4 OR $4 IS NULL) AND ",
                placed!();
                $($sorted),+
            ),
            Path::Group => page!(
                "group_place p CROSS JOIN member m";
                "(", $key, " || '', m.id) ", $after, " ($9, $10) AND ", $key, " || '' ", $until, " $13
                   AND p.site = $1 AND p.group_id = $12 AND m.id = p.member_id
                   AND p.member_id > $2 AND p.member_id < $3 AND m.id > $2 AND m.id < $3
                   AND (m.status = $4 OR $4 IS NULL) AND ",
                tagged!();
                $($sorted),+
            ),
            Path::Status => page!(
                "member m";
                "(", $key, " || '', m.id) ", $after, " ($9, $10) AND ", $key, " || '' ", $until, " $13
                   AND (m.status, m.id) > ($4, $2) AND (m.status, m.id) < ($4, $3) AND ",
                tagged!(), " AND ", placed!();
                $($sorted),+
            ),
            Path::Time => page!(
                "member m";
                "(", $key, " || '', m.id) ", $after, " ($9, $10) AND ", $key, " || '' ", $until, " $13
                   AND m.id > $2 AND m.id < $3 AND (m.status = $4 OR $4 IS NULL) AND ",
                tagged!(), " AND ", placed!();
                $($sorted),+
            ),
            Path::Updated => page!(
                "member m";
                "(", $key, " || '', m.id) ", $after, " ($9, $10) AND ", $key, " || '' ", $until, " $13
                   AND m.updated_at >= $8 AND m.id || '' > $2 AND m.id || '' < $3 AND (m.status = $4 OR $4 IS NULL) AND ",
                tagged!(), " AND ", placed!();
                $($sorted),+
            ),
            Path::Word(_) => page!(
                worded!(sqlite, "$14", "$15", "$16"), worded!(postgres, "$14", "$15", "$16");
                "(", $key, " || '', m.id) ", $after, " ($9, $10) AND ", $key, " || '' ", $until, " $13
                   AND m.id = f.member_id AND m.id || '' > $2 AND m.id || '' < $3 AND (m.status = $4 OR $4 IS NULL) AND ",
                tagged!(), " AND ", placed!();
                $($sorted),+
            ),
        }
    };
}

/// The members after `place` whose key is not beyond `bound`.
pub async fn list_by_key(
    conn: Conn<'_>,
    site: SiteId,
    filter: &Filter,
    sort: MemberSort,
    path: &Path,
    (place, bound): (&Place, &str),
    limit: u32,
) -> Result<Vec<Member>> {
    let statement = match sort {
        MemberSort::Email => by_key!(path, "m.email_key", ">", "<=", "m.email_key", "m.email_key || '', m.id"),
        MemberSort::EmailDown => {
            by_key!(path, "m.email_key", "<", ">=", "m.email_key DESC", "m.email_key || '' DESC, m.id DESC")
        }
        MemberSort::NameDown => {
            by_key!(path, "m.name_key", "<", ">=", "m.name_key DESC, m.id DESC", "m.name_key || '' DESC, m.id DESC")
        }
        MemberSort::Name | MemberSort::Newest | MemberSort::Oldest => {
            by_key!(path, "m.name_key", ">", "<=", "m.name_key, m.id", "m.name_key || '', m.id")
        }
    };
    let statement = bind(statement.bind(site), filter, path, limit);
    let statement = statement
        .bind(&place.key)
        .bind(&place.id)
        .bind(filter.tag.as_ref().map(Tag::as_str))
        .bind(filter.group.as_ref().map(GroupId::as_str))
        .bind(bound);
    let statement = match path {
        Path::Word(WordRange { begins, from, to }) => {
            statement.bind(begins.iter().copied().map(Some).collect::<Vec<_>>()).bind(from).bind(to)
        }
        _ => statement,
    };
    statement.all(conn).await
}

/// The range of time, as moments or as ids, and what every text has.
fn bind(statement: Statement, filter: &Filter, path: &Path, limit: u32) -> Statement {
    let (after, before) = filter.ids();
    let statement = match path {
        Path::Walk | Path::Merge(_) => {
            statement.bind(filter.from.map_or(i64::MIN, Time::micros)).bind(filter.until.map_or(i64::MAX, Time::micros))
        }
        _ => statement.bind(after).bind(before),
    };
    filter.bind(statement, limit)
}
