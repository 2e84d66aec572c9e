//! Work that comes round: every node tries to enqueue it, and the dedupe key lets one job per slot in.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::sleep;

use crate::{Job, Jobs, Owner, Result, micros};

/// A job that is enqueued once a period.
pub(crate) struct Periodic {
    kind: &'static str,
    period: Duration,
    enqueue: Arc<dyn Fn(Jobs, String) -> BoxFuture<'static, Result<()>> + Send + Sync>,
}

impl Periodic {
    pub(crate) fn new<J: Job>(job: J, period: Duration) -> Self {
        let job = Arc::new(job);
        let enqueue = move |jobs: Jobs, dedupe: String| {
            let job = job.clone();
            async move {
                let mut tx = jobs.db().begin().await?;
                jobs.enqueue(&mut tx, Owner { dedupe: Some(&dedupe), ..Owner::site(0) }, &*job).await?;
                tx.commit().await
            }
            .boxed()
        };
        Self { kind: J::KIND, period, enqueue: Arc::new(enqueue) }
    }

    /// Until the task is ended: now, and at the start of each further slot.
    pub(crate) async fn keep_enqueuing(self, jobs: Jobs) {
        let period = micros(self.period).max(1);
        loop {
            let slot = jobs.now().div_euclid(period);
            let wait = match (self.enqueue)(jobs.clone(), format!("{}:{slot}", self.kind)).await {
                Ok(()) => period - jobs.now().rem_euclid(period),
                Err(error) => {
                    tracing::error!(kind = self.kind, %error, "a periodic job could not be enqueued");
                    micros(jobs.settings().restart)
                }
            };
            sleep(Duration::from_micros(wait.unsigned_abs())).await;
        }
    }
}
