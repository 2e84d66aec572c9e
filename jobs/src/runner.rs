use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use apalis::prelude::{PollWith, WorkerBuilder, WorkerBuilderExt as _};
use apalis_core::error::{BoxDynError, WorkerError};
use futures_util::{FutureExt as _, future::BoxFuture};
use parking_lot::Mutex;
use tokio::{
    sync::{RwLock, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use usher_db::Tx;

use crate::{
    Fail, Job, JobRow, Jobs, Queue, Result, Run,
    desk::{Started, Window},
    execute::{Handler, Shop},
    lease, listen,
    periodic::Periodic,
    sweep,
};

/// How long jobs that were abandoned have to be given back.
const GIVE_BACK: Duration = Duration::from_secs(5);

/// Runs jobs: a handler for each kind, and what comes round.
///
/// ```ignore
/// Runner::new(jobs)
///     .on(|job: Import, run: Run| import(app.clone(), job, run))
///     .every(Duration::from_secs(3600), Sweep {})
///     .run(stop, Duration::from_secs(20))
///     .await;
/// ```
pub struct Runner {
    jobs: Jobs,
    handlers: HashMap<&'static str, Handler>,
    periodic: Vec<Periodic>,
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("kinds", &self.handlers.keys()).finish_non_exhaustive()
    }
}

impl Runner {
    /// A runner that can do nothing yet.
    pub fn new(jobs: Jobs) -> Self {
        Self { jobs, handlers: HashMap::new(), periodic: Vec::new() }
    }

    /// How jobs of a kind are run. It may run twice for one job, after a crash; what it writes through
    /// [`Run`] is written once. A job whose handler returns `Ok` without [`Run::finish`] has succeeded.
    ///
    /// # Panics
    ///
    /// If the kind has a handler already.
    pub fn on<J, H, F>(mut self, handler: H) -> Self
    where
        J: Job,
        H: Fn(J, Run) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Fail>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let call = move |payload: String, run: Run| {
            let handler = handler.clone();
            async move {
                let job: J = serde_json::from_str(&payload).map_err(|error| {
                    Fail::fatal("payload", format!("This version of Usher cannot read what the job is to do: {error}."))
                })?;
                handler(job, run).await
            }
            .boxed()
        };
        let before = self.handlers.insert(J::KIND, Handler { timeout: J::TIMEOUT, call: Arc::new(call) });
        assert!(before.is_none(), "two handlers for the job {:?}", J::KIND);
        self
    }

    /// The same as [`Jobs::at_end`], for all clones of the runner's jobs.
    pub fn at_end<H>(mut self, hook: H) -> Self
    where
        H: for<'a> Fn(&'a mut Tx, &'a JobRow) -> BoxFuture<'a, Result<()>> + Send + Sync + 'static,
    {
        self.jobs = self.jobs.at_end(hook);
        self
    }

    /// Enqueues the job of site 0 now and at the start of each further period, once however many nodes run.
    pub fn every<J: Job>(mut self, period: Duration, job: J) -> Self {
        self.periodic.push(Periodic::new(job, period));
        self
    }

    /// Serves both queues until `stop` turns true (or its sender is gone). Then takes no more jobs, tells those
    /// that run, and returns once they have ended. What still runs after `grace` is abandoned and given back,
    /// and no attempt is counted.
    pub async fn run(self, stop: watch::Receiver<bool>, grace: Duration) {
        let (stop_shop, stopped) = watch::channel(false);
        let (abandon, abandoned) = watch::channel(false);
        let shop = Arc::new(Shop {
            jobs: self.jobs.clone(),
            handlers: self.handlers,
            stop: stopped,
            abandon: abandoned,
            busy: watch::channel([0; Queue::ALL.len()]).0,
            held: Mutex::default(),
            claiming: RwLock::default(),
            hints: Default::default(),
        });
        let mut tasks = JoinSet::new(); // Ended when this returns.
        for queue in Queue::ALL {
            tasks.spawn(serve(shop.clone(), queue));
        }
        tasks.spawn(lease::keep(shop.clone()));
        tasks.spawn(sweep::keep_sweeping(shop.clone()));
        tasks.spawn(listen::listen(shop.clone()));
        let mut rounds = JoinSet::new();
        for periodic in self.periodic {
            rounds.spawn(periodic.keep_enqueuing(self.jobs.clone()));
        }

        let _ = stop.clone().wait_for(|stop| *stop).await;
        let _ = stop_shop.send(true);
        drop(rounds);
        let mut busy = shop.busy.subscribe();
        if timeout(grace, idle(&shop, &mut busy)).await.is_err() {
            tracing::warn!(jobs = ?*shop.busy.borrow(), "jobs are given back before their end");
            let _ = abandon.send(true);
            if timeout(GIVE_BACK, idle(&shop, &mut busy)).await.is_err() {
                tracing::error!("jobs could not be given back; they go on when their leases run out");
            }
        }
    }
}

/// Until no job runs and none is being claimed.
async fn idle(shop: &Shop, busy: &mut watch::Receiver<[usize; Queue::ALL.len()]>) {
    let _claiming = shop.claiming.write().await;
    let _ = busy.wait_for(|busy| *busy == [0; Queue::ALL.len()]).await;
}

/// One supervised worker: an error of the database ends a worker of apalis, so a new one follows, under a
/// new name. The jobs that it started run on.
async fn serve(shop: Arc<Shop>, queue: Queue) {
    while !*shop.stop.borrow() {
        let ended = work(&shop, queue).await;
        if !*shop.stop.borrow() {
            let error = ended.err();
            tracing::error!(queue = queue.as_str(), error = ?error, "a worker ended; another follows");
            sleep(shop.jobs.settings().restart).await;
        }
    }
}

async fn work(shop: &Arc<Shop>, queue: Queue) -> Result<(), WorkerError> {
    let (window, pulse) = Window::open(shop, queue);
    let mut stop = shop.stop.clone();
    let until = async move {
        let _ = stop.wait_for(|stop| *stop).await;
        Ok::<_, std::io::Error>(())
    };
    WorkerBuilder::new(format!("{}-{}", queue.as_str(), crate::ticket::new_id()))
        .backend(PollWith::new(window, pulse))
        .concurrency(shop.jobs.settings().concurrency(queue))
        .build(wait_for)
        .run_until(until)
        .await
}

async fn wait_for(started: Started) -> Result<(), BoxDynError> {
    Ok(started.0.await?)
}
