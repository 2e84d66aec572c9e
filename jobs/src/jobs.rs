use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{
    sync::{Notify, broadcast},
    time::{Instant, timeout},
};
use usher_db::{Db, Tx};

use crate::{Environment, JobRow, Queue, Result, Settings};

/// How many changes a slow listener may fall behind before it is told that it missed some.
const CHANGES: usize = 1024;

/// Called inside the transaction that ends a job: succeeded, failed for good, or cancelled.
pub type EndHook = Arc<dyn for<'a> Fn(&'a mut Tx, &'a JobRow) -> BoxFuture<'a, Result<()>> + Send + Sync>;

/// The jobs of an installation: accepts them, shows them, cancels and retries them. Cheap to clone.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    db: Db,
    environment: Environment,
    settings: Settings,
    fast: Arc<Notify>,
    bulk: Arc<Notify>,
    mail: Arc<Notify>,
    changes: broadcast::Sender<Changed>,
    at_end: OnceLock<EndHook>,
}

/// A job's state or progress changed in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The job's site.
    pub site: i64,
    /// The job.
    pub id: String,
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl Jobs {
    /// The jobs in `db`, with the patience of production.
    pub fn new(db: Db, environment: Environment) -> Self {
        Self::with_settings(db, environment, Settings::default())
    }

    /// The jobs in `db`.
    pub fn with_settings(db: Db, environment: Environment, settings: Settings) -> Self {
        Self(Arc::new(Inner {
            db,
            environment,
            settings,
            fast: Arc::default(),
            bulk: Arc::default(),
            mail: Arc::default(),
            changes: broadcast::channel(CHANGES).0,
            at_end: OnceLock::new(),
        }))
    }

    /// What happens inside every transaction that ends a job, here and in every clone. A job that is
    /// cancelled before it ran ends in the caller's transaction, so a process that only accepts jobs needs
    /// the hook too. The first hook stays.
    pub fn at_end<H>(self, hook: H) -> Self
    where
        H: for<'a> Fn(&'a mut Tx, &'a JobRow) -> BoxFuture<'a, Result<()>> + Send + Sync + 'static,
    {
        if self.0.at_end.set(Arc::new(hook)).is_err() {
            tracing::warn!("jobs have an end hook already");
        }
        self
    }

    /// Tells of each change of state or progress in this process; another process' changes are seen by
    /// looking. A listener that falls behind is told so.
    pub fn changed(&self) -> broadcast::Receiver<Changed> {
        self.0.changes.subscribe()
    }

    /// Waits until the job has ended, at most that long, and gives it as it then stands.
    pub async fn wait(&self, site: i64, id: &str, at_most: Duration) -> Result<Option<JobRow>> {
        let until = Instant::now() + at_most;
        let mut changes = self.changed(); // before the first look, so that nothing falls between
        loop {
            let row = self.get(self.db().read(), site, id).await?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || row.as_ref().is_none_or(|row| row.state.is_over()) {
                return Ok(row);
            }
            let ours = async {
                loop {
                    match changes.recv().await {
                        Ok(change) if change.site != site || change.id != id => {}
                        Ok(_) | Err(_) => return,
                    }
                }
            };
            let _ = timeout(left.min(self.settings().look), ours).await;
        }
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn now(&self) -> i64 {
        (self.0.environment.now)()
    }

    pub(crate) fn new_id(&self) -> String {
        (self.0.environment.job_id)()
    }

    /// Wakes a worker of this process.
    pub(crate) fn bell(&self, queue: Queue) -> &Arc<Notify> {
        match queue {
            Queue::Fast => &self.0.fast,
            Queue::Bulk => &self.0.bulk,
            Queue::Mail => &self.0.mail,
        }
    }

    /// Once `tx` is committed, tells who listens.
    pub(crate) fn tell(&self, tx: &mut Tx, site: i64, id: &str) {
        let (changes, changed) = (self.0.changes.clone(), Changed { site, id: id.to_owned() });
        tx.after_commit(move || drop(changes.send(changed)));
    }

    /// The job ends in this transaction.
    pub(crate) async fn ended(&self, tx: &mut Tx, row: &JobRow) -> Result<()> {
        match self.0.at_end.get() {
            Some(hook) => hook(tx, row).await,
            None => Ok(()),
        }
    }
}
