//! The rules of keys.

use std::time::Duration;

use usher_db::Tx;

use super::{Key, secret, store};
use crate::{
    areas::sites,
    clock::Clock,
    error::Result,
    tools::Scopes,
    values::{KeyId, SiteId, Time},
};

/// Makes a key, and gives the text that is shown once.
pub async fn create(
    tx: &mut Tx,
    clock: &Clock,
    site: &sites::Site,
    name: &str,
    scopes: Scopes,
    expires_at: Option<Time>,
) -> Result<(Key, String)> {
    let id = clock.key_id(site.id);
    let (text, hash) = secret::generate(&id, site.live);
    let key = Key {
        site: site.id,
        id,
        name: name.trim().to_owned(),
        hash,
        old_hash: None,
        old_until: None,
        scopes,
        expires_at,
        revoked_at: None,
        created_at: clock.now(),
        last_used_at: None,
    };
    store::insert(tx.conn(), &key).await?;
    sites::store::touch(tx.conn(), site.id).await?;
    Ok((key, text))
}

/// Revokes a key, from the next call on. Gives whether it was not revoked before.
pub async fn revoke(tx: &mut Tx, site: SiteId, key: &KeyId, now: Time) -> Result<bool> {
    let revoked = store::revoke(tx.conn(), site, key, now).await? == 1;
    sites::store::touch(tx.conn(), site).await?;
    Ok(revoked)
}

/// Gives a key a new secret, and the text that is shown once; the one before works for `overlap` more. `None` if
/// there is no such key, or it is revoked.
pub async fn rotate(
    tx: &mut Tx,
    site: &sites::Site,
    key: &KeyId,
    now: Time,
    overlap: Duration,
) -> Result<Option<String>> {
    let (text, hash) = secret::generate(key, site.live);
    let changed = store::rotate(tx.conn(), site.id, key, &hash, now + overlap).await?;
    sites::store::touch(tx.conn(), site.id).await?;
    Ok((changed == 1).then_some(text))
}
