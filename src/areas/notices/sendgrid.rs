//! What SendGrid says: batches of events of all kinds, signed (ECDSA on P-256 with SHA-256 over the time and the body).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use serde_json::Value;
use webpki::{RawPublicKeyEntity, ring::ECDSA_P256_SHA256};

use super::{
    heard::{Heard, Stop, is_recent},
    sources::Source,
};
use crate::{areas::blocklist::Reason, values::Time};

/// Reasons for which SendGrid drops a mail without sending it, since it knows the address already.
pub(super) const DROPPED: [(&str, Reason); 4] = [
    ("bounced address", Reason::HardBounce),
    ("spam reporting address", Reason::Complaint),
    ("unsubscribed address", Reason::Unsubscribe),
    ("invalid", Reason::Invalid),
];

/// The public key of a signed event webhook, as SendGrid shows it: base64 of its DER, perhaps as PEM.
pub(super) fn key(text: &str) -> Option<Vec<u8>> {
    let bare: String = text.lines().filter(|line| !line.starts_with("-----")).flat_map(str::split_whitespace).collect();
    let key = BASE64_STANDARD.decode(bare).ok()?;
    // 26 bytes say that it is a point of P-256, 65 are the point.
    const POINT: [u8; 27] = *b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
    (key.len() == POINT.len() + 64 && key.starts_with(&POINT)).then_some(key)
}

/// Why a batch is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotSigned {
    #[error("It has no X-Twilio-Email-Event-Webhook-Timestamp that is a number.")]
    NoTime,
    #[error("It was signed too long ago, or the clocks do not agree.")]
    Old,
    #[error("It is not signed by a key of this site; usher notices list shows them.")]
    Wrong,
}

/// Whether a batch is signed by a key of the site's, not longer ago than `most` seconds.
pub(super) fn verify(
    signature: &str,
    timestamp: Option<&str>,
    body: &[u8],
    sources: &[&Source],
    now: Time,
    most_s: i64,
) -> Result<(), NotSigned> {
    let timestamp = timestamp.ok_or(NotSigned::NoTime)?;
    let at: i64 = timestamp.parse().map_err(|_| NotSigned::NoTime)?;
    let signature = BASE64_STANDARD.decode(signature).map_err(|_| NotSigned::Wrong)?;
    let message = [timestamp.as_bytes(), body].concat();
    let is_by = |source: &&Source| {
        let key = source.proof.as_deref().and_then(key).map(SubjectPublicKeyInfoDer::from);
        let key = key.as_ref().and_then(|key| RawPublicKeyEntity::try_from(key).ok());
        key.is_some_and(|key| key.verify_signature(ECDSA_P256_SHA256, &message, &signature).is_ok())
    };
    if !sources.iter().any(is_by) {
        return Err(NotSigned::Wrong);
    }
    is_recent(at.saturating_mul(1_000_000), now, most_s).then_some(()).ok_or(NotSigned::Old)
}

/// Reads a batch; what is no list is one event.
pub(super) fn read(batch: &Value) -> Heard {
    let mut heard = Heard::default();
    let events = batch.as_array().map_or(std::slice::from_ref(batch), Vec::as_slice);
    for event in events {
        match stop(event) {
            Some(stop) => heard.stops.push(stop),
            None => heard.n_ignored += 1,
        }
    }
    heard
}

