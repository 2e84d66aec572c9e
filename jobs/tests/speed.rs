//! How fast it is. `cargo test -p usher-jobs --release -- --ignored --nocapture --test-threads 1`
#![allow(clippy::print_stdout, reason = "the figures are what these tests are for")]

use std::time::{Duration, Instant};

use usher_jobs::{Settings, State};

use crate::{
    bench::{self, Bench, SITE},
    work::{Act, World, enqueue},
};

const SAMPLES: usize = 50;

async fn latency(bench: Bench) {
    let jobs = bench::jobs(&bench.db, Settings::default());
    let running = bench.start(World::new(&bench.db).runner(jobs.clone()));
    measure("same process", &jobs, &jobs, &bench).await;
    let other = bench.another_node().await;
    running.stop().await;
    let running = bench.start(World::new(&bench.db).runner(jobs.clone()));
    measure("another process", &other, &jobs, &bench).await;
    running.stop().await;
}

async fn measure(what: &str, accepts: &usher_jobs::Jobs, runs: &usher_jobs::Jobs, bench: &Bench) {
    let (mut started, mut ended) = (Vec::new(), Vec::new());
    let mut changes = runs.changed();
    for n in 0..SAMPLES {
        tokio::time::sleep(Duration::from_millis(60 + (n as u64 * 13) % 70)).await;
        let row = enqueue(accepts, &bench.db, &Act::Effect).await;
        let begun = Instant::now();
        let mut seen = None;
        loop {
            let change = tokio::time::timeout(Duration::from_secs(5), changes.recv()).await.unwrap().unwrap();
            if change.id != row.id {
                continue;
            }
            let state = bench.row(&row.id).await.state;
            if state != State::Queued {
                seen.get_or_insert_with(|| begun.elapsed());
            }
            if state == State::Succeeded {
                break;
            }
        }
        started.push(seen.unwrap());
        ended.push(begun.elapsed());
    }
    started.sort();
    ended.sort();
    println!(
        "{:?}, {what}: commit to start p50 {:?} p90 {:?}, to end p50 {:?} p90 {:?}",
        bench.db.engine(),
        started[SAMPLES / 2],
        started[SAMPLES * 9 / 10],
        ended[SAMPLES / 2],
        ended[SAMPLES * 9 / 10],
    );
}

const MANY: usize = 2000;

async fn throughput(bench: Bench) {
    let jobs = bench::jobs(&bench.db, Settings::default());
    let begun = Instant::now();
    for _ in 0..MANY / 100 {
        let mut tx = bench.db.begin().await.unwrap();
        for _ in 0..100 {
            jobs.enqueue(&mut tx, usher_jobs::Owner::site(SITE), &Act::Effect).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    let accepted = begun.elapsed();
    let begun = Instant::now();
    let running = bench.start(World::new(&bench.db).runner(jobs.clone()));
    loop {
        let depth = jobs.depth().await.unwrap();
        if depth.queued + depth.running == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let rate = |time: Duration| MANY as f64 / time.as_secs_f64();
    println!(
        "{:?}: accepted {:.0}/s (100 a transaction), applied {:.0}/s",
        bench.db.engine(),
        rate(accepted),
        rate(begun.elapsed())
    );
    running.stop().await;
}

async fn idle(bench: Bench) {
    let jobs = bench::jobs(&bench.db, Settings::default());
    let running = bench.start(World::new(&bench.db).runner(jobs));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = (cpu(), frames(&bench).await);
    let time = Duration::from_secs(20);
    tokio::time::sleep(time).await;
    let after = (cpu(), frames(&bench).await);
    println!(
        "{:?}: idle {:.2} % of a core, {} pages or bytes of log written in {time:?}",
        bench.db.engine(),
        100.0 * (after.0 - before.0) / time.as_secs_f64(),
        after.1 - before.1
    );
    running.stop().await;
}

/// Seconds of CPU that this process used.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// What the database's log has grown to.
async fn frames(bench: &Bench) -> i64 {
    match (bench.db.postgres(), bench.db.sqlite_writer()) {
        (Some(pool), _) => {
            sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetch_one(pool).await.unwrap()
        }
        (None, Some(pool)) => {
            let (_, log, _): (i64, i64, i64) =
                sqlx::query_as("PRAGMA wal_checkpoint(NOOP)").fetch_one(pool).await.unwrap();
            log
        }
        (None, None) => unreachable!(),
    }
}

macro_rules! measured {
    ($($name:ident),*) => {$(
        mod $name {
            #[test]
            #[ignore = "prints figures"]
            fn sqlite() {
                crate::bench::run(usher_db::Engine::Sqlite, |bench| Box::pin(super::$name(bench)));
            }

            #[test]
            #[ignore = "prints figures"]
            fn postgres() {
                crate::bench::run(usher_db::Engine::Postgres, |bench| Box::pin(super::$name(bench)));
            }
        }
    )*};
}
measured!(latency, throughput, idle);
