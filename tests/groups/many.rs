//! Many members at once, walks through them, and calls that meet.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use usher::{
    areas::groups,
    values::{GroupId, MemberId},
};

use super::{code, emails, group, job, make_many, many, member, n_members};
both!(five_thousand_members_come_and_go_in_one_call, async |world| {
    world.without_budgets().await;
    make_many(world).await;
    let (a, b) = (group(world, "A").await, group(world, "B").await);
    let args = json!({ "group": a, "members": many(1..5001) });
    assert_eq!(
        world.ok("groups.addMembers", args.clone()).await,
        json!({ "added": 5000, "already": 0, "notFound": [] })
    );
    assert_eq!(world.ok("groups.addMembers", args).await, json!({ "added": 0, "already": 5000, "notFound": [] }));
    let seen = emails(world, &a, 200).await;
    assert_eq!(seen.len(), 5000);
    assert!(seen.is_sorted());
    let args = json!({ "from": a, "to": b, "members": many(2001..7001) });
    let reply = world.call(&world.key, "groups.moveMembers", args).await;
    let moved = reply.result();
    assert_eq!((&moved["moved"], &moved["already"], &moved["absent"]), (&json!(3000), &json!(0), &json!(1000)));
    assert_eq!(moved["notFound"].as_array().unwrap().len(), 1000);
    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
    let left = &row["changes"][0]["before"];
    assert_eq!((&left["count"], left["members"].as_array().unwrap().len()), (&json!(3000), 200));
    assert_eq!(left["membersAreCut"], true);
    let args = json!({ "group": b, "members": many(1..5001) });
    assert_eq!(world.ok("groups.removeMembers", args).await["removed"], 3000);
    assert_eq!((n_members(world, &a).await, n_members(world, &b).await), (2000, 0));
});

both!(a_filter_is_a_job_that_goes_by_the_status_as_of_now, async |world| {
    world.without_budgets().await;
    make_many(world).await;
    world.rows("UPDATE member SET deleting_since = 1 WHERE created_at <= 12").await;
    let (a, b) = (group(world, "A").await, group(world, "B").await);
    for (filter, n) in [
        (json!({ "status": "comped" }), 998),
        (json!({ "status": "paid" }), 2495),
        (json!({ "status": "free" }), 2495),
        (json!({ "tag": "Odd" }), 2994),
        (json!({ "tag": "odd", "status": "paid" }), 1497),
        (json!({ "tag": "odd", "status": "comped" }), 0),
        (json!({ "tag": "none" }), 0),
    ] {
        let ended = job(world, "groups.addMembers", json!({ "group": a, "filter": filter })).await;
        assert_eq!(ended["result"], json!({ "total": n, "done": n, "added": n, "already": 0 }), "{filter}: {ended}");
        assert_eq!(n_members(world, &a).await, n);
        let again = job(world, "groups.addMembers", json!({ "group": a, "filter": filter })).await;
        assert_eq!(again["result"], json!({ "total": n, "done": n, "added": 0, "already": n }));
        // Some are in the other group already, and only those of the first are moved.
        world.ok("groups.addMembers", json!({ "group": b, "members": many(1..1201) })).await;
        let (before, moved) = (n_members(world, &b).await, json!({ "from": a, "to": b, "filter": filter }));
        let ended = job(world, "groups.moveMembers", moved).await;
        let already = ended["result"]["already"].as_u64().unwrap();
        assert_eq!(ended["result"], json!({ "total": n, "done": n, "moved": n - already, "already": already }));
        assert_eq!((n_members(world, &a).await, n_members(world, &b).await), (0, before + n - already));
        let ended = job(world, "groups.removeMembers", json!({ "group": b, "filter": filter })).await;
        assert_eq!(ended["result"], json!({ "total": n, "done": n, "removed": n }));
        let args = json!({ "group": b, "members": many(1..1201) });
        world.ok("groups.removeMembers", args).await;
        assert_eq!(n_members(world, &b).await, 0);
    }
    let page = world.call_with(
        &world.key,
        "groups.addMembers",
        json!({ "args": { "group": a, "filter": { "tag": "odd" } } }),
        &[("prefer", "wait=30")],
    );
    assert_eq!(page.await.result()["job"]["progress"]["added"], 2994);
    let dry = json!({ "args": { "group": b, "filter": { "tag": "odd" } }, "dryRun": true });
    let dry = world.call_with(&world.key, "groups.addMembers", dry, &[]).await;
    assert_eq!(dry.json()["changes"][0]["kind"], "job");
    assert_eq!(n_members(world, &b).await, 0);
});

