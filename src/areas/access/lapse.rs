//! The stored status of members whose free access, or what they paid elsewhere, has ended by itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use usher_jobs::{Fail, Job, Queue, Run};

use super::store;
use crate::{app::App, areas::subscriptions};

/// Members of one transaction.
const ROWS: u32 = 250;

/// Writes the status of members whose free access, or what they paid elsewhere, has ended since the last time, so that lists by status find them.
/// Access itself does not wait for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lapse;

impl Lapse {
    /// How often it runs.
    pub const EVERY: Duration = Duration::from_secs(15 * 60);
}

impl Job for Lapse {
    const KIND: &'static str = "access.lapse";
    const QUEUE: Queue = Queue::Bulk;
}

/// Applies [`Lapse`]. Safe to run twice.
pub async fn lapse(app: &App, _: Lapse, run: &Run) -> Result<(), Fail> {
    loop {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        let mut tx = app.db.begin().await?;
        let n = store::lapse(tx.conn(), app.clock.now(), ROWS).await?;
        tx.commit().await?;
        if n < u64::from(ROWS) {
            break;
        }
    }
    while subscriptions::lapse(app, ROWS).await? == u64::from(ROWS) {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
    }
    Ok(())
}
