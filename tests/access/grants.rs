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

both!(a_bundle_stays_while_another_order_holds_it, async |world| {
    let lesson = video(world, "bundle").await;
    let course = bundle(world, &[&lesson]).await;
    let who = json!({ "id": member(world, "anna@example.com").await });
    let day = |n: u32| json!(world.clock.now() + DAY * n);
    let grant = async |order: Option<&str>, until: Option<serde_json::Value>, source: Option<&str>| {
        let mut args = json!({ "member": who, "bundle": course });
        for (name, value) in
            [("orderId", order.map(|it| json!(it))), ("expiresAt", until), ("source", source.map(|it| json!(it)))]
        {
            if let Some(value) = value {
                args[name] = value;
            }
        }
        world.ok("access.grantBundle", args).await
    };
    let back = async |order: &str| world.ok("access.revokeBundle", json!({ "orderId": order })).await;
    let states = |answer: &serde_json::Value| -> Vec<String> {
        let orders = answer["entitlement"]["orders"].as_array().unwrap().iter();
        orders.map(|one| format!("{} {}", one["orderId"].as_str().unwrap(), one["state"].as_str().unwrap())).collect()
    };
    assert_eq!(grant(Some("rent"), Some(day(3)), Some("shop")).await["changed"], true);
    assert_eq!(grant(Some("life"), None, None).await["entitlement"]["source"], "shop");
    world.clock.advance(Duration::from_secs(1));
    let more = grant(Some("month"), Some(day(30)), None).await;
    assert_eq!(more["changed"], false);
    assert_eq!(states(&more), ["month active", "life active", "rent active"]);
    let back_life = back("life").await;
    assert_eq!(back_life["changed"], true);
    assert_eq!(states(&back_life), ["month active", "rent active", "life revoked"]);
    assert_eq!(back_life["entitlement"]["expiresAt"], day(30));
    assert_eq!(back_life["access"]["until"], day(30));
    assert_eq!(back("life").await["changed"], false);
    // Sent again, it does not hold it again.
    let late = grant(Some("life"), None, Some("other")).await;
    assert_eq!((&late["changed"], &late["orderRepeated"]), (&json!(false), &json!(true)));
    assert_eq!((&late["entitlement"]["expiresAt"], &late["entitlement"]["source"]), (&day(30), &json!("shop")));
    // A grant without an order holds it when all orders are gone.
    let direct = grant(None, Some(day(9)), None).await;
    assert_eq!((&direct["changed"], &direct["entitlement"]["direct"]["expiresAt"]), (&json!(false), &day(9)));
    back("month").await;
    let rest = back("rent").await;
    assert_eq!((&rest["access"]["reason"], &rest["access"]["until"]), (&json!("allowed_bundle"), &day(9)));
    let listed = world.ok("members.listEntitlements", json!({ "member": who })).await;
    assert_eq!(listed["items"][0], rest["entitlement"]);
    // What is over holds nothing.
    assert_eq!(grant(Some("year"), Some(day(365)), None).await["changed"], true);
    world.clock.advance(DAY * 10);
    let last = back("year").await;
    assert_eq!((&last["changed"], &last["access"]["reason"]), (&json!(true), &json!("bundle_revoked")));
    assert_eq!(last["entitlement"]["revokedAt"], json!(world.clock.now()));
    assert_eq!(last["entitlement"].get("direct"), None);
    // With the whole bundle go all its orders.
    grant(Some("new"), None, None).await;
    world.ok("access.revokeBundle", json!({ "member": who, "bundle": course })).await;
    assert_eq!(back("new").await["changed"], false);
    grant(Some("newer"), None, None).await;
    assert_eq!(back("newer").await["access"]["allowed"], false);
});

