//! Videos: what they are called, whom they are for, whether they are shown, and how far each member got.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use usher::values::PlanId;

use crate::harness::World;

const PLANS: [&str; 2] = ["pln_01kan8v3t0e0rt8nfkzk1s7p4qq", "pln_01kan8v3t0e0rt8nfkzk1s7p4ro"];

async fn make(world: &World, args: Value) -> Value {
    world.one("videos.create", args).await
}

async fn code(world: &World, tool: &str, args: Value) -> String {
    let reply = world.call(&world.key, tool, args).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.code()
}

async fn invalid(world: &World, tool: &str, args: Value, path: &str) {
    let reply = world.call(&world.key, tool, args).await;
    reply.is_refused_for_arguments();
    assert_eq!(reply.json()["fields"][0]["path"], path, "{}", reply.text);
}

async fn titles(world: &World, mut args: Value) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = world.ok("videos.list", args.clone()).await;
        all.extend(page["items"].as_array().unwrap().iter().map(|video| video["title"].as_str().unwrap().to_owned()));
        let Some(cursor) = page.get("nextCursor") else { return all };
        args["cursor"] = cursor.clone();
    }
}

both!(a_new_video_is_for_members_and_not_shown, async |world| {
    let reply = world.call(&world.key, "videos.create", json!({ "title": " Öl & Pinsel! " })).await;
    let made = reply.one();
    let now = world.clock.now().to_string();
    let expected = json!({
        "id": made["id"], "title": "Öl & Pinsel!", "slug": "ol-pinsel", "level": "members", "allowedPlans": [],
        "visibility": "unpublished", "createdAt": now, "updatedAt": now
    });
    assert_eq!(made, expected);
    assert_eq!(world.one("videos.get", json!({ "video": made["id"] })).await, expected);
    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
    assert_eq!((&row["changes"][0]["kind"], &row["changes"][0]["after"]), (&json!("video"), &expected));
    let unknown = json!({ "video": "vid_01kan8v3t0e0rt8nfkzk1s7p4qs" });
    assert_eq!(code(world, "videos.get", unknown).await, "video_not_found");
});

both!(a_slug_is_one_videos_alone, async |world| {
    world.without_budgets().await;
    let first = make(world, json!({ "title": "Lesson" })).await;
    assert_eq!(first["slug"], "lesson");
    assert_eq!(make(world, json!({ "title": "LESSON" })).await["slug"], "lesson-2");
    assert_eq!(make(world, json!({ "title": "Lesson 4", "slug": "lesson-3" })).await["slug"], "lesson-3");
    assert_eq!(make(world, json!({ "title": "Lesson?" })).await["slug"], "lesson-4");
    // A title without letters has the slug of its id, and a long one room for a number.
    let nameless = make(world, json!({ "title": "日本" })).await;
    assert_eq!(nameless["slug"], nameless["id"].as_str().unwrap().replace('_', "-"));
    let long = "a".repeat(200);
    assert_eq!(make(world, json!({ "title": long })).await["slug"], "a".repeat(80));
    assert_eq!(make(world, json!({ "title": long })).await["slug"], format!("{}-2", "a".repeat(80)));

    assert_eq!(code(world, "videos.create", json!({ "title": "Other", "slug": "lesson" })).await, "slug_taken");
    let other = make(world, json!({ "title": "Other" })).await;
    let args = json!({ "video": other["id"], "slug": "lesson", "title": "New" });
    assert_eq!(code(world, "videos.update", args).await, "slug_taken");
    assert_eq!(world.one("videos.get", json!({ "video": other["id"] })).await, other);
    world.clock.advance(Duration::from_secs(5));
    let args = json!({ "video": other["id"], "slug": "other", "title": "Other" });
    assert_eq!(world.one("videos.update", args).await, other);
    let after = world.one("videos.update", json!({ "video": other["id"], "title": "New" })).await;
    assert_eq!((&after["title"], &after["slug"]), (&json!("New"), &json!("other")));
    assert_eq!(after["updatedAt"], json!(world.clock.now().to_string()));
    let after = world.one("videos.update", json!({ "video": other["id"], "slug": "fresh" })).await;
    assert_eq!((&after["title"], &after["slug"]), (&json!("New"), &json!("fresh")));
    for slug in ["Lesson", "a--b", "-a", "a-", "a b", "", "ä"] {
        invalid(world, "videos.create", json!({ "title": "X", "slug": slug }), "args.slug").await;
    }
    for title in ["", "  ", "a\nb"] {
        invalid(world, "videos.create", json!({ "title": title }), "args.title").await;
    }
});

