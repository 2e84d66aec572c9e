//! The SQL of mails and of sites' mail servers.

use usher_db::{Conn, FromRow, Result, Row, sql};

use super::{
    connection::{Connection, connection_columns},
    types::{EmailStatus, Kind, Mail, State, mail_columns},
};
use crate::areas::subscriptions::live_statuses;
use crate::values::{EmailId, MemberId, RequestId, SiteId, TemplateId, Time};

/// How a site sends mail.
pub async fn connection(conn: Conn<'_>, site: SiteId) -> Result<Option<Connection>> {
    sql!(concat!("SELECT ", connection_columns!(), " FROM mail_connection WHERE site = $1"))
        .bind(site)
        .optional(conn)
        .await
}

/// Sets how a site sends mail.
pub async fn connect(conn: Conn<'_>, site: SiteId, new: &Connection, now: Time) -> Result<u64> {
    sql!(
        "INSERT INTO mail_connection (site, transport, host, port, security, username, password_sealed, extra_roots, folder,
                                      from_name, from_address, reply_to, dkim_domain, dkim_selector, dkim_key_sealed,
                                      revision, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16, $16)
         ON CONFLICT (site) DO UPDATE SET
             transport = excluded.transport, host = excluded.host, port = excluded.port, security = excluded.security,
             username = excluded.username, password_sealed = excluded.password_sealed,
             extra_roots = excluded.extra_roots, folder = excluded.folder, from_name = excluded.from_name,
             from_address = excluded.from_address, reply_to = excluded.reply_to, dkim_domain = excluded.dkim_domain,
             dkim_selector = excluded.dkim_selector, dkim_key_sealed = excluded.dkim_key_sealed,
             revision = mail_connection.revision + 1, updated_at = excluded.updated_at"
    )
    .bind(site)
    .bind(new.transport)
    .bind(new.host.as_deref())
    .bind(new.port)
    .bind(new.security.as_deref())
    .bind(new.username.as_deref())
    .bind(new.password_sealed.as_deref())
    .bind(new.extra_roots.as_deref())
    .bind(new.folder.as_deref())
    .bind(&new.from_name)
    .bind(&new.from_address)
    .bind(new.reply_to.as_deref())
    .bind(new.dkim_domain.as_deref())
    .bind(new.dkim_selector.as_deref())
    .bind(new.dkim_key_sealed.as_deref())
    .bind(now)
    .run(conn)
    .await
}

/// Forgets how a site sends mail.
pub async fn disconnect(conn: Conn<'_>, site: SiteId) -> Result<u64> {
    sql!("DELETE FROM mail_connection WHERE site = $1").bind(site).run(conn).await
}

/// When a member was sent mails to sign in with since a moment: the newest first, at most `limit`.
pub(super) async fn sign_in_mails(
    conn: Conn<'_>,
    site: SiteId,
    member: &MemberId,
    since: Time,
    limit: u32,
) -> Result<Vec<Time>> {
    let rows: Vec<(Time,)> = sql!(
        "SELECT created_at FROM email WHERE site = $1 AND member_id = $2 AND kind IN ('invite', 'sign_in')
           AND created_at > $3 AND status <> 'blocked' ORDER BY id DESC LIMIT $4"
    )
    .bind(site)
    .bind(member)
    .bind(since)
    .bind(limit)
    .all(conn)
    .await?;
    Ok(rows.into_iter().map(|(at,)| at).collect())
}

/// A mail to be written down.
pub(super) struct NewMail<'a> {
    pub(super) id: &'a EmailId,
    pub(super) request: &'a RequestId,
    pub(super) job: Option<&'a str>,
    pub(super) member: &'a MemberId,
    pub(super) address: &'a str,
    pub(super) kind: super::types::Kind,
    pub(super) template: Option<&'a TemplateId>,
    pub(super) subject: &'a str,
    pub(super) content: Option<&'a str>,
    pub(super) hash: Option<&'a str>,
    pub(super) state: State,
    pub(super) reason: Option<&'a str>,
}

