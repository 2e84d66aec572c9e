use std::collections::HashSet;

use poem_openapi::Object;

use crate::{
    areas::{
        access::{self, AccessView, EntitlementView, Explanation, Reason, Wanted},
        billing::{self, status::SyncView},
        members::types::MemberRef,
    },
    error::{Error, Result},
    gate::Cx,
    paging::{Cursor, LAST, default_limit},
    tools::{Access, Scope, Tool},
    values::{At, BundleId, MemberId, Moment, Time, VideoId},
};

/// The list of entitlements has one order, newest first.
const ORDER: &str = "members.listEntitlements -id";

/// Whether a member may see something.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct AccessChecked {
    /// The member.
    #[oai(rename = "member")]
    member_id: MemberId,
    /// The moment that was asked about.
    at: Time,
    /// Whether the member may see it; with `videos`, member content in general.
    allowed: bool,
    /// Why.
    reason: Reason,
    /// If allowed: when it ends, as far as is known now; absent if no end is in sight.
    until: Option<Time>,
    /// With `videos`: what is decided of each, in the order in which they were named first.
    videos: Option<Vec<VideoChecked>>,
    /// With `videos`: those that the site does not have.
    missing_videos: Option<Vec<VideoId>>,
}

/// Whether a member may see one of several videos.
#[derive(Object)]
pub struct VideoChecked {
    /// The video.
    video: VideoId,
    /// Whether the member may see it.
    allowed: bool,
    /// Why.
    reason: Reason,
    /// If allowed: when it ends, as far as is known now; absent if no end is in sight.
    until: Option<Time>,
}

/// Check access
///
/// Whether a member may see a video, what is in a bundle, or member content in general, and until when. It is decided
/// by the same function as `members.whyPaywall`, which also says why and what would change it. For a player or a page:
/// ask it each time, as an expiry needs nobody's doing to take effect. With `videos` one call answers for a whole page.
#[derive(Object)]
pub struct CheckAccess {
    /// The member.
    member: MemberRef,
    /// The video; without it and `bundle`, member content in general.
    video: Option<VideoId>,
    /// 1 to 200 videos at once; or else `video` or `bundle`.
    #[oai(validator(min_items = 1, max_items = 200))]
    videos: Option<Vec<VideoId>>,
    /// The bundle.
    bundle: Option<BundleId>,
    /// The moment; now unless given. It is answered with what is known now: what was taken away or changed since is as
    /// it is now.
    at: Option<Moment<At>>,
}

impl Tool for CheckAccess {
    const NAME: &'static str = "members.checkAccess";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str =
        r#"{"member":{"email":"anna@example.com"},"video":"vid_01kan8v3t0e0rt8nfkzk1s7p4qs"}"#;
    type Output = AccessChecked;

    async fn run(self, cx: &mut Cx) -> Result<AccessChecked> {
        let at = self.at.map_or(cx.now, |at| at.in_zone(cx.zone()));
        if let Some(videos) = self.videos {
            if self.video.is_some() || self.bundle.is_some() {
                return Err(Error::refused("args.videos", "give one of `video`, `videos` and `bundle`"));
            }
            return check_videos(cx, &self.member, videos, at).await;
        }
        let wanted = wanted(self.video, self.bundle)?;
        let (member, decision) = access::check(cx, &self.member, &wanted, at).await?;
        let AccessView { allowed, reason, until } = AccessView::from(&decision);
        Ok(AccessChecked { member_id: member.id, at, allowed, reason, until, videos: None, missing_videos: None })
    }
}

async fn check_videos(cx: &mut Cx, who: &MemberRef, mut videos: Vec<VideoId>, at: Time) -> Result<AccessChecked> {
    let mut seen = HashSet::new();
    videos.retain(|video| seen.insert(video.clone()));
    let checked = access::check_videos(cx, who, videos, at).await?;
    let AccessView { allowed, reason, until } = AccessView::from(&checked.members_content);
    let (mut videos, mut missing) = (Vec::new(), Vec::new());
    for (video, decision) in checked.videos {
        match decision.as_ref().map(AccessView::from) {
            Some(AccessView { allowed, reason, until }) => {
                videos.push(VideoChecked { video, allowed, reason, until });
            }
            None => missing.push(video),
        }
    }
    let (videos, missing_videos) = (Some(videos), Some(missing));
    Ok(AccessChecked { member_id: checked.member.id, at, allowed, reason, until, videos, missing_videos })
}

