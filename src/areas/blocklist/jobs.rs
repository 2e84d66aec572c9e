use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use usher_files::Wanted;
use usher_jobs::{Fail, Job, Queue, Run};

use super::{
    Reason, store,
    take::Take,
    types::{Counts, ImportMapping},
};
use crate::{
    app::App,
    areas::uploads,
    error::Code,
    imports::{self, At, Halt, MAX_ERROR_BYTES, Place, Speed, unavailable},
    values::{JobId, SiteId, UploadId, Zone},
};

/// Imports an upload into the block list of the job's site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Import {
    /// The file.
    pub upload: UploadId,
    /// The reason of rows that give none that is known. With one, every row is blocked that does not say the contrary.
    pub reason: Option<Reason>,
    /// The source of rows that give none.
    pub source: Option<String>,
    /// The note of rows that have none.
    pub note: Option<String>,
    /// What the call knows of the file.
    #[serde(default)]
    pub mapping: ImportMapping,
    /// In which zone a date is a day.
    #[serde(default)]
    pub zone: Zone,
}

impl Import {
    /// What the reader is told of the file.
    pub(super) fn wanted(&self) -> crate::error::Result<Wanted> {
        self.mapping.wanted(self.reason.is_some())
    }
}

impl Job for Import {
    const KIND: &'static str = "blocklist.import";
    const QUEUE: Queue = Queue::Bulk;
    /// A crash counts as an attempt, and each goes on where the last one stopped.
    const MAX_ATTEMPTS: u32 = 100;
    const TIMEOUT: Duration = Duration::from_secs(12 * 3600);

    fn progress(&self) -> Value {
        json!(Counts::default())
    }
}

/// An import that has begun.
pub(super) struct Started {
    pub(super) job: Import,
    /// Which of its site's imports it is.
    pub(super) number: i64,
    speed: Speed,
    pub(super) app: Arc<App>,
    pub(super) run: Run,
    pub(super) site: SiteId,
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
    pub(super) fn progress(&self, at: &At<Counts>) -> Progress {
        let counts = at.counts;
        Progress { counts, seconds_left: self.speed.seconds_left(counts.done, counts.total) }
    }
}

/// Applies [`Import`].
pub async fn import(app: &Arc<App>, job: Import, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let id = JobId::parse(&run.job_id).map_err(|_| Fail::fatal("internal", "The job's id cannot be read."))?;
    let mut at = At::of(run);
    let number = begin(app, run, site, &id, &job, &at).await?;
    let halt = Halt::new();
    let place = Place {
        upload: uploads::path(&app.config, site, &job.upload),
        errors: uploads::error_file(&app.config, site, &id),
        first_row: at.row,
        error_bytes: at.error_bytes,
        wanted: job.wanted().map_err(|error| Fail::fatal(error.code().name(), error.message()))?,
        deadly: at.deadly(),
        most_rows: None,
        halt: halt.sign(),
    };
    let take = Take::new(job.reason.unwrap_or(Reason::Manual), app.clock.now(), job.zone);
    let speed = Speed::new(&app.clock, at.counts.done);
    let import = Started { job, number, speed, app: app.clone(), run: run.clone(), site };
    imports::apply(app, run, &import, &mut at, (place, take), halt).await?;
    finish(app, run, &import.job, at).await
}

/// Puts off the upload's end, as an attempt may come late, and gives the import its number.
async fn begin(app: &App, run: &Run, site: SiteId, id: &JobId, job: &Import, at: &At<Counts>) -> Result<i64, Fail> {
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

async fn finish(app: &App, run: &Run, job: &Import, at: At<Counts>) -> Result<(), Fail> {
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
