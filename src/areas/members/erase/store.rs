//! The SQL of a member that goes: each kind of rows is counted, deleted or handed over, a number of rows at once.

use usher_db::{Conn, FromRow, Result, Row, Tx, sql};

use super::Kind;
use crate::{
    areas::{
        access::orders,
        members::store::{by_id, words},
    },
    values::{MemberId, SiteId, Time},
};

/// How many rows of a kind a member has.
pub async fn tally(conn: Conn<'_>, site: SiteId, member: &MemberId, kind: Kind) -> Result<u64> {
    let statement = match kind {
        Kind::Watch => sql!("SELECT count(*) FROM watch WHERE site = $1 AND member_id = $2"),
        Kind::Comments => sql!("SELECT count(*) FROM comment WHERE site = $1 AND member_id = $2"),
        Kind::Entitlements => sql!("SELECT count(*) FROM entitlement WHERE site = $1 AND member_id = $2"),
        Kind::Orders => sql!("SELECT count(*) FROM granted_order WHERE site = $1 AND member_id = $2"),
        Kind::Tags => sql!("SELECT count(*) FROM member_tag WHERE site = $1 AND member_id = $2"),
        Kind::Groups => sql!("SELECT count(*) FROM group_place WHERE site = $1 AND member_id = $2"),
        Kind::Subscriptions => sql!("SELECT count(*) FROM subscription WHERE site = $1 AND member_id = $2"),
        Kind::Checkouts => sql!("SELECT count(*) FROM checkout WHERE site = $1 AND member_id = $2"),
        Kind::Customers => sql!("SELECT count(*) FROM stripe_customer WHERE site = $1 AND member_id = $2"),
        Kind::Claims => sql!("SELECT count(*) FROM stripe_claim WHERE site = $1 AND member_id = $2"),
        Kind::Emails => sql!("SELECT count(*) FROM email WHERE site = $1 AND member_id = $2"),
        Kind::Invoices => sql!(
            "SELECT count(*) FROM invoice WHERE site = $1 AND member_id = $2
               AND (hosted_url IS NOT NULL OR pdf_url IS NOT NULL)"
        ),
        Kind::Links => sql!("SELECT count(*) FROM login_link WHERE site = $1 AND member_id = $2"),
        Kind::Addresses => sql!("SELECT count(*) FROM former_address WHERE site = $1 AND member_id = $2"),
    };
    let (n,): (i64,) = statement.bind(site).bind(member).one(conn).await?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// Deletes rows of a kind, at most `limit`. Gives how many.
pub async fn delete(tx: &mut Tx, site: SiteId, member: &MemberId, kind: Kind, limit: u32) -> Result<u64> {
    let statement = match kind {
        Kind::Orders => return orders::spend(tx, site, member, limit).await,
        Kind::Watch => sql!(
            "DELETE FROM watch WHERE site = $1 AND member_id = $2 AND video_id IN
             (SELECT video_id FROM watch WHERE site = $1 AND member_id = $2 ORDER BY video_id LIMIT $3)"
        ),
        Kind::Comments => sql!(
            "DELETE FROM comment WHERE site = $1 AND member_id = $2 AND id IN
             (SELECT id FROM comment WHERE site = $1 AND member_id = $2 ORDER BY id LIMIT $3)"
        ),
        Kind::Entitlements => sql!(
            "DELETE FROM entitlement WHERE site = $1 AND member_id = $2 AND bundle_id IN
             (SELECT bundle_id FROM entitlement WHERE site = $1 AND member_id = $2 ORDER BY bundle_id LIMIT $3)"
        ),
        Kind::Tags => sql!(
            "DELETE FROM member_tag WHERE site = $1 AND member_id = $2 AND tag IN
             (SELECT tag FROM member_tag WHERE site = $1 AND member_id = $2 ORDER BY tag LIMIT $3)"
        ),
        Kind::Groups => sql!(
            "DELETE FROM group_place WHERE site = $1 AND member_id = $2 AND group_id IN
             (SELECT group_id FROM group_place WHERE site = $1 AND member_id = $2 ORDER BY group_id LIMIT $3)"
        ),
        Kind::Subscriptions => sql!(
            "DELETE FROM subscription WHERE site = $1 AND id IN
             (SELECT id FROM subscription WHERE site = $1 AND member_id = $2 ORDER BY id LIMIT $3)"
        ),
        Kind::Checkouts => sql!(
            "DELETE FROM checkout WHERE site = $1 AND id IN
             (SELECT id FROM checkout WHERE site = $1 AND member_id = $2 ORDER BY id LIMIT $3)"
        ),
        Kind::Customers => sql!(
            "DELETE FROM stripe_customer WHERE site = $1 AND id IN
             (SELECT id FROM stripe_customer WHERE site = $1 AND member_id = $2 ORDER BY created_at, id LIMIT $3)"
        ),
        Kind::Claims => sql!(
            "DELETE FROM stripe_claim WHERE site = $1 AND external_id IN
             (SELECT external_id FROM stripe_claim WHERE site = $1 AND member_id = $2 ORDER BY external_id LIMIT $3)"
        ),
        Kind::Emails => sql!(
            "DELETE FROM email WHERE site = $1 AND id IN
             (SELECT id FROM email WHERE site = $1 AND member_id = $2 ORDER BY id LIMIT $3)"
        ),
        Kind::Invoices => sql!(
            "UPDATE invoice SET hosted_url = NULL, pdf_url = NULL WHERE site = $1 AND id IN
             (SELECT id FROM invoice WHERE site = $1 AND member_id = $2
                 AND (hosted_url IS NOT NULL OR pdf_url IS NOT NULL) ORDER BY id LIMIT $3)"
        ),
        Kind::Links => sql!(
            "DELETE FROM login_link WHERE site = $1 AND id IN
             (SELECT id FROM login_link WHERE site = $1 AND member_id = $2 ORDER BY id LIMIT $3)"
        ),
        Kind::Addresses => return Ok(0),
    };
    statement.bind(site).bind(member).bind(limit).run(tx.conn()).await
}

/// Marks a member as one that a job deletes: from then on only the job may write to it.
pub async fn mark(conn: Conn<'_>, site: SiteId, member: &MemberId, since: Time) -> Result<u64> {
    sql!("UPDATE member SET deleting_since = $3, updated_at = $3 WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(member)
        .bind(since)
        .run(conn)
        .await
}

/// Deletes the member's own row, and the words that led to it.
pub async fn delete_member(mut conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<u64> {
    if let Some(member) = by_id(conn.again(), site, member).await? {
        words::delete_all(conn.again(), site, &member.id, &member.words()).await?;
    }
    sql!("DELETE FROM member WHERE site = $1 AND id = $2 AND deleting_since IS NOT NULL")
        .bind(site)
        .bind(member)
        .run(conn)
        .await
}

/// Whether a member has rows of a kind.
pub async fn has(conn: Conn<'_>, site: SiteId, member: &MemberId, kind: Kind) -> Result<bool> {
    let statement = match kind {
        Kind::Watch => sql!("SELECT 1 FROM watch WHERE site = $1 AND member_id = $2 LIMIT 1"),
        Kind::Comments => sql!("SELECT 1 FROM comment WHERE site = $1 AND member_id = $2 LIMIT 1"),
        Kind::Entitlements => sql!("SELECT 1 FROM entitlement WHERE site = $1 AND member_id = $2 LIMIT 1"),
        Kind::Orders => sql!("SELECT 1 FROM granted_order WHERE site = $1 AND member_id = $2 LIMIT 1"),
        Kind::Tags => sql!("SELECT 1 FROM member_tag WHERE site = $1 AND member_id = $2 LIMIT 1"),
        Kind::Groups => sql!("SELECT 1 FROM group_place WHERE site = $1 AND member_id = $2 LIMIT 1"),
        Kind::Subscriptions => sql!("SELECT 1 FROM subscription WHERE site = $1 AND member_id = $2 LIMIT 1"),
        Kind::Checkouts => sql!("SELECT 1 FROM checkout WHERE site = $1 AND member_id = $2 LIMIT 1"),
        Kind::Customers => sql!("SELECT 1 FROM stripe_customer WHERE site = $1 AND member_id = $2 LIMIT 1"),
        Kind::Claims => sql!("SELECT 1 FROM stripe_claim WHERE site = $1 AND member_id = $2 LIMIT 1"),
        Kind::Emails => sql!("SELECT 1 FROM email WHERE site = $1 AND member_id = $2 LIMIT 1"),
        Kind::Invoices => sql!(
            "SELECT 1 FROM invoice WHERE site = $1 AND member_id = $2
               AND (hosted_url IS NOT NULL OR pdf_url IS NOT NULL) LIMIT 1"
        ),
        Kind::Links => sql!("SELECT 1 FROM login_link WHERE site = $1 AND member_id = $2 LIMIT 1"),
        // Only the last transaction takes them.
        Kind::Addresses => return Ok(false),
    };
    let found: Vec<Nothing> = statement.bind(site).bind(member).all(conn).await?;
    Ok(!found.is_empty())
}

struct Nothing;

impl FromRow for Nothing {
    fn from_row(_: &mut Row<'_>) -> Result<Self> {
        Ok(Self)
    }
}
