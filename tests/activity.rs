//! The activity log: what is recorded, and how it is read.

use serde_json::{Value, json};
use usher::tools::Scope;

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().expect("a page").clone()
}

both!(every_call_has_its_row, async |world| {
    let key = world.key_with(&[Scope::MembersRead]).await;
    let made = world.call(&world.key, "members.create", json!({ "email": "anna@example.com" })).await;
    let calls = [
        (world.call(&key, "members.get", json!({ "member": { "email": "anna@example.com" } })).await, "ok", None),
        (
            world.call(&key, "members.get", json!({ "member": { "email": "bob@example.com" } })).await,
            "refused",
            Some("member_not_found"),
        ),
        (world.call(&key, "members.get", json!({ "member": { "id": "mem_1" } })).await, "refused", Some("invalid_id")),
        (world.call(&key, "members.list", json!({ "limit": 0 })).await, "rejected", Some("invalid_arguments")),
        (world.call(&key, "members.create", json!({})).await, "rejected", Some("missing_scope")),
        (world.call(&key, "members.nope", json!({})).await, "rejected", Some("unknown_tool")),
    ];
    for (reply, status, code) in &calls {
        let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
        assert_eq!((&row["status"], row["code"].as_str()), (&json!(status), *code), "{row}");
        assert_eq!(row["key"], json!(key.id.to_string()));
    }
    let row = world.one("activity.get", json!({ "entry": made.header("x-request-id") })).await;
    assert_eq!(row["tool"], "members.create");
    assert_eq!(row["member"], made.one()["id"]);
    assert_eq!(row["args"], json!({ "email": "anna@example.com" }));
    assert_eq!((&row["changes"][0]["kind"], row["changes"][0].get("before")), (&json!("member"), None));
    assert_eq!(row["changes"][0]["after"]["email"], "anna@example.com");
});

both!(a_call_without_a_known_key_has_none, async |world| {
    let unknown = crate::harness::TestKey { text: "nonsense".into(), ..world.key.clone() };
    world.call(&unknown, "members.list", json!({})).await;
    assert_eq!(items(&world.ok("activity.list", json!({})).await).len(), 0);
});

both!(a_flood_of_refusals_shares_a_row, async |world| {
    let key = world.key_with(&[Scope::MembersRead]).await;
    let calls = (0..50).map(|_| world.call(&key, "activity.list", json!({})));
    futures_util::future::join_all(calls).await;
    let rows = items(&world.ok("activity.list", json!({ "code": "missing_scope" })).await);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["count"], 50);
});

both!(what_is_made_up_makes_no_rows, async |world| {
    for n in 0..20 {
        let reply = world.call(&world.key, &format!("no.such{n}%00"), json!({})).await;
        assert_eq!(reply.failure(), (404, "unknown_tool".into()));
    }
    assert_eq!(items(&world.ok("activity.list", json!({ "code": "unknown_tool" })).await).len(), 1);
});

both!(what_is_no_tool_is_recorded_under_its_own_id, async |world| {
    let key = world.key_with(&[]).await;
    let headers = [("authorization", format!("Bearer {}", key.text))];
    let export = world.send("GET", "/api/v1/activity/export", &headers, "").await;
    assert_eq!(export.failure(), (403, "missing_scope".into()));
    let headers = [("authorization", format!("Bearer {}", world.key.text))];
    let upload = world.send("POST", "/api/v1/uploads", &headers, "").await;
    let events = world.send("GET", "/api/v1/jobs/job_1/events", &headers, "").await;
    for (reply, tool, code) in [
        (&export, "activity.export", "missing_scope"),
        (&upload, "uploads.create", "invalid_arguments"),
        (&events, "jobs.events", "invalid_id"),
    ] {
        let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
        assert_eq!((&row["tool"], &row["code"]), (&json!(tool), &json!(code)));
    }
    assert_eq!(upload.header("x-ratelimit-limit"), "30");
});

both!(the_filters_must_all_hold, async |world| {
    world.without_budgets().await;
    let key = world.key_with(&[Scope::MembersRead, Scope::MembersManage]).await;
    let anna =
        world.call(&key, "members.create", json!({ "email": "anna@example.com", "name": "Änne 100%" })).await.one();
    world.clock.advance(std::time::Duration::from_secs(60));
    let later = world.clock.now().to_string();
    world.call(&key, "members.get", json!({ "member": { "id": anna["id"] } })).await.one();
    world.call(&key, "members.get", json!({ "member": { "email": "x@example.com" } })).await;
    for (filter, rows) in [
        (json!({ "key": key.id.to_string() }), 3),
        (json!({ "key": key.id.to_string(), "tool": "members.get" }), 2),
        (json!({ "member": anna["id"] }), 2),
        (json!({ "member": anna["id"], "tool": "members.create" }), 1),
        (json!({ "status": ["refused"] }), 1),
        (json!({ "status": ["refused", "failed"] }), 1),
        (json!({ "status": ["ok"], "key": key.id.to_string() }), 2),
        (json!({ "status": ["ok", "refused"], "key": key.id.to_string() }), 3),
        (json!({ "status": ["refused"], "member": anna["id"] }), 0),
        (json!({ "status": ["refused"], "text": "THIS ADDRESS" }), 1),
        (json!({ "code": "member_not_found" }), 1),
        (json!({ "key": key.id.to_string(), "from": later }), 2),
        (json!({ "key": key.id.to_string(), "until": later }), 1),
        (json!({ "key": key.id.to_string(), "text": "100%" }), 1),
        (json!({ "key": key.id.to_string(), "text": "0_%" }), 0),
        (json!({ "key": key.id.to_string(), "text": "ANNA@" }), 1),
        (json!({ "actor": "cli" }), 0),
    ] {
        assert_eq!(items(&world.ok("activity.list", filter.clone()).await).len(), rows, "{filter}");
    }
});

