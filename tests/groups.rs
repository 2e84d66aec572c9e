//! Groups, who is in them, and who comes and goes.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use usher::{
    areas::groups,
    values::{GroupId, MemberId},
};

use crate::harness::World;

async fn group(world: &World, name: &str) -> Value {
    world.ok("groups.create", json!({ "name": name })).await["id"].clone()
}

async fn member(world: &World, email: &str) -> Value {
    world.ok("members.create", json!({ "email": email })).await["id"].clone()
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
    world.ok("groups.get", json!({ "group": group })).await["members"].as_u64().unwrap()
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
    let made = world.ok("groups.create", json!({ "name": " Straße ", "description": " all " })).await;
    assert_eq!((&made["name"], &made["description"], &made["members"]), (&json!("Straße"), &json!("all"), &json!(0)));
    assert_eq!(world.ok("groups.get", json!({ "group": made["id"] })).await, made);
    let reply = world.call(&world.key, "groups.create", json!({ "name": "STRAßE" })).await;
    assert_eq!(reply.failure(), (200, "group_exists".into()));
    assert!(reply.json()["error"].as_str().unwrap().contains(made["id"].as_str().unwrap()), "{}", reply.text);
    assert_eq!(reply.json()["fix"]["args"]["group"], made["id"]);

    world.clock.advance(Duration::from_secs(5));
    let other = group(world, "Other").await;
    assert_eq!(code(world, "groups.update", json!({ "group": other, "name": "straße" })).await, "group_exists");
    let same = world.ok("groups.update", json!({ "group": made["id"], "name": "Straße", "description": "all" })).await;
    assert_eq!(same, made);
    let reply =
        world.call(&world.key, "groups.update", json!({ "group": made["id"], "name": "STRAßE", "description": "" }));
    let reply = reply.await;
    let after = reply.result();
    assert_eq!((&after["name"], after.get("description")), (&json!("STRAßE"), None));
    assert_eq!(after["updatedAt"], json!(world.clock.now().to_string()));
    let row = world.ok("activity.get", json!({ "id": reply.header("x-request-id") })).await;
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
        assert_eq!(reply.json()["fix"]["args"]["group"], made.result()["id"]);
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
    let row = world.ok("activity.get", json!({ "id": one.header("x-request-id") })).await;
    assert_eq!(row["memberId"], ids[0]);
    let of_anna = world.ok("groups.list", json!({ "member": { "email": "anna@example.com" } })).await;
    let names: Vec<_> = of_anna["items"].as_array().unwrap().iter().map(|group| group["name"].clone()).collect();
    assert_eq!(names, ["B", "A"]);
    let stranger = json!({ "member": { "email": "nobody@example.com" } });
    assert_eq!(code(world, "groups.list", stranger).await, "member_not_found");

    let all: Vec<_> = ids.iter().map(|id| json!({ "id": id })).chain([nobody.clone()]).collect();
    world.clock.advance(Duration::from_secs(5));
    let reply = world.call(&world.key, "groups.moveMembers", json!({ "from": a, "to": b, "members": all })).await;
    assert_eq!(reply.result(), json!({ "moved": 2, "already": 1, "absent": 2, "notFound": [nobody] }));
    let row = world.ok("activity.get", json!({ "id": reply.header("x-request-id") })).await;
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
    let theirs = world.call(&stranger, "groups.create", json!({ "name": "A" })).await.result();
    assert_eq!(code(world, "groups.get", json!({ "group": theirs["id"] })).await, "group_not_found");
    let ours = json!({ "group": theirs["id"], "members": anna });
    let reply = world.call(&stranger, "groups.addMembers", ours).await;
    assert_eq!(reply.result(), json!({ "added": 0, "already": 0, "notFound": anna }));
});

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
    let row = world.ok("activity.get", json!({ "id": reply.header("x-request-id") })).await;
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
    while world.ok("jobs.get", json!({ "id": id })).await["job"]["progress"]["added"].as_u64().unwrap_or(0) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.ok("jobs.cancel", json!({ "id": id })).await;
    let cancelled = world.job(&id).await;
    assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
    let done = cancelled["progress"]["added"].as_u64().unwrap();
    assert!(0 < done && done < 26_500, "{done}");
    assert_eq!(cancelled["progress"]["total"], 26_500);
    assert_eq!(n_members(world, &a).await, done);
    world.ok("jobs.retry", json!({ "id": id })).await;
    let ended = world.job(&id).await;
    assert_eq!(ended["result"], json!({ "total": 26_500, "done": 26_500, "added": 26_500, "already": 0 }));

    // So does a deletion, and what it has left of the group is nobody's meanwhile.
    let places = async || world.rows("SELECT group_id FROM group_place").await.len() as u64;
    let id = world.ok("groups.delete", json!({ "group": a })).await["job"]["id"].clone();
    while world.ok("jobs.get", json!({ "id": id })).await["job"]["progress"]["done"].as_u64().unwrap_or(0) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.ok("jobs.cancel", json!({ "id": id })).await;
    let cancelled = world.job(&id).await;
    assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
    let left = 26_500 - cancelled["progress"]["done"].as_u64().unwrap();
    assert!(left > 0);
    assert_eq!(places().await, left);
    assert_eq!(code(world, "groups.listMembers", json!({ "group": a })).await, "group_not_found");
    let again = world.ok("groups.delete", json!({ "group": a })).await;
    assert_eq!((&again["group"]["members"], &again["job"]["status"]), (&json!(left), &json!("queued")));
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
    let before = world.ok("groups.get", json!({ "group": a })).await;
    let body = json!({ "args": { "group": a }, "dryRun": true });
    let dry = world.call_with(&world.key, "groups.delete", body, &[]).await;
    assert_eq!(dry.result()["group"], before);
    assert_eq!(dry.json()["changes"][0]["before"], before);
    assert_eq!(world.ok("groups.get", json!({ "group": a })).await, before);

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
    let made = reply.result();
    for group in [&a, &b] {
        assert_eq!(emails(world, group, 50).await, ["anna@example.com"]);
    }
    let row = world.ok("activity.get", json!({ "id": reply.header("x-request-id") })).await;
    let changes = row["changes"].as_array().unwrap();
    assert_eq!((changes.len(), &changes[1]["after"]["members"]), (3, &json!([made["id"]])));
    let invented = json!({ "email": "b@example.com", "groups": ["grp_1"] });
    assert_eq!(code(world, "members.create", invented).await, "invalid_id");
});
