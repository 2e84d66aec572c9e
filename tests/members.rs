//! Members, as the API shows and changes them.

mod count;
pub mod delete;
mod duplicates;
mod export_data;
mod killed;
mod many;
mod merge;
mod overview;
mod person;
mod search;
mod spelling;

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::harness::{Reply, World};

async fn make(world: &World, email: &str) -> Value {
    world.one("members.create", json!({ "email": email })).await
}

async fn get(world: &World, id: &Value) -> Value {
    world.one("members.get", json!({ "member": { "id": id } })).await
}

fn is_done(reply: &Reply) -> bool {
    reply.json()["ok"] == true
}

fn emails(page: &Value) -> Vec<&str> {
    page["items"].as_array().expect("a page").iter().map(|member| member["email"].as_str().unwrap()).collect()
}

both!(a_member_is_found_however_the_address_is_written, async |world| {
    world.without_budgets().await;
    let args =
        json!({ "email": " Jose\u{301}@Example.com ", "name": " José ", "note": "one\ntwo", "tags": ["VIP", "A b"] });
    let made = world.one("members.create", args).await;
    assert_eq!((&made["email"], &made["name"]), (&json!("Jose\u{301}@Example.com"), &json!("José")));
    assert_eq!((&made["tags"], &made["status"]), (&json!(["a-b", "vip"]), &json!("free")));
    assert_eq!(get(world, &made["id"]).await, made);
    for email in ["jos\u{e9}@example.com", "JOS\u{c9}@EXAMPLE.COM", "Jose\u{301}@example.com"] {
        assert_eq!(world.one("members.findByEmail", json!({ "email": email })).await, made);
        assert_eq!(world.one("members.get", json!({ "member": { "email": email } })).await, made);
        let member = json!({ "id": made["id"], "expectEmail": email });
        assert_eq!(world.one("members.get", json!({ "member": member })).await, made);
        let again = world.call(&world.key, "members.create", json!({ "email": email })).await;
        assert_eq!(again.failure(), (200, "member_exists".into()));
        assert!(again.json()["error"].as_str().unwrap().contains(made["id"].as_str().unwrap()), "{}", again.text);
    }
    let updated = world
        .one(
            "members.update",
            json!({ "member": { "email": "JOS\u{c9}@example.com" }, "email": "jos\u{e9}@example.com" }),
        )
        .await;
    assert_eq!((&updated["id"], &updated["email"]), (&made["id"], &json!("jos\u{e9}@example.com")));
    // Another site has members of its own.
    let (_, stranger) = world.other_site("Second", None).await;
    let elsewhere = world.call(&stranger, "members.get", json!({ "member": { "id": made["id"] } })).await;
    assert_eq!(elsewhere.failure(), (200, "member_not_found".into()));
    world.call(&stranger, "members.create", json!({ "email": "jos\u{e9}@example.com" })).await.one();
});

both!(of_ten_who_create_one_member_one_does_and_nine_learn_its_id, async |world| {
    world.without_budgets().await;
    let world = &*world;
    let calls = (0..10).map(|n| {
        let email = if n % 2 == 0 { "anna@example.com" } else { "Anna@Example.com" };
        world.call(&world.key, "members.create", json!({ "email": email }))
    });
    let replies = futures_util::future::join_all(calls).await;
    let (made, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| is_done(reply));
    let [made] = made[..] else { panic!("{} were made", made.len()) };
    for reply in refused {
        assert_eq!(reply.failure(), (200, "member_exists".into()), "{}", reply.text);
        assert_eq!(reply.json()["fix"]["args"]["member"]["id"], made.one()["id"]);
    }
    assert_eq!(emails(&world.ok("members.list", json!({})).await).len(), 1);
});

