use std::{collections::VecDeque, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use usher::areas::sign_in::keys::{self, MAX_AGE_S, Rotated, When};

use super::{link, look, open, path, read, sign_in};
use crate::{
    harness::{Backend, World},
    storm::server::{Installation, text},
};

const MINUTE: Duration = Duration::from_secs(60);

async fn key_set(world: &World) -> Vec<String> {
    let reply = world.send("GET", "/.well-known/jwks.json", &[], "").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/jwk-set+json"));
    let set = reply.json();
    let keys = set["keys"].as_array().expect("keys");
    let cached = if keys.is_empty() { "no-store".to_owned() } else { format!("public, max-age={MAX_AGE_S}") };
    assert_eq!(reply.header("cache-control"), cached);
    for key in keys {
        let names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["kty", "crv", "x", "kid", "use", "alg"], "nothing private: {key}");
        assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    }
    keys.iter().map(|key| text(&key["kid"])).collect()
}

async fn rotate(world: &World, when: When) -> Rotated {
    let mut tx = world.app.db.begin().await.expect("a transaction");
    let sealer = &world.app.sealer;
    let rotated = keys::rotate(&mut tx, sealer, world.site.id, when, world.clock.now()).await.expect("a key");
    tx.commit().await.expect("a commit");
    rotated
}

/// The key that signs now.
async fn signs(world: &World) -> String {
    let made = world.ok("members.createLoginLink", json!({ "member": { "email": "anna@example.com" } })).await;
    text(&read(&sign_in(world, &path(&made)).await)[0]["kid"])
}

both!(a_key_set_that_is_kept_as_long_as_it_may_be_has_every_key_that_signs, async |world| {
    world.without_budgets().await;
    open(world).await;
    assert!(key_set(world).await.is_empty());
    link(world, "anna@example.com").await;
    let first = signs(world).await;
    assert_eq!(key_set(world).await, [first.as_str()]);

    let Rotated::Made(second) = rotate(world, When::Published).await else { panic!("it is made") };
    assert!(matches!(rotate(world, When::Published).await, Rotated::Underway(key) if key.kid == second.kid));
    let mut kept: VecDeque<Vec<String>> = VecDeque::from([vec![first.clone()]]);
    let (mut by_first, mut ended) = (0, None);
    for minute in 0..100 {
        let set = key_set(world).await;
        let kid = signs(world).await;
        assert!(set.contains(&kid) && kept.iter().all(|old| old.contains(&kid)), "minute {minute}: {kid} {kept:?}");
        by_first += usize::from(kid == first);
        if !set.contains(&first) && ended.is_none() {
            ended = Some(minute);
        }
        kept.push_back(set);
        // What a site may have read at most so long ago.
        while kept.len() > (MAX_AGE_S / 60) as usize + 1 {
            kept.pop_front();
        }
        world.clock.advance(MINUTE);
    }
    assert_eq!(
        (by_first, ended),
        (15, Some(75)),
        "it signs for a quarter of an hour and is published for an hour more"
    );

    let Rotated::Made(third) = rotate(world, When::Now).await else { panic!("it is made") };
    assert_eq!(key_set(world).await, [third.kid.as_str()]);
    assert_eq!(signs(world).await, third.kid);
});

both!(a_site_has_one_first_key_however_many_need_it, async |world| {
    open(world).await;
    world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let args = json!({ "member": { "email": "anna@example.com" } });
    let calls = (0..10).map(|_| world.ok("members.createLoginLink", args.clone()));
    let paths: Vec<_> = join_all(calls).await.iter().map(path).collect();
    assert_eq!(world.rows("SELECT kid FROM signing_key").await.len(), 1);
    // None of them makes another unusable.
    for path in paths {
        assert_eq!(look(world, &path).await.status, 200);
    }
});

both!(a_host_has_the_keys_of_its_site, async |world| {
    open(world).await;
    link(world, "anna@example.com").await;
    let set = async |host: &str| {
        let reply = world.send("GET", "/.well-known/jwks.json", &[("host", host.into())], "").await;
        let kids = reply.json()["keys"].as_array().map(|keys| keys.iter().map(|key| text(&key["kid"])).collect());
        (reply.status, kids.unwrap_or_else(Vec::new))
    };
    let first = world.rows("SELECT kid FROM signing_key").await;
    assert_eq!(set("anywhere.example").await, (200, first.clone()), "there is but one site");
    let (_, key) = world.other_site("Second", Some("second.example")).await;
    world.call(&key, "members.create", json!({ "email": "anna@example.com" })).await.one();
    world.call(&key, "members.createLoginLink", json!({ "member": { "email": "anna@example.com" } })).await.result();
    let second = world.rows("SELECT kid FROM signing_key WHERE site = 2").await;
    assert_ne!(first, second);
    assert_eq!(set("Second.example:8443").await, (200, second.clone()));
    assert_eq!(set("elsewhere.example").await, (404, vec![]));
    // Both sites say that their pages are at this address, as one machine without host names has it.
    let (_, mut both) = set("127.0.0.1").await;
    both.sort_unstable();
    let mut expected = [first, second].concat();
    expected.sort_unstable();
    assert_eq!(both, expected);
});

