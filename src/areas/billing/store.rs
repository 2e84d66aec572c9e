//! The SQL of the connection to Stripe, of events that came, and of what is to be read.

use usher_db::{Conn, FromRow, Result, Row, sql, sql_both};

use super::connection::{Connection, connection_columns};
use crate::values::{SiteId, Time};

/// How a site speaks to Stripe.
pub async fn connection(conn: Conn<'_>, site: SiteId) -> Result<Option<Connection>> {
    sql!(concat!("SELECT ", connection_columns!(), " FROM stripe_connection WHERE site = $1"))
        .bind(site)
        .optional(conn)
        .await
}

/// Every site's connection.
pub async fn connections(conn: Conn<'_>) -> Result<Vec<Connection>> {
    sql!(concat!("SELECT ", connection_columns!(), " FROM stripe_connection ORDER BY site")).all(conn).await
}

/// What is written of a new connection.
pub struct NewConnection<'a> {
    /// The account that the key opens.
    pub account_id: &'a str,
    /// The connected account that it acts for.
    pub acts_for: Option<&'a str>,
    /// Another address than Stripe's.
    pub base: Option<&'a str>,
    /// The key, sealed.
    pub key_sealed: &'a str,
    /// Its kind and its last letters.
    pub key_hint: &'a str,
    /// Whether it is about real money.
    pub live: bool,
}

/// Connects a site, or gives it another key. Tickets go on, so that what was read before never overwrites what is read
/// from now on; nothing is parked any more.
pub async fn connect(conn: Conn<'_>, site: SiteId, new: &NewConnection<'_>, now: Time) -> Result<u64> {
    sql!(
        "INSERT INTO stripe_connection (site, account_id, acts_for, base, key_sealed, key_hint, live, ticket,
                                        created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $8)
         ON CONFLICT (site) DO UPDATE SET
             account_id = excluded.account_id, acts_for = excluded.acts_for, base = excluded.base,
             key_sealed = excluded.key_sealed, key_hint = excluded.key_hint, live = excluded.live,
             parked_at = NULL, parked_why = NULL, updated_at = excluded.updated_at"
    )
    .bind(site)
    .bind(new.account_id)
    .bind(new.acts_for)
    .bind(new.base)
    .bind(new.key_sealed)
    .bind(new.key_hint)
    .bind(new.live)
    .bind(now)
    .run(conn)
    .await
}

/// The account that a site belongs to, because what it knows by Stripe's ids is of that one; `None` while it knows nothing.
pub async fn belongs_to(conn: Conn<'_>, site: SiteId) -> Result<Option<(String, bool)>> {
    sql!(
        "SELECT a.account_id, a.live FROM stripe_account a WHERE a.site = $1
         AND (EXISTS (SELECT 1 FROM stripe_customer c WHERE c.site = a.site)
              OR EXISTS (SELECT 1 FROM subscription s WHERE s.site = a.site AND s.external_id IS NOT NULL)
              OR EXISTS (SELECT 1 FROM plan p WHERE p.site = a.site AND p.price_id IS NOT NULL))"
    )
    .bind(site)
    .optional(conn)
    .await
}

/// Notes which account a site is connected to.
pub async fn belong(conn: Conn<'_>, site: SiteId, account: &str, live: bool) -> Result<u64> {
    sql!(
        "INSERT INTO stripe_account (site, account_id, live) VALUES ($1, $2, $3)
         ON CONFLICT (site) DO UPDATE SET account_id = excluded.account_id, live = excluded.live"
    )
    .bind(site)
    .bind(account)
    .bind(live)
    .run(conn)
    .await
}

/// Forgets a site's key and signing secrets; what was mirrored stays.
pub async fn disconnect(tx: &mut usher_db::Tx, site: SiteId) -> Result<u64> {
    sql!("DELETE FROM stripe_secret WHERE site = $1").bind(site).run(tx.conn()).await?;
    sql!("DELETE FROM stripe_dirty WHERE site = $1").bind(site).run(tx.conn()).await?;
    sql!("DELETE FROM stripe_connection WHERE site = $1").bind(site).run(tx.conn()).await
}

/// Notes that the key may not do what it was to do.
pub async fn park(conn: Conn<'_>, site: SiteId, why: &str, now: Time) -> Result<u64> {
    sql!(
        "UPDATE stripe_connection SET parked_at = COALESCE(parked_at, $2), parked_why = $3, updated_at = $2
         WHERE site = $1"
    )
    .bind(site)
    .bind(now)
    .bind(why)
    .run(conn)
    .await
}

