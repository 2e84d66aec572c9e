//! Which account is spoken to, and as whom.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::error::NotSent;
use crate::secret::{ApiKey, Mode};

const STRIPE: &str = "https://api.stripe.com/";
/// How long a call may take, from connecting to the last byte, unless the settings say otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// What a [`crate::Client`] needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Another address than Stripe's, for tests; plain `http` is refused with a live key.
    pub base: Option<Url>,
    /// The key.
    pub key: ApiKey,
    /// The connected account that a platform's key acts on, sent as `Stripe-Account` with every call.
    pub account: Option<AccountId>,
    /// How long a call may take, from connecting to the last byte.
    pub timeout: Duration,
}

impl Settings {
    /// A key on its own account at Stripe.
    pub fn new(key: ApiKey) -> Self {
        Self { base: None, key, account: None, timeout: DEFAULT_TIMEOUT }
    }

    /// The address that paths are put after, which ends in `/`.
    pub(crate) fn checked_base(&self) -> Result<Url, NotSent> {
        let mut base = match &self.base {
            Some(base) => base.clone(),
            None => Url::parse(STRIPE).map_err(|_| NotSent::Base)?,
        };
        let is_allowed = match base.scheme() {
            "https" => true,
            "http" => self.key.mode() != Mode::Live,
            _ => false,
        };
        if !is_allowed || !base.has_host() || base.query().is_some() || base.fragment().is_some() {
            return Err(NotSent::Base);
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(base)
    }
}

/// The id of an account, `acct_…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

impl AccountId {
    /// Takes `acct_` and letters and digits.
    pub fn parse(text: &str) -> Result<Self, BadAccount> {
        let rest = text.strip_prefix("acct_").ok_or(BadAccount)?;
        let is_one = (1..=100).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if is_one { Ok(Self(text.to_owned())) } else { Err(BadAccount) }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AccountId {
    type Error = BadAccount;

    fn try_from(text: String) -> Result<Self, BadAccount> {
        Self::parse(&text)
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.0
    }
}

/// A text is no account's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("This is no Stripe account: those begin with acct_.")]
pub struct BadAccount;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base: Option<&str>, key: &str) -> Result<String, NotSent> {
        let key = ApiKey::parse(key).unwrap();
        let settings = Settings { base: base.map(|base| Url::parse(base).unwrap()), ..Settings::new(key) };
        settings.checked_base().map(String::from)
    }

    #[test]
    fn a_live_key_goes_over_https_only() {
        assert_eq!(at(None, "sk_live_1").unwrap(), "https://api.stripe.com/");
        assert_eq!(at(Some("http://127.0.0.1:8420/fake"), "sk_test_1").unwrap(), "http://127.0.0.1:8420/fake/");
        for base in ["http://127.0.0.1:8420/", "ftp://api.stripe.com/", "https://api.stripe.com/?a=b"] {
            assert!(matches!(at(Some(base), "rk_live_1"), Err(NotSent::Base)), "{base}");
        }
    }

    #[test]
    fn accounts_are_checked() {
        assert_eq!(AccountId::parse("acct_1Pgaf").unwrap().to_string(), "acct_1Pgaf");
        for text in ["", "acct_", "cus_1", "acct_1\r\n", "acct_1/2"] {
            assert_eq!(AccountId::parse(text), Err(BadAccount), "{text:?}");
        }
    }
}
