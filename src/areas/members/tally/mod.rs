//! How many members a site has, by status and by whether their address is blocked, without counting them.
//!
//! Triggers of the database keep `member_tally` with every change of a member or of the block list, whatever makes it, in
//! the same transaction. On SQLite, which has one writer, they change the site's row. On PostgreSQL that row would make
//! all writers of a site wait for each other: they append to `member_tally_change`, which is added when it is read, and
//! folded into the row by [`Fold`]. Whether an address is both a member's and blocked is not counted by differences there:
//! of two transactions at once, neither would see the other. Each appends the addresses that it has touched, and whoever
//! reads or folds looks at those.
//!
//! A status that ends by itself is stored until [`Lapse`](crate::areas::access::Lapse) comes to it: what has ended by now
//! is counted apart, by an index, and moved over. What counts is the status that `members.get` shows.

mod store;

use std::{collections::BTreeMap, time::Duration};

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
pub use store::count_anew;
use usher_db::{Engine, Tx};
use usher_jobs::{Fail, Job, Queue, Run};

use super::{
    list,
    store::Filter,
    types::{MemberSort, MemberStatus},
};
use crate::{
    app::App,
    areas::access,
    error::{Error, Result},
    gate::Cx,
    values::SiteId,
};

/// How many members of a filter are counted one by one.
pub const COUNTED: u32 = 10_000;

/// Changes that are folded in one transaction.
const ROWS: u32 = 500;

/// Members by status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Object)]
pub struct ByStatus {
    /// Neither pay nor have free access.
    free: u64,
    /// Have a paid subscription.
    paid: u64,
    /// Have free access.
    comped: u64,
}

/// How many members there are.
#[derive(Clone, Copy, Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct MemberCount {
    /// How many fit what was asked for.
    count: u64,
    /// Present if there are more: only the first 10,000 that fit a filter are counted.
    more: Option<bool>,
    /// Only without a filter: how many have each status now.
    by_status: Option<ByStatus>,
    /// Only without a filter: how many have an address on the block list.
    blocked: Option<u64>,
}

/// How many members fit; all of them, or those with a status or blocked, without counting them one by one.
pub async fn count(cx: &mut Cx, filter: &Filter, blocked: Option<bool>) -> Result<MemberCount> {
    let Filter { text, tag, group, status, from, until, updated_from } = filter;
    let is_free_of_others = text.is_none()
        && tag.is_none()
        && group.is_none()
        && from.is_none()
        && until.is_none()
        && updated_from.is_none();
    if blocked.is_some() && !(is_free_of_others && status.is_none()) {
        return Err(Error::refused("args.blocked", "goes with no other filter"));
    }
    if !is_free_of_others {
        let (items, _) = list::list(cx, filter, MemberSort::Newest, None, COUNTED + 1).await?;
        let n = items.len() as u64;
        let limit = u64::from(COUNTED);
        let more = (n > limit).then_some(true);
        return Ok(MemberCount { count: n.min(limit), more, by_status: None, blocked: None });
    }
    let (site, now) = (cx.site(), cx.now);
    access::settle_for_reading(&cx.app, site, now).await;
    let tally = store::tally(cx.conn(), site, now).await?;
    let all = tally.free + tally.paid + tally.comped;
    let part = |count: u64| MemberCount { count, more: None, by_status: None, blocked: None };
    Ok(match (status, blocked) {
        (Some(MemberStatus::Free), _) => part(tally.free),
        (Some(MemberStatus::Paid), _) => part(tally.paid),
        (Some(MemberStatus::Comped), _) => part(tally.comped),
        (None, Some(true)) => part(tally.blocked),
        (None, Some(false)) => part(all - tally.blocked),
        (None, None) => {
            let by_status = ByStatus { free: tally.free, paid: tally.paid, comped: tally.comped };
            MemberCount { count: all, more: None, by_status: Some(by_status), blocked: Some(tally.blocked) }
        }
    })
}

/// Folds what was appended to the tallies of all sites. There is nothing to do on SQLite.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fold;

impl Fold {
    /// How often it runs.
    pub const EVERY: Duration = Duration::from_secs(30);
}

impl Job for Fold {
    const KIND: &'static str = "tally.fold";
    const QUEUE: Queue = Queue::Bulk;
}

/// Applies [`Fold`]. Safe to run twice, and at once with itself.
pub async fn fold(app: &App, _: Fold, run: &Run) -> Result<(), Fail> {
    while fold_some(app).await? == u64::from(ROWS) {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
    }
    Ok(())
}

/// Folds some of what was appended; gives how many rows.
pub async fn fold_some(app: &App) -> usher_db::Result<u64> {
    if app.db.engine() == Engine::Sqlite {
        return Ok(0);
    }
    let mut tx = app.db.begin().await?;
    store::hold_fold(tx.conn()).await?;
    let changes = store::take_changes(tx.conn(), ROWS).await?;
    let n = changes.len() as u64;
    add(&mut tx, changes).await?;
    tx.commit().await?;
    Ok(n)
}

/// Folds what was appended about addresses of a person who goes, in the transaction that ends it: so that no address is
/// left there. The patterns are those of `LIKE`.
pub async fn forget(tx: &mut Tx, site: SiteId, patterns: &[String]) -> usher_db::Result<()> {
    if tx.engine() == Engine::Sqlite {
        return Ok(());
    }
    store::hold_fold(tx.conn()).await?;
    for pattern in patterns {
        let changes = store::take_mentions(tx.conn(), site, pattern).await?;
        add(tx, changes).await?;
    }
    Ok(())
}

async fn add(tx: &mut Tx, changes: Vec<store::TallyChange>) -> usher_db::Result<()> {
    let mut sites: BTreeMap<SiteId, store::Sum> = BTreeMap::new();
    for change in changes {
        sites.entry(change.site).or_default().add(change)?;
    }
    for (site, sum) in sites {
        let keys: usher_db::Value = sum.keys.iter().cloned().collect();
        let noted = store::note_blocked(tx.conn(), site, keys.clone()).await?;
        let forgotten = store::forget_blocked(tx.conn(), site, keys).await?;
        store::add(tx.conn(), site, &sum, noted as i64 - forgotten as i64).await?;
    }
    Ok(())
}