both!(an_update_changes_what_it_names, async |world| {
    world.without_budgets().await;
    let args = json!({ "email": "anna@example.com", "name": "Anna", "note": "old", "tags": ["vip"] });
    let before = world.one("members.create", args).await;
    let member = json!({ "id": before["id"] });
    world.clock.advance(Duration::from_secs(5));
    let same = world.one("members.update", json!({ "member": member, "name": "Anna", "note": null })).await;
    assert_eq!(same, before);
    let reply = world.call(&world.key, "members.update", json!({ "member": member, "name": "", "note": "new" })).await;
    let after = reply.one();
    let mut expected = before.clone();
    expected.as_object_mut().unwrap().remove("name");
    expected["note"] = json!("new");
    expected["updatedAt"] = json!(world.clock.now().to_string());
    assert_eq!(after, expected);
    assert_eq!(get(world, &before["id"]).await, after);

    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
    assert_eq!((&row["tool"], &row["member"]), (&json!("members.update"), &before["id"]));
    assert_eq!(row["changes"].as_array().unwrap().len(), 1);
    let change = &row["changes"][0];
    assert_eq!((&change["kind"], &change["id"]), (&json!("member"), &before["id"]));
    assert_eq!((&change["before"]["name"], &change["before"]["note"]), (&json!("Anna"), &json!("old")));
    assert_eq!((change["after"].get("name"), &change["after"]["note"]), (None, &json!("new")));
});

both!(an_address_is_changed_only_to_a_free_one, async |world| {
    world.without_budgets().await;
    let (anna, ben) = (make(world, "anna@example.com").await, make(world, "ben@example.com").await);
    let args = json!({ "member": { "id": ben["id"] }, "email": "ANNA@example.com", "name": "Ben" });
    let reply = world.call(&world.key, "members.update", args).await;
    assert_eq!(reply.failure(), (200, "member_exists".into()));
    // The two may be one person: the one with the address would win.
    let fix = &reply.json()["fix"];
    assert_eq!(fix["tool"], "members.merge");
    assert_eq!(fix["args"]["winner"], json!({ "id": anna["id"], "expectEmail": "ANNA@example.com" }));
    assert_eq!(fix["args"]["loser"], json!({ "id": ben["id"], "expectEmail": "ben@example.com" }));
    assert_eq!(get(world, &ben["id"]).await, ben);
    world.one("members.update", json!({ "member": { "id": anna["id"] }, "email": "anna@example.org" })).await;
    world.one("members.update", json!({ "member": { "id": ben["id"] }, "email": "anna@example.com" })).await;
    let found = world.one("members.findByEmail", json!({ "email": "anna@example.com" })).await;
    assert_eq!(found["id"], ben["id"]);
});

both!(another_address_than_expected_stops_every_call, async |world| {
    world.without_budgets().await;
    let anna = world.one("members.create", json!({ "email": "anna@example.com", "tags": ["vip"] })).await;
    make(world, "ben@example.com").await;
    let member = json!({ "id": anna["id"], "expectEmail": "ben@example.com" });
    for (tool, args) in [
        ("members.get", json!({ "member": member })),
        ("members.update", json!({ "member": member, "name": "Ben" })),
        ("members.addTags", json!({ "member": member, "tags": ["new"] })),
        ("members.removeTags", json!({ "member": member, "tags": ["vip"] })),
        ("members.replaceTags", json!({ "member": member, "tags": [] })),
    ] {
        let reply = world.call(&world.key, tool, args).await;
        assert_eq!(reply.failure(), (200, "email_mismatch".into()), "{tool}");
        assert!(!reply.text.contains("anna@"), "{}", reply.text);
    }
    assert_eq!(get(world, &anna["id"]).await, anna);
});

