//! The text of a key: `usher_<live|test>_<id>_<secret><check>`.
//!
//! The id is the key's without its prefix; the secret is 256 random bits in 43 base-62 digits; the check is the CRC32
//! (IEEE) of all before it in 6 base-62 digits, so that a secret scanner can tell a key from a look-alike.

use rand::TryRng as _;
use sha2::{Digest as _, Sha256};

use crate::values::KeyId;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET: usize = 43;
const CHECK: usize = 6;

/// The SHA-256 of a secret: all that is stored of it.
pub type Hash = [u8; 32];

/// A key as its holder sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Whether it says that it is for a live site.
    pub live: bool,
    /// Which key it says it is.
    pub id: KeyId,
    /// What proves it.
    pub hash: Hash,
}

/// Makes the text of a key, to be shown once, and the hash of its secret.
///
/// # Panics
/// If the operating system has no randomness to give.
pub fn generate(id: &KeyId, live: bool) -> (String, Hash) {
    let secret = random_secret();
    let hash = Sha256::digest(&secret).into();
    let id = id.as_str().split_once('_').expect("an id has a prefix").1;
    let body = format!("usher_{}_{id}_{secret}", if live { "live" } else { "test" });
    let check = base62(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECK);
    (body + &check, hash)
}

/// 256 random bits in 43 base-62 digits.
///
/// # Panics
/// If the operating system has no randomness to give.
pub fn random_secret() -> String {
    let mut random = [0u8; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut random).expect("the operating system gives randomness");
    base62(&random, SECRET)
}

/// Reads the text of a key; `None` if it cannot be one.
pub fn parse(text: &str) -> Option<Presented> {
    if !text.is_ascii() {
        return None;
    }
    let (body, check) = text.split_at_checked(text.len().checked_sub(CHECK)?)?;
    if check != base62(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECK) {
        return None;
    }
    let (mode, rest) = body.strip_prefix("usher_")?.split_once('_')?;
    let (id, secret) = rest.split_once('_')?;
    let live = match mode {
        "live" => true,
        "test" => false,
        _ => return None,
    };
    if secret.len() != SECRET {
        return None;
    }
    Some(Presented { live, id: KeyId::parse(&format!("key_{id}")).ok()?, hash: Sha256::digest(secret).into() })
}

/// A big-endian number in base 62, with leading zeros.
fn base62(number: &[u8], digits: usize) -> String {
    let mut number = number.to_vec();
    let mut text = vec![b'0'; digits];
    for digit in text.iter_mut().rev() {
        let mut rest = 0u32;
        for byte in &mut number {
            let value = rest << 8 | u32::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        *digit = DIGITS[rest as usize];
    }
    String::from_utf8(text).expect("digits are ASCII")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_key_is_read_back() {
        let id = KeyId::of(Uuid::from_u128(42));
        let (text, hash) = generate(&id, false);
        assert!(text.starts_with("usher_test_"));
        assert_eq!(text.len(), 11 + 27 + 1 + SECRET + CHECK);
        assert_eq!(parse(&text), Some(Presented { live: false, id, hash }));
    }

    #[test]
    fn a_changed_key_is_refused() {
        let (text, _) = generate(&KeyId::of(Uuid::from_u128(42)), true);
        for at in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(parse(std::str::from_utf8(&wrong).unwrap()), None);
        }
        assert_eq!(parse(""), None);
        assert_eq!(parse("usher_live_é"), None);
    }

    #[test]
    fn base62_keeps_every_bit() {
        assert_eq!(base62(&[0xff; 4], 6), "4gfFC3");
        assert_eq!(base62(&[0, 61], 3), "00z");
    }
}
