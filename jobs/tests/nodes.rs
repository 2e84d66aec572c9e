//! Several runners on one database.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use usher_db::sql;
use usher_jobs::{Job, Queue, State};

use crate::{
    bench::{Bench, SITE, both, eventually, start},
    work::{Act, World, enqueue},
};

both! {
    each_job_is_applied_once,
    another_node_is_told,
    a_slot_is_taken_once,
}

const JOBS: usize = 100;

async fn each_job_is_applied_once(bench: Bench) {
    let other = bench.another_node().await;
    let running =
        [start(World::new(&bench.db).runner(bench.jobs.clone())), start(World::new(&bench.db).runner(other.clone()))];
    for _ in 0..JOBS {
        enqueue(&bench.jobs, &bench.db, &Act::Effect).await;
    }
    eventually("every job has ended", async || {
        let depth = bench.jobs.depth().await.unwrap();
        (depth.queued + depth.running == 0).then_some(())
    })
    .await;
    for one in running {
        one.stop().await;
    }
    let counts: (i64, i64) =
        sql!("SELECT count(*), count(DISTINCT job) FROM effect").one(bench.db.read()).await.unwrap();
    assert_eq!(counts, (JOBS as i64, JOBS as i64));
    let (twice,): (i64,) =
        sql!("SELECT count(*) FROM job WHERE attempt <> 1 OR state <> 'succeeded'").one(bench.db.read()).await.unwrap();
    assert_eq!(twice, 0);
}

async fn another_node_is_told(bench: Bench) {
    let other = bench.another_node().await;
    let running = start(World::new(&bench.db).runner(other));
    let row = enqueue(&bench.jobs, &bench.db, &Act::Effect).await;
    let row = bench.jobs.wait(SITE, &row.id, Duration::from_secs(20)).await.unwrap().unwrap();
    assert_eq!(row.state, State::Succeeded);
    running.stop().await;
}

#[derive(Serialize, Deserialize)]
struct Round {}

impl Job for Round {
    const KIND: &'static str = "round";
    const QUEUE: Queue = Queue::Fast;
}

async fn a_slot_is_taken_once(bench: Bench) {
    let other = bench.another_node().await;
    let period = Duration::from_secs(1);
    let runner = |jobs| World::new(&bench.db).runner(jobs).on(|_: Round, _| async { Ok(()) }).every(period, Round {});
    let running = [start(runner(bench.jobs.clone())), start(runner(other))];
    let slots = async || -> Vec<(String, String)> {
        sql!("SELECT dedupe, state FROM job WHERE kind = 'round' ORDER BY dedupe").all(bench.db.read()).await.unwrap()
    };
    eventually("three slots are done", async || {
        (slots().await.iter().filter(|(_, state)| state == "succeeded").count() >= 3).then_some(())
    })
    .await;
    for one in running {
        one.stop().await;
    }
    let slots = slots().await;
    let numbers: Vec<i64> =
        slots.iter().map(|(slot, _)| slot.strip_prefix("round:").unwrap().parse().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "one job for each slot: {numbers:?}");
}