both!(of_many_who_want_a_slug_at_once_one_has_it, async |world| {
    world.without_budgets().await;
    let world = &*world;
    let made = join_all((0..10).map(|_| make(world, json!({ "title": "Intro" })))).await;
    let slugs: BTreeSet<_> = made.iter().map(|video| video["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs.len(), 10, "{slugs:?}");
    assert!(slugs.contains("intro") && slugs.contains("intro-10"), "{slugs:?}");
    let won = |replies: Vec<crate::harness::Reply>| {
        let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.json()["ok"] == true);
        lost.iter().for_each(|reply| assert_eq!(reply.failure(), (200, "slug_taken".into()), "{}", reply.text));
        won.len()
    };
    let args = json!({ "title": "Best", "slug": "best" });
    assert_eq!(won(join_all((0..10).map(|_| world.call(&world.key, "videos.create", args.clone()))).await), 1);
    let renames = made
        .iter()
        .map(|video| world.call(&world.key, "videos.update", json!({ "video": video["id"], "slug": "top" })));
    assert_eq!(won(join_all(renames).await), 1);
});

both!(only_a_video_for_members_is_limited_to_plans, async |world| {
    world.without_budgets().await;
    for (id, name) in PLANS.into_iter().zip(["A", "B"]) {
        world.plan(&PlanId::parse(id).expect("an id"), name).await;
    }
    let args = json!({ "title": "L", "allowedPlans": [PLANS[1], PLANS[0], PLANS[1]] });
    let made = make(world, args).await;
    assert_eq!(made["allowedPlans"], json!(PLANS));
    let video = made["id"].clone();
    assert_eq!(world.ok("videos.list", json!({})).await["items"][0], made);
    let unknown = "pln_01kan8v3t0e0rt8nfkzk1s7p4sm";
    for (tool, args) in [
        ("videos.create", json!({ "title": "X", "allowedPlans": [PLANS[0], unknown] })),
        ("videos.setAccess", json!({ "video": video, "level": "members", "allowedPlans": [unknown] })),
    ] {
        let reply = world.call(&world.key, tool, args).await;
        assert_eq!(reply.failure(), (200, "plan_not_found".into()));
        assert!(reply.json()["error"].as_str().unwrap().contains(unknown), "{}", reply.text);
    }
    for level in ["free", "bundle"] {
        let args = json!({ "video": video, "level": level, "allowedPlans": [PLANS[0]] });
        invalid(world, "videos.setAccess", args, "args.allowedPlans").await;
        let args = json!({ "title": "X", "level": level, "allowedPlans": [PLANS[0]] });
        invalid(world, "videos.create", args, "args.allowedPlans").await;
    }
    assert_eq!(world.one("videos.get", json!({ "video": video })).await, made);

    world.clock.advance(Duration::from_secs(5));
    let same = json!({ "video": video, "level": "members", "allowedPlans": [PLANS[1], PLANS[0]] });
    assert_eq!(world.one("videos.setAccess", same).await, made);
    let one = json!({ "video": video, "level": "members", "allowedPlans": [PLANS[1]] });
    let after = world.one("videos.setAccess", one).await;
    assert_eq!(after["allowedPlans"], json!([PLANS[1]]));
    assert_eq!(after["updatedAt"], json!(world.clock.now().to_string()));
    let after = world.one("videos.setAccess", json!({ "video": video, "level": "bundle" })).await;
    assert_eq!((&after["level"], &after["allowedPlans"]), (&json!("bundle"), &json!([])));
    assert_eq!(world.rows("SELECT plan_id FROM video_plan").await, Vec::<String>::new());
    assert_eq!(titles(world, json!({})).await, ["L"]);
    // Another site's plan is none.
    let (_, stranger) = world.other_site("Second", None).await;
    let reply = world.call(&stranger, "videos.create", json!({ "title": "X", "allowedPlans": [PLANS[0]] })).await;
    assert_eq!(reply.failure(), (200, "plan_not_found".into()));
});

both!(only_a_scheduled_video_has_moments, async |world| {
    world.without_budgets().await;
    let (from, until) = ("2026-12-01T08:00:00.000Z", "2026-12-24T08:00:00.000Z");
    let made = make(world, json!({ "title": "L", "visibility": "scheduled", "until": until })).await;
    assert_eq!((made.get("visibleFrom"), &made["visibleUntil"]), (None, &json!(until)));
    let video = made["id"].clone();
    let set = |more: Value| {
        let mut args = json!({ "video": video });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    };
    for (args, path) in [
        (json!({ "visibility": "scheduled" }), "args.from"),
        (json!({ "visibility": "published", "from": from }), "args.from"),
        (json!({ "visibility": "hidden", "until": until }), "args.until"),
        (json!({ "visibility": "scheduled", "from": until, "until": from }), "args.until"),
        (json!({ "visibility": "scheduled", "from": from, "until": from }), "args.until"),
        (json!({ "visibility": "scheduled", "from": "tomorrow" }), "args.from"),
    ] {
        invalid(world, "videos.setVisibility", set(args.clone()), path).await;
        let mut new = args;
        new["title"] = json!("X");
        invalid(world, "videos.create", new, path).await;
    }
    let both = json!({ "visibility": "scheduled", "from": "2026-12-01T09:00:00+01:00", "until": until });
    let after = world.one("videos.setVisibility", set(both)).await;
    assert_eq!((&after["visibleFrom"], &after["visibleUntil"]), (&json!(from), &json!(until)));
    let after = world.one("videos.setVisibility", set(json!({ "visibility": "scheduled", "from": from }))).await;
    assert_eq!((&after["visibleFrom"], after.get("visibleUntil")), (&json!(from), None));
    // Nothing of a schedule is left once it is over with.
    let after = world.one("videos.setVisibility", set(json!({ "visibility": "published" }))).await;
    assert_eq!((after.get("visibleFrom"), after.get("visibleUntil")), (None, None));
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.one("videos.setVisibility", set(json!({ "visibility": "published" }))).await, after);
});

