use std::collections::BTreeSet;

use poem_openapi::types::ToJSON as _;
use usher_db::Change;

use super::{
    store::{self, Filter, Watched},
    types::{Level, Video, Visibility, Watch, WatchProgress},
};
use crate::{
    areas::{
        access::effect,
        bundles,
        members::{self, MemberRef},
    },
    error::{Code, Error, Result},
    gate::Cx,
    paging::{self, LAST},
    tools::{Scope, schema},
    values::{PlanId, Slug, Time, Title, VideoId},
};

/// Slugs that are tried for a title before the caller is asked for one.
const TRIES: u32 = 1000;

/// Who a video is to be for.
#[derive(Clone, Debug)]
pub struct Audience {
    pub level: Level,
    pub allowed_plans: Vec<PlanId>,
}

/// How a video is to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Showing {
    pub visibility: Visibility,
    pub from: Option<Time>,
    pub until: Option<Time>,
}

/// A page of videos, newest first; the last tells whether there are more.
pub async fn list(cx: &mut Cx, filter: &Filter, before: &str, limit: u32) -> Result<(Vec<Video>, bool)> {
    if let Some(bundle) = &filter.bundle {
        bundles::find(cx, bundle).await?;
    }
    let site = cx.site();
    let mut items = store::list(cx.conn(), site, filter, before, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    Ok((items, more))
}

/// The video that a call is about.
pub async fn find(cx: &mut Cx, id: &VideoId) -> Result<Video> {
    let site = cx.site();
    store::by_id(cx.conn(), site, id).await?.ok_or_else(|| not_found(id))
}

/// The same for a call that writes: until it has ended, no other changes this video.
async fn hold(cx: &mut Cx, id: &VideoId) -> Result<Video> {
    let site = cx.site();
    match store::hold(cx.conn(), site, id).await? {
        true => find(cx, id).await,
        false => Err(not_found(id)),
    }
}

/// The refusal of a video that the site does not have.
pub fn not_found(id: &VideoId) -> Error {
    let text = format!("The site has no video {id}. Find it with videos.list, or make it with videos.create.");
    Error::new(Code::VideoNotFound, text)
}

/// Makes a video.
pub async fn create(
    cx: &mut Cx,
    title: Title,
    slug: Option<Slug>,
    audience: Audience,
    showing: Showing,
) -> Result<Video> {
    let allowed_plans = plans(cx, &audience).await?;
    check(showing)?;
    let id: VideoId = cx.app.clock.id();
    let mut video = Video {
        slug: slug.clone().or_else(|| Slug::of(&title)).unwrap_or_else(|| slug_of_id(&id)),
        id,
        title,
        level: audience.level,
        allowed_plans,
        visibility: showing.visibility,
        visible_from: showing.from,
        visible_until: showing.until,
        created_at: cx.now,
        updated_at: cx.now,
    };
    let (site, wanted) = (cx.site(), video.slug.clone());
    let mut number = 1;
    while !store::insert(cx.conn(), site, &video).await? {
        number += 1;
        if slug.is_some() || number > TRIES {
            return Err(slug_taken(&wanted));
        }
        video.slug = wanted.numbered(number);
    }
    if !video.allowed_plans.is_empty() {
        store::insert_plans(cx.conn(), site, &video.id, &video.allowed_plans).await?;
    }
    cx.tx().note(Change::created("video", video.id.as_str(), video.json()));
    Ok(video)
}

/// A slug for a title without letters.
fn slug_of_id(id: &VideoId) -> Slug {
    Slug::parse(&id.as_str().replace('_', "-")).expect("an id has letters and digits only")
}

/// Renames a video.
pub async fn update(cx: &mut Cx, id: &VideoId, title: Option<Title>, slug: Option<Slug>) -> Result<Video> {
    let before = hold(cx, id).await?;
    let mut after = before.clone();
    after.title = title.unwrap_or(after.title);
    if let Some(slug) = slug.filter(|slug| *slug != before.slug) {
        let site = cx.site();
        if store::id_of(cx.conn(), site, &slug).await?.is_some() {
            return Err(slug_taken(&slug));
        }
        after.slug = slug;
    }
    write(cx, &before, after).await
}

/// Says who a video is for.
pub async fn set_access(cx: &mut Cx, id: &VideoId, audience: Audience) -> Result<Video> {
    let allowed_plans = plans(cx, &audience).await?;
    let before = hold(cx, id).await?;
    let content = effect::before(cx, std::slice::from_ref(id)).await?;
    let after = Video { level: audience.level, allowed_plans, ..before.clone() };
    if after.allowed_plans != before.allowed_plans {
        let site = cx.site();
        store::delete_plans(cx.conn(), site, id).await?;
        if !after.allowed_plans.is_empty() {
            store::insert_plans(cx.conn(), site, id, &after.allowed_plans).await?;
        }
    }
    let after = write(cx, &before, after).await?;
    effect::note(cx, id.as_str(), content).await?;
    Ok(after)
}

/// Says whether a video is shown.
pub async fn set_visibility(cx: &mut Cx, id: &VideoId, showing: Showing) -> Result<Video> {
    check(showing)?;
    let before = hold(cx, id).await?;
    let content = effect::before(cx, std::slice::from_ref(id)).await?;
    let Showing { visibility, from, until } = showing;
    let after = Video { visibility, visible_from: from, visible_until: until, ..before.clone() };
    let after = write(cx, &before, after).await?;
    effect::note(cx, id.as_str(), content).await?;
    Ok(after)
}

/// Writes what is different, if anything is.
async fn write(cx: &mut Cx, before: &Video, mut after: Video) -> Result<Video> {
    if after == *before {
        return Ok(after);
    }
    after.updated_at = cx.now.or_after(before.updated_at);
    let site = cx.site();
    store::update(cx.conn(), site, &after).await.map_err(|error| slug_taken_meanwhile(error, &after.slug))?;
    cx.tx().note(Change::updated("video", after.id.as_str(), before.json(), after.json()));
    Ok(after)
}

/// The plans of an audience, sorted and each once.
async fn plans(cx: &mut Cx, audience: &Audience) -> Result<Vec<PlanId>> {
    if audience.allowed_plans.is_empty() {
        return Ok(Vec::new());
    }
    if audience.level != Level::Members {
        return Err(Error::refused("args.allowedPlans", "only a video with the level members is limited to plans"));
    }
    let ids: BTreeSet<_> = audience.allowed_plans.iter().map(PlanId::as_str).collect();
    let site = cx.site();
    let known = store::known_plans(cx.conn(), site, ids.iter().map(|id| (*id).to_owned()).collect()).await?;
    if known.len() < ids.len() {
        let unknown = ids.into_iter().find(|id| !known.iter().any(|(known,)| known.as_str() == *id));
        let text = format!("The site has no plan {}; nothing was changed.", unknown.unwrap_or_default());
        return Err(Error::new(Code::PlanNotFound, text));
    }
    let mut known: Vec<_> = known.into_iter().map(|(id,)| id).collect();
    known.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    Ok(known)
}

fn check(showing: Showing) -> Result<()> {
    let is_scheduled = showing.visibility == Visibility::Scheduled;
    match (showing.from, showing.until) {
        (None, None) if is_scheduled => {
            Err(Error::refused("args.from", "a scheduled video needs `from`, `until` or both"))
        }
        (from, until) if !is_scheduled && (from.is_some() || until.is_some()) => {
            let field = if from.is_some() { "args.from" } else { "args.until" };
            Err(Error::refused(field, "only with the visibility scheduled"))
        }
        (Some(from), Some(until)) if from >= until => Err(Error::refused("args.until", "must be later than `from`")),
        _ => Ok(()),
    }
}

fn slug_taken(slug: &Slug) -> Error {
    Error::new(Code::SlugTaken, format!("Another video has the slug {slug}. Choose another one."))
}

/// On PostgreSQL another call can take the slug between the look and the write.
fn slug_taken_meanwhile(error: usher_db::Error, slug: &Slug) -> Error {
    match error.as_database_error().is_some_and(|cause| cause.is_unique_violation()) {
        true => slug_taken(slug).caused_by(error),
        false => error.into(),
    }
}

/// What was watched, by whom.
pub struct WatchPage {
    /// Newest members or newest videos first.
    pub items: Vec<WatchProgress>,
    /// Whether there are more.
    pub more: bool,
    /// How many began, and how many of these came to the end, on the first page.
    pub counted: Option<(u32, u32)>,
}

/// How many are counted.
pub const COUNTED: u32 = 10_000;

/// A page of how far a member got in videos, or members in a video; of both, it is one.
pub async fn watch_progress(
    cx: &mut Cx,
    member: Option<&MemberRef>,
    video: Option<&VideoId>,
    completed: Option<bool>,
    before: &str,
    limit: u32,
) -> Result<WatchPage> {
    let member = match member {
        Some(member) => Some(members::find(cx, member).await?.id),
        None => None,
    };
    if let Some(video) = video {
        find(cx, video).await?;
    }
    let site = cx.site();
    let of = match (&member, video) {
        (Some(member), None) => Watched::Member(member),
        (None, Some(video)) => Watched::Video(video),
        (Some(member), Some(video)) => {
            // The first before what comes right after the video.
            let next = format!("{video}!");
            let first = store::progress(cx.conn(), site, Watched::Member(member), None, &next, 1).await?;
            let fits = |one: &WatchProgress| {
                one.video_id == *video && completed.is_none_or(|completed| completed == one.completed_at.is_some())
            };
            let items = first.into_iter().filter(fits).map(|one| seen_by(cx, one)).collect();
            return Ok(WatchPage { items, more: false, counted: None });
        }
        (None, None) => return Err(Error::refused("args.video", "give `video`, `member` or both")),
    };
    let mut items = store::progress(cx.conn(), site, of, completed, before, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    let counted = match before == LAST {
        true => Some(store::count_progress(cx.conn(), site, of, COUNTED + 1).await?),
        false => None,
    };
    let items = items.into_iter().map(|one| seen_by(cx, one)).collect();
    Ok(WatchPage { items, more, counted })
}

/// What a key may see of it.
fn seen_by(cx: &Cx, one: WatchProgress) -> WatchProgress {
    match cx.caller.key.scopes.has(Scope::MembersRead) {
        true => one,
        false => WatchProgress { member_email: None, member_name: None, ..one },
    }
}

/// Records how far a member got in a video.
pub async fn record(
    cx: &mut Cx,
    member: &MemberRef,
    video: &VideoId,
    position_s: u32,
    is_complete: bool,
) -> Result<Watch> {
    let member_id = members::hold(cx, member).await?.id;
    find(cx, video).await?;
    let (site, now) = (cx.site(), cx.now);
    let before = store::watch(cx.conn(), site, &member_id, video).await?;
    let after = match &before {
        Some(before) => Watch {
            position_s,
            furthest_s: before.furthest_s.max(position_s),
            completed_at: before.completed_at.or(is_complete.then_some(now)),
            updated_at: now.max(before.updated_at),
            ..before.clone()
        },
        None => Watch {
            member_id,
            video_id: video.clone(),
            position_s,
            furthest_s: position_s,
            completed_at: is_complete.then_some(now),
            created_at: now,
            updated_at: now,
        },
    };
    store::record(cx.conn(), site, &after).await?;
    let json = |watch: &Watch| {
        let mut value = watch.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        value
    };
    let id = format!("{}/{}", after.member_id, after.video_id);
    cx.tx().note(match &before {
        Some(before) => Change::updated("watch", &id, json(before), json(&after)),
        None => Change::created("watch", &id, json(&after)),
    });
    Ok(after)
}
