//! How attempts end.

use std::time::{Duration, Instant};

use usher_db::sql;
use usher_jobs::{Job, JobRow, State};

use crate::{
    bench::{Bench, SITE, both, eventually},
    work::{Act, Brief, World, enqueue},
};

both! {
    retry_waits_and_runs_again,
    attempts_are_limited,
    after_waits_as_long_as_it_was_told,
    fatal_is_for_good,
    a_panic_is_an_attempt,
    a_timeout_is_an_attempt,
    a_payload_that_does_not_read_fails,
    an_unknown_kind_is_tried_again,
    stopping_counts_no_attempt,
    the_stubborn_are_given_back_after_the_grace,
    a_dead_job_can_be_retried,
}

async fn ran(bench: &Bench, job: &impl Job, state: State) -> (JobRow, u32) {
    let world = World::new(&bench.db);
    let running = bench.start(world.runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, job).await;
    let row = bench.until(&row.id, state).await;
    running.stop().await;
    assert_eq!(bench.ends(&row.id).await, [state.as_str()]);
    (row, world.runs())
}

async fn retry_waits_and_runs_again(bench: Bench) {
    let (row, runs) = ran(&bench, &Act::Flaky(3), State::Succeeded).await;
    assert_eq!((row.attempt, runs, row.error_code), (3, 3, None));
    assert_eq!(bench.effects(&row.id).await, 1);
}

async fn attempts_are_limited(bench: Bench) {
    let (row, runs) = ran(&bench, &Act::Flaky(9), State::Failed).await;
    assert_eq!((row.attempt, runs, row.error_code.as_deref()), (3, 3, Some("flaky")));
    assert_eq!(row.error.as_deref(), Some("Not yet."));
    assert!(row.finished_at.is_some());
    assert_eq!(bench.jobs.depth().await.unwrap().dead, 1);
}

async fn after_waits_as_long_as_it_was_told(bench: Bench) {
    let begun = Instant::now();
    let (row, _) = ran(&bench, &Act::After(1500), State::Succeeded).await;
    assert!(begun.elapsed() >= Duration::from_millis(1500), "it took {:?}", begun.elapsed());
    assert_eq!(row.attempt, 2);
}

async fn fatal_is_for_good(bench: Bench) {
    let (row, runs) = ran(&bench, &Act::Fatal, State::Failed).await;
    assert_eq!((row.attempt, runs, row.error_code.as_deref()), (1, 1, Some("no_such_member")));
    assert_eq!(row.error.as_deref(), Some("There is no such member."));
}

async fn a_panic_is_an_attempt(bench: Bench) {
    let (row, runs) = ran(&bench, &Brief(Act::Panic), State::Failed).await;
    assert_eq!((row.attempt, runs, row.error_code.as_deref()), (2, 2, Some("panic")));
}

async fn a_timeout_is_an_attempt(bench: Bench) {
    let (row, runs) = ran(&bench, &Brief(Act::Hang), State::Failed).await;
    assert_eq!((row.attempt, runs, row.error_code.as_deref()), (2, 2, Some("timeout")));
}

async fn a_payload_that_does_not_read_fails(bench: Bench) {
    let row = enqueue(&bench.jobs, &bench.db, &Act::Nothing).await;
    change(&bench, &row.id, "payload", "{\"Somersault\":1}").await;
    let running = bench.start(World::new(&bench.db).runner(bench.jobs.clone()));
    let row = bench.until(&row.id, State::Failed).await;
    assert_eq!((row.attempt, row.error_code.as_deref()), (1, Some("payload")));
    let next = enqueue(&bench.jobs, &bench.db, &Act::Nothing).await;
    bench.until(&next.id, State::Succeeded).await;
    running.stop().await;
}

async fn an_unknown_kind_is_tried_again(bench: Bench) {
    let row = enqueue(&bench.jobs, &bench.db, &Act::Nothing).await;
    change(&bench, &row.id, "kind", "of_tomorrow").await;
    let running = bench.start(World::new(&bench.db).runner(bench.jobs.clone()));
    let row = bench.until(&row.id, State::Failed).await;
    assert_eq!((row.attempt, row.error_code.as_deref()), (3, Some("unknown_kind")));
    running.stop().await;
}

async fn change(bench: &Bench, id: &str, column: &str, value: &str) {
    let mut tx = bench.db.begin().await.unwrap();
    let statement = match column {
        "payload" => sql!("UPDATE job SET payload = $1 WHERE id = $2"),
        _ => sql!("UPDATE job SET kind = $1 WHERE id = $2"),
    };
    statement.bind(value).bind(id).run(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn stopping_counts_no_attempt(bench: Bench) {
    let row = enqueue(&bench.jobs, &bench.db, &Act::UntilStopped).await;
    for _ in 0..2 {
        let world = World::new(&bench.db);
        let running = bench.start(world.runner(bench.jobs.clone()));
        eventually("it runs", async || (world.runs() == 1).then_some(())).await;
        running.stop().await;
        let row = bench.row(&row.id).await;
        assert_eq!((row.state, row.attempt, row.error_code), (State::Queued, 0, None));
    }
    assert!(bench.ends(&row.id).await.is_empty());
}

async fn the_stubborn_are_given_back_after_the_grace(bench: Bench) {
    let world = World::new(&bench.db);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let task = tokio::spawn(world.runner(bench.jobs.clone()).run(stopped, Duration::from_millis(100)));
    let row = enqueue(&bench.jobs, &bench.db, &Act::Stubborn).await;
    eventually("it runs", async || (world.runs() == 1).then_some(())).await;
    let begun = Instant::now();
    stop.send(true).unwrap();
    task.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    let row = bench.row(&row.id).await;
    assert_eq!((row.state, row.attempt), (State::Queued, 0));
}

async fn a_dead_job_can_be_retried(bench: Bench) {
    let world = World::new(&bench.db);
    let running = bench.start(world.runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, &Act::Fatal).await;
    bench.until(&row.id, State::Failed).await;
    change(&bench, &row.id, "payload", "\"Effect\"").await; // As if the cause were mended.
    let mut tx = bench.db.begin().await.unwrap();
    let again = bench.jobs.retry(&mut tx, SITE, &row.id).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert_eq!((again.state, again.attempt, again.error_code, again.finished_at), (State::Queued, 0, None, None));
    let row = bench.until(&row.id, State::Succeeded).await;
    assert_eq!(row.attempt, 1);
    assert_eq!(bench.ends(&row.id).await, ["failed", "succeeded"]);

    let mut tx = bench.db.begin().await.unwrap();
    let same = bench.jobs.retry(&mut tx, SITE, &row.id).await.unwrap().unwrap();
    assert_eq!(same.state, State::Succeeded, "what succeeded is not run again");
    assert_eq!(bench.jobs.retry(&mut tx, SITE, "job_none").await.unwrap(), None);
    tx.rollback().await.unwrap();
    running.stop().await;
}
