//! One attempt, from the claim to its end.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, RwLock, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    Fail, Jobs, Queue,
    run::{Reins, Run},
    settle::{Claim, settle},
};

/// How long a handler that was told to go has to let go of what it holds.
const LET_GO: Duration = Duration::from_secs(1);

/// The waits between tries to write how an attempt ended, while the database is away.
const SETTLE_AGAIN: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// Reads the payload and runs the job.
pub(crate) type Call = Arc<dyn Fn(String, Run) -> BoxFuture<'static, Result<(), Fail>> + Send + Sync>;

/// How a kind of job is run.
#[derive(Clone)]
pub(crate) struct Handler {
    pub(crate) timeout: Duration,
    pub(crate) call: Call,
}

/// What all parts of a runner share.
pub(crate) struct Shop {
    pub(crate) jobs: Jobs,
    pub(crate) handlers: HashMap<&'static str, Handler>,
    /// Take no more jobs, and tell those that run.
    pub(crate) stop: watch::Receiver<bool>,
    /// The grace is over.
    pub(crate) abandon: watch::Receiver<bool>,
    /// How many jobs run, by queue.
    pub(crate) busy: watch::Sender<[usize; Queue::ALL.len()]>,
    /// Whose leases are ours to renew: site, id and epoch.
    pub(crate) held: Mutex<HashMap<(i64, String, i64), Arc<Reins>>>,
    /// Read while jobs are being claimed, so that the end can wait for it.
    pub(crate) claiming: RwLock<()>,
    /// Another process wrote a ticket for this queue.
    pub(crate) hints: [Arc<Notify>; Queue::ALL.len()],
}

/// A job that occupies its place until this is dropped.
struct Place {
    shop: Arc<Shop>,
    queue: Queue,
    key: (i64, String, i64),
}

impl Place {
    fn take(shop: &Arc<Shop>, queue: Queue, claim: &Claim, reins: &Arc<Reins>) -> Self {
        let key = (claim.row.site, claim.row.id.clone(), claim.epoch);
        shop.busy.send_modify(|busy| busy[queue as usize] += 1);
        shop.held.lock().insert(key.clone(), reins.clone());
        Self { shop: shop.clone(), queue, key }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shop.held.lock().remove(&self.key);
        self.shop.busy.send_modify(|busy| busy[self.queue as usize] -= 1);
    }
}

impl Shop {
    /// How many more jobs of a queue may run at once.
    pub(crate) fn free(&self, queue: Queue) -> usize {
        self.jobs.settings().concurrency(queue).saturating_sub(self.busy.borrow()[queue as usize])
    }

    /// Runs a claimed job on a task of its own, which nothing but the job's own end ends.
    pub(crate) fn start(self: &Arc<Self>, queue: Queue, claim: Claim) -> JoinHandle<()> {
        let reins = Arc::new(Reins::default());
        let place = Place::take(self, queue, &claim, &reins);
        let run = Run::new(self.jobs.clone(), &claim, self.stop.clone(), reins);
        let shop = self.clone();
        tokio::spawn(async move {
            let _place = place;
            let (kind, last) = (claim.row.kind.clone(), claim.row.attempt >= claim.row.max_attempts);
            let outcome = shop.attempt(claim, &run).await;
            tell_log(&run, &kind, last, &outcome);
            write_down(&run, queue, last, &outcome).await;
        })
    }

    async fn attempt(&self, claim: Claim, run: &Run) -> Result<(), Fail> {
        let row = &claim.row;
        if row.cancelling {
            return Err(Fail::Cancelled);
        }
        if *self.stop.borrow() {
            return Err(Fail::Stopping);
        }
        if row.attempt > row.max_attempts {
            let ended = format!("The worker went away each of the {} times that it ran this job.", row.max_attempts);
            return Err(Fail::fatal("crashed", ended));
        }
        let Some(handler) = self.handlers.get(row.kind.as_str()).cloned() else {
            // A newer version may know it, while both run.
            return Err(Fail::retry("unknown_kind", format!("This version of Usher has no job {:?}.", row.kind)));
        };
        // A task of its own: a panic stays in it, and one that blocks holds up nothing here.
        let mut work = tokio::spawn((handler.call)(claim.payload, run.clone()));
        let mut abandon = self.abandon.clone();
        let fail = tokio::select! {
            ended = &mut work => match ended {
                Ok(outcome) => return outcome,
                Err(error) if error.is_panic() => return Err(panicked(error)),
                Err(_) => return Err(Fail::Stopping), // The runtime is going down.
            },
            () = sleep(handler.timeout) => {
                Fail::retry("timeout", format!("It took longer than {} s.", handler.timeout.as_secs_f64()))
            }
            () = run.reins.lost.notified() => Fail::Fenced,
            _ = abandon.wait_for(|abandon| *abandon) => Fail::Stopping,
        };
        work.abort();
        match timeout(LET_GO, work).await {
            Ok(Ok(outcome)) if !matches!(fail, Fail::Fenced) => outcome, // It ended just then.
            _ => Err(fail),
        }
    }
}

fn panicked(error: tokio::task::JoinError) -> Fail {
    let payload = error.into_panic();
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
    Fail::retry("panic", "Usher made a mistake in this job; the log has more.").because(text)
}

/// A job that ended with something worth a line.
fn tell_log(run: &Run, kind: &str, last: bool, outcome: &Result<(), Fail>) {
    use std::error::Error as _;
    let Err(fail) = outcome else { return };
    let cause = fail.source().map(ToString::to_string);
    let (site, job, attempt) = (run.site, run.job_id.as_str(), run.attempt);
    match fail {
        Fail::Retry { code, .. } | Fail::After { code, .. } if !last => {
            tracing::warn!(site, job, kind, attempt, code, cause, "a job will be tried again");
        }
        Fail::Retry { code, .. } | Fail::After { code, .. } | Fail::Fatal { code, .. } => {
            tracing::error!(site, job, kind, attempt, code, cause, "a job failed for good");
        }
        Fail::Fenced => tracing::warn!(site, job, kind, attempt, "somebody else has the job"),
        Fail::Stopping | Fail::Cancelled => tracing::info!(site, job, kind, attempt, "{fail}"),
    }
}

async fn write_down(run: &Run, queue: Queue, last: bool, outcome: &Result<(), Fail>) {
    for wait in SETTLE_AGAIN {
        match settle(run, queue, last, outcome).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(site = run.site, job = run.job_id, %error, "a job's end could not be written"),
        }
        sleep(wait).await;
    }
    // Its lease runs out, and the sweep finds it.
    tracing::error!(site = run.site, job = run.job_id, "a job's end was not written; it will run again");
}