both!(videos_are_listed_newest_first_by_what_they_are, async |world| {
    world.without_budgets().await;
    let mut ids = Vec::new();
    for n in 0..6 {
        let (level, visibility) = (["free", "members", "bundle"][n % 3], ["published", "hidden"][n % 2]);
        let args = json!({ "title": format!("Nr. {n} 100%"), "level": level, "visibility": visibility });
        ids.push(make(world, args).await["id"].clone());
    }
    let bundle = world.one("bundles.create", json!({ "name": "B" })).await["id"].clone();
    world.ok("bundles.addVideos", json!({ "bundle": bundle, "videos": [ids[0], ids[3], ids[4]] })).await;
    for (args, expected) in [
        (json!({ "limit": 4 }), &[5, 4, 3, 2, 1, 0][..]),
        (json!({ "limit": 1, "level": "members" }), &[4, 1]),
        (json!({ "limit": 2, "visibility": "hidden" }), &[5, 3, 1]),
        (json!({ "limit": 2, "bundle": bundle }), &[4, 3, 0]),
        (json!({ "bundle": bundle, "level": "free", "visibility": "published" }), &[0]),
        (json!({ "text": "NR. 3" }), &[3]),
        (json!({ "text": "nr-3" }), &[3]),
        (json!({ "text": "100%" }), &[5, 4, 3, 2, 1, 0]),
        (json!({ "text": "r_" }), &[]),
    ] {
        let expected: Vec<_> = expected.iter().map(|n| format!("Nr. {n} 100%")).collect();
        assert_eq!(titles(world, args.clone()).await, expected, "{args}");
    }
    let none = json!({ "bundle": "bun_01kan8v3t0e0rt8nfkzk1s7p4qi" });
    assert_eq!(code(world, "videos.list", none).await, "bundle_not_found");
    assert_eq!(code(world, "videos.list", json!({ "cursor": "nonsense" })).await, "invalid_cursor");
});

both!(the_furthest_position_and_the_first_completion_are_kept, async |world| {
    world.without_budgets().await;
    let member = world.one("members.create", json!({ "email": "anna@example.com" })).await["id"].clone();
    let video = make(world, json!({ "title": "L" })).await["id"].clone();
    let record = |position: u32, completed: bool| {
        let args = json!({ "member": { "id": member }, "video": video, "positionS": position, "completed": completed });
        world.one("videos.recordWatch", args)
    };
    let begun = world.clock.now().to_string();
    let first = record(300, false).await;
    let expected = json!({ "member": member, "video": video, "positionS": 300, "furthestS": 300,
                           "createdAt": begun, "updatedAt": begun });
    assert_eq!(first, expected);
    world.clock.advance(Duration::from_secs(60));
    let completed = world.clock.now().to_string();
    let back = record(10, true).await;
    assert_eq!((&back["positionS"], &back["furthestS"]), (&json!(10), &json!(300)));
    assert_eq!((&back["completedAt"], &back["createdAt"]), (&json!(completed), &json!(begun)));
    world.clock.advance(Duration::from_secs(60));
    let again = record(604_800, true).await;
    assert_eq!((&again["furthestS"], &again["completedAt"]), (&json!(604_800), &json!(completed)));
    let later = record(0, false).await;
    assert_eq!((&later["positionS"], &later["completedAt"]), (&json!(0), &json!(completed)));
    assert_eq!(later["updatedAt"], json!(world.clock.now().to_string()));

    let args = json!({ "member": { "id": member }, "video": video, "positionS": 604_801 });
    invalid(world, "videos.recordWatch", args, "args.positionS").await;
    let args = json!({ "member": { "email": "b@example.com" }, "video": video, "positionS": 1 });
    assert_eq!(code(world, "videos.recordWatch", args).await, "member_not_found");
    let args = json!({ "member": { "id": member }, "video": "vid_01kan8v3t0e0rt8nfkzk1s7p4qs", "positionS": 1 });
    assert_eq!(code(world, "videos.recordWatch", args).await, "video_not_found");

    // A player and another one at once.
    let other = make(world, json!({ "title": "M" })).await["id"].clone();
    let calls = (1..=10).map(|n| {
        let args = json!({ "member": { "id": member }, "video": other, "positionS": n * 10, "completed": n == 5 });
        world.one("videos.recordWatch", args)
    });
    join_all(calls).await;
    let args = json!({ "member": { "id": member }, "video": other, "positionS": 1 });
    let last = world.one("videos.recordWatch", args).await;
    assert_eq!((&last["furthestS"], last["completedAt"].is_string()), (&json!(100), true));
    world.rows("UPDATE member SET deleting_since = 1").await;
    let args = json!({ "member": { "id": member }, "video": video, "positionS": 1 });
    assert_eq!(code(world, "videos.recordWatch", args).await, "member_deleting");
});

