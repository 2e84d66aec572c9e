//! What anybody may post to the door.

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use usher::areas::notices;

use super::{
    aws::{Aws, deliver, listen, message},
    counts, entry,
    sendgrid::SendGrid,
};
use crate::harness::{Backend, START, World};

both!(what_is_no_notice_is_refused_with_a_reason, async |world| {
    let path = format!("/webhooks/mail/{}", world.site.id);
    let post = async |body: String| world.send("POST", &path, &[], body).await.failure();
    for body in ["", "{", "hello", "\u{feff}{}", "[1,"] {
        assert_eq!(post(body.into()).await, (400, "invalid_json".into()), "{body:?}");
    }
    for body in ["{}", "[]", "[[]]", "null", "5", "[{}]", r#"{"Type":"Notification"}"#, r#"{"RecordType":5}"#] {
        assert_eq!(post(body.into()).await, (400, "webhook_refused".into()), "{body:?}");
    }
    assert_eq!(post("[".repeat(100_000)).await, (400, "invalid_json".into()));
    assert_eq!(post(r#"{"a":"#.repeat(100_000)).await, (400, "invalid_json".into()));
    assert_eq!(post("x".repeat((1 << 20) + 1)).await, (413, "body_too_large".into()));
    // Of what is much too long the rest is not even read: who goes on sending may find the line cut before the answer.
    let url = format!("{}{path}", world.address);
    match world.http.post(&url).body("x".repeat(10 << 20)).send().await {
        Ok(answer) => assert_eq!(answer.status(), 413),
        Err(error) => assert!(!error.is_timeout(), "{error}"),
    }
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let reply = world.send(method, &path, &[], "").await;
        assert_eq!((reply.status, reply.header("allow")), (405, "POST"), "{method}");
    }
    for site in ["", "x", "1.5", "99999999999999999999", "1/ses"] {
        let reply = world.send("POST", &format!("/webhooks/mail/{site}"), &[], "{}").await;
        assert_eq!(reply.failure(), (404, "not_found".into()), "{site}");
    }
    // A site that there is not is like one that listens to nobody.
    let record = json!({ "RecordType": "Bounce" }).to_string();
    let reply = world.send("POST", "/webhooks/mail/4711", &[], record).await;
    assert_eq!(reply.failure(), (409, "notices_not_connected".into()));
});

both!(without_its_database_it_says_that_it_is_away, async |world| {
    let sendgrid = SendGrid::open(world).await;
    world.leaves_traces = true;
    world.app.db.close().await;
    let reply = sendgrid.says(world, &json!([{ "event": "spamreport", "email": "anna@example.com" }])).await;
    assert_eq!(reply.failure(), (503, "unavailable".into()));
    assert_eq!(reply.header("retry-after"), "1");
});

both!(a_notice_about_who_was_erased_makes_no_entry_in_the_open, async |world| {
    let sendgrid = SendGrid::open(world).await;
    let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await["id"].clone();
    let complaint = json!([{ "event": "spamreport", "email": "anna@example.com" }]);
    assert_eq!(counts(&sendgrid.says(world, &complaint).await), [1, 0, 0, 0]);
    let job = world.ok("members.delete", json!({ "member": { "id": anna } })).await["job"]["id"].clone();
    assert_eq!(world.job(&job).await["status"], "succeeded");
    assert_eq!(counts(&sendgrid.says(world, &complaint).await), [0, 1, 0, 0]);
    assert_eq!(entry(world, "anna@example.com").await, Value::Null);
    let check = world.ok("blocklist.check", json!({ "emails": ["anna@example.com"] })).await;
    assert_eq!(check["results"][0]["reason"], "complaint", "{check}");
    let rows =
        world.rows("SELECT COALESCE(args, '') || COALESCE(changes, '') FROM activity WHERE tool = 'mail.notice'").await;
    assert!(!rows.is_empty() && rows.iter().all(|row| !row.contains("anna@")), "{rows:?}");
});

/// Any JSON, with the words that notices have among it.
fn json() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 22] = [
        "event",
        "bounce",
        "type",
        "email",
        "a@example.com",
        "reason",
        "dropped",
        "Invalid",
        "status",
        "5.1.1",
        "spamreport",
        "eventType",
        "Bounce",
        "bounceType",
        "Permanent",
        "bouncedRecipients",
        "emailAddress",
        "mail",
        "complaint",
        "complainedRecipients",
        "RecordType",
        "\u{0}\u{202e}",
    ];
    let word = prop_oneof![3 => proptest::sample::select(&WORDS[..]).prop_map(str::to_owned), 1 => ".{0,12}"];
    let leaf = prop_oneof![
        word.clone().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((word.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Whatever somebody says who is believed, and whatever anybody says who is not: there is an answer, and never one of ours
/// that says that we failed.
#[tokio::test(flavor = "multi_thread")]
async fn no_body_breaks_anything() {
    let world = World::start(Backend::Sqlite).await;
    let (_aws, sendgrid) = (Aws::open(&world).await, SendGrid::open(&world).await);
    let password = notices::password();
    listen(&world, &password.source).await;
    let path = format!("/webhooks/mail/{}", world.site.id);
    let now = START.micros() / 1_000_000;
    let mut runner = TestRunner::new(Config::default());
    for round in 0..300 {
        let body = json().new_tree(&mut runner).expect("a value").current();
        let reply = match round % 4 {
            0 => sendgrid.says(&world, &json!([body])).await,
            1 => deliver(&world, &message(&body)).await,
            2 => {
                let bytes = body.to_string();
                let cut = (round * 7) % (bytes.len() + 1);
                let cut = (cut..=bytes.len()).find(|at| bytes.is_char_boundary(*at)).unwrap_or(0);
                sendgrid.post(&world, now, &bytes[..cut]).await
            }
            _ => world.send("POST", &path, &[], body.to_string()).await,
        };
        assert!([200, 400, 409].contains(&reply.status), "{body}: {} {}", reply.status, reply.text);
    }
    world.end().await;
}
