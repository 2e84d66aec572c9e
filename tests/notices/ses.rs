//! Amazon SES, by way of Amazon SNS.

use serde_json::{Value, json};

use super::{
    aws::{Aws, CERTIFICATE, TOPIC, bounce, deliver, message, signed},
    counts, entry, log, refused,
};
use crate::harness::World;

const SNS: &str = "https://sns.eu-west-1.amazonaws.com";

both!(who_bounces_for_good_or_complains_gets_no_more_mail, async |world| {
    let aws = Aws::open(world).await;
    let anna = world.one("members.create", json!({ "email": "Anna@example.com" })).await["id"].clone();
    let reply = deliver(world, &message(&bounce(&["anna@example.com", "nobody@example.com"]))).await;
    assert_eq!(counts(&reply), [2, 0, 0, 0]);
    assert_eq!(reply.json()["provider"], "ses");
    let blocked = entry(world, "anna@example.com").await;
    for (field, value) in [
        ("reason", "hard_bounce"),
        ("source", "Amazon SES"),
        ("vendorCode", "Permanent/General"),
        ("note", "smtp; 550 5.1.1 user unknown"),
    ] {
        assert_eq!(blocked[field], value, "{blocked}");
    }
    let rows = log(world).await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    let row = rows.iter().find(|row| row["member"] == anna).expect("a row about the member");
    assert_eq!((&row["tool"], &row["status"], &row["surface"]), (&json!("mail.notice"), &json!("ok"), &json!("http")));
    assert_eq!(row["args"], json!({ "provider": "ses", "code": "Permanent/General", "mail": "0102-mail" }));
    assert_eq!(row["changes"][0]["after"]["reason"], "hard_bounce", "{row}");
    // Again, as SNS may: nothing.
    assert_eq!(counts(&deliver(world, &message(&bounce(&["ANNA@example.com"]))).await), [0, 1, 0, 0]);
    assert_eq!(log(world).await.len(), 2);
    // A complaint is stronger, and is not weakened by another bounce.
    let complaint = json!({ "notificationType": "Complaint", "complaint": {
        "complainedRecipients": [{ "emailAddress": "anna@example.com" }], "complaintFeedbackType": "abuse" } });
    assert_eq!(counts(&deliver(world, &message(&complaint)).await), [1, 0, 0, 0]);
    assert_eq!(counts(&deliver(world, &message(&bounce(&["anna@example.com"]))).await), [0, 1, 0, 0]);
    let blocked = entry(world, "anna@example.com").await;
    assert_eq!((&blocked["reason"], &blocked["vendorCode"]), (&json!("complaint"), &json!("Complaint/abuse")));
    let rows = log(world).await;
    assert_eq!((rows.len(), &rows[0]["changes"][0]["before"]["reason"]), (3, &json!("hard_bounce")), "{rows:?}");
    // AWS was asked for its certificate once.
    assert_eq!(aws.asked(), [CERTIFICATE]);
});

both!(what_passes_or_is_not_known_is_counted_and_does_nothing, async |world| {
    let _aws = Aws::open(world).await;
    let recipients = json!([{ "emailAddress": "anna@example.com" }]);
    for said in [
        json!({ "eventType": "Bounce", "bounce": { "bounceType": "Transient", "bouncedRecipients": recipients } }),
        json!({ "eventType": "Bounce", "bounce": { "bounceType": "Undetermined", "bouncedRecipients": recipients } }),
        json!({ "eventType": "Delivery", "delivery": { "recipients": ["anna@example.com"] } }),
        json!({ "eventType": "Reticulation", "anything": [1, 2, { "x": null }] }),
        json!("Successfully validated SNS topic for Amazon SES event publishing."),
    ] {
        assert_eq!(counts(&deliver(world, &message(&said)).await), [0, 0, 1, 0], "{said}");
    }
    let odd = message(&bounce(&["not an address", "", "Anna <anna2@example.com>"]));
    assert_eq!(counts(&deliver(world, &odd).await), [1, 0, 0, 2]);
    assert_eq!(entry(world, "anna@example.com").await, Value::Null);
    assert_eq!(entry(world, "anna2@example.com").await["reason"], "hard_bounce");
});

