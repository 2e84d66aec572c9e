//! The SQL of blocks whose address is only known as a hash.

use usher_db::{Conn, Result, sql};

use crate::values::{SiteId, Time};

/// Puts a hash in the place of a blocked address.
pub(super) async fn hide(conn: Conn<'_>, site: SiteId, key: &str, hashed: &str, mark: &str, now: Time) -> Result<u64> {
    sql!(
        "UPDATE block SET email_key = $3, email = $4, note = NULL, updated_at = $5,
                source = CASE WHEN source LIKE '%@%' THEN 'erased' ELSE source END,
                vendor_code = CASE WHEN vendor_code LIKE '%@%' THEN NULL ELSE vendor_code END
         WHERE site = $1 AND email_key = $2"
    )
    .bind(site)
    .bind(key)
    .bind(hashed)
    .bind(mark)
    .bind(now)
    .run(conn)
    .await
}

/// The same in what others say of it.
pub(super) async fn hide_claims(conn: Conn<'_>, site: SiteId, key: &str, hashed: &str) -> Result<u64> {
    sql!(
        "UPDATE block_claim SET email_key = $3, note = NULL,
                source = CASE WHEN source LIKE '%@%' THEN 'erased' ELSE source END,
                vendor_code = CASE WHEN vendor_code LIKE '%@%' THEN NULL ELSE vendor_code END
         WHERE site = $1 AND email_key = $2"
    )
    .bind(site)
    .bind(key)
    .bind(hashed)
    .run(conn)
    .await
}

/// Lets a hidden entry be as strong as that of the same address in the open, and come from no import any more.
pub(super) async fn strengthen_hidden(conn: Conn<'_>, site: SiteId, key: &str, hashed: &str, now: Time) -> Result<u64> {
    sql!(
        "UPDATE block SET updated_at = $4, import = NULL,
                wish = CASE WHEN o.strength <= 2 THEN o.strength ELSE COALESCE(o.wish, block.wish) END,
                strength = CASE WHEN o.strength > block.strength THEN o.strength ELSE block.strength END,
                first_seen = CASE WHEN o.first_seen < block.first_seen THEN o.first_seen ELSE block.first_seen END
         FROM block AS o
         WHERE block.site = $1 AND block.email_key = $3 AND o.site = $1 AND o.email_key = $2"
    )
    .bind(site)
    .bind(key)
    .bind(hashed)
    .bind(now)
    .run(conn)
    .await
}
