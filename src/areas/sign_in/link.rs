//! The token in a link's address: `<site>-<secret>`. Letters, digits and a hyphen in the middle, so that no mail program
//! takes its end for the end of a sentence.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::{areas::keys, values::SiteId};

/// How long a link works.
pub const LIFE: Duration = Duration::from_secs(60 * 60);

/// The longest token that is looked at.
const LONGEST: usize = 64;

/// The SHA-256 of a token: all that is kept of it.
pub type Hash = [u8; 32];

/// A token as somebody presents it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The site that it says it is of.
    pub site: SiteId,
    /// What proves it.
    pub hash: Hash,
}

/// Makes a token, to be shown once.
pub fn generate(site: SiteId) -> (String, Hash) {
    let token = format!("{site}-{}", keys::random_secret());
    let hash = Sha256::digest(&token).into();
    (token, hash)
}

/// Reads a token; `None` if it cannot be one.
pub fn parse(text: &str) -> Option<Presented> {
    let (site, secret) = text.split_once('-')?;
    let fits = text.len() <= LONGEST && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let site = site.parse().ok().filter(|_| fits && site.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(Presented { site: SiteId::new(site), hash: Sha256::digest(text).into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_another_is_another() {
        let site = SiteId::new(12);
        let (token, hash) = generate(site);
        assert_eq!(parse(&token), Some(Presented { site, hash }));
        assert_ne!(generate(site).0, token);
        let cut = &token[..token.len() - 1];
        assert_ne!(parse(cut).unwrap().hash, hash);
        for wrong in ["", "-", "x-abc", "+1-abc", "1-a/b", "1-a%20", "1", "99999999999999999999-a", &"1-a".repeat(40)] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
