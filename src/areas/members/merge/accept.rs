use std::collections::{BTreeMap, BTreeSet};

use usher_db::Change;

use super::{better, job::Merge, merging, store};
use crate::{
    areas::{
        access::{self, effect::One},
        jobs::JobView,
        members::{
            MAX_TAGS, actions,
            delete::{count, dedupe},
            erase::{Counts, Kind},
            former, store as members,
            types::{LONGEST_NOTE, Member, MemberById, MemberRef},
        },
        subscriptions,
    },
    error::{Code, Error, Result},
    gate::Cx,
    values::{Email, MemberId, SubscriptionId, Tag},
};

/// What moves in the call itself: more than a member has.
const ALL: u32 = 1_000_000;

/// A merge that was accepted.
pub struct Merger {
    pub winner: Member,
    pub loser: MemberId,
    pub job: JobView,
    /// What the winner pays now, if subscriptions moved.
    pub live_subscriptions: Vec<SubscriptionId>,
    /// In a dry run: how many rows the loser has, by kind.
    pub would_move: Option<BTreeMap<String, i64>>,
}

/// Accepts a merge, and does what cannot wait.
pub async fn accept(cx: &mut Cx, winner: &MemberRef, loser: &MemberRef) -> Result<Merger> {
    for (path, who) in [("args.winner.expectEmail", winner), ("args.loser.expectEmail", loser)] {
        if matches!(who, MemberRef::Id(MemberById { expect_email: None, .. })) {
            let text = "is required: a merge cannot be undone, so say whom you believe the id to be";
            return Err(Error::refused(path, text));
        }
    }
    let (winner, loser) = hold_both(cx, winner, loser).await?;
    let site = cx.site();
    if let Some(other) = store::loser_of(cx.conn(), site, &loser.id).await? {
        return Err(merging(&loser.id, &other));
    }
    let after = united(cx, &winner, &loser)?;
    let lost = One::before(cx, &loser.id, &loser.id).await?;
    let won = One::before(cx, &winner.id, &loser.id).await?;
    let would_move = match cx.dry_run {
        true => Some(count(cx, &loser.id).await?),
        false => None,
    };
    let mut moved = Counts::new();
    if cx.dry_run {
        // What the job would move that gives access.
        for kind in [Kind::Orders, Kind::Entitlements] {
            let (pair, now) = ((&loser.id, &winner.id), cx.now);
            store::hand_over(cx.tx(), site, pair, kind, ALL, now).await?;
        }
    }
    // With its customers, so that what Stripe says of them meanwhile is the winner's.
    for kind in [Kind::Tags, Kind::Subscriptions, Kind::Customers, Kind::Claims] {
        let (pair, now) = ((&loser.id, &winner.id), cx.now);
        moved.insert(kind.name().into(), store::hand_over(cx.tx(), site, pair, kind, ALL, now).await?);
    }
    if after.external_id != winner.external_id {
        members::release_external_id(cx.conn(), site, &loser.id).await?;
    }
    store::update_winner(cx.conn(), site, &winner, &after).await?;
    let now = cx.now;
    access::recount(cx.conn(), site, &winner.id, now).await?;
    let after = members::by_id(cx.conn(), site, &winner.id).await?.map_or(after, |after| after.with_status_at(now));
    let mut live_subscriptions = Vec::new();
    if moved.get(Kind::Subscriptions.name()).is_some_and(|n| *n > 0) {
        live_subscriptions = subscriptions::paying(cx.conn(), site, &winner.id).await?;
        if let Some(alarm) = subscriptions::alarm_of_two(site, &winner.id, &live_subscriptions) {
            cx.tx().note(alarm);
        }
    }
    store::mark(cx.conn(), site, &loser.id, &winner.id, now).await?;
    let clock = cx.app.clock.clone();
    let blocked = former::join(cx.tx(), &clock, site, &loser, &winner).await?;
    blocked.into_iter().for_each(|change| cx.tx().note(change));
    if after != winner {
        cx.tx().note(Change::updated("member", after.id.as_str(), winner.json(), after.json()));
    }
    won.note(cx).await?;
    cx.tx().note(Change::deleted("member", loser.id.as_str(), loser.json()));
    lost.note_gone(cx);
    cx.touches(&winner.id);
    let job = Merge { winner: winner.id.clone(), loser: loser.id.clone(), moved };
    let (row, _) = cx.enqueue_once(&dedupe(&loser.id), &job).await?;
    Ok(Merger { winner: after, loser: loser.id, job: JobView::from_row(row)?, live_subscriptions, would_move })
}

