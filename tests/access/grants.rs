//! What is given to one member.

use std::time::Duration;

use serde_json::json;

use super::{bundle, member, reason, video};

const DAY: Duration = Duration::from_secs(86_400);

both!(a_shop_unlocks_a_lifetime_bundle_with_one_call, async |world| {
    let lesson = video(world, "bundle").await;
    let course = bundle(world, &[&lesson]).await;
    let order = json!({ "member": { "email": "Anna@Example.com" }, "name": "Anna", "bundle": course,
                        "source": "shop", "orderId": "shop-1", "createMember": true });
    let first = world.ok("access.grantBundle", order.clone()).await;
    assert_eq!(first["changed"], true);
    assert_eq!(first["memberCreated"], true);
    assert_eq!(first["member"]["email"], "Anna@Example.com");
    assert_eq!(first["member"]["name"], "Anna");
    assert_eq!(first["access"], json!({ "allowed": true, "reason": "allowed_bundle" }));
    let entitlement = &first["entitlement"];
    assert_eq!(entitlement["state"], "active");
    assert_eq!(entitlement["source"], "shop");
    assert_eq!(entitlement["orderId"], "shop-1");
    assert_eq!(entitlement["expiresAt"], json!(null));

    // The shop repeats itself.
    let again = world.ok("access.grantBundle", order.clone()).await;
    assert_eq!((&again["changed"], &again["memberCreated"]), (&json!(false), &json!(false)));
    assert_eq!(again["entitlement"]["id"], entitlement["id"]);

    // It was refunded; the shop repeats itself all the same.
    let who = json!({ "email": "anna@example.com" });
    let revoked = world.ok("access.revokeBundle", json!({ "member": who, "bundle": course })).await;
    assert_eq!(revoked["access"]["reason"], "bundle_revoked");
    let late = world.ok("access.grantBundle", order).await;
    assert_eq!(late["changed"], false);
    assert_eq!(late["entitlement"]["state"], "revoked");
    assert_eq!(late["access"]["allowed"], false);
    let twice = world.ok("access.revokeBundle", json!({ "member": who, "bundle": course })).await;
    assert_eq!(twice["changed"], false);

    // A new order revives the same entitlement.
    let next = json!({ "member": who, "bundle": course, "orderId": "shop-2" });
    let revived = world.ok("access.grantBundle", next).await;
    assert_eq!(revived["changed"], true);
    assert_eq!(revived["entitlement"]["id"], entitlement["id"]);
    assert_eq!(reason(world, json!({ "member": who, "video": lesson })).await, "allowed_bundle");

    // An order is one member's and one bundle's.
    member(world, "ben@example.com").await;
    let stolen = json!({ "member": { "email": "ben@example.com" }, "bundle": course, "orderId": "shop-2" });
    assert_eq!(world.call(&world.key, "access.grantBundle", stolen).await.code(), "order_id_used");
    let other = bundle(world, &[]).await;
    let moved = json!({ "member": who, "bundle": other, "orderId": "shop-2" });
    assert_eq!(world.call(&world.key, "access.grantBundle", moved).await.code(), "order_id_used");
});

both!(a_refused_order_leaves_nothing, async |world| {
    let course = bundle(world, &[]).await;
    let unknown = json!({ "member": { "email": "anna@example.com" }, "bundle": course, "orderId": "o" });
    let reply = world.call(&world.key, "access.grantBundle", unknown.clone()).await;
    assert_eq!(reply.code(), "member_not_found");
    let fix = reply.json()["fix"].clone();
    assert_eq!((&fix["tool"], &fix["args"]["createMember"]), (&json!("access.grantBundle"), &json!(true)));
    let blank = json!({ "member": { "email": "anna@example.com" }, "bundle": course, "orderId": "  " });
    assert_eq!(world.call(&world.key, "access.grantBundle", blank).await.code(), "arguments_refused");
    let missing = "bun_01kan8v3t0e0rt8nfkzk1s7p4qi";
    let args = json!({ "member": { "email": "anna@example.com" }, "bundle": missing, "createMember": true });
    assert_eq!(world.call(&world.key, "access.grantBundle", args).await.code(), "bundle_not_found");
    assert_eq!(world.rows("SELECT id FROM member").await, Vec::<String>::new());
    assert_eq!(world.rows("SELECT order_id FROM granted_order").await, Vec::<String>::new());
    let body = json!({ "args": { "member": { "email": "anna@example.com" }, "bundle": course, "orderId": "o",
                                 "createMember": true }, "dryRun": true });
    let dry = world.call_with(&world.key, "access.grantBundle", body, &[]).await.json();
    let kinds: Vec<_> = dry["changes"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["member", "entitlement", "access"]);
    assert_eq!(dry["changes"][2]["before"]["allowed"], false);
    assert_eq!(dry["changes"][2]["after"]["allowed"], true);
    assert_eq!(world.rows("SELECT id FROM member").await, Vec::<String>::new());
});