both!(an_order_is_taken_back_where_it_was_granted, async |world| {
    let (course, other) = (bundle(world, &[]).await, bundle(world, &[]).await);
    let anna = json!({ "id": member(world, "anna@example.com").await });
    let ben = json!({ "id": member(world, "ben@example.com").await });
    world.ok("access.grantBundle", json!({ "member": anna, "bundle": course, "orderId": "o" })).await;
    let group = json!("grp_01kan8v3t0e0rt8nfkzk1s7p4qe");
    for (args, code) in [
        (json!({ "orderId": "unknown" }), "order_not_found"),
        (json!({ "orderId": "o", "member": ben }), "order_id_used"),
        (json!({ "orderId": "o", "bundle": other }), "order_id_used"),
        (json!({ "orderId": "o", "group": group }), "arguments_refused"),
        (json!({ "orderId": " " }), "invalid_arguments"),
        (json!({ "member": anna }), "arguments_refused"),
    ] {
        assert_eq!(world.call(&world.key, "access.revokeBundle", args.clone()).await.code(), code, "{args}");
    }
    let body = json!({ "args": { "orderId": "o" }, "dryRun": true });
    let dry = world.call_with(&world.key, "access.revokeBundle", body, &[]).await.json();
    assert_eq!(dry["changes"][1]["kind"], "access", "{dry}");
    let done = world.ok("access.revokeBundle", json!({ "orderId": "o", "member": anna, "bundle": course })).await;
    assert_eq!((&done["changed"], &done["member"]["id"]), (&json!(true), &anna["id"]));
    // Another site's order is nobody's here.
    let (_, key) = world.other_site("Second", Some("second.example.com")).await;
    let body = json!({ "args": { "orderId": "o" } }).to_string();
    let headers = [
        ("authorization", format!("Bearer {}", key.text)),
        ("content-type", "application/json".into()),
        ("host", "second.example.com".into()),
    ];
    let reply = world.send("POST", "/api/v1/tools/access.revokeBundle", &headers, body).await;
    assert_eq!(reply.code(), "order_not_found");
});

both!(an_order_that_is_granted_and_taken_back_at_once_ends_one_way_or_the_other, async |world| {
    world.without_budgets().await;
    let course = bundle(world, &[]).await;
    for round in 0..6 {
        let order = format!("o{round}");
        let grant = json!({ "member": { "email": format!("m{round}@example.com") }, "bundle": course,
                            "orderId": order, "createMember": true });
        let calls = (0..12).map(|n| match n % 3 {
            2 => world.call(&world.key, "access.revokeBundle", json!({ "orderId": order })),
            _ => world.call(&world.key, "access.grantBundle", grant.clone()),
        });
        let replies = futures_util::future::join_all(calls).await;
        let changed = |at: usize| replies[at].json()["result"]["changed"] == true;
        let (granted, back) = ((0..12).filter(|n| n % 3 != 2), (0..12).filter(|n| n % 3 == 2));
        let (granted, back) = (granted.filter(|n| changed(*n)).count(), back.filter(|n| changed(*n)).count());
        assert_eq!(granted, 1);
        let state = world.ok("access.grantBundle", grant).await;
        let expected = if back == 1 { ["revoked", "revoked"] } else { ["active", "active"] };
        let entitlement = &state["entitlement"];
        assert_eq!([&entitlement["state"], &entitlement["orders"][0]["state"]], expected, "{back} taken back");
    }
});

