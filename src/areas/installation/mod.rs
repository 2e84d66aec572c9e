//! What there is once in a database, whatever the number of sites: secrets that the installation makes for itself.
//!
//! They are kept in the open (`setting`), as they must outlive any `USHER_SECRET_KEY` and work without one. Each says where
//! it is used what somebody with a copy of the database could do with it.

mod store;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use usher_db::{Conn, Result, Tx};

use crate::values::SiteId;

/// A secret, if it was made.
pub async fn secret(conn: Conn<'_>, name: &str) -> Result<Option<String>> {
    store::setting(conn, name).await
}

/// A secret: 256 random bits in base64, made if there is none yet.
pub async fn make_secret(tx: &mut Tx, name: &str) -> Result<String> {
    if let Some(secret) = store::setting(tx.conn(), name).await? {
        return Ok(secret);
    }
    let secret = BASE64_STANDARD.encode(rand::random::<[u8; 32]>());
    store::make_setting(tx.conn(), name, &secret).await?;
    // Another process may have been quicker.
    Ok(store::setting(tx.conn(), name).await?.unwrap_or(secret))
}

/// What stands for a text that must not be kept: its HMAC-SHA-256 under a secret, in hexadecimal digits. The site is hashed
/// too, so that what two sites have cannot be compared.
pub fn keyed_hash(secret: &str, site: SiteId, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(format!("{site} {text}").as_bytes());
    let digits = mac.finalize().into_bytes();
    digits.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