both!(calls_that_race_grant_an_order_once, async |world| {
    world.without_budgets().await;
    let course = bundle(world, &[]).await;
    let calls = (0..20).map(|n| {
        // Half of them for another address: only one of the two gets it.
        let email = if n % 2 == 0 { "anna@example.com" } else { "ben@example.com" };
        let args = json!({ "member": { "email": email }, "bundle": course, "orderId": "one", "createMember": true });
        world.call(&world.key, "access.grantBundle", args)
    });
    let replies = futures_util::future::join_all(calls).await;
    let changed = replies.iter().filter(|reply| reply.json()["result"]["changed"] == true).count();
    let used = replies.iter().filter(|reply| reply.json()["code"] == "order_id_used").count();
    assert_eq!((changed, used), (1, 10), "{:?}", replies.iter().map(|reply| &reply.text).collect::<Vec<_>>());
    assert_eq!(world.rows("SELECT member_id FROM entitlement").await.len(), 1);
    assert_eq!(world.rows("SELECT order_id FROM granted_order").await, ["one"]);
    assert_eq!(world.rows("SELECT id FROM member").await.len(), 1);
});

both!(free_access_is_only_ever_extended, async |world| {
    let id = member(world, "anna@example.com").await;
    let who = json!({ "id": id });
    let grant = async |expires: Option<&str>| {
        let mut args = json!({ "member": who });
        if let Some(expires) = expires {
            args["expiresAt"] = json!(expires);
        }
        world.ok("access.grantFree", args).await
    };
    let day = grant(Some("2025-02-01T00:00:00Z")).await;
    assert_eq!(day["member"]["status"], "comped");
    assert_eq!(day["member"]["freeAccess"]["expiresAt"], "2025-02-01T00:00:00Z");
    assert_eq!(day["access"]["until"], "2025-02-01T00:00:00Z");
    assert_eq!(grant(Some("2025-01-20T00:00:00Z")).await["changed"], false);
    let later = grant(Some("2025-03-01T00:00:00Z")).await;
    assert_eq!(later["changed"], true);
    assert_eq!(later["member"]["freeAccess"]["since"], day["member"]["freeAccess"]["since"]);
    assert_eq!(grant(None).await["access"], json!({ "allowed": true, "reason": "allowed_free_access" }));
    assert_eq!(grant(Some("2026-03-01T00:00:00Z")).await["changed"], false);
    let removed = world.ok("access.removeFree", json!({ "member": who })).await;
    assert_eq!(removed["changed"], true);
    assert_eq!(removed["member"]["status"], "free");
    assert_eq!(removed["member"]["freeAccess"], json!(null));
    assert_eq!(removed["access"]["reason"], "no_subscription");
    assert_eq!(world.ok("access.removeFree", json!({ "member": who })).await["changed"], false);
    let past = json!({ "member": who, "expiresAt": "2025-01-01T00:00:00Z" });
    assert_eq!(world.call(&world.key, "access.grantFree", past).await.failure(), (200, "arguments_refused".into()));
});

