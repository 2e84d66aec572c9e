//! Groups, who is in them, and who comes and goes.

mod many;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::World;

async fn group(world: &World, name: &str) -> Value {
    world.one("groups.create", json!({ "name": name })).await["id"].clone()
}

async fn member(world: &World, email: &str) -> Value {
    world.one("members.create", json!({ "email": email })).await["id"].clone()
}

/// The addresses in a group, in its order, read in pages.
async fn emails(world: &World, group: &Value, limit: u32) -> Vec<String> {
    let (mut all, mut args) = (Vec::new(), json!({ "group": group, "limit": limit }));
    loop {
        let page = world.ok("groups.listMembers", args.clone()).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit as usize);
        all.extend(items.iter().map(|item| item["member"]["email"].as_str().unwrap().to_owned()));
        match page.get("nextCursor") {
            Some(cursor) => args["cursor"] = cursor.clone(),
            None => return all,
        }
    }
}

async fn n_members(world: &World, group: &Value) -> u64 {
    world.one("groups.get", json!({ "group": group })).await["memberCount"].as_u64().unwrap()
}

async fn code(world: &World, tool: &str, args: Value) -> String {
    let reply = world.call(&world.key, tool, args).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.code()
}

/// 6,000 members `m100001@example.com`…, of which each twelve have: `free` five, `paid` five, `comped` two, by their
/// status as of now. What is stored says `comped` of two more, whose free access is over. Every other one is `odd`.
async fn make_many(world: &World) {
    world
        .rows(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
             INSERT INTO member (site, id, email, email_key, name_key, status, free_since, free_until, is_paid,
                                 created_at, updated_at)
             SELECT 1, 'mem_' || (100000 + i), 'm' || (100000 + i) || '@example.com',
                    'm' || (100000 + i) || '@example.com', '',
                    CASE i % 3 WHEN 0 THEN 'free' WHEN 1 THEN 'paid' ELSE 'comped' END,
                    CASE WHEN i % 3 = 2 THEN 1 END, CASE WHEN i % 6 = 5 THEN 2 END, i % 3 = 1 OR i % 12 = 5, i, i
             FROM n",
        )
        .await;
    world
        .rows(
            "INSERT INTO member_tag (site, member_id, tag)
             SELECT site, id, 'odd' FROM member WHERE site = 1 AND created_at % 2 = 1",
        )
        .await;
}

fn many(range: std::ops::Range<u32>) -> Vec<Value> {
    range.map(|i| json!({ "email": format!("M{}@example.com", 100_000 + i) })).collect()
}

/// Starts a job and gives it once it has ended.
async fn job(world: &World, tool: &str, args: Value) -> Value {
    world.job(&world.ok(tool, args).await["job"]["id"]).await
}

both!(a_group_is_made_found_renamed_and_listed, async |world| {
    world.without_budgets().await;
    let made = world.one("groups.create", json!({ "name": " Straße ", "description": " all " })).await;
    assert_eq!(
        (&made["name"], &made["description"], &made["memberCount"]),
        (&json!("Straße"), &json!("all"), &json!(0))
    );
    assert_eq!(world.one("groups.get", json!({ "group": made["id"] })).await, made);
    let reply = world.call(&world.key, "groups.create", json!({ "name": "STRAßE" })).await;
    assert_eq!(reply.failure(), (200, "group_exists".into()));
    assert!(reply.json()["error"].as_str().unwrap().contains(made["id"].as_str().unwrap()), "{}", reply.text);
    assert_eq!(reply.json()["fix"]["args"]["group"], made["id"]);

    world.clock.advance(Duration::from_secs(5));
    let other = group(world, "Other").await;
    assert_eq!(code(world, "groups.update", json!({ "group": other, "name": "straße" })).await, "group_exists");
    let same = world.one("groups.update", json!({ "group": made["id"], "name": "Straße", "description": "all" })).await;
    assert_eq!(same, made);
    let reply =
        world.call(&world.key, "groups.update", json!({ "group": made["id"], "name": "STRAßE", "description": "" }));
    let reply = reply.await;
    let after = reply.one();
    assert_eq!((&after["name"], after.get("description")), (&json!("STRAßE"), None));
    assert_eq!(after["updatedAt"], json!(world.clock.now().to_string()));
    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
    let change = &row["changes"][0];
    assert_eq!((&change["kind"], &change["id"]), (&json!("group"), &made["id"]));
    assert_eq!((&change["before"]["name"], &change["after"]["name"]), (&json!("Straße"), &json!("STRAßE")));

    for n in 0..5 {
        group(world, &format!("100% {n}")).await;
    }
    let (mut names, mut args) = (Vec::new(), json!({ "limit": 2 }));
    loop {
        let page = world.ok("groups.list", args.clone()).await;
        names.extend(page["items"].as_array().unwrap().iter().map(|group| group["name"].clone()));
        let Some(cursor) = page.get("nextCursor") else { break };
        args["cursor"] = cursor.clone();
    }
    assert_eq!(names, ["100% 4", "100% 3", "100% 2", "100% 1", "100% 0", "Other", "STRAßE"]);
    let found = world.ok("groups.list", json!({ "text": "0% 3" })).await;
    assert_eq!((found["items"].as_array().unwrap().len(), &found["items"][0]["name"]), (1, &json!("100% 3")));
    assert_eq!(world.ok("groups.list", json!({ "text": "straß" })).await["items"][0]["id"], made["id"]);
    let wrong = world.call(&world.key, "groups.list", json!({ "cursor": "nonsense" })).await;
    assert_eq!(wrong.code(), "invalid_cursor");
});

