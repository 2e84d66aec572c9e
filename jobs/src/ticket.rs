//! Tickets: rows in apalis' own tables. Nothing here decides whether a job runs.

use std::time::Duration;

use apalis_core::{task::Task, worker::context::WorkerContext};
use serde_json::{Value, json};
use ulid::Ulid;
use usher_db::{Conn, Db, Error, Tx, sql_both};

use crate::{Queue, Result, micros, row::to_json};

/// Workers that were not seen for so long are gone.
const GONE_S: i64 = 3600;

/// Tickets taken at once. The claim's statement counts on it.
pub(crate) const BATCH: usize = 16;

/// What a ticket says.
pub(crate) struct Ticket {
    pub(crate) id: String,
    /// `None` if it is not one of ours; it is thrown away then.
    pub(crate) job: Option<(i64, String)>,
}

/// apalis takes nothing but ULIDs: another id ends every worker of the queue.
pub(crate) fn new_id() -> String {
    Ulid::generate().to_string()
}

/// Writes a ticket. `now()` on PostgreSQL, because apalis notifies its workers only of tickets that are due
/// at the start of the transaction; SQLite's have whole seconds and must not come early.
pub(crate) async fn write(tx: &mut Tx, id: &str, job: (i64, &str), queue: Queue, delay: Duration) -> Result<()> {
    sql_both!(
        sqlite: "INSERT INTO Jobs (job, id, job_type, status, attempts, max_attempts, run_at, priority) \
                 VALUES ($1, $2, $3, 'Pending', 0, 1, CASE WHEN $4 <= 0 THEN unixepoch() \
                 ELSE CAST((CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $4 + 999999) / 1000000 AS INTEGER) END, 0)",
        postgres: "INSERT INTO apalis.jobs (job, id, job_type, status, attempts, max_attempts, run_at, priority) \
                   VALUES ($1, $2, $3, 'Pending', 0, 1, CASE WHEN CAST($4 AS BIGINT) <= 0 THEN now() \
                   ELSE clock_timestamp() + CAST($4 AS BIGINT) * interval '1 microsecond' END, 0)",
    )
    .bind(json!([job.0, job.1]).to_string().into_bytes())
    .bind(id)
    .bind(queue.as_str())
    .bind(micros(delay))
    .run(tx.conn())
    .await
    .map(drop)
}

/// Whether a ticket is due. Costs no write, unlike taking one.
pub(crate) async fn is_due(db: &Db, queue: Queue) -> Result<bool> {
    let due: Option<(i64,)> = sql_both!(
        sqlite: "SELECT 1 FROM Jobs WHERE job_type = $1 AND status = 'Pending' AND lock_by IS NULL \
                 AND run_at <= unixepoch() LIMIT 1",
        postgres: "SELECT CAST(1 AS BIGINT) FROM apalis.jobs WHERE job_type = $1 AND status = 'Pending' \
                   AND run_at < now() LIMIT 1",
    )
    .bind(queue.as_str())
    .optional(db.read())
    .await?;
    Ok(due.is_some())
}

/// Takes up to `n` due tickets, oldest first, by apalis' own statement.
pub(crate) async fn take(tx: &mut Tx, queue: Queue, worker: &WorkerContext, n: usize) -> Result<Vec<Ticket>> {
    let tasks: Vec<Task<Vec<u8>>> = match tx.conn() {
        Conn::SqliteTx(conn) => {
            let config = apalis_sqlite::Config::default().queue(queue.as_str()).batch_size(n);
            apalis_sqlite::queries::fetch_next(conn, &config, worker).await.map_err(other)?
        }
        Conn::PgTx(conn) => {
            let config = apalis_postgres::Config::default().queue(queue.as_str()).batch_size(n);
            apalis_postgres::queries::fetch_next(conn, &config, worker).await.map_err(other)?
        }
        Conn::SqliteRead(_) | Conn::PgPool(_) => return Ok(Vec::new()), // A transaction has its own connection.
    };
    let ticket = |task: Task<Vec<u8>>| {
        let id = task.task_id().map(ToString::to_string).unwrap_or_default();
        let job = serde_json::from_slice::<(i64, String)>(&task.args).ok();
        Ticket { id, job }
    };
    Ok(tasks.into_iter().map(ticket).collect())
}

/// Removes tickets that were taken, in the transaction that claims their jobs.
pub(crate) async fn use_up(tx: &mut Tx, tickets: &[Ticket]) -> Result<()> {
    let ids: Value = tickets.iter().map(|ticket| ticket.id.as_str()).collect();
    sql_both!(
        sqlite: "DELETE FROM Jobs WHERE id IN (SELECT value FROM json_each($1))",
        postgres: "DELETE FROM apalis.jobs WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text(CAST($1 AS JSONB))))",
    )
    .bind(to_json(&ids)?)
    .run(tx.conn())
    .await
    .map(drop)
}

/// Makes a worker known, or says that it is still there; a ticket can only be taken by a known worker.
pub(crate) async fn register(db: &Db, queue: Queue, worker: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    sql_both!(
        sqlite: "INSERT INTO Workers (id, worker_type, storage_name, layers, last_seen, started_at) \
                 VALUES ($1, $2, 'usher', '', unixepoch(), unixepoch()) \
                 ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen",
        postgres: "INSERT INTO apalis.workers (id, worker_type, storage_name, layers, last_seen, started_at) \
                   VALUES ($1, $2, 'usher', '', now(), now()) \
                   ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen",
    )
    .bind(worker)
    .bind(queue.as_str())
    .run(tx.conn())
    .await?;
    tx.commit().await
}

/// Forgets workers that are gone.
pub(crate) async fn prune(db: &Db) -> Result<u64> {
    let mut tx = db.begin().await?;
    let n = sql_both!(
        sqlite: "DELETE FROM Workers WHERE last_seen < unixepoch() - $1 \
                 AND NOT EXISTS (SELECT 1 FROM Jobs WHERE lock_by = Workers.id)",
        postgres: "DELETE FROM apalis.workers AS w WHERE last_seen < now() - CAST($1 AS BIGINT) * interval '1 second' \
                   AND NOT EXISTS (SELECT 1 FROM apalis.jobs WHERE lock_by = w.id)",
    )
    .bind(GONE_S)
    .run(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(n)
}

pub(crate) fn other(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Io(std::io::Error::other(error))
}