both!(a_cancelled_walk_keeps_what_it_did_and_goes_on_from_there, async |world| {
    world.without_budgets().await;
    make_many(world).await;
    world
        .rows(
            "INSERT INTO member (site, id, email, email_key, name_key, status, created_at, updated_at)
             SELECT m.site, m.id || '_' || t.tag || k.n, k.n || m.email, k.n || m.email_key, '', 'free', 1, 1
             FROM member m JOIN member_tag t ON t.site = m.site AND t.member_id = m.id
             CROSS JOIN (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6
                         UNION SELECT 7 UNION SELECT 8) k",
        )
        .await;
    let a = group(world, "A").await;
    let args = json!({ "group": a, "filter": { "status": "free" } });
    let id = world.ok("groups.addMembers", args).await["job"]["id"].clone();
    while world.ok("jobs.get", json!({ "job": id })).await["job"]["progress"]["added"].as_u64().unwrap_or(0) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.ok("jobs.cancel", json!({ "job": id })).await;
    let cancelled = world.job(&id).await;
    assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
    let done = cancelled["progress"]["added"].as_u64().unwrap();
    assert!(0 < done && done < 26_500, "{done}");
    assert_eq!(cancelled["progress"]["total"], 26_500);
    assert_eq!(n_members(world, &a).await, done);
    world.ok("jobs.retry", json!({ "job": id })).await;
    let ended = world.job(&id).await;
    assert_eq!(ended["result"], json!({ "total": 26_500, "done": 26_500, "added": 26_500, "already": 0 }));

    // So does a deletion, and what it has left of the group is nobody's meanwhile.
    let places = async || world.rows("SELECT group_id FROM group_place").await.len() as u64;
    let id = world.ok("groups.delete", json!({ "group": a })).await["job"]["id"].clone();
    while world.ok("jobs.get", json!({ "job": id })).await["job"]["progress"]["done"].as_u64().unwrap_or(0) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.ok("jobs.cancel", json!({ "job": id })).await;
    let cancelled = world.job(&id).await;
    assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
    let left = 26_500 - cancelled["progress"]["done"].as_u64().unwrap();
    assert!(left > 0);
    assert_eq!(places().await, left);
    assert_eq!(code(world, "groups.listMembers", json!({ "group": a })).await, "group_not_found");
    let again = world.ok("groups.delete", json!({ "group": a })).await;
    assert_eq!((&again["group"]["memberCount"], &again["job"]["status"]), (&json!(left), &json!("queued")));
    assert_eq!(world.job(&again["job"]["id"]).await["result"], json!({ "places": left }));
    assert_eq!(places().await, 0);
    assert_eq!(code(world, "groups.delete", json!({ "group": a })).await, "group_not_found");
});

