//! A page by creation.

use usher_db::{Conn, Engine, Result, Statement, Value};

use super::{Filter, Path, Place, by_key::worded, page};
use crate::{
    areas::members::{
        types::{Member, MemberSort},
        words::WordRange,
    },
    values::{GroupId, SiteId, Tag},
};

/// The members after `place`.
pub async fn list_by_creation(
    conn: Conn<'_>,
    site: SiteId,
    filter: &Filter,
    sort: MemberSort,
    path: &Path,
    place: &Place,
    limit: u32,
) -> Result<Vec<Member>> {
    let (mut after, mut before) = filter.ids();
    match sort {
        MemberSort::Newest => before = before.min(place.id.clone()),
        _ => after = after.max(place.id.clone()),
    }
    let (tag, group) = (filter.tag.as_ref().map(Tag::as_str), filter.group.as_ref().map(GroupId::as_str));
    let is_down = sort == MemberSort::Newest;
    let statement = match path {
        Path::Word(_) => of_a_range(is_down),
        Path::Merge(_) => of_words(is_down),
        Path::Updated => updated(is_down),
        _ if group.is_some() => within_group(is_down),
        _ => walk(filter, is_down),
    };
    let statement = filter.bind(statement.bind(site).bind(after).bind(before), limit);
    let statement = match (path, group, tag) {
        (Path::Word(WordRange { begins, from, to }), ..) => {
            let begins: Vec<_> = begins.iter().copied().map(Some).collect();
            statement.bind(tag).bind(group).bind(begins).bind(from).bind(to)
        }
        (Path::Merge(words), ..) => bind_words(statement.bind(tag).bind(group), conn.engine(), words),
        (Path::Updated, ..) => statement.bind(tag).bind(group),
        (_, Some(group), tag) => statement.bind(group).bind(tag),
        (_, None, Some(tag)) => statement.bind(tag),
        (_, None, None) => statement,
    };
    statement.all(conn).await
}

/// The bounds stand on both sides of a join: PostgreSQL does not carry a range over, and would walk half of the members.
fn walk(filter: &Filter, is_down: bool) -> Statement {
    match (&filter.tag, filter.status, is_down) {
        (Some(_), _, false) => page!(
            "member_tag g CROSS JOIN member m";
            "g.site = $1 AND g.tag = $9 AND g.member_id > $2 AND g.member_id < $3 AND m.id = g.member_id
               AND m.id > $2 AND m.id < $3 AND (m.status = $4 OR $4 IS NULL)";
            "g.member_id"
        ),
        (Some(_), _, true) => page!(
            "member_tag g CROSS JOIN member m";
            "g.site = $1 AND g.tag = $9 AND g.member_id > $2 AND g.member_id < $3 AND m.id = g.member_id
               AND m.id > $2 AND m.id < $3 AND (m.status = $4 OR $4 IS NULL)";
            "g.member_id DESC"
        ),
        (None, Some(_), false) => {
            page!("member m"; "(m.status, m.id) > ($4, $2) AND (m.status, m.id) < ($4, $3)"; "m.status, m.id")
        }
        (None, Some(_), true) => {
            page!("member m"; "(m.status, m.id) > ($4, $2) AND (m.status, m.id) < ($4, $3)"; "m.status DESC, m.id DESC")
        }
        (None, None, false) => {
            page!("member m"; "m.id > $2 AND m.id < $3 AND (m.status = $4 OR $4 IS NULL)"; "m.id")
        }
        (None, None, true) => {
            page!("member m"; "m.id > $2 AND m.id < $3 AND (m.status = $4 OR $4 IS NULL)"; "m.id DESC")
        }
    }
}

/// The same of a group, whose places are in the order of the members' ids. With `|| ''` PostgreSQL can only begin with
/// them: it might walk the members else, to whom the group may be nothing.
fn within_group(is_down: bool) -> Statement {
    macro_rules! text {
        ($order:literal) => {
            page!(
                "group_place p CROSS JOIN member m";
                "p.site = $1 AND p.group_id = $9 AND p.member_id > $2 AND p.member_id < $3 AND m.id = p.member_id || ''
                   AND (m.status = $4 OR $4 IS NULL)
                   AND (EXISTS (SELECT 1 FROM member_tag g WHERE g.site = m.site AND g.member_id = m.id AND g.tag = $10)
                        OR $10 IS NULL)";
                $order
            )
        };
    }
    if is_down { text!("p.member_id DESC") } else { text!("p.member_id") }
}