both!(what_expires_needs_nobody_s_doing, async |world| {
    let lesson = video(world, "bundle").await;
    let course = bundle(world, &[&lesson]).await;
    let who = json!({ "id": member(world, "anna@example.com").await });
    world.ok("access.setTrial", json!({ "member": who, "days": 2 })).await;
    let soon = world.clock.now() + DAY * 3;
    world.ok("access.grantBundle", json!({ "member": who, "bundle": course, "expiresAt": soon })).await;
    let free = world.ok("access.grantFree", json!({ "member": who, "expiresAt": soon })).await;
    assert_eq!(free["member"]["trial"]["expiresAt"], json!(world.clock.now() + DAY * 2));
    let general = json!({ "member": who });
    let of_video = json!({ "member": who, "video": lesson });
    assert_eq!(reason(world, general.clone()).await, "allowed_free_access");
    assert_eq!(reason(world, json!({ "member": who, "at": soon })).await, "free_access_expired");
    assert_eq!(reason(world, json!({ "member": who, "video": lesson, "at": soon })).await, "bundle_expired");
    world.ok("access.removeFree", general.clone()).await;
    assert_eq!(reason(world, general.clone()).await, "allowed_trial");
    world.clock.advance(DAY * 2);
    assert_eq!(reason(world, general.clone()).await, "trial_ended");
    assert_eq!(reason(world, of_video.clone()).await, "allowed_bundle");
    world.clock.advance(DAY);
    assert_eq!(reason(world, of_video.clone()).await, "bundle_expired");
    let listed = world.ok("members.listEntitlements", general.clone()).await;
    assert_eq!(listed["items"][0]["state"], "expired");
    assert_eq!(listed["items"][0]["bundleName"], "All lessons");
    // An order may be sent again when what it was for is over.
    let rent = json!({ "member": who, "bundle": course, "orderId": "rent", "expiresAt": world.clock.now() + DAY });
    assert_eq!(world.ok("access.grantBundle", rent.clone()).await["changed"], true);
    world.clock.advance(DAY);
    let again = world.ok("access.grantBundle", rent).await;
    assert_eq!((&again["changed"], &again["orderRepeated"]), (&json!(false), &json!(true)));
    // One that is over is given anew, from now on.
    let anew = world.ok("access.grantBundle", json!({ "member": who, "bundle": course })).await;
    assert_eq!(anew["entitlement"]["grantedAt"], json!(world.clock.now()));
    assert_eq!(anew["entitlement"]["id"], listed["items"][0]["id"]);
});

both!(a_new_member_may_have_free_access, async |world| {
    let args = json!({ "email": "a@example.com", "freeAccess": { "expiresAt": "2025-02-01T00:00:00Z" } });
    let made = world.ok("members.create", args).await;
    assert_eq!(made["status"], "comped");
    let for_good = world.ok("members.create", json!({ "email": "b@example.com", "freeAccess": {} })).await;
    assert_eq!(for_good["freeAccess"], json!({ "since": for_good["createdAt"] }));
    let comped =
        async || world.ok("members.list", json!({ "status": "comped" })).await["items"].as_array().unwrap().len();
    assert_eq!(comped().await, 2);
    world.clock.advance(DAY * 60);
    assert_eq!(world.ok("members.get", json!({ "member": { "id": made["id"] } })).await["status"], "free");
    let past = json!({ "email": "c@example.com", "freeAccess": { "expiresAt": "2025-02-01T00:00:00Z" } });
    assert_eq!(world.call(&world.key, "members.create", past).await.failure(), (200, "arguments_refused".into()));
});

both!(a_grant_is_for_one_member_or_one_group, async |world| {
    let who = json!({ "id": member(world, "anna@example.com").await, "expectEmail": "ben@example.com" });
    let mismatch = world.call(&world.key, "access.grantFree", json!({ "member": who })).await;
    assert_eq!(mismatch.code(), "email_mismatch");
    for args in
        [json!({}), json!({ "member": { "email": "anna@example.com" }, "group": "grp_01kan8v3t0e0rt8nfkzk1s7p4qe" })]
    {
        let reply = world.call(&world.key, "access.grantFree", args).await;
        assert_eq!(reply.failure(), (200, "arguments_refused".into()));
    }
    let course = bundle(world, &[]).await;
    for (field, value) in [("orderId", json!("o")), ("createMember", json!(true))] {
        let mut args = json!({ "group": "grp_01kan8v3t0e0rt8nfkzk1s7p4qe", "bundle": course });
        args[field] = value;
        let reply = world.call(&world.key, "access.grantBundle", args).await;
        assert_eq!(reply.json()["fields"][0]["path"], format!("args.{field}"));
    }
    let group = json!({ "group": "grp_01kan8v3t0e0rt8nfkzk1s7p4qe" });
    assert_eq!(world.call(&world.key, "access.removeFree", group).await.code(), "group_not_found");
});
