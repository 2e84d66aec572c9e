//! The stored status of members whose free access, or what they paid elsewhere, has ended by itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use usher_jobs::{Fail, Job, Queue, Run};

use super::settle;
use crate::{app::App, areas::subscriptions};

/// Subscriptions of one transaction.
const ROWS: u32 = 250;

/// Writes the status of members whose free access, or what they paid for, has ended since the last time, and ends what was
/// paid elsewhere. Access does not wait for it.
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
    settle(app, None, app.clock.now()).await?;
    while subscriptions::lapse(app, ROWS).await? == u64::from(ROWS) {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
    }
    Ok(())
}
