//! Group commit for SQLite's one writer.
//!
//! A commit that reaches the disk takes as long for one write as for sixty. So a transaction is a
//! savepoint in a transaction that it shares with those that queue behind it: having released its
//! savepoint it queues again, to commit, and by then everybody who was waiting has written too. The first
//! to come round commits for all of them; the others find it done. Nobody returns before the commit that
//! has their writes in it, a lone writer waits for one commit and no more, and there is no timer.
//!
//! If SQLite gives up the whole transaction (disk full, I/O error), every member of the group is told.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use parking_lot::Mutex as Quick;
use sqlx::{Error, Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::Result;

/// The one writer.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pool: SqlitePool,
    open: Arc<Mutex<Option<Group>>>,
    turns: Arc<AtomicU64>,
}

/// The transaction that is open, and everybody's word on how it ended.
#[derive(Debug)]
struct Group {
    connection: PoolConnection<Sqlite>,
    outcome: Arc<Outcome>,
}

/// How a group ended; `None` while it has not.
#[derive(Debug, Default)]
struct Outcome(Quick<Option<Result<(), String>>>);

impl Outcome {
    fn set(&self, result: Result<(), String>) {
        self.0.lock().get_or_insert(result);
    }

    fn get(&self) -> Option<Result<()>> {
        let told = |result: Result<(), String>| result.map_err(|why| Error::Protocol(format!("group commit: {why}")));
        self.0.lock().clone().map(told)
    }
}

/// A member's turn at the writer: a savepoint that ends with it.
pub(crate) struct Turn {
    /// `None` only once the turn has ended.
    held: Option<Held>,
}

struct Held {
    writer: Writer,
    group: OwnedMutexGuard<Option<Group>>,
}

impl Writer {
    pub(crate) fn new(pool: SqlitePool) -> Self {
        Self { pool, open: Arc::default(), turns: Arc::default() }
    }

    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// How many writes have asked for a turn so far.
    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Relaxed)
    }

    /// Counts a write that takes its turn [`alone`](Self::alone).
    pub(crate) fn count(&self) {
        self.turns.fetch_add(1, Relaxed);
    }

    /// Waits for a turn, and opens a transaction if none is open.
    pub(crate) async fn turn(&self) -> Result<Turn> {
        self.count();
        let mut slot = self.open.clone().lock_owned().await;
        if slot.is_none() {
            let mut connection = self.pool.acquire().await?;
            sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
            *slot = Some(Group { connection, outcome: Arc::default() });
        }
        let mut held = Held { writer: self.clone(), group: slot };
        if let Err(error) = held.execute("SAVEPOINT turn").await {
            held.give_up(&error);
            return Err(error);
        }
        Ok(Turn { held: Some(held) })
    }
}

#[cfg(test)]
impl Writer {
    /// Leaves a transaction open, as when everything stops in the middle of one.
    pub(crate) async fn leave_open(&self) -> Result<()> {
        let connection = self.pool.acquire().await?;
        *self.open.lock().await = Some(Group { connection, outcome: Arc::default() });
        Ok(())
    }
}

/// The writer's lock, with no transaction open.
pub(crate) struct Alone {
    _group: OwnedMutexGuard<Option<Group>>,
}

impl Writer {
    /// Waits for a turn at which no transaction is open, committing the one that is.
    pub(crate) async fn alone(&self) -> Result<Alone> {
        let mut slot = self.open.clone().lock_owned().await;
        if let Some(group) = slot.take() {
            // Its members are told how it ended; what befell them does not concern the caller.
            if let Err(error) = group.commit().await {
                tracing::warn!(%error, "a group could not be committed");
            }
        }
        Ok(Alone { _group: slot })
    }
}

impl Turn {
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        let held = self.held.as_mut().expect("the turn has not ended");
        &mut held.group.as_mut().expect("a turn has a group").connection
    }

    /// Ends the turn and waits until its group is committed.
    pub(crate) async fn commit(mut self) -> Result<()> {
        let held = self.held.take().expect("the turn has not ended");
        // On a task of its own, so that a caller that goes away cannot leave the group open.
        joined(tokio::spawn(held.commit())).await
    }

    pub(crate) async fn rollback(mut self) -> Result<()> {
        let held = self.held.take().expect("the turn has not ended");
        joined(tokio::spawn(held.rollback())).await
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let (Some(held), Ok(runtime)) = (self.held.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                if let Err(error) = held.rollback().await {
                    tracing::error!(%error, "a transaction could not be rolled back");
                }
            });
        }
    }
}

async fn joined(task: tokio::task::JoinHandle<Result<()>>) -> Result<()> {
    task.await.unwrap_or(Err(Error::WorkerCrashed))
}

impl Held {
    async fn commit(mut self) -> Result<()> {
        if let Err(error) = self.execute("RELEASE SAVEPOINT turn").await {
            self.give_up(&error);
            return Err(error);
        }
        self.leave().await
    }

    async fn rollback(mut self) -> Result<()> {
        let undone = match self.execute("ROLLBACK TO SAVEPOINT turn").await {
            Ok(()) => self.execute("RELEASE SAVEPOINT turn").await,
            failed => failed,
        };
        if let Err(error) = undone {
            // SQLite has rolled the whole transaction back by itself, with what the others wrote.
            self.give_up(&error);
            return Ok(());
        }
        // What the others wrote still waits for its commit; if nobody did, this closes the transaction.
        self.leave().await
    }

    /// Lets the next one write, and commits the group unless somebody did so meanwhile.
    async fn leave(self) -> Result<()> {
        let outcome = self.group.as_ref().expect("a turn has a group").outcome.clone();
        let writer = self.writer;
        drop(self.group);
        let mut slot = writer.open.lock().await;
        if let Some(result) = outcome.get() {
            return result;
        }
        let Some(group) = slot.take() else { return Err(Error::WorkerCrashed) };
        group.commit().await
    }

    /// The transaction is lost: tells everybody in it.
    fn give_up(mut self, error: &Error) {
        if let Some(group) = self.group.take() {
            group.outcome.set(Err(error.to_string()));
            group.reset();
        }
    }

    async fn execute(&mut self, text: &'static str) -> Result<()> {
        let group = self.group.as_mut().expect("a turn has a group");
        sqlx::query(text).execute(&mut *group.connection).await.map(drop)
    }
}

impl Group {
    /// Commits it and tells everybody in it.
    async fn commit(mut self) -> Result<()> {
        let committed = sqlx::query("COMMIT").execute(&mut *self.connection).await;
        match &committed {
            Ok(_) => self.outcome.set(Ok(())),
            Err(error) => {
                self.outcome.set(Err(error.to_string()));
                self.reset();
            }
        }
        committed.map(drop)
    }

    /// Closes a connection whose transaction is in doubt; the pool opens a clean one.
    fn reset(self) {
        let connection = self.connection.detach();
        tokio::spawn(async move {
            use sqlx::Connection as _;
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "closing a connection");
            }
        });
    }
}
