use std::{collections::HashMap, time::Duration};

use serde_json::json;
use usher_db::Change;

use super::{
    decide::{Decision, decide},
    effect,
    facts::{Asked, Content, Doubts, Facts, Known, Wanted},
    grants::{Act, By},
    jobs::{At, Grant},
    orders, store,
    types::{AccessView, BundleOwner, EntitlementState, EntitlementView},
};
use crate::{
    areas::{
        bundles,
        groups::{self, GroupRef},
        jobs::{JobPreview, JobView},
        members::{self, Member, MemberRef, New},
        videos,
    },
    error::{Code, Error, Fix, Result},
    gate::Cx,
    paging,
    tools::Scope,
    values::{BundleId, GroupId, MemberId, Time, VideoId},
};

/// Seconds of a day.
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// To whom something is done.
pub(super) enum Target {
    Member(MemberRef),
    Group(GroupId),
}

impl Target {
    /// One of the two.
    pub(super) async fn of(cx: &mut Cx, member: Option<MemberRef>, group: Option<GroupRef>) -> Result<Self> {
        match (member, group) {
            (Some(member), None) => Ok(Self::Member(member)),
            (None, Some(group)) => Ok(Self::Group(groups::resolve(cx, group).await?)),
            (None, None) => Err(Error::refused("args.member", "give `member` or `group`")),
            (Some(_), Some(_)) => Err(Error::refused("args.group", "give `member` or `group`, not both")),
        }
    }
}

/// What was done to one member.
pub(super) struct Done {
    pub(super) member: Member,
    pub(super) is_new: bool,
    pub(super) changed: bool,
    /// Whether the order was granted before.
    pub(super) is_repeated: bool,
    pub(super) entitlement: Option<EntitlementView>,
    pub(super) access: AccessView,
}

/// What is known of the member that a call is about, and what is wanted, as far as access goes.
pub(super) async fn asked(cx: &mut Cx, who: &MemberRef, wanted: &Wanted) -> Result<(Known, Content)> {
    let site = cx.site();
    let asked = store::asked(cx.conn(), site, who, wanted.video()).await?;
    there(cx, who, wanted, asked).await
}

/// The same, and what else a refusal may come of.
pub(super) async fn doubted(cx: &mut Cx, who: &MemberRef, wanted: &Wanted) -> Result<(Known, Content, Option<Doubts>)> {
    let site = cx.site();
    let (asked, doubts) = store::doubted(cx.conn(), site, who, wanted).await?.unzip();
    let (known, content) = there(cx, who, wanted, asked).await?;
    Ok((known, content, doubts))
}

async fn there(cx: &mut Cx, who: &MemberRef, wanted: &Wanted, asked: Option<Asked>) -> Result<(Known, Content)> {
    let (known, content) = asked.map_or((None, None), |asked| (Some(asked.known), asked.content));
    let known = found(cx, who, known)?;
    let content = match wanted {
        Wanted::Video(video) => content.ok_or_else(|| videos::not_found(video))?,
        Wanted::Bundle(bundle) => {
            bundles::find(cx, bundle).await?;
            Content::bundle(bundle.clone())
        }
        Wanted::Members => Content::members(),
    };
    Ok((known, content))
}

fn found(cx: &mut Cx, who: &MemberRef, known: Option<Known>) -> Result<Known> {
    let (member, facts) =
        known.map_or((None, None), |known| (Some(known.member), Some((known.subscriptions, known.entitlements))));
    let member = members::found(cx, who, member)?;
    let (subscriptions, entitlements) = facts.unwrap_or_default();
    Ok(Known { member, subscriptions, entitlements })
}

/// How long the site waits for an overdue payment.
pub(super) fn grace(cx: &Cx) -> Duration {
    DAY * cx.caller.site.settings.grace_days
}

/// Whether a member may see something at a moment.
pub async fn check(cx: &mut Cx, who: &MemberRef, wanted: &Wanted, at: Time) -> Result<(Member, Decision)> {
    let (known, content) = asked(cx, who, wanted).await?;
    let decision = decide(&known.facts(content, grace(cx)), at);
    Ok((known.member, decision))
}

/// Whether a member may see each of some videos at a moment.
pub struct Checked {
    /// The member.
    pub member: Member,
    /// What was decided of member content in general.
    pub members_content: Decision,
    /// What was decided of each video, in the order in which they were named; none of one that the site does not have.
    pub videos: Vec<(VideoId, Option<Decision>)>,
}

