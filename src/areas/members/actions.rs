use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};
use usher_db::Change;
use usher_jobs::JobRow;

use super::{
    former,
    metadata::{ExternalId, Metadata, MetadataChange},
    rekey,
    store::{self, Filter},
    types::{Member, MemberById, MemberRef, Name, Note, Span, made_at},
};
use crate::{
    areas::{access, billing, groups, sign_in},
    error::{Code, Error, Fix, Result},
    gate::Cx,
    tools::Scope,
    values::{Email, GroupId, MemberId, Tag, email_key},
};

/// Tags that a member can have.
pub const MAX_TAGS: usize = 100;

/// What a new member is to have.
#[derive(Clone)]
pub struct New {
    /// The address.
    pub email: Email,
    /// What the member is called.
    pub name: Option<Name>,
    /// For the site's staff.
    pub note: Option<Note>,
    /// Tags, of which some may be the same.
    pub tags: Vec<Tag>,
    /// Free access.
    pub free_access: Option<Span>,
    /// Groups that the member comes into.
    pub groups: Vec<GroupId>,
    /// The id that the member has elsewhere.
    pub external_id: Option<ExternalId>,
    /// Texts by key.
    pub metadata: MetadataChange,
}

impl New {
    /// One that has nothing but an address.
    pub fn of(email: Email) -> Self {
        Self {
            email,
            name: None,
            note: None,
            tags: Vec::new(),
            free_access: None,
            groups: Vec::new(),
            external_id: None,
            metadata: MetadataChange::default(),
        }
    }
}

/// What is to become of a member; `None` stays as it is.
#[derive(Default)]
pub struct Changes {
    pub email: Option<Email>,
    pub name: Option<Name>,
    pub note: Option<Note>,
    pub external_id: Option<ExternalId>,
    pub metadata: MetadataChange,
}

/// What is to become of a member's tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tagging {
    /// These too.
    Add,
    /// Not these.
    Remove,
    /// These and no others.
    Replace,
}

/// The member that a call is about.
pub async fn find(cx: &mut Cx, who: &MemberRef) -> Result<Member> {
    let site = cx.site();
    let member = match who {
        MemberRef::Id(by) => store::by_id(cx.conn(), site, &by.id).await?,
        MemberRef::Email(by) => store::by_email(cx.conn(), site, &by.email).await?,
    };
    found(cx, who, member)
}

/// The same for a call that writes: until it has ended, no other changes this member.
pub async fn hold(cx: &mut Cx, who: &MemberRef) -> Result<Member> {
    let member = hold_any(cx, who).await?;
    match member.deleting_since {
        None => Ok(member),
        Some(_) => Err(deleting(&member.id)),
    }
}

/// The same, also of a member that a job is deleting.
pub(super) async fn hold_any(cx: &mut Cx, who: &MemberRef) -> Result<Member> {
    let site = cx.site();
    let id = match who {
        MemberRef::Id(by) => store::hold(cx.conn(), site, &by.id).await?,
        MemberRef::Email(by) => store::hold_by_email(cx.conn(), site, &by.email).await?,
    };
    // Read only now: while it waited for the row, the tags may have changed.
    let member = match id {
        Some(id) => store::by_id(cx.conn(), site, &id).await?,
        None => None,
    };
    found(cx, who, member)
}

/// Members that a call names together.
#[derive(Debug, Default)]
pub struct Found {
    /// The members there are, each once, in the order of their ids.
    pub ids: Vec<MemberId>,
    /// Of each that was named, in that order, the member there is.
    pub named: Vec<Option<MemberId>>,
}

