use poem_openapi::Object;

use super::{
    actions::{self, Audience, Showing},
    store::Filter,
    types::{Level, Video, Visibility, Watch, WatchProgress},
};
use crate::{
    areas::{activity::store::escape, members::MemberRef},
    error::Result,
    gate::Cx,
    paging::{Cursor, LAST, default_limit},
    tools::{Access, Area, Risk, Scope, Tool, Versioned, tools},
    values::{Beginning, BundleId, End, Moment, PlanId, Slug, Title, VideoId, Zone, search_key},
};

/// The tools of videos.
pub const AREA: Area = Area {
    name: "videos",
    about: "What members watch, whom it is for, and how far each member got.",
    tools: tools![
        ListVideos,
        GetVideo,
        CreateVideo,
        UpdateVideo,
        SetAccess,
        SetVisibility,
        RecordWatch,
        ListWatchProgress
    ],
};

/// The list has one order, newest first.
const ORDER: &str = "videos.list -id";

/// A page of videos.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct VideoPage {
    /// Newest first.
    items: Vec<Video>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List videos
///
/// The site's videos, newest first. Filters that are given must all hold.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListVideos {
    /// Only those with this text in title or slug, whatever its case. 1 to 200 characters.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[^\x00]*$"))]
    text: Option<String>,
    /// Only those of this level.
    level: Option<Level>,
    /// Only those with this visibility, as it was set.
    visibility: Option<Visibility>,
    /// Only those in this bundle.
    bundle: Option<BundleId>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListVideos {
    const NAME: &'static str = "videos.list";
    const ACCESS: Access = Access::read(Scope::VideosRead);
    const EXAMPLE: &'static str = r#"{"level":"bundle","text":"brush"}"#;
    type Output = VideoPage;

    async fn run(self, cx: &mut Cx) -> Result<VideoPage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(LAST.into(), |[id]| id);
        let filter = Filter {
            level: self.level,
            visibility: self.visibility,
            bundle: self.bundle,
            pattern: self.text.map(|text| format!("%{}%", escape(&search_key(&text)))),
        };
        let (items, more) = actions::list(cx, &filter, &before, self.limit).await?;
        let next_cursor =
            items.last().filter(|_| more).map(|video| Cursor::after(ORDER, [video.id.to_string()]).encode());
        Ok(VideoPage { items, next_cursor })
    }
}

/// One video.
#[derive(Object)]
pub struct VideoResult {
    /// The video.
    video: Video,
}

/// A video that a call was to change.
#[derive(Object)]
pub struct VideoSaved {
    /// The video as it is now.
    video: Video,
    /// Whether the call changed anything.
    changed: bool,
}

/// Get a video
///
/// One video, with its level and visibility.
#[derive(Object)]
pub struct GetVideo {
    /// The video.
    video: VideoId,
}

impl Tool for GetVideo {
    const NAME: &'static str = "videos.get";
    const ACCESS: Access = Access::read(Scope::VideosRead);
    const EXAMPLE: &'static str = r#"{"video":"vid_01kan8v3t0e0rt8nfkzk1s7p4qs"}"#;
    type Output = VideoResult;

    async fn run(self, cx: &mut Cx) -> Result<VideoResult> {
        Ok(VideoResult { video: actions::find(cx, &self.video).await? })
    }
}

/// Create a video
///
/// Makes a video: for members and unpublished, unless said otherwise. Without a slug it gets one made of its title,
/// with a number behind if that is taken.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct CreateVideo {
    /// What it is called: one line of 1 to 200 characters.
    title: Title,
    /// What stands for it in addresses: letters a to z, digits and single hyphens, at most 100. One that another
    /// video has is refused as `slug_taken`.
    slug: Option<Slug>,
    /// Who it is for.
    #[oai(default = "default_level")]
    level: Level,
    /// The plans that it is limited to, at most 100; only for the level `members`.
    #[oai(validator(max_items = 100))]
    allowed_plans: Option<Vec<PlanId>>,
    /// Whether it is shown.
    #[oai(default = "default_visibility")]
    visibility: Visibility,
    /// When it begins to be shown; only for the visibility `scheduled`.
    from: Option<Moment<Beginning>>,
    /// When it ceases to be shown; only for the visibility `scheduled`.
    until: Option<Moment<End>>,
}

