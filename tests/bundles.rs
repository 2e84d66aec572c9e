//! Bundles, and which videos they hold.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::World;

async fn make(world: &World, args: Value) -> Value {
    world.one("bundles.create", args).await
}

async fn code(world: &World, tool: &str, args: Value) -> String {
    let reply = world.call(&world.key, tool, args).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.code()
}

async fn names(world: &World, mut args: Value) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = world.ok("bundles.list", args.clone()).await;
        all.extend(page["items"].as_array().unwrap().iter().map(|bundle| bundle["name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page.get("nextCursor") else { return all };
        args["cursor"] = cursor.clone();
    }
}

async fn videos(world: &World, n: usize) -> Vec<Value> {
    let make = async |n| world.one("videos.create", json!({ "title": format!("L{n}") })).await["id"].clone();
    let mut ids = Vec::new();
    for n in 0..n {
        ids.push(make(n).await);
    }
    ids
}

both!(a_bundle_is_made_private_and_changed, async |world| {
    world.without_budgets().await;
    let made = make(world, json!({ "name": " All ", "description": " \n " })).await;
    let now = world.clock.now().to_string();
    let expected = json!({ "id": made["id"], "name": "All", "public": false, "videoCount": 0, "createdAt": now, "updatedAt": now });
    assert_eq!(made, expected);
    let bundle = made["id"].clone();
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.one("bundles.update", json!({ "bundle": bundle, "public": false, "name": "All" })).await, made);
    let args = json!({ "bundle": bundle, "public": true, "description": "Everything." });
    let reply = world.call(&world.key, "bundles.update", args).await;
    let after = reply.one();
    assert_eq!(
        (&after["public"], &after["description"], &after["name"]),
        (&json!(true), &json!("Everything."), &json!("All"))
    );
    assert_eq!(after["updatedAt"], json!(world.clock.now().to_string()));
    assert_eq!(world.one("bundles.get", json!({ "bundle": bundle })).await, after);
    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
    assert_eq!((&row["changes"][0]["before"], &row["changes"][0]["after"]), (&made, &after));
    let plain = world.one("bundles.update", json!({ "bundle": bundle, "description": "" })).await;
    assert!(plain.get("description").is_none());
    // Names may repeat.
    assert_ne!(make(world, json!({ "name": "All" })).await["id"], bundle);
    let unknown = "bun_01kan8v3t0e0rt8nfkzk1s7p4qi";
    let video = &videos(world, 1).await[0];
    for (tool, args) in [
        ("bundles.get", json!({ "bundle": unknown })),
        ("bundles.update", json!({ "bundle": unknown, "name": "X" })),
        ("bundles.archive", json!({ "bundle": unknown })),
        ("bundles.addVideos", json!({ "bundle": unknown, "videos": [video] })),
        ("bundles.removeVideos", json!({ "bundle": unknown, "videos": [video] })),
    ] {
        assert_eq!(code(world, tool, args).await, "bundle_not_found", "{tool}");
    }
});

