use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::json;
use usher_jobs::{Fail, Job, Queue, Run};

use super::{
    Reason,
    apply::{At, apply},
    lines::{Lines, MAX_ROWS},
    source::{Batch, MAX_ERROR_BYTES, Place, Source},
    store,
    types::{Counts, ImportMapping},
};
use crate::{
    app::App,
    areas::uploads,
    background::{self, Working},
    clock::Clock,
    error::{Code, Error},
    values::{JobId, SiteId, Time, UploadId},
};

/// Imports an upload into the block list of the job's site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Import {
    /// The file.
    pub upload: UploadId,
    /// The reason of rows that give none that is known.
    pub reason: Reason,
    /// The source of rows that give none.
    pub source: Option<String>,
    /// The note of rows that have none.
    pub note: Option<String>,
    /// What the call knows of the file.
    #[serde(default)]
    pub mapping: ImportMapping,
}

impl Job for Import {
    const KIND: &'static str = "blocklist.import";
    const QUEUE: Queue = Queue::Bulk;
    /// A crash counts as an attempt, and each goes on where the last one stopped.
    const MAX_ATTEMPTS: u32 = 100;
    const TIMEOUT: Duration = Duration::from_secs(12 * 3600);
}

/// An import that has begun.
pub(super) struct Started {
    pub(super) job: Import,
    /// Which of its site's imports it is.
    pub(super) number: i64,
    clock: Clock,
    /// When this attempt began, and how many rows were done by then.
    began: (Time, u64),
}

/// How an import stands.
#[derive(Serialize)]
pub(super) struct Progress {
    #[serde(flatten)]
    counts: Counts,
    /// How long the rest takes, at the pace of this attempt.
    #[serde(rename = "secondsLeft", skip_serializing_if = "Option::is_none")]
    seconds_left: Option<u64>,
}

impl Started {
    pub(super) fn progress(&self, at: &At) -> Progress {
        let (began, before) = self.began;
        let elapsed = u128::from(self.clock.now().since(began).as_millis() as u64);
        let (done, left) = (at.counts.done - before, at.counts.total.saturating_sub(at.counts.done));
        let seconds = (elapsed * u128::from(left)).checked_div(u128::from(done)).map(|millis| millis.div_ceil(1000));
        Progress { counts: at.counts, seconds_left: seconds.and_then(|seconds| u64::try_from(seconds).ok()) }
    }
}

type Reading = Working<Result<(Source, Batch), Fail>>;

/// Tells the reader that nobody wants its rows any more, however the import ends.
struct Halt(Arc<AtomicBool>);