/// Whether a member may see each of some videos at a moment, in two statements however many they are.
pub async fn check_videos(cx: &mut Cx, who: &MemberRef, videos: Vec<VideoId>, at: Time) -> Result<Checked> {
    let (known, content) = asked(cx, who, &Wanted::Members).await?;
    let (site, grace) = (cx.site(), grace(cx));
    let contents = store::contents(cx.conn(), site, videos.iter().collect()).await?;
    let mut contents: HashMap<_, _> = contents.into_iter().map(|one| (one.video, one.content)).collect();
    let mut facts = known.facts(content, grace);
    let members_content = decide(&facts, at);
    let mut decided = Vec::with_capacity(videos.len());
    for video in videos {
        let decision = contents.remove(&video).map(|content| {
            facts.content = content;
            decide(&facts, at)
        });
        decided.push((video, decision));
    }
    Ok(Checked { member: known.member, members_content, videos: decided })
}

/// A page of a member's entitlements, newest first, and whether there are more.
pub async fn list_entitlements(
    cx: &mut Cx,
    who: &MemberRef,
    before: &str,
    limit: u32,
) -> Result<(Vec<EntitlementView>, bool)> {
    let member = members::find(cx, who).await?;
    let (site, now) = (cx.site(), cx.now);
    let mut items = store::entitlements(cx.conn(), site, &member.id, before, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    Ok((items.into_iter().map(|one| one.with_state_at(now)).collect(), more))
}

/// A page of the members who have an entitlement to a bundle, in the order in which they were made, and whether there are
/// more.
pub async fn list_owners(
    cx: &mut Cx,
    bundle: &BundleId,
    state: Option<EntitlementState>,
    after: &str,
    limit: u32,
) -> Result<(Vec<BundleOwner>, bool)> {
    bundles::find(cx, bundle).await?;
    let (site, now) = (cx.site(), cx.now);
    let mut items = store::owners(cx.conn(), site, bundle, (state, now), after, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    Ok((items.into_iter().map(|one| one.at(now)).collect(), more))
}

/// Does something to one member, who is made first if `new` says so and the address is nobody's yet.
pub(super) async fn apply(cx: &mut Cx, who: &MemberRef, new: Option<New>, act: &Act) -> Result<Done> {
    if let Some(bundle) = act.bundle() {
        bundles::find(cx, bundle).await?;
    }
    let (member, is_new) = hold(cx, who, new).await.map_err(|error| could_create(error, who, act))?;
    let before = snapshot(cx, &member, act).await?;
    let fulfilled = match act {
        Act::GrantBundle { bundle, order_id: Some(id), until, .. } => {
            let until = until.map(Time::from_micros);
            !orders::take(cx, id, &member.id, bundle, until).await?
        }
        _ => false,
    };
    // An order that was granted before may be sent again, also when what it was for is over.
    if !fulfilled && act.is_over(cx.now) {
        return Err(over());
    }
    let (site, now, app) = (cx.site(), cx.now, cx.app.clone());
    let changed = !fulfilled && {
        let ids = std::slice::from_ref(&member.id);
        act.apply(cx.tx(), site, &app.clock, ids, By { job: None, now }).await? > 0
    };
    // Also when it is owned for as long already: what holds it is not the same.
    let after = if fulfilled { before.clone() } else { snapshot(cx, &member, act).await? };
    note(cx, &before, &after);
    let Snapshot { member, entitlement, access } = after;
    Ok(Done { member, is_new, changed, is_repeated: fulfilled, entitlement, access })
}

/// Gives a member free access, until a moment or for good. Who has it for as long keeps it.
pub async fn grant_free(cx: &mut Cx, who: &MemberRef, until: Option<Time>) -> Result<()> {
    apply(cx, who, None, &Act::GrantFree { until: until.map(Time::micros) }).await.map(drop)
}

/// The refusal of what would be over at once.
fn over() -> Error {
    Error::refused("args.expiresAt", "must be later than now")
}

/// To a shop whose buyer is no member yet, the call that would do it, within the scope that it has.
fn could_create(error: Error, who: &MemberRef, act: &Act) -> Error {
    match (who, act) {
        (MemberRef::Email(by), Act::GrantBundle { bundle, order_id, .. }) if error.code() == Code::MemberNotFound => {
            let mut args = json!({ "member": { "email": by.email.as_str() }, "bundle": bundle, "createMember": true });
            if let Some(order_id) = order_id {
                args["orderId"] = json!(order_id);
            }
            let text = "The site has no member with this address. With createMember, the same call makes one first.";
            let scope = Some(Scope::AccessGrant.name());
            Error::new(Code::MemberNotFound, text).fixed_by(Fix { tool: "access.grantBundle", args, scope })
        }
        _ => error,
    }
}

async fn hold(cx: &mut Cx, who: &MemberRef, new: Option<New>) -> Result<(Member, bool)> {
    let held = members::hold(cx, who).await;
    match (held, new) {
        (Err(error), Some(new)) if error.code() == Code::MemberNotFound => match members::create(cx, new).await {
            // Another call has made the member at the same moment.
            Err(error) if error.code() == Code::MemberExists => Ok((members::hold(cx, who).await?, false)),
            made => Ok((made?, true)),
        },
        (held, _) => Ok((held?, false)),
    }
}

/// How a member stands before or after something is done.
#[derive(Clone)]
pub(super) struct Snapshot {
    pub(super) member: Member,
    pub(super) entitlement: Option<EntitlementView>,
    pub(super) access: AccessView,
}

pub(super) async fn snapshot(cx: &mut Cx, member: &Member, act: &Act) -> Result<Snapshot> {
    let (site, now) = (cx.site(), cx.now);
    let gone = || Error::internal("a member that is held is gone");
    let known = store::known_by_id(cx.conn(), site, &member.id).await?.ok_or_else(gone)?;
    let entitlement = match act.bundle() {
        Some(bundle) => store::entitlement(cx.conn(), site, &member.id, bundle).await?,
        None => None,
    };
    let access = AccessView::from(&decide(&known.facts(act.content(), grace(cx)), now));
    let member = known.member.with_status_at(now);
    Ok(Snapshot { member, entitlement: entitlement.map(|one| one.with_state_at(now)), access })
}

/// Notes what is different, and whether the member gains or loses access by it.
pub(super) fn note(cx: &mut Cx, before: &Snapshot, after: &Snapshot) {
    let id = after.member.id.to_string();
    if before.member != after.member {
        cx.tx().note(Change::updated("member", &id, before.member.json(), after.member.json()));
    }
    match (&before.entitlement, &after.entitlement) {
        (before, after) if before == after => {}
        (None, Some(after)) => cx.tx().note(Change::created("entitlement", after.id.as_str(), after.json())),
        (Some(before), Some(after)) => {
            cx.tx().note(Change::updated("entitlement", after.id.as_str(), before.json(), after.json()));
        }
        (_, None) => {}
    }
    if before.access != after.access {
        cx.tx().note(Change::updated("access", &id, before.access.json(), after.access.json()));
    }
}

/// Notes that a member that was just made has access, if it has.
pub async fn note_new(cx: &mut Cx, member: &MemberId) -> Result<()> {
    let (site, now, grace) = (cx.site(), cx.now, grace(cx));
    let Some(known) = store::known_by_id(cx.conn(), site, member).await? else { return Ok(()) };
    let before = AccessView::from(&decide(&Facts::none(Content::members(), grace), now));
    let after = AccessView::from(&decide(&known.facts(Content::members(), grace), now));
    if before != after {
        cx.tx().note(Change::updated("access", member.as_str(), before.json(), after.json()));
    }
    Ok(())
}

/// Members of a group that a dry run tries it on.
const TRIED: usize = 5000;

/// Accepts a job that does something to each member of a group. In a dry run it says what would happen.
pub(super) async fn apply_to_group(cx: &mut Cx, group: &GroupId, act: Act) -> Result<(JobView, Option<JobPreview>)> {
    let members = groups::hold_free(cx, group).await?.member_count;
    if let Some(bundle) = act.bundle() {
        bundles::find(cx, bundle).await?;
    }
    if act.is_over(cx.now) {
        return Err(over());
    }
    let preview = match cx.dry_run {
        true => Some(try_on(cx, group, &act, u64::from(members)).await?),
        false => None,
    };
    let job = cx.enqueue(&Grant { group: group.clone(), act: act.clone() }).await?;
    let site = cx.site();
    groups::store::set_access_job(cx.conn(), site, group, &job.id).await?;
    // Who gets what, for the log and a dry run: the job's own row has only its counts.
    let mut what = json!({ "job": job.id, "act": act.shown(), "members": members });
    if let Some(preview) = &preview {
        what["preview"] = preview.json();
    }
    cx.tx().note(Change::created("groupAccess", group.as_str(), what));
    Ok((JobView::from_row(job)?, preview))
}

/// Does it to the first members of a group, in a transaction that is taken back.
async fn try_on(cx: &mut Cx, group: &GroupId, act: &Act, total: u64) -> Result<JobPreview> {
    let (site, now, app) = (cx.site(), cx.now, cx.app.clone());
    let members = store::places_after(cx.conn(), site, group, "", TRIED).await?;
    let held = store::hold(cx.conn(), site, members.iter().map(|id| id.as_str().to_owned()).collect()).await?;
    // As many at once as a statement takes.
    let mut at = At::default();
    let before = effect::crowd(cx, group, act.content(), TRIED).await?;
    for some in held.chunks(1000) {
        at.changed += act.apply(cx.tx(), site, &app.clock, some, By { job: None, now }).await?;
    }
    at.unchanged = held.len() as u64 - at.changed;
    at.failed = (members.len() - held.len()) as u64;
    effect::note_crowd(cx, group, before, TRIED, total).await?;
    Ok(JobPreview::of(total, members.len() as u64, at.outcomes(act)))
}
