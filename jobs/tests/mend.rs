//! Damage that must mend itself.

use std::time::Duration;

use usher_db::{sql, sql_both};
use usher_jobs::State;

use crate::{
    bench::{Bench, both, eventually},
    work::{Act, World, enqueue},
};

both! {
    a_lost_ticket_is_written_again,
    a_doubled_ticket_doubles_nothing,
    a_foreign_ticket_is_thrown_away,
    a_crashed_run_is_picked_up,
    a_job_that_crashes_every_time_ends_failed,
    a_job_that_was_to_stop_when_it_crashed_is_cancelled,
    a_busy_handler_keeps_its_lease,
    a_worker_that_lost_the_database_comes_back,
}

async fn a_lost_ticket_is_written_again(bench: Bench) {
    let row = enqueue(&bench.jobs, &bench.db, &Act::Effect).await;
    drop_tickets(&bench).await;
    let running = bench.start(World::new(&bench.db).runner(bench.jobs.clone()));
    let row = bench.until(&row.id, State::Succeeded).await;
    assert_eq!((row.attempt, bench.effects(&row.id).await), (1, 1));
    running.stop().await;
}

async fn drop_tickets(bench: &Bench) {
    let mut tx = bench.db.begin().await.unwrap();
    sql_both!(sqlite: "DELETE FROM Jobs", postgres: "DELETE FROM apalis.jobs").run(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn extra_ticket(bench: &Bench, id: &str, body: &str) {
    let mut tx = bench.db.begin().await.unwrap();
    sql_both!(
        sqlite: "INSERT INTO Jobs (job, id, job_type, status, attempts, max_attempts, run_at, priority) \
                 VALUES ($1, $2, 'fast', 'Pending', 0, 1, unixepoch(), 0)",
        postgres: "INSERT INTO apalis.jobs (job, id, job_type, status, attempts, max_attempts, run_at, priority) \
                   VALUES ($1, $2, 'fast', 'Pending', 0, 1, now(), 0)",
    )
    .bind(body.as_bytes())
    .bind(id)
    .run(tx.conn())
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

async fn tickets(bench: &Bench) -> i64 {
    let statement = sql_both!(sqlite: "SELECT count(*) FROM Jobs", postgres: "SELECT count(*) FROM apalis.jobs");
    let (n,) = statement.one(bench.db.read()).await.unwrap();
    n
}

async fn a_doubled_ticket_doubles_nothing(bench: Bench) {
    let world = World::new(&bench.db);
    let row = enqueue(&bench.jobs, &bench.db, &Act::Effect).await;
    extra_ticket(&bench, "01J00000000000000000000001", &format!("[7, {:?}]", row.id)).await;
    let running = bench.start(world.runner(bench.jobs.clone()));
    bench.until(&row.id, State::Succeeded).await;
    eventually("the tickets are used up", async || (tickets(&bench).await == 0).then_some(())).await;
    running.stop().await;
    assert_eq!((world.runs(), bench.effects(&row.id).await), (1, 1));
}

async fn a_foreign_ticket_is_thrown_away(bench: Bench) {
    extra_ticket(&bench, "01J00000000000000000000002", "no JSON").await;
    extra_ticket(&bench, "01J00000000000000000000003", "{\"something\": \"else\"}").await;
    let running = bench.start(World::new(&bench.db).runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, &Act::Effect).await;
    bench.until(&row.id, State::Succeeded).await;
    eventually("the tickets are used up", async || (tickets(&bench).await == 0).then_some(())).await;
    running.stop().await;
}

/// As a `kill -9` in the middle of a run leaves it.
async fn crash(bench: &Bench, id: &str, attempt: i64) {
    let mut tx = bench.db.begin().await.unwrap();
    sql!("UPDATE job SET state = 'running', attempt = $2, epoch = epoch + 1, lease_until = 1 WHERE id = $1")
        .bind(id)
        .bind(attempt)
        .run(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    drop_tickets(bench).await;
}

async fn a_crashed_run_is_picked_up(bench: Bench) {
    let row = enqueue(&bench.jobs, &bench.db, &Act::Effect).await;
    crash(&bench, &row.id, 1).await;
    let running = bench.start(World::new(&bench.db).runner(bench.jobs.clone()));
    let row = bench.until(&row.id, State::Succeeded).await;
    assert_eq!((row.attempt, bench.effects(&row.id).await), (2, 1));
    running.stop().await;
}

async fn a_job_that_crashes_every_time_ends_failed(bench: Bench) {
    let world = World::new(&bench.db);
    let row = enqueue(&bench.jobs, &bench.db, &Act::Effect).await;
    crash(&bench, &row.id, 3).await;
    let running = bench.start(world.runner(bench.jobs.clone()));
    let row = bench.until(&row.id, State::Failed).await;
    assert_eq!((world.runs(), row.error_code.as_deref()), (0, Some("crashed")));
    assert_eq!(bench.ends(&row.id).await, ["failed"]);
    running.stop().await;
}

async fn a_job_that_was_to_stop_when_it_crashed_is_cancelled(bench: Bench) {
    let world = World::new(&bench.db);
    let row = enqueue(&bench.jobs, &bench.db, &Act::Effect).await;
    crash(&bench, &row.id, 1).await;
    let mut tx = bench.db.begin().await.unwrap();
    assert!(bench.jobs.cancel(&mut tx, row.site, &row.id).await.unwrap().unwrap().cancelling);
    tx.commit().await.unwrap();
    let running = bench.start(world.runner(bench.jobs.clone()));
    let row = bench.until(&row.id, State::Cancelled).await;
    assert_eq!((world.runs(), bench.ends(&row.id).await), (0, vec!["cancelled".to_owned()]));
    running.stop().await;
}

async fn a_busy_handler_keeps_its_lease(bench: Bench) {
    let mut settings = crate::bench::hasty();
    settings.lease = Duration::from_secs(2);
    let jobs = crate::bench::jobs(&bench.db, settings);
    let world = World::new(&bench.db);
    let running = bench.start(world.runner(jobs.clone()));
    let row = enqueue(&jobs, &bench.db, &Act::Gated).await;
    let first = bench.until(&row.id, State::Running).await;
    tokio::time::sleep(Duration::from_secs(3)).await; // Longer than the lease: what is tested is time.
    assert_eq!(bench.row(&row.id).await, first, "nobody took it");
    world.open(1);
    bench.until(&row.id, State::Succeeded).await;
    running.stop().await;
    assert_eq!(world.runs(), 1);
}

async fn a_worker_that_lost_the_database_comes_back(bench: Bench) {
    let running = bench.start(World::new(&bench.db).runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, &Act::Effect).await;
    bench.until(&row.id, State::Succeeded).await;
    rename(&bench, false).await; // Every fetch fails from here on.
    tokio::time::sleep(Duration::from_millis(500)).await; // So that some do.
    rename(&bench, true).await;
    let row = enqueue(&bench.jobs, &bench.db, &Act::Effect).await;
    bench.until(&row.id, State::Succeeded).await;
    running.stop().await;
}

async fn rename(bench: &Bench, back: bool) {
    let text = match (bench.db.sqlite_writer().is_some(), back) {
        (true, false) => "ALTER TABLE Jobs RENAME TO Away",
        (true, true) => "ALTER TABLE Away RENAME TO Jobs",
        (false, false) => "ALTER TABLE apalis.jobs RENAME TO away",
        (false, true) => "ALTER TABLE apalis.away RENAME TO jobs",
    };
    match bench.db.postgres() {
        None => drop(sqlx::raw_sql(text).execute(bench.db.sqlite_writer().unwrap()).await.unwrap()),
        Some(pool) => drop(sqlx::raw_sql(text).execute(pool).await.unwrap()),
    }
}
