//! What holds for every tool, over the whole list.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use usher::{
    error::Code,
    tools::{CATALOG, Kind},
};

use crate::harness::World;

/// Tools that answer something else than their one object when their ids are another site's, since they name none.
const WITHOUT_A_SUBJECT: &[&str] = &[
    "members.list",
    "members.count",
    "members.create",
    "members.invite",
    "members.findDuplicates",
    "members.export",
    "tags.list",
    "groups.list",
    "groups.create",
    "blocklist.list",
    "blocklist.check",
    "blocklist.add",
    "blocklist.remove",
    "blocklist.import",
    "videos.list",
    "videos.create",
    "bundles.list",
    "bundles.create",
    "invoices.list",
    "subscriptions.list",
    "billing.reconcile",
    "emails.list",
    "emailTemplates.list",
    "emailTemplates.create",
    "plans.list",
    "plans.create",
    "plans.importFromStripe",
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
                for scope in tool.definition.access.also {
                    let others: Vec<_> = tool.definition.access.scopes().filter(|other| other != scope).collect();
                    let reply = world.call(&world.key_with(&others).await, name, tool.example.clone()).await;
                    assert_eq!(reply.failure(), (403, "missing_scope".into()), "{name}");
                    assert_eq!(reply.json()["scope"], scope.name(), "{name}");
                }
                let only = world.key_with(&tool.definition.access.scopes().collect::<Vec<_>>()).await;
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
    world.settings(|settings| settings.email_members = true).await;
    let (_, stranger) = world.other_site("Second", None).await;
    // One of everything on the first site.
    let member = world.one("members.create", json!({ "email": "only@first.example.com", "tags": ["vip"] })).await;
    world.ok("blocklist.add", json!({ "emails": ["blocked@example.com"] })).await;
    let import = world.ok("blocklist.import", json!({ "emails": ["b@example.com"] })).await;
    world.job(&import["job"]["id"]).await;
    let request = world.call(&world.key, "members.list", json!({})).await.header("x-request-id").to_owned();
    let things = Things::make(world, &member, &import, &request).await;
    let before = snapshot(world).await;
    let known = ["only@first.example.com", "blocked@example.com", "vip"].map(str::to_owned);
    let known: Vec<_> = known.into_iter().chain(things.0.values().cloned()).collect();
    for tool in &CATALOG.tools {
        let name = tool.definition.name;
        let args = match name {
            // Whom a stranger makes is the stranger's.
            "members.create" | "emailTemplates.create" => tool.example.clone(),
            // It refuses to move members to where they are, before it looks.
            "groups.moveMembers" => {
                let mut args = things.in_place_of(&tool.example);
                args["to"] = tool.example["to"].clone();
                args
            }
            // A trial has a longest time, which counts from the clock of this test.
            "access.setTrial" => {
                let mut args = things.in_place_of(&tool.example);
                args["expiresAt"] = json!("2025-02-01");
                args
            }
            _ => things.in_place_of(&tool.example),
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
            assert!(
                !result.contains(secret.as_str()) || args.to_string().contains(secret.as_str()),
                "{name} tells {secret}: {result}"
            );
        }
    }
    assert_eq!(snapshot(world).await, before);
    world.leaves_traces = true;
});

/// What the first site has.
async fn snapshot(world: &World) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for text in [
        "SELECT id || email || updated_at FROM member WHERE site = 1 ORDER BY id",
        "SELECT member_id || tag FROM member_tag WHERE site = 1 ORDER BY member_id, tag",
        "SELECT email || strength FROM block WHERE site = 1 ORDER BY email_key",
        "SELECT id || state FROM job WHERE site = 1 ORDER BY id",
        "SELECT id || title || level || visibility || updated_at FROM video WHERE site = 1 ORDER BY id",
        "SELECT id || name || updated_at FROM bundle WHERE site = 1 ORDER BY id",
        "SELECT id || name || updated_at FROM plan WHERE site = 1 ORDER BY id",
        "SELECT bundle_id || video_id FROM bundle_video WHERE site = 1 ORDER BY bundle_id, video_id",
        "SELECT member_id || video_id || position_s FROM watch WHERE site = 1 ORDER BY member_id, video_id",
        "SELECT id || text FROM comment WHERE site = 1 ORDER BY id",
        "SELECT id || name || updated_at FROM member_group WHERE site = 1 AND deleting_since IS NULL ORDER BY id",
        "SELECT group_id || member_id FROM group_place WHERE site = 1 ORDER BY group_id, member_id",
    ] {
        all.push(world.rows(text).await);
    }
    all
}