both!(a_group_that_is_deleted_is_gone_at_once_and_its_members_stay, async |world| {
    world.without_budgets().await;
    make_many(world).await;
    let (a, keep) = (group(world, "Team").await, group(world, "Keep").await);
    for group in [&a, &keep] {
        world.ok("groups.addMembers", json!({ "group": group, "members": many(1..3001) })).await;
    }
    let before = world.one("groups.get", json!({ "group": a })).await;
    let body = json!({ "args": { "group": a }, "dryRun": true });
    let dry = world.call_with(&world.key, "groups.delete", body, &[]).await;
    assert_eq!(dry.result()["group"], before);
    assert_eq!(dry.json()["changes"][0]["before"], before);
    assert_eq!(world.one("groups.get", json!({ "group": a })).await, before);

    let deleted = world.ok("groups.delete", json!({ "group": a })).await;
    assert_eq!(deleted["group"], before);
    let anna = json!([{ "email": "m100001@example.com" }]);
    for (tool, args) in [
        ("groups.get", json!({ "group": a })),
        ("groups.update", json!({ "group": a, "name": "New" })),
        ("groups.listMembers", json!({ "group": a })),
        ("groups.addMembers", json!({ "group": a, "members": anna })),
        ("groups.addMembers", json!({ "group": a, "filter": { "tag": "odd" } })),
        ("groups.removeMembers", json!({ "group": a, "members": anna })),
        ("groups.moveMembers", json!({ "from": a, "to": keep, "members": anna })),
        ("groups.moveMembers", json!({ "from": keep, "to": a, "members": anna })),
        ("members.create", json!({ "email": "new@example.com", "groups": [a] })),
    ] {
        assert_eq!(code(world, tool, args).await, "group_not_found", "{tool}");
    }
    let namesake = group(world, "team").await;
    assert_eq!(world.job(&deleted["job"]["id"]).await["result"], json!({ "places": 3000 }));
    assert_eq!((n_members(world, &keep).await, n_members(world, &namesake).await), (3000, 0));
    assert_eq!(world.rows("SELECT id FROM member").await.len(), 6000);
    let rest = world.rows("SELECT DISTINCT group_id FROM group_place").await;
    assert_eq!(rest, [keep.as_str().unwrap()]);
    let list = world.ok("groups.list", json!({ "member": anna[0] })).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
});

both!(no_place_outlives_its_group_whoever_adds_meanwhile, async |world| {
    world.without_budgets().await;
    make_many(world).await;
    let world = &*world;
    for round in 0..5 {
        let a = group(world, &format!("{round}")).await;
        let add = |n: u32| {
            let args = json!({ "group": a, "members": many(1 + n * 100..1 + n * 100 + 300) });
            world.call(&world.key, "groups.addMembers", args)
        };
        let delete = async {
            tokio::time::sleep(Duration::from_millis(3 * round)).await;
            world.ok("groups.delete", json!({ "group": a })).await["job"]["id"].clone()
        };
        let (replies, id) = tokio::join!(join_all((0..10).map(add)), delete);
        for reply in replies {
            assert!(reply.json()["ok"] == true || reply.code() == "group_not_found", "{}", reply.text);
        }
        assert_eq!(world.job(&id).await["status"], "succeeded");
        assert_eq!(world.rows("SELECT group_id FROM group_place").await, Vec::<String>::new());
        assert_eq!(world.rows("SELECT id FROM member_group").await, Vec::<String>::new());
    }
});

both!(calls_about_the_same_members_do_not_lock_each_other_out, async |world| {
    world.without_budgets().await;
    make_many(world).await;
    let (a, b) = (group(world, "A").await, group(world, "B").await);
    world.ok("groups.addMembers", json!({ "group": a, "members": many(1..401) })).await;
    world.ok("groups.addMembers", json!({ "group": b, "members": many(401..801) })).await;
    let world = &*world;
    let calls = (0..24).map(|n| {
        let (from, to) = if n % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let mut members = many(1..801);
        if n % 3 == 0 {
            members.reverse();
        }
        world.call(&world.key, "groups.moveMembers", json!({ "from": from, "to": to, "members": members }))
    });
    for reply in join_all(calls).await {
        let counts = reply.result();
        assert_eq!((&counts["already"], &counts["notFound"]), (&json!(0), &json!([])), "{counts}");
    }
    let (in_a, in_b) = (emails(world, &a, 200).await, emails(world, &b, 200).await);
    assert_eq!(in_a.len() + in_b.len(), 800);
    assert_eq!(in_a.iter().chain(&in_b).collect::<BTreeSet<_>>().len(), 800);

    let calls = (0..24).map(|n| {
        let mut members = many(1..801);
        if n % 2 == 0 {
            members.reverse();
        }
        let args = json!({ "group": a, "members": members });
        let moved = json!({ "from": a, "to": b, "members": members });
        async move {
            match n % 4 {
                0 | 1 => world.ok("groups.addMembers", args).await,
                2 => world.ok("groups.removeMembers", args).await,
                _ => world.ok("groups.moveMembers", moved).await,
            }
        }
    });
    for counts in join_all(calls).await {
        let sum: u64 =
            ["added", "already", "removed", "moved", "absent"].iter().filter_map(|n| counts[n].as_u64()).sum();
        assert_eq!(sum, 800, "{counts}");
    }
});

