//! One way to run SQL on SQLite and on PostgreSQL.
//!
//! Write the statement once, with `$1` placeholders, and say where it runs:
//!
//! ```ignore
//! sql!("SELECT id, email FROM member WHERE site = $1 AND id = $2")
//!     .bind(site)
//!     .bind(&id)
//!     .optional::<Member>(db.read())
//!     .await?
//! ```
//!
//! Where the two databases need different texts, [`sql_both!`] holds them side by side. Every text is
//! registered in [`STATEMENTS`], so that one test prepares them all on both databases.
//!
//! This crate knows no table. It must never hide a database error: "not there" is `Ok(None)`, and a
//! broken database is an `Err`.

mod append;
mod change;
mod checkpoint;
mod connection;
mod copy_text;
mod fault;
mod glance;
mod group;
mod migrate;
mod row;
mod snapshot;
mod statement;
mod transfer;
mod value;

pub use change::Change;
pub use connection::{Conn, Db, Engine, OpenError, Options, Reader, Synchronous, Tx};
pub use fault::{is_away, is_full};
pub use migrate::{MigrateError, Schema, migrate, schema};
pub use row::{Cell, Column, FromRow, Row};
pub use snapshot::{SnapshotError, fold, migrated_to, snapshot, verify};
pub use statement::{STATEMENTS, Statement, Text};
pub use transfer::{Besides, Table, TransferError, Transferred, has_other_tables, tables, transfer};
pub use value::{Nullable, Value};

use checkpoint::MOST_PAGES;
use connection::BUSY;
pub use linkme;
pub use sqlx::Error;
pub use sqlx::migrate::Migrator;

/// What a database call gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;
