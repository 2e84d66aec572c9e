use std::collections::{BTreeSet, HashSet};

use serde_json::json;
use usher_db::Change;

use super::{
    store::{self, Filter},
    types::Bundle,
};
use crate::{
    areas::{access::effect, videos},
    error::{Code, Error, Result},
    gate::Cx,
    paging,
    values::{BundleId, Title, VideoId},
};

/// What is to become of a bundle; `None` stays as it is.
pub struct Changes {
    pub name: Option<Title>,
    pub description: Option<String>,
    pub public: Option<bool>,
}

/// A page of bundles, newest first, and whether there are more.
pub async fn list(cx: &mut Cx, filter: &Filter, before: &str, limit: u32) -> Result<(Vec<Bundle>, bool)> {
    let site = cx.site();
    let mut items = store::list(cx.conn(), site, filter, before, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    Ok((items, more))
}

/// The bundle that a call is about.
pub async fn find(cx: &mut Cx, id: &BundleId) -> Result<Bundle> {
    let site = cx.site();
    store::by_id(cx.conn(), site, id).await?.ok_or_else(|| {
        let text = format!("The site has no bundle {id}. Find it with bundles.list, or make it with bundles.create.");
        Error::new(Code::BundleNotFound, text)
    })
}

/// The same for a call that writes: until it has ended, no other changes this bundle.
async fn hold(cx: &mut Cx, id: &BundleId) -> Result<Bundle> {
    let site = cx.site();
    store::hold(cx.conn(), site, id).await?;
    find(cx, id).await
}

/// Makes a bundle.
pub async fn create(cx: &mut Cx, name: Title, description: Option<String>, public: bool) -> Result<Bundle> {
    let bundle = Bundle {
        id: cx.app.clock.id(),
        name,
        description: description.and_then(plain),
        public,
        archived_at: None,
        video_count: 0,
        created_at: cx.now,
        updated_at: cx.now,
    };
    let site = cx.site();
    store::insert(cx.conn(), site, &bundle).await?;
    cx.tx().note(Change::created("bundle", bundle.id.as_str(), bundle.json()));
    Ok(bundle)
}

/// Changes what was given.
pub async fn update(cx: &mut Cx, id: &BundleId, changes: Changes) -> Result<Bundle> {
    let before = hold(cx, id).await?;
    let mut after = before.clone();
    after.name = changes.name.unwrap_or(after.name);
    after.public = changes.public.unwrap_or(after.public);
    if let Some(description) = changes.description {
        after.description = plain(description);
    }
    write(cx, &before, after).await
}

/// Archives a bundle, or takes it back.
pub async fn archive(cx: &mut Cx, id: &BundleId, archived: bool) -> Result<Bundle> {
    let before = hold(cx, id).await?;
    let archived_at = match archived {
        true => before.archived_at.or(Some(cx.now)),
        false => None,
    };
    let after = Bundle { archived_at, ..before.clone() };
    write(cx, &before, after).await
}

/// Puts videos into a bundle, all or none. Gives it, and how many are new in it.
pub async fn add_videos(cx: &mut Cx, id: &BundleId, wanted: Vec<VideoId>) -> Result<(Bundle, u32)> {
    let wanted: Vec<_> = wanted.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let before = hold(cx, id).await?;
    let site = cx.site();
    let known = videos::store::known(cx.conn(), site, wanted.iter().collect()).await?;
    let known: HashSet<_> = known.into_iter().map(|(video,)| video).collect();
    if let Some(unknown) = wanted.iter().find(|video| !known.contains(video)) {
        return Err(videos::not_found(unknown));
    }
    let content = effect::before(cx, &wanted).await?;
    let new = store::insert_videos(cx.conn(), site, id, &wanted).await?;
    let n = u32::try_from(new.len()).unwrap_or(u32::MAX);
    let after = Bundle { video_count: before.video_count + n, ..before.clone() };
    let after = write_videos(cx, &before, after, "added", new).await?;
    effect::note(cx, id.as_str(), content).await?;
    Ok((after, n))
}

/// Takes videos out of a bundle. Gives it, and how many were in it.
pub async fn remove_videos(cx: &mut Cx, id: &BundleId, unwanted: Vec<VideoId>) -> Result<(Bundle, u32)> {
    let before = hold(cx, id).await?;
    let site = cx.site();
    let content = effect::before(cx, &unwanted).await?;
    let gone = store::delete_videos(cx.conn(), site, id, &unwanted).await?;
    let n = u32::try_from(gone.len()).unwrap_or(u32::MAX);
    let after = Bundle { video_count: before.video_count - n, ..before.clone() };
    let after = write_videos(cx, &before, after, "removed", gone).await?;
    effect::note(cx, id.as_str(), content).await?;
    Ok((after, n))
}

async fn write_videos(
    cx: &mut Cx,
    before: &Bundle,
    mut after: Bundle,
    how: &str,
    videos: Vec<(VideoId,)>,
) -> Result<Bundle> {
    if videos.is_empty() {
        return Ok(after);
    }
    after.updated_at = cx.now.or_after(before.updated_at);
    let site = cx.site();
    store::update(cx.conn(), site, &after).await?;
    let mut json = after.json();
    let videos: BTreeSet<_> = videos.into_iter().map(|(video,)| video).collect();
    json[how] = videos.into_iter().map(|video| json!(video)).collect();
    cx.tx().note(Change::updated("bundle", after.id.as_str(), before.json(), json));
    Ok(after)
}

/// Writes what is different, if anything is.
async fn write(cx: &mut Cx, before: &Bundle, mut after: Bundle) -> Result<Bundle> {
    if after == *before {
        return Ok(after);
    }
    after.updated_at = cx.now.or_after(before.updated_at);
    let site = cx.site();
    store::update(cx.conn(), site, &after).await?;
    cx.tx().note(Change::updated("bundle", after.id.as_str(), before.json(), after.json()));
    Ok(after)
}

fn plain(text: String) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