both!(an_archived_bundle_is_out_of_the_list_and_comes_back, async |world| {
    world.without_budgets().await;
    for n in 0..5 {
        make(world, json!({ "name": format!("B{n} 100%"), "public": n % 2 == 0 })).await;
    }
    let page = world.ok("bundles.list", json!({ "text": "b2" })).await;
    let bundle = page["items"][0]["id"].clone();
    let archived = world.one("bundles.archive", json!({ "bundle": bundle })).await;
    let now = json!(world.clock.now().to_string());
    assert_eq!(archived["archivedAt"], now);
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.one("bundles.archive", json!({ "bundle": bundle, "archived": true })).await, archived);
    assert_eq!(world.one("bundles.get", json!({ "bundle": bundle })).await, archived);
    let all = |ns: &[u32]| ns.iter().map(|n| format!("B{n} 100%")).collect::<Vec<_>>();
    assert_eq!(names(world, json!({ "limit": 2 })).await, all(&[4, 3, 1, 0]));
    assert_eq!(names(world, json!({ "limit": 2, "withArchived": true })).await, all(&[4, 3, 2, 1, 0]));
    assert_eq!(names(world, json!({ "limit": 1, "public": true })).await, all(&[4, 0]));
    assert_eq!(names(world, json!({ "public": false })).await, all(&[3, 1]));
    assert_eq!(names(world, json!({ "text": "B2" })).await, all(&[]));
    assert_eq!(names(world, json!({ "text": "0%", "withArchived": true })).await, all(&[4, 3, 2, 1, 0]));
    // It can still be changed, and holds what it held.
    let video = &videos(world, 1).await[0];
    let added = world.ok("bundles.addVideos", json!({ "bundle": bundle, "videos": [video] })).await;
    assert_eq!((&added["added"], &added["bundle"]["archivedAt"]), (&json!(1), &now));
    let back = world.one("bundles.archive", json!({ "bundle": bundle, "archived": false })).await;
    assert_eq!((back.get("archivedAt"), &back["videoCount"]), (None, &json!(1)));
    assert_eq!(names(world, json!({})).await, all(&[4, 3, 2, 1, 0]));
});

both!(videos_come_into_a_bundle_all_or_none, async |world| {
    world.without_budgets().await;
    let ids = videos(world, 4).await;
    let bundle = make(world, json!({ "name": "B" })).await["id"].clone();
    let args = json!({ "bundle": bundle, "videos": [ids[0], "vid_01kan8v3t0e0rt8nfkzk1s7p4qs", ids[1]] });
    let reply = world.call(&world.key, "bundles.addVideos", args).await;
    assert_eq!(reply.failure(), (200, "video_not_found".into()));
    assert!(reply.json()["error"].as_str().unwrap().contains("vid_01kan8v3t0e0rt8nfkzk1s7p4qs"), "{}", reply.text);
    assert_eq!(world.one("bundles.get", json!({ "bundle": bundle })).await["videoCount"], 0);

    world.clock.advance(Duration::from_secs(5));
    let args = json!({ "bundle": bundle, "videos": [ids[0], ids[1], ids[0]] });
    let body = json!({ "args": args, "dryRun": true });
    let dry = world.call_with(&world.key, "bundles.addVideos", body, &[]).await;
    assert_eq!(dry.json()["changes"][0]["after"]["added"], json!([ids[0], ids[1]]));
    let added = world.ok("bundles.addVideos", args.clone()).await;
    assert_eq!(added, dry.result());
    assert_eq!((&added["added"], &added["bundle"]["videoCount"]), (&json!(2), &json!(2)));
    assert_eq!(added["bundle"]["updatedAt"], json!(world.clock.now().to_string()));
    assert_eq!(world.one("bundles.get", json!({ "bundle": bundle })).await, added["bundle"]);
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(
        world.ok("bundles.addVideos", args).await,
        json!({ "bundle": added["bundle"], "changed": false, "added": 0 })
    );
    // Only what is new is said to be.
    let args = json!({ "bundle": bundle, "videos": [ids[1], ids[2]] });
    let reply = world.call(&world.key, "bundles.addVideos", args).await;
    assert_eq!(reply.result()["added"], 1);
    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
    assert_eq!(row["changes"][0]["after"]["added"], json!([ids[2]]));

    let args = json!({ "bundle": bundle, "videos": [ids[0], ids[3], ids[0]] });
    let reply = world.call(&world.key, "bundles.removeVideos", args).await;
    let removed = reply.result();
    assert_eq!((&removed["removed"], &removed["bundle"]["videoCount"]), (&json!(1), &json!(2)));
    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
    assert_eq!(row["changes"][0]["after"]["removed"], json!([ids[0]]));
    assert_eq!(world.ok("videos.list", json!({ "bundle": bundle })).await["items"].as_array().unwrap().len(), 2);

    for tool in ["bundles.addVideos", "bundles.removeVideos"] {
        for wrong in [json!([]), json!(vec![&ids[0]; 501])] {
            let reply = world.call(&world.key, tool, json!({ "bundle": bundle, "videos": wrong })).await;
            assert_eq!(reply.failure(), (400, "invalid_arguments".into()));
        }
    }
});

