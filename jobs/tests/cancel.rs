use usher_jobs::{JobRow, State};

use crate::{
    bench::{Bench, SITE, both, eventually},
    work::{Act, Steps, World, enqueue},
};

both! {
    a_waiting_job_is_cancelled_at_once,
    a_running_job_stops_at_its_next_checkpoint,
    what_is_done_is_done,
    a_cancelled_job_goes_on_from_its_checkpoint_when_retried,
}

async fn cancel(bench: &Bench, id: &str) -> Option<JobRow> {
    let mut tx = bench.db.begin().await.unwrap();
    let row = bench.jobs.cancel(&mut tx, SITE, id).await.unwrap();
    tx.commit().await.unwrap();
    row
}

async fn a_waiting_job_is_cancelled_at_once(bench: Bench) {
    let world = World::new(&bench.db);
    let runner = world.runner(bench.jobs.clone());
    let row = enqueue(&bench.jobs, &bench.db, &Act::Effect).await;
    let row = cancel(&bench, &row.id).await.unwrap();
    assert_eq!((row.state, row.cancelling), (State::Cancelled, false));
    assert!(row.finished_at.is_some());
    assert_eq!(bench.ends(&row.id).await, ["cancelled"]);
    let running = bench.start(runner);
    let next = enqueue(&bench.jobs, &bench.db, &Act::Nothing).await;
    bench.until(&next.id, State::Succeeded).await;
    running.stop().await;
    assert_eq!(world.runs(), 1, "its ticket brings nothing back");
    assert_eq!(cancel(&bench, &row.id).await.unwrap(), row);
    assert_eq!(cancel(&bench, "job_none").await, None);
}

async fn a_running_job_stops_at_its_next_checkpoint(bench: Bench) {
    let world = World::new(&bench.db);
    let running = bench.start(world.runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, &Steps { total: 5 }).await;
    world.open(2);
    eventually("two steps are done", async || (bench.effects(&row.id).await == 2).then_some(())).await;
    let asked = cancel(&bench, &row.id).await.unwrap();
    assert_eq!((asked.state, asked.cancelling), (State::Running, true));
    world.open(3);
    let row = bench.until(&row.id, State::Cancelled).await;
    assert_eq!((bench.effects(&row.id).await, row.cancelling), (2, false));
    assert_eq!(row.progress, serde_json::json!({"done": 2, "total": 5}));
    assert_eq!(bench.ends(&row.id).await, ["cancelled"]);
    running.stop().await;
}

async fn what_is_done_is_done(bench: Bench) {
    let world = World::new(&bench.db);
    let running = bench.start(world.runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, &Act::Gated).await;
    bench.until(&row.id, State::Running).await;
    cancel(&bench, &row.id).await;
    world.open(1);
    let row = bench.until(&row.id, State::Succeeded).await;
    assert!(!row.cancelling);
    assert_eq!(bench.effects(&row.id).await, 1);
    running.stop().await;
}

async fn a_cancelled_job_goes_on_from_its_checkpoint_when_retried(bench: Bench) {
    let world = World::new(&bench.db);
    let running = bench.start(world.runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, &Steps { total: 3 }).await;
    world.open(1);
    eventually("a step is done", async || (bench.effects(&row.id).await == 1).then_some(())).await;
    cancel(&bench, &row.id).await;
    world.open(1); // Spent on the step that finds out.
    bench.until(&row.id, State::Cancelled).await;
    let mut tx = bench.db.begin().await.unwrap();
    let again = bench.jobs.retry(&mut tx, SITE, &row.id).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert_eq!(again.progress, serde_json::json!({"done": 1, "total": 3}));
    world.open(2);
    bench.until(&row.id, State::Succeeded).await;
    assert_eq!(bench.effects(&row.id).await, 3);
    assert_eq!(world.from.load(std::sync::atomic::Ordering::Relaxed), 1);
    running.stop().await;
}
