//! Webhooks: whether one is Stripe's, and what it is about.
//!
//! Stripe signs the time, a dot and the body with HMAC-SHA256, keyed by the endpoint's secret, and sends
//! `Stripe-Signature: t=1700000000,v1=<hex>,…`; while a secret is rolled there is a `v1` for each.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::client::parsed;
use crate::secret::WebhookSecret;
use crate::views::Event;

/// How far, in seconds, the time of a signature may be from now, either way.
pub const TOLERANCE_SECONDS: u64 = 300;
/// The longest header that is looked at.
const MAX_HEADER_BYTES: usize = 4096;
/// The most signatures of a header that are compared.
const MAX_SIGNATURES: usize = 16;
const SIGNATURE_BYTES: usize = 32;

/// Why a webhook is not taken. It shows nothing of the header or the body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// Not signed.
    #[error("The header Stripe-Signature is missing.")]
    NoHeader,
    /// Signed in no way known here.
    #[error("The header Stripe-Signature is not in Stripe's form: one t and at least one v1 are needed.")]
    Malformed,
    /// Signed by somebody else, or changed on the way.
    #[error("The signature does not fit the body. Is the endpoint's signing secret the one that is set here?")]
    NoMatch,
    /// Signed well, long ago: perhaps sent once more by somebody who saw it.
    #[error("The signature is {seconds} seconds old, more than {TOLERANCE_SECONDS}.")]
    TooOld {
        /// Its age.
        seconds: u64,
    },
    /// Signed well, in the future: one of the clocks is wrong.
    #[error("The signature is from {seconds} seconds in the future. Check this machine's clock.")]
    TooNew {
        /// How far ahead.
        seconds: u64,
    },
    /// Signed well, and no event.
    #[error("The body is signed and is not an event: {why}.")]
    NotAnEvent {
        /// Where and what is wrong, never what it says.
        why: String,
    },
}

/// Checks a webhook against the endpoint's secrets, of which there are two while one is rolled, and reads what it is about.
///
/// `header` is the value of `Stripe-Signature`, `body` the bytes as they came, `now` the time in seconds since 1970.
/// The signature is checked before anything else is believed, in a time that does not tell how much of it fits.
pub fn verify(header: Option<&str>, body: &[u8], secrets: &[WebhookSecret], now: i64) -> Result<Event, WebhookError> {
    let signed = Signed::parse(header.ok_or(WebhookError::NoHeader)?).ok_or(WebhookError::Malformed)?;
    if !secrets.iter().any(|secret| signed.fits(body, secret)) {
        return Err(WebhookError::NoMatch);
    }
    let seconds = now.abs_diff(signed.at);
    if seconds > TOLERANCE_SECONDS {
        let is_old = signed.at < now;
        return Err(if is_old { WebhookError::TooOld { seconds } } else { WebhookError::TooNew { seconds } });
    }
    parsed(body).map_err(|why| WebhookError::NotAnEvent { why })
}

struct Signed<'a> {
    at: i64,
    /// As it was written, since that is what was signed.
    at_text: &'a str,
    signatures: Vec<[u8; SIGNATURE_BYTES]>,
}

impl<'a> Signed<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        if header.len() > MAX_HEADER_BYTES {
            return None;
        }
        let mut at_text = None;
        let mut signatures = Vec::new();
        for part in header.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            match name {
                "t" if at_text.is_some() => return None,
                "t" => at_text = Some(value),
                "v1" if signatures.len() < MAX_SIGNATURES => signatures.extend(from_hex(value)),
                _ => {} // other ways to sign
            }
        }
        let at_text = at_text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        let at = at_text.parse().ok()?;
        (!signatures.is_empty()).then_some(Self { at, at_text, signatures })
    }

    fn fits(&self, body: &[u8], secret: &WebhookSecret) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
            return false; // it takes keys of any length
        };
        mac.update(self.at_text.as_bytes());
        mac.update(b".");
        mac.update(body);
        self.signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    }
}

fn from_hex(text: &str) -> Option<[u8; SIGNATURE_BYTES]> {
    let bytes = text.as_bytes();
    if bytes.len() != 2 * SIGNATURE_BYTES {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut out = [0; SIGNATURE_BYTES];
    for (byte, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(out)
}
