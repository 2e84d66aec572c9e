use std::time::Duration;

use serde_json::json;
use usher::{areas::keys, tools::Scope};

use crate::harness::{START, TestKey};

both!(a_key_that_is_not_valid_is_refused_without_saying_why, async |world| {
    let mut texts = Vec::new();
    let (start, last) = world.key.text.split_at(world.key.text.len() - 1);
    let wrong_secret = format!("{start}{}", if last == "x" { 'y' } else { 'x' });
    for text in ["", "nonsense", "usher_live_a_b", &wrong_secret, &world.key.text.replace("_live_", "_test_")] {
        let key = TestKey { text: text.into(), ..world.key.clone() };
        let reply = world.call(&key, "keys.whoami", json!({})).await;
        assert_eq!(reply.failure(), (401, "invalid_key".into()));
        assert_eq!(reply.header("www-authenticate"), "Bearer");
        texts.push(reply.json()["error"].to_string());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "every refusal reads the same");
});

both!(a_key_stops_when_it_expires, async |world| {
    let key = world.key_until(START + Duration::from_secs(10)).await;
    assert_eq!(world.call(&key, "keys.whoami", json!({})).await.status, 200);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(world.call(&key, "keys.whoami", json!({})).await.failure(), (401, "invalid_key".into()));
});

both!(a_key_is_revoked_from_the_next_call_on, async |world| {
    assert_eq!(world.call(&world.key, "keys.whoami", json!({})).await.status, 200);
    // As another process does it: through the database.
    let mut tx = world.app.db.begin().await.unwrap();
    let now = world.clock.now();
    assert!(keys::actions::revoke(&mut tx, world.site.id, &world.key.id, now).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(world.call(&world.key, "keys.whoami", json!({})).await.failure(), (401, "invalid_key".into()));
});

both!(a_rotated_key_overlaps_with_the_one_before, async |world| {
    let mut tx = world.app.db.begin().await.unwrap();
    let hour = Duration::from_secs(3600);
    let rotated = keys::actions::rotate(&mut tx, &world.site, &world.key.id, world.clock.now(), hour).await.unwrap();
    tx.commit().await.unwrap();
    let new = TestKey { text: rotated.expect("a new text"), ..world.key.clone() };
    assert_eq!(world.call(&world.key, "keys.whoami", json!({})).await.status, 200);
    assert_eq!(world.call(&new, "keys.whoami", json!({})).await.status, 200);
    world.clock.advance(hour);
    assert_eq!(world.call(&world.key, "keys.whoami", json!({})).await.status, 401);
    assert_eq!(world.call(&new, "keys.whoami", json!({})).await.status, 200);
});

both!(a_key_is_refused_on_another_sites_host, async |world| {
    let (_, other) = world.other_site("Second", Some("second.example.com")).await;
    for (key, host, status) in [
        (&world.key, "second.example.com", 401),
        (&world.key, "SECOND.example.com:8080", 401),
        (&world.key, "second.example.com.", 401),
        (&world.key, "elsewhere.example.com", 200),
        (&other, "second.example.com", 200),
        (&other, "SECOND.example.com:8080", 200),
    ] {
        let reply = world.call_with(key, "keys.whoami", json!({}), &[("host", host)]).await;
        assert_eq!(reply.status, status, "{host}: {}", reply.text);
    }
});

both!(unknown_keys_are_throttled_and_known_ones_are_not, async |world| {
    let unknown = TestKey { text: "usher_live_nothing".into(), ..world.key.clone() };
    assert_eq!(world.call(&world.key, "keys.whoami", json!({})).await.status, 200);
    for _ in 0..30 {
        assert_eq!(world.call(&unknown, "keys.whoami", json!({})).await.status, 401);
    }
    let reply = world.call(&unknown, "keys.whoami", json!({})).await;
    assert_eq!((reply.status, reply.json()["limit"].as_str()), (429, Some("unknown_keys")));
    assert!(!reply.header("retry-after").is_empty());
    assert_eq!(world.call(&world.key, "keys.whoami", json!({})).await.status, 200);
    // Also one that nobody has seen yet.
    let new = world.key_with(&[]).await;
    assert_eq!(world.call(&new, "keys.whoami", json!({})).await.status, 200);
});

both!(a_client_that_sends_nothing_is_let_go, async |world| {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = world.address.trim_start_matches("http://").to_owned();
    for beginning in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HT"] {
        let mut socket = tokio::net::TcpStream::connect(&address).await.unwrap();
        socket.write_all(beginning.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(crate::harness::PATIENCE, socket.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "after {beginning:?} the connection stays open");
    }
});

both!(a_new_scope_counts_from_the_next_call_on, async |world| {
    let key = world.key_with(&[Scope::MembersRead]).await;
    assert_eq!(world.call(&key, "activity.list", json!({})).await.status, 403);
    let text = "UPDATE api_key SET scopes = 'activity:read' WHERE scopes = 'members:read'";
    world.rows(text).await;
    world.rows("UPDATE site SET revision = revision + 1").await;
    assert_eq!(world.call(&key, "activity.list", json!({})).await.status, 200);
    assert_eq!(world.call(&key, "members.list", json!({})).await.failure(), (403, "missing_scope".into()));
});
