//! Jobs, as their callers see them.

use futures_util::StreamExt as _;
use serde_json::json;

both!(a_job_is_accepted_followed_and_found_in_the_log, async |world| {
    let accepted =
        world.ok("blocklist.import", json!({ "emails": ["a@example.com", "b@example.com", "nonsense"] })).await;
    let id = accepted["job"]["id"].clone();
    assert_eq!(accepted["job"]["status"], "queued");
    let job = world.job(&id).await;
    assert_eq!(
        (&job["status"], &job["progress"]["added"], &job["progress"]["invalid"]),
        (&json!("succeeded"), &json!(2), &json!(1))
    );
    let shown = world.ok("jobs.get", json!({ "job": id })).await;
    assert_eq!(shown["job"], job);
    let rows = world.ok("activity.list", json!({ "job": id })).await;
    let tools: Vec<_> = rows["items"].as_array().unwrap().iter().map(|row| row["tool"].as_str().unwrap()).collect();
    assert_eq!(tools, ["jobs.blocklist.import", "blocklist.import"]);
});

both!(a_call_can_wait_for_the_end, async |world| {
    let body = json!({ "args": { "emails": ["a@example.com"] } });
    let headers = [("prefer", "wait=30"), ("idempotency-key", "one")];
    let reply = world.call_with(&world.key, "blocklist.import", body.clone(), &headers).await;
    assert_eq!(reply.result()["job"]["status"], "succeeded");
    assert_eq!(reply.header("preference-applied"), "wait=30");
    // The replay is what the first caller got.
    let again = world.call_with(&world.key, "blocklist.import", body, &headers).await;
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &reply.text));
});

both!(only_the_key_that_started_a_job_sees_it, async |world| {
    let accepted = world.ok("blocklist.import", json!({ "emails": ["a@example.com"] })).await;
    let id = accepted["job"]["id"].clone();
    world.job(&id).await;
    let other = world.key_with(&[usher::tools::Scope::MembersManage]).await;
    for tool in ["jobs.get", "jobs.cancel", "jobs.retry"] {
        assert_eq!(world.call(&other, tool, json!({ "job": id })).await.code(), "job_not_found", "{tool}");
    }
    assert_eq!(world.call(&other, "jobs.list", json!({})).await.result()["items"], json!([]));
    assert_eq!(world.ok("jobs.list", json!({ "status": "succeeded" })).await["items"][0]["id"], id);
});

both!(events_follow_a_job_to_its_end, async |world| {
    let accepted = world.ok("blocklist.import", json!({ "emails": ["a@example.com"] })).await;
    let id = accepted["job"]["id"].as_str().unwrap();
    let url = format!("{}/api/v1/jobs/{id}/events", world.address);
    let response = world.http.get(url).bearer_auth(&world.key.text).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let mut stream = response.bytes_stream();
    let mut text = String::new();
    while let Some(part) = tokio::time::timeout(crate::harness::PATIENCE, stream.next()).await.expect("it ends") {
        text.push_str(&String::from_utf8_lossy(&part.unwrap()));
    }
    assert!(text.contains("event: end") && text.contains("\"status\":\"succeeded\""), "{text}");
});

both!(a_failed_job_can_be_retried, async |world| {
    world.leaves_traces = true;
    let accepted = world.ok("blocklist.import", json!({ "emails": ["a@example.com"] })).await;
    let id = accepted["job"]["id"].clone();
    world.job(&id).await;
    let reply = world.call(&world.key, "jobs.retry", json!({ "job": id })).await;
    assert_eq!(reply.code(), "job_not_retryable");
    world.rows("UPDATE job SET state = 'failed', error_code = 'test', error = 'Test.' WHERE site <> 0").await;
    let again = world.ok("jobs.retry", json!({ "job": id })).await;
    assert_eq!(again["job"]["status"], "queued");
    assert_eq!(world.job(&id).await["status"], "succeeded");
    world.rows("UPDATE job SET state = 'failed', error_code = 'test', error = 'Test.' WHERE site <> 0").await;
    let body = json!({ "args": { "job": id } });
    let waited = world.call_with(&world.key, "jobs.retry", body, &[("prefer", "wait=30")]).await;
    assert_eq!(waited.result()["job"]["status"], "succeeded");
});

both!(waiting_is_said_only_where_it_was_done, async |world| {
    let reply = world.call_with(&world.key, "keys.whoami", json!({}), &[("prefer", "wait=5")]).await;
    assert_eq!((reply.status, reply.header("preference-applied")), (200, ""));
});