both!(what_another_program_signed_is_believed_in_both_versions, async |world| {
    let aws = Aws::open(world).await;
    aws.answers("/", 200, "<ConfirmSubscriptionResponse/>");
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    for (version, notification, confirmation) in [
        ("1", include_str!("fixtures/notification-1.json"), include_str!("fixtures/confirmation-1.json")),
        ("2", include_str!("fixtures/notification-2.json"), include_str!("fixtures/confirmation-2.json")),
    ] {
        let (notification, confirmation) = (read(notification), read(confirmation));
        assert_eq!(notification["SignatureVersion"], version);
        assert_eq!(counts(&deliver(world, &confirmation).await), [0, 0, 1, 0]);
        assert_eq!(counts(&deliver(world, &notification).await), [1, 0, 0, 0]);
        assert_eq!(entry(world, &format!("version{version}@example.com")).await["reason"], "hard_bounce");
        for field in ["Message", "MessageId", "Timestamp", "Type", "SignatureVersion"] {
            let mut other = notification.clone();
            let value = other[field].as_str().expect("a text").to_owned();
            other[field] = json!(match field {
                "Timestamp" => "2025-01-01T11:59:30.124Z".to_owned(),
                "SignatureVersion" => if version == "1" { "2" } else { "1" }.to_owned(),
                _ => format!("{value} "),
            });
            refused(&deliver(world, &other).await, "signature is wrong");
        }
    }
    let mut subject = read(include_str!("fixtures/notification-1.json"));
    subject.as_object_mut().expect("an object").remove("Subject");
    refused(&deliver(world, &subject).await, "signature is wrong");
    let visited = aws.asked().into_iter().filter(|asked| asked.starts_with("/?Action=ConfirmSubscription")).count();
    assert_eq!(visited, 2);
    let rows = log(world).await;
    assert_eq!(rows.iter().filter(|row| row["tool"] == "mail.subscribed").count(), 2, "{rows:?}");
});

fn confirmation(topic: &str, url: &str) -> Value {
    signed(json!({
        "Type": "SubscriptionConfirmation", "MessageId": "165e", "TopicArn": topic, "Token": "2336",
        "Message": "You have chosen to subscribe.", "SubscribeURL": url, "Timestamp": "2025-01-01T12:00:00.000Z",
        "SignatureVersion": "2", "SigningCertURL": format!("{SNS}{CERTIFICATE}"),
    }))
}

both!(only_a_subscription_to_the_sites_own_topic_is_confirmed, async |world| {
    let aws = Aws::open(world).await;
    aws.answers("/", 200, "<ConfirmSubscriptionResponse/>");
    let url = format!("{SNS}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336");
    let other = TOPIC.replace("bounces", "others");
    refused(
        &deliver(world, &confirmation(&other, &url.replace("bounces", "others"))).await,
        "topic is none of this site's",
    );
    for wrong in [
        url.replace("bounces", "others"),
        url.replace("ConfirmSubscription", "DeleteTopic"),
        url.replace(SNS, "https://example.com"),
        url.replace(SNS, &aws.base),
        url.replace(SNS, "http://169.254.169.254/latest/meta-data"),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        refused(&deliver(world, &confirmation(TOPIC, &wrong)).await, "SubscribeURL");
    }
    assert_eq!(aws.asked(), [CERTIFICATE], "nothing but the certificate was asked for");
    // While AWS has troubles of its own, SNS is to try again.
    aws.answers("/", 500, "");
    assert_eq!(deliver(world, &confirmation(TOPIC, &url)).await.failure(), (503, "unavailable".into()));
    aws.answers("/", 403, "");
    refused(&deliver(world, &confirmation(TOPIC, &url)).await, "did not take the confirmation");
    assert_eq!(log(world).await.len(), 0);
    aws.answers("/", 200, "<ConfirmSubscriptionResponse/>");
    assert_eq!(counts(&deliver(world, &confirmation(TOPIC, &url)).await), [0, 0, 1, 0]);
    assert_eq!(log(world).await[0]["args"], json!({ "provider": "ses", "topic": TOPIC }));
    // That it was ended is said, and changes nothing.
    let mut ended = confirmation(TOPIC, &url);
    ended["Type"] = json!("UnsubscribeConfirmation");
    assert_eq!(counts(&deliver(world, &signed(ended)).await), [0, 0, 1, 0]);
});

