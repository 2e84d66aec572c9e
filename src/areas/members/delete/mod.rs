//! Deleting a member: accepted by a call, done by a job.
//!
//! The call marks the member (`deleting_since`), so that nothing else writes to it, and starts the job in the same
//! transaction. The job first ends what the member has at Stripe, and goes on only once Stripe says so: nobody is charged
//! who is not known any more. A second call gives the same job and changes nothing; if that job has failed or was cancelled, it is
//! begun again where it stopped. A member that was once marked is never unmarked: a part of it may be gone.

mod job;
mod store;

use std::collections::BTreeMap;

pub use job::{Delete, delete, marked, total};
use serde_json::json;
use usher_db::Change;
use usher_jobs::State;

use super::{
    actions::hold_any,
    erase::{self, Kind},
    merge,
    types::{Member, MemberRef},
};
use crate::{
    areas::{
        access,
        billing::job::{may_write, would_call},
        jobs::JobView,
        subscriptions::store::at_stripe,
    },
    error::{Code, Error, Fix, Result},
    gate::Cx,
    tools::Scope,
    values::MemberId,
};

/// What to do with a subscription that is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscriptions {
    /// Cancel it, then delete.
    Cancel,
    /// Refuse to delete.
    Keep,
}

/// A deletion that was accepted.
pub struct Deletion {
    pub member: MemberId,
    pub is_new: bool,
    pub job: JobView,
    /// In a dry run: how many rows would go, by kind.
    pub would_remove: Option<BTreeMap<String, i64>>,
}

/// The one job that a member goes by, whether it is deleted or merged.
pub fn dedupe(id: &MemberId) -> String {
    format!("gone:{id}")
}

/// Accepts a deletion.
pub async fn accept(cx: &mut Cx, who: &MemberRef, subscriptions: Subscriptions) -> Result<Deletion> {
    let before = hold_any(cx, who).await?;
    if before.deleting_since.is_some() {
        return again(cx, &before).await;
    }
    let site = cx.site();
    if let Some(loser) = merge::store::loser_of(cx.conn(), site, &before.id).await? {
        return Err(merge::merging(&before.id, &loser));
    }
    let access = access::effect::One::before(cx, &before.id, &before.id).await?;
    let canceled = cancel(cx, &before, subscriptions).await?;
    let would_remove = match cx.dry_run {
        true => Some(count(cx, &before.id).await?),
        false => None,
    };
    let now = cx.now;
    erase::store::mark(cx.conn(), site, &before.id, now).await?;
    let after = Member { deleting_since: Some(now), updated_at: now, ..canceled };
    cx.tx().note(Change::updated("member", before.id.as_str(), before.json(), after.json()));
    access.note_gone(cx);
    let (row, _) = cx.enqueue_once(&dedupe(&before.id), &Delete { member: before.id.clone() }).await?;
    Ok(Deletion { member: before.id, is_new: true, job: JobView::from_row(row)?, would_remove })
}

/// A second deletion: the job that does it, which is begun again if it has stopped.
async fn again(cx: &mut Cx, member: &Member) -> Result<Deletion> {
    let (row, is_new) = cx.enqueue_once(&dedupe(&member.id), &Delete { member: member.id.clone() }).await?;
    let (app, site) = (cx.app.clone(), cx.site().number());
    let (row, is_new) = match row.state {
        State::Failed | State::Cancelled => (app.jobs.retry(cx.tx(), site, &row.id).await?.unwrap_or(row), true),
        _ => (row, is_new),
    };
    if row.kind == <merge::Merge as usher_jobs::Job>::KIND {
        let text = format!("Member {} is being merged into another by job {}.", member.id, row.id);
        return Err(Error::new(Code::MemberDeleting, text));
    }
    cx.starts(&row);
    Ok(Deletion { member: member.id.clone(), is_new, job: JobView::from_row(row)?, would_remove: None })
}

/// Cancels live subscriptions, or refuses. Gives the member without them.
async fn cancel(cx: &mut Cx, member: &Member, subscriptions: Subscriptions) -> Result<Member> {
    let (site, now) = (cx.site(), cx.now);
    let live = store::live_subscriptions(cx.conn(), site, &member.id).await?;
    if !live.is_empty() && subscriptions == Subscriptions::Keep {
        let text = format!(
            "Member {} has a live subscription. Pass cancelSubscription: true to cancel it and delete the member.",
            member.id
        );
        let args = json!({ "member": { "id": member.id }, "cancelSubscription": true });
        let fix = Fix { tool: "members.delete", args, scope: Some(Scope::MembersManage.name()) };
        return Err(Error::new(Code::SubscriptionActive, text).fixed_by(fix));
    }
    // What lives at Stripe the job ends before it deletes anything.
    let known = at_stripe(cx.conn(), site, &member.id, now).await?;
    if known.lives() {
        may_write(cx).await?;
    }
    for id in &known.sessions {
        would_call(cx, member.id.as_str(), &format!("POST /v1/checkout/sessions/{id}/expire"), json!({}));
    }
    for id in &known.subscriptions {
        would_call(cx, member.id.as_str(), &format!("DELETE /v1/subscriptions/{id}"), json!({}));
    }
    if live.is_empty() {
        return Ok(member.clone());
    }
    store::cancel_external(cx.conn(), site, &member.id, now).await?;
    for (id, external) in &live {
        let at_stripe = external.as_deref().is_some_and(|external| !external.starts_with("cs_"));
        let after = if at_stripe { json!({ "wanted": "canceled" }) } else { json!({ "status": "canceled" }) };
        cx.tx().note(Change::updated("subscription", id, json!({ "live": true }), after));
    }
    let after = Member { is_paid: false, ..member.clone() };
    store::unpay(cx.conn(), site, &after.id, after.status_at(now)).await?;
    Ok(after.with_status_at(now))
}

/// Counts what would go, and notes it.
pub async fn count(cx: &mut Cx, id: &MemberId) -> Result<BTreeMap<String, i64>> {
    let site = cx.site();
    let mut counts = BTreeMap::new();
    for kind in Kind::ALL {
        let n = erase::store::tally(cx.conn(), site, id, kind).await?;
        if n > 0 {
            cx.tx().note(Change::deleted(kind.name(), id.as_str(), json!({ "rows": n })));
        }
        counts.insert(kind.name().to_owned(), i64::try_from(n).unwrap_or(i64::MAX));
    }
    Ok(counts)
}
