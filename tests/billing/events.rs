//! Attacks on what takes Stripe's events: what it lets in, what it refuses, and what that costs.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use stripe_fake::{Fault, Plan, Rule, Shape};
use usher::{
    areas::billing::{connection, store},
    config::Config,
    values::SiteId,
};

use super::{
    Shop,
    shop::{read_all, subscription},
};
use crate::harness::{Backend, Reply, World};

const SECRET: &str = "whsec_of_the_tests";
const ACCOUNT: &str = "acct_of_the_tests";

/// Signs a body as Stripe does.
pub fn signature(body: &str, at: i64, secrets: &[&str]) -> String {
    let mut header = format!("t={at}");
    for secret in secrets {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
        mac.update(format!("{at}.{body}").as_bytes());
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        header.push_str(&format!(",v1={hex}"));
    }
    header
}

/// An event about a subscription.
pub fn event(id: &str, subscription: &str) -> Value {
    json!({
        "id": id, "object": "event", "type": "customer.subscription.updated", "livemode": false, "created": 1,
        "data": { "object": { "id": subscription, "object": "subscription" } },
    })
}

/// Connects a site to an account where nobody answers.
async fn connect(world: &World, site: SiteId, acts_for: Option<&str>, secrets: &[&str]) {
    let sealer = world.app.sealer.clone();
    let mut tx = world.app.db.begin().await.expect("a transaction");
    let sealed = sealer.seal(&connection::key_purpose(site), "sk_test_of_the_tests");
    let new = store::NewConnection {
        account_id: ACCOUNT,
        acts_for,
        base: Some("http://127.0.0.1:9"),
        key_sealed: &sealed,
        key_hint: "sk_test_…ests",
        live: false,
    };
    store::connect(tx.conn(), site, &new, world.clock.now()).await.expect("it is written");
    for (n, secret) in secrets.iter().enumerate() {
        let sealed = sealer.seal(&connection::secret_purpose(site), secret);
        store::insert_secret(tx.conn(), site, &n.to_string(), &sealed, world.clock.now()).await.expect("it is written");
    }
    tx.commit().await.expect("a commit");
}

fn now(world: &World) -> i64 {
    world.clock.now().micros() / 1_000_000
}

async fn post(world: &World, site: SiteId, body: &str, header: Option<String>) -> Reply {
    let headers: Vec<_> = header.into_iter().map(|header| ("stripe-signature", header)).collect();
    world.send("POST", &format!("/webhooks/stripe/{site}"), &headers, body.to_owned()).await
}

/// Posts a well-signed body.
async fn signed(world: &World, body: &Value) -> Reply {
    let body = body.to_string();
    post(world, world.site.id, &body, Some(signature(&body, now(world), &[SECRET]))).await
}

#[track_caller]
fn is(reply: &Reply, what: &str) {
    assert_eq!((reply.status, reply.json()["event"].clone()), (200, json!(what)), "{}", reply.text);
}

async fn counts(world: &World) -> Vec<String> {
    let mut all = world.rows("SELECT CAST(count(*) AS TEXT) FROM stripe_event").await;
    all.extend(world.rows("SELECT CAST(count(*) AS TEXT) FROM stripe_dirty").await);
    all.extend(world.rows("SELECT CAST(count(*) AS TEXT) FROM activity").await);
    all.extend(world.rows("SELECT CAST(count(*) AS TEXT) FROM job WHERE kind = 'stripe.sync'").await);
    all
}

both!(only_what_is_signed_now_and_for_this_site_is_taken, async |world| {
    let site = world.site.id;
    connect(world, site, None, &[SECRET, "whsec_the_next_one"]).await;
    let (other, _) = world.other_site("Second", None).await;
    connect(world, other.id, None, &["whsec_of_another_site"]).await;
    let before = counts(world).await;
    let body = event("evt_1", "sub_1").to_string();
    let at = now(world);
    let refused = [
        None,
        Some(String::new()),
        Some("t=,v1=".into()),
        Some(format!("t={at}")),
        Some(format!("t={at},v1={}", "0".repeat(64))),
        Some(signature(&body, at, &["whsec_of_another_site"])),
        Some(signature(&body, at, &[""])),
        Some(signature(&body, at - 301, &[SECRET])),
        Some(signature(&body, at + 301, &[SECRET])),
        Some(signature(&format!("{body} "), at, &[SECRET])),
        Some(signature(&body, at, &[SECRET]).replace("v1=", "v0=")),
        Some(signature(&body, at, &[SECRET]).replace(&format!("t={at}"), &format!("t={}", at + 1))),
        Some(format!("{},t={at}", signature(&body, at, &[SECRET]))),
        Some("v".repeat(100_000 / 2)),
    ];
    for header in refused {
        let reply = post(world, site, &body, header.clone()).await;
        // Headers that are too long for HTTP itself are refused before.
        if reply.status != 431 {
            assert_eq!(reply.failure(), (400, "webhook_refused".into()), "{header:?}");
            assert!(!reply.text.contains("whsec") && !reply.text.contains("sub_1"), "{}", reply.text);
        }
    }
    assert_eq!(post(world, other.id, &body, Some(signature(&body, at, &[SECRET]))).await.failure().0, 400);
    assert_eq!(counts(world).await, before, "what is refused leaves nothing");
    let taken = [
        signature(&body, at - 300, &[SECRET]),
        signature(&body, at + 300, &[SECRET]),
        signature(&body, at, &["whsec_the_next_one"]),
        signature(&body, at, &["whsec_nobody_knows", SECRET]),
        format!("v0=abc,{}", signature(&body, at, &[SECRET])),
    ];
    for (n, header) in taken.into_iter().enumerate() {
        is(&post(world, site, &body, Some(header)).await, if n == 0 { "noted" } else { "again" });
    }
    // The same event at another site is another event.
    let header = signature(&body, at, &["whsec_of_another_site"]);
    is(&post(world, other.id, &body, Some(header)).await, "noted");
});

