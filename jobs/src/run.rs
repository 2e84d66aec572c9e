use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::{Notify, watch};
use usher_db::{Tx, sql_both};

use crate::{
    Fail, Jobs, clock, micros,
    row::to_json,
    settle::{Claim, succeed},
};

/// One attempt at a job: what its handler is given. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Run {
    /// The job's site; 0 for work of the whole installation.
    pub site: i64,
    /// The job. The idempotency key for effects outside the database.
    pub job_id: String,
    /// The key that started it.
    pub key_id: Option<String>,
    /// The call that started it.
    pub request_id: Option<String>,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The code that the attempt before failed with: `crashed` if its worker died, `panic` if it panicked.
    pub last_failure: Option<String>,
    pub(crate) jobs: Jobs,
    pub(crate) epoch: i64,
    checkpoint: Option<Arc<str>>,
    stop: watch::Receiver<bool>,
    pub(crate) reins: Arc<Reins>,
}

/// How the runner and a run hear of each other.
#[derive(Debug, Default)]
pub(crate) struct Reins {
    /// Somebody else has the job.
    pub(crate) lost: Notify,
    pub(crate) cancelling: AtomicBool,
    /// The run's own transaction ended the job.
    pub(crate) finished: AtomicBool,
}

impl Run {
    pub(crate) fn new(jobs: Jobs, claim: &Claim, stop: watch::Receiver<bool>, reins: Arc<Reins>) -> Self {
        Self {
            site: claim.row.site,
            job_id: claim.row.id.clone(),
            key_id: claim.row.key_id.clone(),
            request_id: claim.row.request_id.clone(),
            attempt: claim.row.attempt,
            last_failure: claim.row.error_code.clone(),
            jobs,
            epoch: claim.epoch,
            checkpoint: claim.checkpoint.as_deref().map(Arc::from),
            stop,
            reins,
        }
    }

    /// Where an earlier attempt got to, if it got anywhere and this reads as a `T`.
    pub fn checkpoint_value<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.checkpoint.as_deref()?).ok()
    }

    /// Call first in the transaction that carries a part of the effect: proves that this run still has the
    /// job, stores where to go on and what is shown, and renews the lease. The part, its checkpoint and its
    /// progress commit together. On an error, drop the transaction and return the error.
    pub async fn checkpoint(
        &self,
        tx: &mut Tx,
        at: &(impl Serialize + Sync),
        progress: &(impl Serialize + Sync),
    ) -> Result<(), Fail> {
        self.store_checkpoint(tx, to_json(at)?, to_json(progress)?).await
    }

    async fn store_checkpoint(&self, tx: &mut Tx, at: String, progress: String) -> Result<(), Fail> {
        macro_rules! text {
            ($engine:tt) => {
                concat!(
                    "UPDATE job SET checkpoint = $4, progress = $5, updated_at = $6, lease_until = ",
                    clock!($engine),
                    " + $7 WHERE site = $1 AND id = $2 AND epoch = $3 AND state = 'running' RETURNING cancelling"
                )
            };
        }
        let ours: Option<(bool,)> = sql_both!(sqlite: text!(sqlite), postgres: text!(postgres))
            .bind(self.site)
            .bind(&self.job_id)
            .bind(self.epoch)
            .bind(at)
            .bind(progress)
            .bind(self.jobs.now())
            .bind(micros(self.jobs.settings().lease))
            .optional(tx.conn())
            .await?;
        match ours {
            None => Err(Fail::Fenced),
            Some((true,)) => Err(Fail::Cancelled),
            Some((false,)) => {
                self.jobs.tell(tx, self.site, &self.job_id);
                Ok(())
            }
        }
    }

    /// Ends the job as succeeded in the transaction that carries its (last) effect: exactly once. A job that
    /// was asked to stop and got here has done its work, and succeeds. On an error, drop the transaction and
    /// return the error.
    pub async fn finish(
        &self,
        tx: &mut Tx,
        result: &(impl Serialize + Sync),
        progress: &(impl Serialize + Sync),
    ) -> Result<(), Fail> {
        let (result, progress) = (to_json(result)?, to_json(progress)?);
        if !succeed(self, tx, Some(result), Some(progress)).await? {
            return Err(Fail::Fenced);
        }
        let reins = self.reins.clone();
        tx.after_commit(move || reins.finished.store(true, Relaxed));
        Ok(())
    }

    /// The process is about to stop: return [`Fail::Stopping`] after the next checkpoint, and the job goes
    /// on elsewhere with no attempt counted.
    pub fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until [`stopping`](Self::stopping) is true; for a handler that waits for something else.
    pub async fn stopped(&self) {
        if self.stop.clone().wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await; // The runner is gone, and this run with it.
        }
    }

    /// Somebody asked this job to stop. Known without a checkpoint, though up to a lease renewal late.
    pub fn cancelling(&self) -> bool {
        self.reins.cancelling.load(Relaxed)
    }

    /// For jobs that this one starts.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }
}
