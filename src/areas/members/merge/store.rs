//! The SQL of a merge.

use usher_db::{Conn, FromRow, Result, Row, Tx, sql};

use super::better::{self, Right};
use crate::{
    areas::{
        access,
        members::{Member, Span, erase::Kind, store::reword},
    },
    values::{BundleId, MemberId, SiteId, Time},
};

/// A member that a job moves to this one, if there is one.
pub async fn loser_of(conn: Conn<'_>, site: SiteId, winner: &MemberId) -> Result<Option<MemberId>> {
    let row: Option<(MemberId,)> = sql!(
        "SELECT id FROM member WHERE site = $1 AND merge_into IS NOT NULL AND merge_into = $2 ORDER BY id LIMIT 1"
    )
    .bind(site)
    .bind(winner)
    .optional(conn)
    .await?;
    Ok(row.map(|(id,)| id))
}

/// Whether a job moves a member to another.
pub async fn is_loser(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<bool> {
    let row: Option<(i64,)> = sql!("SELECT 1 FROM member WHERE site = $1 AND id = $2 AND merge_into IS NOT NULL")
        .bind(site)
        .bind(member)
        .optional(conn)
        .await?;
    Ok(row.is_some())
}

/// Marks a member as one that is moved to another.
pub async fn mark(conn: Conn<'_>, site: SiteId, loser: &MemberId, winner: &MemberId, now: Time) -> Result<u64> {
    sql!(
        "UPDATE member SET deleting_since = $3, updated_at = $3, merge_into = $4, is_paid = FALSE
         WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(loser)
    .bind(now)
    .bind(winner)
    .run(conn)
    .await
}

/// Writes what a winner has got at once.
pub async fn update_winner(mut conn: Conn<'_>, site: SiteId, before: &Member, member: &Member) -> Result<u64> {
    let n = sql!(
        "UPDATE member SET name = $3, name_key = $4, note = $5, status = $6, free_since = $7, free_until = $8,
                trial_since = $9, trial_until = $10, is_paid = $11, updated_at = $12, external_id = $13, metadata = $14,
                words = $15
         WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(&member.id)
    .bind(member.name.as_deref())
    .bind(member.name_key())
    .bind(member.note.as_deref())
    .bind(member.status.as_str())
    .bind(member.free_access.map(|free| free.since))
    .bind(member.free_access.and_then(|free| free.expires_at))
    .bind(member.trial.map(|trial| trial.since))
    .bind(member.trial.and_then(|trial| trial.expires_at))
    .bind(member.is_paid)
    .bind(member.updated_at)
    .bind(member.external_id.as_deref())
    .bind(member.metadata.as_ref().and_then(|metadata| metadata.to_store()))
    .bind(&member.words().text)
    .run(conn.again())
    .await?;
    reword(conn, site, before, member).await?;
    Ok(n)
}

/// Moves rows of a kind, at most `limit`, from the first member to the second, both of whom are held. Gives how many.
pub async fn hand_over(
    tx: &mut Tx,
    site: SiteId,
    (loser, winner): (&MemberId, &MemberId),
    kind: Kind,
    limit: u32,
    now: Time,
) -> Result<u64> {
    let moving = match kind {
        Kind::Entitlements => return entitlements(tx, site, (loser, winner), limit, now).await,
        Kind::Links => return crate::areas::members::erase::store::delete(tx, site, loser, kind, limit).await,
        Kind::Addresses => sql!(
            "UPDATE former_address SET member_id = $3 WHERE site = $1 AND (email_key, held_as) IN
             (SELECT email_key, held_as FROM former_address WHERE site = $1 AND member_id = $2
              ORDER BY email_key, held_as LIMIT $4)"
        ),
        Kind::Watch => sql!(
            "INSERT INTO watch (site, member_id, video_id, position_s, furthest_s, completed_at, created_at, updated_at)
             SELECT site, CAST($3 AS TEXT), video_id, position_s, furthest_s, completed_at, created_at, updated_at
             FROM watch WHERE site = $1 AND member_id = $2 ORDER BY video_id LIMIT $4
             ON CONFLICT (site, member_id, video_id) DO UPDATE SET
                 position_s = CASE WHEN excluded.updated_at > watch.updated_at THEN excluded.position_s
                                   ELSE watch.position_s END,
                 furthest_s = CASE WHEN excluded.furthest_s > watch.furthest_s THEN excluded.furthest_s
                                   ELSE watch.furthest_s END,
                 completed_at = CASE WHEN watch.completed_at IS NULL OR excluded.completed_at < watch.completed_at
                                     THEN excluded.completed_at ELSE watch.completed_at END,
                 created_at = CASE WHEN excluded.created_at < watch.created_at THEN excluded.created_at
                                   ELSE watch.created_at END,
                 updated_at = CASE WHEN excluded.updated_at > watch.updated_at THEN excluded.updated_at
                                   ELSE watch.updated_at END"
        ),
        Kind::Comments => sql!(
            "UPDATE comment SET member_id = $3 WHERE site = $1 AND id IN
             (SELECT id FROM comment WHERE site = $1 AND member_id = $2 ORDER BY id LIMIT $4)"
        ),
        Kind::Orders => sql!(
            "UPDATE granted_order SET member_id = $3 WHERE site = $1 AND order_id IN
             (SELECT order_id FROM granted_order WHERE site = $1 AND member_id = $2 ORDER BY order_id LIMIT $4)"
        ),
        Kind::Tags => sql!(
            "INSERT INTO member_tag (site, member_id, tag)
             SELECT site, CAST($3 AS TEXT), tag FROM member_tag
             WHERE site = $1 AND member_id = $2 ORDER BY tag LIMIT $4
             ON CONFLICT (site, member_id, tag) DO NOTHING"
        ),
        Kind::Groups => sql!(
            "INSERT INTO group_place (site, group_id, member_id, added_at)
             SELECT site, group_id, CAST($3 AS TEXT), added_at FROM group_place
             WHERE site = $1 AND member_id = $2 ORDER BY group_id LIMIT $4
             ON CONFLICT (site, group_id, member_id) DO UPDATE SET
                 added_at = CASE WHEN excluded.added_at < group_place.added_at THEN excluded.added_at
                                 ELSE group_place.added_at END"
        ),
        Kind::Subscriptions => sql!(
            "UPDATE subscription SET member_id = $3 WHERE site = $1 AND id IN
             (SELECT id FROM subscription WHERE site = $1 AND member_id = $2 ORDER BY id LIMIT $4)"
        ),
        Kind::Checkouts => sql!(
            "UPDATE checkout SET member_id = $3 WHERE site = $1 AND id IN
             (SELECT id FROM checkout WHERE site = $1 AND member_id = $2 ORDER BY id LIMIT $4)"
        ),
        Kind::Customers => sql!(
            "UPDATE stripe_customer SET member_id = $3 WHERE site = $1 AND id IN
             (SELECT id FROM stripe_customer WHERE site = $1 AND member_id = $2 ORDER BY created_at, id LIMIT $4)"
        ),
        Kind::Claims => sql!(
            "UPDATE stripe_claim SET member_id = $3 WHERE site = $1 AND external_id IN
             (SELECT external_id FROM stripe_claim WHERE site = $1 AND member_id = $2 ORDER BY external_id LIMIT $4)"
        ),
        Kind::Emails => sql!(
            "UPDATE email SET member_id = $3 WHERE site = $1 AND id IN
             (SELECT id FROM email WHERE site = $1 AND member_id = $2 ORDER BY id LIMIT $4)"
        ),
        Kind::Invoices => sql!(
            "UPDATE invoice SET member_id = $3 WHERE site = $1 AND id IN
             (SELECT id FROM invoice WHERE site = $1 AND member_id = $2 ORDER BY id LIMIT $4)"
        ),
    };
    let n = moving.bind(site).bind(loser).bind(winner).bind(limit).run(tx.conn()).await?;
    match kind {
        // The rows are copied: those of the loser go, which are the same as long as it is held.
        Kind::Watch | Kind::Tags | Kind::Groups => {
            crate::areas::members::erase::store::delete(tx, site, loser, kind, limit).await
        }
        _ => Ok(n),
    }
}

/// The better of two to a bundle is the winner's.
async fn entitlements(
    tx: &mut Tx,
    site: SiteId,
    (loser, winner): (&MemberId, &MemberId),
    limit: u32,
    now: Time,
) -> Result<u64> {
    let rights: Vec<Right> = sql!(
        "SELECT bundle_id, source, job_id, granted_at, expires_at, revoked_at, direct_since, direct_until, created_at
             FROM entitlement
         WHERE site = $1 AND member_id = $2 ORDER BY bundle_id LIMIT $3"
    )
    .bind(site)
    .bind(loser)
    .bind(limit)
    .all(tx.conn())
    .await?;
    let n = rights.len() as u64;
    for lost in rights {
        let own: Option<Right> = sql!(
            "SELECT bundle_id, source, job_id, granted_at, expires_at, revoked_at, direct_since, direct_until, created_at
             FROM entitlement
             WHERE site = $1 AND member_id = $2 AND bundle_id = $3"
        )
        .bind(site)
        .bind(winner)
        .bind(&lost.bundle)
        .optional(tx.conn())
        .await?;
        let Some(own) = own else {
            sql!(
                "UPDATE entitlement SET member_id = $4, updated_at = $5
                  WHERE site = $1 AND member_id = $2 AND bundle_id = $3"
            )
            .bind(site)
            .bind(loser)
            .bind(&lost.bundle)
            .bind(winner)
            .bind(now)
            .run(tx.conn())
            .await?;
            if lost.lives(now) {
                settle(tx, site, winner, &lost.bundle, now).await?;
            }
            continue;
        };
        sql!("DELETE FROM entitlement WHERE site = $1 AND member_id = $2 AND bundle_id = $3")
            .bind(site)
            .bind(loser)
            .bind(&lost.bundle)
            .run(tx.conn())
            .await?;
        let merged = better::right(own.clone(), lost, now);
        if merged != own {
            write(tx, site, winner, &merged, now).await?;
        }
        if merged.lives(now) {
            settle(tx, site, winner, &merged.bundle, now).await?;
        }
    }
    Ok(n)
}

/// What holds it may be less than a moment ago: orders move first, and one of them may have been taken back since.
async fn settle(tx: &mut Tx, site: SiteId, winner: &MemberId, bundle: &str, now: Time) -> Result<()> {
    let bundle = BundleId::parse(bundle).map_err(|error| usher_db::Error::Decode(error.into()))?;
    access::orders::store::settle(tx.conn(), site, winner, &bundle, now).await
}

async fn write(tx: &mut Tx, site: SiteId, member: &MemberId, right: &Right, now: Time) -> Result<u64> {
    sql!(
        "UPDATE entitlement SET source = $4, granted_at = $5, expires_at = $6, revoked_at = $7, direct_since = $8,
                direct_until = $9, created_at = $10, updated_at = $11, job_id = $12
         WHERE site = $1 AND member_id = $2 AND bundle_id = $3"
    )
    .bind(site)
    .bind(member)
    .bind(&right.bundle)
    .bind(right.source.as_deref())
    .bind(right.granted_at)
    .bind(right.expires_at)
    .bind(right.revoked_at)
    .bind(right.direct.map(|direct| direct.since))
    .bind(right.direct.and_then(|direct| direct.expires_at))
    .bind(right.created_at)
    .bind(now)
    .bind(right.job.as_deref())
    .run(tx.conn())
    .await
}

impl FromRow for Right {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        let (bundle, source, job) = (row.take()?, row.take()?, row.take()?);
        let (granted_at, expires_at, revoked_at) = (row.take()?, row.take()?, row.take()?);
        let (since, until): (Option<Time>, _) = (row.take()?, row.take()?);
        Ok(Self {
            bundle,
            source,
            job,
            granted_at,
            expires_at,
            revoked_at,
            direct: since.map(|since| Span { since, expires_at: until }),
            created_at: row.take()?,
        })
    }
}
