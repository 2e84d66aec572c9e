//! Blocks on addresses of people that were erased.
//!
//! Such an entry keeps no address but a keyed hash of one (HMAC-SHA-256), so that the block holds if the address comes
//! back, and nobody can read from the list whose it was: not without the key, 256 random bits that the installation
//! makes once and keeps in its database (`setting`), and even with it only by guessing addresses. The site is hashed
//! too, so that two sites' lists cannot be compared.
//!
//! [`find`] is the one way to ask whether an address is blocked: it looks for both.

mod store;

use std::collections::HashMap;

use usher_db::{Conn, Result, Tx, Value};

use super::{store as blocks, types::Entry};
use crate::{
    areas::installation,
    values::{SiteId, Time},
};

/// What the key of such an entry begins with; no address does.
pub(super) const PREFIX: &str = "hash:";

/// The name of the installation's key among its settings.
const SETTING: &str = "block_hash_key";

/// The entries that block addresses, by the addresses' keys. Where an address has two, the stronger.
pub async fn find(conn: &mut impl Connect, site: SiteId, keys: &[String]) -> Result<HashMap<String, Entry>> {
    let hashed = hashes(conn, site, keys).await?;
    let asked: Value = keys.iter().chain(hashed.keys()).cloned().collect();
    let mut found: HashMap<String, Entry> = HashMap::new();
    for entry in blocks::of_keys(conn.conn(), site, asked).await? {
        let key = hashed.get(&entry.key).unwrap_or(&entry.key).clone();
        match found.get(&key) {
            Some(other) if other.reason >= entry.reason => {}
            _ => _ = found.insert(key, entry),
        }
    }
    Ok(found)
}

/// The hashes of addresses, each with its address's key; none while the installation has no hash yet.
pub(super) async fn hashes(conn: &mut impl Connect, site: SiteId, keys: &[String]) -> Result<HashMap<String, String>> {
    let Some(secret) = installation::secret(conn.conn(), SETTING).await? else { return Ok(HashMap::new()) };
    Ok(keys.iter().map(|key| (hash(&secret, site, key), key.clone())).collect())
}

/// What a statement is run on, again and again: a transaction or a place to read.
pub trait Connect {
    /// For one statement.
    fn conn(&mut self) -> Conn<'_>;
}

impl Connect for crate::gate::Cx {
    fn conn(&mut self) -> Conn<'_> {
        Self::conn(self)
    }
}

impl Connect for Tx {
    fn conn(&mut self) -> Conn<'_> {
        Self::conn(self)
    }
}

impl Connect for &usher_db::Db {
    fn conn(&mut self) -> Conn<'_> {
        self.read()
    }
}

/// Puts a hash in the place of a blocked address, and `mark` in that of the address as it is shown. The note goes; source
/// and vendor code stay unless they may hold an address. What other imports say of it goes with it, so that they can
/// still be taken back. Gives how many entries there were.
pub async fn hide(tx: &mut Tx, site: SiteId, key: &str, mark: &str, now: Time) -> Result<u64> {
    let own: Value = [key.to_owned()].into_iter().collect();
    if blocks::hold(tx.conn(), site, own.clone()).await?.is_empty() {
        blocks::forget_claims(tx.conn(), site, own).await?;
        return Ok(0);
    }
    let secret = installation::make_secret(tx, SETTING).await?;
    let hashed = hash(&secret, site, key);
    if blocks::hold(tx.conn(), site, [hashed.clone()].into_iter().collect()).await?.is_empty() {
        store::hide_claims(tx.conn(), site, key, &hashed).await?;
        store::hide(tx.conn(), site, key, &hashed, mark, now).await?;
    } else {
        // Of somebody who was erased, came back and is erased again.
        store::strengthen_hidden(tx.conn(), site, key, &hashed, now).await?;
        blocks::remove(tx.conn(), site, own.clone()).await?;
        blocks::forget_claims(tx.conn(), site, own).await?;
    }
    Ok(1)
}

fn hash(secret: &str, site: SiteId, key: &str) -> String {
    PREFIX.to_owned() + &installation::keyed_hash(secret, site, key)
}