/// One of everything that the first site has: what stands in examples, by the beginning of its id.
struct Things(HashMap<&'static str, String>);

impl Things {
    async fn make(world: &World, member: &Value, import: &Value, request: &str) -> Self {
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let video = world.one("videos.create", json!({ "title": "Lesson 1" })).await;
        let bundle = world.one("bundles.create", json!({ "name": "All lessons" })).await;
        let comment = json!({ "member": { "id": member["id"] }, "video": video["id"], "text": "Which paper is this?" });
        let comment = world.one("comments.create", comment).await;
        let group = world.one("groups.create", json!({ "name": "The first" })).await;
        let places = json!({ "group": group["id"], "members": [{ "id": member["id"] }] });
        world.ok("groups.addMembers", places).await;
        let plan = json!({ "name": "Gold", "amount": 900, "currency": "EUR", "every": "month" });
        let plan = world.ok("plans.create", plan).await["plan"].clone();
        let template = json!({ "name": "only-first", "subject": "Hello", "text": "Hello {{name}}" });
        let template = world.one("emailTemplates.create", template).await;
        Self(HashMap::from([
            ("welcome", text(&template["name"])),
            ("anna@example.com", text(&member["email"])),
            ("mem", text(&member["id"])),
            ("job", text(&import["job"]["id"])),
            ("req", request.to_owned()),
            ("vid", text(&video["id"])),
            ("bun", text(&bundle["id"])),
            ("cmt", text(&comment["id"])),
            ("grp", text(&group["id"])),
            ("pln", text(&plan["id"])),
        ]))
    }

    /// An example's arguments, with the ids and addresses of real things in the place of its own.
    fn in_place_of(&self, example: &Value) -> Value {
        match example {
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.in_place_of(value))).collect()
            }
            Value::Array(items) => items.iter().map(|item| self.in_place_of(item)).collect(),
            Value::String(text) => {
                let kind = text.split_once("_0").map_or(text.as_str(), |(kind, _)| kind);
                self.0.get(kind).map_or_else(|| example.clone(), |real| json!(real))
            }
            other => other.clone(),
        }
    }
}

/// The arguments with another value in each field, also those of objects within: the field, and the arguments.
fn mutated(args: &Value, schema: &Value, defs: &Value) -> Vec<(String, Value)> {
    let resolved = |schema: &Value| match schema["$ref"].as_str() {
        Some(at) => defs[at.rsplit('/').next().unwrap()].clone(),
        None => schema.clone(),
    };
    let wrong = [
        json!(null),
        json!(1.5),
        json!(true),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("2026-13-01T00:00:00Z"),
        json!("x".repeat(6000)),
        json!([]),
        json!([1, null]),
        json!({}),
        json!({ "id": 1, "email": "a@example.com" }),
    ];
    let mut all = Vec::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        for value in &wrong {
            let mut args = args.clone();
            args[name] = value.clone();
            all.push((name.clone(), args));
        }
        let field = resolved(field);
        let forms = field["oneOf"].as_array().cloned().unwrap_or_else(|| vec![field.clone()]);
        for form in forms.iter().map(resolved).filter(|form| form["properties"].is_object()) {
            for (_, inner) in mutated(&json!({}), &form, defs) {
                let mut args = args.clone();
                args[name] = inner;
                all.push((name.clone(), args));
            }
        }
    }
    all
}

