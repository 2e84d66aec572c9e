//! The jobs that the tests run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;
use usher_db::{Db, Tx, sql};
use usher_jobs::{Fail, Job, JobRow, Jobs, Owner, Queue, Result, Run, Runner};

use crate::bench::SITE;

/// Does as it is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Act {
    /// One transaction: the effect and the end.
    Effect,
    /// Only returns.
    Nothing,
    /// Fails until that attempt.
    Flaky(u32),
    After(u64),
    Fatal,
    Panic,
    Hang,
    /// Until the process stops, then asks to go on elsewhere.
    UntilStopped,
    /// Never notices that the process stops.
    Stubborn,
    /// Waits to be let go, then effect and end.
    Gated,
}

impl Job for Act {
    const KIND: &'static str = "act";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = 3;
    const TIMEOUT: Duration = Duration::from_secs(20);
}

/// The same, with no time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Brief(pub(crate) Act);

impl Job for Brief {
    const KIND: &'static str = "brief";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = 2;
    const TIMEOUT: Duration = Duration::from_millis(50);
}

/// Effects in steps, a transaction each; waits at a gate before each step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Steps {
    pub(crate) total: i64,
}

impl Job for Steps {
    const KIND: &'static str = "steps";
    const QUEUE: Queue = Queue::Bulk;
}

/// What handlers share with a test.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) db: Db,
    /// Attempts begun.
    pub(crate) runs: Arc<AtomicU32>,
    /// Where the last run of `Steps` went on from.
    pub(crate) from: Arc<AtomicI64>,
    /// A permit lets one gated thing pass.
    pub(crate) gate: Arc<Semaphore>,
}

impl World {
    pub(crate) fn new(db: &Db) -> Self {
        Self { db: db.clone(), runs: Arc::default(), from: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
    }

    pub(crate) fn runs(&self) -> u32 {
        self.runs.load(Relaxed)
    }

    pub(crate) fn open(&self, n: usize) {
        self.gate.add_permits(n);
    }

    pub(crate) fn runner(&self, jobs: Jobs) -> Runner {
        let (acting, brief, steps) = (self.clone(), self.clone(), self.clone());
        Runner::new(jobs)
            .on(move |job: Act, run: Run| act(acting.clone(), job, run))
            .on(move |job: Brief, run: Run| act(brief.clone(), job.0, run))
            .on(move |job: Steps, run: Run| step(steps.clone(), job, run))
            .at_end(|tx, row| note_end(tx, row).boxed())
    }
}

async fn note_end(tx: &mut Tx, row: &JobRow) -> Result<()> {
    sql!("INSERT INTO ended (job, state) VALUES ($1, $2)")
        .bind(&row.id)
        .bind(row.state.as_str())
        .run(tx.conn())
        .await
        .map(drop)
}

pub(crate) async fn apply(tx: &mut Tx, run: &Run, n: i64) -> Result<()> {
    sql!("INSERT INTO effect (job, n) VALUES ($1, $2)").bind(&run.job_id).bind(n).run(tx.conn()).await.map(drop)
}

async fn act(world: World, job: Act, run: Run) -> Result<(), Fail> {
    world.runs.fetch_add(1, Relaxed);
    match job {
        Act::Nothing => return Ok(()),
        Act::Flaky(good) if run.attempt < good => return Err(Fail::retry("flaky", "Not yet.")),
        Act::After(ms) if run.attempt == 1 => {
            return Err(Fail::after(Duration::from_millis(ms), "rate_limited", "Not so fast."));
        }
        Act::Fatal => return Err(Fail::fatal("no_such_member", "There is no such member.")),
        Act::Panic => panic!("as the test wants"),
        Act::Hang => std::future::pending::<()>().await,
        Act::UntilStopped => {
            run.stopped().await;
            assert!(run.stopping());
            return Err(Fail::Stopping);
        }
        Act::Stubborn => tokio::time::sleep(Duration::from_secs(60)).await,
        Act::Gated => world.gate.acquire().await.unwrap().forget(),
        Act::Effect | Act::Flaky(_) | Act::After(_) => {}
    }
    let mut tx = world.db.begin().await?;
    apply(&mut tx, &run, 0).await?;
    run.finish(&mut tx, &json!({"attempt": run.attempt}), &json!({"done": 1, "total": 1})).await?;
    tx.commit().await?;
    Ok(())
}

async fn step(world: World, job: Steps, run: Run) -> Result<(), Fail> {
    world.runs.fetch_add(1, Relaxed);
    let mut at = run.checkpoint_value::<i64>().unwrap_or(0);
    world.from.store(at, Relaxed);
    while at < job.total {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        tokio::select! {
            permit = world.gate.acquire() => permit.unwrap().forget(),
            () = run.stopped() => continue,
        }
        let mut tx = world.db.begin().await?;
        run.checkpoint(&mut tx, &(at + 1), &json!({"done": at + 1, "total": job.total})).await?;
        apply(&mut tx, &run, at).await?;
        tx.commit().await?;
        at += 1;
    }
    Ok(())
}

/// Enqueues a job in a transaction of its own.
pub(crate) async fn enqueue<J: Job>(jobs: &Jobs, db: &Db, job: &J) -> JobRow {
    let mut tx = db.begin().await.unwrap();
    let row = jobs.enqueue(&mut tx, Owner::site(SITE), job).await.unwrap();
    tx.commit().await.unwrap();
    row
}
