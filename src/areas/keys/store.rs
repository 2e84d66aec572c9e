//! The SQL of keys.

use usher_db::{Conn, FromRow, Result, Row, Statement, sql};

use super::{Hash, Key};
use crate::{
    tools::Scopes,
    values::{KeyId, SiteId, Time},
};

impl FromRow for Key {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            site: row.take()?,
            id: row.take()?,
            name: row.take()?,
            hash: hash(row.take()?),
            old_hash: row.take::<Option<Vec<u8>>>()?.map(hash),
            old_until: row.take()?,
            scopes: Scopes::stored(&row.take::<String>()?),
            expires_at: row.take()?,
            revoked_at: row.take()?,
            created_at: row.take()?,
            last_used_at: row.take()?,
        })
    }
}

fn hash(bytes: Vec<u8>) -> Hash {
    bytes.try_into().unwrap_or_default()
}

/// One key, whatever its state.
pub async fn get(conn: Conn<'_>, site: SiteId, key: &KeyId) -> Result<Option<Key>> {
    sql!(
        "SELECT site, id, name, hash, old_hash, old_until, scopes, expires_at, revoked_at, created_at, last_used_at
         FROM api_key WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(key)
    .optional(conn)
    .await
}

/// Every key of a site, newest first.
pub async fn all(conn: Conn<'_>, site: SiteId) -> Result<Vec<Key>> {
    sql!(
        "SELECT site, id, name, hash, old_hash, old_until, scopes, expires_at, revoked_at, created_at, last_used_at
         FROM api_key WHERE site = $1 ORDER BY id DESC"
    )
    .bind(site)
    .all(conn)
    .await
}

/// Adds a key.
pub async fn insert(conn: Conn<'_>, key: &Key) -> Result<u64> {
    sql!(
        "INSERT INTO api_key (site, id, name, hash, scopes, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(key.site)
    .bind(&key.id)
    .bind(&key.name)
    .bind(&key.hash[..])
    .bind(key.scopes.names().join(","))
    .bind(key.expires_at.map(Time::micros))
    .bind(key.created_at)
    .run(conn)
    .await
}

/// Revokes a key that is not revoked yet.
pub async fn revoke(conn: Conn<'_>, site: SiteId, key: &KeyId, now: Time) -> Result<u64> {
    sql!("UPDATE api_key SET revoked_at = $3 WHERE site = $1 AND id = $2 AND revoked_at IS NULL")
        .bind(site)
        .bind(key)
        .bind(now)
        .run(conn)
        .await
}

/// Gives a key a new secret; the one before works until `old_until`.
pub async fn rotate(conn: Conn<'_>, site: SiteId, key: &KeyId, new: &Hash, old_until: Time) -> Result<u64> {
    sql!(
        "UPDATE api_key SET old_hash = hash, old_until = $4, hash = $3
         WHERE site = $1 AND id = $2 AND revoked_at IS NULL"
    )
    .bind(site)
    .bind(key)
    .bind(&new[..])
    .bind(old_until)
    .run(conn)
    .await
}

/// The statement that notes that a key was used.
pub fn used(site: SiteId, key: &KeyId, now: Time) -> Statement {
    sql!("UPDATE api_key SET last_used_at = $3 WHERE site = $1 AND id = $2").bind(site).bind(key).bind(now)
}