both!(what_is_no_event_or_nobodys_is_refused_and_what_is_unknown_is_noted, async |world| {
    let site = world.site.id;
    connect(world, site, None, &[SECRET]).await;
    for body in
        ["", "not JSON", "{", "[]", "{}", "null", "\"evt_1\"", "{\"id\":1,\"type\":\"x\"}", "{\"id\":\"evt_1\"}"]
    {
        let reply = post(world, site, body, Some(signature(body, now(world), &[SECRET]))).await;
        assert_eq!(reply.failure(), (400, "webhook_refused".into()), "{body}");
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let reply = post(world, site, &deep, Some(signature(&deep, now(world), &[SECRET]))).await;
    assert_eq!(reply.failure(), (400, "webhook_refused".into()));
    let large = "x".repeat(1024 * 1024 + 1);
    let reply = post(world, site, &large, Some(signature(&large, now(world), &[SECRET]))).await;
    assert_eq!(reply.failure(), (413, "body_too_large".into()));
    assert!(world.rows("SELECT id FROM stripe_event").await.is_empty());
    // Kinds that nobody here knows, and objects of no use, are noted and lead to nothing.
    let unknown = [
        json!({ "id": "evt_a", "type": "moon.phase.changed" }),
        json!({ "id": "evt_b", "type": "invoice.paid", "data": null }),
        json!({ "id": "evt_c", "type": "invoice.paid", "data": { "object": { "id": 7, "object": "invoice" } } }),
        json!({ "id": "evt_d", "type": "customer.subscription.updated", "data": { "object": [1] } }),
        json!({ "id": "evt_e", "type": "invoice.upcoming", "data": { "object": { "object": "invoice" } } }),
        json!({ "id": "evt_f", "type": "", "data": { "object": {} }, "later": { "of": ["things"] } }),
    ];
    for body in unknown {
        is(&signed(world, &body).await, "noted");
    }
    assert_eq!(world.rows("SELECT id FROM stripe_event").await.len(), 6);
    assert!(world.rows("SELECT object_id FROM stripe_dirty").await.is_empty());
    for (path, method, status) in [
        ("/webhooks/stripe/1", "GET", 405),
        ("/webhooks/stripe/1", "PUT", 405),
        ("/webhooks/stripe/x", "POST", 404),
        ("/webhooks/stripe/999", "POST", 409),
    ] {
        let reply = world.send(method, path, &[], "{}").await;
        assert_eq!(reply.failure().0, status, "{method} {path}");
        assert_eq!(reply.header("allow"), if status == 405 { "POST" } else { "" });
    }
});

both!(events_of_another_account_or_mode_are_answered_and_nothing_more, async |world| {
    connect(world, world.site.id, Some("acct_b"), &[SECRET]).await;
    let of = |id: &str, account: Option<&str>, live: bool| {
        let mut event = event(id, "sub_1");
        event["livemode"] = json!(live);
        if let Some(account) = account {
            event["account"] = json!(account);
        }
        event
    };
    is(&signed(world, &of("evt_1", None, false)).await, "not_ours");
    is(&signed(world, &of("evt_2", Some("acct_c"), false)).await, "not_ours");
    is(&signed(world, &of("evt_3", Some("acct_b"), true)).await, "not_ours");
    is(&signed(world, &of("evt_4", Some("acct_b"), false)).await, "noted");
    connect(world, world.site.id, None, &[]).await;
    is(&signed(world, &of("evt_5", Some("acct_b"), false)).await, "not_ours");
    is(&signed(world, &of("evt_6", None, false)).await, "noted");
    let mut noted = world.rows("SELECT id FROM stripe_event ORDER BY id").await;
    noted.sort_unstable();
    assert_eq!(noted, ["evt_4", "evt_6"]);
});

both!(a_thousand_events_at_once_are_each_noted_once, async |world| {
    connect(world, world.site.id, None, &[SECRET]).await;
    let all = (0..2000).map(|n| event(&format!("evt_{}", n % 1000), &format!("sub_{}", n % 37)));
    let world = &*world;
    let slowest = stream::iter(all)
        .map(async |event| {
            let began = Instant::now();
            let reply = signed(world, &event).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            (began.elapsed(), reply.json()["event"] == "noted")
        })
        .buffer_unordered(200)
        .collect::<Vec<_>>()
        .await;
    assert_eq!(slowest.iter().filter(|(_, noted)| *noted).count(), 1000);
    assert_eq!(world.rows("SELECT id FROM stripe_event").await.len(), 1000);
    // Nobody answers at this Stripe: what was heard of stays to be read.
    assert_eq!(world.rows("SELECT object_id FROM stripe_dirty").await.len(), 37);
});

both!(a_flood_of_bad_signatures_writes_nothing, async |world| {
    connect(world, world.site.id, None, &[SECRET]).await;
    let before = counts(world).await;
    let (world, body) = (&*world, event("evt_1", "sub_1").to_string());
    let bad = signature(&body, now(world), &["whsec_guessed"]);
    let flood = (0..2000).map(|_| post(world, world.site.id, &body, Some(bad.clone())));
    let statuses: Vec<_> = stream::iter(flood).buffer_unordered(100).map(|reply| reply.status).collect().await;
    assert!(statuses.iter().all(|status| *status == 400));
    assert_eq!(counts(world).await, before);
});

both!(what_cannot_be_opened_is_our_fault_and_comes_again, async |world| {
    let (site, body) = (world.site.id, event("evt_1", "sub_1"));
    connect(world, site, None, &[]).await;
    let another = ("USHER_SECRET_KEY".to_owned(), "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=".to_owned());
    let other = Config::from([another].into(), None).expect("the settings are right").secret_key.expect("another key");
    let sealed = other.seal(&connection::secret_purpose(site), SECRET);
    let now = world.clock.now();
    let mut tx = world.app.db.begin().await.expect("a transaction");
    store::insert_secret(tx.conn(), site, "x", &sealed, now).await.expect("it is written");
    tx.commit().await.expect("a commit");
    let reply = signed(world, &body).await;
    assert_eq!(reply.failure(), (503, "stripe_unusable".into()));
    assert!(!reply.text.contains(SECRET) && !reply.text.contains(&sealed), "{}", reply.text);
    assert!(world.rows("SELECT id FROM stripe_event").await.is_empty());
    let sealed = world.app.sealer.seal(&connection::secret_purpose(site), SECRET);
    let mut tx = world.app.db.begin().await.expect("a transaction");
    store::insert_secret(tx.conn(), site, "x", &sealed, now).await.expect("it is written");
    tx.commit().await.expect("a commit");
    is(&signed(world, &body).await, "noted");
});

both!(without_its_database_it_says_that_it_is_away, async |world| {
    connect(world, world.site.id, None, &[SECRET]).await;
    world.leaves_traces = true;
    world.app.db.close().await;
    let reply = signed(world, &event("evt_1", "sub_1")).await;
    assert_eq!(reply.failure(), (503, "unavailable".into()));
});

both!(an_event_is_answered_while_stripe_does_not_answer, async |world| {
    let shop = Shop::open(world).await;
    shop.fake.set_plan(Plan::held());
    shop.fake.fault(Rule { method: Some("GET".into()), ..Rule::next([Fault::Held; 8]) });
    let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await["id"].clone();
    let price = shop.price(900).await;
    let external = shop.sells(&anna, &price).await;
    let began = Instant::now();
    shop.fake.flush().await;
    let n_events = shop.fake.sent().len();
    assert!(n_events > 5 && shop.fake.sent().iter().all(|sent| sent.status == 200));
    assert!(began.elapsed() < Duration::from_secs(5), "{n_events} took {:?}", began.elapsed());
    shop.fake.clear_faults();
    shop.fake.release();
    read_all(world, world.site.id).await;
    assert_eq!(subscription(world, &anna).await["externalId"], json!(external));
});

both!(events_in_any_of_stripes_shapes_are_understood, async |world| {
    let shop = Shop::open(world).await;
    shop.fake.set_plan(Plan::held());
    let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await["id"].clone();
    let price = shop.price(900).await;
    shop.sells(&anna, &price).await;
    let events = shop.fake.events(None).expect("an account");
    for (n, (event, _)) in events.iter().enumerate() {
        let dress = stripe_fake::Dress {
            shape: if n % 2 == 0 { Shape::V2020 } else { Shape::Current },
            unknown_fields: true,
            ..Default::default()
        };
        assert_eq!(shop.fake.deliver(event, &dress).await.expect("an event"), [200]);
    }
    read_all(world, world.site.id).await;
    assert_eq!(subscription(world, &anna).await["status"], "active");
    assert_eq!(world.rows("SELECT status FROM invoice").await, ["paid"]);
});

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::start(Backend::Sqlite).await;
    connect(&world, world.site.id, None, &[SECRET]).await;
    let host = world.address.trim_start_matches("http://");
    let mut socket = tokio::net::TcpStream::connect(host).await.expect("a connection");
    let head = format!("POST /webhooks/stripe/1 HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100\r\n\r\n{{\"id\"");
    socket.write_all(head.as_bytes()).await.expect("it is sent");
    let began = Instant::now();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(40), socket.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(read.is_ok() && answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(world.rows("SELECT id FROM stripe_event").await.is_empty());
    world.end().await;
}
