//! What a dry run says of access: who would get what, and who would gain or lose what.

use std::time::Duration;

use serde_json::{Value, json};

use super::{bundle, member, video};
use crate::harness::World;

/// A day.
const DAY: Duration = Duration::from_secs(86_400);

async fn dry(world: &World, tool: &str, args: Value) -> Value {
    let body = json!({ "args": args, "dryRun": true });
    world.call_with(&world.key, tool, body, &[]).await.json()
}

/// The `membersAccess` of a dry run, if it has one.
async fn effect(world: &World, tool: &str, args: Value) -> Option<Value> {
    let dry = dry(world, tool, args).await;
    assert_eq!(dry["ok"], true, "{dry}");
    dry["changes"].as_array().unwrap().iter().find(|one| one["kind"] == "membersAccess").map(|one| one["after"].clone())
}

fn counts(effect: Option<Value>) -> (u64, u64) {
    let effect = effect.expect("the content changes");
    assert_eq!(effect["counted"], true, "{effect}");
    (effect["gain"]["count"].as_u64().unwrap(), effect["lose"]["count"].as_u64().unwrap())
}

both!(a_dry_run_for_a_group_counts_what_would_be_given, async |world| {
    world.without_budgets().await;
    let course = bundle(world, &[]).await;
    let group = world.one("groups.create", json!({ "name": "Course 1" })).await["id"].clone();
    let other = world.one("groups.create", json!({ "name": "Course 2" })).await["id"].clone();
    let mut members = Vec::new();
    for n in 0..4 {
        let args = json!({ "email": format!("m{n}@example.com"), "groups": [group], "tags": ["early"] });
        members.push(world.one("members.create", args).await["id"].clone());
    }
    world.ok("access.grantBundle", json!({ "member": { "id": members[0] }, "bundle": course, "orderId": "o" })).await;
    world.ok("access.grantFree", json!({ "member": { "id": members[1] } })).await;
    let preview = |granted: u64, had: u64| json!({ "total": 4, "exact": true, "counts": { "granted": granted, "alreadyHad": had, "failed": 0 } });
    let free = dry(world, "access.grantFree", json!({ "group": group })).await;
    assert_eq!(free["result"]["preview"], preview(3, 1), "{free}");
    assert_eq!(free["changes"][2]["after"]["preview"], preview(3, 1), "{free}");
    let gain = json!({ "count": 3, "members": [members[0], members[2], members[3]] });
    assert_eq!(free["changes"][0]["after"]["gain"], gain, "{free}");
    let trial =
        dry(world, "access.setTrial", json!({ "group": group, "expiresAt": world.clock.now() + DAY * 3 })).await;
    assert_eq!(trial["result"]["preview"], preview(4, 0));
    let act = &trial["changes"][2]["after"]["act"];
    assert_eq!((&act["what"], &act["expiresAt"]), (&json!("setTrial"), &json!("2025-01-04T12:00:00.000Z")), "{trial}");
    assert_eq!(counts(effect(world, "access.removeFree", json!({ "group": group })).await), (0, 1));
    let bundle = json!({ "group": group, "bundle": course });
    assert_eq!(counts(effect(world, "access.revokeBundle", bundle).await), (0, 1));
    let given = dry(world, "access.grantBundle", json!({ "group": group, "bundle": course })).await;
    assert_eq!(given["result"]["preview"], preview(3, 1));
    let taken = dry(world, "access.revokeBundle", json!({ "group": group, "bundle": course })).await;
    assert_eq!(taken["result"]["preview"]["counts"], json!({ "removed": 1, "hadNone": 3, "failed": 0 }));
    assert_eq!(world.rows("SELECT member_id FROM entitlement").await.len(), 1);

    // Who is in the group already, and who has the tag.
    member(world, "late@example.com").await;
    world.ok("groups.addMembers", json!({ "group": other, "members": [{ "id": members[0] }] })).await;
    let filter = json!({ "tag": "early" });
    for (tool, args, counts) in [
        ("groups.addMembers", json!({ "group": other, "filter": filter }), json!({ "added": 3, "already": 1 })),
        ("groups.removeMembers", json!({ "group": group, "filter": filter }), json!({ "removed": 4 })),
        (
            "groups.moveMembers",
            json!({ "from": group, "to": other, "filter": filter }),
            json!({ "moved": 3, "already": 1 }),
        ),
    ] {
        let tried = dry(world, tool, args).await;
        assert_eq!(tried["result"]["preview"], json!({ "total": 4, "exact": true, "counts": counts }), "{tool}");
    }
    assert_eq!(world.one("groups.get", json!({ "group": group })).await["memberCount"], 4);

    // A group's grant holds what an order holds, too: a refund does not take it.
    let granted = world.ok("access.grantBundle", json!({ "group": group, "bundle": course })).await;
    assert_eq!(granted.get("preview"), None);
    assert_eq!(world.job(&granted["job"]["id"]).await["result"]["alreadyHad"], 1);
    let back = world.ok("access.revokeBundle", json!({ "orderId": "o" })).await;
    assert_eq!((&back["changed"], &back["access"]["allowed"]), (&json!(true), &json!(true)));
});