/// Notes that the key may do again what it is to do.
pub async fn unpark(conn: Conn<'_>, site: SiteId, now: Time) -> Result<u64> {
    sql!("UPDATE stripe_connection SET parked_at = NULL, parked_why = NULL, updated_at = $2 WHERE site = $1")
        .bind(site)
        .bind(now)
        .run(conn)
        .await
}

/// Notes until when events were listed; never back.
pub async fn set_events_until(conn: Conn<'_>, site: SiteId, until: Time) -> Result<u64> {
    sql!(
        "UPDATE stripe_connection SET events_until = $2
         WHERE site = $1 AND (events_until IS NULL OR events_until < $2)"
    )
    .bind(site)
    .bind(until)
    .run(conn)
    .await
}

/// Notes when every subscription was compared.
pub async fn set_swept(conn: Conn<'_>, site: SiteId, at: Time) -> Result<u64> {
    sql!("UPDATE stripe_connection SET swept_at = $2 WHERE site = $1").bind(site).bind(at).run(conn).await
}

/// The next ticket; `None` without a connection.
pub async fn take_ticket(conn: Conn<'_>, site: SiteId) -> Result<Option<i64>> {
    let row: Option<(i64,)> = sql!("UPDATE stripe_connection SET ticket = ticket + 1 WHERE site = $1 RETURNING ticket")
        .bind(site)
        .optional(conn)
        .await?;
    Ok(row.map(|(ticket,)| ticket))
}

/// The job that reads what is to be read; outside, whether there is a connection. It cannot end before the transaction has
/// ended, and others may look at the same time.
pub async fn sync_job(conn: Conn<'_>, site: SiteId) -> Result<Option<Option<String>>> {
    let row: Option<(Option<String>,)> = sql_both!(
        sqlite: "SELECT sync_job FROM stripe_connection WHERE site = $1",
        postgres: "SELECT sync_job FROM stripe_connection WHERE site = $1 FOR KEY SHARE",
    )
    .bind(site)
    .optional(conn)
    .await?;
    Ok(row.map(|(job,)| job))
}

/// Waits for all who look at the job that reads, and has others wait, until the transaction ends.
pub async fn hold_sync_job(conn: Conn<'_>, site: SiteId) -> Result<bool> {
    let row: Option<(SiteId,)> = sql_both!(
        sqlite: "SELECT site FROM stripe_connection WHERE site = $1",
        postgres: "SELECT site FROM stripe_connection WHERE site = $1 FOR UPDATE",
    )
    .bind(site)
    .optional(conn)
    .await?;
    Ok(row.is_some())
}

/// Notes which job reads.
pub async fn set_sync_job(conn: Conn<'_>, site: SiteId, job: &str) -> Result<u64> {
    sql!("UPDATE stripe_connection SET sync_job = $2 WHERE site = $1").bind(site).bind(job).run(conn).await
}

/// A site's signing secrets: their ids, and they themselves, sealed.
pub async fn secrets(conn: Conn<'_>, site: SiteId) -> Result<Vec<(String, String)>> {
    sql!("SELECT id, sealed FROM stripe_secret WHERE site = $1 ORDER BY created_at, id").bind(site).all(conn).await
}

/// Adds a signing secret.
pub async fn insert_secret(conn: Conn<'_>, site: SiteId, id: &str, sealed: &str, now: Time) -> Result<u64> {
    sql!(
        "INSERT INTO stripe_secret (site, id, sealed, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (site, id) DO UPDATE SET sealed = excluded.sealed"
    )
    .bind(site)
    .bind(id)
    .bind(sealed)
    .bind(now)
    .run(conn)
    .await
}

/// Takes a signing secret away.
pub async fn delete_secret(conn: Conn<'_>, site: SiteId, id: &str) -> Result<u64> {
    sql!("DELETE FROM stripe_secret WHERE site = $1 AND id = $2").bind(site).bind(id).run(conn).await
}

/// Notes that an event has come; `false` if it had before.
pub async fn insert_event(conn: Conn<'_>, site: SiteId, id: &str, now: Time) -> Result<bool> {
    let n =
        sql!("INSERT INTO stripe_event (site, id, received_at) VALUES ($1, $2, $3) ON CONFLICT (site, id) DO NOTHING")
            .bind(site)
            .bind(id)
            .bind(now)
            .run(conn)
            .await?;
    Ok(n == 1)
}

