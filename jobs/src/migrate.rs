use usher_db::{Db, MigrateError};

/// Makes the tables of the tickets, which are apalis'.
///
/// Never through `SqliteStorage::setup`, which turns `synchronous` off. On SQLite apalis keeps its list of
/// migrations in `_sqlx_migrations`, on PostgreSQL in its own schema, where it also needs the extensions
/// `hstore` and `pgcrypto`.
pub async fn migrate(db: &Db) -> Result<(), MigrateError> {
    if let Some(pool) = db.sqlite_writer() {
        apalis_sqlite::SqliteStorage::migrations().run(pool).await?;
    }
    if let Some(pool) = db.postgres() {
        apalis_postgres::PostgresStorage::migrations().run(pool).await?;
    }
    Ok(())
}
