use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use usher_jobs::{Fail, Job, Queue, Run};

use super::{
    grants::{Act, By},
    store,
};
use crate::{
    app::App,
    areas::groups,
    error::Code,
    pace::Pace,
    values::{GroupId, MemberId, SiteId},
};

/// Does something to each member of a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// The group.
    pub group: GroupId,
    /// What is done.
    pub act: Act,
}

impl Job for Grant {
    const KIND: &'static str = "access.group";
    const QUEUE: Queue = Queue::Bulk;
    const MAX_ATTEMPTS: u32 = 100;
    const TIMEOUT: Duration = Duration::from_secs(12 * 3600);

    fn progress(&self) -> Value {
        At::default().counts(&self.act)
    }
}

/// How far it got; the job's checkpoint. Readable for ever.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct At {
    /// The last member that is done.
    after: String,
    total: u64,
    done: u64,
    /// Members that were given more than they had, or something was taken from.
    pub(super) changed: u64,
    /// Members that had as much already, or nothing that could be taken.
    pub(super) unchanged: u64,
    /// Members that are being deleted.
    pub(super) failed: u64,
}

impl At {
    /// What became of the members, in the words of what is done.
    pub(super) fn outcomes(&self, act: &Act) -> [(&'static str, u64); 3] {
        let (changed, unchanged) = match act.gives() {
            true => ("granted", "alreadyHad"),
            false => ("removed", "hadNone"),
        };
        [(changed, self.changed), (unchanged, self.unchanged), ("failed", self.failed)]
    }

    /// The same with how far it is.
    fn counts(&self, act: &Act) -> Value {
        let mut counts = json!({ "done": self.done, "total": self.total.max(self.done) });
        for (name, n) in self.outcomes(act) {
            counts[name] = json!(n);
        }
        counts
    }
}

/// Applies [`Grant`]: some members at a time, each time with where it is. Who joins the group meanwhile with a lower id
/// than the one that it is at is not reached.
pub async fn grant_to_group(app: &Arc<App>, job: Grant, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let mut at: At = run.checkpoint_value().unwrap_or_default();
    if at.total == 0 {
        at.total = groups::store::count(app.db.read(), site, &job.group).await?;
    }
    let mut pace = Pace::new(&app.db);
    loop {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        if job.act.is_over(app.clock.now()) {
            let text = format!(
                "What was to be given is over by now; {} of {} members were done before. Grant it anew with a later end.",
                at.done, at.total
            );
            return Err(Fail::fatal(Code::ArgumentsRefused.name(), text));
        }
        let rows = pace.rows(&app.db, app.clock.now());
        let mut tx = app.db.begin().await?;
        let members = store::places_after(tx.conn(), site, &job.group, &at.after, rows).await?;
        let Some(last) = members.last() else {
            let counts = at.counts(&job.act);
            run.finish(&mut tx, &counts, &counts).await?;
            tx.commit().await?;
            return Ok(());
        };
        at.after = last.to_string();
        let ids = members.iter().map(|id: &MemberId| id.as_str().to_owned()).collect();
        let held = store::hold(tx.conn(), site, ids).await?;
        let by = By { job: Some(&run.job_id), now: app.clock.now() };
        let changed = job.act.apply(&mut tx, site, &app.clock, &held, by).await?;
        at.done += members.len() as u64;
        at.changed += changed;
        at.unchanged += held.len() as u64 - changed;
        at.failed += (members.len() - held.len()) as u64;
        run.checkpoint(&mut tx, &at, &at.counts(&job.act)).await?;
        tx.commit().await?;
    }
}
