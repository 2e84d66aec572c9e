//! What is written when a claim is made and when an attempt has ended.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use serde_json::json;
use usher_db::{FromRow, Row, Tx, sql, sql_both};

use crate::{
    Fail, JobRow, Jobs, Queue, Result, clock, micros,
    row::{columns, to_json},
    run::Run,
    ticket::{self, Ticket},
};

/// A job that is ours for as long as its epoch stands.
pub(crate) struct Claim {
    pub(crate) row: JobRow,
    pub(crate) payload: String,
    pub(crate) epoch: i64,
    pub(crate) checkpoint: Option<String>,
}

impl FromRow for Claim {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { row: JobRow::from_row(row)?, payload: row.take()?, epoch: row.take()?, checkpoint: row.take()? })
    }
}

/// Claims the jobs of tickets that were taken, those that may run now.
pub(crate) async fn claim(jobs: &Jobs, tx: &mut Tx, tickets: &[Ticket]) -> Result<Vec<Claim>> {
    // A join: given `(site, id) IN (SELECT …)`, SQLite walks through all jobs of the site. The limit cuts
    // nothing off; without it PostgreSQL expects a hundred tickets and reads the whole table.
    macro_rules! text {
        ($engine:tt, $named:literal) => {
            concat!(
                "UPDATE job SET error_code = CASE WHEN state = 'running' THEN 'crashed' ELSE error_code END, \
                 state = 'running', epoch = epoch + 1, attempt = attempt + 1, updated_at = $3, lease_until = ",
                clock!($engine),
                " + $2 FROM (",
                $named,
                ") AS t WHERE job.site = t.s AND job.id = t.i AND ((state = 'queued' AND not_before <= ",
                clock!($engine),
                ") OR (state = 'running' AND lease_until < ",
                clock!($engine),
                ")) RETURNING ",
                columns!(),
                ", payload, epoch, checkpoint"
            )
        };
    }
    let named: Vec<_> = tickets.iter().filter_map(|ticket| ticket.job.as_ref()).collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let claims: Vec<Claim> = sql_both!(
        sqlite: text!(sqlite, "SELECT value ->> 0 AS s, value ->> 1 AS i FROM json_each($1)"),
        postgres: text!(
            postgres,
            "SELECT CAST(v ->> 0 AS BIGINT) AS s, v ->> 1 AS i FROM jsonb_array_elements(CAST($1 AS JSONB)) AS e (v) \
             LIMIT 16"
        ),
    )
    .bind(to_json(&named)?)
    .bind(micros(jobs.settings().lease))
    .bind(jobs.now())
    .all(tx.conn())
    .await?;
    for claim in &claims {
        jobs.tell(tx, claim.row.site, &claim.row.id);
    }
    Ok(claims)
}

/// Ends the job as succeeded; false if this run has it no longer.
pub(crate) async fn succeed(run: &Run, tx: &mut Tx, result: Option<String>, progress: Option<String>) -> Result<bool> {
    let row: Option<JobRow> = sql!(concat!(
        "UPDATE job SET state = 'succeeded', cancelling = FALSE, result = $4, progress = COALESCE($5, progress), \
         error_code = NULL, error = NULL, lease_until = 0, updated_at = $6, finished_at = $6 \
         WHERE site = $1 AND id = $2 AND epoch = $3 AND state = 'running' RETURNING ",
        columns!()
    ))
    .bind(run.site)
    .bind(&run.job_id)
    .bind(run.epoch)
    .bind(result)
    .bind(progress)
    .bind(run.jobs.now())
    .optional(tx.conn())
    .await?;
    over(run, tx, row).await
}

