//! `kill -9`, again and again: nothing is lost, nothing is applied twice.

use std::{
    env,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use usher_db::{Db, Options, Synchronous, sql};
use usher_jobs::{Fail, Job, Queue, Run, Runner, Settings};

use crate::{
    bench::{Bench, both, eventually, hasty, jobs},
    work::{apply, enqueue},
};

both! { kill_9_loses_and_doubles_nothing }

const SINGLE: i64 = 300;
const LONG: i64 = 3;
const STEPS: i64 = 150;
const KILLS: u64 = 5;

/// Where the child finds its database.
const DATABASE: &str = "USHER_JOBS_TEST_DATABASE";

/// Some steps, a transaction each; the last ends it.
#[derive(Serialize, Deserialize)]
struct Storm {
    total: i64,
}

impl Job for Storm {
    const KIND: &'static str = "storm";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = 50;
}

async fn storm(db: Db, job: Storm, run: Run) -> Result<(), Fail> {
    let mut at = run.checkpoint_value::<i64>().unwrap_or(0);
    while at < job.total {
        let mut tx = db.begin().await?;
        apply(&mut tx, &run, at).await?;
        at += 1;
        if at == job.total {
            run.finish(&mut tx, &at, &at).await?;
        } else {
            run.checkpoint(&mut tx, &at, &at).await?;
        }
        tx.commit().await?;
        tokio::time::sleep(Duration::from_millis(5)).await; // Also between the effect and the handler's end.
    }
    Ok(())
}

async fn kill_9_loses_and_doubles_nothing(bench: Bench) {
    for _ in 0..LONG {
        enqueue(&bench.jobs, &bench.db, &Storm { total: STEPS }).await;
    }
    for _ in 0..SINGLE {
        enqueue(&bench.jobs, &bench.db, &Storm { total: 1 }).await;
    }
    for n in 0..KILLS {
        let mut child = Worker::spawn(&bench);
        tokio::time::sleep(Duration::from_millis(250 + 130 * n)).await; // A moment that nobody chose.
        child.kill();
    }
    let mut last = Worker::spawn(&bench);
    eventually("every job has ended", async || {
        let depth = bench.jobs.depth().await.unwrap();
        (depth.queued + depth.running == 0).then_some(())
    })
    .await;
    last.kill();
    let (n, distinct): (i64, i64) = sql!("SELECT count(*), count(DISTINCT job || ' ' || CAST(n AS TEXT)) FROM effect")
        .one(bench.db.read())
        .await
        .unwrap();
    assert_eq!((n, distinct), (SINGLE + LONG * STEPS, SINGLE + LONG * STEPS));
    let (succeeded, crashed): (i64, i64) = sql!(
        "SELECT count(*), COALESCE(sum(CASE WHEN attempt > 1 THEN 1 ELSE 0 END), 0) FROM job WHERE state = 'succeeded'"
    )
    .one(bench.db.read())
    .await
    .unwrap();
    assert_eq!(succeeded, SINGLE + LONG);
    assert!(crashed > 0, "the storm hit nothing");
}

/// This test program once more, as a worker.
struct Worker(Child);

impl Worker {
    fn spawn(bench: &Bench) -> Self {
        let database = match &bench.options {
            Options::Sqlite { path, .. } => path.display().to_string(),
            Options::Postgres { url, .. } => url.clone(),
        };
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--ignored", "storm::worker"])
            .env(DATABASE, database)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn kill(&mut self) {
        self.0.kill().unwrap(); // SIGKILL
        self.0.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "only the storm runs it, in a process of its own"]
#[allow(clippy::disallowed_methods, reason = "how a test tells its child")]
async fn worker() {
    let Ok(database) = env::var(DATABASE) else { return };
    let options = if database.starts_with("postgres") {
        Options::Postgres { url: database, connections: 16 }
    } else {
        Options::Sqlite { path: PathBuf::from(database), synchronous: Synchronous::Full, readers: 4 }
    };
    let db = Db::open(&options).await.unwrap();
    let settings = Settings { lease: Duration::from_millis(1500), ..hasty() };
    let jobs = jobs(&db, settings);
    let (_stop, stopped) = watch::channel(false);
    let runner = Runner::new(jobs).on(move |job: Storm, run: Run| storm(db.clone(), job, run));
    runner.run(stopped, Duration::ZERO).await;
}
