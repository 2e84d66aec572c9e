//! Two members that become one.

use serde_json::{Value, json};
use usher::values::{PlanId, SubscriptionId};

use super::delete::{id, job, with_everything};
use crate::harness::World;

async fn get(world: &World, member: &Value) -> Value {
    world.one("members.get", json!({ "member": { "id": member["id"] } })).await
}

fn pair(winner: &str, loser: &str) -> Value {
    json!({ "winner": { "email": winner }, "loser": { "email": loser } })
}

async fn grant(world: &World, member: &Value, bundle: &Value, rest: &str) {
    let (member, bundle) = (id(member), id(bundle));
    world
        .execute(&format!(
            "INSERT INTO entitlement (site, id, member_id, bundle_id, source, granted_at, expires_at, revoked_at,
                                      created_at, updated_at)
             VALUES (1, 'ent_{member}{bundle}', '{member}', '{bundle}', {rest}, 1, 1)"
        ))
        .await;
    world
        .execute("UPDATE entitlement SET direct_since = granted_at, direct_until = expires_at WHERE revoked_at IS NULL")
        .await;
}

both!(everything_moves_and_the_loser_goes, async |world| {
    world.without_budgets().await;
    let winner = with_everything(world, "anna@example.com", "Anna").await;
    let loser = with_everything(world, "anna+shop@example.com", "Perlmutter").await;
    let tags = json!({ "member": { "id": loser["id"] }, "tags": ["shop"] });
    world.ok("members.addTags", tags).await;
    world.ok("blocklist.add", json!({ "emails": ["anna+shop@example.com"] })).await;
    // The same video by both.
    let videos = world.rows("SELECT id FROM video ORDER BY title").await;
    let watch = async |who: &Value, position: u32, complete: bool| {
        let args =
            json!({ "member": { "id": who["id"] }, "video": videos[0], "positionS": position, "completed": complete });
        world.one("videos.recordWatch", args).await
    };
    watch(&winner, 20, false).await;
    watch(&loser, 90, true).await;

    let reply = world.call(&world.key, "members.merge", pair("anna@example.com", "anna+shop@example.com")).await;
    let result = reply.result();
    assert_eq!(result["loser"], loser["id"]);
    assert_eq!(result["winner"]["tags"], json!(["early", "shop", "vip"]));
    assert_eq!(result["winner"]["note"], "Anna paints\n\nPerlmutter paints");
    assert_eq!((&result["winner"]["name"], &result["winner"]["email"]), (&json!("Anna"), &json!("anna@example.com")));
    let counts = job(world, &reply).await;
    for (kind, n) in
        [("watch", 4), ("comments", 3), ("entitlements", 1), ("orders", 1), ("tags", 3), ("groups", 1), ("links", 1)]
    {
        let least = if kind == "watch" { 3 } else { n };
        assert!((least..=n).contains(&counts[kind].as_u64().unwrap()), "{kind}: {counts}");
    }
    assert_eq!(counts["blocks"], 1);
    let gone = world.call(&world.key, "members.get", json!({ "member": { "id": loser["id"] } })).await;
    assert_eq!(gone.code(), "member_not_found");
    for table in ["watch", "comment", "entitlement", "granted_order", "group_place", "member_tag", "login_link"] {
        let left = format!("SELECT DISTINCT member_id FROM {table}");
        assert_eq!(world.rows(Box::leak(left.into_boxed_str())).await, [id(&winner)], "{table}");
    }
    let both = world
        .rows("SELECT CAST(furthest_s AS TEXT) || CASE WHEN completed_at IS NULL THEN '' ELSE ' done' END FROM watch ORDER BY furthest_s DESC LIMIT 1")
        .await;
    assert_eq!(both, ["90 done"]);
    let log = world
        .rows("SELECT COALESCE(args, '') || COALESCE(changes, '') FROM activity WHERE tool NOT LIKE 'videos.%'")
        .await;
    assert!(log.iter().all(|row| !row.contains("anna+shop@")), "{log:#?}");
    let check = world.ok("blocklist.check", json!({ "emails": ["anna+shop@example.com"] })).await;
    assert_eq!(check["results"][0]["blocked"], true);
});

