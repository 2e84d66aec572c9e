use poem_openapi::Object;
use serde::Serialize;
use usher_jobs::Job;

use crate::{
    areas::{
        groups::{
            AddByFilter, MoveByFilter, RemoveByFilter,
            actions::{self, Named},
            jobs::Whom,
            types::{GroupPlace, GroupRef, Placing},
        },
        jobs::{JobPreview, JobView},
        members::{MemberRef, MemberStatus},
    },
    error::{Error, Result},
    gate::Cx,
    paging::{Cursor, default_limit},
    tools::{Access, Risk, Scope, Tool},
    values::Tag,
};

/// Members come in the order of their ids, which is that in which they were made.
const ORDER: &str = "groups.listMembers id";

/// A page of a group's members.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct GroupMemberPage {
    /// In the order in which the members were made.
    items: Vec<GroupPlace>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List a group's members
///
/// The members of a group, in the order in which they were made.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListGroupMembers {
    /// The group: its id, or its name.
    group: GroupRef,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListGroupMembers {
    const NAME: &'static str = "groups.listMembers";
    const ACCESS: Access = Access::read(Scope::GroupsRead);
    const EXAMPLE: &'static str = r#"{"group":"grp_01kan8v3t0e0rt8nfkzk1s7p4qe"}"#;
    type Output = GroupMemberPage;

    async fn run(self, cx: &mut Cx) -> Result<GroupMemberPage> {
        let after = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(String::new(), |[id]| id);
        let group = actions::resolve(cx, self.group).await?;
        let (items, more) = actions::list_members(cx, &group, &after, self.limit).await?;
        let next_cursor =
            items.last().filter(|_| more).map(|place| Cursor::after(ORDER, [place.member.id.to_string()]).encode());
        Ok(GroupMemberPage { items, next_cursor })
    }
}

/// Which members, however many they are. What is given must all hold, and something must be given.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupMemberFilter {
    /// Those with this tag.
    tag: Option<Tag>,
    /// Those with this status, as it is when the job comes to them.
    status: Option<MemberStatus>,
}

/// Whom a call is about.
enum Target {
    Named(Vec<MemberRef>),
    Filter(Whom),
}

fn target(members: Option<Vec<MemberRef>>, filter: Option<GroupMemberFilter>) -> Result<Target> {
    match (members, filter) {
        (Some(members), None) => Ok(Target::Named(members)),
        (None, Some(GroupMemberFilter { tag: None, status: None })) => {
            Err(Error::refused("args.filter", "needs `tag`, `status` or both"))
        }
        (None, Some(GroupMemberFilter { tag, status })) => Ok(Target::Filter(Whom { tag, status })),
        (None, None) => Err(Error::refused("args.members", "pass one of `members` and `filter`")),
        (Some(_), Some(_)) => Err(Error::refused("args.filter", "pass one of `members` and `filter`, and not both")),
    }
}

/// Accepts a job. In a dry run it says what would happen.
async fn accept<J: Job + Serialize>(
    cx: &mut Cx,
    placing: &Placing,
    whom: &Whom,
    job: &J,
) -> Result<(Option<JobView>, Option<JobPreview>)> {
    for group in placing.groups() {
        actions::find(cx, group).await?;
    }
    let preview = match cx.dry_run {
        true => Some(actions::try_on(cx, placing, whom).await?),
        false => None,
    };
    Ok((Some(JobView::from_row(cx.enqueue(job).await?)?), preview))
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Members who were to come into a group: the counts, or the job.
#[derive(Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct MembersAdded {
    /// Members who came into the group.
    added: Option<u32>,
    /// Members who were in it already.
    already: Option<u32>,
    /// Those of `members` whom the site does not have, or who are being deleted, as they were given.
    not_found: Option<Vec<MemberRef>>,
    /// For `filter`: the job, whose progress counts `total`, `done`, `added` and `already`.
    job: Option<JobView>,
    /// Only in a dry run for `filter`: the counts as they would be.
    preview: Option<JobPreview>,
}

