use poem_openapi::Object;

use super::{
    actions::{self, Changes},
    store::Filter,
    types::Bundle,
};
use crate::{
    areas::{
        access::{self, BundleOwner, EntitlementState},
        activity::store::escape,
    },
    error::Result,
    gate::Cx,
    paging::{Cursor, LAST, default_limit},
    tools::{Access, Area, Risk, Scope, Tool, Versioned, tools},
    values::{BundleId, Plain, Title, VideoId, search_key},
};

/// The tools of bundles.
pub const AREA: Area = Area {
    name: "bundles",
    about: "Content that is sold or given as a package.",
    tools: tools![
        ListBundles,
        GetBundle,
        ListBundleMembers,
        CreateBundle,
        UpdateBundle,
        ArchiveBundle,
        AddVideos,
        RemoveVideos
    ],
};

/// The list has one order, newest first.
const ORDER: &str = "bundles.list -id";

/// A page of bundles.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BundlePage {
    /// Newest first.
    items: Vec<Bundle>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List bundles
///
/// The site's bundles, newest first; the archived ones only if asked for.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListBundles {
    /// Only those with this text in the name, whatever its case. 1 to 200 characters.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[^\x00]*$"))]
    text: Option<String>,
    /// Only public (`true`) or only private (`false`) ones.
    public: Option<bool>,
    /// The archived ones too.
    #[oai(default)]
    with_archived: bool,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListBundles {
    const NAME: &'static str = "bundles.list";
    const ACCESS: Access = Access::read(Scope::BundlesRead);
    const EXAMPLE: &'static str = r#"{"public":true}"#;
    type Output = BundlePage;

    async fn run(self, cx: &mut Cx) -> Result<BundlePage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(LAST.into(), |[id]| id);
        let filter = Filter {
            public: self.public,
            with_archived: self.with_archived,
            pattern: self.text.map(|text| format!("%{}%", escape(&search_key(&text)))),
        };
        let (items, more) = actions::list(cx, &filter, &before, self.limit).await?;
        let next_cursor =
            items.last().filter(|_| more).map(|bundle| Cursor::after(ORDER, [bundle.id.to_string()]).encode());
        Ok(BundlePage { items, next_cursor })
    }
}

/// One bundle.
#[derive(Object)]
pub struct BundleResult {
    /// The bundle.
    bundle: Bundle,
}

/// A bundle that a call was to change.
#[derive(Object)]
pub struct BundleSaved {
    /// The bundle as it is now.
    bundle: Bundle,
    /// Whether the call changed anything.
    changed: bool,
}

/// Get a bundle
///
/// One bundle. `videos.list` with `bundle` gives what is in it.
#[derive(Object)]
pub struct GetBundle {
    /// The bundle.
    bundle: BundleId,
}

impl Tool for GetBundle {
    const NAME: &'static str = "bundles.get";
    const ACCESS: Access = Access::read(Scope::BundlesRead);
    const EXAMPLE: &'static str = r#"{"bundle":"bun_01kan8v3t0e0rt8nfkzk1s7p4qi"}"#;
    type Output = BundleResult;

    async fn run(self, cx: &mut Cx) -> Result<BundleResult> {
        Ok(BundleResult { bundle: actions::find(cx, &self.bundle).await? })
    }
}

/// Members come in the order of their ids, which is that in which they were made.
const MEMBERS_ORDER: &str = "bundles.listMembers id";

/// A page of a bundle's owners.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BundleMemberPage {
    /// In the order in which the members were made.
    items: Vec<BundleOwner>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List a bundle's members
///
/// Who owns a bundle, in the order in which the members were made: since when, until when and who granted it. With `state`
/// those whose right has expired or was taken away. `members.listEntitlements` shows the orders behind one of them. Who may
/// watch it without owning it, such as a bundle's video of another level, is not listed.
#[derive(Object)]
pub struct ListBundleMembers {
    /// The bundle.
    bundle: BundleId,
    /// Only those whose right is `active` (unless said otherwise), `expired` or `revoked`.
    #[oai(default = "active")]
    state: EntitlementState,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

fn active() -> EntitlementState {
    EntitlementState::Active
}

impl Tool for ListBundleMembers {
    const NAME: &'static str = "bundles.listMembers";
    const ACCESS: Access = Access::read(Scope::BundlesRead).also(&[Scope::MembersRead]);
    const EXAMPLE: &'static str = r#"{"bundle":"bun_01kan8v3t0e0rt8nfkzk1s7p4qi"}"#;
    type Output = BundleMemberPage;

    async fn run(self, cx: &mut Cx) -> Result<BundleMemberPage> {
        let after = Cursor::decode::<1>(self.cursor.as_deref(), MEMBERS_ORDER)?.map_or(String::new(), |[id]| id);
        let (items, more) = access::list_owners(cx, &self.bundle, Some(self.state), &after, self.limit).await?;
        let place = |owner: &BundleOwner| Cursor::after(MEMBERS_ORDER, [owner.member.id.to_string()]).encode();
        let next_cursor = items.last().filter(|_| more).map(place);
        Ok(BundleMemberPage { items, next_cursor })
    }
}

/// Create a bundle
///
/// Makes a bundle without videos; private unless said otherwise. Names may repeat.
#[derive(Object)]
pub struct CreateBundle {
    /// What it is called: one line of 1 to 200 characters.
    name: Title,
    /// What is in it, for people; at most 5,000 characters.
    description: Option<Plain<5000>>,
    /// Whether it is offered to everyone.
    #[oai(default)]
    public: bool,
}

impl Tool for CreateBundle {
    const NAME: &'static str = "bundles.create";
    const ACCESS: Access = Access::write(Scope::BundlesManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"name":"Watercolour, lifetime","public":true}"#;
    type Output = BundleResult;