/// Ends the job as failed for good or cancelled; false if this run has it no longer.
async fn give_up(run: &Run, tx: &mut Tx, state: &'static str, error: Option<(&'static str, &str)>) -> Result<bool> {
    let row: Option<JobRow> = sql!(concat!(
        "UPDATE job SET state = $4, cancelling = FALSE, error_code = COALESCE($5, error_code), \
         error = COALESCE($6, error), lease_until = 0, updated_at = $7, finished_at = $7 \
         WHERE site = $1 AND id = $2 AND epoch = $3 AND state = 'running' RETURNING ",
        columns!()
    ))
    .bind(run.site)
    .bind(&run.job_id)
    .bind(run.epoch)
    .bind(state)
    .bind(error.map(|(code, _)| code))
    .bind(error.map(|(_, message)| message))
    .bind(run.jobs.now())
    .optional(tx.conn())
    .await?;
    over(run, tx, row).await
}

async fn over(run: &Run, tx: &mut Tx, row: Option<JobRow>) -> Result<bool> {
    let Some(row) = row else { return Ok(false) };
    run.jobs.tell(tx, row.site, &row.id);
    run.jobs.ended(tx, &row).await?;
    Ok(true)
}

/// Queues the job again, with its next ticket; a job that was asked to stop is cancelled instead.
async fn again(
    run: &Run,
    tx: &mut Tx,
    queue: Queue,
    delay: Duration,
    error: Option<(&'static str, &str)>,
    counts: bool,
) -> Result<bool> {
    macro_rules! text {
        ($engine:tt) => {
            concat!(
                "UPDATE job SET state = 'queued', lease_until = 0, error_code = COALESCE($5, error_code), \
                 error = COALESCE($6, error), updated_at = $7, attempt = attempt - $8, ticket = $9, not_before = ",
                clock!($engine),
                " + $4 WHERE site = $1 AND id = $2 AND epoch = $3 AND state = 'running' AND NOT cancelling"
            )
        };
    }
    let ticket = ticket::new_id();
    let queued = sql_both!(sqlite: text!(sqlite), postgres: text!(postgres))
        .bind(run.site)
        .bind(&run.job_id)
        .bind(run.epoch)
        .bind(micros(delay))
        .bind(error.map(|(code, _)| code))
        .bind(error.map(|(_, message)| message))
        .bind(run.jobs.now())
        .bind(i64::from(!counts))
        .bind(&ticket)
        .run(tx.conn())
        .await?;
    if queued == 0 {
        return give_up(run, tx, "cancelled", error).await;
    }
    ticket::write(tx, &ticket, (run.site, &run.job_id), queue, delay).await?;
    run.jobs.tell(tx, run.site, &run.job_id);
    run.jobs.ring(tx, queue, delay);
    Ok(true)
}

/// Writes how an attempt ended. Nothing happens where the run has the job no longer.
pub(crate) async fn settle(run: &Run, queue: Queue, last: bool, outcome: &Result<(), Fail>) -> Result<()> {
    if run.reins.finished.load(Relaxed) || matches!(outcome, Err(Fail::Fenced)) {
        return Ok(());
    }
    let mut tx = run.jobs.db().begin().await?;
    let settings = run.jobs.settings();
    match outcome {
        Ok(()) => succeed(run, &mut tx, Some(json!(null).to_string()), None).await?,
        Err(Fail::Retry { code, message, .. }) if !last => {
            again(run, &mut tx, queue, settings.wait_after(run.attempt), Some((code, message)), true).await?
        }
        Err(Fail::After { delay, code, message, .. }) if !last => {
            again(run, &mut tx, queue, *delay, Some((code, message)), true).await?
        }
        Err(Fail::Retry { code, message, .. } | Fail::After { code, message, .. } | Fail::Fatal { code, message }) => {
            give_up(run, &mut tx, "failed", Some((code, message))).await?
        }
        Err(Fail::Cancelled) => give_up(run, &mut tx, "cancelled", None).await?,
        Err(Fail::Stopping | Fail::Fenced) => again(run, &mut tx, queue, Duration::ZERO, None, false).await?,
    };
    tx.commit().await
}
