//! A row that the worker dies of, each time: it is found and reported, and the rest is imported.

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
    let job = client.call("jobs.get", json!({ "id": id })).await.result()["job"].clone();
    let counts = ["total", "done", "added", "already", "invalid"].map(|name| job["result"][name].as_u64().unwrap());
    let rows = ROWS as u64;
    assert_eq!(counts, [rows, rows, rows - 1, 0, 1], "{job}");
    let errors = client.get(&format!("/api/v1/jobs/{id}/errors")).await.text;
    let line = errors.lines().nth(1).expect("the row");
    assert!(line.starts_with(&format!("deadly@example.com,{},crashed,", BEFORE + 1)), "{errors}");
}
