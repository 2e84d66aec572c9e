//! `ifUpdatedAt`: a change is made only to what the caller has read.

use serde_json::{Value, json};
use usher::tools::{CATALOG, Kind, Scope};

use crate::harness::World;

#[test]
fn every_tool_that_answers_with_what_it_changed_takes_it() {
    let kinds: Vec<_> = CATALOG.tools.iter().filter_map(|tool| Some(tool.definition.changes?.kind)).collect();
    for tool in CATALOG.tools.iter().filter(|tool| tool.definition.access.kind == Kind::Write) {
        let (name, args, result) = (tool.definition.name, &tool.args, &tool.result);
        let thing = result["properties"].as_object().into_iter().flatten().find_map(|(kind, schema)| {
            let at = schema["$ref"].as_str()?.rsplit('/').next()?;
            let is_versioned =
                kinds.contains(&kind.as_str()) && result["$defs"][at]["properties"].get("updatedAt").is_some();
            is_versioned.then_some(kind.as_str())
        });
        let kind = tool.definition.changes.map(|thing| thing.kind);
        assert_eq!(args["properties"].get("ifUpdatedAt").is_some(), kind.is_some(), "{name}");
        let answers_with_a_change = result["required"].as_array().is_some_and(|all| all.contains(&json!("changed")));
        match kind {
            Some(kind) => assert_eq!(thing, Some(kind), "{name}"),
            None => assert!(thing.is_none() || !answers_with_a_change, "{name} changes a {thing:?}"),
        }
    }
}

/// One of each thing, and a call that changes it.
async fn things(world: &World) -> Vec<(&'static str, &'static str, Value, Value)> {
    let member = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let group = world.one("groups.create", json!({ "name": "First" })).await;
    let video = world.one("videos.create", json!({ "title": "Lesson" })).await;
    let bundle = world.one("bundles.create", json!({ "name": "All" })).await;
    let plan = json!({ "name": "Gold", "amount": 900, "currency": "EUR", "every": "month" });
    let plan = world.ok("plans.create", plan).await["plan"].clone();
    let template = json!({ "name": "welcome", "subject": "Hello", "text": "Hello" });
    let template = world.one("emailTemplates.create", template).await;
    let by_id = |thing: &Value| json!({ "id": thing["id"] });
    vec![
        ("members.update", "member", json!({ "member": by_id(&member), "name": "Anna" }), member.clone()),
        ("members.addTags", "member", json!({ "member": by_id(&member), "tags": ["vip"] }), member),
        ("groups.update", "group", json!({ "group": group["id"], "name": "Second" }), group),
        ("videos.update", "video", json!({ "video": video["id"], "title": "Lesson 1" }), video.clone()),
        ("videos.setAccess", "video", json!({ "video": video["id"], "level": "free" }), video),
        ("bundles.update", "bundle", json!({ "bundle": bundle["id"], "name": "Some" }), bundle.clone()),
        ("bundles.archive", "bundle", json!({ "bundle": bundle["id"] }), bundle),
        ("plans.update", "plan", json!({ "plan": plan["id"], "name": "Silver" }), plan),
        ("emailTemplates.update", "template", json!({ "template": template["id"], "subject": "Hi" }), template),
    ]
}

both!(of_two_who_have_read_the_same_state_only_the_first_changes_it, async |world| {
    world.without_budgets().await;
    let mut current: std::collections::HashMap<String, Value> = std::collections::HashMap::new();
    for (tool, kind, mut args, thing) in things(world).await {
        let id = thing["id"].as_str().unwrap().to_owned();
        let read = current.get(&id).cloned().unwrap_or(thing);
        args["ifUpdatedAt"] = read["updatedAt"].clone();
        // The clock stands still, and yet each state has an `updatedAt` of its own.
        let changed = world.ok(tool, args.clone()).await[kind].clone();
        assert_ne!(changed["updatedAt"], read["updatedAt"], "{tool}");
        let before = world.rows("SELECT count(*) || '' FROM activity WHERE status = 'ok'").await;
        for again in [args.clone(), {
            let mut other = args.clone();
            other["ifUpdatedAt"] = json!("2024-01-01T00:00:00Z");
            other
        }] {
            let reply = world.call(&world.key, tool, again).await;
            assert_eq!(reply.failure(), (200, "changed_meanwhile".into()), "{tool}");
            assert_eq!(reply.json()["current"], json!({ kind: changed }), "{tool}");
        }
        assert_eq!(world.rows("SELECT count(*) || '' FROM activity WHERE status = 'ok'").await, before);
        args["ifUpdatedAt"] = changed["updatedAt"].clone();
        let same = world.ok(tool, args).await;
        assert_eq!((&same[kind], same["changed"] == true), (&changed, false), "{tool}");
        current.insert(id, changed);
    }
});

both!(a_refused_change_writes_nothing_and_is_kept_as_the_answer, async |world| {
    let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let who = json!({ "id": anna["id"] });
    let changed = world.one("members.update", json!({ "member": who, "name": "Anna" })).await;
    let args = json!({ "member": who, "name": "Ann", "ifUpdatedAt": anna["updatedAt"] });
    let send = async || {
        let headers = [("idempotency-key", "one"), ("prefer", "handling=strict")];
        world.call_with(&world.key, "members.update", json!({ "args": args }), &headers).await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!(first.failure(), (409, "changed_meanwhile".into()));
    assert_eq!((&second.text, second.header("idempotent-replayed")), (&first.text, "true"));
    assert_eq!(world.one("members.get", json!({ "member": who })).await, changed);
    // A dry run tells it as well.
    let dry = world.call_with(&world.key, "members.update", json!({ "args": args, "dryRun": true }), &[]).await;
    assert_eq!(dry.failure(), (200, "changed_meanwhile".into()));
    // Who may not read members learns when, and not what.
    let blind = world.key_with(&[Scope::MembersManage]).await;
    let reply = world.call(&blind, "members.update", args.clone()).await;
    let current = json!({ "member": { "id": anna["id"], "updatedAt": changed["updatedAt"] } });
    assert_eq!(reply.json()["current"], current, "{}", reply.text);
    // What is no time is a fault of the argument.
    let bad = json!({ "member": who, "name": "Ann", "ifUpdatedAt": "2026-11-22" });
    let reply = world.call(&world.key, "members.update", bad).await;
    assert_eq!(reply.failure(), (400, "invalid_arguments".into()));
    assert_eq!(reply.json()["fields"][0]["path"], "args.ifUpdatedAt", "{}", reply.text);
});

both!(of_many_at_once_who_have_read_the_same_state_one_changes_it, async |world| {
    world.without_budgets().await;
    let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let world = &*world;
    let calls = (0..8).map(|n| {
        let args =
            json!({ "member": { "id": anna["id"] }, "name": format!("Anna {n}"), "ifUpdatedAt": anna["updatedAt"] });
        world.call(&world.key, "members.update", args)
    });
    let replies = futures_util::future::join_all(calls).await;
    assert_eq!(replies.iter().filter(|reply| reply.json()["ok"] == true).count(), 1);
});
