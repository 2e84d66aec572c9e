//! The SQL of what there is once in a database.

use usher_db::{Conn, Result, sql, sql_both};

/// A setting of the whole installation.
pub(super) async fn setting(conn: Conn<'_>, name: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sql!("SELECT value FROM setting WHERE name = $1").bind(name).optional(conn).await?;
    Ok(row.map(|(value,)| value))
}

/// Makes a setting of the whole installation, unless it is there.
pub(super) async fn make_setting(conn: Conn<'_>, name: &str, value: &str) -> Result<u64> {
    sql!("INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(value)
        .run(conn)
        .await
}

/// Writes a setting of the whole installation.
pub(super) async fn set_setting(conn: Conn<'_>, name: &str, value: &str) -> Result<u64> {
    sql!("INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(name)
        .bind(value)
        .run(conn)
        .await
}

/// The database's clock, in microseconds since 1970.
pub(super) async fn clock(conn: Conn<'_>) -> Result<i64> {
    let (now,): (i64,) = sql_both!(
        sqlite: "SELECT CAST(1000000 * unixepoch('subsec') AS INTEGER)",
        postgres: "SELECT CAST(1000000 * extract(epoch FROM clock_timestamp()) AS BIGINT)"
    )
    .one(conn)
    .await?;
    Ok(now)
}
