use sqlx::migrate::{Migrate, Migrator};

use crate::{Db, Engine};

/// Our own list of applied migrations. Not sqlx' default, which apalis uses on SQLite.
pub(crate) const TABLE: &str = "_usher_migrations";

/// Where a database's schema stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    /// As this program needs it.
    Current,
    /// So many migrations are still to be applied.
    Behind(usize),
    /// A newer program has migrated it.
    Ahead,
}

/// Why migrating failed.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database was migrated by a newer program.
    #[error("the database was migrated by a newer Usher; run that version, or restore a backup")]
    Ahead,
    /// A migration that was applied has another text now.
    #[error("migration {0} was applied with another text than this program has")]
    Changed(i64),
    /// A statement failed, or the database is away.
    #[error("migrating failed: {0}")]
    Failed(#[from] sqlx::migrate::MigrateError),
}

/// Applies what has not been applied, in order. `sqlite` and `postgres` hold the same migrations in the
/// two dialects. Several processes may call this at once on PostgreSQL.
pub async fn migrate(db: &Db, sqlite: &Migrator, postgres: &Migrator) -> Result<(), MigrateError> {
    let result = match db.engine() {
        Engine::Sqlite => {
            let pool = db.sqlite_writer().expect("a SQLite database");
            renamed(sqlite).run(pool).await
        }
        Engine::Postgres => {
            let pool = db.postgres().expect("a PostgreSQL database");
            renamed(postgres).run(pool).await
        }
    };
    use sqlx::migrate::MigrateError as E;
    match result {
        Err(E::VersionMissing(_)) => Err(MigrateError::Ahead),
        Err(E::VersionMismatch(version)) => Err(MigrateError::Changed(version)),
        other => other.map_err(MigrateError::Failed),
    }
}

/// Compares the database's schema with the program's.
pub async fn schema(db: &Db, sqlite: &Migrator, postgres: &Migrator) -> Result<Schema, MigrateError> {
    let applied = match db.engine() {
        Engine::Sqlite => {
            let pool = db.sqlite_writer().expect("a SQLite database");
            let mut conn = pool.acquire().await.map_err(sqlx::migrate::MigrateError::from)?;
            // Looking makes no table.
            let found =
                sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = $1").bind(TABLE).fetch_optional(&mut *conn);
            match found.await.map_err(sqlx::migrate::MigrateError::from)? {
                Some(_) => conn.list_applied_migrations(TABLE).await?,
                None => Vec::new(),
            }
        }
        Engine::Postgres => {
            let pool = db.postgres().expect("a PostgreSQL database");
            let mut conn = pool.acquire().await.map_err(sqlx::migrate::MigrateError::from)?;
            let found =
                sqlx::query("SELECT 1 WHERE to_regclass($1) IS NOT NULL").bind(TABLE).fetch_optional(&mut *conn);
            match found.await.map_err(sqlx::migrate::MigrateError::from)? {
                Some(_) => conn.list_applied_migrations(TABLE).await?,
                None => Vec::new(),
            }
        }
    };
    let ours = match db.engine() {
        Engine::Sqlite => sqlite,
        Engine::Postgres => postgres,
    };
    if applied.iter().any(|one| ours.iter().all(|migration| migration.version != one.version)) {
        return Ok(Schema::Ahead);
    }
    let missing = ours.iter().filter(|migration| applied.iter().all(|one| one.version != migration.version)).count();
    Ok(if missing == 0 { Schema::Current } else { Schema::Behind(missing) })
}

fn renamed(migrator: &Migrator) -> Migrator {
    let mut migrator = Migrator::with_migrations(migrator.iter().cloned().collect());
    migrator.dangerous_set_table_name(TABLE);
    migrator
}
