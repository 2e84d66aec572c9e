use poem_openapi::Object;

use crate::{
    areas::{
        groups::{self, GroupRef},
        members::{
            actions, list,
            store::Filter,
            tally::{self, MemberCount},
            types::{Member, MemberSort, MemberStatus},
            words::Search,
        },
    },
    error::Result,
    gate::Cx,
    paging::default_limit,
    tools::{Access, Scope, Tool},
    values::{Beginning, End, Moment, Tag},
};

/// A page of members.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct MemberPage {
    /// In the order asked for.
    items: Vec<Member>,
    /// Pass as `cursor` for the next page, with the same filters and order; absent on the last.
    next_cursor: Option<String>,
}

/// List members
///
/// The members of the site, newest first unless `sort` says otherwise. Filters that are given must all hold. `text`
/// finds members by the beginnings of the words of their name and email address, without regard to case and accents:
/// `jurgen` finds `Jürgen`, `strasse` finds `Straße`. A page takes about the same time whatever the number of members.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListMembers {
    /// Only those with these words in the email address or the name. Each word, in any order, must be the beginning of one:
    /// `ann lin` finds `Lind, Anna` and `anna@lindgren.example`. Case and accents do not matter. 1 to 200 characters.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[^\x00]*$"))]
    text: Option<String>,
    /// Only the member with this external id, compared as it is written. 1 to 200 characters.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[^\x00]*$"))]
    external_id: Option<String>,
    /// Only those with this tag.
    tag: Option<Tag>,
    /// Only those in this group.
    group: Option<GroupRef>,
    /// Only those with this status.
    status: Option<MemberStatus>,
    /// Only those created at this moment or later.
    created_from: Option<Moment<Beginning>>,
    /// Only those created before this moment.
    created_until: Option<Moment<End>>,
    /// Only those that were created or changed at this moment or later (`updatedAt`). To read what has changed since
    /// the last time, go back a minute behind its beginning: a change that was being written then may have an older
    /// `updatedAt`.
    updated_from: Option<Moment<Beginning>>,
    /// The order: `-createdAt` (newest first), `createdAt`, `email`, `-email`, `name` or `-name`.
    #[oai(default)]
    sort: MemberSort,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 2000))]
    cursor: Option<String>,
}

impl Tool for ListMembers {
    const NAME: &'static str = "members.list";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str = r#"{"tag":"early-bird","createdFrom":"2026-11-01T00:00:00Z","limit":20}"#;
    type Output = MemberPage;

    async fn run(self, cx: &mut Cx) -> Result<MemberPage> {
        let zone = cx.zone();
        let filter = Filter {
            text: self.text.as_deref().map(Search::parse),
            tag: self.tag,
            group: groups::resolve_any(cx, self.group).await?,
            status: self.status,
            from: self.created_from.map(|from| from.in_zone(zone)),
            until: self.created_until.map(|until| until.bound(zone)),
            updated_from: self.updated_from.map(|from| from.in_zone(zone)),
        };
        if let Some(external_id) = &self.external_id {
            let found = actions::with_external_id(cx, external_id.trim(), &filter).await?;
            return Ok(MemberPage { items: found.into_iter().collect(), next_cursor: None });
        }
        let (items, next_cursor) = list::list(cx, &filter, self.sort, self.cursor.as_deref(), self.limit).await?;
        Ok(MemberPage { items, next_cursor })
    }
}

/// Count members
///
/// How many members there are. Without a filter: all, by status, and how many have an address on the block list; exact,
/// and as quick with a million members as with ten. So are `status` and `blocked` alone. Other filters are those of
/// `members.list`: up to 10,000 members are counted, then `more` says that there are more. A status that has ended by
/// itself, such as free access, counts as ended. A block that was kept without the address of a person who was erased is
/// not counted.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct CountMembers {
    /// Only those with these words in the email address or the name, as `members.list` finds them. 1 to 200 characters.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[^\x00]*$"))]
    text: Option<String>,
    /// Only those with this tag.
    tag: Option<Tag>,
    /// Only those in this group.
    group: Option<GroupRef>,
    /// Only those with this status.
    status: Option<MemberStatus>,
    /// Only those with an address on the block list (`true`), or only the others (`false`). Goes with no other filter.
    blocked: Option<bool>,
    /// Only those created at this moment or later.
    created_from: Option<Moment<Beginning>>,
    /// Only those created before this moment.
    created_until: Option<Moment<End>>,
    /// Only those that were created or changed at this moment or later.
    updated_from: Option<Moment<Beginning>>,
}

impl Tool for CountMembers {
    const NAME: &'static str = "members.count";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str = r#"{"status":"paid"}"#;
    type Output = MemberCount;

    async fn run(self, cx: &mut Cx) -> Result<MemberCount> {
        let zone = cx.zone();
        let filter = Filter {
            text: self.text.as_deref().map(Search::parse),
            tag: self.tag,
            group: groups::resolve_any(cx, self.group).await?,
            status: self.status,
            from: self.created_from.map(|from| from.in_zone(zone)),
            until: self.created_until.map(|until| until.bound(zone)),
            updated_from: self.updated_from.map(|from| from.in_zone(zone)),
        };
        tally::count(cx, &filter, self.blocked).await
    }
}
