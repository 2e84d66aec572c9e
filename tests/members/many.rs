//! Many members in one read, and those that have changed since a time.

use std::time::Duration;

use serde_json::{Value, json};

use super::{emails, make};
use crate::harness::World;

both!(up_to_a_hundred_members_are_read_at_once, async |world| {
    world.without_budgets().await;
    let mut made = Vec::new();
    for n in 0..100 {
        made.push(make(world, &format!("m{n}@example.com")).await);
    }
    // By id and by address, as they are named; each once.
    let by_id = |n: usize| json!({ "id": made[n]["id"] });
    let all: Vec<_> = (0..100).rev().map(by_id).collect();
    let got = world.ok("members.get", json!({ "members": all })).await;
    let expected: Vec<_> = made.iter().rev().cloned().collect();
    assert_eq!((&got["members"], &got["missingMembers"]), (&json!(expected), &json!([])));
    assert_eq!(got.get("member"), None);
    let (_, stranger) = world.other_site("Second", None).await;
    let elsewhere = world.call(&stranger, "members.get", json!({ "members": [by_id(0)] })).await.result();
    assert_eq!((&elsewhere["members"], &elsewhere["missingMembers"]), (&json!([]), &json!([by_id(0)])));
    let nobody = [json!({ "email": "Nobody@example.com" }), json!({ "id": "mem_01kan8v3t0e0rt8nfkzk1s7p4qs" })];
    let named = json!([{ "email": "M7@example.com" }, nobody[0], by_id(3), by_id(7), nobody[1]]);
    let got = world.ok("members.get", json!({ "members": named })).await;
    assert_eq!((&got["members"], &got["missingMembers"]), (&json!([made[7], made[3]]), &json!(nobody)));
    // One who is somebody else than expected stops the call.
    let wrong = json!({ "id": made[3]["id"], "expectEmail": "m4@example.com" });
    let reply = world.call(&world.key, "members.get", json!({ "members": [by_id(1), wrong] })).await;
    assert_eq!(reply.failure(), (200, "email_mismatch".into()));
    for bad in [json!({}), json!({ "members": [] }), json!({ "member": by_id(0), "members": [by_id(1)] })] {
        world.call(&world.key, "members.get", bad).await.is_refused_for_arguments();
    }
    let too_many: Vec<_> = (0..101).map(|n| by_id(n % 100)).collect();
    world.call(&world.key, "members.get", json!({ "members": too_many })).await.is_refused_for_arguments();
});

async fn listed(world: &World, mut args: Value, since: &str) -> Vec<String> {
    args["updatedFrom"] = json!(since);
    let mut all = Vec::new();
    loop {
        let page = world.ok("members.list", args.clone()).await;
        all.extend(emails(&page).into_iter().map(str::to_owned));
        match page.get("nextCursor") {
            Some(cursor) => args["cursor"] = cursor.clone(),
            None => return all,
        }
    }
}

both!(those_that_have_changed_since_a_time_are_listed_in_any_order, async |world| {
    world.without_budgets().await;
    let mut made = Vec::new();
    for n in 0..9 {
        world.clock.advance(Duration::from_secs(1));
        let args = json!({ "email": format!("m{n}@example.com"), "name": format!("N{n}"), "tags": ["all"] });
        made.push(world.one("members.create", args).await);
    }
    world.clock.advance(Duration::from_secs(60));
    let since = world.clock.now().to_string();
    for n in [5, 2, 7] {
        world.clock.advance(Duration::from_secs(1));
        world.one("members.update", json!({ "member": { "id": made[n]["id"] }, "note": "new" })).await;
    }
    world.clock.advance(Duration::from_secs(1));
    world.ok("access.grantFree", json!({ "member": { "id": made[4]["id"] } })).await;
    for (sort, order) in [
        ("createdAt", [2, 4, 5, 7]),
        ("-createdAt", [7, 5, 4, 2]),
        ("email", [2, 4, 5, 7]),
        ("-email", [7, 5, 4, 2]),
        ("name", [2, 4, 5, 7]),
        ("-name", [7, 5, 4, 2]),
    ] {
        let expected: Vec<_> = order.iter().map(|n| format!("m{n}@example.com")).collect();
        for more in [json!({}), json!({ "tag": "all" }), json!({ "text": "example" })] {
            let mut args = more.clone();
            args["sort"] = json!(sort);
            args["limit"] = json!(3);
            assert_eq!(listed(world, args, &since).await, expected, "{sort} {more}");
        }
    }
    assert_eq!(listed(world, json!({ "status": "comped" }), &since).await, ["m4@example.com"]);
    assert_eq!(listed(world, json!({ "createdUntil": made[5]["createdAt"] }), &since).await.len(), 2);
    let later = world.clock.now().to_string();
    assert_eq!(listed(world, json!({}), &later).await, ["m4@example.com"]);
    let job = world.ok("members.export", json!({ "updatedFrom": since })).await["job"]["id"].clone();
    assert_eq!(world.job(&job).await["result"]["done"], 4);
});