/// Forgets events that came before a moment, of all sites; gives how many.
pub async fn forget_events(conn: Conn<'_>, before: Time, limit: u32) -> Result<u64> {
    sql!(
        "DELETE FROM stripe_event WHERE (site, id) IN
         (SELECT site, id FROM stripe_event WHERE received_at < $1 ORDER BY received_at LIMIT $2)"
    )
    .bind(before)
    .bind(limit)
    .run(conn)
    .await
}

/// What is to be read, and who says so.
#[derive(Clone, Debug)]
pub struct Mark<'a> {
    /// `subscription`, `invoice`, `checkout` or `charge`.
    pub kind: &'a str,
    /// Stripe's id of it.
    pub object: &'a str,
    /// `webhook`, `events`, `sweep`, `resync` or `write`.
    pub source: &'a str,
    /// The event that it was heard by.
    pub event: Option<(&'a str, &'a str)>,
}

/// Notes that something is to be read, now. The ticket that was taken last says when: whoever takes a later one asks
/// Stripe after this was heard.
pub async fn mark(conn: Conn<'_>, site: SiteId, mark: &Mark<'_>, now: Time) -> Result<u64> {
    sql!(
        "INSERT INTO stripe_dirty (site, kind, object_id, marks, source, event_id, event_type, since, not_before, tries)
         VALUES ($1, $2, $3, COALESCE((SELECT c.ticket FROM stripe_connection c WHERE c.site = $1), 0), $4, $5, $6, $7,
                 $7, 0)
         ON CONFLICT (site, kind, object_id) DO UPDATE SET
             marks = CASE WHEN stripe_dirty.marks > excluded.marks THEN stripe_dirty.marks ELSE excluded.marks END,
             source = excluded.source, event_id = excluded.event_id,
             event_type = excluded.event_type, not_before = excluded.not_before"
    )
    .bind(site)
    .bind(mark.kind)
    .bind(mark.object)
    .bind(mark.source)
    .bind(mark.event.map(|(id, _)| id))
    .bind(mark.event.map(|(_, kind)| kind))
    .bind(now)
    .run(conn)
    .await
}

/// Something that is to be read.
#[derive(Clone, Debug)]
pub struct Dirty {
    /// What it is.
    pub kind: String,
    /// Stripe's id of it.
    pub object: String,
    /// The ticket that was the last when it was heard of last.
    pub marks: i64,
    /// Who says so.
    pub source: String,
    /// The event that it was heard by.
    pub event_id: Option<String>,
    /// What kind of event.
    pub event_type: Option<String>,
    /// How often reading it has failed.
    pub tries: i64,
}

impl FromRow for Dirty {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            kind: row.take()?,
            object: row.take()?,
            marks: row.take()?,
            source: row.take()?,
            event_id: row.take()?,
            event_type: row.take()?,
            tries: row.take()?,
        })
    }
}

/// Some of what is to be read by now, the oldest first.
pub async fn due(conn: Conn<'_>, site: SiteId, now: Time, limit: u32) -> Result<Vec<Dirty>> {
    sql!(
        "SELECT kind, object_id, marks, source, event_id, event_type, tries FROM stripe_dirty
         WHERE site = $1 AND not_before <= $2 ORDER BY not_before, kind, object_id LIMIT $3"
    )
    .bind(site)
    .bind(now)
    .bind(limit)
    .all(conn)
    .await
}

/// Notes that something was read with a ticket, unless it was heard of since that was taken. Rows of what is to be read
/// come and go, so counting how often something was heard of would not tell a new row from the one that was read.
pub async fn clean(conn: Conn<'_>, site: SiteId, dirty: &Dirty, ticket: i64) -> Result<u64> {
    sql!("DELETE FROM stripe_dirty WHERE site = $1 AND kind = $2 AND object_id = $3 AND marks < $4")
        .bind(site)
        .bind(&dirty.kind)
        .bind(&dirty.object)
        .bind(ticket)
        .run(conn)
        .await
}

/// Notes why reading something failed, and when to try again.
pub async fn put_off(conn: Conn<'_>, site: SiteId, dirty: &Dirty, error: &str, not_before: Time) -> Result<u64> {
    sql!(
        "UPDATE stripe_dirty SET tries = tries + 1, error = $5, not_before = $6
         WHERE site = $1 AND kind = $2 AND object_id = $3 AND marks = $4"
    )
    .bind(site)
    .bind(&dirty.kind)
    .bind(&dirty.object)
    .bind(dirty.marks)
    .bind(error)
    .bind(not_before)
    .run(conn)
    .await
}