/// Writes a mail down.
pub(super) async fn insert(conn: Conn<'_>, site: SiteId, new: NewMail<'_>, now: Time) -> Result<u64> {
    sql!(
        "INSERT INTO email (site, id, request_id, job_id, member_id, address, kind, template_id, subject, content,
                            content_hash, status, reason, attempts, in_doubt, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, FALSE, $14, $14)"
    )
    .bind(site)
    .bind(new.id)
    .bind(new.request)
    .bind(new.job)
    .bind(new.member)
    .bind(new.address)
    .bind(new.kind)
    .bind(new.template)
    .bind(new.subject)
    .bind(new.content)
    .bind(new.hash)
    .bind(new.state)
    .bind(new.reason)
    .bind(now)
    .run(conn)
    .await
}

/// A mail.
pub async fn by_id(conn: Conn<'_>, site: SiteId, id: &EmailId) -> Result<Option<Mail>> {
    sql!(concat!("SELECT ", mail_columns!(), " FROM email WHERE site = $1 AND id = $2"))
        .bind(site)
        .bind(id)
        .optional(conn)
        .await
}

/// A mail that is to be delivered.
pub(super) struct Due {
    pub(super) mail: Mail,
    /// Sealed; `None` once it is over.
    pub(super) content: Option<String>,
}

impl FromRow for Due {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { mail: Mail::from_row(row)?, content: row.take()? })
    }
}

/// A mail with what it says.
pub(super) async fn due(conn: Conn<'_>, site: SiteId, id: &EmailId) -> Result<Option<Due>> {
    sql!(concat!("SELECT ", mail_columns!(), ", content FROM email WHERE site = $1 AND id = $2"))
        .bind(site)
        .bind(id)
        .optional(conn)
        .await
}

/// Which mails.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub(super) member: Option<MemberId>,
    pub(super) request: Option<RequestId>,
    pub(super) status: Option<EmailStatus>,
    pub(super) template: Option<TemplateId>,
    pub(super) kind: Option<Kind>,
}

/// The newest mail that failed, with the server's last words.
pub async fn last_failed(conn: Conn<'_>, site: SiteId) -> Result<Option<(String, Option<String>)>> {
    sql!("SELECT id, reply FROM email WHERE site = $1 AND status = 'failed' ORDER BY id DESC LIMIT 1")
        .bind(site)
        .optional(conn)
        .await
}

/// Mails before an id, newest first.
pub(super) async fn list(conn: Conn<'_>, site: SiteId, filter: &Filter, before: &str, limit: u32) -> Result<Vec<Mail>> {
    macro_rules! text {
        ($narrow:literal) => {
            concat!(
                "SELECT ",
                mail_columns!(),
                " FROM email WHERE site = $1 AND id < $2 AND ",
                $narrow,
                " AND (member_id = $3 OR $3 IS NULL) AND (request_id = $4 OR $4 IS NULL)
                   AND (status = $5 OR status = $6 OR $5 IS NULL) AND (template_id = $7 OR $7 IS NULL)
                   AND (kind = $8 OR $8 IS NULL)
                  ORDER BY id DESC LIMIT $9"
            )
        };
    }
    // The index that leads to the fewest rows.
    let statement = match filter {
        Filter { request: Some(_), .. } => sql!(text!("request_id = $4")),
        Filter { member: Some(_), .. } => sql!(text!("member_id = $3")),
        _ => sql!(text!("TRUE")),
    };
    let states = filter.status.map(EmailStatus::states);
    statement
        .bind(site)
        .bind(before)
        .bind(filter.member.as_ref().map(MemberId::as_str))
        .bind(filter.request.as_ref().map(RequestId::as_str))
        .bind(states.map(|[state, _]| state.as_str()))
        .bind(states.map(|[_, state]| state.as_str()))
        .bind(filter.template.as_ref().map(TemplateId::as_str))
        .bind(filter.kind.map(Kind::as_str))
        .bind(limit)
        .all(conn)
        .await
}

/// Whether a member got a mail that says the same since a moment, or is to get it.
pub(super) async fn said(conn: Conn<'_>, site: SiteId, member: &MemberId, hash: &str, since: Time) -> Result<bool> {
    let found: Option<(EmailId,)> = sql!(
        "SELECT id FROM email WHERE site = $1 AND member_id = $2 AND content_hash = $3 AND created_at > $4
           AND status IN ('queued', 'sending', 'sent') ORDER BY id DESC LIMIT 1"
    )
    .bind(site)
    .bind(member)
    .bind(hash)
    .bind(since)
    .optional(conn)
    .await?;
    Ok(found.is_some())
}