fn stop(event: &Value) -> Option<Stop> {
    let kind = event["event"].as_str()?;
    let status = event["status"].as_str().unwrap_or_default();
    let (reason, code) = match kind {
        // A block passes; an event of before there were blocks is a bounce if its server said that it is for good.
        "bounce" => match event["type"].as_str() {
            Some("bounce") => (Reason::HardBounce, Some(status).filter(|status| !status.is_empty()).unwrap_or(kind)),
            None if status.starts_with('5') => (Reason::HardBounce, status),
            _ => return None,
        },
        "dropped" => {
            let why = event["reason"].as_str()?.trim().to_lowercase();
            (DROPPED.into_iter().find(|(known, _)| *known == why)?.1, kind)
        }
        "spamreport" => (Reason::Complaint, kind),
        "unsubscribe" | "group_unsubscribe" => (Reason::Unsubscribe, kind),
        _ => return None,
    };
    Some(Stop::new(&event["email"], reason, code, &event["reason"], &event["sg_message_id"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example that SendGrid's own libraries are tested with.
    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
    const OTHER: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo7aNDthvj+y7GjUuFDb/R1NGe1OPzpA==";
    const SIGNATURE: &str =
        "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=";
    const AT: i64 = 1_600_112_502;
    const BODY: &str = concat!(
        r#"[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","#,
        r#""sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","#,
        r#""sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","#,
        r#""smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]"#,
        "\r\n"
    );

    fn source(key: &str) -> Source {
        super::super::key(key).expect("a key")
    }

    fn check(signature: &str, at: &str, body: &str, key: &str, late_s: i64) -> Result<(), NotSigned> {
        let now = Time::from_micros((AT + late_s) * 1_000_000);
        verify(signature, Some(at), body.as_bytes(), &[&source(OTHER), &source(key)], now, 600)
    }

    #[test]
    fn sendgrid_s_own_example_is_believed_and_nothing_else() {
        let at = AT.to_string();
        assert_eq!(check(SIGNATURE, &at, BODY, KEY, 0), Ok(()));
        assert_eq!(check(SIGNATURE, &at, BODY, KEY, 600), Ok(()));
        assert_eq!(check(SIGNATURE, &at, BODY, KEY, 601), Err(NotSigned::Old));
        assert_eq!(check(SIGNATURE, &at, BODY, KEY, -601), Err(NotSigned::Old));
        assert_eq!(check(SIGNATURE, &at, BODY.trim_end(), KEY, 0), Err(NotSigned::Wrong));
        assert_eq!(check(SIGNATURE, &(AT + 1).to_string(), BODY, KEY, 0), Err(NotSigned::Wrong));
        assert_eq!(check(SIGNATURE, &at, BODY, OTHER, 0), Err(NotSigned::Wrong));
        let other = "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH3j/0=";
        for wrong in [other, "", "AAAA", "not base64"] {
            assert_eq!(check(wrong, &at, BODY, KEY, 0), Err(NotSigned::Wrong), "{wrong}");
        }
        for wrong in ["", "soon", "1e9", "99999999999999999999"] {
            assert_eq!(check(SIGNATURE, wrong, BODY, KEY, 0), Err(NotSigned::NoTime), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_a_point_of_p_256() {
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n", &KEY[..64], &KEY[64..]);
        assert_eq!(key(&pem), key(KEY));
        assert!(key(KEY).is_some());
        for wrong in ["", "AAAA", &KEY[4..], &KEY[..KEY.len() - 4], &KEY.replace("AQcD", "AQgD")] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_what_is_final_is_believed() {
        let event = |event: Value| read(&json!([event])).stops.pop().map(|stop| (stop.reason, stop.code));
        for (said, reason, code) in [
            (json!({ "event": "bounce", "type": "bounce", "status": "5.1.1" }), Reason::HardBounce, "5.1.1"),
            (json!({ "event": "bounce", "type": "bounce" }), Reason::HardBounce, "bounce"),
            (json!({ "event": "bounce", "status": "5.0.0" }), Reason::HardBounce, "5.0.0"),
            (json!({ "event": "dropped", "reason": "Bounced Address" }), Reason::HardBounce, "dropped"),
            (json!({ "event": "dropped", "reason": "Spam Reporting Address" }), Reason::Complaint, "dropped"),
            (json!({ "event": "dropped", "reason": "Unsubscribed Address" }), Reason::Unsubscribe, "dropped"),
            (json!({ "event": "dropped", "reason": "Invalid" }), Reason::Invalid, "dropped"),
            (json!({ "event": "spamreport" }), Reason::Complaint, "spamreport"),
            (json!({ "event": "unsubscribe" }), Reason::Unsubscribe, "unsubscribe"),
            (json!({ "event": "group_unsubscribe", "asm_group_id": 9 }), Reason::Unsubscribe, "group_unsubscribe"),
        ] {
            assert_eq!(event(said.clone()), Some((reason, code.to_owned())), "{said}");
        }
        for said in [
            json!({ "event": "bounce", "type": "blocked", "status": "5.7.1" }),
            json!({ "event": "bounce", "status": "4.2.2" }),
            json!({ "event": "dropped", "reason": "Spam Content" }),
            json!({ "event": "dropped" }),
            json!({ "event": "group_resubscribe" }),
            json!({ "event": "delivered" }),
            json!({ "event": 5 }),
            json!({}),
            json!(null),
            json!("bounce"),
        ] {
            assert_eq!(event(said.clone()), None, "{said}");
        }
    }
}
