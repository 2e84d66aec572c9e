//! Moves all rows of a SQLite file into a PostgreSQL database of the same schema.
//!
//! Which tables and columns there are comes from the two schemas, never from a list: a table that only one of them has is
//! an error unless the caller names it. All of it is one transaction: PostgreSQL has everything or nothing. Rows are read
//! and sent in chunks, so memory stays flat.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row as _};
use tokio::sync::mpsc;

use crate::{copy_text::write, migrate::TABLE, snapshot};

/// Bytes that are sent at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// Chunks that are read ahead.
const CHUNKS: usize = 4;

/// Why rows were not moved. Nothing was then.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The target has rows.
    #[error("the PostgreSQL database is not empty: table {0} has rows")]
    NotEmpty(String),
    /// The two do not have the same tables.
    #[error("the schemas differ: {0}")]
    Schemas(String),
    /// Not all rows have arrived.
    #[error("table {table}: {arrived} rows of {sent} arrived")]
    Count {
        /// Which.
        table: String,
        /// Rows of SQLite.
        sent: i64,
        /// Rows of PostgreSQL.
        arrived: i64,
    },
    /// SQLite failed.
    #[error("reading table {0}: {1}")]
    Read(String, rusqlite::Error),
    /// PostgreSQL refused.
    #[error("writing table {0}: {1}")]
    Write(String, sqlx::Error),
    /// Either failed where no table is concerned.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The same.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

type Result<T> = std::result::Result<T, TransferError>;

/// Tables that are no part of what is moved.
#[derive(Clone, Copy, Debug)]
pub struct Besides<'a> {
    /// Tables of SQLite that stay behind.
    pub sqlite: &'a [&'a str],
    /// Tables of PostgreSQL that nothing comes into.
    pub postgres: &'a [&'a str],
    /// Tables that are moved although the target has rows in them, which are replaced.
    pub replaced: &'a [&'a str],
}

/// What was moved.
#[derive(Debug, Default)]
pub struct Transferred {
    /// Rows of each table.
    pub rows: BTreeMap<String, i64>,
    /// Values with a NUL character, which was replaced by `U+FFFD`.
    pub n_replaced: u64,
}

/// A table as both have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns and their types in PostgreSQL.
    pub columns: Vec<(String, String)>,
    /// Tables whose rows must be there before.
    after: BTreeSet<String>,
}

/// Moves all rows of a SQLite file. `last` is done in the same transaction, before its commit.
pub async fn transfer(
    from: &Path,
    to: &PgPool,
    besides: Besides<'_>,
    last: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<()>,
) -> Result<Transferred> {
    let mut tx = to.begin().await?;
    let tables = tables(from, &mut tx, besides).await?;
    let names: Vec<_> = tables.iter().map(|table| quoted(&table.name)).collect();
    if !names.is_empty() {
        // Whoever else is here, such as a server that was started too early, waits or is refused.
        run(&mut tx, format!("LOCK TABLE {} IN EXCLUSIVE MODE NOWAIT", names.join(", "))).await?;
    }
    for table in &tables {
        if besides.replaced.contains(&&*table.name) {
            run(&mut tx, format!("DELETE FROM {}", quoted(&table.name))).await?;
        } else if count(&mut tx, &table.name).await? > 0 {
            return Err(TransferError::NotEmpty(table.name.clone()));
        }
    }
    // What a trigger makes of a row has been made of it already, or is made by `last`.
    for name in &names {
        run(&mut tx, format!("ALTER TABLE {name} DISABLE TRIGGER USER")).await?;
    }
    let mut done = Transferred::default();
    for table in &tables {
        let (sent, n_replaced) = copy(from, &mut tx, table).await?;
        let arrived = count(&mut tx, &table.name).await?;
        if sent != arrived {
            return Err(TransferError::Count { table: table.name.clone(), sent, arrived });
        }
        done.n_replaced += n_replaced;
        done.rows.insert(table.name.clone(), arrived);
        sequences(&mut tx, table).await?;
    }
    for name in &names {
        run(&mut tx, format!("ALTER TABLE {name} ENABLE TRIGGER USER")).await?;
    }
    last(&mut tx).await?;
    tx.commit().await?;
    // Without statistics the first queries would be planned for empty tables.
    sqlx::query("ANALYZE").execute(to).await?;
    Ok(done)
}

/// Whether a database has tables, and no list of our migrations: it is somebody else's.
pub async fn has_other_tables(pool: &PgPool) -> sqlx::Result<bool> {
    let row = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p'))
             AND to_regclass($1) IS NULL",
    )
    .bind(TABLE);
    Ok(row.fetch_one(pool).await?.get(0))
}

/// The tables that are moved, those first that others refer to. An error if the two schemas do not match.
pub async fn tables(from: &Path, to: &mut PgConnection, besides: Besides<'_>) -> Result<Vec<Table>> {
    let ours = columns_of_sqlite(from, besides.sqlite)?;
    let mut theirs = columns_of_postgres(to).await?;
    theirs.retain(|name, _| !besides.postgres.contains(&&**name));
    let differ = |text: String| Err(TransferError::Schemas(text));
    if let Some(name) = theirs.keys().find(|name| !ours.contains_key(*name)) {
        return differ(format!("SQLite has no table {name}"));
    }
    let mut open = Vec::new();
    let references = references(to).await?;
    for (name, columns) in ours {
        let Some(types) = theirs.remove(&name) else { return differ(format!("PostgreSQL has no table {name}")) };
        let known: BTreeSet<_> = types.iter().map(|(column, _)| column).collect();
        if known != columns.iter().collect() {
            return differ(format!("table {name} does not have the same columns in both"));
        }
        let after = references.get(&name).into_iter().flatten().filter(|other| **other != name).cloned().collect();
        open.push(Table { name, columns: types, after });
    }
    let mut sorted: Vec<Table> = Vec::new();
    while !open.is_empty() {
        let free = |table: &Table| table.after.iter().all(|name| sorted.iter().any(|done| done.name == *name));
        let Some(next) = open.iter().position(free) else {
            return differ(format!("tables refer to each other in a circle: {}", open[0].name));
        };
        let next = open.remove(next);
        sorted.push(next);
    }
    Ok(sorted)
}