both!(the_better_right_wins, async |world| {
    world.without_budgets().await;
    let winner = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let loser = world.one("members.create", json!({ "email": "anna@example.org", "name": "Anna" })).await;
    let later = world.clock.now().micros() + 1_000_000;
    let cases = [
        // winner's, loser's: source, granted, expires, revoked; whose stands
        (format!("'w', 1, {later}, NULL"), "'l', 1, NULL, NULL".to_owned(), "l"),
        ("'w', 1, NULL, NULL".to_owned(), format!("'l', 1, {later}, NULL"), "w"),
        (format!("'w', 1, {later}, NULL"), format!("'l', 1, {}, NULL", later + 1), "l"),
        ("'w', 1, NULL, 2".to_owned(), format!("'l', 1, {later}, NULL"), "l"),
        (format!("'w', 1, {later}, NULL"), "'l', 1, NULL, 2".to_owned(), "w"),
        ("'w', 1, 5, NULL".to_owned(), format!("'l', 1, {later}, NULL"), "l"),
    ];
    let mut expected = Vec::new();
    for (n, (of_winner, of_loser, stands)) in cases.iter().enumerate() {
        let bundle = world.one("bundles.create", json!({ "name": format!("{n}") })).await;
        grant(world, &winner, &bundle, of_winner).await;
        grant(world, &loser, &bundle, of_loser).await;
        expected.push(format!("{} {stands}", id(&bundle)));
    }
    let (id_w, id_l) = (id(&winner), id(&loser));
    world.execute(&format!("UPDATE member SET trial_since = 1, trial_until = {later} WHERE id = '{id_w}'")).await;
    world
        .execute(&format!("UPDATE member SET free_since = 1, status = 'comped', is_paid = TRUE WHERE id = '{id_l}'"))
        .await;
    let (own, plan): (SubscriptionId, PlanId) = (world.app.clock.id(), world.app.clock.id());
    world
        .execute(&format!(
            "INSERT INTO subscription (site, id, member_id, plan_id, status, started_at, created_at, updated_at, source, ticket)
             VALUES (1, '{own}', '{id_l}', '{plan}', 'active', 1, 1, 1, 'x', 0)"
        ))
        .await;
    let member = |member: &Value| json!({ "id": member["id"], "expectEmail": member["email"] });
    let args = json!({ "winner": member(&winner), "loser": member(&loser) });
    let reply = world.call(&world.key, "members.merge", args).await;
    let after = reply.result()["winner"].clone();
    assert_eq!((&after["status"], &after["name"]), (&json!("comped"), &json!("Anna")));
    assert!(after["freeAccess"].get("expiresAt").is_none() && after["trial"]["expiresAt"].is_string(), "{after}");
    assert_eq!(job(world, &reply).await["entitlements"], 6);
    assert_eq!(get(world, &winner).await, after);
    expected.sort_unstable();
    assert_eq!(world.rows("SELECT bundle_id || ' ' || source FROM entitlement ORDER BY bundle_id").await, expected);
    assert_eq!(world.rows("SELECT CASE WHEN is_paid THEN 'paid' ELSE 'free' END FROM member").await, ["paid"]);
});

both!(orders_of_both_hold_what_the_winner_owns, async |world| {
    world.without_budgets().await;
    let winner = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let loser = world.one("members.create", json!({ "email": "anna@example.org" })).await;
    let bundle = world.one("bundles.create", json!({ "name": "All lessons" })).await;
    let grant = async |who: &Value, order: &str, days: u32| {
        let until = world.clock.now() + std::time::Duration::from_secs(86_400) * days;
        let args =
            json!({ "member": { "id": who["id"] }, "bundle": bundle["id"], "orderId": order, "expiresAt": until });
        world.ok("access.grantBundle", args).await;
        json!(until)
    };
    let winners = grant(&winner, "w", 5).await;
    let losers = grant(&loser, "l", 9).await;
    let member = |member: &Value| json!({ "id": member["id"], "expectEmail": member["email"] });
    let args = json!({ "winner": member(&winner), "loser": member(&loser) });
    let reply = world.call(&world.key, "members.merge", args).await;
    job(world, &reply).await;
    let listed = world.ok("members.listEntitlements", json!({ "member": { "id": winner["id"] } })).await;
    assert_eq!(listed["items"][0]["expiresAt"], losers, "{listed}");
    let back = async |order: &str| world.ok("access.revokeBundle", json!({ "orderId": order })).await;
    let rest = back("l").await;
    assert_eq!((&rest["member"]["id"], &rest["access"]["until"]), (&winner["id"], &winners));
    assert_eq!(back("w").await["access"]["reason"], "bundle_revoked");
});