both!(who_is_being_deleted_gets_no_place, async |world| {
    world.without_budgets().await;
    let (a, b) = (group(world, "A").await, group(world, "B").await);
    let (anna, ben) = (member(world, "anna@example.com").await, member(world, "ben@example.com").await);
    let both = json!([{ "id": anna }, { "id": ben }]);
    world.ok("groups.addMembers", json!({ "group": a, "members": both })).await;
    world.rows("UPDATE member SET deleting_since = 1 WHERE email = 'anna@example.com'").await;
    let gone = json!([{ "id": anna }]);
    let added = world.ok("groups.addMembers", json!({ "group": b, "members": both })).await;
    assert_eq!(added, json!({ "added": 1, "already": 0, "notFound": gone }));
    let moved = world.ok("groups.moveMembers", json!({ "from": a, "to": b, "members": both })).await;
    assert_eq!(moved, json!({ "moved": 0, "already": 1, "absent": 0, "notFound": gone }));
    assert_eq!(emails(world, &a, 50).await, ["anna@example.com"]);

    // A job of another area that goes through a group does not meet her either.
    world.ok("groups.addMembers", json!({ "group": a, "members": [{ "id": ben }] })).await;
    let (site, id) = (world.site.id, GroupId::parse(a.as_str().unwrap()).unwrap());
    let db = &world.app.db;
    let seen = groups::store::members_after(db.read(), site, &id, "", 10).await.unwrap();
    assert_eq!(seen.iter().map(MemberId::as_str).collect::<Vec<_>>(), [ben.as_str().unwrap()]);
    assert_eq!(groups::store::members_after(db.read(), site, &id, seen[0].as_str(), 10).await.unwrap(), []);
    assert_eq!(groups::store::count(db.read(), site, &id).await.unwrap(), 2);

    let removed = world.ok("groups.removeMembers", json!({ "group": a, "members": both })).await;
    assert_eq!(removed["removed"], 2);
});

both!(a_member_is_made_into_groups, async |world| {
    world.without_budgets().await;
    let (a, b) = (group(world, "A").await, group(world, "B").await);
    let unknown = "grp_01kan8v3t0e0rt8nfkzk1s7p4qe";
    let args = json!({ "email": "anna@example.com", "groups": [a, unknown] });
    assert_eq!(code(world, "members.create", args).await, "group_not_found");
    assert_eq!(world.rows("SELECT id FROM member").await, Vec::<String>::new());
    assert_eq!(n_members(world, &a).await, 0);
    let args = json!({ "email": "anna@example.com", "groups": [b, a, b] });
    let reply = world.call(&world.key, "members.create", args).await;
    let made = reply.one();
    for group in [&a, &b] {
        assert_eq!(emails(world, group, 50).await, ["anna@example.com"]);
    }
    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
    let changes = row["changes"].as_array().unwrap();
    assert_eq!((changes.len(), &changes[1]["after"]["members"]), (3, &json!([made["id"]])));
    let invented = json!({ "email": "b@example.com", "groups": ["grp_1"] });
    assert_eq!(code(world, "members.create", invented).await, "invalid_id");
});
