//! The SQL of what there is once in a database.

use usher_db::{Conn, Result, sql};

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
