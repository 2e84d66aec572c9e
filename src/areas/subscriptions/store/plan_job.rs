//! Which job changes a subscription's plan.

use usher_db::{Conn, Result, sql};

use crate::values::{SiteId, SubscriptionId};

/// The job that changes a subscription's plan, if one does.
pub async fn plan_job(conn: Conn<'_>, site: SiteId, id: &SubscriptionId) -> Result<Option<String>> {
    let row: Option<(Option<String>,)> = sql!("SELECT plan_job FROM subscription WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(id)
        .optional(conn)
        .await?;
    Ok(row.and_then(|(job,)| job))
}

/// Says which job changes it from now on; `None`: none, since it is cancelled.
pub async fn set_plan_job(conn: Conn<'_>, site: SiteId, id: &SubscriptionId, job: Option<&str>) -> Result<u64> {
    sql!("UPDATE subscription SET plan_job = $3 WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(id)
        .bind(job)
        .run(conn)
        .await
}

/// A job has changed it; a later one still counts.
pub async fn plan_job_done(conn: Conn<'_>, site: SiteId, id: &SubscriptionId, job: &str) -> Result<u64> {
    sql!("UPDATE subscription SET plan_job = NULL WHERE site = $1 AND id = $2 AND plan_job = $3")
        .bind(site)
        .bind(id)
        .bind(job)
        .run(conn)
        .await
}
