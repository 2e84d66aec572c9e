//! The SQL of the block list. Many rows go in as one JSON value ([`rows`](super::rows)), sorted by key, so that an
//! index is written in its order and two writers lock rows in the same one.

use usher_db::{Conn, Result, Value, sql, sql_both};

use super::types::{Entry, Reason};
use crate::values::{SiteId, Time};

/// An id after every id.
pub(super) const LAST: &str = "~";

/// Which entries.
#[derive(Default)]
pub(super) struct Filter {
    pub(super) reason: Option<Reason>,
    pub(super) source: Option<String>,
    /// A part of the address's key, in which `%` and `_` are escaped with `!`.
    pub(super) text: Option<String>,
}

/// A page of entries, newest first: those whose id is less than `before`.
pub(super) async fn list(
    conn: Conn<'_>,
    site: SiteId,
    filter: &Filter,
    before: &str,
    limit: u32,
) -> Result<Vec<Entry>> {
    sql!(
        "SELECT id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key FROM block
         WHERE site = $1 AND id < $2 AND (strength = $3 OR $3 IS NULL) AND (source = $4 OR $4 IS NULL)
           AND (email_key LIKE $5 ESCAPE '!' OR $5 IS NULL)
         ORDER BY id DESC LIMIT $6"
    )
    .bind(site)
    .bind(before)
    .bind(filter.reason.map(|reason| i64::from(reason.strength())))
    .bind(filter.source.as_deref())
    .bind(filter.text.as_ref().map(|text| format!("%{text}%")))
    .bind(limit)
    .all(conn)
    .await
}

/// The entries of these keys, a JSON array of texts.
pub(super) async fn of_keys(conn: Conn<'_>, site: SiteId, keys: String) -> Result<Vec<Entry>> {
    sql_both!(
        sqlite: "SELECT id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key FROM block
                 WHERE site = $1 AND email_key IN (SELECT value FROM json_each($2))",
        postgres: "SELECT id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key FROM block
                   WHERE site = $1 AND email_key = ANY (ARRAY(SELECT json_array_elements_text(CAST($2 AS JSON))))",
    )
    .bind(site)
    .bind(keys)
    .all(conn)
    .await
}

/// The same, and nobody else changes them until the transaction ends.
pub(super) async fn hold(conn: Conn<'_>, site: SiteId, keys: String) -> Result<Vec<Entry>> {
    sql_both!(
        sqlite: "SELECT id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key FROM block
                 WHERE site = $1 AND email_key IN (SELECT value FROM json_each($2)) ORDER BY email_key",
        postgres: "SELECT id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key FROM block
                   WHERE site = $1 AND email_key = ANY (ARRAY(SELECT json_array_elements_text(CAST($2 AS JSON))))
                   ORDER BY email_key FOR UPDATE",
    )
    .bind(site)
    .bind(keys)
    .all(conn)
    .await
}

/// Removes the entries of these keys, a JSON array of texts, and gives them.
pub(super) async fn remove(conn: Conn<'_>, site: SiteId, keys: String) -> Result<Vec<Entry>> {
    sql_both!(
        sqlite: "DELETE FROM block WHERE site = $1 AND email_key IN (SELECT value FROM json_each($2))
                 RETURNING id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key",
        postgres: "DELETE FROM block
                   WHERE site = $1 AND email_key = ANY (ARRAY(SELECT json_array_elements_text(CAST($2 AS JSON))))
                   RETURNING id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key",
    )
    .bind(site)
    .bind(keys)
    .all(conn)
    .await
}

