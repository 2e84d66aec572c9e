use std::time::Duration;

use serde::{Deserialize, Serialize};
use usher_jobs::{Fail, Job, Queue, Run};

use super::store;
use crate::{app::App, areas::sites, gate::idempotency};

/// Rows that one transaction forgets.
const BATCH: u32 = 1000;

/// Forgets what is older than the sites want to keep: rows of the log, and answers under an Idempotency-Key.
#[derive(Serialize, Deserialize)]
pub struct Retention;

impl Job for Retention {
    const KIND: &'static str = "activity.retention";
    const QUEUE: Queue = Queue::Bulk;
    const TIMEOUT: Duration = Duration::from_secs(3600);
}

/// Applies [`Retention`]. Safe to run twice: what is gone is gone.
pub async fn retain(app: &App, run: &Run) -> Result<(), Fail> {
    let now = app.clock.now();
    const DAY: Duration = Duration::from_secs(86_400);
    for site in sites::store::all(app.db.read()).await? {
        let before = now - DAY * site.settings.activity_retention_days;
        loop {
            if run.stopping() {
                return Err(Fail::Stopping);
            }
            let mut tx = app.db.begin().await?;
            let gone = store::prune(tx.conn(), site.id, before, BATCH).await?;
            tx.commit().await?;
            if gone < u64::from(BATCH) {
                break;
            }
        }
    }
    loop {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        let mut tx = app.db.begin().await?;
        let before = now - Duration::from_secs(86_400 * idempotency::KEPT_DAYS);
        let gone = idempotency::prune(tx.conn(), before, BATCH).await?;
        tx.commit().await?;
        if gone < u64::from(BATCH) {
            return Ok(());
        }
    }
}
