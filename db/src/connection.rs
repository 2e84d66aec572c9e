use std::{path::PathBuf, sync::Arc, time::Duration};

use sqlx::{
    Connection as _, PgPool, Postgres, SqlitePool, Transaction,
    postgres::{PgConnectOptions, PgConnection, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    Change, Result, Statement,
    append::Appender,
    checkpoint::{Checkpoints, MOST_PAGES},
    glance::Glances,
    group::{Turn, Writer},
};

/// How long a call waits for a free connection before the database counts as away.
const ACQUIRE: Duration = Duration::from_secs(5);

/// How long a SQLite statement waits for a lock that another process holds (the CLI, a backup).
pub(crate) const BUSY: Duration = Duration::from_secs(30);

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// The server.
    Postgres,
}

/// Where the database is and how it is opened.
#[derive(Clone, Debug)]
pub enum Options {
    /// A SQLite file, made when absent.
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What a commit waits for.
        synchronous: Synchronous,
        /// Connections for reading.
        readers: u32,
    },
    /// A PostgreSQL server.
    Postgres {
        /// `postgres://user:password@host/database`.
        url: String,
        /// Connections of this process.
        connections: u32,
    },
}

impl Options {
    /// Which database this is.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite { .. } => Engine::Sqlite,
            Self::Postgres { .. } => Engine::Postgres,
        }
    }
}

/// What a SQLite commit waits for. PostgreSQL always waits for its log on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// The operating system has it: survives `kill -9`, may lose the last commits in a power cut.
    Normal,
    /// The disk has it: survives a power cut too.
    Full,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL of a PostgreSQL server does not read as one.
    #[error("DATABASE_URL is not a PostgreSQL URL like postgres://user:password@host/database")]
    Url(#[source] sqlx::Error),
    /// The database did not answer, or refused.
    #[error("{place} cannot be opened: {source}")]
    Unreachable {
        /// The file, or the server without its password.
        place: String,
        /// What the driver says.
        source: sqlx::Error,
    },
}

/// A database.
#[derive(Clone, Debug)]
pub struct Db(Pools);

#[derive(Clone, Debug)]
enum Pools {
    /// SQLite has one writer: all writes queue for that one connection, fairly and in order. Reads have
    /// their own connections and never wait for it.
    Sqlite {
        write: Writer,
        append: Appender,
        read: Reader,
        checkpoints: Arc<Checkpoints>,
    },
    Postgres(PgPool),
}

/// SQLite's connections for reading: those for a glance, and those with a thread of their own.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(crate) glances: Arc<Glances>,
    pub(crate) pool: SqlitePool,
}