/// The members that a call is about, in two statements however many they are. One of another address than is expected
/// refuses the call.
pub async fn find_many(cx: &mut Cx, whom: &[MemberRef]) -> Result<Found> {
    let site = cx.site();
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    for who in whom {
        match who {
            MemberRef::Id(by) => ids.push(by.id.as_str().to_owned()),
            MemberRef::Email(by) => keys.push(by.email.key().to_owned()),
        }
    }
    let of_ids = match ids.is_empty() {
        true => Vec::new(),
        false => store::of_ids(cx.conn(), site, ids.into_iter().collect()).await?,
    };
    let of_keys = match keys.is_empty() {
        true => Vec::new(),
        false => store::of_keys(cx.conn(), site, keys.into_iter().collect()).await?,
    };
    let by_id: HashMap<_, _> = of_ids.iter().map(|(id, email)| (id.as_str(), (id, email_key(email)))).collect();
    let by_key: HashMap<_, _> = of_keys.iter().map(|(id, key)| (key.as_str(), id)).collect();
    let mut named = Vec::with_capacity(whom.len());
    for who in whom {
        named.push(match who {
            MemberRef::Id(by) => match by_id.get(by.id.as_str()) {
                Some((id, key)) => {
                    if by.expect_email.as_ref().is_some_and(|email| email.key() != key) {
                        return Err(mismatch(id));
                    }
                    Some((*id).clone())
                }
                None => None,
            },
            MemberRef::Email(by) => by_key.get(by.email.key()).map(|id| (*id).clone()),
        });
    }
    if let [Some(only)] = &named[..] {
        cx.touches(only);
    }
    let mut ids: Vec<_> = named.iter().flatten().cloned().collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(Found { ids, named })
}

/// The members that a call names, each once in the order in which they are named, and the references to nobody.
pub async fn get_many(cx: &mut Cx, whom: &[MemberRef]) -> Result<(Vec<Member>, Vec<MemberRef>)> {
    let Found { ids, named } = find_many(cx, whom).await?;
    let (site, now) = (cx.site(), cx.now);
    let found = store::by_ids(cx.conn(), site, ids.iter().collect()).await?;
    let mut found: HashMap<_, _> = found.into_iter().map(|member| (member.id.clone(), member)).collect();
    let missing = whom.iter().zip(&named).filter(|(_, id)| id.is_none()).map(|(who, _)| who.clone()).collect();
    let members = named.iter().flatten().filter_map(|id| found.remove(id)).map(|member| member.with_status_at(now));
    Ok((members.collect(), missing))
}

/// The refusal to write to a member that a job is deleting.
pub fn deleting(id: &MemberId) -> Error {
    Error::new(Code::MemberDeleting, format!("Member {id} is being deleted. Make a new member once that is done."))
}

fn mismatch(id: &MemberId) -> Error {
    let text = format!("The address of member {id} is not the one in expectEmail; nothing was done.");
    Error::new(Code::EmailMismatch, text)
}

/// The member that was looked up for a call, or why there is none. Notes whom the call is about.
pub fn found(cx: &mut Cx, who: &MemberRef, member: Option<Member>) -> Result<Member> {
    let may_create = cx.writes() && cx.caller.key.scopes.has(Scope::MembersManage);
    let member = member.ok_or_else(|| {
        let whom = match who {
            MemberRef::Id(by) => by.id.as_str(),
            MemberRef::Email(_) => "with this address",
        };
        let what = if cx.writes() { ", or make the member first" } else { "" };
        let text = format!("The site has no member {whom}. Look with members.list{what}.");
        let error = Error::new(Code::MemberNotFound, text);
        match who {
            // A member is made only for a call that wants to do something with it, and by a key that may.
            MemberRef::Email(by) if may_create => error.fixed_by(Fix {
                tool: "members.create",
                args: json!({ "email": by.email.as_str() }),
                scope: Some(Scope::MembersManage.name()),
            }),
            _ => error,
        }
    })?;
    cx.touches(&member.id);
    match who {
        MemberRef::Id(MemberById { id, expect_email: Some(email) }) if email.key() != member.email_key() => {
            Err(mismatch(id))
        }
        _ => Ok(member.with_status_at(cx.now)),
    }
}

