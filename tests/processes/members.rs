//! Workers that are killed while members are imported.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{
    harness::{Backend, PATIENCE},
    storm::server::{Installation, text},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_members_goes_on_after_each_kill_on_sqlite() {
    an_import_of_members_goes_on_after_each_kill(Backend::Sqlite, 1500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_members_goes_on_after_each_kill_on_postgres() {
    an_import_of_members_goes_on_after_each_kill(Backend::Postgres, 6000).await;
}

async fn an_import_of_members_goes_on_after_each_kill(backend: Backend, n_rows: usize) {
    let (place, key) = Installation::new(backend).await;
    place.without_budgets().await;
    let server = place.serve(&[("USHER_WORKERS", "off")]).await;
    let client = server.client(&key);
    // Every tenth address comes twice, and every hundredth row is refused when it is read.
    let row = |n: usize| match n {
        n if n.is_multiple_of(100) => format!("nobody{n},N,x\n"),
        n if n.is_multiple_of(10) => format!("{}@members.example,Twice,y\n", n - 1),
        n => format!("{n}@members.example,Once,x\n"),
    };
    let file: String = std::iter::once("email,name,tags\n".to_owned()).chain((0..n_rows).map(row)).collect();
    let upload = client.upload(file).await;
    let job = client.call("members.import", json!({ "upload": upload })).await.result()["job"].clone();

    const OVER: &str = "SELECT progress FROM job WHERE kind = 'members.import' AND state = 'succeeded'";
    let done = async || {
        let progress = place.rows::<1>("SELECT progress FROM job WHERE kind = 'members.import'").await.concat();
        let progress: Value = serde_json::from_str(&progress[0]).expect("JSON");
        progress["done"].as_u64().unwrap_or(0)
    };
    let began = Instant::now();
    let mut lives = 0;
    while place.rows::<1>(OVER).await.is_empty() {
        assert!(began.elapsed() < 2 * PATIENCE, "it does not end");
        if backend == Backend::Postgres {
            place.rows::<1>("UPDATE job SET lease_until = 1 WHERE state = 'running' RETURNING id").await;
        }
        let before = done().await;
        let mut worker = place.work();
        lives += 1;
        // Each life is long enough to get somewhere, and no longer.
        while done().await == before && place.rows::<1>(OVER).await.is_empty() {
            assert!(began.elapsed() < 2 * PATIENCE, "it does not go on");
        }
        worker.kill();
    }
    assert!(lives > 1, "{lives} lives");
    let job = client.call("jobs.get", json!({ "job": text(&job["id"]) })).await.result()["job"].clone();
    let counts = ["total", "done", "created", "updated", "unchanged", "invalid"];
    let counts = counts.map(|name| job["result"][name].as_u64().unwrap());
    let n_rows = n_rows as u64;
    let (bad, twice) = (n_rows / 100, n_rows / 10 - n_rows / 100);
    let made = n_rows - bad - twice;
    assert_eq!(counts, [n_rows, n_rows, made, twice, 0, bad], "{job}");
    let members = place.rows::<1>("SELECT CAST(count(DISTINCT email_key) AS TEXT) FROM member").await;
    let tags = place.rows::<1>("SELECT CAST(count(*) AS TEXT) FROM member_tag").await;
    assert_eq!((members, tags), (vec![[made.to_string()]], vec![[(made + twice).to_string()]]));
    let errors = client.get(&format!("/api/v1/jobs/{}/errors", text(&job["id"]))).await.text;
    assert_eq!(errors.lines().count() as u64, 1 + bad, "{errors}");
}
