//! Whom a call lets in, and whom it locks out: what a dry run of it says. A call that changes content or a whole group does
//! not look itself, as everybody else's writes would wait for it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use usher_db::Change;

use super::{
    actions::grace,
    decide::decide,
    facts::{Content, Facts, Known},
    store,
    types::AccessView,
};
use crate::{
    error::Result,
    gate::Cx,
    values::{GroupId, MemberId, VideoId},
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
    let if_so = |so: bool| if so { others } else { 0 };
    Ok(json!({ "counted": true, "gain": side(&gain, if_so(gains)), "lose": side(&lose, if_so(loses)) }))
}

/// Those who gain or lose: the ones that are known by name, and how many others.
fn side(members: &[MemberId], others: u64) -> Value {
    let mut side = json!({ "count": members.len() as u64 + others, "members": &members[..members.len().min(NAMED)] });
    if others > 0 || members.len() > NAMED {
        side["membersAreCut"] = json!(true);
    }
    side
}

/// Members of a group as they are before a dry run does something to them.
pub(super) struct Crowd {
    content: Content,
    /// Who may see the content.
    may_see: BTreeSet<MemberId>,
}

/// Looks at the first members of a group.
pub(super) async fn crowd(cx: &mut Cx, group: &GroupId, content: Content, limit: usize) -> Result<Crowd> {
    let (site, now, grace) = (cx.site(), cx.now, grace(cx));
    let known = store::known_of_group(cx.conn(), site, group, limit).await?;
    let may_see = |one: &Known| decide(&one.facts(content.clone(), grace), now).is_allowed();
    let may_see = known.iter().filter(|one| may_see(one)).map(|one| one.member.id.clone()).collect();
    Ok(Crowd { content, may_see })
}

/// Notes how many of a group's members have gained and lost access since; `of` is how many it has.
pub(super) async fn note_crowd(cx: &mut Cx, group: &GroupId, before: Crowd, limit: usize, of: u64) -> Result<()> {
    let after = crowd(cx, group, before.content, limit).await?;
    let gain: Vec<_> = after.may_see.difference(&before.may_see).cloned().collect();
    let lose: Vec<_> = before.may_see.difference(&after.may_see).cloned().collect();
    let mut effect = json!({ "counted": true, "gain": side(&gain, 0), "lose": side(&lose, 0) });
    if of > limit as u64 {
        effect["counted"] = json!(false);
        effect["why"] = json!(format!("Only the first {limit} of the group's {of} members were looked at."));
    }
    cx.tx().note(Change::created("membersAccess", group.as_str(), effect));
    Ok(())
}

/// A member's access as it is before a call: to what is for members, and to bundles. It is for the log too.
pub struct One {
    member: MemberId,
    access: Vec<(Content, AccessView)>,
}

impl One {
    /// Looks at a member's access to what is for members, and to the bundles that `owner` has.
    pub async fn before(cx: &mut Cx, member: &MemberId, owner: &MemberId) -> Result<Self> {
        let site = cx.site();
        let owner = store::known_by_id(cx.conn(), site, owner).await?;
        let owned = owner.map(|known| known.entitlements).unwrap_or_default();
        let bundles = owned.into_iter().take(NAMED).map(|one| Content::bundle(one.bundle));
        Self::look(cx, member, std::iter::once(Content::members()).chain(bundles)).await
    }

    async fn look(cx: &mut Cx, member: &MemberId, contents: impl Iterator<Item = Content>) -> Result<Self> {
        let (site, now, grace) = (cx.site(), cx.now, grace(cx));
        let known = store::known_by_id(cx.conn(), site, member).await?;
        let access = |content: Content| {
            let facts = match &known {
                Some(known) => known.facts(content.clone(), grace),
                None => Facts::none(content.clone(), grace),
            };
            (content, AccessView::from(&decide(&facts, now)))
        };
        Ok(Self { member: member.clone(), access: contents.map(access).collect() })
    }

    /// Notes that all of it goes, with the member.
    pub fn note_gone(self, cx: &mut Cx) {
        let Self { member, access } = self;
        for (content, before) in access.into_iter().filter(|(_, access)| access.allowed) {
            cx.tx().note(Change::deleted("access", member.as_str(), shown(&content, &before)));
        }
    }

    /// Notes what is different by now.
    pub async fn note(self, cx: &mut Cx) -> Result<()> {
        let now = Self::look(cx, &self.member, self.access.iter().map(|(content, _)| content.clone())).await?;
        for ((content, before), (_, after)) in self.access.into_iter().zip(now.access) {
            if before != after {
                let (before, after) = (shown(&content, &before), shown(&content, &after));
                cx.tx().note(Change::updated("access", self.member.as_str(), before, after));
            }
        }
        Ok(())
    }
}

fn shown(content: &Content, access: &AccessView) -> Value {
    let mut shown = access.json();
    if let Some(bundle) = content.bundles.first() {
        shown["bundle"] = json!(bundle);
    }
    shown
}