fn default_level() -> Level {
    Level::Members
}

fn default_visibility() -> Visibility {
    Visibility::Unpublished
}

impl Tool for CreateVideo {
    const NAME: &'static str = "videos.create";
    const ACCESS: Access = Access::write(Scope::VideosManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"title":"Lesson 1: The brush","visibility":"published"}"#;
    type Output = VideoResult;

    async fn run(self, cx: &mut Cx) -> Result<VideoResult> {
        let audience = Audience { level: self.level, allowed_plans: self.allowed_plans.unwrap_or_default() };
        let showing = showing(self.visibility, self.from, self.until, cx.zone());
        Ok(VideoResult { video: actions::create(cx, self.title, self.slug, audience, showing).await? })
    }
}

fn showing(visibility: Visibility, from: Option<Moment<Beginning>>, until: Option<Moment<End>>, zone: Zone) -> Showing {
    let (from, until) = (from.map(|from| from.in_zone(zone)), until.map(|until| until.in_zone(zone)));
    Showing { visibility, from, until }
}

/// Rename a video
///
/// Changes title or slug; what is not given stays. Addresses with the old slug cease to work.
#[derive(Object)]
pub struct UpdateVideo {
    /// The video.
    video: VideoId,
    /// The new title: one line of 1 to 200 characters.
    title: Option<Title>,
    /// The new slug. One that another video has is refused as `slug_taken`.
    slug: Option<Slug>,
}

impl Tool for UpdateVideo {
    const NAME: &'static str = "videos.update";
    const ACCESS: Access = Access::write(Scope::VideosManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"video":"vid_01kan8v3t0e0rt8nfkzk1s7p4qs","title":"Lesson 1: The round brush"}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::VIDEO);
    type Output = VideoSaved;

    async fn run(self, cx: &mut Cx) -> Result<VideoSaved> {
        let video = actions::update(cx, &self.video, self.title, self.slug).await?;
        Ok(VideoSaved { video, changed: cx.has_changed() })
    }
}

/// Set who a video is for
///
/// Sets the level, and for the level `members` the plans it is limited to. It counts at once: members may lose or gain
/// the video; `members.whyPaywall` tells for each, and a dry run how many: the change `membersAccess` has `gain` and `lose`,
/// with up to 200 members by id, unless the site has more than 100,000 members or 10,000 of them have anything that access
/// is decided on (`counted: false`).
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct SetAccess {
    /// The video.
    video: VideoId,
    /// Who it is for.
    level: Level,
    /// The plans that it is limited to, at most 100; none for every plan. Only for the level `members`.
    #[oai(validator(max_items = 100))]
    allowed_plans: Option<Vec<PlanId>>,
}

impl Tool for SetAccess {
    const NAME: &'static str = "videos.setAccess";
    const ACCESS: Access = Access::write(Scope::VideosManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"video":"vid_01kan8v3t0e0rt8nfkzk1s7p4qs","level":"bundle"}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::VIDEO);
    type Output = VideoSaved;

    async fn run(self, cx: &mut Cx) -> Result<VideoSaved> {
        let audience = Audience { level: self.level, allowed_plans: self.allowed_plans.unwrap_or_default() };
        let video = actions::set_access(cx, &self.video, audience).await?;
        Ok(VideoSaved { video, changed: cx.has_changed() })
    }
}

/// Show or hide a video
///
/// Sets the visibility, which comes before everything else: what is not shown, nobody may watch. Moments of an
/// earlier schedule are forgotten. A dry run says how many members gain and lose it, as that of `videos.setAccess` does.
#[derive(Object)]
pub struct SetVisibility {
    /// The video.
    video: VideoId,
    /// Whether it is shown.
    visibility: Visibility,
    /// When it begins to be shown; only for `scheduled`.
    from: Option<Moment<Beginning>>,
    /// When it ceases to be shown; only for `scheduled`.
    until: Option<Moment<End>>,
}

impl Tool for SetVisibility {
    const NAME: &'static str = "videos.setVisibility";
    const ACCESS: Access = Access::write(Scope::VideosManage, Risk::Medium);
    const EXAMPLE: &'static str =
        r#"{"video":"vid_01kan8v3t0e0rt8nfkzk1s7p4qs","visibility":"scheduled","from":"2026-12-01T08:00:00Z"}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::VIDEO);
    type Output = VideoSaved;