/// `INSERT … SELECT` of rows as JSON: $1 site, $2 rows, $3 source, $4 now, $5 note; what a row does not say comes from
/// these. Then what is to happen where the address is there.
macro_rules! insert {
    (sqlite, $conflict:literal) => {
        concat!(
            "INSERT INTO block (site, email_key, id, email, strength, source, note, vendor_code, first_seen, updated_at)
             SELECT $1, value ->> 0, value ->> 1, COALESCE(value ->> 2, value ->> 0), value ->> 3,
                    COALESCE(value ->> 4, $3), COALESCE(value ->> 5, $5), value ->> 6, COALESCE(value ->> 7, $4), $4
             FROM json_each($2) WHERE TRUE ON CONFLICT (site, email_key) ",
            $conflict
        )
    };
    (postgres, $conflict:literal) => {
        concat!(
            "INSERT INTO block (site, email_key, id, email, strength, source, note, vendor_code, first_seen, updated_at)
             SELECT $1, v ->> 0, v ->> 1, COALESCE(v ->> 2, v ->> 0), CAST(v ->> 3 AS BIGINT),
                    COALESCE(v ->> 4, $3), COALESCE(v ->> 5, $5), v ->> 6,
                    COALESCE(CAST(v ->> 7 AS BIGINT), $4), $4
             FROM json_array_elements(CAST($2 AS JSON)) AS rows (v) ON CONFLICT (site, email_key) ",
            $conflict
        )
    };
}

/// What rows have that do not say otherwise.
#[derive(Clone, Copy)]
pub(super) struct Defaults<'a> {
    pub(super) source: &'a str,
    pub(super) note: Option<&'a str>,
    pub(super) now: Time,
}

impl Defaults<'_> {
    fn bind(self, site: SiteId, rows: &str) -> [Value; 5] {
        [site.into(), rows.into(), self.source.into(), self.now.into(), self.note.into()]
    }
}

/// Binds the values in their order.
fn bound(statement: usher_db::Statement, values: [Value; 5]) -> usher_db::Statement {
    values.into_iter().fold(statement, usher_db::Statement::bind)
}

/// Adds those whose address is not there, and gives how many.
pub(super) async fn add(conn: Conn<'_>, site: SiteId, rows: &str, defaults: Defaults<'_>) -> Result<u64> {
    let statement = sql_both!(sqlite: insert!(sqlite, "DO NOTHING"), postgres: insert!(postgres, "DO NOTHING"));
    bound(statement, defaults.bind(site, rows)).run(conn).await
}

/// The same, and gives their keys.
pub(super) async fn add_and_name(
    conn: Conn<'_>,
    site: SiteId,
    rows: &str,
    defaults: Defaults<'_>,
) -> Result<Vec<String>> {
    let statement = sql_both!(
        sqlite: insert!(sqlite, "DO NOTHING RETURNING email_key"),
        postgres: insert!(postgres, "DO NOTHING RETURNING email_key"),
    );
    let added: Vec<(String,)> = bound(statement, defaults.bind(site, rows)).all(conn).await?;
    Ok(added.into_iter().map(|row| row.0).collect())
}

/// Strengthens those that are there with a weaker reason, and gives how many. All of them must be there.
///
/// An upsert, since SQLite reads the whole table for an `UPDATE … FROM json_each`.
pub(super) async fn strengthen(conn: Conn<'_>, site: SiteId, rows: &str, defaults: Defaults<'_>) -> Result<u64> {
    macro_rules! text {
        ($engine:tt) => {
            insert!(
                $engine,
                "DO UPDATE SET strength = excluded.strength, source = excluded.source, note = COALESCE(excluded.note, block.note), \
                 vendor_code = excluded.vendor_code, updated_at = excluded.updated_at, \
                 first_seen = CASE WHEN excluded.first_seen < block.first_seen THEN excluded.first_seen \
                 ELSE block.first_seen END \
                 WHERE block.strength < excluded.strength"
            )
        };
    }
    bound(sql_both!(sqlite: text!(sqlite), postgres: text!(postgres)), defaults.bind(site, rows)).run(conn).await
}

/// Lets the earlier time win in those that are there. All of them must be there.
pub(super) async fn date_back(conn: Conn<'_>, site: SiteId, rows: &str, defaults: Defaults<'_>) -> Result<u64> {
    macro_rules! text {
        ($engine:tt) => {
            insert!(
                $engine,
                "DO UPDATE SET first_seen = excluded.first_seen, updated_at = excluded.updated_at \
                 WHERE block.first_seen > excluded.first_seen"
            )
        };
    }
    bound(sql_both!(sqlite: text!(sqlite), postgres: text!(postgres)), defaults.bind(site, rows)).run(conn).await
}