both!(of_ten_who_create_one_group_one_does_and_nine_learn_its_id, async |world| {
    world.without_budgets().await;
    let world = &*world;
    let names = ["Team", "TEAM"];
    let calls = (0..10).map(|n| world.call(&world.key, "groups.create", json!({ "name": names[n % 2] })));
    let replies = join_all(calls).await;
    let (made, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.json()["ok"] == true);
    let [made] = made[..] else { panic!("{} were made", made.len()) };
    for reply in refused {
        assert_eq!(reply.failure(), (200, "group_exists".into()), "{}", reply.text);
        assert_eq!(reply.json()["fix"]["args"]["group"], made.one()["id"]);
    }
});

both!(members_come_go_and_move, async |world| {
    world.without_budgets().await;
    let (a, b) = (group(world, "A").await, group(world, "B").await);
    let mut ids = Vec::new();
    for name in ["anna", "ben", "cleo", "dora", "emil"] {
        ids.push(member(world, &format!("{name}@example.com")).await);
    }
    let nobody = json!({ "email": "Nobody@example.com" });
    let unknown = json!({ "id": "mem_01kan8v3t0e0rt8nfkzk1s7p4qs" });
    let members = json!([{ "id": ids[1] }, { "email": "ANNA@example.com" }, nobody, { "email": "ben@example.com" },
                         { "id": ids[2], "expectEmail": "CLEO@example.com" }, unknown]);
    let args = json!({ "group": a, "members": members });
    let body = json!({ "args": args, "dryRun": true });
    let dry = world.call_with(&world.key, "groups.addMembers", body, &[]).await;
    let added = json!({ "added": 3, "already": 0, "notFound": [nobody, unknown] });
    assert_eq!(dry.result(), added);
    let changes = dry.json()["changes"].clone();
    assert_eq!((&changes[0]["kind"], &changes[0]["id"]), (&json!("groupPlaces"), &a));
    assert_eq!(changes[0]["after"], json!({ "count": 3, "members": ids[..3] }));
    assert_eq!(n_members(world, &a).await, 0);
    assert_eq!(world.ok("groups.addMembers", args.clone()).await, added);
    let again = json!({ "added": 0, "already": 3, "notFound": [nobody, unknown] });
    assert_eq!(world.ok("groups.addMembers", args).await, again);
    assert_eq!(emails(world, &a, 2).await, ["anna@example.com", "ben@example.com", "cleo@example.com"]);
    let wrong = json!({ "group": a, "members": [{ "id": ids[4] }, { "id": ids[3], "expectEmail": "x@example.com" }] });
    assert_eq!(code(world, "groups.addMembers", wrong).await, "email_mismatch");
    assert_eq!(n_members(world, &a).await, 3);

    let one = world.call(&world.key, "groups.addMembers", json!({ "group": b, "members": [{ "id": ids[0] }] })).await;
    assert_eq!(one.result()["added"], 1);
    let row = world.one("activity.get", json!({ "entry": one.header("x-request-id") })).await;
    assert_eq!(row["member"], ids[0]);
    let of_anna = world.ok("groups.list", json!({ "member": { "email": "anna@example.com" } })).await;
    let names: Vec<_> = of_anna["items"].as_array().unwrap().iter().map(|group| group["name"].clone()).collect();
    assert_eq!(names, ["B", "A"]);
    let stranger = json!({ "member": { "email": "nobody@example.com" } });
    assert_eq!(code(world, "groups.list", stranger).await, "member_not_found");

    let all: Vec<_> = ids.iter().map(|id| json!({ "id": id })).chain([nobody.clone()]).collect();
    world.clock.advance(Duration::from_secs(5));
    let reply = world.call(&world.key, "groups.moveMembers", json!({ "from": a, "to": b, "members": all })).await;
    assert_eq!(reply.result(), json!({ "moved": 2, "already": 1, "absent": 2, "notFound": [nobody] }));
    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
    assert_eq!(row["changes"][0]["before"], json!({ "count": 3, "members": ids[..3] }));
    assert_eq!(row["changes"][1]["after"], json!({ "count": 2, "members": ids[1..3] }));
    assert_eq!((n_members(world, &a).await, n_members(world, &b).await), (0, 3));
    let page = world.ok("groups.listMembers", json!({ "group": b })).await;
    assert_eq!(page["items"][1]["addedAt"], json!(world.clock.now().to_string()));
    assert_ne!(page["items"][0]["addedAt"], page["items"][1]["addedAt"]);

    let args = json!({ "group": b, "members": [{ "id": ids[0] }, { "id": ids[4] }, nobody] });
    let gone = json!({ "removed": 1, "absent": 1, "notFound": [nobody] });
    let body = json!({ "args": args, "dryRun": true });
    assert_eq!(world.call_with(&world.key, "groups.removeMembers", body, &[]).await.result(), gone);
    assert_eq!(world.ok("groups.removeMembers", args).await, gone);
    assert_eq!(emails(world, &b, 50).await, ["ben@example.com", "cleo@example.com"]);
});

