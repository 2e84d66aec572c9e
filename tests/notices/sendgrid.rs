//! SendGrid, which signs.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use usher::areas::notices;

use super::{aws::listen, counts, entry, log, refused};
use crate::harness::{Reply, START, World};

/// A key of SendGrid's.
pub struct SendGrid(EcdsaKeyPair);

impl SendGrid {
    /// Makes one.
    pub fn new() -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
        Self(EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).expect("a key"))
    }

    /// Makes one that the first site knows.
    pub async fn open(world: &World) -> Self {
        let made = Self::new();
        listen(world, &notices::key(&made.public()).expect("a key")).await;
        made
    }

    /// The public half, as SendGrid shows it.
    pub fn public(&self) -> String {
        let head =
            b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
        BASE64_STANDARD.encode([head, self.0.public_key().as_ref()].concat())
    }

    fn sign(&self, timestamp: &str, body: &str) -> String {
        let text = format!("{timestamp}{body}");
        BASE64_STANDARD.encode(self.0.sign(&SystemRandom::new(), text.as_bytes()).expect("a signature"))
    }

    /// Posts a body, signed as it is at a time in seconds.
    pub async fn post(&self, world: &World, at: i64, body: &str) -> Reply {
        let timestamp = at.to_string();
        send(world, &self.sign(&timestamp, body), &timestamp, body).await
    }

    /// Posts events, signed now.
    pub async fn says(&self, world: &World, events: &Value) -> Reply {
        // As SendGrid does, with a line's end.
        self.post(world, NOW, &format!("{events}\r\n")).await
    }
}

const NOW: i64 = START.micros() / 1_000_000;

async fn send(world: &World, signature: &str, timestamp: &str, body: &str) -> Reply {
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("x-twilio-email-event-webhook-signature", signature.to_owned()),
        ("x-twilio-email-event-webhook-timestamp", timestamp.to_owned()),
    ];
    world.send("POST", &format!("/webhooks/mail/{}", world.site.id), &headers, body.to_owned()).await
}

fn event(kind: &str, email: &str) -> Value {
    json!({ "email": email, "event": kind, "timestamp": NOW, "sg_event_id": "e-1", "sg_message_id": "m-1.filter" })
}

fn with(mut event: Value, field: &str, value: &str) -> Value {
    event[field] = json!(value);
    event
}

both!(a_batch_does_what_its_events_mean, async |world| {
    let sendgrid = SendGrid::open(world).await;
    let batch = json!([
        event("processed", "fine@example.com"),
        event("delivered", "fine@example.com"),
        with(with(event("bounce", "hard@example.com"), "type", "bounce"), "status", "5.1.1"),
        with(with(event("bounce", "soft@example.com"), "type", "blocked"), "status", "5.7.1"),
        with(event("dropped", "spam@example.com"), "reason", "Spam Reporting Address"),
        with(event("dropped", "quota@example.com"), "reason", "Recipient List over Package Quota"),
        event("spamreport", "angry@example.com"),
        event("unsubscribe", "gone@example.com"),
        event("group_unsubscribe", "group@example.com"),
        event("group_resubscribe", "group@example.com"),
        event("levitated", "new@example.com"),
        event("spamreport", "no address"),
        json!(null),
        // Of one address the strongest counts, whatever the order.
        event("spamreport", "both@example.com"),
        event("unsubscribe", "BOTH@example.com"),
    ]);
    assert_eq!(counts(&sendgrid.says(world, &batch).await), [6, 1, 7, 1]);
    for (email, reason, code) in [
        ("hard@example.com", "hard_bounce", "5.1.1"),
        ("spam@example.com", "complaint", "dropped"),
        ("angry@example.com", "complaint", "spamreport"),
        ("gone@example.com", "unsubscribe", "unsubscribe"),
        ("group@example.com", "unsubscribe", "group_unsubscribe"),
        ("both@example.com", "complaint", "spamreport"),
    ] {
        let blocked = entry(world, email).await;
        let found = ["reason", "source", "vendorCode"].map(|field| blocked[field].as_str().unwrap_or_default());
        assert_eq!(found, [reason, "SendGrid", code], "{email}");
    }
    for email in ["fine@example.com", "soft@example.com", "quota@example.com", "new@example.com"] {
        assert_eq!(entry(world, email).await, Value::Null, "{email}");
    }
    assert_eq!(log(world).await.len(), 6);
    assert_eq!(counts(&sendgrid.says(world, &batch).await), [0, 7, 7, 1]);
    assert_eq!(log(world).await.len(), 6);
    assert_eq!(counts(&sendgrid.says(world, &json!([])).await), [0, 0, 0, 0]);
});

