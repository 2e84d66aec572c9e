use poem_openapi::Object;

use crate::{
    areas::{
        activity::store::escape,
        groups::{
            actions::{self, Changes},
            types::{Group, GroupRef},
        },
        jobs::JobView,
        members::MemberRef,
    },
    error::Result,
    gate::Cx,
    paging::{Cursor, LAST, default_limit},
    tools::{Access, Risk, Scope, Tool, Versioned},
    values::{Plain, Title, search_key},
};

/// The list has one order, newest first.
const ORDER: &str = "groups.list -id";

/// A page of groups.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct GroupPage {
    /// Newest first.
    items: Vec<Group>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List groups
///
/// The site's groups, newest first, each with the number of its members; or those that one member is in.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListGroups {
    /// Only those with this text in the name, whatever its case. 1 to 200 characters.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[^\x00]*$"))]
    text: Option<String>,
    /// Only those that this member is in.
    member: Option<MemberRef>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListGroups {
    const NAME: &'static str = "groups.list";
    const ACCESS: Access = Access::read(Scope::GroupsRead);
    const EXAMPLE: &'static str = r#"{"text":"workshop"}"#;
    type Output = GroupPage;

    async fn run(self, cx: &mut Cx) -> Result<GroupPage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(LAST.into(), |[id]| id);
        let pattern = self.text.map(|text| format!("%{}%", escape(&search_key(&text))));
        let (items, more) = actions::list(cx, pattern, self.member.as_ref(), &before, self.limit).await?;
        let next_cursor =
            items.last().filter(|_| more).map(|group| Cursor::after(ORDER, [group.id.to_string()]).encode());
        Ok(GroupPage { items, next_cursor })
    }
}

/// One group.
#[derive(Object)]
pub struct GroupResult {
    /// The group.
    group: Group,
}

/// A group that a call was to change.
#[derive(Object)]
pub struct GroupSaved {
    /// The group as it is now.
    group: Group,
    /// Whether the call changed anything.
    changed: bool,
}

/// Get a group
///
/// One group, with the number of its members.
#[derive(Object)]
pub struct GetGroup {
    /// The group: its id, or its name.
    group: GroupRef,
}

impl Tool for GetGroup {
    const NAME: &'static str = "groups.get";
    const ACCESS: Access = Access::read(Scope::GroupsRead);
    const EXAMPLE: &'static str = r#"{"group":"grp_01kan8v3t0e0rt8nfkzk1s7p4qe"}"#;
    type Output = GroupResult;

    async fn run(self, cx: &mut Cx) -> Result<GroupResult> {
        let group = actions::resolve(cx, self.group).await?;
        Ok(GroupResult { group: actions::find(cx, &group).await? })
    }
}

/// Create a group
///
/// Makes a group without members. A name that another group has, whatever its case, is refused as `group_exists`, with
/// that group's id.
#[derive(Object)]
pub struct CreateGroup {
    /// What it is called: one line of 1 to 200 characters.
    name: Title,
    /// What it is for, for the site's staff; at most 5,000 characters.
    description: Option<Plain<5000>>,
}

impl Tool for CreateGroup {
    const NAME: &'static str = "groups.create";
    const ACCESS: Access = Access::write(Scope::GroupsManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"name":"Spring workshop","description":"Everybody who was there."}"#;
    type Output = GroupResult;

    async fn run(self, cx: &mut Cx) -> Result<GroupResult> {
        Ok(GroupResult { group: actions::create(cx, self.name, self.description.map(Plain::into_string)).await? })
    }
}

/// Update a group
///
/// Changes what is given and leaves the rest as it is. An empty description takes it away. A name that another group
/// has is refused as `group_exists`.
#[derive(Object)]
pub struct UpdateGroup {
    /// The group: its id, or its name.
    group: GroupRef,
    /// The new name: one line of 1 to 200 characters.
    name: Option<Title>,
    /// The new description, at most 5,000 characters.
    description: Option<Plain<5000>>,
}

impl Tool for UpdateGroup {
    const NAME: &'static str = "groups.update";
    const ACCESS: Access = Access::write(Scope::GroupsManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"group":"grp_01kan8v3t0e0rt8nfkzk1s7p4qe","name":"Spring workshop 2027"}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::GROUP);
    type Output = GroupSaved;

    async fn run(self, cx: &mut Cx) -> Result<GroupSaved> {
        let group = actions::resolve(cx, self.group).await?;
        let changes = Changes { name: self.name, description: self.description.map(Plain::into_string) };
        let group = actions::update(cx, &group, changes).await?;
        Ok(GroupSaved { group, changed: cx.has_changed() })
    }
}

/// A group that is gone.
#[derive(Object)]
pub struct DeletedGroup {
    /// The group as it was.
    group: Group,
    /// The job that takes its places away. Its `result.places` says how many they were.
    job: JobView,
}

/// Delete a group
///
/// Deletes a group for good; no member is deleted. To every call it is gone at once, and its name is free; a job takes
/// the members' places away, however many they are. It counts towards the site's destructive calls of the day. Should
/// the job be cancelled, calling this again starts another.
#[derive(Object)]
pub struct DeleteGroup {
    /// The group: its id, or its name.
    group: GroupRef,
}

impl Tool for DeleteGroup {
    const NAME: &'static str = "groups.delete";
    const ACCESS: Access = Access::write(Scope::GroupsManage, Risk::High).destructive();
    const EXAMPLE: &'static str = r#"{"group":"grp_01kan8v3t0e0rt8nfkzk1s7p4qe"}"#;
    type Output = DeletedGroup;

    async fn run(self, cx: &mut Cx) -> Result<DeletedGroup> {
        let group = actions::resolve(cx, self.group).await?;
        let (group, job) = actions::delete(cx, &group).await?;
        Ok(DeletedGroup { group, job })
    }
}
