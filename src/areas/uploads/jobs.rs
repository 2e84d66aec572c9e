use std::{io, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use usher_jobs::{Fail, Job, Queue, Run};

use super::{files, store};
use crate::{app::App, areas::sites, values::SiteId};

/// Rows that one transaction forgets, and names that one statement asks about.
const BATCH: u32 = 500;

/// A file of this age without a row is nobody's.
const ORPHAN: Duration = Duration::from_secs(3600);

/// How long the bad rows of an import, and what an export made, are kept: as long as the job's result.
const RESULTS_KEPT: Duration = Duration::from_secs(90 * 86_400);

/// Removes uploads that have expired, files without a row, and old error files and exports.
#[derive(Serialize, Deserialize)]
pub struct Sweep;

impl Job for Sweep {
    const KIND: &'static str = "uploads.sweep";
    const QUEUE: Queue = Queue::Bulk;
    const TIMEOUT: Duration = Duration::from_secs(3600);
}

/// Applies [`Sweep`]. Safe to run twice: what is gone is gone.
pub async fn sweep(app: &App, _: Sweep, run: &Run) -> Result<(), Fail> {
    for site in sites::store::all(app.db.read()).await? {
        expired(app, run, site.id).await?;
        orphans(app, run, site.id).await?;
        for folder in [files::errors_folder(&app.config, site.id), files::exports_folder(&app.config, site.id)] {
            let before = (app.clock.now() - RESULTS_KEPT).micros();
            blocking(move || {
                let old = files::older_than(&folder, before)?;
                old.iter().try_for_each(|name| files::remove(&folder.join(name)))
            })
            .await?;
        }
    }
    Ok(())
}

/// The row goes first: a file without a row is found again, a row without its file would lie.
async fn expired(app: &App, run: &Run, site: SiteId) -> Result<(), Fail> {
    loop {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        let mut tx = app.db.begin().await?;
        let gone = store::take_expired(tx.conn(), site, app.clock.now(), BATCH).await?;
        tx.commit().await?;
        let n = gone.len();
        let paths: Vec<PathBuf> = gone.iter().map(|id| files::path(&app.config, site, id)).collect();
        blocking(move || paths.iter().try_for_each(|path| files::remove(path))).await?;
        if n < BATCH as usize {
            return Ok(());
        }
    }
}

async fn orphans(app: &App, run: &Run, site: SiteId) -> Result<(), Fail> {
    let folder = files::uploads_folder(&app.config, site);
    let before = (app.clock.now() - ORPHAN).micros();
    let list = folder.clone();
    let names = blocking(move || files::older_than(&list, before)).await?;
    for names in names.chunks(BATCH as usize) {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        let asked = serde_json::to_string(names).expect("texts are JSON");
        let known = store::known(app.db.read(), site, asked).await?;
        let paths: Vec<PathBuf> =
            names.iter().filter(|name| !known.contains(name)).map(|name| folder.join(name)).collect();
        blocking(move || paths.iter().try_for_each(|path| files::remove(path))).await?;
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Fail> {
    let failed = || Fail::retry("unavailable", "The data folder cannot be read or written. Usher will try again.");
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| failed().because(error)),
        Err(error) => Err(failed().because(error)),
    }
}
