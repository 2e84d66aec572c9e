//! SIGTERM: what is under way is answered, and a running import goes on after the restart as if nothing had been.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    harness::{Backend, PATIENCE},
    storm::{
        Client,
        server::{Installation, text},
    },
};

/// Rows of a file that takes longer than a stop.
const ROWS: usize = 200_000;

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_given_back_on_sqlite() {
    an_import_is_given_back(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_given_back_on_postgres() {
    an_import_is_given_back(Backend::Postgres).await;
}

async fn an_import_is_given_back(backend: Backend) {
    let (place, key) = Installation::new(backend).await;
    place.without_budgets().await;
    let mut server = place.serve(&[("USHER_WORKERS", "on")]).await;
    let client = server.client(&key);
    let file: String = (0..ROWS).map(|n| format!("{}@block.example\n", n * 7919 % 1_000_003)).collect();
    let upload = client.upload(file).await;

    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call_with("blocklist.import", json!({ "upload": upload }), &[("prefer", "wait=30")]).await }
    });
    half_done(&client).await;
    let began = Instant::now();
    server.terminate();
    let answer = waiting.await.expect("it does not panic");
    let job = answer.result()["job"].clone();
    assert!(["queued", "running"].contains(&job["status"].as_str().unwrap()), "{job}");
    let status = server.ended().await;
    assert!(status.success(), "{status}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(server.log().contains("stopped") && !server.log().contains("panicked"), "{}", server.log());

    let [[state, progress]] = &place.rows::<2>("SELECT state, progress FROM job WHERE site <> 0").await[..] else {
        panic!("one job");
    };
    let blocked = place.rows::<1>("SELECT CAST(count(*) AS TEXT) FROM block").await;
    let done: usize = blocked[0][0].parse().expect("a number");
    assert_eq!(serde_json::from_str::<Value>(progress).expect("JSON")["done"], json!(done), "what is counted is there");
    assert!(state == "queued" && 0 < done && done < ROWS, "{state}, {done}");

    let server = place.serve(&[("USHER_WORKERS", "on")]).await;
    place.jobs_are_over().await;
    let job = server.client(&key).call("jobs.get", json!({ "job": text(&job["id"]) })).await.result()["job"].clone();
    let progress = &job["progress"];
    assert_eq!((&job["status"], &job["attempt"]), (&json!("succeeded"), &json!(1)), "a stop is no failure");
    assert_eq!((&progress["done"], &progress["added"], &progress["already"]), (&json!(ROWS), &json!(ROWS), &json!(0)));
    let blocked = place.rows::<1>("SELECT CAST(count(DISTINCT email_key) AS TEXT) FROM block").await;
    assert_eq!(blocked, [[ROWS.to_string()]]);
    let ends = "SELECT status FROM activity WHERE tool = 'jobs.blocklist.import'";
    assert_eq!(place.rows::<1>(ends).await, [["ok".to_owned()]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_job_is_answered_and_holds_nothing_up() {
    let (place, key) = Installation::new(Backend::Sqlite).await;
    // Nobody runs the job, so whoever waits would wait for ever.
    let mut server = place.serve(&[("USHER_WORKERS", "off"), ("USHER_DRAIN_SECONDS", "5")]).await;
    let client = server.client(&key);
    let args = json!({ "emails": ["a@example.com"] });
    let job = client.call("blocklist.import", args.clone()).await.result()["job"].clone();
    let events = client.open(&format!("/api/v1/jobs/{}/events", text(&job["id"]))).await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call_with("blocklist.import", args, &[("prefer", "wait=30")]).await }
    });
    while client.call("jobs.list", json!({})).await.result()["items"].as_array().map(Vec::len) != Some(2) {}
    let began = Instant::now();
    server.terminate();
    assert_eq!(waiting.await.expect("it does not panic").result()["job"]["status"], "queued");
    assert!(events.text().await.expect("it ends, and is not cut").contains("event: progress"));
    assert!(server.ended().await.success());
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

/// Waits until the only job has done something.
async fn half_done(client: &Client) {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let jobs = client.call("jobs.list", json!({})).await.result();
        if jobs["items"][0]["progress"]["done"].as_u64().is_some_and(|done| done > 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the import does not begin");
}
