//! Workers that die: of a row, which is found and reported while the rest is imported; and while an import is taken back.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    harness::{Backend, PATIENCE},
    storm::server::{Installation, text},
};

/// Rows before the one that kills.
const BEFORE: usize = 1234;
const ROWS: usize = 5000;

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_kills_the_worker_is_isolated() {
    let (place, key) = Installation::new(Backend::Sqlite).await;
    let server = place.serve(&[("USHER_WORKERS", "off")]).await;
    let client = server.client(&key);
    let file: String = (0..ROWS)
        .map(|n| if n == BEFORE { "deadly@example.com\n".into() } else { format!("{n}@block.example\n") })
        .collect();
    let upload = client.upload(file).await;
    let job = client.call("blocklist.import", json!({ "upload": upload })).await.result()["job"].clone();

    let began = Instant::now();
    let mut lives = 0;
    while lives == 0 || place.rows::<1>("SELECT id FROM job WHERE state = 'succeeded' AND site <> 0").await.is_empty() {
        assert!(began.elapsed() < PATIENCE, "it does not end");
        let mut worker = place.work_with(&[("USHER_TEST_DEADLY", "deadly@example.com")]);
        lives += 1;
        while !worker.has_ended()
            && place.rows::<1>("SELECT id FROM job WHERE state = 'succeeded' AND site <> 0").await.is_empty()
        {
            assert!(began.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert!((3..20).contains(&lives), "{lives} lives");
    let id = text(&job["id"]);
    let job = client.call("jobs.get", json!({ "job": id })).await.result()["job"].clone();
    let counts = ["total", "done", "added", "already", "invalid"].map(|name| job["result"][name].as_u64().unwrap());
    let rows = ROWS as u64;
    assert_eq!(counts, [rows, rows, rows - 1, 0, 1], "{job}");
    let errors = client.get(&format!("/api/v1/jobs/{id}/errors")).await.text;
    let line = errors.lines().nth(1).expect("the row");
    assert!(line.starts_with(&format!("deadly@example.com,{},crashed,", BEFORE + 1)), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_goes_on_after_each_kill_on_sqlite() {
    an_undo_goes_on_after_each_kill(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_goes_on_after_each_kill_on_postgres() {
    an_undo_goes_on_after_each_kill(Backend::Postgres).await;
}

async fn an_undo_goes_on_after_each_kill(backend: Backend) {
    let (place, key) = Installation::new(backend).await;
    place.without_budgets().await;
    let server = place.serve(&[("USHER_WORKERS", "off")]).await;
    let client = server.client(&key);
    let import = async |file: String| {
        let upload = client.upload(file).await;
        let job = client.call("blocklist.import", json!({ "upload": upload })).await.result()["job"].clone();
        let _worker = place.work();
        place.jobs_are_over().await;
        text(&job["id"])
    };
    let address = |n: usize| format!("{n}@block.example\n");
    let kept: String = (0..ROWS).step_by(5).map(address).collect();
    import(kept).await;
    // Every fifth was there before, every seventh comes again afterwards.
    let id = import((0..4 * ROWS).map(address).collect()).await;
    import((0..4 * ROWS).step_by(7).map(address).collect()).await;

    client.call("blocklist.undoImport", json!({ "job": id })).await.result();
    const OVER: &str = "SELECT progress FROM job WHERE kind = 'blocklist.undoImport' AND state = 'succeeded'";
    const PROGRESS: &str = "SELECT COALESCE(checkpoint, '') FROM job WHERE kind = 'blocklist.undoImport'";
    let began = Instant::now();
    let mut lives = 0;
    while place.rows::<1>(OVER).await.is_empty() {
        assert!(began.elapsed() < PATIENCE, "it does not end");
        if backend == Backend::Postgres {
            place.rows::<1>("UPDATE job SET lease_until = 1 WHERE state = 'running' RETURNING id").await;
        }
        let before = place.rows::<1>(PROGRESS).await;
        let mut worker = place.work();
        lives += 1;
        // Each life is long enough to get somewhere, and no longer.
        while place.rows::<1>(PROGRESS).await == before && place.rows::<1>(OVER).await.is_empty() {
            assert!(began.elapsed() < PATIENCE, "it does not go on");
        }
        worker.kill();
    }
    assert!(lives > 2, "{lives} lives");
    let left = place.rows::<1>("SELECT email_key FROM block").await.concat();
    let expected = (0..4 * ROWS).filter(|n| (*n < ROWS && n % 5 == 0) || n % 7 == 0);
    let mut expected: Vec<_> = expected.map(|n| format!("{n}@block.example")).collect();
    let mut left: Vec<String> = left;
    left.sort_unstable();
    expected.sort_unstable();
    assert!(left == expected, "{} instead of {}", left.len(), expected.len());
}