const OLD: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const NEW: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// What an operator with the wrong key, or none, is told, and how that is mended.
async fn without_its_key(backend: Backend) {
    let (place, key) = Installation::new(backend).await;
    place.without_budgets().await;
    let urls = ["--public-url", "http://127.0.0.1:1", "--login-url", "https://site.example/login"];
    place.usher(&[&["sites", "update"], &urls[..]].concat()).await;
    let args = json!({ "member": { "email": "anna@example.com" } });
    let headers = [("idempotency-key", "first")];

    // One node has been started with this key, by which others are measured.
    let server = place.serve(&[("USHER_SECRET_KEY", OLD)]).await;
    server.client(&key).call("members.create", json!({ "email": "anna@example.com" })).await.result();
    let first = server.client(&key).call_with("members.createLoginLink", args.clone(), &headers).await;
    first.result();
    drop(server);

    // Another key, or none: it does not start, and says what it could not open.
    for (settings, says) in [(&[("USHER_SECRET_KEY", NEW)][..], "USHER_SECRET_KEY is not the key"), (&[], "is missing")]
    {
        for command in [&["serve"][..], &["work"], &["sign-in", "keys", "rotate"]] {
            let ended = place.ends(command, settings).await;
            assert!(!ended.status.success() && ended.err.contains(says), "{command:?}: {ended:?}");
            assert!(ended.err.contains("a sign-in key of the site \"Storm\""), "{ended:?}");
            assert!(ended.err.contains("usher secret-key replace"), "{ended:?}");
        }
    }

    let both = format!("{NEW},{OLD}");
    let server = place.serve(&[("USHER_SECRET_KEY", &both)]).await;
    server.client(&key).call("members.createLoginLink", args.clone()).await.result();
    let replay = server.client(&key).call_with("members.createLoginLink", args.clone(), &headers).await;
    assert_eq!((replay.text, replay.headers["idempotent-replayed"].to_str().unwrap()), (first.text, "true"));
    drop(server);
    // The new one seals now, so that a node which has only the old one is told.
    let ended = place.ends(&["serve"], &[("USHER_SECRET_KEY", OLD)]).await;
    assert!(!ended.status.success() && ended.err.contains("is not the key of this database"), "{ended:?}");

    // With the new one alone, what the old one has sealed is refused by what needs it.
    let server = place.serve(&[("USHER_SECRET_KEY", NEW)]).await;
    let reply = server.client(&key).call("members.createLoginLink", args.clone()).await;
    assert_eq!(reply.failure(), (200, "secret_key_unusable".into()));
    let replay = server.client(&key).call_with("members.createLoginLink", args.clone(), &headers).await;
    assert_eq!(replay.failure(), (503, "secret_key_unusable".into()));
    drop(server);

    // Or it is lost for good.
    let rotate = ["sign-in", "keys", "rotate"];
    let line = place.ends(&[&["--json"], &rotate[..], &["--now"]].concat(), &[("USHER_SECRET_KEY", NEW)]).await.out;
    let made: Value = serde_json::from_str(&line).expect("one JSON object");
    let listed = place.usher(&["--json", "sign-in", "keys", "list"]).await;
    assert_eq!(serde_json::from_str::<Value>(&listed).expect("one JSON object"), made);
    assert_eq!((&made["signs"], &made["publishedUntil"]), (&json!(true), &Value::Null));
    let server = place.serve(&[("USHER_SECRET_KEY", NEW)]).await;
    server.client(&key).call("members.createLoginLink", args).await.result();
    let next = place.ends(&rotate, &[("USHER_SECRET_KEY", NEW)]).await;
    assert!(next.status.success() && next.out.contains("signs from "), "{next:?}");
    let again = place.ends(&rotate, &[("USHER_SECRET_KEY", NEW)]).await;
    assert!(!again.status.success() && again.err.contains("--now"), "{again:?}");
    let log = place.rows::<1>("SELECT args FROM activity WHERE tool = 'signIn.rotateKey' ORDER BY id").await;
    assert_eq!(log.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_told_what_is_wrong_with_the_secret_key_on_sqlite() {
    without_its_key(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_told_what_is_wrong_with_the_secret_key_on_postgres() {
    without_its_key(Backend::Postgres).await;
}
