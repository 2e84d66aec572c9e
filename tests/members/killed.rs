//! Workers that are killed after each batch of a deletion or a merge: nothing is half-done at the end, and each row is
//! counted once.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{
    harness::{Backend, PATIENCE},
    storm::{
        Client,
        server::{Installation, Process, text},
    },
};

const WATCHES: usize = 6000;
const COMMENTS: usize = 600;

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_goes_on_after_each_kill_on_sqlite() {
    deletion(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_goes_on_after_each_kill_on_postgres() {
    deletion(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_goes_on_after_each_kill_on_sqlite() {
    merge(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_goes_on_after_each_kill_on_postgres() {
    merge(Backend::Postgres).await;
}

async fn deletion(backend: Backend) {
    let (place, _server, client) = start(backend).await;
    let anna = client.call("members.create", json!({ "email": "anna@example.com", "tags": ["vip"] })).await.one();
    fill(&place, &text(&anna["id"])).await;
    for _ in 0..200 {
        client.call("members.get", json!({ "member": { "email": "ANNA@example.com" } })).await.one();
    }
    client.call("blocklist.add", json!({ "emails": ["anna@example.com"] })).await.result();

    let member = json!({ "member": { "email": "anna@example.com" } });
    let first = client.call("members.delete", member.clone()).await.result();
    // Nobody works yet: the second call finds the first's job, also after a cancellation.
    let again = async || client.call("members.delete", member.clone()).await.result();
    let second = again().await;
    assert_eq!((&second["job"]["id"], &second["changed"]), (&first["job"]["id"], &json!(false)));
    client.call("jobs.cancel", json!({ "job": first["job"]["id"] })).await.result();
    let third = again().await;
    assert_eq!((&third["job"]["id"], &third["changed"]), (&first["job"]["id"], &json!(true)));
    assert_eq!(third["job"]["status"], "queued");
    for (tool, args) in [
        ("members.addTags", json!({ "member": { "id": anna["id"] }, "tags": ["new"] })),
        ("members.update", json!({ "member": { "id": anna["id"] }, "name": "Anna" })),
    ] {
        assert_eq!(client.call(tool, args).await.failure(), (200, "member_deleting".into()), "{tool}");
    }
    assert!(client.call("members.get", member.clone()).await.one()["deletingSince"].is_string());

    let result = kill_until_over(&place, &client, &text(&first["job"]["id"])).await;
    let counts = |kind: &str| result[kind].as_u64().unwrap() as usize;
    assert_eq!((counts("watch"), counts("comments"), counts("tags"), counts("blocks")), (WATCHES, COMMENTS, 1, 1));
    for table in ["watch", "comment", "member_tag", "member"] {
        assert_eq!(count(&place, table).await, 0, "{table}");
    }
    let rows = place.rows::<1>("SELECT COALESCE(args, '') || COALESCE(changes, '') FROM activity").await.concat();
    assert!(rows.iter().all(|row| !row.to_lowercase().contains("anna@")), "an address is left");
    let erased = rows.iter().filter(|row| row.contains("erased")).count();
    assert_eq!(counts("activity"), erased);
    assert!(erased > 200, "{erased}");
}

async fn merge(backend: Backend) {
    let (place, _server, client) = start(backend).await;
    let [winner, loser] = ["anna@example.com", "anna+shop@example.com"]
        .map(async |email| client.call("members.create", json!({ "email": email })).await.one());
    let (winner, loser) = (winner.await, loser.await);
    fill(&place, &text(&loser["id"])).await;
    // The winner has every third video, in which it got further.
    write(
        &place,
        format!(
            "INSERT INTO watch (site, member_id, video_id, position_s, furthest_s, created_at, updated_at)
             SELECT site, '{}', video_id, 99999, 99999, 1, 1 FROM watch WHERE furthest_s % 3 = 0",
            text(&winner["id"])
        ),
    )
    .await;
    let args = json!({ "winner": { "email": "anna@example.com" }, "loser": { "email": "anna+shop@example.com" } });
    let job = client.call("members.merge", args.clone()).await.result()["job"].clone();
    assert_eq!(client.call("members.merge", args).await.failure(), (200, "member_deleting".into()));
    let member = json!({ "member": { "id": loser["id"] } });
    assert_eq!(client.call("members.delete", member).await.failure(), (200, "member_deleting".into()));
    let member = json!({ "member": { "id": winner["id"] } });
    assert_eq!(client.call("members.delete", member).await.failure(), (200, "member_merging".into()));
    client.call("members.addTags", json!({ "member": { "id": winner["id"] }, "tags": ["new"] })).await.result();

    let result = kill_until_over(&place, &client, &text(&job["id"])).await;
    let counts = |kind: &str| result[kind].as_u64().unwrap() as usize;
    assert_eq!((counts("watch"), counts("comments")), (WATCHES, COMMENTS));
    assert_eq!((count(&place, "watch").await, count(&place, "comment").await), (WATCHES, COMMENTS));
    let owners =
        place.rows::<1>("SELECT DISTINCT member_id FROM watch UNION SELECT DISTINCT member_id FROM comment").await;
    assert_eq!(owners, [[text(&winner["id"])]]);
    let further = place.rows::<1>("SELECT CAST(count(*) AS TEXT) FROM watch WHERE furthest_s = 99999").await;
    assert_eq!(further, [[WATCHES.div_ceil(3).to_string()]]);
    assert_eq!(count(&place, "member").await, 1);
}

async fn start(backend: Backend) -> (Installation, Process, Client) {
    let (place, key) = Installation::new(backend).await;
    place.without_budgets().await;
    let server = place.serve(&[("USHER_WORKERS", "off")]).await;
    let client = server.client(&key);
    (place, server, client)
}

/// Gives a member watch data and comments.
async fn fill(place: &Installation, member: &str) {
    let numbers =
        |n: usize| format!("WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {n} - 1)");
    let videos = format!(
        "{} INSERT INTO video (site, id, title, title_key, slug, level, visibility, created_at, updated_at)
         SELECT 1, 'vid_' || i, 'Lesson', 'lesson', 'lesson-' || i, 'free', 'published', 1, 1 FROM n",
        numbers(WATCHES)
    );
    let watches = format!(
        "{} INSERT INTO watch (site, member_id, video_id, position_s, furthest_s, created_at, updated_at)
         SELECT 1, '{member}', 'vid_' || i, i, i, 2, 2 FROM n",
        numbers(WATCHES)
    );
    let comments = format!(
        "{} INSERT INTO comment (site, id, video_id, member_id, text, created_at)
         SELECT 1, 'cmt_' || i, 'vid_' || i, '{member}', 'anna@example.com', 1 FROM n",
        numbers(COMMENTS)
    );
    for statement in [videos, watches, comments] {
        write(place, statement).await;
    }
}

async fn write(place: &Installation, statement: String) {
    place.rows::<1>(Box::leak(format!("{statement} RETURNING '1'").into_boxed_str())).await;
}

async fn count(place: &Installation, table: &str) -> usize {
    let rows = place.rows::<1>(Box::leak(format!("SELECT CAST(count(*) AS TEXT) FROM {table}").into_boxed_str())).await;
    rows[0][0].parse().expect("a number")
}

/// Kills a worker after each batch, until the job is over. Gives its result.
async fn kill_until_over(place: &Installation, client: &Client, id: &str) -> Value {
    const OVER: &str = "SELECT id FROM job WHERE kind LIKE 'members.%' AND state = 'succeeded'";
    const PLACE: &str = "SELECT COALESCE(checkpoint, '') FROM job WHERE kind LIKE 'members.%'";
    let began = Instant::now();
    let mut lives = 0;
    while place.rows::<1>(OVER).await.is_empty() {
        assert!(began.elapsed() < 4 * PATIENCE, "it does not end");
        if place.backend == Backend::Postgres {
            place.rows::<1>("UPDATE job SET lease_until = 1 WHERE state = 'running' RETURNING id").await;
        }
        let before = place.rows::<1>(PLACE).await;
        let mut worker = place.work();
        lives += 1;
        while place.rows::<1>(PLACE).await == before && place.rows::<1>(OVER).await.is_empty() {
            assert!(began.elapsed() < 4 * PATIENCE, "it does not go on");
        }
        worker.kill();
    }
    assert!(lives > 2, "{lives} lives");
    let job = client.call("jobs.get", json!({ "job": id })).await.result()["job"].clone();
    assert_eq!(job["status"], "succeeded", "{job}");
    job["result"].clone()
}