both!(a_call_about_members_says_whom_and_where, async |world| {
    world.without_budgets().await;
    let (a, b) = (group(world, "A").await, group(world, "B").await);
    let anna = json!([{ "id": member(world, "anna@example.com").await }]);
    let invalid = async |tool: &str, args: Value, path: &str| {
        let reply = world.call(&world.key, tool, args).await;
        reply.is_refused_for_arguments();
        assert_eq!(reply.json()["fields"][0]["path"], path, "{}", reply.text);
    };
    for tool in ["groups.addMembers", "groups.removeMembers"] {
        invalid(tool, json!({ "group": a }), "args.members").await;
        invalid(tool, json!({ "group": a, "filter": {} }), "args.filter").await;
        let both = json!({ "group": a, "members": anna, "filter": { "tag": "odd" } });
        invalid(tool, both, "args.filter").await;
        invalid(tool, json!({ "group": a, "members": [] }), "args.members").await;
        invalid(tool, json!({ "group": a, "members": many(0..5001) }), "args.members").await;
    }
    invalid("groups.moveMembers", json!({ "from": a, "to": a, "members": anna }), "args.to").await;
    let unknown = "grp_01kan8v3t0e0rt8nfkzk1s7p4qe";
    for args in [json!({ "members": anna }), json!({ "filter": { "status": "free" } })] {
        let with = |more: Value| {
            let mut args = args.clone();
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            args
        };
        assert_eq!(code(world, "groups.addMembers", with(json!({ "group": unknown }))).await, "group_not_found");
        assert_eq!(code(world, "groups.removeMembers", with(json!({ "group": unknown }))).await, "group_not_found");
        for (from, to) in [(&json!(unknown), &b), (&a, &json!(unknown))] {
            let args = with(json!({ "from": from, "to": to }));
            assert_eq!(code(world, "groups.moveMembers", args).await, "group_not_found");
        }
    }
    // Another site's group and members are none.
    let (_, stranger) = world.other_site("Second", None).await;
    let theirs = world.call(&stranger, "groups.create", json!({ "name": "A" })).await.one();
    assert_eq!(code(world, "groups.get", json!({ "group": theirs["id"] })).await, "group_not_found");
    let ours = json!({ "group": theirs["id"], "members": anna });
    let reply = world.call(&stranger, "groups.addMembers", ours).await;
    assert_eq!(reply.result(), json!({ "added": 0, "already": 0, "notFound": anna }));
});
