//! What Postmark says: a bounce, a complaint, or a change of its list of suppressed addresses.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::{
    heard::{Heard, Stop},
    sources::{Source, fingerprint},
};
use crate::areas::blocklist::Reason;

/// Kinds of bounce that mean that nothing may go there any more. Others pass: a full mailbox, a server that is away, an
/// answer by a machine, a filter's opinion of one mail.
pub(super) const FINAL: [(&str, Reason); 5] = [
    ("HardBounce", Reason::HardBounce),
    ("BadEmailAddress", Reason::Invalid),
    ("SpamComplaint", Reason::Complaint),
    ("Unsubscribe", Reason::Unsubscribe),
    ("ManuallyDeactivated", Reason::Manual),
];

/// Whether a request has a password of the site's, in `Authorization: Basic`, whatever its user.
pub(super) fn is_known(authorization: Option<&str>, sources: &[&Source]) -> bool {
    let Some(password) = authorization.and_then(password) else { return false };
    let print = fingerprint(&password);
    // All are compared, so that the time tells nothing.
    sources.iter().fold(false, |known, source| {
        let expected = source.proof.as_deref().unwrap_or_default();
        known | bool::from(print.as_bytes().ct_eq(expected.as_bytes()))
    })
}

fn password(authorization: &str) -> Option<String> {
    let (scheme, encoded) = authorization.trim().split_once(' ')?;
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(encoded.trim()))?.ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

/// Reads a notice.
pub(super) fn read(record: &Value) -> Heard {
    let stop = match record["RecordType"].as_str().unwrap_or_default() {
        "Bounce" => {
            let kind = record["Type"].as_str().unwrap_or_default();
            reason(kind).map(|reason| stop(record, &record["Email"], reason, kind))
        }
        "SpamComplaint" => Some(stop(record, &record["Email"], Reason::Complaint, "SpamComplaint")),
        "SubscriptionChange" => changed(record),
        _ => None,
    };
    stop.map_or_else(Heard::ignored, |stop| Heard { stops: vec![stop], n_ignored: 0 })
}

fn reason(kind: &str) -> Option<Reason> {
    FINAL.into_iter().find(|(known, _)| *known == kind).map(|(_, reason)| reason)
}

/// An address came onto Postmark's list. That one went off it is nothing to us: only `blocklist.remove` takes one off ours.
fn changed(record: &Value) -> Option<Stop> {
    if record["SuppressSending"] != true {
        return None;
    }
    let kind = record["SuppressionReason"].as_str().unwrap_or_default();
    let reason = match kind {
        "HardBounce" => Reason::HardBounce,
        "SpamComplaint" => Reason::Complaint,
        // Whoever unsubscribes by a link of Postmark's is suppressed by hand, and by themselves.
        "ManualSuppression" if record["Origin"] == "Recipient" => Reason::Unsubscribe,
        "ManualSuppression" => Reason::Manual,
        _ => return None,
    };
    Some(stop(record, &record["Recipient"], reason, kind))
}

fn stop(record: &Value, email: &Value, reason: Reason, code: &str) -> Stop {
    let details = Some(&record["Details"]).filter(|text| text.as_str().is_some_and(|text| !text.is_empty()));
    Stop::new(email, reason, code, details.unwrap_or(&record["Description"]), &record["MessageID"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::areas::notices::password as make;

    #[test]
    fn a_password_is_compared_and_its_user_is_not() {
        let known = make();
        let source = known.source.clone();
        let basic = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
        for user in ["usher", "", "anybody"] {
            let header = basic(&format!("{user}:{}", known.secret));
            assert!(is_known(Some(&header), &[&make().source, &source]));
            assert!(!is_known(Some(&header), &[&make().source]));
            assert!(!is_known(Some(&header), &[]));
        }
        let hash = source.proof.clone().unwrap();
        for wrong in ["usher:", &format!("usher:{hash}"), &known.secret, "usher:x"] {
            assert!(!is_known(Some(&basic(wrong)), &[&source]), "{wrong}");
        }
        for wrong in [None, Some(""), Some("Basic"), Some("Basic %%"), Some("Bearer x"), Some("Basic /w==")] {
            assert!(!is_known(wrong, &[&source]), "{wrong:?}");
        }
        assert!(!is_known(Some(&basic("usher:")), &[&Source { proof: None, ..source }]));
    }

    #[test]
    fn only_what_is_final_is_believed() {
        let bounce = |kind: &str| {
            json!({ "RecordType": "Bounce", "Type": kind, "Email": "a@example.com", "MessageID": "m-1",
                    "Description": "The server was unable to deliver your message", "Details": "smtp;550 5.1.1" })
        };
        for (kind, reason) in FINAL {
            let heard = read(&bounce(kind));
            assert_eq!((heard.stops[0].reason, heard.stops[0].code.as_str()), (reason, kind));
            assert_eq!(heard.stops[0].note.as_deref(), Some("smtp;550 5.1.1"));
        }
        for kind in
            ["Transient", "SoftBounce", "DnsError", "SpamNotification", "AutoResponder", "Blocked", "Unknown", ""]
        {
            assert_eq!(read(&bounce(kind)), Heard::ignored(), "{kind}");
        }
        for record in
            [json!({ "RecordType": "Delivery", "Recipient": "a@example.com" }), json!({}), json!(null), json!([])]
        {
            assert_eq!(read(&record), Heard::ignored(), "{record}");
        }
        let complaint =
            read(&json!({ "RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": "a@example.com" }));
        assert_eq!(complaint.stops[0].reason, Reason::Complaint);
    }

    #[test]
    fn a_change_of_its_list_can_only_block() {
        let change = |suppress: Value, reason: Value, origin: &str| {
            json!({ "RecordType": "SubscriptionChange", "Recipient": "a@example.com", "SuppressSending": suppress,
                    "SuppressionReason": reason, "Origin": origin })
        };
        for (reason, origin, expected) in [
            ("HardBounce", "Recipient", Reason::HardBounce),
            ("SpamComplaint", "Recipient", Reason::Complaint),
            ("ManualSuppression", "Recipient", Reason::Unsubscribe),
            ("ManualSuppression", "Customer", Reason::Manual),
        ] {
            assert_eq!(read(&change(json!(true), json!(reason), origin)).stops[0].reason, expected, "{reason}");
            assert_eq!(read(&change(json!(false), json!(reason), origin)), Heard::ignored());
        }
        assert_eq!(read(&change(json!(true), json!("Other"), "Recipient")), Heard::ignored());
        assert_eq!(read(&change(json!(false), Value::Null, "Customer")), Heard::ignored());
    }
}