/// Holds both, in the order of their ids, so that two merges cannot wait for each other.
async fn hold_both(cx: &mut Cx, winner: &MemberRef, loser: &MemberRef) -> Result<(Member, Member)> {
    let (lost, won) = (actions::find(cx, loser).await?, actions::find(cx, winner).await?);
    if won.id == lost.id {
        return Err(Error::refused("args.loser", "is the winner; name two members"));
    }
    // By id from here on, and still only if it is the address that the caller named.
    let by_id = |who: &MemberRef, member: &Member| {
        let expect_email = match who {
            MemberRef::Id(by) => by.expect_email.clone(),
            MemberRef::Email(by) => Some(by.email.clone()),
        };
        MemberRef::Id(MemberById { id: member.id.clone(), expect_email })
    };
    let (won, lost) = (by_id(winner, &won), by_id(loser, &lost));
    let (first, second) = if id_of(&won) < id_of(&lost) { (&won, &lost) } else { (&lost, &won) };
    let (first, second) = (actions::hold(cx, first).await?, actions::hold(cx, second).await?);
    Ok(if first.id.as_str() == id_of(&won) { (first, second) } else { (second, first) })
}

fn id_of(who: &MemberRef) -> &str {
    match who {
        MemberRef::Id(by) => by.id.as_str(),
        MemberRef::Email(by) => Email::as_str(&by.email),
    }
}

/// The winner with what it gets at once.
fn united(cx: &Cx, winner: &Member, loser: &Member) -> Result<Member> {
    let tags: BTreeSet<Tag> = winner.tags.iter().chain(&loser.tags).cloned().collect();
    if tags.len() > MAX_TAGS {
        let text = format!(
            "Member {} would have {} tags; a member has at most {MAX_TAGS}. Remove some of either first.",
            winner.id,
            tags.len()
        );
        return Err(Error::new(Code::TooManyTags, text));
    }
    let after = Member {
        name: winner.name.clone().or_else(|| loser.name.clone()),
        external_id: winner.external_id.clone().or_else(|| loser.external_id.clone()),
        metadata: match (&winner.metadata, &loser.metadata) {
            (Some(winner), Some(loser)) => Some(winner.clone().united(loser)),
            (winner, loser) => winner.clone().or_else(|| loser.clone()),
        },
        note: joined(winner.note.as_deref(), loser.note.as_deref()),
        free_access: better::span(winner.free_access, loser.free_access, cx.now),
        trial: better::span(winner.trial, loser.trial, cx.now),
        is_paid: winner.is_paid || loser.is_paid,
        tags: tags.into_iter().collect(),
        ..winner.clone()
    };
    let after = after.with_status_at(cx.now);
    let is_same = after == *winner;
    Ok(if is_same { after } else { Member { updated_at: cx.now.or_after(winner.updated_at), ..after } })
}

/// Both notes, the winner's first; what is too long for one is cut.
fn joined(winner: Option<&str>, loser: Option<&str>) -> Option<String> {
    match (winner, loser) {
        (Some(winner), Some(loser)) if winner != loser => {
            Some(format!("{winner}\n\n{loser}").chars().take(LONGEST_NOTE).collect::<String>())
        }
        (winner, loser) => winner.or(loser).map(str::to_owned),
    }
}
