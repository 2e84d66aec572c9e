//! Comments, and the cap on what a site deletes in a day.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::World;

struct Scene {
    members: Vec<Value>,
    videos: Vec<Value>,
}

/// Two members and two videos.
async fn scene(world: &mut World) -> Scene {
    world.without_budgets().await;
    let (mut members, mut videos) = (Vec::new(), Vec::new());
    for name in ["anna", "ben"] {
        let made = world.one("members.create", json!({ "email": format!("{name}@example.com") })).await;
        members.push(made["id"].clone());
        videos.push(world.one("videos.create", json!({ "title": name })).await["id"].clone());
    }
    Scene { members, videos }
}

async fn write(world: &World, member: &Value, video: &Value, text: &str) -> Value {
    world.one("comments.create", json!({ "member": { "id": member }, "video": video, "text": text })).await
}

async fn code(world: &World, tool: &str, args: Value) -> String {
    let reply = world.call(&world.key, tool, args).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.code()
}

async fn texts(world: &World, mut args: Value) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = world.ok("comments.list", args.clone()).await;
        all.extend(page["items"].as_array().unwrap().iter().map(|item| item["text"].as_str().unwrap().to_owned()));
        let Some(cursor) = page.get("nextCursor") else { return all };
        args["cursor"] = cursor.clone();
    }
}

both!(a_comment_is_written_listed_and_deleted, async |world| {
    let Scene { members, videos } = scene(world).await;
    let first = write(world, &members[0], &videos[0], "  one\n<b> ").await;
    let now = world.clock.now().to_string();
    let expected = json!({ "id": first["id"], "video": videos[0], "member": members[0], "text": "one\n<b>",
                           "createdAt": now });
    assert_eq!(first, expected);
    for (member, video, text) in [(0, 1, "two"), (1, 0, "three"), (1, 1, "four"), (0, 0, "five")] {
        write(world, &members[member], &videos[video], text).await;
    }
    for (args, expected) in [
        (json!({ "limit": 2 }), &["five", "four", "three", "two", "one\n<b>"][..]),
        (json!({ "limit": 1, "video": videos[0] }), &["five", "three", "one\n<b>"]),
        (json!({ "limit": 2, "member": { "email": "ANNA@example.com" } }), &["five", "two", "one\n<b>"]),
        (json!({ "limit": 1, "member": { "id": members[1] }, "video": videos[1] }), &["four"]),
    ] {
        assert_eq!(texts(world, args.clone()).await, expected, "{args}");
    }
    let reply = world.call(&world.key, "comments.delete", json!({ "comment": first["id"] })).await;
    assert_eq!(reply.one(), first);
    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
    assert_eq!((&row["member"], &row["changes"][0]["before"]), (&members[0], &first));
    assert_eq!(code(world, "comments.delete", json!({ "comment": first["id"] })).await, "comment_not_found");
    assert_eq!(texts(world, json!({})).await, ["five", "four", "three", "two"]);
});

both!(a_comment_needs_its_member_its_video_and_a_text, async |world| {
    let Scene { members, videos } = scene(world).await;
    let (nobody, nothing) = ("mem_01kan8v3t0e0rt8nfkzk1s7p4qs", "vid_01kan8v3t0e0rt8nfkzk1s7p4qs");
    let args = json!({ "member": { "id": nobody }, "video": videos[0], "text": "x" });
    assert_eq!(code(world, "comments.create", args).await, "member_not_found");
    let args = json!({ "member": { "id": members[0] }, "video": nothing, "text": "x" });
    assert_eq!(code(world, "comments.create", args).await, "video_not_found");
    assert_eq!(code(world, "comments.list", json!({ "member": { "id": nobody } })).await, "member_not_found");
    assert_eq!(code(world, "comments.list", json!({ "video": nothing })).await, "video_not_found");
    for text in [String::new(), " \n ".into(), "x".repeat(5001), "a\0b".into()] {
        let args = json!({ "member": { "id": members[0] }, "video": videos[0], "text": text });
        let reply = world.call(&world.key, "comments.create", args).await;
        reply.is_refused_for_arguments();
        assert_eq!(reply.json()["fields"][0]["path"], "args.text");
    }
    world.rows("UPDATE member SET deleting_since = 1 WHERE email = 'anna@example.com'").await;
    let args = json!({ "member": { "id": members[0] }, "video": videos[0], "text": "x" });
    assert_eq!(code(world, "comments.create", args).await, "member_deleting");
    assert_eq!(texts(world, json!({})).await, Vec::<String>::new());
});

