//! The SQL of sign-in.

use usher_db::{Conn, Result, sql, sql_both};

use super::{
    keys::SigningKey,
    link::Hash,
    types::{Link, link_columns},
};
use crate::values::{LinkId, MemberId, SiteId, SitePath, Time};

/// A link that is about to be.
pub struct NewLink<'a> {
    /// Its id.
    pub id: &'a LinkId,
    /// Whom it lets in.
    pub member: &'a MemberId,
    /// The hash of its token.
    pub hash: &'a Hash,
    /// Where at the site the member goes on.
    pub redirect: Option<&'a SitePath>,
    /// When it is made.
    pub created_at: Time,
    /// When it stops working.
    pub expires_at: Time,
}

/// Adds a link.
pub async fn insert(conn: Conn<'_>, site: SiteId, link: &NewLink<'_>) -> Result<u64> {
    sql!(
        "INSERT INTO login_link (site, id, member_id, hash, redirect, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(site)
    .bind(link.id)
    .bind(link.member)
    .bind(&link.hash[..])
    .bind(link.redirect.map(SitePath::as_str))
    .bind(link.created_at)
    .bind(link.expires_at)
    .run(conn)
    .await
}

/// The link of a token, with whom it lets in.
pub async fn by_hash(conn: Conn<'_>, site: SiteId, hash: &Hash) -> Result<Option<Link>> {
    sql!(concat!(
        "SELECT ",
        link_columns!(),
        " FROM login_link l JOIN member m ON m.site = l.site AND m.id = l.member_id WHERE l.site = $1 AND l.hash = $2"
    ))
    .bind(site)
    .bind(&hash[..])
    .optional(conn)
    .await
}

/// Uses a link up; whether it was there to be used. Of several at once, one gets `true`.
pub async fn take(conn: Conn<'_>, site: SiteId, link: &LinkId, now: Time) -> Result<bool> {
    let taken =
        sql!("UPDATE login_link SET used_at = $3 WHERE site = $1 AND id = $2 AND used_at IS NULL AND expires_at > $3")
            .bind(site)
            .bind(link)
            .bind(now)
            .run(conn)
            .await?;
    Ok(taken == 1)
}

/// Forgets a member's links that nobody has used.
pub async fn forget(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<u64> {
    sql!("DELETE FROM login_link WHERE site = $1 AND member_id = $2 AND used_at IS NULL")
        .bind(site)
        .bind(member)
        .run(conn)
        .await
}

/// Forgets links that stopped working before a moment, at most `limit`.
pub async fn prune_links(conn: Conn<'_>, before: Time, limit: u32) -> Result<u64> {
    sql!(
        "DELETE FROM login_link WHERE (site, id) IN
         (SELECT site, id FROM login_link WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)"
    )
    .bind(before)
    .bind(limit)
    .run(conn)
    .await
}

macro_rules! key_columns {
    () => {
        "kid, public_key, private_sealed, created_at, signs_from, retired_at"
    };
}

/// Adds a key.
pub async fn insert_key(conn: Conn<'_>, site: SiteId, key: &SigningKey) -> Result<u64> {
    sql!(
        "INSERT INTO signing_key (site, kid, public_key, private_sealed, created_at, signs_from)
         VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(site)
    .bind(&key.kid)
    .bind(&key.public_key)
    .bind(&key.private_sealed)
    .bind(key.created_at)
    .bind(key.signs_from)
    .run(conn)
    .await
}

/// The key that signs at a moment.
pub async fn signing_key(conn: Conn<'_>, site: SiteId, at: Time) -> Result<Option<SigningKey>> {
    sql!(concat!(
        "SELECT ",
        key_columns!(),
        " FROM signing_key WHERE site = $1 AND signs_from <= $2 AND (retired_at IS NULL OR retired_at > $2)
          ORDER BY signs_from DESC, kid LIMIT 1"
    ))
    .bind(site)
    .bind(at)
    .optional(conn)
    .await
}

/// The keys that are published at a moment, the one that signs last first.
pub async fn published(conn: Conn<'_>, site: SiteId, at: Time) -> Result<Vec<SigningKey>> {
    sql!(concat!(
        "SELECT ",
        key_columns!(),
        " FROM signing_key WHERE site = $1 AND (retired_at IS NULL OR retired_at > $2) ORDER BY signs_from DESC, kid"
    ))
    .bind(site)
    .bind(at)
    .all(conn)
    .await
}

/// Says until when a site's keys are published, of those of which nobody has said so.
pub async fn retire(conn: Conn<'_>, site: SiteId, at: Time) -> Result<u64> {
    sql!("UPDATE signing_key SET retired_at = $2 WHERE site = $1 AND retired_at IS NULL")
        .bind(site)
        .bind(at)
        .run(conn)
        .await
}

/// Forgets all keys of a site.
pub async fn delete_keys(conn: Conn<'_>, site: SiteId) -> Result<u64> {
    sql!("DELETE FROM signing_key WHERE site = $1").bind(site).run(conn).await
}

/// Forgets keys that are no longer published.
pub async fn prune_keys(conn: Conn<'_>, now: Time) -> Result<u64> {
    sql!("DELETE FROM signing_key WHERE retired_at <= $1").bind(now).run(conn).await
}

/// Holds a site, so that two do not make its key at once. Who only refers to the site does not wait.
pub async fn hold_site(conn: Conn<'_>, site: SiteId) -> Result<()> {
    let _: Option<(SiteId,)> = sql_both!(
        sqlite: "SELECT id FROM site WHERE id = $1",
        postgres: "SELECT id FROM site WHERE id = $1 FOR NO KEY UPDATE",
    )
    .bind(site)
    .optional(conn)
    .await?;
    Ok(())
}
