//! What there is once in a database, whatever the number of sites: secrets that the installation makes for itself.
//!
//! They are kept in the open (`setting`), as they must outlive any secret key and work without one. Each says where
//! it is used what somebody with a copy of the database could do with it.

mod store;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use usher_db::{Conn, Result, Tx};

use crate::values::SiteId;

/// The guide to running Usher, in Markdown.
pub fn guide() -> String {
    include_str!("running.md").to_owned()
}

/// The database's clock, in microseconds since 1970.
pub async fn database_clock(conn: Conn<'_>) -> Result<i64> {
    store::clock(conn).await
}

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
    make(tx, name, &secret).await
}

/// Keeps a value unless there is one, and returns the one that is kept.
pub async fn make(tx: &mut Tx, name: &str, value: &str) -> Result<String> {
    store::make_setting(tx.conn(), name, value).await?;
    // Another process may have been quicker.
    Ok(store::setting(tx.conn(), name).await?.unwrap_or_else(|| value.to_owned()))
}

/// Keeps a value, whatever was kept before.
pub async fn set(tx: &mut Tx, name: &str, value: &str) -> Result<u64> {
    store::set_setting(tx.conn(), name, value).await
}

/// The same within a transaction that is not of this program's making.
pub async fn note(conn: Conn<'_>, name: &str, value: &str) -> Result<()> {
    store::set_setting(conn, name, value).await.map(drop)
}

/// What stands for a text that must not be kept: its HMAC-SHA-256 under a secret, in hexadecimal digits. The site is hashed
/// too, so that what two sites have cannot be compared.
pub fn keyed_hash(secret: &str, site: SiteId, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(format!("{site} {text}").as_bytes());
    let digits = mac.finalize().into_bytes();
    digits.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
