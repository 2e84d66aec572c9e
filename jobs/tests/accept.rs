use std::time::{Duration, Instant};

use serde_json::json;
use usher_db::sql_both;
use usher_jobs::{Filter, Owner, State};

use crate::{
    bench::{Bench, SITE, both},
    work::{Act, World, enqueue},
};

both! {
    a_rollback_leaves_no_job,
    a_commit_runs_it,
    a_handler_that_only_returns_succeeds,
    two_with_one_dedupe_key_are_one,
    a_delayed_job_waits,
    lists_are_newest_first,
    depth_counts,
    waiting_ends_with_the_job,
    waiting_ends_with_the_time,
    old_jobs_are_forgotten,
}

async fn a_rollback_leaves_no_job(bench: Bench) {
    let mut tx = bench.db.begin().await.unwrap();
    let row = bench.jobs.enqueue(&mut tx, Owner::site(SITE), &Act::Effect).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(bench.jobs.get(bench.db.read(), SITE, &row.id).await.unwrap(), None);
    let (tickets,): (i64,) =
        sql_both!(sqlite: "SELECT count(*) FROM Jobs", postgres: "SELECT count(*) FROM apalis.jobs")
            .one(bench.db.read())
            .await
            .unwrap();
    assert_eq!(tickets, 0);
}

async fn a_commit_runs_it(bench: Bench) {
    let running = bench.start(World::new(&bench.db).runner(bench.jobs.clone()));
    let accepted = enqueue(&bench.jobs, &bench.db, &Act::Effect).await;
    assert_eq!((accepted.state, accepted.attempt, &accepted.progress), (State::Queued, 0, &json!({})));
    let row = bench.until(&accepted.id, State::Succeeded).await;
    assert_eq!(row.result, Some(json!({"attempt": 1})));
    assert_eq!(row.progress, json!({"done": 1, "total": 1}));
    assert_eq!((row.attempt, row.error_code, row.error), (1, None, None));
    assert!(row.finished_at.is_some());
    assert_eq!(bench.effects(&row.id).await, 1);
    assert_eq!(bench.jobs.get(bench.db.read(), SITE + 1, &row.id).await.unwrap(), None, "another site sees it not");
    running.stop().await;
}

async fn a_handler_that_only_returns_succeeds(bench: Bench) {
    let running = bench.start(World::new(&bench.db).runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, &Act::Nothing).await;
    let row = bench.until(&row.id, State::Succeeded).await;
    assert_eq!(bench.ends(&row.id).await, ["succeeded"]);
    running.stop().await;
}

async fn two_with_one_dedupe_key_are_one(bench: Bench) {
    let world = World::new(&bench.db);
    let running = bench.start(world.runner(bench.jobs.clone()));
    let owner = Owner { dedupe: Some("once"), ..Owner::site(SITE) };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut tx = bench.db.begin().await.unwrap();
        ids.push(bench.jobs.enqueue(&mut tx, owner, &Act::Effect).await.unwrap().id);
        ids.push(bench.jobs.enqueue(&mut tx, owner, &Act::Effect).await.unwrap().id);
        tx.commit().await.unwrap();
        bench.until(&ids[0], State::Succeeded).await;
    }
    assert!(ids.iter().all(|id| *id == ids[0]));
    let mut tx = bench.db.begin().await.unwrap();
    let other = bench.jobs.enqueue(&mut tx, Owner { site: SITE + 1, ..owner }, &Act::Nothing).await.unwrap();
    tx.commit().await.unwrap();
    assert_ne!(other.id, ids[0], "another site's key is another key");
    bench.jobs.wait(SITE + 1, &other.id, Duration::from_secs(10)).await.unwrap();
    assert_eq!(world.runs(), 2);
    running.stop().await;
}

