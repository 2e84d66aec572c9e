use serde_json::{Value, json};
use usher::tools::Scope;

use crate::harness::TestKey;

both!(the_checks_are_in_the_contracts_order, async |world| {
    let unknown = TestKey { text: "nonsense".into(), ..world.key.clone() };
    let narrow = world.key_with(&[Scope::GroupsRead]).await;
    let bearer = |key: &TestKey| {
        [("authorization", format!("Bearer {}", key.text)), ("content-type", "application/json".into())]
    };
    for (method, key, tool, body, status, code) in [
        ("GET", &unknown, "no.such", "{", 405, "method_not_allowed"),
        ("POST", &unknown, "no.such", "{", 401, "invalid_key"),
        ("POST", &narrow, "no.such", "{", 404, "unknown_tool"),
        ("POST", &narrow, "members.get", "{", 403, "missing_scope"),
        ("POST", &world.key, "members.get", "{", 400, "invalid_json"),
    ] {
        let reply = world.send(method, &format!("/api/v1/tools/{tool}"), &bearer(key), body).await;
        assert_eq!(reply.failure(), (status, code.into()), "{}", reply.text);
    }
    // 429 comes before 400.
    world.settings(|settings| settings.budgets.calls_per_minute = 0).await;
    let reply = world.send("POST", "/api/v1/tools/members.get", &bearer(&world.key), "{").await;
    assert_eq!(reply.failure(), (429, "rate_limited".into()));
});

both!(bodies_that_do_not_fit_are_explained, async |world| {
    let json_type = ("content-type", "application/json".to_owned());
    let bearer = ("authorization", format!("Bearer {}", world.key.text));
    let large = format!(r#"{{"args":{{"text":"{}"}}}}"#, "x".repeat(1 << 20));
    for (media, body, status, code) in [
        (Some(&json_type), "[]", 400, "invalid_json"),
        (Some(&json_type), r#"{"args":[]}"#, 400, "invalid_arguments"),
        (Some(&json_type), r#"{"email":"a@example.com"}"#, 400, "invalid_arguments"),
        (Some(&json_type), r#"{"args":{"nope":1}}"#, 400, "invalid_arguments"),
        (Some(&json_type), r#"{"args":{"limit":0}}"#, 400, "invalid_arguments"),
        (Some(&json_type), r#"{"args":{},"dryRun":1}"#, 400, "invalid_arguments"),
        (Some(&json_type), large.as_str(), 413, "body_too_large"),
        (None, r#"{"args":{}}"#, 415, "unsupported_media_type"),
    ] {
        let headers: Vec<_> = media.into_iter().chain([&bearer]).cloned().collect();
        let reply = world.send("POST", "/api/v1/tools/members.list", &headers, body.to_owned()).await;
        assert_eq!(reply.failure(), (status, code.into()), "{}", reply.text);
        assert_eq!(reply.json()["tool"], "members.list");
    }
    for body in ["", "  ", "{}", r#"{"args":{}}"#, r#"{"args":{"text":null}}"#] {
        let reply = world.send("POST", "/api/v1/tools/members.list", &[json_type.clone(), bearer.clone()], body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
});

both!(each_fault_is_named_by_its_field, async |world| {
    let args = json!({ "email": "no address", "tags": ["ok", 1], "colour": "red" });
    let reply = world.call(&world.key, "members.create", args).await;
    assert_eq!(reply.failure(), (400, "invalid_arguments".into()));
    let body = reply.json();
    let mut paths: Vec<_> =
        body["fields"].as_array().unwrap().iter().map(|field| field["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["args.colour", "args.email", "args.tags.1"]);
});

both!(a_missing_scope_is_named, async |world| {
    let key = world.key_with(&[Scope::MembersRead]).await;
    let reply = world.call(&key, "members.create", json!({ "email": "a@example.com" })).await;
    let body = reply.json();
    assert_eq!((reply.status, &body["scope"]), (403, &json!("members:manage")));
    assert!(body["error"].as_str().unwrap().contains("members:manage"));
});

both!(an_unknown_tool_gets_a_suggestion, async |world| {
    for (typed, meant) in
        [("members.fetch", "members.get"), ("member.get", "members.get"), ("Members.List", "members.list")]
    {
        let body = world.call(&world.key, typed, json!({})).await.json();
        let names: Vec<_> = body["didYouMean"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(names.contains(&meant), "{typed}: {names:?}");
    }
});

both!(an_invented_id_is_refused_before_any_look_up, async |world| {
    let member = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let id = member["id"].as_str().unwrap();
    let mistyped = format!("{}{}", &id[..id.len() - 1], if id.ends_with('0') { '1' } else { '0' });
    for wrong in [mistyped.as_str(), "mem_1", "anna", &id.replace("mem_", "job_")] {
        let reply = world.call(&world.key, "members.get", json!({ "member": { "id": wrong } })).await;
        assert_eq!(reply.failure(), (200, "invalid_id".into()), "{wrong}");
    }
});

both!(strict_handling_turns_a_refusal_into_its_status, async |world| {
    let args = json!({ "args": { "member": { "email": "nobody@example.com" } } });
    let plain = world.call_with(&world.key, "members.get", args.clone(), &[]).await;
    assert_eq!((plain.failure(), plain.header("preference-applied")), ((200, "member_not_found".into()), ""));
    let strict = world.call_with(&world.key, "members.get", args, &[("prefer", "handling=strict")]).await;
    assert_eq!(strict.failure(), (404, "member_not_found".into()));
    assert_eq!(strict.header("preference-applied"), "handling=strict");
});

both!(a_dry_run_says_what_would_be_and_does_nothing, async |world| {
    let body = json!({ "args": { "email": "anna@example.com", "tags": ["VIP"] }, "dryRun": true });
    let reply = world.call_with(&world.key, "members.create", body, &[("idempotency-key", "one")]).await;
    let answer = reply.json();
    assert_eq!((&answer["ok"], &answer["dryRun"]), (&json!(true), &json!(true)));
    assert_eq!(answer["result"]["member"]["tags"], json!(["vip"]));
    assert_eq!(
        (&answer["changes"][0]["kind"], &answer["changes"][0]["after"]["email"]),
        (&json!("member"), &json!("anna@example.com"))
    );
    assert_eq!(world.ok("members.list", json!({})).await["items"], json!([]));
    // It was not the first call under its Idempotency-Key either.
    let body = json!({ "args": { "email": "anna@example.com" } });
    let real = world.call_with(&world.key, "members.create", body, &[("idempotency-key", "one")]).await;
    assert_eq!(real.header("idempotent-replayed"), "");
    real.result();
});

both!(nothing_is_half_done_when_a_tool_refuses, async |world| {
    world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let bob = world.one("members.create", json!({ "email": "bob@example.com" })).await;
    let args = json!({ "member": { "id": bob["id"] }, "name": "Robert", "email": "anna@example.com" });
    assert_eq!(world.call(&world.key, "members.update", args).await.code(), "member_exists");
    assert!(world.one("members.get", json!({ "member": { "id": bob["id"] } })).await.get("name").is_none());
});

both!(paths_that_are_not_there_are_told_in_the_envelope, async |world| {
    let reply = world.send("GET", "/nope", &[], "").await;
    assert_eq!(reply.failure(), (404, "not_found".into()));
    let reply = world.send("DELETE", "/api/v1/uploads", &[], "").await;
    assert_eq!((reply.failure(), reply.header("allow")), ((405, "method_not_allowed".into()), "POST"));
});
