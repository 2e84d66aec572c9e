//! Secrets at rest: sealed with a key that is not in the database, so that a copy of the database opens nothing.
//!
//! XChaCha20-Poly1305 (RFC 8439 with the 24 random bytes of nonce of the XChaCha draft). What a secret is for is sealed
//! with it, so that one cannot be put in another's place. Of several keys the first one seals and all of them open: to roll
//! the key, put a new one before the old. Where the keys come from is told in `areas/secret_key`.

use std::{fmt, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use zeroize::Zeroizing;

/// What a sealed text begins with: how it was sealed.
const VERSION: &str = "x1:";

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// Seals and opens. A clone has the same keys; its `Debug` shows none.
#[derive(Clone)]
pub struct Sealer(Arc<[XChaCha20Poly1305]>);

/// Why a secret could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was sealed with another secret key, or for something else, or is damaged")]
pub struct NotOpened;

impl Sealer {
    /// Reads keys: each 32 random bytes in base64, comma separated. `None` if one is not.
    pub fn parse(text: &str) -> Option<Self> {
        let key = |text: &str| {
            let bytes = Zeroizing::new(BASE64_STANDARD.decode(text.trim()).ok()?);
            let bytes: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(bytes.as_slice().try_into().ok()?);
            Some(XChaCha20Poly1305::new(&Key::from(*bytes)))
        };
        let keys: Option<Vec<_>> = text.split(',').map(key).collect();
        keys.map(|keys| Self(keys.into()))
    }

    /// Seals a secret for a purpose, such as `stripe key of site 1`.
    ///
    /// # Panics
    /// If the secret has more than 256 GiB.
    pub fn seal(&self, purpose: &str, secret: &str) -> String {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: secret.as_bytes(), aad: purpose.as_bytes() };
        let sealed = self.0[0].encrypt(&XNonce::from(nonce), payload).expect("a secret is not that long");
        format!("{VERSION}{}", BASE64_STANDARD.encode([&nonce[..], &sealed].concat()))
    }

    /// The same with the keys of another one, which only open.
    pub fn with_older(&self, older: &Self) -> Self {
        Self(self.0.iter().chain(&*older.0).cloned().collect())
    }

    /// Whether the key that seals has sealed this, and not an older one.
    pub fn seals_like(&self, purpose: &str, sealed: &str) -> bool {
        Self(self.0[..1].into()).open(purpose, sealed).is_ok()
    }

    /// Opens what was sealed for a purpose.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<Zeroizing<String>, NotOpened> {
        let bytes = sealed.strip_prefix(VERSION).and_then(|text| BASE64_STANDARD.decode(text).ok()).ok_or(NotOpened)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(NotOpened)?;
        let open = |key: &XChaCha20Poly1305| {
            key.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: purpose.as_bytes() }).ok()
        };
        let opened = self.0.iter().find_map(open).ok_or(NotOpened)?;
        String::from_utf8(opened).map(Zeroizing::new).map_err(|_| NotOpened)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const NEW: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    fn sealer(keys: &str) -> Sealer {
        Sealer::parse(keys).expect("keys")
    }

    #[test]
    fn a_secret_is_opened_by_its_key_and_for_its_purpose_only() {
        let sealed = sealer(OLD).seal("a", "sk_test_1");
        assert!(!sealed.contains("sk_test_1"));
        assert_ne!(sealed, sealer(OLD).seal("a", "sk_test_1"));
        assert_eq!(sealer(OLD).open("a", &sealed).unwrap().as_str(), "sk_test_1");
        assert_eq!(sealer(&format!("{NEW}, {OLD}")).open("a", &sealed).unwrap().as_str(), "sk_test_1");
        assert_eq!(sealer(OLD).open("b", &sealed), Err(NotOpened));
        assert_eq!(sealer(NEW).open("a", &sealed), Err(NotOpened));
        let both = sealer(NEW).with_older(&sealer(OLD));
        assert!(
            both.open("a", &sealed).is_ok() && !both.seals_like("a", &sealed) && sealer(OLD).seals_like("a", &sealed)
        );
        assert!(both.seals_like("a", &both.seal("a", "sk_test_1")));
        for broken in ["", "x1:", "x1:AAAA", "plain", &sealed[..sealed.len() - 5]] {
            assert_eq!(sealer(OLD).open("a", broken), Err(NotOpened), "{broken}");
        }
    }

    #[test]
    fn keys_are_32_bytes_in_base64() {
        for wrong in ["", "AAAA", "not base64", &format!("{OLD},"), &OLD[1..]] {
            assert!(Sealer::parse(wrong).is_none(), "{wrong}");
        }
        assert_eq!(format!("{:?}", sealer(OLD)), "Sealer");
    }
}
