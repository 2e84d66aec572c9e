//! What Amazon SES says, inside a message of Amazon SNS: by event publishing (`eventType`) or by feedback notifications of
//! an identity (`notificationType`), which have the same objects.

use serde_json::Value;

use super::heard::{Heard, Stop};
use crate::areas::blocklist::Reason;

/// Reads what SNS delivered. A text that is no JSON, such as the greeting of a new destination, says nothing.
pub(super) fn read(message: &str) -> Heard {
    let Ok(event) = serde_json::from_str::<Value>(message) else { return Heard::ignored() };
    let kind = event["eventType"].as_str().or_else(|| event["notificationType"].as_str()).unwrap_or_default();
    let stops = match kind {
        "Bounce" => bounced(&event),
        "Complaint" => complained(&event),
        "Subscription" => unsubscribed(&event),
        _ => Vec::new(),
    };
    if stops.is_empty() { Heard::ignored() } else { Heard { stops, n_ignored: 0 } }
}

/// Only a permanent bounce: a transient one passes, and of an undetermined one nobody knows.
fn bounced(event: &Value) -> Vec<Stop> {
    let bounce = &event["bounce"];
    if bounce["bounceType"] != "Permanent" {
        return Vec::new();
    }
    let code = match bounce["bounceSubType"].as_str() {
        Some(detail) => format!("Permanent/{detail}"),
        None => "Permanent".to_owned(),
    };
    let recipients = bounce["bouncedRecipients"].as_array().into_iter().flatten();
    recipients.map(|one| stop(event, one, Reason::HardBounce, &code, &one["diagnosticCode"])).collect()
}

/// Not what is none: who takes a mail out of the spam folder, and a report that a signature did not verify.
fn complained(event: &Value) -> Vec<Stop> {
    let complaint = &event["complaint"];
    let kind = complaint["complaintFeedbackType"].as_str().or_else(|| complaint["complaintSubType"].as_str());
    if kind.is_some_and(|kind| kind == "not-spam" || kind == "auth-failure") {
        return Vec::new();
    }
    let code = kind.map_or_else(|| "Complaint".to_owned(), |kind| format!("Complaint/{kind}"));
    let recipients = complaint["complainedRecipients"].as_array().into_iter().flatten();
    recipients.map(|one| stop(event, one, Reason::Complaint, &code, &Value::Null)).collect()
}

/// Who unsubscribed from everything by SES's own page. It does not say who, unless the mail went to one.
fn unsubscribed(event: &Value) -> Vec<Stop> {
    let wants_none = event["subscription"]["newTopicPreferences"]["unsubscribeAll"] == true;
    match event["mail"]["destination"].as_array().map(Vec::as_slice) {
        Some([one]) if wants_none => {
            let mail = &event["mail"]["messageId"];
            vec![Stop::new(one, Reason::Unsubscribe, "Subscription/unsubscribeAll", &Value::Null, mail)]
        }
        _ => Vec::new(),
    }
}

fn stop(event: &Value, recipient: &Value, reason: Reason, code: &str, note: &Value) -> Stop {
    Stop::new(&recipient["emailAddress"], reason, code, note, &event["mail"]["messageId"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(event: &Value) -> Vec<(String, Reason, String)> {
        let heard = read(&event.to_string());
        assert_eq!(heard.n_ignored, u32::from(heard.stops.is_empty()));
        heard.stops.into_iter().map(|stop| (stop.email, stop.reason, stop.code)).collect()
    }

    #[test]
    fn both_ways_of_saying_it_are_read() {
        for kind in ["eventType", "notificationType"] {
            let event = json!({ kind: "Bounce", "mail": { "messageId": "0100-m" }, "bounce": {
                "bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-01-01T00:00:00.000Z",
                "bouncedRecipients": [
                    { "emailAddress": "a@example.com", "action": "failed", "status": "5.1.1",
                      "diagnosticCode": "smtp; 550 5.1.1 user unknown" },
                    { "emailAddress": "b@example.com" },
                ] } });
            let expected = ["a@example.com", "b@example.com"]
                .map(|email| (email.to_owned(), Reason::HardBounce, "Permanent/General".to_owned()));
            assert_eq!(words(&event), expected);
            let stop = read(&event.to_string()).stops.remove(0);
            assert_eq!(stop.note.as_deref(), Some("smtp; 550 5.1.1 user unknown"));
            assert_eq!(stop.mail.as_deref(), Some("0100-m"));
            let event = json!({ kind: "Complaint", "complaint": {
                "complainedRecipients": [{ "emailAddress": "a@example.com" }], "complaintFeedbackType": "abuse" } });
            assert_eq!(words(&event), [("a@example.com".to_owned(), Reason::Complaint, "Complaint/abuse".to_owned())]);
        }
    }

    #[test]
    fn what_passes_or_is_no_complaint_says_nothing() {
        let recipients = json!([{ "emailAddress": "a@example.com" }]);
        for event in [
            json!({ "eventType": "Bounce", "bounce": { "bounceType": "Transient", "bouncedRecipients": recipients } }),
            json!({ "eventType": "Bounce", "bounce": { "bounceType": "Undetermined", "bouncedRecipients": recipients } }),
            json!({ "eventType": "Bounce", "bounce": { "bouncedRecipients": recipients } }),
            json!({ "eventType": "Bounce", "bounce": { "bounceType": "Permanent", "bouncedRecipients": "a@example.com" } }),
            json!({ "eventType": "Bounce" }),
            json!({ "eventType": "Complaint", "complaint": { "complainedRecipients": recipients, "complaintFeedbackType": "not-spam" } }),
            json!({ "eventType": "Complaint", "complaint": { "complainedRecipients": recipients, "complaintFeedbackType": "auth-failure" } }),
            json!({ "eventType": "Delivery", "delivery": { "recipients": ["a@example.com"] } }),
            json!({ "eventType": "Subscription", "mail": { "destination": ["a@example.com", "b@example.com"] },
                    "subscription": { "newTopicPreferences": { "unsubscribeAll": true } } }),
            json!({ "eventType": "Subscription", "mail": { "destination": ["a@example.com"] },
                    "subscription": { "newTopicPreferences": { "unsubscribeAll": false } } }),
            json!({ "eventType": 5 }),
            json!([]),
            json!(null),
        ] {
            assert_eq!(words(&event), [], "{event}");
        }
        assert_eq!(read("Successfully validated SNS topic for Amazon SES event publishing."), Heard::ignored());
        assert_eq!(read(&"[".repeat(100_000)), Heard::ignored());
    }

    #[test]
    fn who_wants_nothing_more_is_unsubscribed() {
        let event = json!({ "eventType": "Subscription", "mail": { "destination": ["a@example.com"] },
                            "subscription": { "newTopicPreferences": { "unsubscribeAll": true } } });
        let expected = ("a@example.com".to_owned(), Reason::Unsubscribe, "Subscription/unsubscribeAll".to_owned());
        assert_eq!(words(&event), [expected]);
    }
}