both!(a_dry_run_says_how_many_gain_and_lose_a_video, async |world| {
    world.without_budgets().await;
    let lesson = video(world, "members").await;
    let course = bundle(world, &[]).await;
    let owner = member(world, "owner@example.com").await;
    let guest = member(world, "guest@example.com").await;
    for n in 0..3 {
        member(world, &format!("m{n}@example.com")).await;
    }
    world.ok("access.grantBundle", json!({ "member": { "id": owner }, "bundle": course })).await;
    world.ok("access.grantFree", json!({ "member": { "id": guest } })).await;
    let hide = json!({ "video": lesson, "visibility": "hidden" });
    let hidden = effect(world, "videos.setVisibility", hide.clone()).await;
    assert_eq!(hidden.as_ref().unwrap()["lose"], json!({ "count": 1, "members": [guest] }));
    assert_eq!(counts(hidden), (0, 1));
    let level = |level: &str| json!({ "video": lesson, "level": level });
    assert_eq!(counts(effect(world, "videos.setAccess", level("free")).await), (4, 0));
    assert_eq!(counts(effect(world, "videos.setAccess", level("bundle")).await), (0, 1));
    assert_eq!(effect(world, "videos.setAccess", level("members")).await, None);
    let change = json!({ "bundle": course, "videos": [lesson] });
    // A video for members is not its owners' by that.
    assert_eq!(counts(effect(world, "bundles.addVideos", change.clone()).await), (0, 0));
    world.one("videos.setAccess", level("bundle")).await;
    assert_eq!(counts(effect(world, "bundles.addVideos", change.clone()).await), (1, 0));
    world.ok("bundles.addVideos", change.clone()).await;
    assert_eq!(counts(effect(world, "bundles.removeVideos", change).await), (0, 1));
    assert_eq!(counts(effect(world, "videos.setAccess", level("members")).await), (1, 1));
    assert_eq!(effect(world, "bundles.archive", json!({ "bundle": course })).await, None);
    // The call itself does not look.
    world.one("videos.setVisibility", hide).await;
    let log = world
        .rows("SELECT COALESCE(changes, '') FROM activity WHERE tool = 'videos.setVisibility' AND NOT dry_run")
        .await;
    assert!(!log[0].contains("membersAccess"), "{log:?}");
});

both!(a_dry_run_says_what_a_new_member_may_see, async |world| {
    let args = json!({ "email": "anna@example.com", "freeAccess": {} });
    let made = dry(world, "members.create", args).await;
    let access = made["changes"].as_array().unwrap().iter().find(|one| one["kind"] == "access").cloned().unwrap();
    assert_eq!((&access["before"]["allowed"], &access["after"]["allowed"]), (&json!(false), &json!(true)));
    let plain = dry(world, "members.create", json!({ "email": "anna@example.com" })).await;
    assert_eq!(plain["changes"].as_array().unwrap().len(), 1);
});

/// The changes of a kind that a dry run lists.
fn of_kind(dry: &Value, kind: &str) -> Vec<Value> {
    assert_eq!(dry["ok"], true, "{dry}");
    dry["changes"].as_array().unwrap().iter().filter(|one| one["kind"] == kind).cloned().collect()
}

both!(a_dry_run_says_what_access_goes_with_a_member, async |world| {
    world.without_budgets().await;
    let course = bundle(world, &[]).await;
    let (anna, ben) = (member(world, "anna@example.com").await, member(world, "ben@example.com").await);
    let gone = async |id: &Value| {
        let dry = dry(world, "members.delete", json!({ "member": { "id": id } })).await;
        of_kind(&dry, "access").into_iter().map(|one| one["before"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(gone(&anna).await, Vec::<Value>::new());
    world.ok("access.grantBundle", json!({ "member": { "id": anna }, "bundle": course })).await;
    let owned = json!({ "allowed": true, "reason": "allowed_bundle", "bundle": course });
    assert_eq!(gone(&anna).await, std::slice::from_ref(&owned));
    world.ok("access.grantFree", json!({ "member": { "id": anna } })).await;
    let free = json!({ "allowed": true, "reason": "allowed_free_access" });
    assert_eq!(gone(&anna).await, [free.clone(), owned.clone()]);

    // Who wins a merge gains what the loser has.
    let args = json!({ "winner": { "email": "ben@example.com" }, "loser": { "email": "anna@example.com" } });
    let merged = of_kind(&dry(world, "members.merge", args.clone()).await, "access");
    let bens: Vec<_> = merged.iter().filter(|one| one["id"] == ben).map(|one| one["after"].clone()).collect();
    assert_eq!(bens, [free.clone(), owned.clone()], "{merged:?}");
    let annas: Vec<_> = merged.iter().filter(|one| one["id"] == anna).map(|one| one["before"].clone()).collect();
    assert_eq!(annas, [free, owned], "{merged:?}");
    assert_eq!(world.rows("SELECT DISTINCT member_id FROM entitlement").await, [anna.as_str().unwrap()]);
    let job = world.ok("members.merge", args).await["job"]["id"].clone();
    assert_eq!(world.job(&job).await["status"], "succeeded");
});