both!(a_merge_is_refused_unless_it_is_meant, async |world| {
    world.without_budgets().await;
    let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let tags = |from: usize| (from..from + 60).map(|n| format!("t{n}")).collect::<Vec<_>>();
    let ben = world.one("members.create", json!({ "email": "ben@example.com", "tags": tags(0) })).await;
    let chris = world.one("members.create", json!({ "email": "chris@example.com", "tags": tags(50) })).await;
    for (winner, loser, status, code) in [
        (json!({ "id": anna["id"] }), json!({ "email": "ben@example.com" }), 200, "arguments_refused"),
        (json!({ "email": "anna@example.com" }), json!({ "id": ben["id"] }), 200, "arguments_refused"),
        (json!({ "email": "anna@example.com" }), json!({ "email": "ANNA@example.com" }), 200, "arguments_refused"),
        (
            json!({ "id": anna["id"], "expectEmail": "ben@example.com" }),
            json!({ "email": "ben@example.com" }),
            200,
            "email_mismatch",
        ),
        (json!({ "email": "anna@example.com" }), json!({ "email": "nobody@example.com" }), 200, "member_not_found"),
        (json!({ "email": "ben@example.com" }), json!({ "email": "chris@example.com" }), 200, "too_many_tags"),
    ] {
        let reply = world.call(&world.key, "members.merge", json!({ "winner": winner, "loser": loser })).await;
        assert_eq!(reply.failure(), (status, code.into()), "{winner} {loser}");
    }
    for member in [&anna, &ben, &chris] {
        assert_eq!(&get(world, member).await, member);
    }
    let body = json!({ "args": pair("anna@example.com", "ben@example.com"), "dryRun": true });
    let dry = world.call_with(&world.key, "members.merge", body, &[]).await;
    assert_eq!(dry.json()["result"]["wouldMove"]["tags"], 60);
    assert_eq!(get(world, &ben).await, ben);
});

both!(the_winner_is_used_while_it_gets_more, async |world| {
    world.without_budgets().await;
    let world = &*world;
    let winner = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let mut videos = Vec::new();
    for n in 0..30 {
        videos.push(world.one("videos.create", json!({ "title": format!("Lesson {n}") })).await["id"].clone());
    }
    for round in 0..4 {
        let email = format!("anna+{round}@example.com");
        let loser = world.one("members.create", json!({ "email": email })).await;
        let watch = async |who: &Value, n: usize, position: usize| {
            let args = json!({ "member": { "id": who["id"] }, "video": videos[n], "positionS": position });
            world.one("videos.recordWatch", args).await;
        };
        for n in 0..30 {
            watch(&loser, n, 10 + n + round).await;
        }
        let merge = async {
            let reply = world.call(&world.key, "members.merge", pair("anna@example.com", &email)).await;
            job(world, &reply).await
        };
        let watches = futures_util::future::join_all((0..30).step_by(2).map(|n| watch(&winner, n, 5)));
        let (counts, _) = futures_util::future::join(merge, watches).await;
        assert_eq!(counts["watch"], 30);
    }
    let furthest = world.rows("SELECT CAST(furthest_s AS TEXT) FROM watch ORDER BY furthest_s").await;
    assert_eq!(furthest, (13..43).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(world.rows("SELECT email FROM member").await, ["anna@example.com"]);
});

both!(of_two_who_merge_each_other_one_wins, async |world| {
    world.without_budgets().await;
    let world = &*world;
    for round in 0..6 {
        let (a, b) = (format!("a{round}@example.com"), format!("b{round}@example.com"));
        for email in [&a, &b] {
            world.one("members.create", json!({ "email": email, "tags": [email] })).await;
        }
        let call = async |tool: &'static str, args: Value| world.call(&world.key, tool, args).await;
        let delete = json!({ "member": { "email": a } });
        let replies = futures_util::future::join_all([
            call("members.merge", pair(&a, &b)),
            call("members.merge", pair(&b, &a)),
            call("members.delete", delete),
        ])
        .await;
        let mut done = 0;
        for reply in &replies {
            if reply.json()["ok"] == true {
                job(world, reply).await;
                done += 1;
            } else {
                let codes = ["member_deleting", "member_merging", "member_not_found"];
                assert!(codes.contains(&&*reply.code()), "{}", reply.text);
            }
        }
        assert!(done > 0);
    }
    let left = world.rows("SELECT email FROM member WHERE deleting_since IS NOT NULL").await;
    assert!(left.is_empty(), "{left:?}");
});