    async fn run(self, cx: &mut Cx) -> Result<BundleResult> {
        Ok(BundleResult {
            bundle: actions::create(cx, self.name, self.description.map(Plain::into_string), self.public).await?,
        })
    }
}

/// Update a bundle
///
/// Changes what is given and leaves the rest as it is. An empty description takes it away.
#[derive(Object)]
pub struct UpdateBundle {
    /// The bundle.
    bundle: BundleId,
    /// The new name: one line of 1 to 200 characters.
    name: Option<Title>,
    /// The new description, at most 5,000 characters.
    description: Option<Plain<5000>>,
    /// Whether it is offered to everyone.
    public: Option<bool>,
}

impl Tool for UpdateBundle {
    const NAME: &'static str = "bundles.update";
    const ACCESS: Access = Access::write(Scope::BundlesManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"bundle":"bun_01kan8v3t0e0rt8nfkzk1s7p4qi","public":false}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::BUNDLE);
    type Output = BundleSaved;

    async fn run(self, cx: &mut Cx) -> Result<BundleSaved> {
        let changes =
            Changes { name: self.name, description: self.description.map(Plain::into_string), public: self.public };
        let bundle = actions::update(cx, &self.bundle, changes).await?;
        Ok(BundleSaved { bundle, changed: cx.has_changed() })
    }
}

/// Archive a bundle
///
/// Takes a bundle out of the list and ends its sale. Who owns it keeps it, and it can still be granted, so that an
/// order that was paid before is fulfilled. `archived: false` takes it back.
#[derive(Object)]
pub struct ArchiveBundle {
    /// The bundle.
    bundle: BundleId,
    /// `true` to archive it, `false` to take it back.
    #[oai(default = "yes")]
    archived: bool,
}

fn yes() -> bool {
    true
}

impl Tool for ArchiveBundle {
    const NAME: &'static str = "bundles.archive";
    const ACCESS: Access = Access::write(Scope::BundlesManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"bundle":"bun_01kan8v3t0e0rt8nfkzk1s7p4qi"}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::BUNDLE);
    type Output = BundleSaved;

    async fn run(self, cx: &mut Cx) -> Result<BundleSaved> {
        let bundle = actions::archive(cx, &self.bundle, self.archived).await?;
        Ok(BundleSaved { bundle, changed: cx.has_changed() })
    }
}

/// A bundle that was given videos.
#[derive(Object)]
pub struct BundleVideosAdded {
    /// The bundle as it is now.
    bundle: Bundle,
    /// Whether the call changed anything.
    changed: bool,
    /// How many of the videos were not in the bundle before.
    added: u32,
}

/// A bundle that lost videos.
#[derive(Object)]
pub struct BundleVideosRemoved {
    /// The bundle as it is now.
    bundle: Bundle,
    /// Whether the call changed anything.
    changed: bool,
    /// How many of the videos were in the bundle before.
    removed: u32,
}

/// Add videos to a bundle
///
/// Puts videos into a bundle, all or none; those that are in it already stay. Who owns the bundle may watch those of
/// level `bundle` at once; a dry run says how many gain one, as that of `videos.setAccess` does.
#[derive(Object)]
pub struct AddVideos {
    /// The bundle.
    bundle: BundleId,
    /// 1 to 500 videos.
    #[oai(validator(min_items = 1, max_items = 500))]
    videos: Vec<VideoId>,
}

impl Tool for AddVideos {
    const NAME: &'static str = "bundles.addVideos";
    const ACCESS: Access = Access::write(Scope::BundlesManage, Risk::Medium);
    const EXAMPLE: &'static str =
        r#"{"bundle":"bun_01kan8v3t0e0rt8nfkzk1s7p4qi","videos":["vid_01kan8v3t0e0rt8nfkzk1s7p4qs"]}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::BUNDLE);
    type Output = BundleVideosAdded;

    async fn run(self, cx: &mut Cx) -> Result<BundleVideosAdded> {
        let (bundle, added) = actions::add_videos(cx, &self.bundle, self.videos).await?;
        Ok(BundleVideosAdded { bundle, changed: added > 0, added })
    }
}

/// Remove videos from a bundle
///
/// Takes videos out of a bundle; those that are not in it are no fault. Owners lose those of level `bundle` at once,
/// unless another bundle of theirs holds them; a dry run says how many lose one, as that of `videos.setAccess` does.
#[derive(Object)]
pub struct RemoveVideos {
    /// The bundle.
    bundle: BundleId,
    /// 1 to 500 videos.
    #[oai(validator(min_items = 1, max_items = 500))]
    videos: Vec<VideoId>,
}

impl Tool for RemoveVideos {
    const NAME: &'static str = "bundles.removeVideos";
    const ACCESS: Access = Access::write(Scope::BundlesManage, Risk::Medium);
    const EXAMPLE: &'static str =
        r#"{"bundle":"bun_01kan8v3t0e0rt8nfkzk1s7p4qi","videos":["vid_01kan8v3t0e0rt8nfkzk1s7p4qs"]}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::BUNDLE);
    type Output = BundleVideosRemoved;

    async fn run(self, cx: &mut Cx) -> Result<BundleVideosRemoved> {
        let (bundle, removed) = actions::remove_videos(cx, &self.bundle, self.videos).await?;
        Ok(BundleVideosRemoved { bundle, changed: removed > 0, removed })
    }
}
