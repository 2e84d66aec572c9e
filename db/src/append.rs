//! Appends to SQLite in bulk, on a thread of their own.
//!
//! A batch of a few dozen small rows costs more in going to and fro between tasks and a connection's thread than in
//! SQLite. So a batch is written here in one go: one blocking task, one prepared statement, one commit. It takes the
//! writer's lock, so that it never meets another write of this process.

use std::{path::Path, sync::Arc};

use parking_lot::Mutex;
use rusqlite::{Connection, TransactionBehavior};
use sqlx::Error;

use crate::{BUSY, MOST_PAGES, Result, Synchronous, Value, glance::bind, group::Writer};

/// Statements that the connection keeps prepared.
const PREPARED: usize = 32;

/// A connection for appending.
#[derive(Clone, Debug)]
pub(crate) struct Appender(Arc<Mutex<Connection>>);

/// A statement, and the values of each time it is to be run.
pub(crate) type Runs = (&'static str, Vec<Vec<Value>>);

impl Appender {
    /// Opens a file that is there already.
    pub(crate) fn open(path: &Path, synchronous: Synchronous) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        connection.busy_timeout(BUSY)?;
        let level = match synchronous {
            Synchronous::Normal => "NORMAL",
            Synchronous::Full => "FULL",
        };
        connection.execute_batch(&format!(
            "PRAGMA synchronous = {level}; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384;
             PRAGMA wal_autocheckpoint = {MOST_PAGES}"
        ))?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Runs all of it in one transaction, and returns once that is durable.
    pub(crate) async fn append(&self, writer: &Writer, all: Vec<Runs>) -> Result<()> {
        writer.count();
        let alone = writer.alone().await?;
        let connection = self.0.clone();
        let written = tokio::task::spawn_blocking(move || {
            let written = append(&mut connection.lock(), &all);
            drop(alone);
            written
        });
        written.await.map_err(|_| Error::WorkerCrashed)?.map_err(told)
    }
}

fn append(connection: &mut Connection, all: &[Runs]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (text, runs) in all {
        let mut statement = transaction.prepare_cached(text)?;
        for values in runs {
            bind(&mut statement, values)?;
            statement.raw_execute()?;
        }
    }
    transaction.commit()
}

/// The error as the rest of the crate has it. What says that the disk is full is told in the same words as elsewhere.
fn told(error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(Code::DiskFull) => Error::Io(std::io::ErrorKind::StorageFull.into()),
        Some(Code::DatabaseBusy | Code::DatabaseLocked | Code::SystemIoFailure | Code::CannotOpen | Code::ReadOnly) => {
            Error::Io(std::io::Error::other(error))
        }
        _ => Error::AnyDriverError(Box::new(error)),
    }
}
