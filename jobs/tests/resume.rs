use std::sync::atomic::Ordering::Relaxed;

use usher_db::sql;
use usher_jobs::State;

use crate::{
    bench::{Bench, both, eventually},
    work::{Act, Steps, World, enqueue},
};

both! {
    long_work_goes_on_where_it_was_stopped,
    who_lost_the_job_writes_nothing,
    who_lost_the_job_cannot_end_it,
}

async fn long_work_goes_on_where_it_was_stopped(bench: Bench) {
    let first = World::new(&bench.db);
    let running = bench.start(first.runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, &Steps { total: 5 }).await;
    first.open(2);
    eventually("two steps are done", async || (bench.effects(&row.id).await == 2).then_some(())).await;
    running.stop().await;
    assert_eq!(bench.row(&row.id).await.attempt, 0);

    let second = World::new(&bench.db);
    second.open(9);
    let running = bench.start(second.runner(bench.jobs.clone()));
    let row = bench.until(&row.id, State::Succeeded).await;
    assert_eq!(second.from.load(Relaxed), 2);
    assert_eq!(bench.effects(&row.id).await, 5);
    running.stop().await;
}

/// As another node does that believes this one gone.
async fn steal(bench: &Bench, id: &str) {
    let mut tx = bench.db.begin().await.unwrap();
    sql!("UPDATE job SET epoch = epoch + 1 WHERE id = $1").bind(id).run(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn who_lost_the_job_writes_nothing(bench: Bench) {
    let world = World::new(&bench.db);
    let running = bench.start(world.runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, &Steps { total: 2 }).await;
    world.open(1);
    eventually("a step is done", async || (bench.effects(&row.id).await == 1).then_some(())).await;
    steal(&bench, &row.id).await;
    world.open(1);
    running.stop().await; // Ends when the run has ended.
    assert_eq!(bench.effects(&row.id).await, 1);
    assert_eq!(bench.row(&row.id).await.state, State::Running, "it is the thief's now");
}

async fn who_lost_the_job_cannot_end_it(bench: Bench) {
    let world = World::new(&bench.db);
    let running = bench.start(world.runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, &Act::Gated).await;
    bench.until(&row.id, State::Running).await;
    steal(&bench, &row.id).await;
    world.open(1);
    running.stop().await;
    assert_eq!(bench.effects(&row.id).await, 0);
    assert_eq!(bench.row(&row.id).await.state, State::Running);
    assert!(bench.ends(&row.id).await.is_empty());
}