/// Makes a member. Sends nothing.
pub async fn create(cx: &mut Cx, new: New) -> Result<Member> {
    let id: MemberId = cx.app.clock.id();
    // What the call does to the new member comes after it was made, however long the call has waited for its turn.
    cx.now = cx.now.max(made_at(&id));
    let free_access = new.free_access.map(|free| Span { since: free.since.max(cx.now), ..free });
    let member = Member {
        name: new.name.and_then(Name::into_option),
        note: new.note.and_then(Note::into_option),
        tags: set(new.tags).into_iter().collect(),
        free_access,
        external_id: new.external_id.and_then(ExternalId::into_option),
        metadata: some(Metadata::default().changed(new.metadata)?),
        ..Member::new(id, new.email.to_string())
    };
    let (site, now) = (cx.site(), cx.now);
    let member = member.with_status_at(now);
    // Who has the address is found first: that member may have the external id too.
    if member.external_id.is_some()
        && let Some(other) = store::id_of(cx.conn(), site, &new.email).await?
    {
        return Err(taken(&other));
    }
    free_external_id(cx, &member).await?;
    if store::insert(cx.conn(), site, [&member]).await.map_err(taken_meanwhile)? == 0 {
        let other = store::id_of(cx.conn(), site, &new.email).await?;
        return Err(other.as_ref().map_or_else(try_again, taken));
    }
    if !member.tags.is_empty() {
        store::insert_tags(cx.conn(), site, member.tags.iter().map(|tag| (&member.id, tag))).await?;
    }
    cx.touches(&member.id);
    cx.tx().note(Change::created("member", member.id.as_str(), member.json()));
    groups::join(cx, &member.id, new.groups).await?;
    if member.free_access.is_some() {
        access::note_new(cx, &member.id).await?;
    }
    Ok(member)
}

/// Changes what was given. What is the same already changes nothing.
///
/// A new address is passed on to Stripe by the job that is given.
pub async fn update(cx: &mut Cx, who: &MemberRef, changes: Changes) -> Result<(Member, Option<JobRow>)> {
    let before = hold(cx, who).await?;
    let mut after = before.clone();
    if let Some(email) = &changes.email {
        after.email = email.to_string();
    }
    if let Some(name) = changes.name {
        after.name = name.into_option();
    }
    if let Some(note) = changes.note {
        after.note = note.into_option();
    }
    if let Some(external_id) = changes.external_id {
        after.external_id = external_id.into_option();
    }
    after.metadata = some(after.metadata.unwrap_or_default().changed(changes.metadata)?);
    if after == before {
        return Ok((before, None));
    }
    after.updated_at = cx.now.or_after(before.updated_at);
    let site = cx.site();
    if let Some(email) = changes.email.filter(|email| email.key() != before.key) {
        match store::id_of(cx.conn(), site, &email).await? {
            Some(other) if email.key() != before.email_key() => {
                let mut loser = json!({ "id": before.id });
                // Who may not read members learns no address.
                if cx.caller.key.scopes.has(Scope::MembersRead) {
                    loser["expectEmail"] = json!(before.email);
                }
                return Err(taken_by(&other, &email, loser));
            }
            // Another way to write the address of the other: it stays as it is.
            Some(_) => {}
            None => after.key = email.key().to_owned(),
        }
    }
    if after.external_id != before.external_id {
        free_external_id(cx, &after).await?;
    }
    if after.email_key() != before.email_key() {
        sign_in::forget(cx.tx(), site, &after.id).await?;
    }
    store::update(cx.conn(), site, &before, &after).await.map_err(taken_meanwhile)?;
    note(cx, &before, &after);
    if after.email_key() != before.email_key() {
        let (clock, to) = (cx.app.clock.clone(), Email::stored(&after.email));
        let blocked = former::leave(cx.tx(), &clock, site, &before, &to).await?;
        blocked.into_iter().for_each(|change| cx.tx().note(change));
        rekey::free(cx.tx(), site, &before.key).await?;
    }
    let job = match after.email != before.email {
        true => billing::address_changed(cx, &after.id).await?,
        false => None,
    };
    Ok((after, job))
}

/// Adds, removes or replaces tags. Gives the member, and whether anything changed.
pub async fn tag(cx: &mut Cx, who: &MemberRef, how: Tagging, tags: Vec<Tag>) -> Result<(Member, bool)> {
    let before = hold(cx, who).await?;
    let (had, named) = (set(before.tags.clone()), set(tags));
    let has = match how {
        Tagging::Add => &had | &named,
        Tagging::Remove => &had - &named,
        Tagging::Replace => named,
    };
    if has.len() > MAX_TAGS {
        let text = format!(
            "Member {} would have {} tags; a member has at most {MAX_TAGS}. Remove some first.",
            before.id,
            has.len()
        );
        return Err(Error::new(Code::TooManyTags, text));
    }
    if has == had {
        return Ok((before, false));
    }
    let site = cx.site();
    let (gone, added): (Vec<_>, Vec<_>) = (had.difference(&has).collect(), has.difference(&had).collect());
    if !gone.is_empty() {
        store::delete_tags(cx.conn(), site, &before.id, &gone).await?;
    }
    if !added.is_empty() {
        store::insert_tags(cx.conn(), site, added.into_iter().map(|tag| (&before.id, tag))).await?;
    }
    let updated_at = cx.now.or_after(before.updated_at);
    let after = Member { tags: has.into_iter().collect(), updated_at, ..before.clone() };
    store::update(cx.conn(), site, &before, &after).await?;
    note(cx, &before, &after);
    Ok((after, true))
}

