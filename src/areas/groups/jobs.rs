use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use usher_jobs::{Fail, Job, Queue, Run};

use super::{
    actions,
    store::{self, Fitting},
    types::{Placed, Placing},
};
use crate::{
    app::App,
    areas::members::MemberStatus,
    error::{Code, Error},
    pace::Pace,
    values::{GroupId, SiteId, Tag, Time},
};

/// A crash counts as an attempt, and each goes on where the last one stopped.
const MAX_ATTEMPTS: u32 = 100;

const TIMEOUT: Duration = Duration::from_secs(12 * 3600);

/// Which members: all that is given must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whom {
    /// Those with this tag.
    pub tag: Option<Tag>,
    /// Those with this status at the moment they are looked at.
    pub status: Option<MemberStatus>,
}

/// Puts the members of a filter into a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddByFilter {
    /// The group.
    pub group: GroupId,
    /// Which members.
    pub whom: Whom,
}

/// Takes the members of a filter out of a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemoveByFilter {
    /// The group.
    pub group: GroupId,
    /// Which members.
    pub whom: Whom,
}

/// Moves the members of a filter from one group into another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MoveByFilter {
    /// The group that they leave.
    pub from: GroupId,
    /// The group that they come into.
    pub to: GroupId,
    /// Which members.
    pub whom: Whom,
}

/// Takes away the places of a group that is marked as being deleted, and then the group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delete {
    /// The group.
    pub group: GroupId,
    /// How many places it had when it was marked.
    pub places: u64,
}

impl Job for AddByFilter {
    const KIND: &'static str = "groups.addMembers";
    const QUEUE: Queue = Queue::Bulk;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = TIMEOUT;

    fn progress(&self) -> Value {
        At::default().progress(&Placing::Into(self.group.clone()))
    }
}

impl Job for RemoveByFilter {
    const KIND: &'static str = "groups.removeMembers";
    const QUEUE: Queue = Queue::Bulk;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = TIMEOUT;

    fn progress(&self) -> Value {
        At::default().progress(&Placing::OutOf(self.group.clone()))
    }
}

impl Job for MoveByFilter {
    const KIND: &'static str = "groups.moveMembers";
    const QUEUE: Queue = Queue::Bulk;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = TIMEOUT;

    fn progress(&self) -> Value {
        At::default().progress(&Placing::Move(self.from.clone(), self.to.clone()))
    }
}

impl Job for Delete {
    const KIND: &'static str = "groups.delete";
    const QUEUE: Queue = Queue::Bulk;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = TIMEOUT;

    fn progress(&self) -> Value {
        json!({ "total": self.places, "done": 0 })
    }
}

/// Applies [`AddByFilter`].
pub async fn add(app: &App, job: AddByFilter, run: &Run) -> Result<(), Fail> {
    walk(app, run, &Placing::Into(job.group), &job.whom).await
}

/// Applies [`RemoveByFilter`].
pub async fn remove(app: &App, job: RemoveByFilter, run: &Run) -> Result<(), Fail> {
    walk(app, run, &Placing::OutOf(job.group), &job.whom).await
}

/// Applies [`MoveByFilter`].
pub async fn shift(app: &App, job: MoveByFilter, run: &Run) -> Result<(), Fail> {
    walk(app, run, &Placing::Move(job.from, job.to), &job.whom).await
}

/// How far a walk got; the job's checkpoint. Readable for ever.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct At {
    /// Whether `total` is counted.
    is_counted: bool,
    /// The last member that is done.
    after: String,
    total: u64,
    done: u64,
    /// Members whose place is another now.
    changed: u64,
    /// Members that had a place already where they were to come.
    already: u64,
}

impl At {
    pub(super) fn count(&mut self, placing: &Placing, n_members: usize, placed: &Placed) {
        let (n_came, n_left) = (placed.came.len() as u64, placed.left.len() as u64);
        self.done += n_members as u64;
        self.changed += if matches!(placing, Placing::OutOf(_)) { n_left } else { n_came };
        self.already += match placing {
            Placing::Into(_) => placed.known.len() as u64 - n_came,
            Placing::OutOf(_) => 0,
            Placing::Move(..) => n_left - n_came,
        };
    }

