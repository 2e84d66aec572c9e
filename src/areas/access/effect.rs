//! Whom a change of content lets in, and whom it locks out: what a dry run of such a call says. The call itself does not
//! look, as everybody else's writes would wait for it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use usher_db::Change;

use super::{
    actions::grace,
    decide::decide,
    facts::{Content, Facts},
    store,
};
use crate::{
    error::Result,
    gate::Cx,
    values::{MemberId, VideoId},
};

/// The most members that a site may have to be counted.
const MEMBERS: u32 = 100_000;

/// The most decisions: members that have something that access is decided on, times videos, before and after.
const DECISIONS: usize = 20_000;

/// Members that are named; of more, only the number is told.
const NAMED: usize = 200;

/// Content as it is before a call changes it.
pub struct Before(Vec<(VideoId, Content)>);

/// Looks at videos that a call is about to change; only in a dry run.
pub async fn before(cx: &mut Cx, videos: &[VideoId]) -> Result<Before> {
    let ids: BTreeSet<_> = videos.iter().filter(|_| cx.dry_run).collect();
    let (mut all, site) = (Vec::new(), cx.site());
    for id in ids {
        if let Some(content) = store::content(cx.conn(), site, id).await? {
            all.push((id.clone(), content));
        }
    }
    Ok(Before(all))
}

/// Notes how many members gain and lose a video by what was written since, of a video or a bundle of this id.
pub async fn note(cx: &mut Cx, id: &str, before: Before) -> Result<()> {
    let (mut pairs, site) = (Vec::new(), cx.site());
    for (video, before) in before.0 {
        if let Some(after) = store::content(cx.conn(), site, &video).await?.filter(|after| *after != before) {
            pairs.push((before, after));
        }
    }
    if pairs.is_empty() {
        return Ok(());
    }
    let effect = effect(cx, &pairs).await?;
    cx.tx().note(Change::created("membersAccess", id, effect));
    Ok(())
}

async fn effect(cx: &mut Cx, pairs: &[(Content, Content)]) -> Result<Value> {
    let (site, now, grace) = (cx.site(), cx.now, grace(cx));
    let n_members = store::count_members(cx.conn(), site, MEMBERS + 1).await?;
    let not_counted = |why: String| Ok(json!({ "counted": false, "why": why }));
    if n_members > u64::from(MEMBERS) {
        return not_counted(format!("The site has more than {MEMBERS} members."));
    }
    let most = DECISIONS / (2 * pairs.len());
    let known = store::known_with_anything(cx.conn(), site, most as u32 + 1).await?;
    if known.len() > most {
        return not_counted(format!("More than {most} members have something that access is decided on."));
    }
    let compare = |facts: &dyn Fn(Content) -> Facts| {
        let may_see = |content: &Content| decide(&facts(content.clone()), now).is_allowed();
        let each = pairs.iter().map(|(before, after)| (may_see(before), may_see(after)));
        each.fold((false, false), |(gains, loses), (had, has)| (gains || !had && has, loses || had && !has))
    };
    let (mut gain, mut lose) = (Vec::new(), Vec::new());
    for one in &known {
        let (gains, loses) = compare(&|content| one.facts(content, grace));
        gain.extend(gains.then(|| one.member.id.clone()));
        lose.extend(loses.then(|| one.member.id.clone()));
    }
    // All others are alike: they have nothing.
    let others = n_members - known.len() as u64;
    let (gains, loses) = compare(&|content| Facts::none(content, grace));
    let side = |members: &[MemberId], others: u64| {
        let mut side =
            json!({ "count": members.len() as u64 + others, "members": &members[..members.len().min(NAMED)] });
        if others > 0 || members.len() > NAMED {
            side["membersAreCut"] = json!(true);
        }
        side
    };
    let if_so = |so: bool| if so { others } else { 0 };
    Ok(json!({ "counted": true, "gain": side(&gain, if_so(gains)), "lose": side(&lose, if_so(loses)) }))
}
