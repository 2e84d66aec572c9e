use std::{fmt, sync::Arc, time::Duration};

use crate::Queue;

/// What comes from the app, so that a test can fix it.
#[derive(Clone)]
pub struct Environment {
    /// Microseconds since 1970, for the times that are recorded and shown.
    pub now: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// A new id, `job_…`; later ids sort after earlier ones.
    pub job_id: Arc<dyn Fn() -> String + Send + Sync>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

/// How patient the machinery is. The defaults are for production; tests are less patient.
#[derive(Clone, Debug)]
pub struct Settings {
    /// For how long a claim holds without being renewed.
    pub lease: Duration,
    /// How often leases are renewed. At most a third of the lease.
    pub renew: Duration,
    /// How often a worker looks for tickets that nobody told it of.
    pub tick: Duration,
    /// How often expired leases and missing tickets are looked for.
    pub sweep: Duration,
    /// How often [`Jobs::wait`](crate::Jobs::wait) looks at a job that another process may be running.
    pub look: Duration,
    /// The wait after the first failed attempt; it doubles with each further one.
    pub backoff: Duration,
    /// The longest such wait.
    pub backoff_limit: Duration,
    /// How often apalis' worker rows are kept fresh.
    pub heartbeat: Duration,
    /// How often the rows of workers that are gone are removed.
    pub prune: Duration,
    /// The wait before a worker that failed is replaced.
    pub restart: Duration,
    /// How many jobs of [`Queue::Fast`] run at once in this process.
    pub fast: usize,
    /// How many jobs of [`Queue::Bulk`] run at once in this process.
    pub bulk: usize,
    /// How many jobs of [`Queue::Mail`] run at once in this process.
    pub mail: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            renew: Duration::from_secs(10),
            tick: Duration::from_secs(1),
            sweep: Duration::from_secs(5),
            look: Duration::from_millis(250),
            backoff: Duration::from_secs(1),
            backoff_limit: Duration::from_secs(600),
            heartbeat: Duration::from_secs(30),
            prune: Duration::from_secs(600),
            restart: Duration::from_secs(1),
            fast: 8,
            bulk: 2,
            mail: 4,
        }
    }
}

impl Settings {
    pub(crate) fn concurrency(&self, queue: Queue) -> usize {
        match queue {
            Queue::Fast => self.fast.max(1),
            Queue::Bulk => self.bulk.max(1),
            Queue::Mail => self.mail.max(1),
        }
    }

    /// The wait after that many failed attempts: doubling, and spread over half to one and a half of it,
    /// so that what failed together does not come back together.
    pub(crate) fn wait_after(&self, attempts: u32) -> Duration {
        let doubled = self.backoff.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(self.backoff_limit);
        let spread = (ulid::Ulid::generate().random() % 1000) as f64 / 1000.0;
        doubled.mul_f64(0.5 + spread)
    }
}
