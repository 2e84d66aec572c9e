//! Tags: counted over the members that have them.

use serde_json::{Value, json};

async fn make(world: &crate::harness::World, email: &str, tags: Value) {
    world.one("members.create", json!({ "email": email, "tags": tags })).await;
}

both!(tags_are_counted_by_name, async |world| {
    world.without_budgets().await;
    make(world, "a@example.com", json!(["VIP", "Early Bird", "early-bird"])).await;
    make(world, "b@example.com", json!(["Early  Bird!", "Ärzte"])).await;
    make(world, "c@example.com", json!([])).await;
    let (_, stranger) = world.other_site("Second", None).await;
    world.call(&stranger, "members.create", json!({ "email": "a@example.com", "tags": ["vip"] })).await.one();
    let count = |tag: &str, members: u32| json!({ "tag": tag, "memberCount": members });
    let all = world.ok("tags.list", json!({})).await;
    assert_eq!(all, json!({ "items": [count("early-bird", 2), count("vip", 1), count("ärzte", 1)] }));
    assert_eq!(world.ok("tags.list", json!({ "text": "EARLY b" })).await["items"], json!([count("early-bird", 2)]));
    assert_eq!(world.ok("tags.list", json!({ "text": "bird" })).await["items"], json!([]));
    assert_eq!(world.ok("tags.list", json!({ "text": "!?" })).await["items"], json!([]));
    // A tag is gone with the last member that has it.
    world
        .ok("members.removeTags", json!({ "member": { "email": "a@example.com" }, "tags": ["vip", "early bird"] }))
        .await;
    let rest = world.ok("tags.list", json!({})).await;
    assert_eq!(rest["items"], json!([count("early-bird", 1), count("ärzte", 1)]));
});

both!(pages_give_each_tag_once, async |world| {
    let all: Vec<_> = (0..10).map(|n| format!("tag-{n}")).collect();
    make(world, "a@example.com", json!(all)).await;
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = world.ok("tags.list", json!({ "text": "tag", "limit": 3, "cursor": cursor })).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["tag"].as_str().unwrap().to_owned()));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, all);
    assert_eq!(world.call(&world.key, "tags.list", json!({ "cursor": "nonsense" })).await.code(), "invalid_cursor");
});