/// Where a statement runs.
#[derive(Debug)]
pub enum Conn<'a> {
    /// Any reading connection of SQLite.
    SqliteRead(&'a Reader),
    /// A transaction of SQLite.
    SqliteTx(&'a mut SqliteConnection),
    /// Any connection of PostgreSQL.
    PgPool(&'a PgPool),
    /// A transaction of PostgreSQL.
    PgTx(&'a mut PgConnection),
}

impl Conn<'_> {
    /// Which database this is.
    pub fn engine(&self) -> Engine {
        match self {
            Self::SqliteRead(_) | Self::SqliteTx(_) => Engine::Sqlite,
            Self::PgPool(_) | Self::PgTx(_) => Engine::Postgres,
        }
    }

    /// The same for one statement, so that another can follow.
    pub fn again(&mut self) -> Conn<'_> {
        match self {
            Self::SqliteRead(reader) => Conn::SqliteRead(reader),
            Self::SqliteTx(tx) => Conn::SqliteTx(tx),
            Self::PgPool(pool) => Conn::PgPool(pool),
            Self::PgTx(tx) => Conn::PgTx(tx),
        }
    }
}

impl Db {
    /// Opens the database and tries one connection.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        match options {
            Options::Sqlite { path, synchronous, readers } => {
                let place = path.display().to_string();
                sqlite(path, *synchronous, *readers).await.map_err(|source| OpenError::Unreachable { place, source })
            }
            Options::Postgres { url, connections } => {
                let options: PgConnectOptions = url.parse().map_err(OpenError::Url)?;
                let place = format!(
                    "PostgreSQL at {}:{}, database {:?}",
                    options.get_host(),
                    options.get_port(),
                    options.get_database().unwrap_or_default()
                );
                let away = |source| OpenError::Unreachable { place: place.clone(), source };
                // A connection of its own first: the pool tries for long and does not say what it met.
                let first = tokio::time::timeout(ACQUIRE, PgConnection::connect_with(&options)).await;
                first.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(away)?.close().await.map_err(away)?;
                let pool = PgPoolOptions::new()
                    .max_connections(*connections)
                    .acquire_timeout(ACQUIRE)
                    .test_before_acquire(false) // else one more round trip a statement
                    .connect_with(options.options([("synchronous_commit", "on"), ("application_name", "usher")]))
                    .await
                    .map_err(away)?;
                Ok(Self(Pools::Postgres(pool)))
            }
        }
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        match &self.0 {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres(_) => Engine::Postgres,
        }
    }

    /// For a statement that only reads.
    pub fn read(&self) -> Conn<'_> {
        match &self.0 {
            Pools::Sqlite { read, .. } => Conn::SqliteRead(read),
            Pools::Postgres(pool) => Conn::PgPool(pool),
        }
    }

    /// Begins a transaction that may write.
    ///
    /// On SQLite it waits for its turn; transactions that queue up share one commit, and each is told only
    /// once that commit is on disk.
    pub async fn begin(&self) -> Result<Tx> {
        let inner = match &self.0 {
            Pools::Sqlite { write, .. } => Inner::Sqlite(write.turn().await?),
            Pools::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        };
        Ok(Tx { inner, changes: Vec::new(), after_commit: Vec::new() })
    }

    /// How many writes have asked for SQLite's one writer so far, so that who writes much can see whether others wait;
    /// 0 on PostgreSQL, where they need not.
    pub fn turns(&self) -> u64 {
        match &self.0 {
            Pools::Sqlite { write, .. } => write.turns(),
            Pools::Postgres(_) => 0,
        }
    }

    /// Runs statements in one durable transaction of their own, as [`begin`](Db::begin) and
    /// [`commit`](Tx::commit) would, and on SQLite at less cost if they are many small ones. One with
    /// [`rows`](Statement::rows) runs for each row.
    pub async fn append(&self, statements: Vec<Statement>) -> Result<()> {
        match &self.0 {
            Pools::Sqlite { write, append, .. } => {
                append.append(write, statements.into_iter().map(Statement::runs).collect()).await
            }
            Pools::Postgres(pool) => {
                let mut statements = statements;
                if statements.len() == 1 {
                    // It is a transaction by itself, in one round trip.
                    return statements.remove(0).run(Conn::PgPool(pool)).await.map(drop);
                }
                let mut tx = pool.begin().await?;
                for statement in statements {
                    statement.run(Conn::PgTx(&mut tx)).await?;
                }
                tx.commit().await
            }
        }
    }

    /// The pool that SQLite writes through, for a library that brings its own statements. It has one
    /// connection: whoever holds it holds up every write.
    pub fn sqlite_writer(&self) -> Option<&SqlitePool> {
        match &self.0 {
            Pools::Sqlite { write, .. } => Some(write.pool()),
            Pools::Postgres(_) => None,
        }
    }

    /// The pool of PostgreSQL, for a library that brings its own statements.
    pub fn postgres(&self) -> Option<&PgPool> {
        match &self.0 {
            Pools::Sqlite { .. } => None,
            Pools::Postgres(pool) => Some(pool),
        }
    }

    /// Closes every connection, once what runs has ended.
    pub async fn close(&self) {
        match &self.0 {
            Pools::Sqlite { write, read, checkpoints, .. } => {
                let checkpoints = checkpoints.clone();
                _ = tokio::task::spawn_blocking(move || checkpoints.stop()).await;
                read.pool.close().await;
                write.pool().close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

async fn sqlite(path: &std::path::Path, synchronous: Synchronous, readers: u32) -> Result<Db> {
    let level = synchronous;
    let synchronous = match level {
        Synchronous::Normal => SqliteSynchronous::Normal,
        Synchronous::Full => SqliteSynchronous::Full,
    };
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .pragma("cache_size", "-32768") // KiB, a limit; it fills as pages are used.
        .pragma("temp_store", "MEMORY")
        .pragma("journal_size_limit", "67108864")
        .pragma("wal_autocheckpoint", MOST_PAGES)
        // No mmap_size: a file that grows is mapped again and again.
        .statement_cache_capacity(256);
    let pool = || SqlitePoolOptions::new().idle_timeout(None).max_lifetime(None).test_before_acquire(false);
    let write = pool().max_connections(1).acquire_timeout(BUSY).connect_with(options.clone()).await?;
    let read = pool()
        .max_connections(readers)
        .acquire_timeout(ACQUIRE)
        .connect_with(options.create_if_missing(false).pragma("query_only", "ON"))
        .await?;
    let glances = Glances::open(path, readers as usize).map_err(|error| sqlx::Error::Configuration(error.into()))?;
    let read = Reader { glances: Arc::new(glances), pool: read };
    let append = Appender::open(path, level).map_err(|error| sqlx::Error::Configuration(error.into()))?;
    let write = Writer::new(write);
    let checkpoints = Checkpoints::start(path, write.clone());
    let checkpoints = checkpoints.map_err(|error| sqlx::Error::Configuration(error.into()))?;
    Ok(Db(Pools::Sqlite { write, append, read, checkpoints: Arc::new(checkpoints) }))
}

/// A transaction. Dropped without [`commit`](Tx::commit), it leaves nothing behind.
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Tx {
    inner: Inner,
    changes: Vec<Change>,
    after_commit: Vec<Box<dyn FnOnce() + Send + Sync>>,
}

enum Inner {
    Sqlite(Turn),
    Postgres(Transaction<'static, Postgres>),
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").field("changes", &self.changes).finish_non_exhaustive()
    }
}

impl Tx {
    /// For a statement in this transaction.
    pub fn conn(&mut self) -> Conn<'_> {
        match &mut self.inner {
            Inner::Sqlite(turn) => Conn::SqliteTx(turn.connection()),
            Inner::Postgres(tx) => Conn::PgTx(tx),
        }
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        match &self.inner {
            Inner::Sqlite(_) => Engine::Sqlite,
            Inner::Postgres(_) => Engine::Postgres,
        }
    }

    /// Notes what was written, for the activity log and for a dry run.
    pub fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// What was noted so far.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Does something once the transaction is committed, such as waking a worker; nothing if it is not.
    pub fn after_commit(&mut self, then: impl FnOnce() + Send + Sync + 'static) {
        self.after_commit.push(Box::new(then));
    }

    /// Marks the place that [`undo`](Tx::undo) goes back to.
    pub async fn mark(&mut self) -> Result<()> {
        self.execute("SAVEPOINT mark").await
    }

    /// Undoes all that was written since [`mark`](Tx::mark), with its notes; the transaction goes on.
    pub async fn undo(&mut self) -> Result<()> {
        self.execute("ROLLBACK TO SAVEPOINT mark").await?;
        self.changes.clear();
        self.after_commit.clear();
        Ok(())
    }

    /// Makes it last. When this returns `Ok`, the commit is as durable as the database was told to be.
    pub async fn commit(self) -> Result<()> {
        match self.inner {
            Inner::Sqlite(turn) => turn.commit().await?,
            Inner::Postgres(tx) => tx.commit().await?,
        }
        for then in self.after_commit {
            then();
        }
        Ok(())
    }

    /// Leaves nothing behind.
    pub async fn rollback(self) -> Result<()> {
        match self.inner {
            Inner::Sqlite(turn) => turn.rollback().await,
            Inner::Postgres(tx) => tx.rollback().await,
        }
    }

    async fn execute(&mut self, text: &'static str) -> Result<()> {
        match self.conn() {
            Conn::SqliteTx(conn) => sqlx::query(text).execute(conn).await.map(drop),
            Conn::PgTx(conn) => sqlx::query(text).execute(conn).await.map(drop),
            Conn::SqliteRead(_) | Conn::PgPool(_) => unreachable!("a transaction has its own connection"),
        }
    }
}