fn columns_of_sqlite(from: &Path, besides: &[&str]) -> Result<BTreeMap<String, Vec<String>>> {
    let database = snapshot::open(from)?;
    let mut statement = database.prepare(
        "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, c.cid",
    )?;
    let mut rows = statement.query([])?;
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        if !besides.contains(&&*name) {
            tables.entry(name).or_default().push(row.get(1)?);
        }
    }
    Ok(tables)
}

async fn columns_of_postgres(to: &mut PgConnection) -> Result<BTreeMap<String, Vec<(String, String)>>> {
    let rows = sqlx::query(
        "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_class c
         JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
           AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY c.relname, a.attnum",
    )
    .fetch_all(to)
    .await?;
    let mut tables: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in rows {
        tables.entry(row.get(0)).or_default().push((row.get(1), row.get(2)));
    }
    Ok(tables)
}

/// Which tables each table refers to.
async fn references(to: &mut PgConnection) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let rows = sqlx::query(
        "SELECT c.relname::text, f.relname::text FROM pg_constraint k
         JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
         WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace",
    )
    .fetch_all(to)
    .await?;
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        all.entry(row.get(0)).or_default().insert(row.get(1));
    }
    Ok(all)
}

/// Copies a table: its rows, and the values that had a NUL character.
async fn copy(from: &Path, to: &mut PgConnection, table: &Table) -> Result<(i64, u64)> {
    let failed = |error| TransferError::Write(table.name.clone(), error);
    let columns: Vec<_> = table.columns.iter().map(|(name, _)| quoted(name)).collect();
    let command = format!("COPY {} ({}) FROM STDIN", quoted(&table.name), columns.join(", "));
    let (send, mut chunks) = mpsc::channel(CHUNKS);
    let (path, source) = (from.to_owned(), table.clone());
    let reading = tokio::task::spawn_blocking(move || read(&path, &source, &send));
    let mut sink = to.copy_in_raw(&command).await.map_err(failed)?;
    while let Some(chunk) = chunks.recv().await {
        sink.send(chunk).await.map_err(failed)?;
    }
    let read = reading.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
    match read {
        Ok(counts) => {
            sink.finish().await.map_err(failed)?;
            Ok(counts)
        }
        Err(error) => {
            sink.abort("reading failed").await.map_err(failed)?;
            Err(TransferError::Read(table.name.clone(), error))
        }
    }
}

/// Reads a table and sends it in chunks, in the text format of `COPY`.
fn read(from: &Path, table: &Table, send: &mpsc::Sender<Vec<u8>>) -> rusqlite::Result<(i64, u64)> {
    let database = snapshot::open(from)?;
    let columns: Vec<_> = table.columns.iter().map(|(name, _)| quoted(name)).collect();
    let mut statement = database.prepare(&format!("SELECT {} FROM {}", columns.join(", "), quoted(&table.name)))?;
    let mut rows = statement.query([])?;
    let mut chunk = Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4);
    let (mut n_rows, mut n_replaced) = (0, 0);
    while let Some(row) = rows.next()? {
        for (at, (_, kind)) in table.columns.iter().enumerate() {
            if at > 0 {
                chunk.push(b'\t');
            }
            n_replaced += u64::from(write(&mut chunk, row.get_ref(at)?, kind));
        }
        chunk.push(b'\n');
        n_rows += 1;
        if chunk.len() >= CHUNK_BYTES && send.blocking_send(std::mem::take(&mut chunk)).is_err() {
            // PostgreSQL refused, which is said there.
            return Ok((n_rows, n_replaced));
        }
    }
    _ = send.blocking_send(chunk);
    Ok((n_rows, n_replaced))
}

/// A number that PostgreSQL counts by itself goes on after the greatest that arrived.
async fn sequences(to: &mut PgConnection, table: &Table) -> Result<()> {
    for (column, kind) in &table.columns {
        if kind != "bigint" && kind != "integer" {
            continue;
        }
        let found = sqlx::query("SELECT pg_get_serial_sequence($1, $2)").bind(quoted(&table.name)).bind(column);
        let Some(sequence) = found.fetch_one(&mut *to).await?.get::<Option<String>, _>(0) else { continue };
        let (table, column) = (quoted(&table.name), quoted(column));
        let next = format!("SELECT setval('{sequence}', (SELECT COALESCE(max({column}), 0) + 1 FROM {table}), false)");
        run(to, next).await?;
    }
    Ok(())
}

async fn count(to: &mut PgConnection, table: &str) -> Result<i64> {
    let text = format!("SELECT count(*) FROM {}", quoted(table));
    Ok(sqlx::query(AssertSqlSafe(text)).fetch_one(to).await?.get(0))
}

async fn run(to: &mut PgConnection, text: String) -> Result<()> {
    sqlx::query(AssertSqlSafe(text)).execute(to).await?;
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