both!(what_is_wrong_is_said_of_the_field_in_plain_words, async |world| {
    world.without_budgets().await;
    for tool in &CATALOG.tools {
        let (name, writes) = (tool.definition.name, tool.definition.access.kind != Kind::Read);
        let mut bodies = mutated(&tool.example, &tool.args, &tool.args["$defs"]);
        let mut unknown = tool.example.clone();
        unknown["colour"] = json!(1);
        bodies.push(("colour".into(), unknown));
        for (field, args) in bodies {
            let mut body = json!({ "args": args });
            if writes {
                body["dryRun"] = json!(true);
            }
            let reply = world.call_with(&world.key, name, body, &[]).await;
            let answer = reply.json();
            assert!([200, 400].contains(&reply.status), "{name} {args}: {answer}");
            if reply.status == 200 {
                continue;
            }
            for fault in answer["fields"].as_array().expect("faults") {
                let (path, message) = (fault["path"].as_str().unwrap(), fault["message"].as_str().unwrap());
                assert!(
                    path == format!("args.{field}") || path.starts_with(&format!("args.{field}.")),
                    "{name} {args}: {answer}"
                );
                assert!(
                    !["Error", "parse", "expected", "schema", "type \""].iter().any(|word| message.contains(word)),
                    "{name} {args}: {message}"
                );
            }
        }
    }
});