both!(a_site_deletes_as_often_in_a_day_as_it_may, async |world| {
    let Scene { members, videos } = scene(world).await;
    world.settings(|settings| settings.destructive_per_day = 5).await;
    let world = &*world;
    let make = || async { write(world, &members[0], &videos[0], "x").await["id"].clone() };
    let ids = join_all((0..14).map(|_| make())).await;
    // Neither a dry run nor a refusal uses anything up.
    for id in &ids[..8] {
        let body = json!({ "args": { "comment": id }, "dryRun": true });
        world.call_with(&world.key, "comments.delete", body, &[]).await.one();
        let unknown = json!({ "comment": "cmt_01kan8v3t0e0rt8nfkzk1s7p4qj" });
        assert_eq!(code(world, "comments.delete", unknown).await, "comment_not_found");
    }
    let second = world.key_with(&[usher::tools::Scope::VideosManage]).await;
    let calls = ids[..10].iter().enumerate().map(|(n, id)| {
        let key = if n % 2 == 0 { &world.key } else { &second };
        world.call(key, "comments.delete", json!({ "comment": id }))
    });
    let replies = join_all(calls).await;
    let (done, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.json()["ok"] == true);
    assert_eq!((done.len(), refused.len()), (5, 5));
    for reply in refused {
        assert_eq!(reply.failure(), (200, "daily_cap_reached".into()), "{}", reply.text);
        assert_eq!(reply.json()["retryable"], true);
        let seconds: u64 = reply.header("retry-after").parse().unwrap();
        assert_eq!(seconds, 12 * 3600, "the test begins at noon");
    }
    let left = texts(world, json!({})).await.len();
    assert_eq!(left, 9);
    let body = json!({ "args": { "comment": ids[13] }, "dryRun": true });
    assert_eq!(world.call_with(&world.key, "comments.delete", body, &[]).await.code(), "daily_cap_reached");
    // Another kind of deletion is of the same day's; another site has a day of its own.
    let group = world.one("groups.create", json!({ "name": "A" })).await["id"].clone();
    assert_eq!(code(world, "groups.delete", json!({ "group": group })).await, "daily_cap_reached");
    let (_, stranger) = world.other_site("Second", None).await;
    let theirs = world.call(&stranger, "groups.create", json!({ "name": "A" })).await.one();
    let gone = world.call(&stranger, "groups.delete", json!({ "group": theirs["id"] })).await.result();
    let site = world.rows("SELECT CAST(site AS TEXT) FROM job WHERE kind = 'groups.delete'").await;
    let site: i64 = site[0].parse().unwrap();
    let id = gone["job"]["id"].as_str().unwrap();
    let over = world.app.jobs.wait(site, id, crate::harness::PATIENCE).await.unwrap().unwrap();
    assert!(over.state.is_over());

    world.clock.advance(Duration::from_secs(12 * 3600 - 1));
    assert_eq!(code(world, "comments.delete", json!({ "comment": ids[13] })).await, "daily_cap_reached");
    world.clock.advance(Duration::from_secs(1));
    world.one("comments.delete", json!({ "comment": ids[13] })).await;
    assert_eq!(world.rows("SELECT CAST(used AS TEXT) FROM daily_use WHERE site = 1 ORDER BY day").await, ["5", "1"]);
});
