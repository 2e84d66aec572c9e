//! The SQL of checkouts.

use usher_db::{Conn, FromRow, Result, Row, sql, sql_both};

use crate::values::{JobId, MemberId, PlanId, SiteId, Time};

/// Writes a checkout that waits for its job.
pub async fn insert(
    conn: Conn<'_>,
    site: SiteId,
    id: &JobId,
    member: &MemberId,
    plan: &PlanId,
    now: Time,
) -> Result<u64> {
    sql!(
        "INSERT INTO checkout (site, id, member_id, plan_id, status, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 'waiting', $5, $5)"
    )
    .bind(site)
    .bind(id)
    .bind(member)
    .bind(plan)
    .bind(now)
    .run(conn)
    .await
}

/// Whose a checkout is and how it stands, held with its member until the transaction ends; and whether the member stays.
pub async fn hold(conn: Conn<'_>, site: SiteId, id: &JobId) -> Result<Option<(MemberId, String, bool)>> {
    macro_rules! text {
        ($hold:literal) => {
            concat!(
                "SELECT c.member_id, c.status, m.deleting_since IS NULL FROM checkout c
                 JOIN member m ON m.site = c.site AND m.id = c.member_id WHERE c.site = $1 AND c.id = $2",
                $hold
            )
        };
    }
    sql_both!(sqlite: text!(""), postgres: text!(" FOR UPDATE")).bind(site).bind(id).optional(conn).await
}

/// The checkouts of a member that jobs are at.
pub async fn making(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<Vec<(JobId,)>> {
    sql!("SELECT id FROM checkout WHERE site = $1 AND member_id = $2 AND status = 'making' ORDER BY id")
        .bind(site)
        .bind(member)
        .all(conn)
        .await
}

/// Writes how a checkout stands that is not open yet.
pub async fn set_status(conn: Conn<'_>, site: SiteId, id: &JobId, status: &str, now: Time) -> Result<u64> {
    sql!(
        "UPDATE checkout SET status = $3, updated_at = $4
         WHERE site = $1 AND id = $2 AND status IN ('waiting', 'making', 'failed')"
    )
    .bind(site)
    .bind(id)
    .bind(status)
    .bind(now)
    .run(conn)
    .await
}

/// A page that is open.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Stripe's id.
    pub session: &'a str,
    /// Where the member pays.
    pub url: &'a str,
    /// Until when.
    pub expires_at: Option<Time>,
}

/// Notes that a checkout's page is open.
pub async fn open(conn: Conn<'_>, site: SiteId, id: &JobId, page: Page<'_>, now: Time) -> Result<u64> {
    sql!(
        "UPDATE checkout SET status = 'open', session_id = $3, url = $4, expires_at = $5, updated_at = $6
         WHERE site = $1 AND id = $2 AND status IN ('waiting', 'making', 'failed')"
    )
    .bind(site)
    .bind(id)
    .bind(page.session)
    .bind(page.url)
    .bind(page.expires_at)
    .bind(now)
    .run(conn)
    .await
}

/// A checkout whose page is open.
#[derive(Clone, Debug)]
pub struct OpenCheckout {
    /// What it sells.
    pub plan_id: PlanId,
    /// What that is called.
    pub plan_name: String,
    /// Its page; `None` while that is being made.
    pub url: Option<String>,
    /// When it was asked for.
    pub created_at: Time,
    /// When its page goes.
    pub expires_at: Option<Time>,
}

impl FromRow for OpenCheckout {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            plan_id: row.take()?,
            plan_name: row.take()?,
            url: row.take()?,
            created_at: row.take()?,
            expires_at: row.take()?,
        })
    }
}

/// The newest checkout of a member whose page is open at a moment.
pub async fn open_of(conn: Conn<'_>, site: SiteId, member: &MemberId, now: Time) -> Result<Option<OpenCheckout>> {
    sql!(
        "SELECT c.plan_id, p.name, c.url, c.created_at, c.expires_at
         FROM checkout c JOIN plan p ON p.site = c.site AND p.id = c.plan_id
         WHERE c.site = $1 AND c.member_id = $2 AND c.status = 'open' AND (c.expires_at > $3 OR c.expires_at IS NULL)
         ORDER BY c.id DESC LIMIT 1"
    )
    .bind(site)
    .bind(member)
    .bind(now)
    .optional(conn)
    .await
}

/// The customer of Stripe's that a member pays as, if one is known: the newest.
pub async fn customer(conn: Conn<'_>, site: SiteId, member: &MemberId) -> Result<Option<String>> {
    let row: Option<(String,)> = sql!(
        "SELECT id FROM stripe_customer WHERE site = $1 AND member_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1"
    )
    .bind(site)
    .bind(member)
    .optional(conn)
    .await?;
    Ok(row.map(|(id,)| id))
}
