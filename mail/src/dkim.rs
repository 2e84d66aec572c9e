//! Signatures (DKIM, RFC 6376): a receiver can tell that a message comes from the owner of a domain and was not changed.
//!
//! Keys are RSA of 2,048 bits. Ed25519 (RFC 8463) would be shorter, but large receivers do not check it yet.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use lettre::message::{
    dkim::{DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm, DkimSigningKey},
    header::HeaderName,
};
use rsa::{
    RsaPrivateKey,
    pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _, LineEnding},
    pkcs8::{DecodePrivateKey as _, EncodePublicKey as _},
    traits::PublicKeyParts as _,
};
use zeroize::Zeroizing;

/// What is signed beside the body. A header that a message lacks is signed as lacking, so that nobody can add one.
/// Content-Type and Content-Transfer-Encoding are not among them: lettre has them with the body and does not find them when
/// it signs, so that a receiver, who does, would take the signature for a forgery.
const SIGNED: [&str; 10] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "MIME-Version",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// Bits of the keys that are made.
const BITS: usize = 2048;

/// Bits that receivers ask for at least (RFC 8301).
const FEWEST_BITS: usize = 1024;

/// The longest string in a record of the domain name system (RFC 1035).
const LONGEST_STRING: usize = 255;

/// A domain's key and where its public half is published. Its `Debug` shows no key.
pub struct Dkim(DkimConfig);

/// A key to sign with.
pub struct SigningKey(RsaPrivateKey);

/// Why there is no signing with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// It is no RSA key.
    #[error("it is no RSA private key in PEM (-----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----)")]
    NotRsa,
    /// Receivers would not believe it.
    #[error("it has {0} bits, and receivers want 1024 or better 2048")]
    TooShort(usize),
    /// No name of a domain, or of a selector.
    #[error("{0:?} is no domain name")]
    NoName(String),
}

impl Dkim {
    /// To sign for a domain with a key whose public half stands at `selector._domainkey.domain`.
    pub fn new(domain: &str, selector: &str, key: &SigningKey) -> Result<Self, BadKey> {
        for name in [domain, selector] {
            if !is_name(name) {
                return Err(BadKey::NoName(name.to_owned()));
            }
        }
        let key = DkimSigningKey::new(&key.pem(), DkimSigningAlgorithm::Rsa).map_err(|_| BadKey::NotRsa)?;
        let relaxed = DkimCanonicalizationType::Relaxed;
        Ok(Self(DkimConfig::new(
            selector.to_owned(),
            domain.to_owned(),
            key,
            SIGNED.into_iter().map(HeaderName::new_from_ascii_str).collect(),
            DkimCanonicalization { header: relaxed, body: relaxed },
        )))
    }

    pub(crate) fn config(&self) -> &DkimConfig {
        &self.0
    }
}

impl fmt::Debug for Dkim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dkim")
    }
}

impl SigningKey {
    /// Makes one. It takes a while.
    ///
    /// # Panics
    /// Never: the number of bits is one that keys can have.
    pub fn generate() -> Self {
        Self(RsaPrivateKey::new(&mut rand_core::OsRng, BITS).expect("a key of 2,048 bits"))
    }

    /// Reads one, as `openssl genrsa` writes it.
    pub fn parse(pem: &str) -> Result<Self, BadKey> {
        let pem = pem.trim();
        let key = RsaPrivateKey::from_pkcs8_pem(pem).or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem));
        let key = key.map_err(|_| BadKey::NotRsa)?;
        match key.n().bits() {
            bits if bits < FEWEST_BITS => Err(BadKey::TooShort(bits)),
            _ => Ok(Self(key)),
        }
    }

    /// As text, to be kept in secret.
    ///
    /// # Panics
    /// Never: a key that was read or made can be written.
    pub fn pem(&self) -> Zeroizing<String> {
        self.0.to_pkcs1_pem(LineEnding::LF).expect("a key is PEM")
    }

    /// What is to be published: the value of the TXT record.
    ///
    /// # Panics
    /// Never: a key that was read or made has a public half.
    pub fn record(&self) -> String {
        let public = self.0.to_public_key().to_public_key_der().expect("a public key is DER");
        format!("v=DKIM1; k=rsa; p={}", BASE64_STANDARD.encode(public.as_bytes()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// A record's value as zone files have it: strings of at most 255 bytes.
pub fn quoted(record: &str) -> String {
    let strings: Vec<_> =
        record.as_bytes().chunks(LONGEST_STRING).map(|part| format!("\"{}\"", String::from_utf8_lossy(part))).collect();
    strings.join(" ")
}

fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let key = SigningKey::generate();
        let again = SigningKey::parse(&key.pem()).unwrap();
        assert_eq!(key.record(), again.record());
        assert!(key.record().starts_with("v=DKIM1; k=rsa; p=MIIB"), "{}", key.record());
        let quoted = quoted(&key.record());
        assert_eq!(quoted.replace("\" \"", "").trim_matches('"'), key.record());
        assert!(quoted.split("\" \"").all(|part| part.len() <= 257), "{quoted}");
        assert!(Dkim::new("site.example", "usher1", &key).is_ok());
        for (domain, selector) in [("", "s"), ("a b.example", "s"), ("site.example", "s; x=1"), ("site..example", "s")]
        {
            assert!(matches!(Dkim::new(domain, selector, &key), Err(BadKey::NoName(_))), "{domain} {selector}");
        }
        assert_eq!(format!("{key:?} {:?}", Dkim::new("a.example", "b", &key).unwrap()), "SigningKey Dkim");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(SigningKey::parse("no key").unwrap_err(), BadKey::NotRsa);
    }
}
