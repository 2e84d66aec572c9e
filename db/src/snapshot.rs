//! Copies of a SQLite database that is in use.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::{BUSY, migrate::TABLE};

/// Why there is no copy, or none that can be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// SQLite could not read the one or write the other.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// What was read is damaged.
    #[error("the database is damaged: {0}")]
    Damaged(String),
}

/// Copies a SQLite database, as it is at this moment, into a new file. Others may read and write it meanwhile: the copy is
/// made in one read transaction, which no write makes begin again. It blocks.
pub fn snapshot(from: &Path, to: &Path) -> Result<(), SnapshotError> {
    let source = open(from)?;
    let target = to.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(to.to_owned()))?;
    source.execute("VACUUM INTO ?1", [target])?;
    Ok(())
}

/// Reads all of a SQLite file and checks that it is whole. It blocks.
pub fn verify(file: &Path) -> Result<(), SnapshotError> {
    let database = open(file)?;
    let found: String = database.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(SnapshotError::Damaged(found));
    }
    let mut statement = database.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        Some(row) => Err(SnapshotError::Damaged(format!("a row of {} refers to nothing", row.get::<_, String>(0)?))),
        None => Ok(()),
    }
}

/// Moves all that stands in SQLite's log into the file itself, so that the one file is the whole database. It blocks.
pub fn fold(file: &Path) -> Result<(), SnapshotError> {
    open(file)?.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE")?;
    std::fs::File::open(file)
        .and_then(|file| file.sync_all())
        .map_err(|error| SnapshotError::Damaged(error.to_string()))
}

/// The newest migration that was applied to a SQLite file. It blocks.
pub fn migrated_to(file: &Path) -> Result<i64, SnapshotError> {
    let newest = format!("SELECT COALESCE(max(version), 0) FROM {TABLE}");
    Ok(open(file)?.query_row(&newest, [], |row| row.get(0))?)
}

/// Opens a file that is there already.
pub(crate) fn open(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}
