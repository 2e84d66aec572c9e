//! What a caller does to jobs, each inside the caller's own transaction.

use std::time::Duration;

use serde_json::Value;
use usher_db::{Tx, sql_both};

use crate::{
    Job, JobRow, Jobs, Queue, Result, State, clock, micros,
    row::{columns, to_json},
    ticket,
};

/// Whose job it is, and when it may start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner<'a> {
    /// The site it works for; 0 for work of the whole installation.
    pub site: i64,
    /// The key that starts it.
    pub key_id: Option<&'a str>,
    /// The call that starts it.
    pub request_id: Option<&'a str>,
    /// Two jobs of a site with the same one are one job, for as long as its row is kept.
    pub dedupe: Option<&'a str>,
    /// The wait before its first attempt, never shorter and up to two seconds longer.
    pub delay: Duration,
}

impl Owner<'_> {
    /// A site's own work.
    pub fn site(site: i64) -> Self {
        Self { site, ..Self::default() }
    }
}

/// A job without its kind.
struct Work {
    queue: Queue,
    max_attempts: u32,
    payload: String,
    progress: Value,
}

impl Jobs {
    /// Accepts a job in the caller's transaction: with its commit the job lasts, without it there is none.
    /// Gives the earlier job where one has the same dedupe key, whatever its state.
    pub async fn enqueue<J: Job>(&self, tx: &mut Tx, owner: Owner<'_>, job: &J) -> Result<JobRow> {
        let work =
            Work { queue: J::QUEUE, max_attempts: J::MAX_ATTEMPTS, payload: to_json(job)?, progress: job.progress() };
        self.accept(tx, owner, J::KIND, work).await
    }

    async fn accept(&self, tx: &mut Tx, owner: Owner<'_>, kind: &str, work: Work) -> Result<JobRow> {
        let Work { queue, max_attempts, payload, progress } = work;
        let (now, ticket) = (self.now(), ticket::new_id());
        let row = JobRow {
            site: owner.site,
            id: self.new_id(),
            kind: kind.to_owned(),
            queue: queue.as_str().to_owned(),
            state: State::Queued,
            key_id: owner.key_id.map(str::to_owned),
            request_id: owner.request_id.map(str::to_owned),
            attempt: 0,
            max_attempts,
            cancelling: false,
            progress,
            result: None,
            error_code: None,
            error: None,
            created_at: now,
            updated_at: now,
            finished_at: None,
        };
        if !insert(tx, &row, owner, &payload, &ticket).await? {
            return earlier(tx, owner).await;
        }
        ticket::write(tx, &ticket, (row.site, &row.id), queue, owner.delay).await?;
        self.tell(tx, row.site, &row.id);
        self.ring(tx, queue, owner.delay);
        Ok(row)
    }

    /// Asks a job to stop. One that waits is cancelled at once; one that runs stops at its next checkpoint;
    /// one that has ended stays as it is.
    pub async fn cancel(&self, tx: &mut Tx, site: i64, id: &str) -> Result<Option<JobRow>> {
        const ASK: &str = concat!(
            "UPDATE job SET state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END, \
             cancelling = (state = 'running'), finished_at = CASE WHEN state = 'queued' THEN CAST($3 AS BIGINT) END, \
             updated_at = $3 WHERE site = $1 AND id = $2 AND state IN ('queued', 'running') RETURNING ",
            columns!()
        );
        let asked: Option<JobRow> =
            usher_db::sql!(ASK).bind(site).bind(id).bind(self.now()).optional(tx.conn()).await?;
        let Some(row) = asked else { return self.get(tx.conn(), site, id).await };
        self.tell(tx, site, id);
        if row.state == State::Cancelled {
            self.ended(tx, &row).await?;
        }
        Ok(Some(row))
    }

    /// Queues a job again that failed for good or was cancelled, with all its attempts. It goes on from its
    /// checkpoint. Any other job stays as it is.
    pub async fn retry(&self, tx: &mut Tx, site: i64, id: &str) -> Result<Option<JobRow>> {
        macro_rules! text {
            ($engine:tt) => {
                concat!(
                    "UPDATE job SET state = 'queued', attempt = 0, cancelling = FALSE, error_code = NULL, error = NULL, \
                     finished_at = NULL, lease_until = 0, ticket = $4, updated_at = $3, not_before = ",
                    clock!($engine),
                    " WHERE site = $1 AND id = $2 AND state IN ('failed', 'cancelled') RETURNING ",
                    columns!()
                )
            };
        }
        let ticket = ticket::new_id();
        let again: Option<JobRow> = sql_both!(sqlite: text!(sqlite), postgres: text!(postgres))
            .bind(site)
            .bind(id)
            .bind(self.now())
            .bind(&ticket)
            .optional(tx.conn())
            .await?;
        let Some(row) = again else { return self.get(tx.conn(), site, id).await };
        if let Some(queue) = Queue::parse(&row.queue) {
            ticket::write(tx, &ticket, (site, id), queue, Duration::ZERO).await?;
            self.ring(tx, queue, Duration::ZERO);
        }
        self.tell(tx, site, id);
        Ok(Some(row))
    }

    /// Once `tx` is committed, wakes a worker of this process; other processes hear of it through
    /// PostgreSQL, or look by themselves.
    pub(crate) fn ring(&self, tx: &mut Tx, queue: Queue, delay: Duration) {
        if delay.is_zero() {
            let bell = self.bell(queue).clone();
            tx.after_commit(move || bell.notify_one());
        }
    }
}

/// Inserts the job; false if another has its dedupe key.
async fn insert(tx: &mut Tx, row: &JobRow, owner: Owner<'_>, payload: &str, ticket: &str) -> Result<bool> {
    macro_rules! text {
        ($engine:tt) => {
            concat!(
                "INSERT INTO job (site, id, kind, queue, payload, state, key_id, request_id, dedupe, attempt, \
                 max_attempts, epoch, not_before, lease_until, ticket, cancelling, progress, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7, $8, 0, $9, 0, ",
                clock!($engine),
                " + $10, 0, $11, FALSE, '{}', $12, $12) ON CONFLICT (site, dedupe) WHERE dedupe IS NOT NULL DO NOTHING"
            )
        };
    }
    let n = sql_both!(sqlite: text!(sqlite), postgres: text!(postgres))
        .bind(row.site)
        .bind(&row.id)
        .bind(&row.kind)
        .bind(&row.queue)
        .bind(payload)
        .bind(owner.key_id)
        .bind(owner.request_id)
        .bind(owner.dedupe)
        .bind(row.max_attempts)
        .bind(micros(owner.delay))
        .bind(ticket)
        .bind(row.created_at)
        .run(tx.conn())
        .await?;
    Ok(n == 1)
}

async fn earlier(tx: &mut Tx, owner: Owner<'_>) -> Result<JobRow> {
    usher_db::sql!(concat!("SELECT ", columns!(), " FROM job WHERE site = $1 AND dedupe = $2"))
        .bind(owner.site)
        .bind(owner.dedupe)
        .one(tx.conn())
        .await
}