    /// What became of the members, with the words of the tool.
    pub(super) fn outcomes(&self, placing: &Placing) -> Vec<(&'static str, u64)> {
        match placing {
            Placing::Into(_) => vec![("added", self.changed), ("already", self.already)],
            Placing::OutOf(_) => vec![("removed", self.changed)],
            Placing::Move(..) => vec![("moved", self.changed), ("already", self.already)],
        }
    }

    /// The same with how far it is.
    fn progress(&self, placing: &Placing) -> Value {
        let mut progress = json!({ "total": self.total, "done": self.done });
        for (name, n) in self.outcomes(placing) {
            progress[name] = json!(n);
        }
        progress
    }
}

impl Whom {
    /// As the database is asked for them.
    pub(super) fn fitting<'a>(&'a self, placing: &'a Placing, now: Time) -> Fitting<'a> {
        let group = match placing {
            Placing::Into(_) => None,
            Placing::OutOf(group) | Placing::Move(group, _) => Some(group),
        };
        Fitting { tag: self.tag.as_ref(), status: self.status, now, group }
    }
}

/// Goes through the members of a filter in the order of their ids, some in each transaction.
async fn walk(app: &App, run: &Run, placing: &Placing, whom: &Whom) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let filter = || whom.fitting(placing, app.clock.now());
    let mut at: At = run.checkpoint_value().unwrap_or_default();
    if !at.is_counted {
        at.total = store::count_fitting(app.db.read(), site, filter()).await?;
        at.is_counted = true;
        let mut tx = app.db.begin().await?;
        run.checkpoint(&mut tx, &at, &at.progress(placing)).await?;
        tx.commit().await?;
    }
    let mut pace = Pace::new(&app.db);
    loop {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        let most = pace.rows(&app.db, app.clock.now());
        let ids = store::fitting(app.db.read(), site, filter(), &at.after, limit(most)).await?;
        let Some(last) = ids.last().cloned() else { break };
        let mut tx = app.db.begin().await?;
        let placed = actions::place(&mut tx, site, placing, &ids, app.clock.now()).await.map_err(failed)?;
        at.after = last.to_string();
        at.count(placing, ids.len(), &placed);
        at.total = at.total.max(at.done);
        run.checkpoint(&mut tx, &at, &at.progress(placing)).await?;
        tx.commit().await?;
        if ids.len() < most {
            break;
        }
    }
    at.total = at.done;
    let mut tx = app.db.begin().await?;
    let counts = at.progress(placing);
    run.finish(&mut tx, &counts, &counts).await?;
    tx.commit().await?;
    Ok(())
}

/// How far a deletion got; its checkpoint. Readable for ever.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct DeletedTo {
    /// The last member whose place is gone.
    after: String,
    done: u64,
}

/// Applies [`Delete`].
pub async fn delete(app: &App, job: Delete, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let mut at: DeletedTo = run.checkpoint_value().unwrap_or_default();
    let progress = |at: &DeletedTo| json!({ "total": job.places.max(at.done), "done": at.done });
    let mut pace = Pace::new(&app.db);
    loop {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        let most = pace.rows(&app.db, app.clock.now());
        let ids = store::place_range(app.db.read(), site, &job.group, &at.after, limit(most)).await?;
        let Some((last,)) = ids.last() else { break };
        let mut tx = app.db.begin().await?;
        at.done += store::delete_place_range(tx.conn(), site, &job.group, &at.after, last).await?;
        at.after = last.to_string();
        run.checkpoint(&mut tx, &at, &progress(&at)).await?;
        tx.commit().await?;
    }
    let mut tx = app.db.begin().await?;
    store::delete(tx.conn(), site, &job.group).await?;
    run.finish(&mut tx, &json!({ "places": at.done }), &json!({ "total": at.done, "done": at.done })).await?;
    tx.commit().await?;
    Ok(())
}

fn limit(most: usize) -> u32 {
    u32::try_from(most).unwrap_or(u32::MAX)
}

fn failed(error: Error) -> Fail {
    match error.code() {
        Code::GroupNotFound => Fail::fatal(error.code().name(), error.message()),
        _ => Fail::retry("unavailable", "The database did not take the change. Usher will try again.").because(error),
    }
}
