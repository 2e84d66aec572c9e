use std::collections::{BTreeSet, HashSet};

use serde_json::json;
use usher_db::{Change, Tx};

use super::{
    Delete,
    jobs::{At, Whom},
    store::{self, Filter},
    types::{Group, GroupPlace, GroupRef, Placed, Placing},
};
use crate::{
    areas::{
        jobs::{JobPreview, JobView},
        members::{self, MemberRef},
    },
    error::{Code, Error, Fix, Result},
    gate::Cx,
    paging,
    tools::Scope,
    values::{GroupId, MemberId, SiteId, Time, Title},
};

/// Members of a change that are named in it; of more, only the number is told.
const NAMED: usize = 200;

/// What is to become of a group; `None` stays as it is.
pub struct Changes {
    pub name: Option<Title>,
    pub description: Option<String>,
}

/// A page of groups, newest first, and whether there are more.
pub async fn list(
    cx: &mut Cx,
    pattern: Option<String>,
    member: Option<&MemberRef>,
    before: &str,
    limit: u32,
) -> Result<(Vec<Group>, bool)> {
    let member = match member {
        Some(member) => Some(members::find(cx, member).await?.id),
        None => None,
    };
    let site = cx.site();
    let mut items = store::list(cx.conn(), site, &Filter { pattern, member }, before, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    Ok((items, more))
}

/// The group that a call is about.
pub async fn find(cx: &mut Cx, id: &GroupId) -> Result<Group> {
    let site = cx.site();
    store::by_id(cx.conn(), site, id).await?.ok_or_else(|| not_found(id))
}

/// The id of the group that a call names.
pub async fn resolve(cx: &mut Cx, which: GroupRef) -> Result<GroupId> {
    let by = match which {
        GroupRef::Id(id) => return Ok(id),
        GroupRef::Name(by) => by,
    };
    let site = cx.site();
    let found = store::id_of(cx.conn(), site, by.name.as_str()).await?;
    found.ok_or_else(|| {
        let text = format!(
            "The site has no group named {:?}. Find it with groups.list, or make it with groups.create.",
            by.name.as_str()
        );
        Error::new(Code::GroupNotFound, text)
    })
}

/// The ids of the groups that a call names.
pub async fn resolve_all(cx: &mut Cx, which: Vec<GroupRef>) -> Result<Vec<GroupId>> {
    let mut ids = Vec::with_capacity(which.len());
    for one in which {
        ids.push(resolve(cx, one).await?);
    }
    Ok(ids)
}

/// The id of the group that a call may name.
pub async fn resolve_any(cx: &mut Cx, which: Option<GroupRef>) -> Result<Option<GroupId>> {
    match which {
        Some(which) => resolve(cx, which).await.map(Some),
        None => Ok(None),
    }
}

/// The same for a call that writes: until it has ended, no other changes this group or who is in it.
async fn hold(cx: &mut Cx, id: &GroupId) -> Result<Group> {
    let site = cx.site();
    match store::hold(cx.conn(), site, id).await? {
        true => find(cx, id).await,
        false => Err(not_found(id)),
    }
}

/// The refusal of a group that the site does not have.
pub fn not_found(id: &GroupId) -> Error {
    let text = format!("The site has no group {id}. Find it with groups.list, or make it with groups.create.");
    Error::new(Code::GroupNotFound, text)
}

/// Makes a group without members.
pub async fn create(cx: &mut Cx, name: Title, description: Option<String>) -> Result<Group> {
    let group = Group {
        id: cx.app.clock.id(),
        name,
        description: description.and_then(plain),
        member_count: 0,
        created_at: cx.now,
        updated_at: cx.now,
    };
    let site = cx.site();
    if !store::insert(cx.conn(), site, &group).await? {
        let other = store::id_of(cx.conn(), site, group.name.as_str()).await?;
        return Err(other.as_ref().map_or_else(try_again, taken));
    }
    cx.tx().note(Change::created("group", group.id.as_str(), group.json()));
    Ok(group)
}

/// Changes what was given. What is the same already changes nothing.
pub async fn update(cx: &mut Cx, id: &GroupId, changes: Changes) -> Result<Group> {
    let before = hold(cx, id).await?;
    let mut after = before.clone();
    after.name = changes.name.unwrap_or(after.name);
    if let Some(description) = changes.description {
        after.description = plain(description);
    }
    if after == before {
        return Ok(after);
    }
    after.updated_at = cx.now.or_after(before.updated_at);
    let site = cx.site();
    if let Some(other) = store::id_of(cx.conn(), site, after.name.as_str()).await?.filter(|other| other != id) {
        return Err(taken(&other));
    }
    store::update(cx.conn(), site, &after).await.map_err(taken_meanwhile)?;
    cx.tx().note(Change::updated("group", id.as_str(), before.json(), after.json()));
    Ok(after)
}

/// Makes a group none for everybody, and starts the job that takes its places away. Gives the group as it was. One
/// whose job was cancelled, or failed, gets another.
pub async fn delete(cx: &mut Cx, id: &GroupId) -> Result<(Group, JobView)> {
    let (site, now) = (cx.site(), cx.now);
    let group = match store::hold(cx.conn(), site, id).await? {
        true => hold_free(cx, id).await?,
        false => store::deleting(cx.conn(), site, id).await?.ok_or_else(|| not_found(id))?,
    };
    if store::mark_deleting(cx.conn(), site, id, now).await? > 0 {
        cx.tx().note(Change::deleted("group", id.as_str(), group.json()));
    }
    let job = cx.enqueue(&Delete { group: id.clone(), places: u64::from(group.member_count) }).await?;
    Ok((group, JobView::from_row(job)?))
}

/// The group that a call is about, which nobody else changes until the call has ended, unless a job gives access to its
/// members or takes it: of two such jobs at once neither could be told to have the last word, and a group that is
/// emptied would end one early.
pub async fn hold_free(cx: &mut Cx, id: &GroupId) -> Result<Group> {
    let (site, app) = (cx.site(), cx.app.clone());
    if !store::hold(cx.conn(), site, id).await? {
        return Err(not_found(id));
    }
    if let Some(job) = store::access_job(cx.conn(), site, id).await?
        && let Some(row) = app.jobs.get(cx.conn(), site.number(), job.as_str()).await?
        && !row.state.is_over()
    {
        let text = format!(
            "{job} is giving access to the members of the group, or taking it. Try again once it has ended, or cancel it."
        );
        let fix = Fix { tool: "jobs.get", args: json!({ "job": job }), scope: None };
        return Err(Error::new(Code::GroupBusy, text).fixed_by(fix));
    }
    find(cx, id).await
}

/// A page of a group's members, in the order of their ids, and whether there are more.
pub async fn list_members(cx: &mut Cx, id: &GroupId, after: &str, limit: u32) -> Result<(Vec<GroupPlace>, bool)> {
    let (site, now) = (cx.site(), cx.now);
    if !store::exists(cx.conn(), site, id).await? {
        return Err(not_found(id));
    }
    let mut items = store::list_members(cx.conn(), site, id, after, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    let as_of_now = |place: GroupPlace| GroupPlace { member: place.member.with_status_at(now), ..place };
    Ok((items.into_iter().map(as_of_now).collect(), more))
}

/// Holds groups, so that none goes before the transaction ends. Whoever holds members too takes the groups first.
pub async fn share(cx: &mut Cx, groups: &[GroupId]) -> Result<()> {
    let site = cx.site();
    for group in groups.iter().collect::<BTreeSet<_>>() {
        if !store::share(cx.conn(), site, group).await? {
            return Err(not_found(group));
        }
    }
    Ok(())
}

/// Puts a member into groups, all or none.
pub async fn join(cx: &mut Cx, member: &MemberId, groups: Vec<GroupId>) -> Result<()> {
    let (site, now) = (cx.site(), cx.now);
    for group in groups.into_iter().collect::<BTreeSet<_>>() {
        let placing = Placing::Into(group);
        let placed = place(cx.tx(), site, &placing, std::slice::from_ref(member), now).await?;
        note(cx, &placing, &placed);
    }
    Ok(())
}

/// Places that a call changes.
#[derive(Debug)]
pub struct Named {
    /// What became of them.
    pub placed: Placed,
    /// Those that are no members, or are about to be none.
    pub not_found: Vec<MemberRef>,
}

/// Changes the places of the members that a call names.
pub async fn place_named(cx: &mut Cx, placing: &Placing, whom: Vec<MemberRef>) -> Result<Named> {
    let found = members::find_many(cx, &whom).await?;
    let (site, now) = (cx.site(), cx.now);
    let placed = place(cx.tx(), site, placing, &found.ids, now).await?;
    note(cx, placing, &placed);
    let known: HashSet<_> = placed.known.iter().collect();
    let is_known = |id: &Option<MemberId>| id.as_ref().is_some_and(|id| known.contains(id));
    let not_found = whom.into_iter().zip(&found.named).filter(|(_, id)| !is_known(id)).map(|(who, _)| who).collect();
    Ok(Named { placed, not_found })
}

/// Changes the places of members, given in the order of their ids: in the transaction of a call, or of a job's chunk.
pub async fn place(tx: &mut Tx, site: SiteId, placing: &Placing, ids: &[MemberId], now: Time) -> Result<Placed> {
    for (group, is_alone) in locks(placing) {
        let is_there = match is_alone {
            true => store::hold(tx.conn(), site, group).await?,
            false => store::share(tx.conn(), site, group).await?,
        };
        if !is_there {
            return Err(not_found(group));
        }
    }
    Ok(match placing {
        Placing::Into(group) => {
            let known = members::store::share_many(tx.conn(), site, ids).await?;
            let came = store::insert_places(tx.conn(), site, group, &known, now).await?;
            Placed { came, known, ..Placed::default() }
        }
        Placing::OutOf(group) => {
            let left = store::delete_places(tx.conn(), site, group, ids).await?;
            Placed { left, known: ids.to_vec(), ..Placed::default() }
        }
        Placing::Move(from, to) => {
            let known = members::store::share_many(tx.conn(), site, ids).await?;
            let left = store::delete_places(tx.conn(), site, from, &known).await?;
            let came = store::insert_places(tx.conn(), site, to, &left, now).await?;
            Placed { came, left, known }
        }
    })
}

/// The groups to hold, in the order in which everybody does, and whether alone.
fn locks(placing: &Placing) -> Vec<(&GroupId, bool)> {
    match placing {
        Placing::Into(group) => vec![(group, false)],
        Placing::OutOf(group) => vec![(group, true)],
        Placing::Move(from, to) => {
            let mut both = vec![(from, true), (to, true)];
            both.sort_unstable();
            both
        }
    }
}

/// Members that a dry run tries it on.
const TRIED: u32 = 5000;

/// Changes the places of the first members of a filter, in a transaction that is taken back.
pub async fn try_on(cx: &mut Cx, placing: &Placing, whom: &Whom) -> Result<JobPreview> {
    let (site, now) = (cx.site(), cx.now);
    let total = store::count_fitting(cx.conn(), site, whom.fitting(placing, now)).await?;
    let ids = store::fitting(cx.conn(), site, whom.fitting(placing, now), "", TRIED).await?;
    let placed = place(cx.tx(), site, placing, &ids, now).await?;
    let mut at = At::default();
    at.count(placing, ids.len(), &placed);
    Ok(JobPreview::of(total, ids.len() as u64, at.outcomes(placing)))
}

/// Notes who came into which group and who left which.
fn note(cx: &mut Cx, placing: &Placing, placed: &Placed) {
    let (out_of, into) = match placing {
        Placing::Into(group) => (None, Some(group)),
        Placing::OutOf(group) => (Some(group), None),
        Placing::Move(from, to) => (Some(from), Some(to)),
    };
    let who = |members: &[MemberId]| {
        let mut who = json!({ "count": members.len(), "members": &members[..members.len().min(NAMED)] });
        if members.len() > NAMED {
            who["membersAreCut"] = json!(true);
        }
        who
    };
    if let (Some(group), false) = (out_of, placed.left.is_empty()) {
        cx.tx().note(Change::deleted("groupPlaces", group.as_str(), who(&placed.left)));
    }
    if let (Some(group), false) = (into, placed.came.is_empty()) {
        cx.tx().note(Change::created("groupPlaces", group.as_str(), who(&placed.came)));
    }
}

/// The refusal of a name that another group has.
fn taken(id: &GroupId) -> Error {
    let fix = Fix { tool: "groups.get", args: json!({ "group": id }), scope: Some(Scope::GroupsRead.name()) };
    Error::new(Code::GroupExists, format!("Group {id} has this name already. Use that one, or choose another name."))
        .fixed_by(fix)
}

/// On PostgreSQL another call can take the name between the look and the write.
fn taken_meanwhile(error: usher_db::Error) -> Error {
    match error.as_database_error().is_some_and(|cause| cause.is_unique_violation()) {
        true => try_again().caused_by(error),
        false => error.into(),
    }
}

fn try_again() -> Error {
    Error::unavailable("Another call gave or took this name at the same moment; nothing was written. Try again.")
}

fn plain(text: String) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
