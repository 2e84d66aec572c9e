//! A page of members.
//!
//! Every text compares its cursor, so that it reads an index from where the page before ended. By creation, a range
//! of time, a status, a tag and a group are each a range of one index, and a page costs the same whatever the number of
//! members. By address or name there is a choice, the [`Path`]: to walk in that order and try each member, which soon
//! fills a page if many fit, or to gather those that fit a filter and sort them, which is soon done if they are few.
//! `actions::list` chooses.
//!
//! A search for words is one more filter: `member.words` says whether a member fits, and `member_word` leads to those that
//! do. Where they are many, they fill a page soon in any order, unless they stand together in it, as members of one name
//! do in the order of names, or those of an import that was sorted by address in the order of creation. The one is read
//! from where it is ([`Path::Walk`] within a range of the order, and the others [`Path::Word`]), the other from the rows of
//! each word, which are in the order of creation ([`Path::Merge`]).
//!
//! A range of ids stands only where it is to be read: elsewhere it would invite PostgreSQL, which plans without the
//! values, to read the whole primary key and sort. And what is gathered is sorted by `key || ''`, for which neither
//! database has an index to walk.

mod by_creation;
mod by_key;
mod few;

pub use by_creation::list_by_creation;
pub use by_key::list_by_key;
pub use few::{few_of_group, few_of_status, few_of_tag, few_of_time, few_updated};
use usher_db::{Conn, Result, Statement, Value, sql_both};
use uuid::Uuid;

use crate::{
    areas::members::{
        types::{Member, MemberSort, MemberStatus},
        words::{LAST, Search, WordRange},
    },
    values::{GroupId, MemberId, SiteId, Tag, Time},
};

/// Members that are few enough to gather and sort. Where more of a million fit, every 200th does, so that a walk soon
/// fills a page.
pub const FEW: u32 = 5000;

/// Which members.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only those with these words in address or name.
    pub text: Option<Search>,
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
    /// Only those that were changed then or later.
    pub updated_from: Option<Time>,
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

    /// The patterns of the words: the first, and the others.
    fn patterns(&self) -> (Option<String>, Value) {
        let (first, others) = self.text.as_ref().map(Search::patterns).unwrap_or_default();
        (first, others.into_iter().collect())
    }

    /// The first `updated_at` that fits.
    fn updated_from(&self) -> i64 {
        self.updated_from.map_or(i64::MIN, Time::micros)
    }

    /// What every text of a page begins with: status, first pattern, limit, the other patterns, and since when a member
    /// was changed.
    fn bind(&self, statement: Statement, limit: u32) -> Statement {
        let (first, others) = self.patterns();
        statement
            .bind(self.status.map(MemberStatus::as_str))
            .bind(first)
            .bind(limit)
            .bind(others)
            .bind(self.updated_from())
    }
}

impl Place {
    /// Before every member. Those without a name come last, in either direction.
    pub fn start(sort: MemberSort) -> Self {
        let last = LAST.to_string();
        let (key, id) = match sort {
            MemberSort::Newest => (String::new(), "~".into()),
            MemberSort::Oldest | MemberSort::Email => Default::default(),
            // After the last without a name.
            MemberSort::Name => (String::new(), "~".into()),
            MemberSort::EmailDown | MemberSort::NameDown => (last, "~".into()),
        };
        Self { key, id }
    }

    /// After a member.
    pub fn after(member: &Member, sort: MemberSort) -> Self {
        let key = match sort {
            MemberSort::Newest | MemberSort::Oldest => String::new(),
            MemberSort::Email | MemberSort::EmailDown => member.key.clone(),
            MemberSort::Name | MemberSort::NameDown => member.name_key(),
        };
        Self { key, id: member.id.to_string() }
    }
}

/// How to find the members of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// In the order, trying each. By creation, within a tag, a group, a status and a time.
    Walk,
    /// Gathering those of the tag.
    Tag,
    /// Gathering those of the group.
    Group,
    /// Gathering those of the status.
    Status,
    /// Gathering those of the time, or all.
    Time,
    /// Gathering those that were changed since a time.
    Updated,
    /// Gathering those of a range of words.
    Word(WordRange),
    /// By creation, merging those of each of these words.
    Merge(Vec<(i64, String)>),
}

/// How many members fit a filter. Looks at each member of its time.
pub async fn count(conn: Conn<'_>, site: SiteId, filter: &Filter) -> Result<u64> {
    macro_rules! text {
        ($others:expr) => {
            concat!(
                "SELECT count(*) FROM member m
                 WHERE m.site = $1 AND m.id > $2 AND m.id < $3 AND (m.status = $4 OR $4 IS NULL) AND m.updated_at + 0 >= $9
                   AND (m.words LIKE $5 OR $5 IS NULL) AND ",
                $others,
                " AND (EXISTS (SELECT 1 FROM member_tag g WHERE g.site = m.site AND g.member_id = m.id AND g.tag = $7)
                       OR $7 IS NULL)
                  AND (EXISTS (SELECT 1 FROM group_place p WHERE p.site = m.site AND p.group_id = $8 AND p.member_id = m.id)
                       OR $8 IS NULL)"
            )
        };
    }
    let (after, before) = filter.ids();
    let (first, others) = filter.patterns();
    let (n,): (i64,) =
        sql_both!(sqlite: text!(other_words!(sqlite, "$6")), postgres: text!(other_words!(postgres, "$6")))
            .bind(site)
            .bind(after)
            .bind(before)
            .bind(filter.status.map(MemberStatus::as_str))
            .bind(first)
            .bind(others)
            .bind(filter.tag.as_ref().map(Tag::as_str))
            .bind(filter.group.as_ref().map(GroupId::as_str))
            .bind(filter.updated_from())
            .one(conn)
            .await?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// Whether a member `m` has all the other words of a search.
macro_rules! other_words {
    (sqlite, $at:literal) => {
        concat!(
            "(",
            $at,
            " = '[]' OR NOT EXISTS (SELECT 1 FROM json_each(",
            $at,
            ") r WHERE m.words NOT LIKE r.value))"
        )
    };
    (postgres, $at:literal) => {
        concat!("m.words LIKE ALL (", $at, "::text[])")
    };
}
use other_words;

/// A page of members `m`. Placeholders 1 to 8 are the same in all: site, from, until, status, first pattern, limit, the
/// other patterns, and since when they were changed. `updated_at + 0` has no index: [`Path::Updated`] alone reads that.
macro_rules! page {
    ($from:expr; $($where:expr),+; $($order:literal),+) => {
        page!($from, $from; $($where),+; $($order),+)
    };
    ($sqlite:expr, $postgres:expr; $($where:expr),+; $($order:literal),+) => {
        usher_db::sql_both!(
            sqlite: page!(@sqlite, $sqlite; $($where),+; $($order),+),
            postgres: page!(@postgres, $postgres; $($where),+; $($order),+),
        )
    };
    (@$engine:ident, $from:expr; $($where:expr),+; $($order:literal),+) => {
        concat!(
            "SELECT ", crate::areas::members::types::member_columns!(), " FROM ", $from, "
             WHERE m.site = $1 AND ", $($where,)+ "
               AND (m.words LIKE $5 OR $5 IS NULL) AND ", crate::areas::members::store::list::other_words!($engine, "$7"), "
               AND m.updated_at + 0 >= $8
             ORDER BY ", $($order,)+ " LIMIT $6"
        )
    };
}
use page;

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
