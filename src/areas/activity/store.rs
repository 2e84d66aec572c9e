//! The SQL of the activity log. An id sorts by its request's time, so the primary key serves every page.

use usher_db::{Conn, Result, Statement, Value, sql};

use super::types::{Activity, ActivityStatus, Actor, Record};
use crate::values::{JobId, KeyId, MemberId, RequestId, SiteId, Time};

/// Which rows.
#[derive(Default)]
pub struct Filter {
    /// Only those that ended in one of these ways; empty for any.
    pub status: Vec<ActivityStatus>,
    /// Only those with this code.
    pub code: Option<String>,
    /// Only calls with this key.
    pub key: Option<KeyId>,
    /// Only those by such an actor.
    pub actor: Option<Actor>,
    /// Only calls of this tool.
    pub tool: Option<String>,
    /// Only those about this member.
    pub member: Option<MemberId>,
    /// Only those about this job.
    pub job: Option<JobId>,
    /// Only those from then on.
    pub from: Option<Time>,
    /// Only those before then.
    pub until: Option<Time>,
    /// Only those with this text in tool, code, error text, arguments or changes, whatever its case.
    pub text: Option<String>,
}

/// Writes rows; of one that is there already only the count grows.
pub async fn insert(conn: Conn<'_>, rows: impl IntoIterator<Item = (&Record, i64)>) -> Result<u64> {
    insertion(rows).run(conn).await
}

/// The statement of [`insert`].
pub fn insertion<'a>(rows: impl IntoIterator<Item = (&'a Record, i64)>) -> Statement {
    sql!(
        "INSERT INTO activity (site, id, at, actor, key_id, surface, tool, args, status, code, error, duration_us,
                               member_id, job_id, changes, dry_run, replayed, count)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (site, id) DO UPDATE SET count = activity.count + excluded.count"
    )
    .rows(rows.into_iter().map(|(row, count)| values(row, count)))
}

fn values(row: &Record, count: i64) -> [Value; 18] {
    [
        row.site.into(),
        (&row.id).into(),
        row.at.into(),
        row.actor.as_str().into(),
        row.key.as_ref().map(|id| id.as_str()).into(),
        row.surface.as_str().into(),
        (&row.tool).into(),
        row.args.as_deref().into(),
        row.status.as_str().into(),
        row.code.as_deref().into(),
        row.error.as_deref().into(),
        row.duration_us.into(),
        row.member.as_ref().map(|id| id.as_str()).into(),
        row.job.as_ref().map(|id| id.as_str()).into(),
        row.changes.as_deref().into(),
        row.dry_run.into(),
        row.replayed.into(),
        count.into(),
    ]
}

/// What an [`Activity`] is read from, of a table `a`.
macro_rules! activity_columns {
    () => {
        "a.id, a.at, a.actor, a.key_id, (SELECT k.name FROM api_key k WHERE k.site = a.site AND k.id = a.key_id),
         a.surface, a.tool, a.args, a.status, a.code, a.error, a.duration_us, a.member_id, a.job_id, a.changes, a.dry_run,
         a.replayed, a.count"
    };
}

/// A page of rows, of which `$which` holds too.
macro_rules! page {
    ($which:literal) => {
        sql!(concat!(
            "SELECT ",
            activity_columns!(),
            " FROM activity a
             WHERE a.site = $1 AND a.id < $2 AND ",
            $which,
            " AND (a.job_id = $4 OR $4 IS NULL) AND ($5 LIKE '%,' || a.status || ',%' OR $5 IS NULL)
               AND (a.code = $6 OR $6 IS NULL) AND (a.key_id = $7 OR $7 IS NULL)
               AND (a.actor = $8 OR $8 IS NULL) AND (a.tool = $9 OR $9 IS NULL) AND a.at >= $10 AND a.at < $11
               AND (lower(a.tool || ' ' || COALESCE(a.code, '') || ' ' || COALESCE(a.error, '') || ' ' || COALESCE(a.args, '')
                          || ' ' || COALESCE(a.changes, '')) LIKE $12 ESCAPE '!' OR $12 IS NULL)
             ORDER BY a.id DESC LIMIT $13"
        ))
    };
}

/// One row.
pub async fn get(conn: Conn<'_>, site: SiteId, id: &RequestId) -> Result<Option<Activity>> {
    sql!(concat!("SELECT ", activity_columns!(), " FROM activity a WHERE a.site = $1 AND a.id = $2"))
        .bind(site)
        .bind(id)
        .optional(conn)
        .await
}

/// A page of rows, newest first: those whose id is less than `before`.
///
/// What has an index of its own has a text of its own, since a planner that may not know whether `$3` is null reads the
/// whole log to find one member's rows.
pub async fn list(conn: Conn<'_>, site: SiteId, filter: &Filter, before: &str, limit: u32) -> Result<Vec<Activity>> {
    let text = filter.text.as_ref().map(|text| format!("%{}%", escape(&text.to_lowercase())));
    let is_trouble = !filter.status.is_empty() && !filter.status.contains(&ActivityStatus::Ok);
    // The names of statuses have no sign that LIKE knows.
    let status: String = filter.status.iter().flat_map(|status| [status.as_str(), ","]).collect();
    let statement = match &filter.member {
        Some(_) => page!("a.member_id = $3"),
        None if is_trouble => page!("a.status <> 'ok' AND (a.member_id = $3 OR $3 IS NULL)"),
        None => page!("(a.member_id = $3 OR $3 IS NULL)"),
    };
    statement
        .bind(site)
        .bind(before)
        .bind(filter.member.as_ref().map(|id| id.as_str()))
        .bind(filter.job.as_ref().map(|id| id.as_str()))
        .bind((!status.is_empty()).then(|| format!(",{status}")))
        .bind(filter.code.as_deref())
        .bind(filter.key.as_ref().map(|id| id.as_str()))
        .bind(filter.actor.map(Actor::as_str))
        .bind(filter.tool.as_deref())
        .bind(filter.from.map_or(0, Time::micros))
        .bind(filter.until.map_or(i64::MAX, Time::micros))
        .bind(text)
        .bind(limit)
        .all(conn)
        .await
}

/// When a member signed in last, as far as the log goes back.
pub async fn last_sign_in(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<Option<Time>> {
    let row: Option<(Time,)> = sql!(
        "SELECT at FROM activity WHERE site = $1 AND member_id = $2 AND tool = 'members.signIn' AND status = 'ok'
         ORDER BY id DESC LIMIT 1"
    )
    .bind(site)
    .bind(member)
    .optional(conn)
    .await?;
    Ok(row.map(|(at,)| at))
}

/// Forgets rows of a site that are older, at most `limit` at once.
pub async fn prune(conn: Conn<'_>, site: SiteId, before: Time, limit: u32) -> Result<u64> {
    sql!(
        "DELETE FROM activity WHERE site = $1 AND id IN
         (SELECT id FROM activity WHERE site = $1 AND at < $2 ORDER BY id LIMIT $3)"
    )
    .bind(site)
    .bind(before)
    .bind(limit)
    .run(conn)
    .await
}

/// A text in which `%` and `_` mean themselves, with `!` to escape them.
pub fn escape(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}