both!(what_comes_in_at_once_is_counted_once, async |world| {
    world.without_budgets().await;
    let ids = videos(world, 6).await;
    let bundle = make(world, json!({ "name": "B" })).await["id"].clone();
    let world = &*world;
    let calls = (0..12).map(|n| {
        let args = json!({ "bundle": bundle, "videos": [ids[n % 6], ids[(n + 1) % 6], ids[(n + 2) % 6]] });
        world.ok("bundles.addVideos", args)
    });
    let changed: u64 = join_all(calls).await.iter().map(|answer| answer["added"].as_u64().unwrap()).sum();
    assert_eq!(changed, 6);
    assert_eq!(world.one("bundles.get", json!({ "bundle": bundle })).await["videoCount"], 6);
});

both!(who_owns_a_bundle_is_listed_by_how_the_right_stands, async |world| {
    world.without_budgets().await;
    let bundle = world.one("bundles.create", json!({ "name": "All lessons" })).await["id"].clone();
    let other = world.one("bundles.create", json!({ "name": "Some" })).await["id"].clone();
    let mut ids = Vec::new();
    for n in 0..7 {
        world.clock.advance(std::time::Duration::from_secs(1));
        let made = world.one("members.create", json!({ "email": format!("m{n}@example.com") })).await;
        let mut grant = json!({ "member": { "id": made["id"] }, "bundle": bundle });
        match n {
            1 => grant["expiresAt"] = json!("2025-02-01"),
            2 => grant["source"] = json!("shop"),
            6 => grant["bundle"] = other.clone(),
            _ => {}
        }
        world.ok("access.grantBundle", grant).await;
        ids.push(made["id"].clone());
    }
    world.ok("access.revokeBundle", json!({ "member": { "id": ids[3] }, "bundle": bundle })).await;
    let list = async |mut args: Value| {
        let mut all = Vec::new();
        args["bundle"] = bundle.clone();
        args["limit"] = json!(2);
        loop {
            let page = world.ok("bundles.listMembers", args.clone()).await;
            all.extend(page["items"].as_array().unwrap().clone());
            match page.get("nextCursor") {
                Some(cursor) => args["cursor"] = cursor.clone(),
                None => return all,
            }
        }
    };
    let members = |items: &[Value]| items.iter().map(|one| one["member"]["id"].clone()).collect::<Vec<_>>();
    let pick = |all: &[usize]| all.iter().map(|n| ids[*n].clone()).collect::<Vec<_>>();
    let owners = list(json!({})).await;
    assert_eq!(members(&owners), pick(&[0, 1, 2, 4, 5]));
    assert_eq!(
        (&owners[2]["source"], &owners[0]["source"], &owners[0]["state"]),
        (&json!("shop"), &json!("api"), &json!("active"))
    );
    assert!(owners[1]["expiresAt"].is_string() && owners[0].get("expiresAt").is_none());
    let held = world.ok("members.listEntitlements", json!({ "member": { "id": ids[0] } })).await;
    assert_eq!(owners[0]["entitlement"], held["items"][0]["id"]);
    assert_eq!(members(&list(json!({ "state": "revoked" })).await), pick(&[3]));
    assert_eq!(list(json!({ "state": "expired" })).await.len(), 0);
    // A right ends by itself.
    world.clock.advance(std::time::Duration::from_secs(60 * 86_400));
    assert_eq!(members(&list(json!({})).await), pick(&[0, 2, 4, 5]));
    assert_eq!(members(&list(json!({ "state": "expired" })).await), pick(&[1]));
    let nobodys =
        world.call(&world.key, "bundles.listMembers", json!({ "bundle": "bun_01kan8v3t0e0rt8nfkzk1s7p4qi" })).await;
    assert_eq!(nobodys.failure(), (200, "bundle_not_found".into()));
});