both!(a_refused_order_leaves_nothing, async |world| {
    let course = bundle(world, &[]).await;
    let unknown = json!({ "member": { "email": "anna@example.com" }, "bundle": course, "orderId": "o" });
    let reply = world.call(&world.key, "access.grantBundle", unknown.clone()).await;
    assert_eq!(reply.code(), "member_not_found");
    let fix = reply.json()["fix"].clone();
    assert_eq!((&fix["tool"], &fix["args"]["createMember"]), (&json!("access.grantBundle"), &json!(true)));
    let blank = json!({ "member": { "email": "anna@example.com" }, "bundle": course, "orderId": "  " });
    assert_eq!(world.call(&world.key, "access.grantBundle", blank).await.code(), "invalid_arguments");
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

both!(an_order_of_a_member_who_was_deleted_is_not_granted_again, async |world| {
    world.without_budgets().await;
    let course = bundle(world, &[]).await;
    let order = |id: &str| json!({ "member": { "email": "anna@example.com" }, "bundle": course, "orderId": id, "createMember": true });
    for id in ["one", "two"] {
        world.ok("access.grantBundle", order(id)).await;
    }
    world.ok("access.revokeBundle", json!({ "orderId": "one" })).await;
    let gone = world.ok("members.delete", json!({ "member": { "email": "anna@example.com" } })).await;
    assert_eq!(world.job(&gone["job"]["id"]).await["result"]["orders"], 2);
    // The shop sends both again.
    for id in ["one", "two"] {
        assert_eq!(world.call(&world.key, "access.grantBundle", order(id)).await.code(), "order_id_used");
        let back = world.call(&world.key, "access.revokeBundle", json!({ "orderId": id })).await;
        assert!(back.text.contains("deleted"), "{}", back.text);
        assert_eq!(back.code(), "order_not_found");
    }
    assert_eq!(world.rows("SELECT id FROM member").await, Vec::<String>::new());
    // What stays does not say which order it was, and is this site's.
    let kept = world.rows("SELECT hash FROM spent_order").await;
    assert!(kept.len() == 2 && kept.iter().all(|hash| hash.len() == 64), "{kept:?}");
    let (_, key) = world.other_site("Other", None).await;
    let theirs = world.call(&key, "bundles.create", json!({ "name": "Theirs" })).await.one();
    let mut args = order("one");
    args["bundle"] = theirs["id"].clone();
    assert_eq!(world.call(&key, "access.grantBundle", args).await.result()["changed"], true);
    // A new order brings the buyer back.
    assert_eq!(world.ok("access.grantBundle", order("three")).await["memberCreated"], true);
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
    assert_eq!(day["member"]["freeAccess"]["expiresAt"], "2025-02-01T00:00:00.000Z");
    assert_eq!(day["access"]["until"], "2025-02-01T00:00:00.000Z");
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
    world.ok("access.setTrial", json!({ "member": who, "expiresAt": world.clock.now() + DAY * 2 })).await;
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
    let made = world.one("members.create", args).await;
    assert_eq!(made["status"], "comped");
    let for_good = world.one("members.create", json!({ "email": "b@example.com", "freeAccess": {} })).await;
    assert_eq!(for_good["freeAccess"], json!({ "since": for_good["createdAt"] }));
    let comped =
        async || world.ok("members.list", json!({ "status": "comped" })).await["items"].as_array().unwrap().len();
    assert_eq!(comped().await, 2);
    world.clock.advance(DAY * 60);
    assert_eq!(world.one("members.get", json!({ "member": { "id": made["id"] } })).await["status"], "free");
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

both!(an_answer_says_what_it_is_about_and_no_argument_is_passed_over, async |world| {
    let course = bundle(world, &[]).await;
    let who = json!({ "id": member(world, "anna@example.com").await });
    for (tool, args) in [
        ("access.grantFree", json!({ "member": who })),
        ("access.removeFree", json!({ "member": who })),
        ("access.setTrial", json!({ "member": who, "expiresAt": world.clock.now() + DAY })),
        ("access.revokeBundle", json!({ "member": who, "bundle": course })),
    ] {
        assert_eq!(world.ok(tool, args).await.get("memberCreated"), None, "{tool}");
    }
    let named = json!({ "member": who, "bundle": course, "name": "Anna" });
    let reply = world.call(&world.key, "access.grantBundle", named).await;
    assert_eq!((reply.code().as_str(), &reply.json()["fields"][0]["path"]), ("arguments_refused", &json!("args.name")));
    let args = json!({ "member": { "email": "ben@example.com" }, "bundle": course, "createMember": true });
    let made = world.ok("access.grantBundle", args).await;
    assert_eq!(made["memberCreated"], true);
    assert!(made["member"]["createdAt"].as_str() <= made["entitlement"]["grantedAt"].as_str(), "{made}");
});