impl Drop for Halt {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Applies [`Import`]. The next run is read and sorted while one is written.
pub async fn import(app: Arc<App>, job: Import, run: Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let id = JobId::parse(&run.job_id).map_err(|_| Fail::fatal("internal", "The job's id cannot be read."))?;
    let mut at: At = run.checkpoint_value().unwrap_or_default();
    let has_died = matches!(run.last_failure.as_deref(), Some("crashed" | "panic"));
    at.deaths.learn(run.attempt, has_died, at.row, at.counts.done, at.until.is_none());
    let number = begin(&app, &run, site, &id, &job, &at).await?;
    let clock = app.clock.clone();
    let import = Started { job, number, began: (clock.now(), at.counts.done), clock };
    let job = &import.job;

    let halt = Halt(Arc::default());
    let place = Place {
        upload: uploads::path(&app.config, site, &job.upload),
        errors: uploads::error_file(&app.config, site, &id),
        first_row: at.row,
        error_bytes: at.error_bytes,
        reason: job.reason,
        wanted: job.mapping.wanted().map_err(|error| Fail::fatal(error.code().name(), error.message()))?,
        deadly: at.deaths.deadly.clone(),
        now: app.clock.now(),
        halt: halt.0.clone(),
    };
    let (until, most) = (at.until, most(&at, at.row));
    let mut reading = begin_reading(move || {
        let mut source = Source::open(place)?;
        let batch = source.next_run(Lines::default(), until, most)?;
        Ok((source, batch))
    })?;
    let mut spare = Lines::default();
    loop {
        let (source, batch) = read(reading).await?;
        if batch.is_last {
            apply(&app, &run, &import, &mut at, batch).await?;
            break;
        }
        if !at.deaths.is_calm() {
            // One run after the other, so that it is clear which one the worker dies of.
            let lines = apply(&app, &run, &import, &mut at, batch).await?;
            reading = read_on(source, lines, self::most(&at, at.row))?;
            continue;
        }
        let next = read_on(source, spare, self::most(&at, batch.end_row))?;
        match apply(&app, &run, &import, &mut at, batch).await {
            Ok(lines) => (spare, reading) = (lines, next),
            Err(fail) => {
                // The error file is let go of before another attempt may begin.
                drop(halt);
                _ = next.await;
                return Err(fail);
            }
        }
    }
    finish(&app, &run, job, at).await
}

/// Puts off the upload's end, as an attempt may come late, and gives the import its number.
async fn begin(app: &App, run: &Run, site: SiteId, id: &JobId, job: &Import, at: &At) -> Result<i64, Fail> {
    let mut tx = app.db.begin().await?;
    let reserved = uploads::actions::reserve(&mut tx, site, &job.upload, app.clock.now()).await;
    reserved.map_err(|error| match error.code() {
        Code::UploadNotFound => Fail::fatal(error.code().name(), error.message()),
        _ => unavailable(error),
    })?;
    let (number, undone) = loop {
        if let Some(found) = store::hold_import(tx.conn(), site, id).await? {
            break found;
        }
        store::number_import(tx.conn(), site, id, app.clock.now()).await?;
    };
    if undone.is_some() {
        let text = "The import was taken back. Start a new one.";
        return Err(Fail::fatal(Code::ImportUndone.name(), text));
    }
    run.checkpoint(&mut tx, at, &at.counts).await?;
    tx.commit().await?;
    Ok(number)
}

async fn finish(app: &App, run: &Run, job: &Import, at: At) -> Result<(), Fail> {
    let mut result = serde_json::to_value(at.counts).expect("counts are JSON");
    if at.counts.invalid > 0 {
        result["errorFile"] = json!(format!("/api/v1/jobs/{}/errors", run.job_id));
        if at.error_bytes >= MAX_ERROR_BYTES {
            result["errorFileIsCut"] = json!(true);
        }
    }
    let mut tx = app.db.begin().await?;
    run.finish(&mut tx, &result, &at.counts).await?;
    uploads::actions::release(app, &mut tx, SiteId::new(run.site), &job.upload).await.map_err(unavailable)?;
    tx.commit().await?;
    Ok(())
}

/// How many rows the run that begins at `row` may have.
fn most(at: &At, row: u64) -> u64 {
    at.deaths.run_at(row).unwrap_or(MAX_ROWS)
}

fn read_on(mut source: Source, spare: Lines, most: u64) -> Result<Reading, Fail> {
    begin_reading(move || {
        let batch = source.next_run(spare, None, most)?;
        Ok((source, batch))
    })
}

fn begin_reading(read: impl FnOnce() -> Result<(Source, Batch), Fail> + Send + 'static) -> Result<Reading, Fail> {
    background::begin(read).map_err(|error| unavailable(error.into()))
}

async fn read(reading: Reading) -> Result<(Source, Batch), Fail> {
    match reading.await {
        Ok(read) => read,
        Err(error) => {
            Err(Fail::retry("panic", "Usher made a mistake in reading the file; the log has more.").because(error))
        }
    }
}

pub(super) fn unavailable(error: Error) -> Fail {
    Fail::retry("unavailable", "The database did not take the change. Usher will try again.").because(error)
}