/// Add members to a group
///
/// Puts members into a group: up to 5,000 that are named, at once; or all that a filter fits, as a job. Who is in it
/// already stays. Those whom the site does not have are told in `notFound`, and the others are added nevertheless.
/// A job goes on where it was after a crash; one that is cancelled keeps what it has done.
#[derive(Object)]
pub struct AddGroupMembers {
    /// The group: its id, or its name.
    group: GroupRef,
    /// 1 to 5,000 members. A member who is named twice counts once.
    #[oai(validator(min_items = 1, max_items = 5000))]
    members: Option<Vec<MemberRef>>,
    /// In place of `members`: all of these.
    filter: Option<GroupMemberFilter>,
}

impl Tool for AddGroupMembers {
    const NAME: &'static str = "groups.addMembers";
    const ACCESS: Access = Access::write(Scope::GroupsManage, Risk::Medium);
    const EXAMPLE: &'static str =
        r#"{"group":"grp_01kan8v3t0e0rt8nfkzk1s7p4qe","members":[{"email":"anna@example.com"}]}"#;
    type Output = MembersAdded;

    async fn run(self, cx: &mut Cx) -> Result<MembersAdded> {
        let group = actions::resolve(cx, self.group).await?;
        match target(self.members, self.filter)? {
            Target::Named(members) => {
                let Named { placed, not_found } = actions::place_named(cx, &Placing::Into(group), members).await?;
                let (added, already) = (count(placed.came.len()), count(placed.known.len() - placed.came.len()));
                Ok(MembersAdded {
                    added: Some(added),
                    already: Some(already),
                    not_found: Some(not_found),
                    ..MembersAdded::default()
                })
            }
            Target::Filter(whom) => {
                let job = AddByFilter { group, whom };
                let placing = Placing::Into(job.group.clone());
                let (job, preview) = accept(cx, &placing, &job.whom, &job).await?;
                Ok(MembersAdded { job, preview, ..MembersAdded::default() })
            }
        }
    }
}

/// Members who were to leave a group: the counts, or the job.
#[derive(Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct MembersRemoved {
    /// Members who left the group.
    removed: Option<u32>,
    /// Members who were not in it.
    absent: Option<u32>,
    /// Those of `members` whom the site does not have, as they were given.
    not_found: Option<Vec<MemberRef>>,
    /// For `filter`: the job, whose progress counts `total` and `done` of those in the group, and `removed`.
    job: Option<JobView>,
    /// Only in a dry run for `filter`: the counts as they would be.
    preview: Option<JobPreview>,
}

/// Remove members from a group
///
/// Takes members out of a group: up to 5,000 that are named, at once; or all in it that a filter fits, as a job. No
/// member is deleted. Those who are not in it are no fault. A job goes on where it was after a crash; one that is
/// cancelled keeps what it has done.
#[derive(Object)]
pub struct RemoveGroupMembers {
    /// The group: its id, or its name.
    group: GroupRef,
    /// 1 to 5,000 members. A member who is named twice counts once.
    #[oai(validator(min_items = 1, max_items = 5000))]
    members: Option<Vec<MemberRef>>,
    /// In place of `members`: all of these.
    filter: Option<GroupMemberFilter>,
}

impl Tool for RemoveGroupMembers {
    const NAME: &'static str = "groups.removeMembers";
    const ACCESS: Access = Access::write(Scope::GroupsManage, Risk::Medium);
    const EXAMPLE: &'static str =
        r#"{"group":"grp_01kan8v3t0e0rt8nfkzk1s7p4qe","members":[{"id":"mem_01kan8v3t0e0rt8nfkzk1s7p4qs"}]}"#;
    type Output = MembersRemoved;