both!(tags_come_and_go_and_say_whether_they_did, async |world| {
    world.without_budgets().await;
    let anna = make(world, "anna@example.com").await;
    for (tool, tags, left, changed) in [
        ("members.addTags", json!(["Early Bird", "vip", "VIP"]), json!(["early-bird", "vip"]), true),
        ("members.addTags", json!(["vip"]), json!(["early-bird", "vip"]), false),
        ("members.removeTags", json!(["vip", "nope"]), json!(["early-bird"]), true),
        ("members.removeTags", json!(["vip"]), json!(["early-bird"]), false),
        ("members.replaceTags", json!(["b", "a"]), json!(["a", "b"]), true),
        ("members.replaceTags", json!(["A", "B"]), json!(["a", "b"]), false),
        ("members.replaceTags", json!([]), json!([]), true),
    ] {
        world.clock.advance(Duration::from_secs(1));
        let before = get(world, &anna["id"]).await;
        let args = json!({ "member": { "email": "ANNA@example.com" }, "tags": tags });
        let reply = world.call(&world.key, tool, args).await;
        let result = reply.result();
        assert_eq!((&result["member"]["tags"], &result["changed"]), (&left, &json!(changed)), "{tool} {tags}");
        assert_eq!(get(world, &anna["id"]).await, result["member"]);
        assert_eq!(result["member"] == before, !changed, "{tool} {tags}");
        let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
        if changed {
            assert_eq!(row["changes"][0]["before"]["tags"], before["tags"], "{row}");
            assert_eq!(row["changes"][0]["after"]["tags"], left, "{row}");
        } else {
            assert!(row["changes"].as_array().is_none_or(Vec::is_empty), "{row}");
        }
    }
});

both!(a_member_has_a_hundred_tags_at_most, async |world| {
    world.without_budgets().await;
    let tags: Vec<_> = (0..100).map(|n| format!("tag-{n:03}")).collect();
    let anna = world.one("members.create", json!({ "email": "anna@example.com", "tags": tags[..95] })).await;
    let member = json!({ "id": anna["id"] });
    let reply = world
        .call(&world.key, "members.addTags", json!({ "member": member, "tags": ["a", "b", "c", "d", "e", "f"] }))
        .await;
    assert_eq!(reply.code(), "too_many_tags");
    assert_eq!(get(world, &anna["id"]).await, anna);
    let full = world.ok("members.addTags", json!({ "member": member, "tags": tags })).await;
    assert_eq!(full["member"]["tags"], json!(tags));
    // Ten who each add one where there is room for five.
    world.ok("members.replaceTags", json!({ "member": member, "tags": tags[..95] })).await;
    let world = &*world;
    let calls = (0..10)
        .map(|n| world.call(&world.key, "members.addTags", json!({ "member": member, "tags": [format!("new-{n}")] })));
    let replies = futures_util::future::join_all(calls).await;
    assert_eq!(replies.iter().filter(|reply| is_done(reply)).count(), 5);
    assert!(replies.iter().all(|reply| is_done(reply) || reply.code() == "too_many_tags"));
    assert_eq!(get(world, &anna["id"]).await["tags"].as_array().unwrap().len(), 100);
});

/// Ten members a minute apart: two of each name, every third one tagged.
async fn ten(world: &World) {
    for n in 0..10 {
        let name = ["", "ben", "Änne", "Anna", "100%_"][n % 5];
        let tags = if n % 3 == 0 { json!(["third"]) } else { json!([]) };
        let args = json!({ "email": format!("{}{n}@example.com", ["m", "M"][n % 2]), "name": name, "tags": tags });
        world.one("members.create", args).await;
        world.clock.advance(Duration::from_secs(60));
    }
}

