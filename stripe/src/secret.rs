//! Keys and signing secrets: never printed, and wiped from memory when they are dropped.

use std::fmt;

use zeroize::Zeroizing;

/// The most bytes a key or a signing secret may have. Those of Stripe have about 110.
const MAX_SECRET_BYTES: usize = 512;

/// A secret or restricted API key of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Zeroizing<String>);

/// Whether a key acts on real money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Real cards and real money.
    Live,
    /// Stripe's test mode or a sandbox.
    Test,
    /// The key does not say it, as those of fakes.
    Unknown,
}

/// Bytes of a signing secret at least, with what it begins with.
const SHORTEST_SIGNING: usize = "whsec_".len() + 5;

impl ApiKey {
    /// Takes `sk_…` and `rk_…`, as Stripe shows them. White space around is left out.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let text = plain(text)?;
        match text.split('_').next() {
            Some("sk" | "rk") => Ok(Self(Zeroizing::new(text.to_owned()))),
            Some("pk") => Err(BadKey::Publishable),
            Some("whsec") => Err(BadKey::Signing),
            _ => Err(BadKey::NoKey),
        }
    }

    /// Whether it acts on real money.
    pub fn mode(&self) -> Mode {
        match self.0.split('_').nth(1) {
            Some("live") => Mode::Live,
            Some("test") => Mode::Test,
            _ => Mode::Unknown,
        }
    }

    /// Whether its permissions were chosen one by one (`rk_…`).
    pub fn is_restricted(&self) -> bool {
        self.0.starts_with("rk_")
    }

    /// The key itself, to encrypt it or to send it. It must never be shown.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The signing secret of one webhook endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Zeroizing<String>);

impl WebhookSecret {
    /// Takes `whsec_…`, as Stripe shows it. White space around is left out.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let text = plain(text)?;
        match text.split('_').next() {
            // Stripe's have 32 letters and more; a few of them would be guessed.
            Some("whsec") if text.len() >= SHORTEST_SIGNING => Ok(Self(Zeroizing::new(text.to_owned()))),
            _ => Err(BadKey::NoSigning),
        }
    }

    /// The secret itself, to encrypt it or to compute with it. It must never be shown.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({:?})", self.mode())
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret")
    }
}

/// Why a text is no key. It never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Something else entirely.
    #[error("This is no Stripe key: those begin with rk_ or sk_.")]
    NoKey,
    /// A key for web pages, which may do nothing.
    #[error("This is a publishable key. A restricted key (rk_) or a secret key (sk_) is needed.")]
    Publishable,
    /// A webhook's secret in the place of a key.
    #[error("This is a webhook's signing secret. A restricted key (rk_) or a secret key (sk_) is needed.")]
    Signing,
    /// Not a webhook's secret.
    #[error("This is no signing secret of a webhook: those begin with whsec_ and are longer. Copy all of it.")]
    NoSigning,
    /// Characters that no key has.
    #[error("The key has characters that no key has, or is far too long. Copy it again.")]
    Garbled,
}

fn plain(text: &str) -> Result<&str, BadKey> {
    let text = text.trim();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain && text.len() <= MAX_SECRET_BYTES { Ok(text) } else { Err(BadKey::Garbled) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_say_their_mode_and_never_themselves() {
        let live = ApiKey::parse(" rk_live_51Secret\n").unwrap();
        assert_eq!((live.mode(), live.is_restricted()), (Mode::Live, true));
        assert_eq!(format!("{live:?}"), "ApiKey(Live)");
        assert_eq!(ApiKey::parse("sk_test_1").unwrap().mode(), Mode::Test);
        assert_eq!(ApiKey::parse("sk_1234").unwrap().mode(), Mode::Unknown);
        let signing = "whsec_AbcDefGhiJklMnoPqrStuVwxYz012345";
        let secret = WebhookSecret::parse(signing).unwrap();
        assert_eq!((format!("{secret:?}").as_str(), secret.expose()), ("WebhookSecret", signing));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(ApiKey::parse("pk_live_1"), Err(BadKey::Publishable));
        assert_eq!(ApiKey::parse("whsec_1"), Err(BadKey::Signing));
        assert_eq!(ApiKey::parse("hunter2"), Err(BadKey::NoKey));
        assert_eq!(ApiKey::parse(""), Err(BadKey::NoKey));
        assert_eq!(ApiKey::parse("sk_test_1\r\nx: y"), Err(BadKey::Garbled));
        assert_eq!(ApiKey::parse(&format!("sk_{}", "a".repeat(600))), Err(BadKey::Garbled));
        for text in ["sk_test_1", "whsec_", "whsec_Abc"] {
            assert_eq!(WebhookSecret::parse(text), Err(BadKey::NoSigning), "{text}");
        }
    }
}
