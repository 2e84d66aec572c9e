//! Grants to a group whose workers are killed again and again: everybody is given each bundle once, and counted once.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{
    harness::{Backend, PATIENCE},
    storm::{
        Client,
        server::{Installation, text},
    },
};

/// Members of each group.
const MEMBERS: u64 = 3000;

/// Bundles that are granted, each to a group of everybody, by a job.
const BUNDLES: usize = 6;

/// Workers that are killed, before one is let live.
const KILLS: u32 = 8;

/// How far the jobs are.
const CHECKPOINTS: &str = "SELECT COALESCE(checkpoint, '') FROM job WHERE kind = 'access.group' ORDER BY id";

#[tokio::test(flavor = "multi_thread")]
async fn group_grants_survive_kill_9_on_sqlite() {
    group_grants_survive_kill_9(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn group_grants_survive_kill_9_on_postgres() {
    group_grants_survive_kill_9(Backend::Postgres).await;
}

async fn group_grants_survive_kill_9(backend: Backend) {
    let (place, key) = Installation::new(backend).await;
    place.without_budgets().await;
    let server = place.serve(&[("USHER_WORKERS", "off")]).await;
    let client = server.client(&key);
    let mut jobs = Vec::new();
    for (n, group) in groups(&client, &place).await.into_iter().enumerate() {
        let bundle = client.call("bundles.create", json!({ "name": format!("Course {n}") })).await.one()["id"].clone();
        let args = json!({ "group": group, "bundle": bundle });
        jobs.push(text(&client.call("access.grantBundle", args).await.result()["job"]["id"]));
    }
    let began = Instant::now();
    for _ in 0..KILLS {
        let before = place.rows::<1>(CHECKPOINTS).await;
        let mut worker = place.work();
        // Each life is long enough to get somewhere.
        while place.rows::<1>(CHECKPOINTS).await == before {
            assert!(began.elapsed() < 2 * PATIENCE, "it does not go on");
        }
        worker.kill();
        // A worker that died loses its job only after half a minute.
        place.rows::<1>("UPDATE job SET lease_until = 1 WHERE state = 'running' RETURNING id").await;
    }
    let _worker = place.work();
    place.jobs_are_over().await;
    for id in &jobs {
        let job = client.call("jobs.get", json!({ "job": id })).await.result()["job"].clone();
        let expected = json!({ "done": MEMBERS, "total": MEMBERS, "granted": MEMBERS, "alreadyHad": 0, "failed": 0 });
        assert_eq!((&job["status"], &job["result"]), (&json!("succeeded"), &expected), "{job}");
    }
    let rows = place.rows::<1>("SELECT CAST(count(*) AS TEXT) FROM entitlement WHERE revoked_at IS NULL").await;
    assert_eq!(rows, [[(MEMBERS * BUNDLES as u64).to_string()]]);
    let ends = place.rows::<1>("SELECT job_id FROM activity WHERE tool = 'jobs.access.group' AND status = 'ok'").await;
    assert_eq!(ends.len(), BUNDLES);
}

/// Groups of everybody, one for each bundle. The members are written straight into the table.
async fn groups(client: &Client, place: &Installation) -> Vec<Value> {
    let insert = match place.backend {
        Backend::Sqlite => {
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
             INSERT INTO member (site, id, email, email_key, name_key, status, created_at, updated_at)
             SELECT 1, 'mem_' || printf('%027d', i), i || '@example.com', i || '@example.com', '', 'free', 0, 0 FROM n
             RETURNING id"
        }
        Backend::Postgres => {
            "INSERT INTO member (site, id, email, email_key, name_key, status, created_at, updated_at)
             SELECT 1, 'mem_' || lpad(i::text, 27, '0'), i || '@example.com', i || '@example.com', '', 'free', 0, 0
             FROM generate_series(1, 3000) AS i RETURNING id"
        }
    };
    assert_eq!(place.rows::<1>(insert).await.len() as u64, MEMBERS);
    let mut groups = Vec::new();
    for n in 0..BUNDLES {
        let args = json!({ "name": format!("Everybody {n}") });
        groups.push(client.call("groups.create", args).await.one()["id"].clone());
    }
    let places = "INSERT INTO group_place (site, group_id, member_id, added_at)
                  SELECT m.site, g.id, m.id, 0 FROM member m CROSS JOIN member_group g WHERE true RETURNING member_id";
    place.rows::<1>(places).await;
    groups
}