both!(nested_and_alternative_arguments_are_explained, async |world| {
    let cases = [
        (
            "members.create",
            json!({ "email": "a@example.com", "freeAccess": { "until": 1 } }),
            "args.freeAccess.until",
            "unknown field; known: expiresAt",
        ),
        (
            "members.create",
            json!({ "email": "a@example.com", "freeAccess": { "expiresAt": "soon" } }),
            "args.freeAccess.expiresAt",
            "not a time as RFC 3339 has it, like 2026-11-22T13:00:00Z, nor a date, like 2026-11-22",
        ),
        ("members.get", json!({ "member": {} }), "args.member", r#"give {"id": …} or {"email": …}, one of them"#),
        (
            "members.get",
            json!({ "member": "anna@example.com" }),
            "args.member",
            r#"give {"id": …} or {"email": …}, one of them"#,
        ),
        (
            "members.get",
            json!({ "member": { "id": "mem_01kan8v3t0e0rt8nfkzk1s7p4qs", "email": "a@example.com" } }),
            "args.member",
            r#"give {"id": …} or {"email": …}, one of them"#,
        ),
        ("members.get", json!({ "member": { "email": "anna" } }), "args.member.email", "not an email address"),
        ("members.list", json!({ "limit": 10.5 }), "args.limit", "must be a whole number, not 10.5"),
        ("members.list", json!({ "limit": "10" }), "args.limit", "must be a whole number, not a string"),
        ("members.list", json!({ "limit": 1000 }), "args.limit", "must be at most 200"),
        (
            "videos.create",
            json!({ "title": " " }),
            "args.title",
            "must be one line with something in it that can be seen, without control characters",
        ),
        (
            "videos.create",
            json!({ "title": "A", "slug": "A b" }),
            "args.slug",
            "must be lower-case letters a to z, digits, and single hyphens between them, like lesson-1",
        ),
        ("tools.describe", json!({}), "args.tool", "required, and missing"),
        ("keys.whoami", json!({ "key": 1 }), "args.key", "unknown field; the tool takes no arguments"),
    ];
    for (tool, args, path, message) in cases {
        let answer = world.call(&world.key, tool, args.clone()).await.json();
        assert_eq!(answer["fields"], json!([{ "path": path, "message": message }]), "{tool} {args}");
    }
});

both!(who_only_reads_is_not_told_to_make_a_member, async |world| {
    let who = json!({ "member": { "email": "nobody@example.com" } });
    let narrow = world.key_with(&[usher::tools::Scope::MembersRead, usher::tools::Scope::AccessGrant]).await;
    for (key, tool, fix) in [
        (&world.key, "members.get", false),
        (&world.key, "access.grantFree", true),
        (&narrow, "access.grantFree", false),
    ] {
        let answer = world.call(key, tool, who.clone()).await.json();
        assert_eq!(
            (&answer["code"], answer.get("fix").is_some()),
            (&json!("member_not_found"), fix),
            "{tool}: {answer}"
        );
    }
});

both!(a_cursor_is_of_one_list, async |world| {
    world.without_budgets().await;
    for n in 0..2 {
        world.one("videos.create", json!({ "title": format!("L{n}") })).await;
        world.one("bundles.create", json!({ "name": format!("B{n}") })).await;
        world.one("groups.create", json!({ "name": format!("G{n}") })).await;
        world.one("members.create", json!({ "email": format!("m{n}@example.com"), "tags": [format!("t{n}")] })).await;
    }
    let lists = ["videos.list", "bundles.list", "groups.list", "members.list", "tags.list", "activity.list"];
    for from in lists {
        let cursor = world.ok(from, json!({ "limit": 1 })).await["nextCursor"].clone();
        for to in lists {
            let reply = world.call(&world.key, to, json!({ "limit": 1, "cursor": cursor })).await;
            if from == to {
                reply.result();
            } else {
                assert_eq!(reply.code(), "invalid_cursor", "{from} {to}");
            }
        }
    }
});

both!(a_job_that_waits_shows_its_counts_at_zero, async |world| {
    let group = world.one("groups.create", json!({ "name": "G" })).await["id"].clone();
    let filter = json!({ "tag": "early" });
    for (tool, args, counts) in [
        (
            "access.grantFree",
            json!({ "group": group }),
            json!({ "alreadyHad": 0, "done": 0, "failed": 0, "granted": 0, "total": 0 }),
        ),
        (
            "groups.addMembers",
            json!({ "group": group, "filter": filter }),
            json!({ "added": 0, "already": 0, "done": 0, "total": 0 }),
        ),
        ("members.export", json!({}), json!({ "done": 0, "total": 0 })),
    ] {
        let body = json!({ "args": args, "dryRun": true });
        let job = world.call_with(&world.key, tool, body, &[]).await.result()["job"].clone();
        assert_eq!((&job["status"], &job["progress"]), (&json!("queued"), &counts), "{tool}");
    }
});

both!(a_name_can_be_seen, async |world| {
    world.without_budgets().await;
    let member = world.one("members.create", json!({ "email": "anna@example.com" })).await["id"].clone();
    let video = world.one("videos.create", json!({ "title": "L" })).await["id"].clone();
    let make = |name: &str| {
        [
            ("members.update", json!({ "member": { "id": member }, "name": name })),
            ("groups.create", json!({ "name": name })),
            ("bundles.create", json!({ "name": name })),
            ("videos.update", json!({ "video": video, "title": name })),
            ("members.addTags", json!({ "member": { "id": member }, "tags": [name] })),
        ]
    };
    for bad in [" ", "\u{200b}", "\u{feff} \u{2060}", "\u{3164}", "\u{202e}", "\u{7}"] {
        for (tool, args) in make(bad) {
            let reply = world.call(&world.key, tool, args).await;
            assert!(
                ["invalid_arguments", "invalid_tag"].contains(&reply.code().as_str()),
                "{tool} {bad:?}: {}",
                reply.text
            );
        }
    }
    // An emoji of several, joined by a character that has no width.
    for (tool, args) in make("Anna 👩\u{200d}💻") {
        world.ok(tool, args).await;
    }
    let comment = |text: &str| json!({ "member": { "id": member }, "video": video, "text": text });
    assert_eq!(world.one("comments.create", comment("One\n\ttwo")).await["text"], "One\n\ttwo");
    assert_eq!(world.call(&world.key, "comments.create", comment("One\u{7}")).await.code(), "invalid_arguments");
    assert_eq!(world.call(&world.key, "comments.create", comment("\u{200b}\n")).await.code(), "arguments_refused");
});