both!(pages_stay_true_while_rows_are_added, async |world| {
    world.without_budgets().await;
    let key = world.key_with(&[Scope::MembersRead]).await;
    let mut ids = Vec::new();
    for _ in 0..25 {
        ids.push(world.call(&key, "members.list", json!({})).await.header("x-request-id").to_owned());
    }
    ids.reverse();
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let args = json!({ "key": key.id.to_string(), "limit": 7, "cursor": cursor });
        let page = world.ok("activity.list", args).await;
        seen.extend(items(&page).iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        world.call(&key, "members.list", json!({})).await.result();
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, ids);
    let wrong = world.call(&world.key, "activity.list", json!({ "cursor": "nonsense" })).await;
    assert_eq!(wrong.code(), "invalid_cursor");
});

both!(it_is_exported_as_ndjson, async |world| {
    world.without_budgets().await;
    for n in 0..3 {
        world.one("members.create", json!({ "email": format!("m{n}@example.com") })).await;
    }
    let headers = [("authorization", format!("Bearer {}", world.key.text))];
    let reply = world.send("GET", "/api/v1/activity/export?tool=members.create", &headers, "").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/x-ndjson"));
    let rows: Vec<Value> = reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["args"]["email"], "m2@example.com");
    let bad = world.send("GET", "/api/v1/activity/export?tol=x", &headers, "").await;
    assert_eq!(bad.failure(), (400, "invalid_arguments".into()));
    let key = world.key_with(&[Scope::MembersRead]).await;
    let headers = [("authorization", format!("Bearer {}", key.text))];
    let reply = world.send("GET", "/api/v1/activity/export", &headers, "").await;
    assert_eq!(reply.failure(), (403, "missing_scope".into()));
});

both!(old_rows_are_forgotten_when_the_site_wants_it, async |world| {
    world.one("members.create", json!({ "email": "anna@example.com" })).await;
    world.settings(|settings| settings.activity_retention_days = 1).await;
    world.clock.advance(std::time::Duration::from_secs(86_400 + 60));
    world.ok("members.list", json!({})).await;
    let mut tx = world.app.db.begin().await.unwrap();
    let owner = usher_jobs::Owner::site(0);
    let job = world.app.jobs.enqueue(&mut tx, owner, &usher::areas::activity::Retention).await.unwrap();
    tx.commit().await.unwrap();
    let ended = world.app.jobs.wait(0, &job.id, crate::harness::PATIENCE).await.unwrap().unwrap();
    assert_eq!(ended.state, usher_jobs::State::Succeeded);
    let tools: Vec<_> =
        items(&world.ok("activity.list", json!({})).await).iter().map(|row| row["tool"].clone()).collect();
    assert_eq!(tools, [json!("members.list")]);
});

both!(the_last_errors_are_one_call_and_say_what_was_told_and_to_whom, async |world| {
    let key = world.key_with(&[Scope::MembersRead]).await;
    world.call(&key, "members.list", json!({})).await.result();
    let refused = world.call(&key, "members.get", json!({ "member": { "email": "x@example.com" } })).await;
    let rejected = world.call(&key, "members.list", json!({ "limit": 0 })).await;
    let wanted = json!({ "status": ["refused", "rejected", "failed"] });
    let rows = items(&world.ok("activity.list", wanted).await);
    assert_eq!(rows.len(), 2);
    for (row, reply) in rows.iter().zip([&rejected, &refused]) {
        assert_eq!((&row["id"], &row["error"]), (&json!(reply.header("x-request-id")), &reply.json()["error"]));
        assert_eq!((&row["key"], &row["keyName"]), (&json!(key.id.to_string()), &json!("Test")));
        assert_eq!(world.one("activity.get", json!({ "entry": row["id"] })).await, *row);
    }
    // A call that was done has none.
    let done = items(&world.ok("activity.list", json!({ "status": ["ok"], "tool": "members.list" })).await);
    assert_eq!((done.len(), done[0].get("error"), &done[0]["keyName"]), (1, None, &json!("Test")));
    // The export takes several in either way of a query.
    let headers = [("authorization", format!("Bearer {}", world.key.text))];
    for query in ["status=refused,rejected", "status=refused&status=rejected", "status=refused,%20rejected"] {
        let reply = world.send("GET", &format!("/api/v1/activity/export?{query}"), &headers, "").await;
        let exported: Vec<Value> = reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(exported, rows, "{query}");
    }
    for query in ["status=", "status=done", "status=ok,", "tool=a&tool=b"] {
        let reply = world.send("GET", &format!("/api/v1/activity/export?{query}"), &headers, "").await;
        assert_eq!(reply.failure(), (400, "invalid_arguments".into()), "{query}");
    }
    for bad in [json!("refused"), json!([]), json!(["done"])] {
        world.call(&world.key, "activity.list", json!({ "status": bad })).await.is_refused_for_arguments();
    }
});

both!(a_refused_write_and_a_job_that_failed_say_why, async |world| {
    let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let again = world.call(&world.key, "members.create", json!({ "email": "anna@example.com" })).await;
    let row = world.one("activity.get", json!({ "entry": again.header("x-request-id") })).await;
    assert_eq!(row["error"], again.json()["error"]);
    assert!(row["error"].as_str().unwrap().contains(anna["id"].as_str().unwrap()), "{row}");
    // What looks like a key is not kept, and what is long is cut.
    let secret = json!({ "status": ["ok"], "tool": format!("{}{}", "usher_live_", "x") });
    let reply = world.call_with(&world.key, "activity.list", json!({ "args": secret, "usher_live_1": 1 }), &[]).await;
    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
    assert!(!row.to_string().contains("usher_live_1"), "{row}");
});
