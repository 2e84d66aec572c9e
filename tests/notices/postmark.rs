//! Postmark, which proves itself by a password.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use usher::areas::notices::{self, Provider, store};

use super::{aws::listen, counts, entry, log, refused};
use crate::harness::{Reply, World};

async fn post(world: &World, site: impl std::fmt::Display, password: &str, record: &Value) -> Reply {
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("usher:{password}")));
    let headers = [("authorization", basic), ("content-type", "application/json".to_owned())];
    world.send("POST", &format!("/webhooks/mail/{site}"), &headers, record.to_string()).await
}

fn bounce(kind: &str, email: &str) -> Value {
    json!({
        "RecordType": "Bounce", "ID": 42, "Type": kind, "TypeCode": 1, "MessageID": "00000000-0000", "Email": email,
        "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
        "Details": "smtp;550 5.1.1 no such user", "Inactive": true, "CanActivate": true, "BouncedAt": "2025-01-01T11:00:00Z",
        "Metadata": { "a": "b" },
    })
}

both!(what_postmark_says_is_done_and_what_passes_is_not, async |world| {
    let made = notices::password();
    listen(world, &made.source).await;
    let post = async |record: &Value| post(world, world.site.id, &made.secret, record).await;
    for (kind, email, reason) in [
        ("HardBounce", "hard@example.com", "hard_bounce"),
        ("BadEmailAddress", "bad@example.com", "invalid"),
        ("SpamComplaint", "spam@example.com", "complaint"),
        ("Unsubscribe", "gone@example.com", "unsubscribe"),
        ("ManuallyDeactivated", "off@example.com", "manual"),
    ] {
        assert_eq!(counts(&post(&bounce(kind, email)).await), [1, 0, 0, 0]);
        let blocked = entry(world, email).await;
        let found = ["reason", "source", "vendorCode", "note"].map(|field| blocked[field].as_str().unwrap_or_default());
        assert_eq!(found, [reason, "Postmark", kind, "smtp;550 5.1.1 no such user"]);
        assert_eq!(counts(&post(&bounce(kind, email)).await), [0, 1, 0, 0]);
    }
    for kind in ["Transient", "SoftBounce", "SpamNotification", "AutoResponder", "DnsError", "NewKind"] {
        assert_eq!(counts(&post(&bounce(kind, "soft@example.com")).await), [0, 0, 1, 0], "{kind}");
    }
    let change = |suppress: bool, reason: Value| {
        json!({ "RecordType": "SubscriptionChange", "Recipient": "hard@example.com", "SuppressSending": suppress,
                "SuppressionReason": reason, "Origin": "Recipient", "ChangedAt": "2025-01-01T10:53:34.416071Z" })
    };
    // An address that may get mail again, says Postmark, stays blocked here.
    assert_eq!(counts(&post(&change(false, Value::Null)).await), [0, 0, 1, 0]);
    assert_eq!(entry(world, "hard@example.com").await["reason"], "hard_bounce");
    assert_eq!(counts(&post(&change(true, json!("SpamComplaint"))).await), [1, 0, 0, 0]);
    assert_eq!(entry(world, "hard@example.com").await["reason"], "complaint");
    assert_eq!(log(world).await.len(), 6);
    let sources = store::sources(world.app.db.read(), world.site.id).await.expect("sources");
    assert_eq!(sources[0].heard_at, Some(world.clock.now()));
});

both!(only_who_has_the_password_is_believed, async |world| {
    let (old, new) = (notices::password(), notices::password());
    let record = bounce("HardBounce", "anna@example.com");
    let first = world.site.id;
    let reply = post(world, first, &old.secret, &record).await;
    assert_eq!(reply.failure(), (409, "notices_not_connected".into()));
    assert!(reply.text.contains("usher notices add postmark"), "{}", reply.text);
    listen(world, &old.source).await;
    listen(world, &new.source).await;
    // Another site's door does not know it.
    let (other, _) = world.other_site("Second", None).await;
    assert_eq!(post(world, other.id, &old.secret, &record).await.status, 409);
    let proof = old.source.proof.clone().expect("a hash");
    for wrong in ["", "x", &proof, &old.source.id, &old.secret[1..], &format!("{} ", old.secret)] {
        refused(&post(world, first, wrong, &record).await, "password");
    }
    let path = format!("/webhooks/mail/{first}");
    for header in ["", "Basic", "Basic %%%", "Bearer x", "Basic dXNoZXI="] {
        let headers = [("authorization", header.to_owned())];
        refused(&world.send("POST", &path, &headers, record.to_string()).await, "password");
    }
    refused(&world.send("POST", &path, &[], record.to_string()).await, "password");
    assert_eq!(entry(world, "anna@example.com").await, Value::Null);
    // Both work while one is rolled; then the old one is gone.
    assert_eq!(counts(&post(world, first, &new.secret, &record).await), [1, 0, 0, 0]);
    assert_eq!(counts(&post(world, first, &old.secret, &record).await), [0, 1, 0, 0]);
    let mut tx = world.app.db.begin().await.expect("a transaction");
    let gone = store::delete(tx.conn(), first, Provider::Postmark, &old.source.id).await.expect("it is deleted");
    tx.commit().await.expect("a commit");
    assert_eq!(gone, 1);
    refused(&post(world, first, &old.secret, &record).await, "password");
    assert_eq!(counts(&post(world, first, &new.secret, &record).await), [0, 1, 0, 0]);
});

both!(what_is_said_from_an_address_that_its_member_has_left_is_about_the_member, async |world| {
    world.without_budgets().await;
    let made = notices::password();
    listen(world, &made.source).await;
    let post = async |kind: &str, email: &str| post(world, world.site.id, &made.secret, &bounce(kind, email)).await;
    let moved = async |from: &str, to: &str| {
        let member = world.one("members.create", json!({ "email": from })).await["id"].clone();
        world.one("members.update", json!({ "member": { "id": member }, "email": to })).await;
        member
    };
    let anna = moved("a@example.com", "anna@example.com").await;
    assert_eq!(counts(&post("SpamComplaint", "a@example.com").await), [2, 0, 0, 0]);
    for email in ["a@example.com", "anna@example.com"] {
        assert_eq!(entry(world, email).await["reason"], "complaint", "{email}");
    }
    let rows = log(world).await;
    assert!(rows.len() == 2 && rows.iter().any(|row| row["member"] == anna), "{rows:#?}");
    assert_eq!(counts(&post("SpamComplaint", "a@example.com").await), [0, 1, 0, 0]);
    // A mailbox that is gone says nothing of the person.
    moved("b@example.com", "ben@example.com").await;
    assert_eq!(counts(&post("HardBounce", "b@example.com").await), [1, 0, 0, 0]);
    assert_eq!(entry(world, "ben@example.com").await, Value::Null);
    // Whoever has the address now is meant, else who left it last.
    moved("c@example.com", "one@example.com").await;
    moved("c@example.com", "two@example.com").await;
    world.one("members.create", json!({ "email": "c@example.com" })).await;
    assert_eq!(counts(&post("Unsubscribe", "c@example.com").await), [1, 0, 0, 0]);
    moved("d@example.com", "three@example.com").await;
    world.clock.advance(std::time::Duration::from_secs(1));
    moved("d@example.com", "four@example.com").await;
    assert_eq!(counts(&post("Unsubscribe", "d@example.com").await), [2, 0, 0, 0]);
    for (email, is_blocked) in [("one", false), ("two", false), ("three", false), ("four", true)] {
        assert_eq!(!entry(world, &format!("{email}@example.com")).await.is_null(), is_blocked, "{email}");
    }
});
