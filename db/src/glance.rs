//! Reads of SQLite that need no other thread.
//!
//! Most reads find a few rows by an index in microseconds. Handing them to a connection's thread and back, as sqlx
//! does, costs ten times what they do. So each read of SQLite is first tried here, on the calling thread; one that
//! is not done within [`LONGEST`] is given up, having read for nothing, and begun again on a thread of its own. A
//! read that fails is begun again there too, so that errors come from one place.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, types::ToSqlOutput, types::Value as Sql, types::ValueRef};

use crate::Value;

/// How long a read may hold the calling thread.
const LONGEST: Duration = Duration::from_millis(2);

/// Steps of SQLite's machine between two looks at the time.
const STEPS: i32 = 2000;

/// Prepared statements that each connection keeps.
const PREPARED: usize = 256;

/// Connections for reading on the calling thread.
#[derive(Debug)]
pub(crate) struct Glances {
    connections: Box<[Glance]>,
    next: AtomicUsize,
}

#[derive(Debug)]
struct Glance {
    connection: Mutex<Connection>,
    /// When the read that is under way has to be done.
    until: Arc<Mutex<Option<Instant>>>,
}

impl Glances {
    /// Opens so many connections to a file that is there already.
    pub(crate) fn open(path: &Path, connections: usize) -> rusqlite::Result<Self> {
        let connections = (0..connections).map(|_| Glance::open(path)).collect::<rusqlite::Result<_>>()?;
        Ok(Self { connections, next: AtomicUsize::new(0) })
    }

    /// The rows, if they are found at a glance.
    pub(crate) fn rows(&self, text: &str, values: &[Value]) -> Option<Vec<Vec<Sql>>> {
        // One after another, so that two threads seldom want the same.
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.connections.len();
        let free = (0..count).map(|at| &self.connections[(first + at) % count]).find_map(|glance| {
            let connection = glance.connection.try_lock()?;
            Some((glance, connection))
        });
        let (glance, connection) = free?;
        *glance.until.lock() = Some(Instant::now() + LONGEST);
        let mut statement = connection.prepare_cached(text).ok()?;
        let columns = statement.column_count();
        bind(&mut statement, values).ok()?;
        let mut found = statement.raw_query();
        let mut rows = Vec::new();
        while let Some(row) = found.next().ok()? {
            rows.push((0..columns).map(|at| row.get(at)).collect::<rusqlite::Result<_>>().ok()?);
        }
        Some(rows)
    }
}

impl Glance {
    fn open(path: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        connection.busy_timeout(Duration::ZERO)?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -16384")?;
        let until = Arc::new(Mutex::new(None::<Instant>));
        let deadline = until.clone();
        connection.progress_handler(STEPS, Some(move || deadline.lock().is_some_and(|at| Instant::now() > at)))?;
        Ok(Self { connection: Mutex::new(connection), until })
    }
}

/// Binds values to `$1`, `$2`, … by their numbers: to SQLite those are names, which it counts as they come. A bare `?`
/// has its place.
pub(crate) fn bind(statement: &mut rusqlite::Statement<'_>, values: &[Value]) -> rusqlite::Result<()> {
    for at in 1..=statement.parameter_count() {
        let number = statement.parameter_name(at).and_then(|name| name.get(1..)?.parse::<usize>().ok());
        let value =
            values.get(number.unwrap_or(at) - 1).ok_or(rusqlite::Error::InvalidParameterCount(at, values.len()))?;
        statement.raw_bind_parameter(at, value)?;
    }
    Ok(())
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Bool(value) => value.map_or(ValueRef::Null, |value| ValueRef::Integer(value.into())),
            Self::Int(value) => value.map_or(ValueRef::Null, ValueRef::Integer),
            Self::Float(value) => value.map_or(ValueRef::Null, ValueRef::Real),
            Self::Text(value) => value.as_ref().map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes())),
            Self::Bytes(value) => value.as_ref().map_or(ValueRef::Null, |bytes| ValueRef::Blob(bytes)),
            Self::Ints(_) | Self::Texts(_) => {
                let Self::Text(Some(json)) = self.clone().for_sqlite() else { unreachable!("arrays become texts") };
                return Ok(ToSqlOutput::Owned(Sql::Text(json)));
            }
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}
