//! Whom a site listens to, and how they prove it is them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};
use usher_db::{FromRow, Row};

use super::{Provider, sendgrid};
use crate::values::Time;

/// Sources that a site has of one provider at most: topics for bounces and for complaints, and two of each while one is
/// replaced.
pub const MAX_SOURCES: usize = 10;

/// Letters of a password or a key that name it.
const HINT: usize = 6;

/// One that may tell a site of bounces and complaints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Who.
    pub provider: Provider,
    /// Which: a topic's ARN, or the last letters of a password or a key.
    pub id: String,
    /// A password's fingerprint, or a key; none for SNS, whose certificates prove it.
    pub proof: Option<String>,
    /// Another address than AWS's, for tests.
    pub base: Option<String>,
    /// When it was last heard of, to the minute.
    pub heard_at: Option<Time>,
}

impl FromRow for Source {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        let provider: String = row.take()?;
        let unknown = || usher_db::Error::Decode(format!("{provider:?} among the sources of notices").into());
        Ok(Self {
            provider: Provider::of_code(&provider).ok_or_else(unknown)?,
            id: row.take()?,
            proof: row.take()?,
            base: row.take()?,
            heard_at: row.take()?,
        })
    }
}

impl Source {
    fn new(provider: Provider, id: String, proof: Option<String>) -> Self {
        Self { provider, id, proof, base: None, heard_at: None }
    }
}

/// A topic of Amazon SNS, by its ARN: `arn:aws:sns:eu-west-1:123456789012:bounces`. `None` if the text is none.
pub fn topic(arn: &str) -> Option<Source> {
    let parts: Vec<_> = arn.trim().split(':').collect();
    let ["arn", partition, "sns", region, account, name] = parts[..] else { return None };
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_arn = partition.starts_with("aws") && is_name(partition) && is_name(region) && is_account && is_name(name);
    is_arn.then(|| Source::new(Provider::Ses, arn.trim().to_owned(), None))
}

/// A key that SendGrid signs with. `None` if the text is none.
pub fn key(text: &str) -> Option<Source> {
    let key = BASE64_STANDARD.encode(sendgrid::key(text)?);
    let hint = key.trim_end_matches('=');
    Some(Source::new(Provider::SendGrid, hint[hint.len() - HINT..].to_owned(), Some(key)))
}

/// A password for Postmark, to be shown once.
#[derive(Clone)]
pub struct Password {
    /// What is kept.
    pub source: Source,
    /// The password.
    pub secret: String,
}

/// Makes a password: 256 random bits, of which a plain hash tells nothing. In hexadecimal, which stands in an address as it
/// is.
pub fn password() -> Password {
    let secret = hex(&rand::random::<[u8; 32]>());
    let hint = secret[secret.len() - HINT..].to_owned();
    Password { source: Source::new(Provider::Postmark, hint, Some(fingerprint(&secret))), secret }
}

/// What is kept of a password.
pub(super) fn fingerprint(password: &str) -> String {
    hex(&Sha256::digest(password))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_named_by_its_arn() {
        for good in ["arn:aws:sns:eu-west-1:123456789012:bounces", " arn:aws-cn:sns:cn-north-1:123456789012:b_1.fifo\n"]
        {
            assert_eq!(topic(good).expect(good).id, good.trim());
        }
        for bad in [
            "",
            "bounces",
            "arn:aws:sqs:eu-west-1:123456789012:bounces",
            "arn:aws:sns:eu-west-1:1234:bounces",
            "arn:aws:sns:eu-west-1:123456789012:",
            "arn:aws:sns:eu-west-1:123456789012:bounces:0d4a-subscription",
            "arn:gcp:sns:eu-west-1:123456789012:bounces",
            "arn:aws:sns:*:123456789012:bounces",
        ] {
            assert!(topic(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_not_kept() {
        let (one, other) = (password(), password());
        assert_ne!(one.secret, other.secret);
        assert_eq!(one.secret.len(), 64);
        let proof = one.source.proof.unwrap();
        assert!(!proof.contains(&one.secret) && proof == fingerprint(&one.secret));
        assert!(one.secret.ends_with(&one.source.id));
    }
}