/// Notes that a server has said it takes a mail, just before it gets it. `in_doubt`: it may have it already.
pub(super) async fn begin(
    conn: Conn<'_>,
    site: SiteId,
    id: &EmailId,
    message_id: &str,
    in_doubt: bool,
    now: Time,
) -> Result<u64> {
    sql!(
        "UPDATE email SET status = 'sending', attempts = attempts + 1, message_id = $3, in_doubt = (in_doubt OR $4),
                updated_at = $5
         WHERE site = $1 AND id = $2 AND status IN ('queued', 'sending')"
    )
    .bind(site)
    .bind(id)
    .bind(message_id)
    .bind(in_doubt)
    .bind(now)
    .run(conn)
    .await
}

/// Notes that an attempt came to nothing and there will be another.
pub(super) async fn defer(conn: Conn<'_>, site: SiteId, id: &EmailId, tried: Tried<'_>, now: Time) -> Result<u64> {
    sql!(
        "UPDATE email SET status = 'queued', attempts = attempts + $3, in_doubt = (in_doubt OR $4), reply = $5,
                updated_at = $6
         WHERE site = $1 AND id = $2 AND status IN ('queued', 'sending')"
    )
    .bind(site)
    .bind(id)
    .bind(tried.n_more)
    .bind(tried.in_doubt)
    .bind(tried.reply)
    .bind(now)
    .run(conn)
    .await
}

/// What an attempt came to.
#[derive(Clone, Copy)]
pub(super) struct Tried<'a> {
    /// 1 if it is not counted yet.
    pub(super) n_more: u32,
    pub(super) in_doubt: bool,
    pub(super) reply: Option<&'a str>,
}

/// Notes how a mail ended, and forgets what it said.
pub(super) async fn end(
    conn: Conn<'_>,
    site: SiteId,
    id: &EmailId,
    (state, reason): (State, Option<&str>),
    tried: Tried<'_>,
    now: Time,
) -> Result<u64> {
    sql!(
        "UPDATE email SET status = $3, reason = $4, attempts = attempts + $5, in_doubt = (in_doubt OR $6),
                reply = COALESCE($7, reply), content = NULL, updated_at = $8,
                sent_at = CASE WHEN $3 = 'sent' THEN CAST($8 AS BIGINT) END
         WHERE site = $1 AND id = $2 AND status IN ('queued', 'sending')"
    )
    .bind(site)
    .bind(id)
    .bind(state)
    .bind(reason)
    .bind(tried.n_more)
    .bind(tried.in_doubt)
    .bind(tried.reply)
    .bind(now)
    .run(conn)
    .await
}

/// Gives up the mail whose job has ended without it, and forgets what it said.
pub(super) async fn give_up(conn: Conn<'_>, site: SiteId, job: &str, reason: &str, now: Time) -> Result<u64> {
    sql!(
        "UPDATE email SET in_doubt = (in_doubt OR status = 'sending'), status = 'failed', reason = $3, content = NULL,
                updated_at = $4
         WHERE site = $1 AND job_id = $2 AND status IN ('queued', 'sending')"
    )
    .bind(site)
    .bind(job)
    .bind(reason)
    .bind(now)
    .run(conn)
    .await
}

/// Forgets mails from before a moment that are over, at most `limit`.
pub async fn prune(conn: Conn<'_>, site: SiteId, before: Time, limit: u32) -> Result<u64> {
    sql!(
        "DELETE FROM email WHERE site = $1 AND id IN
         (SELECT id FROM email WHERE site = $1 AND created_at < $2 AND status IN ('sent', 'blocked', 'failed')
          ORDER BY created_at LIMIT $3)"
    )
    .bind(site)
    .bind(before)
    .bind(limit)
    .run(conn)
    .await
}

/// The name of the plan that a member has, if any: of several that which gives the most.
pub(super) async fn plan_name(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<Option<String>> {
    let row: Option<(String,)> = sql!(concat!(
        "SELECT p.name FROM subscription s JOIN plan p ON p.site = s.site AND p.id = s.plan_id
         WHERE s.site = $1 AND s.member_id = $2 AND s.status IN ",
        live_statuses!(),
        " ORDER BY CASE s.status WHEN 'active' THEN 1 WHEN 'trialing' THEN 2 WHEN 'past_due' THEN 3 ELSE 4 END, s.id DESC
         LIMIT 1"
    ))
    .bind(site)
    .bind(member)
    .optional(conn)
    .await?;
    Ok(row.map(|(name,)| name))
}
