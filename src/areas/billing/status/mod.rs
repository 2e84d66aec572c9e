//! How what is known here of a member compares with Stripe.
//!
//! `members.syncStatus` and `members.whyPaywall` ask this and nothing else. Who has nothing at Stripe is done with without
//! a look; whoever has, with one statement more.

pub(super) mod store;
mod types;

use std::time::Duration;

use serde_json::Value;
use usher_db::Conn;

use self::store::Doubts;
pub use self::types::{ChangeView, PendingView, SyncStatus, SyncView, SyncedView};
use super::store::connection;
use crate::{
    areas::{
        access::SubscriptionStatus,
        activity::{self, Actor},
        members::{self, MemberRef},
        subscriptions,
    },
    error::Result,
    gate::Cx,
    paging::LAST,
    values::{MemberId, SiteId, Time},
};

/// How old a comparison may be.
const FRESH: Duration = Duration::from_secs(86_400);

/// Rows of the log that are shown.
const CHANGES: u32 = 10;

/// Reads that are shown.
const PENDING: u32 = 50;

/// What the comparison asks of a subscription at Stripe.
#[derive(Clone, Copy, Debug)]
pub struct Linked {
    /// When it was compared last.
    pub synced_at: Option<Time>,
    /// Whether it is compared again and again: it has periods, and is not over.
    pub is_compared: bool,
}

impl Linked {
    /// Of one that is at Stripe.
    pub fn of(synced_at: Option<Time>, period_end: Option<Time>, status: SubscriptionStatus, now: Time) -> Self {
        let is_final = matches!(status, SubscriptionStatus::Canceled | SubscriptionStatus::IncompleteExpired);
        Self { synced_at, is_compared: period_end.is_some_and(|end| !is_final || end > now) }
    }
}

/// How what is known of a member's subscriptions at Stripe compares.
pub async fn of_member(
    conn: Conn<'_>,
    (site, member): (SiteId, &MemberId),
    linked: &[Linked],
    now: Time,
) -> usher_db::Result<SyncStatus> {
    if linked.is_empty() {
        return Ok(SyncStatus::NotLinked);
    }
    let doubts = store::doubts(conn, site, member).await?;
    Ok(judge(linked, doubts, now))
}

fn judge(linked: &[Linked], doubts: Option<Doubts>, now: Time) -> SyncStatus {
    // Of a site that is not connected nothing fails: nobody asks, and what is known gets old.
    let (is_connected, doubts) = (doubts.is_some(), doubts.unwrap_or_default());
    let oldest = linked.iter().filter(|one| one.is_compared).map(|one| one.synced_at).min();
    let is_stale = oldest.is_some_and(|at| at.is_none_or(|at| now.since(at) > FRESH));
    if doubts.is_parked || doubts.worst == 2 {
        SyncStatus::Failing
    } else if doubts.worst == 1 {
        SyncStatus::Drifted
    } else if is_stale || !is_connected {
        SyncStatus::Stale
    } else {
        SyncStatus::Synced
    }
}

/// Tells it.
pub async fn tell(cx: &mut Cx, who: &MemberRef) -> Result<SyncView> {
    let member = members::find(cx, who).await?.id;
    let (site, now, app) = (cx.site(), cx.now, cx.app.clone());
    let all = subscriptions::store::of_member(cx.conn(), site, &member).await?;
    let linked = all.iter().filter_map(|one| {
        let external_id = one.external_id.clone()?;
        let view = SyncedView { id: one.id.clone(), external_id, status: one.status, synced_at: one.synced_at };
        Some((Linked::of(one.synced_at, one.period_end, one.status, now), view))
    });
    let (linked, subscriptions): (Vec<_>, Vec<_>) = linked.unzip();
    let status = of_member(cx.conn(), (site, &member), &linked, now).await?;
    let pending = store::pending(cx.conn(), site, &member, PENDING).await?;
    let customers = store::customers(cx.conn(), site, &member).await?.into_iter().map(|(id,)| id).collect();
    let parked = match connection(cx.conn(), site).await? {
        Some(connection) if connection.parked_at.is_some() => connection.parked_why,
        Some(connection) => connection.client(&app).err().map(|error| error.to_string()),
        None => None,
    };
    let filter =
        activity::store::Filter { member: Some(member.clone()), actor: Some(Actor::Stripe), ..Default::default() };
    let rows = activity::store::list(cx.conn(), site, &filter, LAST, CHANGES).await?;
    let compared = linked.iter().filter(|one| one.is_compared).map(|one| one.synced_at).min();
    let last_sync_at = compared.unwrap_or_else(|| linked.iter().map(|one| one.synced_at).max().flatten());
    Ok(SyncView {
        member_id: member,
        status,
        last_sync_at,
        last_error: pending.iter().find_map(|one| one.error.clone()).or(parked),
        customers,
        subscriptions,
        pending,
        changes: rows.into_iter().flat_map(changes).collect(),
    })
}

fn changes(row: activity::Activity) -> Vec<ChangeView> {
    let args = row.args.map(|args| args.0).unwrap_or_default();
    let said = |name: &str| args.get(name).and_then(Value::as_str).map(str::to_owned);
    let view = |change: activity::ChangeView| ChangeView {
        at: row.at,
        source: said("source"),
        event: said("event"),
        event_type: said("type"),
        kind: change.kind,
        id: change.id,
        before: change.before,
        after: change.after,
    };
    row.changes.into_iter().flatten().map(view).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_is_known_is_said() {
        let now = Time::from_micros(10 * 86_400_000_000);
        let at = |days: u64| Some(now - FRESH * u32::try_from(days).unwrap());
        let live = |synced_at| Linked::of(synced_at, Some(now), SubscriptionStatus::Active, now);
        let doubts = |is_parked, worst| Some(Doubts { is_parked, worst });
        let fresh = [live(at(0)), live(at(1))];
        assert_eq!(judge(&fresh, doubts(false, 0), now), SyncStatus::Synced);
        assert_eq!(judge(&fresh, doubts(false, 1), now), SyncStatus::Drifted);
        assert_eq!(judge(&fresh, doubts(false, 2), now), SyncStatus::Failing);
        assert_eq!(judge(&fresh, doubts(true, 0), now), SyncStatus::Failing);
        assert_eq!(judge(&[live(at(0)), live(at(2))], doubts(false, 0), now), SyncStatus::Stale);
        assert_eq!(judge(&[live(None)], None, now), SyncStatus::Stale);
        // What is over, and what was paid once, is not compared any more.
        let over = Linked::of(at(9), Some(now), SubscriptionStatus::Canceled, now);
        let once = Linked::of(at(9), None, SubscriptionStatus::Active, now);
        assert_eq!(judge(&[over, once], doubts(false, 0), now), SyncStatus::Synced);
    }
}
