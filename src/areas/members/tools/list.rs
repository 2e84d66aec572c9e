use poem_openapi::Object;

use crate::{
    areas::{
        groups::{self, GroupRef},
        members::{
            actions,
            store::Filter,
            types::{Member, MemberSort, MemberStatus},
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
/// The members of the site, newest first unless `sort` says otherwise. Filters that are given must all hold. A page
/// with one of `tag`, `group`, `status` and a range of time, or none, takes the same time whatever the number of members. For
/// `text` every member may be looked at, and only two such searches run at once: on a large site, prefer
/// `members.findByEmail` where you know the address.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListMembers {
    /// Only those with this text in the address or the name, whatever its case. 1 to 200 characters.
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
    /// The order: `-createdAt` (newest first), `createdAt`, `email` or `name`.
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
            text: self.text,
            tag: self.tag,
            group: groups::resolve_any(cx, self.group).await?,
            status: self.status,
            from: self.created_from.map(|from| from.in_zone(zone)),
            until: self.created_until.map(|until| until.bound(zone)),
        };
        if let Some(external_id) = &self.external_id {
            let found = actions::with_external_id(cx, external_id.trim(), &filter).await?;
            return Ok(MemberPage { items: found.into_iter().collect(), next_cursor: None });
        }
        let (items, next_cursor) = actions::list(cx, &filter, self.sort, self.cursor.as_deref(), self.limit).await?;
        Ok(MemberPage { items, next_cursor })
    }
}