/// Explain a paywall
///
/// Says in one call why a member does or does not see the paywall, rule by rule, and which calls would change it: each
/// of `fixes` can be made as it stands, and clears this refusal. It also looks for the usual traps: a checkout that was
/// left open, a comparison with Stripe that is older than a day, and somebody who may see it and has the same name or nearly
/// the same address, or pays at Stripe with this member's: often the same person with another address.
#[derive(Object)]
pub struct WhyPaywall {
    /// The member.
    member: MemberRef,
    /// The video that was locked; without it and `bundle`, member content in general.
    video: Option<VideoId>,
    /// The bundle that was locked.
    bundle: Option<BundleId>,
    /// The moment; now unless given. It is answered with what is known now: what was taken away or changed since is as
    /// it is now.
    at: Option<Moment<At>>,
}

impl Tool for WhyPaywall {
    const NAME: &'static str = "members.whyPaywall";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str =
        r#"{"member":{"email":"anna@example.com"},"video":"vid_01kan8v3t0e0rt8nfkzk1s7p4qs"}"#;
    type Output = Explanation;

    async fn run(self, cx: &mut Cx) -> Result<Explanation> {
        let wanted = wanted(self.video, self.bundle)?;
        let at = self.at.map_or(cx.now, |at| at.in_zone(cx.zone()));
        access::explain(cx, &self.member, &wanted, at).await
    }
}

/// What is asked about.
fn wanted(video: Option<VideoId>, bundle: Option<BundleId>) -> Result<Wanted> {
    match (video, bundle) {
        (Some(_), Some(_)) => Err(Error::refused("args.bundle", "give `video` or `bundle`, not both")),
        (Some(video), None) => Ok(Wanted::Video(video)),
        (None, Some(bundle)) => Ok(Wanted::Bundle(bundle)),
        (None, None) => Ok(Wanted::Members),
    }
}

/// Compare a member with Stripe
///
/// How what is known here of a member's subscriptions compares with Stripe: `synced`; `stale` if they were not compared
/// for more than a day; `drifted` if the nightly comparison has found a difference that is not read anew yet; `failing` if
/// reading fails, or the site's Stripe key cannot be used; `not_linked` if the member has nothing at Stripe. With it come
/// Stripe's ids, what is to be read still, and the recent changes: who had said so, by which event, and the state before
/// and after. `subscriptions.resync` reads everything of the member anew.
#[derive(Object)]
pub struct SyncMember {
    /// The member.
    member: MemberRef,
}

impl Tool for SyncMember {
    const NAME: &'static str = "members.syncStatus";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"}}"#;
    type Output = SyncView;

    async fn run(self, cx: &mut Cx) -> Result<SyncView> {
        billing::status::tell(cx, &self.member).await
    }
}

/// A page of entitlements.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct EntitlementPage {
    /// Newest first.
    items: Vec<EntitlementView>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List a member's entitlements
///
/// The bundles that a member owns or has owned, newest first, with how each stands: who granted it, for which
/// orders, until when.
#[derive(Object)]
pub struct ListEntitlements {
    /// The member.
    member: MemberRef,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListEntitlements {
    const NAME: &'static str = "members.listEntitlements";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"}}"#;
    type Output = EntitlementPage;

    async fn run(self, cx: &mut Cx) -> Result<EntitlementPage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(LAST.into(), |[id]| id);
        let (items, more) = access::list_entitlements(cx, &self.member, &before, self.limit).await?;
        let next_cursor = items.last().filter(|_| more).map(|one| Cursor::after(ORDER, [one.id.to_string()]).encode());
        Ok(EntitlementPage { items, next_cursor })
    }
}