both!(a_message_is_believed_for_its_signature_and_nothing_else, async |world| {
    let aws = Aws::open(world).await;
    let good = message(&bounce(&["anna@example.com"]));
    let with = |field: &str, value: Value| {
        let mut message = good.clone();
        message[field] = value;
        message
    };
    // Asked for nowhere but at AWS.
    for elsewhere in [
        format!("{}{CERTIFICATE}", aws.base),
        "https://example.com/a.pem".to_owned(),
        "https://sns.eu-west-1.amazonaws.com.example.com/a.pem".to_owned(),
        "http://sns.eu-west-1.amazonaws.com/a.pem".to_owned(),
        "https://sns.eu-west-1.amazonaws.com@127.0.0.1/a.pem".to_owned(),
    ] {
        refused(&deliver(world, &with("SigningCertURL", json!(elsewhere))).await, "SigningCertURL");
    }
    let late = signed(with("Timestamp", json!("2024-12-31T10:59:00.000Z")));
    refused(&deliver(world, &late).await, "too long ago");
    refused(&deliver(world, &signed(with("Timestamp", json!("2025-01-02T13:01:00.000Z")))).await, "clocks");
    refused(&deliver(world, &signed(with("Timestamp", json!("yesterday")))).await, "no time");
    let other = TOPIC.replace("bounces", "others");
    refused(&deliver(world, &signed(with("TopicArn", json!(other)))).await, "topic is none of this site's");
    assert_eq!(aws.asked(), Vec::<String>::new(), "nothing was asked for");

    for wrong in [json!("AAAA"), json!(""), json!("not base64!")] {
        refused(&deliver(world, &with("Signature", wrong)).await, "signature is wrong");
    }
    for version in ["0", "3", "", "SHA256"] {
        refused(&deliver(world, &signed(with("SignatureVersion", json!(version)))).await, "signature is wrong");
    }
    for missing in ["Signature", "SignatureVersion", "SigningCertURL", "Message", "MessageId", "Timestamp"] {
        let mut message = good.clone();
        message.as_object_mut().expect("an object").remove(missing);
        refused(&deliver(world, &message).await, "not a whole message");
        refused(&deliver(world, &with(missing, json!(5))).await, "not a whole message");
    }
    // A certificate of AWS's that others have the key of, that is none, that is not there, or somewhere else.
    let at = |name: &str| with("SigningCertURL", json!(format!("{SNS}/{name}.pem")));
    aws.answers("/stranger.pem", 200, include_str!("fixtures/stranger.pem"));
    refused(&deliver(world, &at("stranger")).await, "signature is wrong");
    aws.answers("/none.pem", 200, "<html>");
    aws.answers("/long.pem", 200, "x".repeat(70_000));
    aws.answers("/moved.pem", 302, format!("{}{CERTIFICATE}", aws.base));
    for name in ["none", "missing", "long", "moved"] {
        refused(&deliver(world, &at(name)).await, "no certificate");
    }
    aws.answers("/down.pem", 503, "");
    assert_eq!(deliver(world, &at("down")).await.failure(), (503, "unavailable".into()));
    assert_eq!(entry(world, "anna@example.com").await, Value::Null);
    assert_eq!(counts(&deliver(world, &good).await), [1, 0, 0, 0]);
});

both!(raw_messages_are_not_signed_and_not_taken, async |world| {
    let _aws = Aws::open(world).await;
    let headers = [("x-amz-sns-message-type", "Notification".to_owned()), ("x-amz-sns-rawdelivery", "true".to_owned())];
    let body = bounce(&["anna@example.com"]).to_string();
    let reply = world.send("POST", &format!("/webhooks/mail/{}", world.site.id), &headers, body).await;
    refused(&reply, "raw message delivery");
});

/// Whoever floods the door with addresses of certificates makes few calls to AWS.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_certificates_is_few_calls() {
    let world = World::start(crate::harness::Backend::Sqlite).await;
    let aws = Aws::open(&world).await;
    let good = message(&bounce(&["anna@example.com"]));
    let mut statuses = Vec::new();
    for n in 0..80 {
        let mut message = good.clone();
        message["SigningCertURL"] = json!(format!("{SNS}/flood-{n}.pem"));
        statuses.push(deliver(&world, &message).await.status);
    }
    assert_eq!(aws.asked().len(), 60);
    assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 20);
    world.end().await;
}