    async fn run(self, cx: &mut Cx) -> Result<MembersRemoved> {
        let group = actions::resolve(cx, self.group).await?;
        match target(self.members, self.filter)? {
            Target::Named(members) => {
                let Named { placed, not_found } = actions::place_named(cx, &Placing::OutOf(group), members).await?;
                let (removed, absent) = (count(placed.left.len()), count(placed.known.len() - placed.left.len()));
                Ok(MembersRemoved {
                    removed: Some(removed),
                    absent: Some(absent),
                    not_found: Some(not_found),
                    ..MembersRemoved::default()
                })
            }
            Target::Filter(whom) => {
                let job = RemoveByFilter { group, whom };
                let placing = Placing::OutOf(job.group.clone());
                let (job, preview) = accept(cx, &placing, &job.whom, &job).await?;
                Ok(MembersRemoved { job, preview, ..MembersRemoved::default() })
            }
        }
    }
}

/// Members who were to go from one group to another: the counts, or the job.
#[derive(Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct MembersMoved {
    /// Members who left the one group and came into the other.
    moved: Option<u32>,
    /// Members who were in both, and only left the one.
    already: Option<u32>,
    /// Members who were not in the group to leave; nothing became of them.
    absent: Option<u32>,
    /// Those of `members` whom the site does not have, or who are being deleted, as they were given.
    not_found: Option<Vec<MemberRef>>,
    /// For `filter`: the job, whose progress counts `total` and `done` of those in the group to leave, `moved` and
    /// `already`.
    job: Option<JobView>,
    /// Only in a dry run for `filter`: the counts as they would be.
    preview: Option<JobPreview>,
}

/// Move members to another group
///
/// Takes members out of one group and puts them into another, in one go, so that each is in one of the two at any
/// moment: up to 5,000 that are named, at once; or all in the first that a filter fits, as a job. Who is not in the
/// first does not come into the second. A job goes on where it was after a crash; one that is cancelled keeps what it
/// has done.
#[derive(Object)]
pub struct MoveGroupMembers {
    /// The group to leave.
    from: GroupRef,
    /// The group to come into.
    to: GroupRef,
    /// 1 to 5,000 members. A member who is named twice counts once.
    #[oai(validator(min_items = 1, max_items = 5000))]
    members: Option<Vec<MemberRef>>,
    /// In place of `members`: all of these.
    filter: Option<GroupMemberFilter>,
}

impl Tool for MoveGroupMembers {
    const NAME: &'static str = "groups.moveMembers";
    const ACCESS: Access = Access::write(Scope::GroupsManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"from":"grp_01kan8v3t0e0rt8nfkzk1s7p4qe","to":"grp_01kan8v3t0e0rt8nfkzk1s7p4rc","filter":{"tag":"early-bird"}}"#;
    type Output = MembersMoved;

    async fn run(self, cx: &mut Cx) -> Result<MembersMoved> {
        let Self { from, to, members, filter } = self;
        let (from, to) = (actions::resolve(cx, from).await?, actions::resolve(cx, to).await?);
        if from == to {
            return Err(Error::refused("args.to", "must be another group than `from`"));
        }
        match target(members, filter)? {
            Target::Named(members) => {
                let Named { placed, not_found } = actions::place_named(cx, &Placing::Move(from, to), members).await?;
                let (n_came, n_left) = (placed.came.len(), placed.left.len());
                Ok(MembersMoved {
                    moved: Some(count(n_came)),
                    already: Some(count(n_left - n_came)),
                    absent: Some(count(placed.known.len() - n_left)),
                    not_found: Some(not_found),
                    ..MembersMoved::default()
                })
            }
            Target::Filter(whom) => {
                let job = MoveByFilter { from, to, whom };
                let placing = Placing::Move(job.from.clone(), job.to.clone());
                let (job, preview) = accept(cx, &placing, &job.whom, &job).await?;
                Ok(MembersMoved { job, preview, ..MembersMoved::default() })
            }
        }
    }
}
