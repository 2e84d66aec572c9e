use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use usher_jobs::{Fail, Job, Queue, Run};

use super::store;
use crate::{
    app::App,
    areas::members::{
        delete::{marked, total},
        erase::{self, At, Counts, End, Kind, Work},
        store as members,
    },
    pace::Pace,
    values::{MemberId, SiteId},
};

/// Moves everything of one member to another, and deletes the first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Merge {
    /// Who gets everything.
    pub winner: MemberId,
    /// Who goes.
    pub loser: MemberId,
    /// Rows that the call has moved already, by kind.
    pub moved: Counts,
}

impl Job for Merge {
    const KIND: &'static str = "members.merge";
    const QUEUE: Queue = Queue::Bulk;
    /// A crash counts as an attempt, and each goes on where the last one stopped.
    const MAX_ATTEMPTS: u32 = 100;
    const TIMEOUT: Duration = Duration::from_secs(12 * 3600);

    fn progress(&self) -> Value {
        json!(At::start(0, self.moved.clone()).progress())
    }
}

/// Applies [`Merge`].
pub async fn merge(app: &App, job: Merge, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let person = marked(app, site, &job.loser).await?;
    let work = Work { app, run, site, person: &person };
    let mut at: At = run.checkpoint_value().unwrap_or_default();
    if !at.has_begun() {
        at = At::start(total(app, site, &job.loser).await?, job.moved.clone());
    }
    let mut pace = Pace::new(&app.db);
    for kind in Kind::ALL {
        while erase::store::has(app.db.read(), site, &job.loser, kind).await? {
            if run.stopping() {
                return Err(Fail::Stopping);
            }
            let rows = u32::try_from(pace.rows(&app.db, app.clock.now())).unwrap_or(u32::MAX);
            let mut tx = app.db.begin().await?;
            // Always in this order, so that two merges cannot wait for each other.
            let mut ids = [&job.winner, &job.loser];
            ids.sort_unstable_by_key(|id| id.as_str());
            for id in ids {
                if members::hold(tx.conn(), site, id).await?.is_none() {
                    return Err(Fail::fatal("member_not_found", format!("Member {id} is gone.")));
                }
            }
            let pair = (&job.loser, &job.winner);
            at.gone(kind, store::hand_over(&mut tx, site, pair, kind, rows, app.clock.now()).await?);
            run.checkpoint(&mut tx, &at, &at.progress()).await?;
            tx.commit().await?;
        }
    }
    let tail = erase::rewrite(&work, &mut at).await?;
    erase::end(&work, &mut at, &tail, End::Merge(&job.winner)).await
}
