use std::time::Duration;

use serde_json::json;
use usher::tools::Scope;

both!(a_key_gets_exactly_its_calls_in_any_sixty_seconds, async |world| {
    let calls = (0..130).map(|_| world.call(&world.key, "keys.whoami", json!({})));
    let replies = futures_util::future::join_all(calls).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 100);
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status != 200).collect();
    for reply in &refused {
        assert_eq!(reply.failure(), (429, "rate_limited".into()));
        assert_eq!(reply.json()["limit"], "calls");
    }
    // After the seconds that it was told, the call passes.
    let wait: u64 = refused[0].header("retry-after").parse().expect("whole seconds");
    assert!((1..=61).contains(&wait), "{wait}");
    world.clock.advance(Duration::from_secs(wait));
    assert_eq!(world.call(&world.key, "keys.whoami", json!({})).await.status, 200);
});

both!(the_budgets_are_in_the_headers, async |world| {
    let read = world.call(&world.key, "keys.whoami", json!({})).await;
    assert_eq!(read.header("x-ratelimit-limit"), "100");
    assert_eq!(read.header("x-ratelimit-remaining"), "99");
    assert!(read.header("ratelimit").starts_with("\"calls\";r=99;t="));
    assert_eq!(read.header("ratelimit-policy"), "\"calls\";q=100;w=60, \"reads\";q=120;w=60, \"writes\";q=30;w=60");
    let write = world.call(&world.key, "members.create", json!({ "email": "a@example.com" })).await;
    assert_eq!((write.header("x-ratelimit-limit"), write.header("x-ratelimit-remaining")), ("30", "29"));
});

both!(writes_have_a_budget_of_their_own, async |world| {
    for n in 0..30 {
        world.one("members.create", json!({ "email": format!("m{n}@example.com") })).await;
    }
    let reply = world.call(&world.key, "members.create", json!({ "email": "late@example.com" })).await;
    assert_eq!((reply.status, reply.json()["limit"].as_str()), (429, Some("writes")));
    assert_eq!(world.call(&world.key, "keys.whoami", json!({})).await.status, 200);
});

both!(another_key_has_its_own_budget, async |world| {
    let other = world.key_with(&[Scope::MembersRead]).await;
    for _ in 0..100 {
        assert_eq!(world.call(&world.key, "keys.whoami", json!({})).await.status, 200);
    }
    assert_eq!(world.call(&world.key, "keys.whoami", json!({})).await.status, 429);
    assert_eq!(world.call(&other, "keys.whoami", json!({})).await.status, 200);
});

both!(what_is_refused_for_its_scope_uses_nothing_up, async |world| {
    let key = world.key_with(&[Scope::MembersRead]).await;
    for _ in 0..110 {
        assert_eq!(world.call(&key, "activity.list", json!({})).await.status, 403);
    }
    let reply = world.call(&key, "keys.whoami", json!({})).await;
    assert_eq!((reply.status, reply.header("x-ratelimit-remaining")), (200, "99"));
});

both!(a_changed_budget_counts_at_once, async |world| {
    assert_eq!(world.call(&world.key, "keys.whoami", json!({})).await.status, 200);
    world.settings(|settings| settings.budgets.calls_per_minute = 2).await;
    let second = world.call(&world.key, "keys.whoami", json!({})).await;
    assert_eq!((second.status, second.header("x-ratelimit-remaining")), (200, "0"));
    assert_eq!(world.call(&world.key, "keys.whoami", json!({})).await.status, 429);
});
