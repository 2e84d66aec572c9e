//! Webhooks. The signatures below were computed elsewhere, by Python's hmac:
//! `hmac.new(secret, f"{t}.".encode() + body, hashlib.sha256).hexdigest()`.

use proptest::prelude::*;
use usher_stripe::WebhookSecret;
use usher_stripe::webhook::{WebhookError, verify};

const BODY: &str = r#"{"id":"evt_1","type":"customer.subscription.updated","created":1700000000,"data":{"object":{"id":"sub_1","object":"subscription","customer":"cus_1"}}}"#;
const AT: i64 = 1_700_000_000;
const OF_NEW: &str = "f79767808a4abf22fb57d06124d2846948ea2a005d8fe30dd596cbab3c553de8";
const OF_OLD: &str = "19a73aa3dbe5e0f3e476ff9b7a4e09b66606ec239e4c8d38fd95549998bce7dc";
const OF_NONSENSE: &str = "abababababababababababababababababababababababababababababababab";

fn secrets() -> Vec<WebhookSecret> {
    ["whsec_newer", "whsec_older"].map(|text| WebhookSecret::parse(text).unwrap()).into()
}

fn taken(header: &str) -> Result<String, WebhookError> {
    verify(Some(header), BODY.as_bytes(), &secrets(), AT).map(|event| event.id)
}

#[test]
fn any_signature_by_any_secret_will_do() {
    let fits = |header: &str| assert_eq!(taken(header).unwrap(), "evt_1", "{header}");
    fits(&format!("t={AT},v1={OF_NEW}"));
    fits(&format!("t={AT},v1={OF_OLD}"));
    fits(&format!("t={AT}, v1={OF_NONSENSE} ,v1={OF_OLD},v0=abc,scheme="));
    fits(&format!("v1={OF_NEW},t={AT}"));
    fits(&format!("t={AT},v1={}", OF_NEW.to_uppercase()));
    let event = verify(Some(&format!("t={AT},v1={OF_NEW}")), BODY.as_bytes(), &secrets(), AT).unwrap();
    assert_eq!((event.kind.as_str(), event.created), ("customer.subscription.updated", AT));
    assert_eq!((event.about().subscription, event.about().customer), (Some("sub_1"), Some("cus_1")));
}

#[test]
fn what_is_not_signed_says_why() {
    assert_eq!(verify(None, BODY.as_bytes(), &secrets(), AT), Err(WebhookError::NoHeader));
    for header in [
        "".to_owned(),
        "nonsense".to_owned(),
        format!("v1={OF_NEW}"),
        format!("t={AT}"),
        format!("t={AT},v1="),
        format!("t={AT},v1={}", &OF_NEW[1..]),
        format!("t={AT},v1={}g", &OF_NEW[1..]),
        format!("t={AT},v0={OF_NEW}"),
        format!("t=,v1={OF_NEW}"),
        format!("t=+{AT},v1={OF_NEW}"),
        format!("t=99999999999999999999,v1={OF_NEW}"),
        format!("t={AT},t={AT},v1={OF_NEW}"),
        format!("t={AT},v1={OF_NEW}{}", ",v0=a".repeat(2000)),
    ] {
        assert_eq!(taken(&header), Err(WebhookError::Malformed), "{header}");
    }
}

#[test]
fn another_secret_time_or_scheme_does_not_fit() {
    let header = format!("t={AT},v1={OF_NEW}");
    assert_eq!(verify(Some(&header), BODY.as_bytes(), &[], AT), Err(WebhookError::NoMatch));
    let other = [WebhookSecret::parse("whsec_other").unwrap()];
    assert_eq!(verify(Some(&header), BODY.as_bytes(), &other, AT), Err(WebhookError::NoMatch));
    assert_eq!(taken(&format!("t={},v1={OF_NEW}", AT + 1)), Err(WebhookError::NoMatch));
    // The same time, not as it was signed.
    assert_eq!(taken(&format!("t=0{AT},v1={OF_NEW}")), Err(WebhookError::NoMatch));
    let many = format!("t={AT}{},v1={OF_NEW}", format!(",v1={OF_NONSENSE}").repeat(16));
    assert_eq!(taken(&many), Err(WebhookError::NoMatch));
}

#[test]
fn a_signature_lives_for_five_minutes_either_way() {
    let header = format!("t={AT},v1={OF_NEW}");
    let at = |now| verify(Some(&header), BODY.as_bytes(), &secrets(), now).map(|event| event.id);
    for now in [AT - 300, AT, AT + 300] {
        assert!(at(now).is_ok(), "{now}");
    }
    assert_eq!(at(AT + 301), Err(WebhookError::TooOld { seconds: 301 }));
    assert_eq!(at(AT - 301), Err(WebhookError::TooNew { seconds: 301 }));
    assert_eq!(at(i64::MIN), Err(WebhookError::TooNew { seconds: i64::MIN.abs_diff(AT) }));
    // What does not fit is not told its age.
    assert_eq!(taken(&format!("t=1,v1={OF_NEW}")), Err(WebhookError::NoMatch));
}

#[test]
fn a_signed_body_must_be_an_event() {
    let signed = [
        ("0265b9d1f8a535cf7cfec3540b0c7409d6fc3d6228e70adf16eec3360eaef23b", ""),
        ("e72177f58f047cf9394b4825619235292a0f8f4767c00c510928ba2997d573a1", "[]"),
        (
            "6ffb8e70feb63b67748c45da72a28b0bd2b35657a45ca67d1feabc3f25f68e4a",
            r#"{"type":"x","email":"ann@example.org"}"#,
        ),
    ];
    for (signature, body) in signed {
        let error = verify(Some(&format!("t={AT},v1={signature}")), body.as_bytes(), &secrets(), AT).unwrap_err();
        assert!(matches!(error, WebhookError::NotAnEvent { .. }), "{body}: {error}");
        assert!(!format!("{error} {error:?}").contains("ann@"));
    }
}

proptest! {
    #[test]
    fn a_changed_body_is_refused(at in 0..BODY.len(), bit in 0..8_u32) {
        let mut body = BODY.as_bytes().to_vec();
        body[at] ^= 1 << bit;
        let header = format!("t={AT},v1={OF_NEW}");
        prop_assert_eq!(verify(Some(&header), &body, &secrets(), AT), Err(WebhookError::NoMatch));
    }

    #[test]
    fn a_shorter_or_longer_body_is_refused(cut in 0..BODY.len(), more in "[ -~]{1,20}") {
        let header = format!("t={AT},v1={OF_NEW}");
        let longer = format!("{BODY}{more}");
        for body in [&BODY[..cut], longer.as_str()] {
            prop_assert_eq!(verify(Some(&header), body.as_bytes(), &secrets(), AT), Err(WebhookError::NoMatch));
        }
    }

    #[test]
    fn a_changed_signature_is_refused(at in 0..64_usize, digit in "[0-9a-f]") {
        let mut signature = OF_NEW.to_owned();
        signature.replace_range(at..=at, &digit);
        prop_assume!(signature != OF_NEW);
        prop_assert_eq!(taken(&format!("t={AT},v1={signature}")), Err(WebhookError::NoMatch));
    }

    #[test]
    fn no_header_breaks_it(header in "\\PC{0,200}", now: i64) {
        prop_assert!(verify(Some(&header), BODY.as_bytes(), &secrets(), now).is_err());
    }
}