both!(the_filters_must_all_hold_in_every_order, async |world| {
    world.without_budgets().await;
    let start = world.clock.now();
    ten(world).await;
    let at = |minutes: u64| (start + Duration::from_secs(60 * minutes)).to_string();
    let group = world.one("groups.create", json!({ "name": "Thirds" })).await["id"].clone();
    let thirds = json!({ "group": group, "filter": { "tag": "third" } });
    let job = world.ok("groups.addMembers", thirds).await["job"]["id"].clone();
    world.job(&job).await;
    let cases: [(Value, &[usize]); 17] = [
        (json!({ "group": group }), &[0, 3, 6, 9]),
        (json!({ "group": group, "createdFrom": at(3), "createdUntil": at(9), "status": "free" }), &[3, 6]),
        (json!({ "group": group, "tag": "third", "text": "anna" }), &[3]),
        (json!({ "group": group, "tag": "none" }), &[]),
        (json!({}), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (json!({ "text": "M3@" }), &[3]),
        (json!({ "text": "xampl" }), &[]),
        (json!({ "text": "ÄNNE" }), &[2, 7]),
        (json!({ "text": "anne" }), &[2, 7]),
        (json!({ "text": "a\u{308}nne" }), &[2, 7]),
        (json!({ "text": "100%_" }), &[4, 9]),
        (json!({ "tag": "Third" }), &[0, 3, 6, 9]),
        (json!({ "status": "free", "tag": "third", "text": "anna" }), &[3]),
        (json!({ "status": "paid" }), &[]),
        (json!({ "createdFrom": at(3), "createdUntil": at(6) }), &[3, 4, 5]),
        (json!({ "createdFrom": at(3), "tag": "third" }), &[3, 6, 9]),
        (json!({ "createdUntil": at(3), "text": "@example" }), &[0, 1, 2]),
    ];
    let names = |n: &usize| ["zzz", "ben", "anne", "anna", "100"][n % 5];
    for (filter, fit) in cases {
        for sort in ["createdAt", "-createdAt", "email", "name"] {
            let mut args = filter.clone();
            args["sort"] = json!(sort);
            let mut expected = fit.to_vec();
            match sort {
                "-createdAt" => expected.reverse(),
                "name" => expected.sort_by_key(|n| (names(n), *n)),
                _ => {}
            }
            let expected: Vec<_> = expected.iter().map(|n| format!("{}{n}@example.com", ["m", "M"][n % 2])).collect();
            assert_eq!(emails(&world.ok("members.list", args.clone()).await), expected, "{args}");
        }
    }
});

both!(pages_give_each_member_once_while_one_is_added, async |world| {
    world.without_budgets().await;
    ten(world).await;
    let group = world.one("groups.create", json!({ "name": "Thirds" })).await["id"].clone();
    let thirds = json!({ "group": group, "filter": { "tag": "third" } });
    let job = world.ok("groups.addMembers", thirds).await["job"]["id"].clone();
    world.job(&job).await;
    let unknown = json!({ "group": "grp_01kan8v3t0e0rt8nfkzk1s7p4qe" });
    assert_eq!(world.call(&world.key, "members.list", unknown).await.code(), "group_not_found");
    for (round, sort) in ["createdAt", "-createdAt", "email", "name"].into_iter().enumerate() {
        for filter in [
            json!({}),
            json!({ "text": "example" }),
            json!({ "tag": "third" }),
            json!({ "status": "free" }),
            json!({ "group": group }),
        ] {
            let mut args = filter.clone();
            (args["sort"], args["limit"]) = (json!(sort), json!(200));
            let all = world.ok("members.list", args.clone()).await;
            let all = emails(&all);
            args["limit"] = json!(3);
            let (mut seen, mut pages) = (Vec::new(), 0);
            loop {
                let page = world.ok("members.list", args.clone()).await;
                seen.extend(emails(&page).iter().map(|email| (*email).to_owned()));
                if pages == 1 {
                    let email = format!("m5-{round}-{}@example.com", seen.len() + all.len());
                    let new = json!({ "email": email, "name": "bea", "tags": ["third"], "groups": [group] });
                    world.one("members.create", new).await;
                }
                pages += 1;
                args["cursor"] = page["nextCursor"].clone();
                if args["cursor"].is_null() {
                    break;
                }
            }
            let once: BTreeSet<_> = seen.iter().collect();
            assert_eq!(once.len(), seen.len(), "{sort} {filter}: {seen:?}");
            seen.retain(|email| all.contains(&email.as_str()));
            assert_eq!(seen, all, "{sort} {filter}");
            assert!(pages > 1, "{sort} {filter}");
        }
    }
    let page = world.ok("members.list", json!({ "limit": 3 })).await;
    for args in [json!({ "cursor": "nonsense" }), json!({ "cursor": page["nextCursor"], "sort": "name" })] {
        assert_eq!(world.call(&world.key, "members.list", args).await.code(), "invalid_cursor");
    }
});
