//! Backups: one file with all that an installation has, and the way back.
//!
//! **A backup is a ZIP file** with the database (SQLite), the files of the data folder, the secret key, and
//! `manifest.json`: who made it, when, and the size and SHA-256 of each entry. It is made while Usher runs, written beside
//! its final name, read back, and only then renamed: a file of that name is always whole.
//!
//! **On PostgreSQL** it holds the files and the secret key. The database is for `pg_dump`.
//!
//! **A restore changes nothing until all is unpacked, checked and migrated** in a folder of its own inside the data folder
//! (`restoring`). What is put in place is listed before the first move, so that a restore that was killed is finished by
//! the next one (`place.rs`). Nothing is deleted: what was there before is moved aside.
//!
//! **A SQLite backup goes into an empty PostgreSQL as well**, which is how an installation grows ([`usher_db::transfer`]).

mod manifest;
mod place;
mod read;
mod restore;
mod write;

pub use manifest::{Entry, MANIFEST, MadeFrom, Manifest};
pub use place::{Place, is_unfinished};
pub use read::Backup;
pub use restore::{BESIDES, Restored, restore};
pub use write::{Made, Source, make};

/// Why there is no backup, or why it was not restored. In plain words, for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BackupError(String);

impl BackupError {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// An operation on a file failed.
    fn of(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |error| match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self(format!("the disk is full: {path} cannot be written"))
            }
            _ => Self(format!("{path}: {error}")),
        }
    }
}

type Result<T> = std::result::Result<T, BackupError>;