both!(what_was_watched_is_listed_by_video_and_by_member, async |world| {
    world.without_budgets().await;
    let (mut videos, mut members) = (Vec::new(), Vec::new());
    for n in 0..3 {
        world.clock.advance(std::time::Duration::from_secs(1));
        videos.push(world.one("videos.create", json!({ "title": format!("Lesson {n}") })).await["id"].clone());
        let args = json!({ "email": format!("m{n}@example.com"), "name": format!("N{n}") });
        members.push(world.one("members.create", args).await["id"].clone());
    }
    for (member, video, position, completed) in
        [(0, 0, 10, false), (0, 1, 300, true), (1, 0, 20, true), (2, 0, 5, false)]
    {
        let args = json!({
            "member": { "id": members[member] }, "video": videos[video], "positionS": position, "completed": completed,
        });
        world.one("videos.recordWatch", args).await;
    }
    let by = |items: &serde_json::Value, field: &str| {
        items.as_array().unwrap().iter().map(|one| one[field].clone()).collect::<Vec<_>>()
    };
    let page = world.ok("videos.watchProgress", json!({ "video": videos[0], "limit": 2 })).await;
    assert_eq!(by(&page["items"], "member"), [members[2].clone(), members[1].clone()]);
    assert_eq!(page["counts"], json!({ "started": 3, "completed": 1 }));
    let one = &page["items"][1];
    assert_eq!(
        (&one["memberEmail"], &one["memberName"], &one["videoTitle"]),
        (&json!("m1@example.com"), &json!("N1"), &json!("Lesson 0"))
    );
    assert_eq!((&one["positionS"], &one["furthestS"], one["completedAt"].is_string()), (&json!(20), &json!(20), true));
    let args = json!({ "video": videos[0], "limit": 2, "cursor": page["nextCursor"] });
    let last = world.ok("videos.watchProgress", args).await;
    assert_eq!(
        (by(&last["items"], "member"), last.get("counts"), last.get("nextCursor")),
        (vec![members[0].clone()], None, None)
    );
    for (completed, n) in [(true, 1), (false, 2)] {
        let args = json!({ "video": videos[0], "completed": completed });
        assert_eq!(world.ok("videos.watchProgress", args).await["items"].as_array().unwrap().len(), n);
    }
    let of_one = world.ok("videos.watchProgress", json!({ "member": { "email": "m0@example.com" } })).await;
    assert_eq!(by(&of_one["items"], "video"), [videos[1].clone(), videos[0].clone()]);
    assert_eq!(of_one["counts"], json!({ "started": 2, "completed": 1 }));
    let both = json!({ "member": { "id": members[0] }, "video": videos[0] });
    let single = world.ok("videos.watchProgress", both.clone()).await;
    assert_eq!((&single["items"][0]["positionS"], single["items"].as_array().unwrap().len()), (&json!(10), 1));
    for (args, n) in [
        (json!({ "member": { "id": members[0] }, "video": videos[2] }), 0),
        (json!({ "member": { "id": members[0] }, "video": videos[0], "completed": true }), 0),
        (json!({ "member": { "id": members[0] }, "video": videos[1], "completed": true }), 1),
    ] {
        assert_eq!(world.ok("videos.watchProgress", args).await["items"].as_array().unwrap().len(), n);
    }
    // Who may not read members sees ids only.
    let blind = world.key_with(&[usher::tools::Scope::VideosRead]).await;
    let seen = world.call(&blind, "videos.watchProgress", json!({ "video": videos[0] })).await;
    assert!(!seen.text.contains("m1@") && !seen.text.contains("N1"), "{}", seen.text);
    world.call(&world.key, "videos.watchProgress", json!({})).await.is_refused_for_arguments();
});