    async fn run(self, cx: &mut Cx) -> Result<VideoSaved> {
        let showing = showing(self.visibility, self.from, self.until, cx.zone());
        let video = actions::set_visibility(cx, &self.video, showing).await?;
        Ok(VideoSaved { video, changed: cx.has_changed() })
    }
}

/// How far a member has watched a video.
#[derive(Object)]
pub struct WatchResult {
    /// The progress that is recorded now.
    watch: Watch,
}

/// Record a member's progress
///
/// Says how far a member got in a video, for a player that reports it. The furthest position and the first completion
/// are kept. It asks nothing about access.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct RecordWatch {
    /// The member.
    member: MemberRef,
    /// The video.
    video: VideoId,
    /// Where the player is: seconds from the beginning, up to 604,800 (a week).
    #[oai(validator(minimum(value = "0"), maximum(value = "604800")))]
    position_s: u32,
    /// Whether the end was reached.
    #[oai(default)]
    completed: bool,
}

impl Tool for RecordWatch {
    const NAME: &'static str = "videos.recordWatch";
    const ACCESS: Access = Access::write(Scope::VideosManage, Risk::Low);
    const EXAMPLE: &'static str =
        r#"{"member":{"email":"anna@example.com"},"video":"vid_01kan8v3t0e0rt8nfkzk1s7p4qs","positionS":312}"#;
    type Output = WatchResult;

    async fn run(self, cx: &mut Cx) -> Result<WatchResult> {
        Ok(WatchResult {
            watch: actions::record(cx, &self.member, &self.video, self.position_s, self.completed).await?,
        })
    }
}

/// The order of progress: by id, newest first.
const WATCH_ORDER: &str = "videos.watchProgress -id";

/// How many began, and how many came to the end.
#[derive(Object)]
pub struct WatchCounts {
    /// How many have begun; at most 10,000 are counted.
    started: u32,
    /// How many of these have watched it to its end.
    completed: u32,
    /// Present if there are more than were counted.
    more: Option<bool>,
}

/// A page of what was watched.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct WatchProgressPage {
    /// Of a video the newest members first, of a member the newest videos.
    items: Vec<WatchProgress>,
    /// Only on the first page of a video or of a member: how many there are, whatever `completed` says.
    counts: Option<WatchCounts>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List what was watched
///
/// How far members got in a video, or a member in all videos, as players have reported with `videos.recordWatch`: with
/// `video` who has watched it, with `member` what that member has watched, with both the one. Names and addresses of
/// members are shown to a key that also has `members:read`.
#[derive(Object)]
pub struct ListWatchProgress {
    /// The video.
    video: Option<VideoId>,
    /// The member.
    member: Option<MemberRef>,
    /// Only what was watched to its end (`true`), or only what was not (`false`).
    completed: Option<bool>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListWatchProgress {
    const NAME: &'static str = "videos.watchProgress";
    const ACCESS: Access = Access::read(Scope::VideosRead);
    const EXAMPLE: &'static str = r#"{"video":"vid_01kan8v3t0e0rt8nfkzk1s7p4qs","completed":true}"#;
    type Output = WatchProgressPage;

    async fn run(self, cx: &mut Cx) -> Result<WatchProgressPage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), WATCH_ORDER)?.map_or(LAST.into(), |[id]| id);
        let (member, video) = (self.member.as_ref(), self.video.as_ref());
        let page = actions::watch_progress(cx, member, video, self.completed, &before, self.limit).await?;
        let place = |one: &WatchProgress| match video {
            Some(_) => one.member_id.to_string(),
            None => one.video_id.to_string(),
        };
        let next_cursor =
            page.items.last().filter(|_| page.more).map(|one| Cursor::after(WATCH_ORDER, [place(one)]).encode());
        let counts = page.counted.map(|(started, completed)| WatchCounts {
            started: started.min(actions::COUNTED),
            completed: completed.min(actions::COUNTED),
            more: (started > actions::COUNTED).then_some(true),
        });
        Ok(WatchProgressPage { items: page.items, counts, next_cursor })
    }
}
