//! What is given to all members of a group.

use std::time::Duration;

use serde_json::{Value, json};

use super::{bundle, reason};
use crate::harness::World;

/// A day.
const DAY: Duration = Duration::from_secs(86_400);

const GROUP: &str = "grp_01kan8v3t0e0rt8nfkzk1s7p4qe";

/// A group of so many members.
async fn group(world: &World, n: usize) -> Vec<String> {
    let text = format!(
        "INSERT INTO member_group (site, id, name, name_key, created_at, updated_at)
         VALUES (1, '{GROUP}', 'Course 1', 'course 1', 0, 0)"
    );
    world.execute(&text).await;
    let mut ids = Vec::new();
    for i in 0..n {
        let made = world.one("members.create", json!({ "email": format!("m{i}@example.com") })).await;
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    let rows: Vec<_> = ids.iter().map(|id| format!("(1, '{GROUP}', '{id}', 0)")).collect();
    let text = format!("INSERT INTO group_place (site, group_id, member_id, added_at) VALUES {}", rows.join(","));
    world.execute(&text).await;
    ids
}

async fn run_for_all(world: &World, tool: &str, mut args: Value) -> Value {
    args["group"] = json!(GROUP);
    let accepted = world.ok(tool, args).await;
    let job = world.job(&accepted["job"]["id"]).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    job["result"].clone()
}

both!(each_member_of_a_group_gets_it, async |world| {
    world.without_budgets().await;
    let ids = group(world, 150).await;
    let course = bundle(world, &[]).await;
    let first = &ids[0];
    world.ok("access.grantBundle", json!({ "member": { "id": first }, "bundle": course })).await;
    world.execute(&format!("UPDATE member SET deleting_since = 1 WHERE id = '{}'", ids[149])).await;
    let counts = |changed: &str, unchanged: &str, numbers: [u64; 3]| {
        let [a, b, c] = numbers;
        json!({ "done": 150, "total": 150, changed: a, unchanged: b, "failed": c })
    };
    let granted = run_for_all(world, "access.grantBundle", json!({ "bundle": course, "source": "summer" })).await;
    assert_eq!(granted, counts("granted", "alreadyHad", [148, 1, 1]));
    let who = json!({ "member": { "id": ids[75] } });
    let listed = world.ok("members.listEntitlements", who.clone()).await;
    assert_eq!(listed["items"][0]["source"], "summer");
    // The log says more of the job that gave it.
    let job = &listed["items"][0]["job"];
    let log = world.ok("activity.list", json!({ "job": job })).await;
    let tools: Vec<_> = log["items"].as_array().unwrap().iter().map(|row| row["tool"].as_str().unwrap()).collect();
    assert!(tools.contains(&"access.grantBundle"), "{log}");
    let own = world.ok("members.listEntitlements", json!({ "member": { "id": first } })).await;
    assert_eq!(own["items"][0].get("job"), None);
    let again = run_for_all(world, "access.grantBundle", json!({ "bundle": course })).await;
    assert_eq!(again, counts("granted", "alreadyHad", [0, 149, 1]));
    let revoked = run_for_all(world, "access.revokeBundle", json!({ "bundle": course })).await;
    assert_eq!(revoked, counts("removed", "hadNone", [149, 0, 1]));
    assert_eq!(run_for_all(world, "access.grantFree", json!({})).await, counts("granted", "alreadyHad", [149, 0, 1]));
    assert_eq!(reason(world, who.clone()).await, "allowed_free_access");
    assert_eq!(world.one("members.get", who.clone()).await["status"], "comped");
    assert_eq!(run_for_all(world, "access.removeFree", json!({})).await, counts("removed", "hadNone", [149, 0, 1]));
    assert_eq!(
        run_for_all(world, "access.setTrial", json!({ "expiresAt": world.clock.now() + DAY * 7 })).await,
        counts("granted", "alreadyHad", [149, 0, 1])
    );
    assert_eq!(reason(world, who).await, "allowed_trial");
    assert_eq!(reason(world, json!({ "member": { "id": ids[149] } })).await, "no_subscription");
});

both!(a_grant_to_a_group_can_be_tried_first, async |world| {
    group(world, 2).await;
    let body = json!({ "args": { "group": GROUP }, "dryRun": true });
    let dry = world.call_with(&world.key, "access.grantFree", body, &[]).await.json();
    let kinds: Vec<_> = dry["changes"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, ["membersAccess", "job", "groupAccess"], "{dry}");
    assert_eq!(world.rows("SELECT id FROM job WHERE site <> 0").await, Vec::<String>::new());
});

both!(one_job_at_a_time_gives_or_takes_the_access_of_a_group, async |world| {
    group(world, 3).await;
    let granted = world.ok("access.grantFree", json!({ "group": GROUP })).await;
    let id = world.job(&granted["job"]["id"]).await["id"].as_str().unwrap().to_owned();
    world.execute(&format!("UPDATE job SET state = 'running', lease_until = {} WHERE id = '{id}'", i64::MAX / 2)).await;
    for (tool, args) in [
        ("access.removeFree", json!({ "group": GROUP })),
        ("access.setTrial", json!({ "group": GROUP, "expiresAt": world.clock.now() + DAY })),
        ("groups.delete", json!({ "group": GROUP })),
    ] {
        let reply = world.call(&world.key, tool, args).await;
        assert_eq!(reply.code(), "group_busy", "{tool}");
        assert_eq!(reply.json()["fix"]["args"]["job"], json!(id));
    }
    world.execute(&format!("UPDATE job SET state = 'succeeded', lease_until = 0 WHERE id = '{id}'")).await;
    let removed = run_for_all(world, "access.removeFree", json!({})).await;
    assert_eq!((&removed["removed"], &removed["hadNone"]), (&json!(3), &json!(0)));
});

both!(what_is_over_before_its_job_runs_is_not_given, async |world| {
    group(world, 3).await;
    let until = world.clock.now() + std::time::Duration::from_secs(60);
    let granted = world.ok("access.grantFree", json!({ "group": GROUP, "expiresAt": until })).await;
    let id = world.job(&granted["job"]["id"]).await["id"].clone();
    let text = format!(
        "UPDATE job SET state = 'failed', checkpoint = NULL, result = NULL WHERE id = '{}'",
        id.as_str().unwrap()
    );
    world.execute(&text).await;
    world.clock.advance(std::time::Duration::from_secs(61));
    world.ok("jobs.retry", json!({ "job": id })).await;
    let job = world.job(&id).await;
    assert_eq!((&job["status"], &job["error"]["code"]), (&json!("failed"), &json!("arguments_refused")), "{job}");
    world.leaves_traces = true;
});
