use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::{JoinHandle, spawn_blocking};
use usher_files::Wanted;
use usher_jobs::{Fail, Job, Queue, Run};

use super::{
    Reason,
    apply::{At, apply},
    lines::Lines,
    source::{Batch, Place, Source},
};
use crate::{
    app::App,
    areas::uploads,
    error::{Code, Error},
    values::{JobId, SiteId, UploadId},
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
}

impl Job for Import {
    const KIND: &'static str = "blocklist.import";
    const QUEUE: Queue = Queue::Bulk;
    /// A crash counts as an attempt, and each goes on where the last one stopped.
    const MAX_ATTEMPTS: u32 = 100;
    const TIMEOUT: Duration = Duration::from_secs(12 * 3600);
}

type Reading = JoinHandle<Result<(Source, Batch), Fail>>;

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
    reserve(&app, site, &job).await?;

    let halt = Halt(Arc::default());
    let place = Place {
        upload: uploads::path(&app.config, site, &job.upload),
        errors: uploads::error_file(&app.config, site, &id),
        first_row: at.row,
        error_bytes: at.error_bytes,
        reason: job.reason,
        wanted: Wanted::default(),
        now: app.clock.now(),
        halt: halt.0.clone(),
    };
    let until = at.until;
    let mut reading: Reading = spawn_blocking(move || {
        let mut source = Source::open(place)?;
        let batch = source.next_run(Lines::default(), until)?;
        Ok((source, batch))
    });
    let mut spare = Lines::default();
    loop {
        let (source, batch) = read(reading).await?;
        if batch.is_last {
            apply(&app, &run, &job, &mut at, batch).await?;
            break;
        }
        let next = read_on(source, spare);
        match apply(&app, &run, &job, &mut at, batch).await {
            Ok(lines) => (spare, reading) = (lines, next),
            Err(fail) => {
                // The error file is let go of before another attempt may begin.
                drop(halt);
                _ = next.await;
                return Err(fail);
            }
        }
    }
    finish(&app, &run, &job, at).await
}

/// Puts off the upload's end: an attempt may come late.
async fn reserve(app: &App, site: SiteId, job: &Import) -> Result<(), Fail> {
    let mut tx = app.db.begin().await?;
    let reserved = uploads::actions::reserve(&mut tx, site, &job.upload, app.clock.now()).await;
    reserved.map_err(|error| match error.code() {
        Code::UploadNotFound => Fail::fatal(error.code().name(), error.message()),
        _ => unavailable(error),
    })?;
    tx.commit().await?;
    Ok(())
}

async fn finish(app: &App, run: &Run, job: &Import, at: At) -> Result<(), Fail> {
    let mut result = serde_json::to_value(at.counts).expect("counts are JSON");
    if at.counts.invalid > 0 {
        result["errorFile"] = json!(format!("/api/v1/jobs/{}/errors", run.job_id));
    }
    let mut tx = app.db.begin().await?;
    run.finish(&mut tx, &result, &at.counts).await?;
    uploads::actions::release(app, &mut tx, SiteId::new(run.site), &job.upload).await.map_err(unavailable)?;
    tx.commit().await?;
    Ok(())
}

fn read_on(mut source: Source, spare: Lines) -> Reading {
    spawn_blocking(move || {
        let batch = source.next_run(spare, None)?;
        Ok((source, batch))
    })
}

async fn read(reading: Reading) -> Result<(Source, Batch), Fail> {
    match reading.await {
        Ok(read) => read,
        Err(error) => {
            Err(Fail::retry("panic", "Usher made a mistake in reading the file; the log has more.").because(error))
        }
    }
}

fn unavailable(error: Error) -> Fail {
    Fail::retry("unavailable", "The database did not take the change. Usher will try again.").because(error)
}
