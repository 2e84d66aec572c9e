use serde_json::{Value, json};

async fn create(world: &crate::harness::World, email: &str, key: &str) -> crate::harness::Reply {
    let body = json!({ "args": { "email": email } });
    world.call_with(&world.key, "members.create", body, &[("idempotency-key", key)]).await
}

both!(the_first_answer_is_given_again_byte_for_byte, async |world| {
    let first = create(world, "anna@example.com", "order-1").await;
    let again = create(world, "anna@example.com", "order-1").await;
    assert_eq!(first.one()["email"], "anna@example.com");
    assert_eq!((again.status, &again.text), (200, &first.text));
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    let members = world.ok("members.list", json!({})).await;
    assert_eq!(members["items"].as_array().map(Vec::len), Some(1));
});

both!(a_replay_uses_no_budget_up, async |world| {
    create(world, "anna@example.com", "order-1").await;
    for _ in 0..40 {
        assert_eq!(create(world, "anna@example.com", "order-1").await.status, 200);
    }
    let next = create(world, "bob@example.com", "order-2").await;
    assert_eq!((next.status, next.header("x-ratelimit-remaining")), (200, "28"));
});

both!(a_refusal_of_the_tool_is_kept_too, async |world| {
    world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let first = create(world, "anna@example.com", "order-1").await;
    let again = create(world, "anna@example.com", "order-1").await;
    assert_eq!(first.code(), "member_exists");
    assert_eq!((again.status, &again.text), (200, &first.text));
    let body = json!({ "args": { "email": "anna@example.com" } });
    let headers = [("idempotency-key", "order-1"), ("prefer", "handling=strict")];
    let strict = world.call_with(&world.key, "members.create", body, &headers).await;
    assert_eq!((strict.status, &strict.text), (409, &first.text));
});

both!(another_call_under_the_same_key_is_refused, async |world| {
    create(world, "anna@example.com", "order-1").await;
    let other = create(world, "bob@example.com", "order-1").await;
    assert_eq!(other.failure(), (422, "idempotency_key_reused".into()));
    // The order of the fields does not make it another call.
    let [a, b] =
        [r#"{"args":{"email":"c@example.com","name":"C"}}"#, r#"{"args":{"name":"C","email":"c@example.com"}}"#];
    let call = async |text: &str| {
        let body: Value = serde_json::from_str(text).unwrap();
        world.call_with(&world.key, "members.create", body, &[("idempotency-key", "order-2")]).await
    };
    let first = call(a).await;
    assert_eq!(call(b).await.text, first.text);
});

both!(each_key_has_its_own_idempotency_keys, async |world| {
    let other = world.key_with(&[usher::tools::Scope::MembersManage]).await;
    create(world, "anna@example.com", "order-1").await;
    let body = json!({ "args": { "email": "bob@example.com" } });
    let reply = world.call_with(&other, "members.create", body, &[("idempotency-key", "order-1")]).await;
    assert_eq!(reply.one()["email"], "bob@example.com");
});

both!(racing_calls_under_one_key_are_done_once, async |world| {
    let calls = (0..20).map(|_| create(world, "anna@example.com", "order-1"));
    let replies = futures_util::future::join_all(calls).await;
    let mut answers: Vec<_> = replies.iter().filter(|reply| reply.status == 200).map(|reply| &reply.text).collect();
    assert!(!answers.is_empty());
    answers.dedup();
    assert_eq!(answers.len(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert_eq!(reply.failure(), (409, "idempotency_in_progress".into()));
        assert_eq!(reply.header("retry-after"), "1");
    }
});

both!(a_bad_idempotency_key_is_refused, async |world| {
    for key in ["", &"x".repeat(256)] {
        let reply = create(world, "anna@example.com", key).await;
        assert_eq!(reply.failure(), (400, "invalid_arguments".into()));
        assert_eq!(reply.json()["fields"][0]["path"], "Idempotency-Key");
    }
    let quoted = create(world, "anna@example.com", "\"order-1\"").await;
    assert_eq!(create(world, "anna@example.com", "order-1").await.text, quoted.text);
});

both!(what_the_pipeline_refuses_is_not_kept, async |world| {
    assert_eq!(create(world, "no address", "order-1").await.failure(), (400, "invalid_arguments".into()));
    assert_eq!(create(world, "anna@example.com", "order-1").await.one()["email"], "anna@example.com");
});
