use serde_json::json;
use usher_db::Tx;
use usher_jobs::{JobRow, State};

use crate::{
    areas::activity::{ActivityStatus, Actor, Record, Surface, store},
    clock::Clock,
    values::{JobId, KeyId, SiteId, Time},
};

/// Writes a job's end to the activity log, in the transaction that ends it. Work of the whole installation has no
/// site whose log it would be.
pub async fn record_end(tx: &mut Tx, clock: &Clock, job: &JobRow) -> usher_db::Result<()> {
    if job.site == 0 {
        return Ok(());
    }
    let status = match job.state {
        State::Succeeded => ActivityStatus::Ok,
        State::Cancelled => ActivityStatus::Refused,
        _ => ActivityStatus::Failed,
    };
    let code = match job.state {
        State::Succeeded => None,
        State::Cancelled => Some("cancelled".to_owned()),
        _ => job.error_code.clone(),
    };
    let outcome = json!({ "progress": job.progress, "result": job.result, "error": job.error });
    let record = Record {
        key: job.key_id.as_deref().and_then(|id| KeyId::parse(id).ok()),
        args: Some(outcome.to_string()),
        status,
        code,
        error: job.error.clone(),
        duration_us: i64::try_from(clock.now().since(Time::from_micros(job.created_at)).as_micros())
            .unwrap_or(i64::MAX),
        job: JobId::parse(&job.id).ok(),
        ..Record::done(
            SiteId::new(job.site),
            clock.id(),
            clock.now(),
            (Actor::Worker, Surface::Worker),
            format!("jobs.{}", job.kind),
        )
    };
    store::insert(tx.conn(), [(&record, 1)]).await.map(drop)
}