async fn a_delayed_job_waits(bench: Bench) {
    let running = bench.start(World::new(&bench.db).runner(bench.jobs.clone()));
    let begun = Instant::now();
    let mut tx = bench.db.begin().await.unwrap();
    let owner = Owner { delay: Duration::from_millis(1500), ..Owner::site(SITE) };
    let row = bench.jobs.enqueue(&mut tx, owner, &Act::Effect).await.unwrap();
    tx.commit().await.unwrap();
    bench.until(&row.id, State::Succeeded).await;
    assert!(begun.elapsed() >= Duration::from_millis(1500), "it took {:?}", begun.elapsed());
    running.stop().await;
}

async fn lists_are_newest_first(bench: Bench) {
    let mut ids = Vec::new();
    for n in 0..5 {
        let mut tx = bench.db.begin().await.unwrap();
        let owner = Owner { key_id: Some(if n % 2 == 0 { "key_a" } else { "key_b" }), ..Owner::site(SITE) };
        ids.push(bench.jobs.enqueue(&mut tx, owner, &Act::Nothing).await.unwrap().id);
        tx.commit().await.unwrap();
    }
    let list = async |filter: Filter<'static>, before: Option<&str>, limit| {
        let rows = bench.jobs.list(bench.db.read(), SITE, filter, before, limit).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(list(Filter::default(), None, 2).await, [ids[4].clone(), ids[3].clone()]);
    assert_eq!(list(Filter::default(), Some(&ids[3]), 9).await, [ids[2].clone(), ids[1].clone(), ids[0].clone()]);
    let of_b = Filter { key_id: Some("key_b"), state: Some(State::Queued), kind: Some("act") };
    assert_eq!(list(of_b, None, 9).await, [ids[3].clone(), ids[1].clone()]);
    assert!(list(Filter { state: Some(State::Failed), ..Filter::default() }, None, 9).await.is_empty());
    assert!(bench.jobs.list(bench.db.read(), SITE + 1, Filter::default(), None, 9).await.unwrap().is_empty());
}

async fn depth_counts(bench: Bench) {
    assert_eq!(bench.jobs.depth().await.unwrap(), usher_jobs::Depth::default());
    for _ in 0..3 {
        enqueue(&bench.jobs, &bench.db, &Act::Nothing).await;
    }
    let depth = bench.jobs.depth().await.unwrap();
    assert_eq!((depth.queued, depth.running, depth.dead), (3, 0, 0));
    assert!((0..60_000_000).contains(&depth.oldest_us), "{depth:?}");
}

async fn waiting_ends_with_the_job(bench: Bench) {
    let world = World::new(&bench.db);
    let running = bench.start(world.runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, &Act::Gated).await;
    let waiting = tokio::spawn({
        let (jobs, id) = (bench.jobs.clone(), row.id.clone());
        async move { jobs.wait(SITE, &id, Duration::from_secs(60)).await.unwrap().unwrap() }
    });
    bench.until(&row.id, State::Running).await;
    world.open(1);
    assert_eq!(waiting.await.unwrap().state, State::Succeeded);
    running.stop().await;
}

async fn waiting_ends_with_the_time(bench: Bench) {
    let row = enqueue(&bench.jobs, &bench.db, &Act::Nothing).await;
    let begun = Instant::now();
    let found = bench.jobs.wait(SITE, &row.id, Duration::from_millis(300)).await.unwrap();
    assert_eq!(found.unwrap().state, State::Queued);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!(bench.jobs.wait(SITE, "job_none", Duration::from_secs(60)).await.unwrap(), None);
}

async fn old_jobs_are_forgotten(bench: Bench) {
    let running = bench.start(World::new(&bench.db).runner(bench.jobs.clone()));
    let row = enqueue(&bench.jobs, &bench.db, &Act::Nothing).await;
    let ended = bench.until(&row.id, State::Succeeded).await.finished_at.unwrap();
    running.stop().await;
    let open = enqueue(&bench.jobs, &bench.db, &Act::Nothing).await;
    for (before, gone) in [(ended, 0), (ended + 1, 1), (i64::MAX, 0)] {
        let mut tx = bench.db.begin().await.unwrap();
        assert_eq!(bench.jobs.forget(tx.conn(), before, 100).await.unwrap(), gone);
        tx.commit().await.unwrap();
    }
    assert_eq!(bench.row(&open.id).await.state, State::Queued);
}
