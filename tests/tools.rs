//! What holds for every tool, over the whole list.

use std::collections::HashSet;

use serde_json::{Value, json};
use usher::{
    error::Code,
    tools::{CATALOG, Kind},
};

/// Tools that answer something else than their one object when their ids are another site's, since they name none.
const WITHOUT_A_SUBJECT: [&str; 13] = [
    "members.list",
    "members.create",
    "tags.list",
    "blocklist.list",
    "blocklist.check",
    "blocklist.add",
    "blocklist.remove",
    "blocklist.import",
    "jobs.list",
    "keys.whoami",
    "activity.list",
    "tools.list",
    "tools.describe",
];

#[test]
fn every_tool_is_documented_named_and_closed() {
    let mut names = HashSet::new();
    for tool in &CATALOG.tools {
        let name = tool.definition.name;
        assert!(name.starts_with(&format!("{}.", tool.area.name)), "{name}");
        assert!(names.insert(name), "{name} stands twice");
        assert!(
            !tool.summary.is_empty() && tool.description != tool.summary,
            "{name}: summary, blank line, description"
        );
        assert_eq!(tool.args["additionalProperties"], false, "{name}");
        assert!(tool.accept(tool.example.clone()).is_ok(), "{name}: the example does not fit");
        for (field, schema) in tool.args["properties"].as_object().into_iter().flatten() {
            let about = schema["description"].as_str().unwrap_or_default();
            assert!(!about.is_empty(), "{name}: {field} has no description");
        }
    }
}

#[test]
fn every_integer_argument_has_a_range() {
    fn check(name: &str, schema: &Value) {
        match schema {
            Value::Object(map) => {
                if map.get("type") == Some(&json!("integer")) {
                    assert!(map.contains_key("minimum") && map.contains_key("maximum"), "{name}: {schema}");
                }
                map.values().for_each(|value| check(name, value));
            }
            Value::Array(items) => items.iter().for_each(|value| check(name, value)),
            _ => {}
        }
    }
    for tool in &CATALOG.tools {
        check(tool.definition.name, &tool.args);
    }
}

#[test]
fn every_code_is_told_apart() {
    let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), Code::ALL.len());
}

both!(no_tool_opens_without_its_scope, async |world| {
    world.without_budgets().await;
    let bare = world.key_with(&[]).await;
    for tool in &CATALOG.tools {
        let name = tool.definition.name;
        let reply = world.call(&bare, name, tool.example.clone()).await;
        match tool.definition.access.scope {
            Some(scope) => {
                assert_eq!(reply.failure(), (403, "missing_scope".into()), "{name}");
                assert_eq!(reply.json()["scope"], scope.name(), "{name}");
                let only = world.key_with(&[scope]).await;
                assert_ne!(world.call(&only, name, tool.example.clone()).await.status, 403, "{name}");
            }
            None => assert_eq!(reply.status, 200, "{name}"),
        }
    }
});

both!(every_tool_refuses_what_it_does_not_know, async |world| {
    world.without_budgets().await;
    for tool in &CATALOG.tools {
        let mut args = tool.example.clone();
        args["noSuchField"] = json!(1);
        let reply = world.call(&world.key, tool.definition.name, args).await;
        assert_eq!(reply.failure(), (400, "invalid_arguments".into()), "{}", tool.definition.name);
        assert_eq!(reply.json()["fields"][0]["path"], "args.noSuchField", "{}", tool.definition.name);
    }
});

both!(every_write_takes_a_dry_run_that_does_nothing, async |world| {
    world.without_budgets().await;
    for tool in CATALOG.tools.iter().filter(|tool| tool.definition.access.kind != Kind::Read) {
        let name = tool.definition.name;
        let body = json!({ "args": tool.example, "dryRun": true });
        let reply = world.call_with(&world.key, name, body, &[]).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text);
    }
    for table in ["SELECT id FROM member", "SELECT id FROM block", "SELECT id FROM job WHERE site <> 0"] {
        assert_eq!(world.rows(table).await, Vec::<String>::new(), "{table}");
    }
});

both!(nothing_of_another_site_is_seen_or_touched, async |world| {
    world.without_budgets().await;
    let (_, stranger) = world.other_site("Second", None).await;
    // One of everything on the first site.
    let member = world.ok("members.create", json!({ "email": "only@first.example.com", "tags": ["vip"] })).await;
    world.ok("blocklist.add", json!({ "emails": ["blocked@example.com"] })).await;
    let import = world.ok("blocklist.import", json!({ "emails": ["b@example.com"] })).await;
    world.job(&import["job"]["id"]).await;
    let request = world.call(&world.key, "members.list", json!({})).await.header("x-request-id").to_owned();
    let before = snapshot(world).await;
    let known = ["only@first.example.com", "blocked@example.com", "vip", member["id"].as_str().unwrap(), &request];
    for tool in &CATALOG.tools {
        let name = tool.definition.name;
        let args = match name {
            // Whom a stranger makes is the stranger's.
            "members.create" => tool.example.clone(),
            _ => pointing_at(&tool.example, &member, &import, &request),
        };
        let reply = world.call(&stranger, name, args.clone()).await;
        // These say again what the stranger itself has asked.
        let echoes = ["blocklist.check", "blocklist.add", "blocklist.remove", "activity.list"].contains(&name);
        if WITHOUT_A_SUBJECT.contains(&name) {
            assert_eq!(reply.status, 200, "{name}: {}", reply.text);
        } else {
            let code = reply.code();
            assert!(code.ends_with("_not_found"), "{name}: {}", reply.text);
        }
        let answer = reply.json();
        let result = answer["result"].to_string();
        assert!(!result.contains(world.key.id.as_str()), "{name} tells of another site's key: {result}");
        for secret in known.iter().filter(|_| !echoes) {
            assert!(!result.contains(secret) || args.to_string().contains(secret), "{name} tells {secret}: {result}");
        }
    }
    for path in ["events", "errors"] {
        let path = format!("/api/v1/jobs/{}/{path}", import["job"]["id"].as_str().unwrap());
        let headers = [("authorization", format!("Bearer {}", stranger.text))];
        assert_eq!(world.send("GET", &path, &headers, "").await.failure(), (404, "job_not_found".into()));
    }
    assert_eq!(snapshot(world).await, before);
    world.leaves_traces = true;
});

/// What the first site has.
async fn snapshot(world: &crate::harness::World) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for text in [
        "SELECT id || email || updated_at FROM member WHERE site = 1 ORDER BY id",
        "SELECT member_id || tag FROM member_tag WHERE site = 1 ORDER BY member_id, tag",
        "SELECT email || strength FROM block WHERE site = 1 ORDER BY email_key",
        "SELECT id || state FROM job WHERE site = 1 ORDER BY id",
    ] {
        all.push(world.rows(text).await);
    }
    all
}

/// An example's arguments, with the ids and addresses of real things in the place of its own.
fn pointing_at(example: &Value, member: &Value, import: &Value, request: &str) -> Value {
    match example {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), pointing_at(value, member, import, request))).collect()
        }
        Value::Array(items) => items.iter().map(|item| pointing_at(item, member, import, request)).collect(),
        Value::String(text) if text.starts_with("mem_") => member["id"].clone(),
        Value::String(text) if text == "anna@example.com" => member["email"].clone(),
        Value::String(text) if text.starts_with("job_") => import["job"]["id"].clone(),
        Value::String(text) if text.starts_with("req_") => json!(request),
        other => other.clone(),
    }
}
