//! The SQL of the activity log. An id sorts by its request's time, so the primary key serves every page.

use usher_db::{Conn, Result, Statement, Value, sql};

use super::types::{Activity, ActivityStatus, Actor, Record};
use crate::values::{JobId, KeyId, MemberId, RequestId, SiteId, Time};

/// Which rows.
#[derive(Default)]
pub struct Filter {
    /// Only those that ended so.
    pub status: Option<ActivityStatus>,
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
    /// Only those with this text in tool, code, arguments or changes, whatever its case.
    pub text: Option<String>,
}

/// Writes rows; of one that is there already only the count grows.
pub async fn insert(conn: Conn<'_>, rows: impl IntoIterator<Item = (&Record, i64)>) -> Result<u64> {
    insertion(rows).run(conn).await
}

/// The statement of [`insert`].
pub fn insertion<'a>(rows: impl IntoIterator<Item = (&'a Record, i64)>) -> Statement {
    sql!(
        "INSERT INTO activity (site, id, at, actor, key_id, surface, tool, args, status, code, duration_us, member_id,
                               job_id, changes, dry_run, replayed, count)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         ON CONFLICT (site, id) DO UPDATE SET count = activity.count + excluded.count"
    )
    .rows(rows.into_iter().map(|(row, count)| values(row, count)))
}

fn values(row: &Record, count: i64) -> [Value; 17] {
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
        row.duration_us.into(),
        row.member.as_ref().map(|id| id.as_str()).into(),
        row.job.as_ref().map(|id| id.as_str()).into(),
        row.changes.as_deref().into(),
        row.dry_run.into(),
        row.replayed.into(),
        count.into(),
    ]
}

/// One row.
pub async fn get(conn: Conn<'_>, site: SiteId, id: &RequestId) -> Result<Option<Activity>> {
    sql!(
        "SELECT id, at, actor, key_id, surface, tool, args, status, code, duration_us, member_id, job_id, changes,
                dry_run, replayed, count
         FROM activity WHERE site = $1 AND id = $2"
    )
    .bind(site)
    .bind(id)
    .optional(conn)
    .await
}

/// A page of rows, newest first: those whose id is less than `before`.
///
/// The two columns with an index of their own have a text of their own, since a planner that may not know whether
/// `$3` is null reads the whole log to find one member's rows.
pub async fn list(conn: Conn<'_>, site: SiteId, filter: &Filter, before: &str, limit: u32) -> Result<Vec<Activity>> {
    let text = filter.text.as_ref().map(|text| format!("%{}%", escape(&text.to_lowercase())));
    let statement = if let Some(member) = &filter.member {
        sql!(
            "SELECT id, at, actor, key_id, surface, tool, args, status, code, duration_us, member_id, job_id, changes,
                    dry_run, replayed, count
             FROM activity
             WHERE site = $1 AND id < $2 AND member_id = $3 AND (job_id = $4 OR $4 IS NULL)
               AND (status = $5 OR $5 IS NULL) AND (code = $6 OR $6 IS NULL) AND (key_id = $7 OR $7 IS NULL)
               AND (actor = $8 OR $8 IS NULL) AND (tool = $9 OR $9 IS NULL) AND at >= $10 AND at < $11
               AND (lower(tool || ' ' || COALESCE(code, '') || ' ' || COALESCE(args, '') || ' ' || COALESCE(changes, ''))
                    LIKE $12 ESCAPE '!' OR $12 IS NULL)
             ORDER BY id DESC LIMIT $13"
        )
        .bind(site)
        .bind(before)
        .bind(member)
    } else {
        sql!(
            "SELECT id, at, actor, key_id, surface, tool, args, status, code, duration_us, member_id, job_id, changes,
                    dry_run, replayed, count
             FROM activity
             WHERE site = $1 AND id < $2 AND (member_id = $3 OR $3 IS NULL) AND (job_id = $4 OR $4 IS NULL)
               AND (status = $5 OR $5 IS NULL) AND (code = $6 OR $6 IS NULL) AND (key_id = $7 OR $7 IS NULL)
               AND (actor = $8 OR $8 IS NULL) AND (tool = $9 OR $9 IS NULL) AND at >= $10 AND at < $11
               AND (lower(tool || ' ' || COALESCE(code, '') || ' ' || COALESCE(args, '') || ' ' || COALESCE(changes, ''))
                    LIKE $12 ESCAPE '!' OR $12 IS NULL)
             ORDER BY id DESC LIMIT $13"
        )
        .bind(site)
        .bind(before)
        .bind(None::<&str>)
    };
    statement
        .bind(filter.job.as_ref().map(|id| id.as_str()))
        .bind(filter.status.map(ActivityStatus::as_str))
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