/// Whether a member `m` has the status, the tag and the place in the group that are asked for.
macro_rules! filtered {
    () => {
        "(m.status = $4 OR $4 IS NULL)
         AND (EXISTS (SELECT 1 FROM member_tag g WHERE g.site = m.site AND g.member_id = m.id AND g.tag = $9)
              OR $9 IS NULL)
         AND (EXISTS (SELECT 1 FROM group_place p WHERE p.site = m.site AND p.group_id = $10 AND p.member_id = m.id)
              OR $10 IS NULL)"
    };
}

/// Those that were changed since a time.
fn updated(is_down: bool) -> Statement {
    macro_rules! text {
        ($order:literal) => {
            page!(
                "member m";
                "m.updated_at >= $8 AND m.id || '' > $2 AND m.id || '' < $3 AND ", filtered!();
                $order
            )
        };
    }
    if is_down { text!("m.id || '' DESC") } else { text!("m.id || ''") }
}

/// Those of a range of words.
fn of_a_range(is_down: bool) -> Statement {
    macro_rules! text {
        ($order:literal) => {
            page!(
                worded!(sqlite, "$11", "$12", "$13"), worded!(postgres, "$11", "$12", "$13");
                "m.id = f.member_id AND m.id || '' > $2 AND m.id || '' < $3 AND ", filtered!();
                $order
            )
        };
    }
    if is_down { text!("m.id || '' DESC") } else { text!("m.id || ''") }
}

/// Those of each of some words, of which the first in the order of creation are enough.
fn of_words(is_down: bool) -> Statement {
    macro_rules! found {
        ($engine:ident, $begins:literal, $word:literal, $join:literal, $order:literal) => {
            concat!(
                "SELECT w.member_id AS id FROM member_word w CROSS JOIN ",
                $join,
                " WHERE w.site = $1 AND w.begins = ",
                $begins,
                " AND w.word = ",
                $word,
                " AND w.member_id > $2 AND w.member_id < $3 AND m.site = $1
                 AND m.id = w.member_id AND (m.words LIKE $5 OR $5 IS NULL) AND ",
                super::other_words!($engine, "$7"),
                " AND ",
                filtered!(),
                " ORDER BY w.member_id ",
                $order,
                " LIMIT $6"
            )
        };
    }
    macro_rules! text {
        ($order:literal, $sorted:literal) => {
            page!(
                concat!(
                    "(SELECT DISTINCT j.value AS id FROM json_each($11) r CROSS JOIN json_each((
                         SELECT json_group_array(h.id) FROM (",
                    found!(sqlite, "(r.value ->> 0)", "(r.value ->> 1)", "member m", $order),
                    ") h)) j ORDER BY j.value ", $order, " LIMIT $6) f CROSS JOIN member m"
                ),
                concat!(
                    "(SELECT DISTINCT h.id FROM unnest($11::bigint[], $12::text[]) AS r (begins, word) CROSS JOIN LATERAL (",
                    found!(postgres, "r.begins", "r.word",
                        "LATERAL (SELECT * FROM member i WHERE i.site = $1 AND i.id = w.member_id OFFSET 0) m", $order),
                    ") h ORDER BY h.id ", $order, " LIMIT $6) f CROSS JOIN
                     LATERAL (SELECT * FROM member i WHERE i.site = $1 AND i.id = f.id OFFSET 0) m"
                );
                "m.id = f.id";
                $sorted
            )
        };
    }
    if is_down { text!("DESC", "m.id || '' DESC") } else { text!("ASC", "m.id || ''") }
}

/// Pairs of a list and a word, as each database takes them.
fn bind_words(statement: Statement, engine: Engine, words: &[(i64, String)]) -> Statement {
    match engine {
        Engine::Sqlite => statement.bind(serde_json::to_string(words).expect("texts are JSON")),
        Engine::Postgres => statement
            .bind(words.iter().map(|(begins, _)| Some(*begins)).collect::<Vec<_>>())
            .bind(words.iter().map(|(_, word)| word.clone()).collect::<Value>()),
    }
}
