//! Taking an import back.
//!
//! What nobody else has said goes; of what others have said too, the strongest stands again. Each chunk is one
//! transaction with its place in the list, so a crash goes on after the last one.

use std::time::Duration;

use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use serde_json::json;
use usher_db::Value;
use usher_jobs::{Fail, Job, Queue, Run, State};

use super::store;
use crate::{
    app::App,
    areas::sites,
    error::{Code, Error, Result},
    gate::Cx,
    values::{JobId, SiteId, Time},
};

/// For how long an import can be taken back.
pub(super) const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// Addresses of one transaction.
const CHUNK: u32 = 2000;

/// Takes an import back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Undo {
    /// The import's job.
    pub job: JobId,
    /// Its number.
    pub number: i64,
}

impl Job for Undo {
    const KIND: &'static str = "blocklist.undoImport";
    const QUEUE: Queue = Queue::Bulk;
    /// A crash counts as an attempt, and each goes on where the last one stopped.
    const MAX_ATTEMPTS: u32 = 100;
    const TIMEOUT: Duration = Duration::from_secs(12 * 3600);

    fn progress(&self) -> serde_json::Value {
        json!(Counts::default())
    }
}

/// How far it got; the job's checkpoint, and what is shown of it. Readable for ever.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct At {
    /// Whether what the import said beside others is forgotten, which comes first.
    is_second: bool,
    /// The last key that is done.
    after: String,
    counts: Counts,
}

/// Of the addresses that the import had put on the list, or had made stronger.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Counts {
    done: u64,
    total: u64,
    /// Those that are on the list no more.
    removed: u64,
    /// Those that others have said too.
    kept: u64,
}

/// What taking an import back would do.
#[derive(Clone, Copy, Debug, Object)]
#[oai(rename = "UndoImportPreview")]
pub struct Preview {
    /// Addresses that would leave the list.
    removed: u64,
    /// Addresses that would stay, as others have said them too.
    kept: u64,
}

/// Counts what it would do, for a dry run: apart, as there may be a million entries to look at.
pub(super) async fn preview(cx: &mut Cx, job: &JobId) -> Result<Option<Preview>> {
    let (app, site) = (cx.app.clone(), cx.site());
    if !cx.dry_run {
        return Ok(None);
    }
    let counted = cx
        .apart(async {
            let Some((number, _)) = store::hold_import(app.db.read(), site, job).await? else { return Ok(None) };
            store::count_of_import(app.db.read(), site, number).await.map(Some)
        })
        .await?;
    let counted: Option<(i64, i64)> = counted?;
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(counted.map(|(all, kept)| Preview { removed: count(all - kept), kept: count(kept) }))
}

/// Accepts it, if the import can be taken back.
pub(super) async fn accept(cx: &mut Cx, job: &JobId) -> Result<Undo> {
    let (app, site, now) = (cx.app.clone(), cx.site(), cx.now);
    let none = || {
        let text = format!("The site has no import {job} that began within the last 30 days.");
        Error::new(Code::ImportNotFound, text)
    };
    // The row is locked before the job is looked at, so that a retry cannot slip in between.
    let (number, undone) = store::hold_import(cx.tx().conn(), site, job).await?.ok_or_else(none)?;
    if let Some(at) = undone {
        return Err(Error::new(Code::ImportUndone, format!("The import was taken back already, at {at}.")));
    }
    let row = app.jobs.get(cx.tx().conn(), site.number(), job.as_str()).await?.ok_or_else(none)?;
    if Time::from_micros(row.created_at) + KEPT < now {
        return Err(none());
    }
    if matches!(row.state, State::Queued | State::Running) {
        let text = "The import has not ended. Cancel it with jobs.cancel, then take it back.";
        return Err(Error::new(Code::ImportRunning, text));
    }
    store::mark_undone(cx.tx().conn(), site, number, now).await?;
    Ok(Undo { job: job.clone(), number })
}

/// Applies [`Undo`].
pub async fn undo(app: &App, job: Undo, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let mut at: At = run.checkpoint_value().unwrap_or_default();
    if at.counts.total == 0 {
        at.counts.total = stated(app, site, &job.job).await?;
    }
    while chunk(app, run, site, job.number, &mut at).await? {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
    }
    at.counts.total = at.counts.done;
    let mut tx = app.db.begin().await?;
    run.finish(&mut tx, &at.counts, &at.counts).await?;
    tx.commit().await?;
    Ok(())
}

/// How many addresses the import says it has put on the list.
async fn stated(app: &App, site: SiteId, job: &JobId) -> Result<u64, Fail> {
    let row = app.jobs.get(app.db.read(), site.number(), job.as_str()).await?;
    let count = |name: &str| row.as_ref().and_then(|row| row.progress[name].as_u64()).unwrap_or(0);
    Ok(count("added") + count("strengthened"))
}

/// Does the next addresses; whether there may be more.
async fn chunk(app: &App, run: &Run, site: SiteId, import: i64, at: &mut At) -> Result<bool, Fail> {
    let found = match at.is_second {
        false => store::keys_of_claims(app.db.read(), site, import, &at.after, CHUNK).await?,
        true => store::keys_of_import(app.db.read(), site, import, &at.after, CHUNK).await?,
    };
    let Some((last,)) = found.last().cloned() else {
        if at.is_second {
            return Ok(false);
        }
        (at.is_second, at.after) = (true, String::new());
        return Ok(true);
    };
    let keys: Value = found.into_iter().map(|(key,)| key).collect();
    let mut tx = app.db.begin().await?;
    // First, so that what others are saying of these entries at this moment is seen by what follows.
    store::hold_keys(tx.conn(), site, keys.clone()).await?;
    if at.is_second {
        let kept = store::hand_over(tx.conn(), site, import, keys.clone(), app.clock.now()).await?;
        let removed = store::remove_of(tx.conn(), site, import, keys.clone()).await?;
        at.counts.kept += kept;
        at.counts.removed += removed;
        at.counts.done += kept + removed;
    } else {
        store::forget_claims_of(tx.conn(), site, import, keys.clone()).await?;
    }
    store::settle(tx.conn(), site, keys).await?;
    at.after = last;
    run.checkpoint(&mut tx, at, &at.counts).await?;
    tx.commit().await?;
    Ok(true)
}

/// Forgets imports that can be taken back no more, and what was kept for them.
#[derive(Serialize, Deserialize)]
pub struct Forget;

impl Job for Forget {
    const KIND: &'static str = "blocklist.forget";
    const QUEUE: Queue = Queue::Bulk;
    const TIMEOUT: Duration = Duration::from_secs(3600);
}

/// Applies [`Forget`]. Safe to run twice.
pub async fn forget(app: &App, _: Forget, run: &Run) -> Result<(), Fail> {
    for site in sites::store::all(app.db.read()).await? {
        let mut tx = app.db.begin().await?;
        // A day more than can be taken back, for those that began long after they were accepted.
        let before = app.clock.now() - KEPT - Duration::from_secs(86_400);
        store::forget_imports(tx.conn(), site.id, before).await?;
        tx.commit().await?;
        loop {
            if run.stopping() {
                return Err(Fail::Stopping);
            }
            let mut tx = app.db.begin().await?;
            let n = store::forget_idle_claims(tx.conn(), site.id, CHUNK).await?;
            tx.commit().await?;
            if n < u64::from(CHUNK) {
                break;
            }
        }
    }
    Ok(())
}
