//! Mends what a crash, or anybody who touches apalis' tables, leaves behind: a job whose lease ran out, or
//! that waits without a ticket, gets a new one.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};
use usher_db::{FromRow, Row, Statement, Tx, sql, sql_both};

use crate::{Jobs, Queue, Result, clock, execute::Shop, ticket};

/// Jobs mended in one transaction.
const BATCH: i64 = 200;

/// A job that nobody would look at again.
struct Stray {
    site: i64,
    id: String,
    queue: String,
    ticket: String,
    epoch: i64,
}

impl FromRow for Stray {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { site: row.take()?, id: row.take()?, queue: row.take()?, ticket: row.take()?, epoch: row.take()? })
    }
}

/// Until the task is ended.
pub(crate) async fn keep_sweeping(shop: Arc<Shop>) {
    let settings = shop.jobs.settings();
    let mut prune_at = Instant::now();
    loop {
        match sweep(&shop.jobs).await {
            Ok(0) => {}
            Ok(n) => tracing::warn!(jobs = n, "jobs were picked up again"),
            Err(error) => tracing::error!(%error, "the sweep failed"),
        }
        if Instant::now() >= prune_at {
            prune_at += settings.prune;
            if let Err(error) = ticket::prune(shop.jobs.db()).await {
                tracing::error!(%error, "workers that are gone could not be removed");
            }
        }
        sleep(settings.sweep).await;
    }
}

impl Jobs {
    /// Takes every running job from its worker, so that it goes on at the next sweep and not only when its lease
    /// runs out. For a caller that knows that no other worker lives; a worker that does is fenced.
    pub async fn reclaim(&self) -> Result<u64> {
        let mut tx = self.db().begin().await?;
        let taken = sql!("UPDATE job SET lease_until = 0 WHERE state = 'running'").run(tx.conn()).await?;
        tx.commit().await?;
        Ok(taken)
    }
}

/// Mends every stray, and gives how many there were. Writes nothing when there are none.
async fn sweep(jobs: &Jobs) -> Result<usize> {
    let mut mended = 0;
    for find in [expired, ticketless] {
        while !find(false).all::<Stray>(jobs.db().read()).await?.is_empty() {
            let mut tx = jobs.db().begin().await?;
            let strays = find(true).all::<Stray>(tx.conn()).await?;
            for stray in &strays {
                mend(jobs, &mut tx, stray).await?;
            }
            tx.commit().await?;
            mended += strays.len();
            if strays.is_empty() {
                break; // Another node is at it.
            }
        }
    }
    Ok(mended)
}

/// Running, but its worker did not renew the lease.
fn expired(lock: bool) -> Statement {
    macro_rules! text {
        ($engine:tt, $lock:literal) => {
            concat!(
                "SELECT site, id, queue, ticket, epoch FROM job AS j WHERE state = 'running' AND lease_until < ",
                clock!($engine),
                " LIMIT $1",
                $lock
            )
        };
    }
    if lock {
        sql_both!(sqlite: text!(sqlite, ""), postgres: text!(postgres, " FOR UPDATE OF j SKIP LOCKED")).bind(BATCH)
    } else {
        sql_both!(sqlite: text!(sqlite, ""), postgres: text!(postgres, "")).bind(1)
    }
}

/// Waiting, with no ticket to bring it to a worker.
fn ticketless(lock: bool) -> Statement {
    macro_rules! text {
        ($engine:tt, $ticket:literal, $lock:literal) => {
            concat!(
                "SELECT site, id, queue, ticket, epoch FROM job AS j WHERE state = 'queued' AND not_before < ",
                clock!($engine),
                " AND NOT EXISTS (SELECT 1 FROM ",
                $ticket,
                " AS t WHERE t.id = j.ticket AND t.status = 'Pending' AND t.lock_by IS NULL) LIMIT $1",
                $lock
            )
        };
    }
    if lock {
        sql_both!(
            sqlite: text!(sqlite, "Jobs", ""),
            postgres: text!(postgres, "apalis.jobs", " FOR UPDATE OF j SKIP LOCKED"),
        )
        .bind(BATCH)
    } else {
        sql_both!(sqlite: text!(sqlite, "Jobs", ""), postgres: text!(postgres, "apalis.jobs", "")).bind(1)
    }
}

async fn mend(jobs: &Jobs, tx: &mut Tx, stray: &Stray) -> Result<()> {
    macro_rules! text {
        ($engine:tt) => {
            concat!(
                "UPDATE job SET epoch = epoch + 1, ticket = $5, lease_until = 0, not_before = ",
                clock!($engine),
                ", error_code = CASE WHEN state = 'running' THEN 'crashed' ELSE error_code END, \
                 error = CASE WHEN state = 'running' THEN 'The worker went away while it ran this job.' ELSE error END, \
                 state = 'queued', updated_at = $6 \
                 WHERE site = $1 AND id = $2 AND epoch = $3 AND ticket = $4 AND state IN ('queued', 'running')"
            )
        };
    }
    let ticket = ticket::new_id();
    let mended = sql_both!(sqlite: text!(sqlite), postgres: text!(postgres))
        .bind(stray.site)
        .bind(&stray.id)
        .bind(stray.epoch)
        .bind(&stray.ticket)
        .bind(&ticket)
        .bind(jobs.now())
        .run(tx.conn())
        .await?;
    let Some(queue) = Queue::parse(&stray.queue).filter(|_| mended == 1) else { return Ok(()) };
    ticket::write(tx, &ticket, (stray.site, &stray.id), queue, Duration::ZERO).await?;
    jobs.tell(tx, stray.site, &stray.id);
    jobs.ring(tx, queue, Duration::ZERO);
    Ok(())
}