fn some(metadata: Metadata) -> Option<Metadata> {
    Some(metadata).filter(|metadata| !metadata.is_empty())
}

/// Refuses a member whose external id is another's.
async fn free_external_id(cx: &mut Cx, member: &Member) -> Result<()> {
    let (Some(id), site) = (&member.external_id, cx.site()) else { return Ok(()) };
    let Some(other) = store::by_external_id(cx.conn(), site, id).await?.filter(|other| other.id != member.id) else {
        return Ok(());
    };
    let text = format!("Member {} has this external id already; nothing was done.", other.id);
    let args = json!({ "member": { "id": other.id } });
    let fix = Fix { tool: "members.get", args, scope: Some(Scope::MembersRead.name()) };
    Err(Error::new(Code::ExternalIdTaken, text).fixed_by(fix))
}

/// The member with an external id, if there is one and the filter fits it.
pub async fn with_external_id(cx: &mut Cx, external_id: &str, filter: &Filter) -> Result<Option<Member>> {
    if let Some(group) = &filter.group {
        groups::find(cx, group).await?;
    }
    let site = cx.site();
    let Some(member) = store::by_external_id(cx.conn(), site, external_id).await? else { return Ok(None) };
    let member = member.with_status_at(cx.now);
    let fits = filter.text.as_ref().is_none_or(|search| search.fits(&member.words()))
        && filter.tag.as_ref().is_none_or(|tag| member.tags.contains(tag))
        && filter.status.is_none_or(|status| member.status == status)
        && filter.from.is_none_or(|from| member.created_at >= from)
        && filter.until.is_none_or(|until| member.created_at < until)
        && filter.updated_from.is_none_or(|from| member.updated_at >= from);
    if !fits {
        return Ok(None);
    }
    if let Some(group) = &filter.group {
        let ids = [member.id.to_string()].into_iter().collect();
        let places = store::places_of(cx.conn(), site, ids).await?;
        if !places.iter().any(|(_, place)| place == group.as_str()) {
            return Ok(None);
        }
    }
    Ok(Some(member))
}

fn set(tags: Vec<Tag>) -> BTreeSet<Tag> {
    tags.into_iter().collect()
}

fn note(cx: &mut Cx, before: &Member, after: &Member) {
    cx.tx().note(Change::updated("member", after.id.as_str(), before.json(), after.json()));
}

/// The refusal of an address that is a member's already.
fn taken(id: &MemberId) -> Error {
    let fix =
        Fix { tool: "members.get", args: json!({ "member": { "id": id } }), scope: Some(Scope::MembersRead.name()) };
    Error::new(
        Code::MemberExists,
        format!(
            "The address belongs to member {id} already. Change that one with members.update, or leave the call out."
        ),
    )
    .fixed_by(fix)
}

/// The refusal to give a member an address that is another's: they may be one person.
fn taken_by(other: &MemberId, email: &Email, loser: Value) -> Error {
    let text = format!(
        "The address belongs to member {other} already. If the two are the same person, merge them with members.merge; \
         the winner keeps its address. Otherwise choose another address."
    );
    let args = json!({ "winner": { "id": other, "expectEmail": email.as_str() }, "loser": loser });
    Error::new(Code::MemberExists, text).fixed_by(Fix {
        tool: "members.merge",
        args,
        scope: Some(Scope::MembersManage.name()),
    })
}

/// On PostgreSQL another call can take the address between the look and the write.
fn taken_meanwhile(error: usher_db::Error) -> Error {
    match error.as_database_error().is_some_and(|cause| cause.is_unique_violation()) {
        true => try_again().caused_by(error),
        false => error.into(),
    }
}

fn try_again() -> Error {
    Error::unavailable("Another call changed who has this address at the same moment; nothing was written. Try again.")
}