both!(only_what_is_signed_lately_by_the_sites_key_is_believed, async |world| {
    let body = json!([event("spamreport", "anna@example.com")]).to_string();
    let stranger = SendGrid::new();
    assert_eq!(stranger.post(world, NOW, &body).await.failure(), (409, "notices_not_connected".into()));
    let sendgrid = SendGrid::open(world).await;
    refused(&stranger.post(world, NOW, &body).await, "not signed by a key of this site");
    const DAY: i64 = 25 * 3600;
    refused(&sendgrid.post(world, NOW - DAY - 1, &body).await, "too long ago");
    refused(&sendgrid.post(world, NOW + DAY + 1, &body).await, "clocks");
    let (timestamp, later) = (NOW.to_string(), (NOW + 1).to_string());
    let signature = sendgrid.sign(&timestamp, &body);
    refused(&send(world, &signature, &timestamp, &format!("{body} ")).await, "not signed by a key");
    refused(&send(world, &signature, &later, &body).await, "not signed by a key");
    refused(&send(world, &signature, "", &body).await, "Timestamp");
    refused(&send(world, "", &timestamp, &body).await, "not signed by a key");
    let path = format!("/webhooks/mail/{}", world.site.id);
    refused(&world.send("POST", &path, &[], body.clone()).await, "Signed Event Webhook");
    // Another site's door does not know the key.
    let (other, _) = world.other_site("Second", None).await;
    let headers = [
        ("x-twilio-email-event-webhook-signature", signature.clone()),
        ("x-twilio-email-event-webhook-timestamp", timestamp.clone()),
    ];
    let reply = world.send("POST", &format!("/webhooks/mail/{}", other.id), &headers, body.clone()).await;
    assert_eq!(reply.failure(), (409, "notices_not_connected".into()));
    assert_eq!(entry(world, "anna@example.com").await, Value::Null);
    assert_eq!(counts(&sendgrid.post(world, NOW - DAY, &body).await), [1, 0, 0, 0]);
    // A second key works beside the first.
    let second = SendGrid::open(world).await;
    assert_eq!(counts(&second.post(world, NOW, &body).await), [0, 1, 0, 0]);
    assert_eq!(counts(&sendgrid.post(world, NOW, &body).await), [0, 1, 0, 0]);
});

both!(a_thousand_events_that_come_eight_times_at_once_are_done_once, async |world| {
    world.without_budgets().await;
    let sendgrid = SendGrid::open(world).await;
    let events: Vec<_> = (0..1000).map(|n| event("spamreport", &format!("person{n:04}@example.com"))).collect();
    let batch = Value::from(events);
    let says = async || counts(&sendgrid.says(world, &batch).await);
    let answers = futures_util::future::join_all((0..8).map(|_| says())).await;
    let blocked: u64 = answers.iter().map(|counts| counts[0]).sum();
    assert_eq!(blocked, 1000, "{answers:?}");
    assert!(answers.iter().all(|counts| counts[0] + counts[1] == 1000), "{answers:?}");
    let rows = world.rows("SELECT COUNT(*) || '' FROM activity WHERE tool = 'mail.notice'").await;
    assert_eq!(rows, ["1000"]);
    let rows = world.rows("SELECT COUNT(*) || '' FROM block WHERE strength = 5").await;
    assert_eq!(rows, ["1000"]);
});

both!(as_many_events_as_a_body_holds_are_done_in_one_go, async |world| {
    world.without_budgets().await;
    let sendgrid = SendGrid::open(world).await;
    let event = |n| json!({ "event": "unsubscribe", "email": format!("{n:06}@example.com") });
    let events: Vec<_> = (0..18_000).map(event).collect();
    let batch = Value::from(events);
    assert!(batch.to_string().len() > 900_000);
    assert_eq!(counts(&sendgrid.says(world, &batch).await), [18_000, 0, 0, 0]);
    let rows = world.rows("SELECT COUNT(DISTINCT changes) || '' FROM activity WHERE tool = 'mail.notice'").await;
    assert_eq!(rows, ["18000"]);
});
