//! What there is once in a database, whatever the number of sites: secrets that the installation makes for itself.
//!
//! They are kept in the open (`setting`), as they must outlive any `USHER_SECRET_KEY` and work without one. Each says where
//! it is used what somebody with a copy of the database could do with it.

mod store;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use usher_db::{Conn, Result, Tx};

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
