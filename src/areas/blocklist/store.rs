//! The SQL of the block list. Many rows go in at once ([`rows`](super::rows)), sorted by key, so that an index is written
//! in its order and two writers lock rows in the same one.

use usher_db::{Conn, Result, Statement, Value, sql, sql_both};

use super::{
    rows::{self, NewRow, said},
    types::{Entry, Reason},
};
use crate::values::{JobId, SiteId, Time};

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
        "SELECT id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key,
                (SELECT i.job_id FROM block_import i WHERE i.site = block.site AND i.number = block.import)
         FROM block
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

/// The entries of these keys.
pub(super) async fn of_keys(conn: Conn<'_>, site: SiteId, keys: Value) -> Result<Vec<Entry>> {
    sql_both!(
        sqlite: "SELECT id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key,
                (SELECT i.job_id FROM block_import i WHERE i.site = block.site AND i.number = block.import)
         FROM block
                 WHERE site = $1 AND email_key IN (SELECT value FROM json_each($2))",
        postgres: "SELECT id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key,
                (SELECT i.job_id FROM block_import i WHERE i.site = block.site AND i.number = block.import)
         FROM block
                   WHERE site = $1 AND email_key = ANY ($2)",
    )
    .bind(site)
    .bind(keys)
    .all(conn)
    .await
}

/// The same, and nobody else changes them until the transaction ends.
pub(super) async fn hold(conn: Conn<'_>, site: SiteId, keys: Value) -> Result<Vec<Entry>> {
    sql_both!(
        sqlite: "SELECT id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key,
                (SELECT i.job_id FROM block_import i WHERE i.site = block.site AND i.number = block.import)
         FROM block
                 WHERE site = $1 AND email_key IN (SELECT value FROM json_each($2)) ORDER BY email_key",
        postgres: "SELECT id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key,
                (SELECT i.job_id FROM block_import i WHERE i.site = block.site AND i.number = block.import)
         FROM block
                   WHERE site = $1 AND email_key = ANY ($2)
                   ORDER BY email_key FOR UPDATE",
    )
    .bind(site)
    .bind(keys)
    .all(conn)
    .await
}

/// How many of these keys have an entry; nobody else changes or removes those until the transaction ends.
pub(super) async fn hold_keys(conn: Conn<'_>, site: SiteId, keys: Value) -> Result<usize> {
    let held: Vec<(String,)> = sql_both!(
        sqlite: "SELECT email_key FROM block WHERE site = $1 AND email_key IN (SELECT value FROM json_each($2))",
        postgres: "SELECT email_key FROM block WHERE site = $1 AND email_key = ANY ($2) ORDER BY email_key FOR UPDATE",
    )
    .bind(site)
    .bind(keys)
    .all(conn)
    .await?;
    Ok(held.len())
}

/// Removes the entries of these keys, and gives them.
pub(super) async fn remove(conn: Conn<'_>, site: SiteId, keys: Value) -> Result<Vec<Entry>> {
    sql_both!(
        sqlite: "DELETE FROM block WHERE site = $1 AND email_key IN (SELECT value FROM json_each($2))
                 RETURNING id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key,
                             (SELECT i.job_id FROM block_import i WHERE i.site = block.site AND i.number = block.import)",
        postgres: "DELETE FROM block
                   WHERE site = $1 AND email_key = ANY ($2)
                   RETURNING id, email, strength, source, note, vendor_code, first_seen, updated_at, email_key,
                             (SELECT i.job_id FROM block_import i WHERE i.site = block.site AND i.number = block.import)",
    )
    .bind(site)
    .bind(keys)
    .all(conn)
    .await
}

/// Forgets what else was said of these keys.
pub(super) async fn forget_claims(conn: Conn<'_>, site: SiteId, keys: Value) -> Result<u64> {
    sql_both!(
        sqlite: "DELETE FROM block_claim WHERE site = $1 AND email_key IN (SELECT value FROM json_each($2))",
        postgres: "DELETE FROM block_claim WHERE site = $1 AND email_key = ANY ($2)",
    )
    .bind(site)
    .bind(keys)
    .run(conn)
    .await
}

/// Who says something of addresses, and what rows have that do not say otherwise.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) source: &'a str,
    pub(super) note: Option<&'a str>,
    pub(super) now: Time,
    /// The import that says it; `None` for a direct call.
    pub(super) import: Option<i64>,
}

impl Said<'_> {
    /// $1 site, $2 import or 0, $3 source, $4 now, $5 note, then the rows.
    async fn run(self, statement: Statement, conn: Conn<'_>, site: SiteId, rows: &[NewRow<'_>]) -> Result<u64> {
        let engine = conn.engine();
        rows::bind(self.bind(statement, site), engine, rows).run(conn).await
    }

    fn bind(self, statement: Statement, site: SiteId) -> Statement {
        let Self { source, note, now, import } = self;
        statement.bind(site).bind(import.unwrap_or(0)).bind(source).bind(now).bind(note)
    }
}

/// `INSERT` of rows; then what is to happen where the address is there.
macro_rules! insert {
    ($engine:tt, $conflict:literal) => {
        concat!(
            "INSERT INTO block (site, email_key, id, email, strength, source, note, vendor_code, first_seen, updated_at,
                                import)
             SELECT $1, email_key, id, email, strength, source, note, vendor_code, first_seen, $4,
                    NULLIF(CAST($2 AS BIGINT), 0)
             FROM ",
            said!($engine),
            " WHERE TRUE ON CONFLICT (site, email_key) ",
            $conflict
        )
    };
}

/// Adds those whose address is not there, and gives how many.
pub(super) async fn add(conn: Conn<'_>, site: SiteId, rows: &[NewRow<'_>], said: Said<'_>) -> Result<u64> {
    let statement = sql_both!(sqlite: insert!(sqlite, "DO NOTHING"), postgres: insert!(postgres, "DO NOTHING"));
    said.run(statement, conn, site, rows).await
}

/// The same, and gives their keys.
pub(super) async fn add_and_name(
    conn: Conn<'_>,
    site: SiteId,
    rows: &[NewRow<'_>],
    said: Said<'_>,
) -> Result<Vec<String>> {
    let statement = sql_both!(
        sqlite: insert!(sqlite, "DO NOTHING RETURNING email_key"),
        postgres: insert!(postgres, "DO NOTHING RETURNING email_key"),
    );
    let engine = conn.engine();
    let added: Vec<(String,)> = rows::bind(said.bind(statement, site), engine, rows).all(conn).await?;
    Ok(added.into_iter().map(|row| row.0).collect())
}

/// Keeps what the entries say that are about to be [strengthened](strengthen) by an import, so that it can be taken
/// back.
pub(super) async fn keep_weaker(conn: Conn<'_>, site: SiteId, rows: &[NewRow<'_>], said: Said<'_>) -> Result<u64> {
    macro_rules! text {
        ($engine:tt) => {
            concat!(
                "INSERT INTO block_claim (site, email_key, import, strength, source, note, vendor_code, first_seen)
                 SELECT block.site, block.email_key, COALESCE(block.import, 0), block.strength, block.source, block.note,
                        block.vendor_code, COALESCE(block.own_first_seen, block.first_seen)
                 FROM ",
                said!($engine),
                " CROSS JOIN block
                 WHERE block.site = $1 AND block.email_key = said.email_key AND block.strength < said.strength
                   AND COALESCE(block.import, 0) <> $2
                 ON CONFLICT (site, email_key, import) DO UPDATE
                 SET strength = excluded.strength, source = excluded.source, note = excluded.note,
                     vendor_code = excluded.vendor_code, first_seen = excluded.first_seen"
            )
        };
    }
    said.run(sql_both!(sqlite: text!(sqlite), postgres: text!(postgres)), conn, site, rows).await
}

/// Strengthens those that are there with a weaker reason, and gives how many. All of them must be there.
///
/// An upsert, since SQLite reads the whole table for an `UPDATE … FROM json_each`.
pub(super) async fn strengthen(conn: Conn<'_>, site: SiteId, rows: &[NewRow<'_>], said: Said<'_>) -> Result<u64> {
    macro_rules! text {
        ($engine:tt) => {
            insert!(
                $engine,
                "DO UPDATE SET strength = excluded.strength, source = excluded.source, note = COALESCE(excluded.note, block.note), \
                 vendor_code = excluded.vendor_code, updated_at = excluded.updated_at, import = excluded.import, \
                 wish = CASE WHEN block.strength <= 2 THEN block.strength ELSE block.wish END, \
                 own_first_seen = excluded.first_seen, \
                 first_seen = CASE WHEN excluded.first_seen < block.first_seen THEN excluded.first_seen \
                 ELSE block.first_seen END \
                 WHERE block.strength < excluded.strength"
            )
        };
    }
    said.run(sql_both!(sqlite: text!(sqlite), postgres: text!(postgres)), conn, site, rows).await
}

/// Keeps a wish of this strength behind entries whose reason is about the address (3 and 4). Gives behind how many.
pub(super) async fn wish(conn: Conn<'_>, site: SiteId, keys: Value, strength: u8) -> Result<u64> {
    macro_rules! text {
        ($keys:literal) => {
            concat!(
                "UPDATE block SET wish = $3 WHERE site = $1 AND email_key ",
                $keys,
                " AND strength IN (3, 4) AND COALESCE(wish, 0) < $3"
            )
        };
    }
    sql_both!(sqlite: text!("IN (SELECT value FROM json_each($2))"), postgres: text!("= ANY ($2)"))
        .bind(site)
        .bind(keys)
        .bind(i64::from(strength))
        .run(conn)
        .await
}

/// The strength of the wish behind an entry, if there is one.
pub(super) async fn wish_of(conn: Conn<'_>, site: SiteId, key: &str) -> Result<Option<i64>> {
    let row: Option<(Option<i64>,)> =
        sql!("SELECT wish FROM block WHERE site = $1 AND email_key = $2").bind(site).bind(key).optional(conn).await?;
    Ok(row.and_then(|(wish,)| wish))
}

/// Keeps what is said of entries that come from another import, which may be taken back.
pub(super) async fn claim(conn: Conn<'_>, site: SiteId, rows: &[NewRow<'_>], said: Said<'_>) -> Result<u64> {
    macro_rules! text {
        ($engine:tt) => {
            concat!(
                "INSERT INTO block_claim (site, email_key, import, strength, source, note, vendor_code, first_seen)
                 SELECT $1, said.email_key, CAST($2 AS BIGINT), said.strength, said.source, said.note, said.vendor_code, said.first_seen
                 FROM ",
                said!($engine),
                " CROSS JOIN block CROSS JOIN block_import
                 WHERE block.site = $1 AND block.email_key = said.email_key AND block.import <> $2
                   AND block_import.site = $1 AND block_import.number = block.import
                 ON CONFLICT (site, email_key, import) DO UPDATE
                 SET strength = excluded.strength, source = excluded.source, note = excluded.note,
                     vendor_code = excluded.vendor_code, first_seen = excluded.first_seen
                 WHERE block_claim.strength < excluded.strength"
            )
        };
    }
    said.run(sql_both!(sqlite: text!(sqlite), postgres: text!(postgres)), conn, site, rows).await
}

/// Lets the earlier time win in those that are there. All of them must be there.
pub(super) async fn date_back(conn: Conn<'_>, site: SiteId, rows: &[NewRow<'_>], said: Said<'_>) -> Result<u64> {
    macro_rules! text {
        ($engine:tt) => {
            insert!(
                $engine,
                "DO UPDATE SET first_seen = excluded.first_seen, updated_at = excluded.updated_at, \
                 own_first_seen = COALESCE(block.own_first_seen, block.first_seen) \
                 WHERE block.first_seen > excluded.first_seen"
            )
        };
    }
    said.run(sql_both!(sqlite: text!(sqlite), postgres: text!(postgres)), conn, site, rows).await
}

/// The number of an import and when it was taken back, if it was; nobody else changes that until the transaction ends.
pub(super) async fn hold_import(conn: Conn<'_>, site: SiteId, job: &JobId) -> Result<Option<(i64, Option<Time>)>> {
    sql_both!(
        sqlite: "SELECT number, undone_at FROM block_import WHERE site = $1 AND job_id = $2",
        postgres: "SELECT number, undone_at FROM block_import WHERE site = $1 AND job_id = $2 FOR UPDATE",
    )
    .bind(site)
    .bind(job.as_str())
    .optional(conn)
    .await
}

/// Gives an import the next number of its site; does nothing if somebody else has just taken it.
pub(super) async fn number_import(conn: Conn<'_>, site: SiteId, job: &JobId, now: Time) -> Result<u64> {
    sql!(
        "INSERT INTO block_import (site, number, job_id, started_at)
         SELECT CAST($1 AS BIGINT), COALESCE(MAX(number), 0) + 1, $2, CAST($3 AS BIGINT) FROM block_import WHERE site = $1
         ON CONFLICT DO NOTHING"
    )
    .bind(site)
    .bind(job.as_str())
    .bind(now)
    .run(conn)
    .await
}

/// Marks an import as taken back.
pub(super) async fn mark_undone(conn: Conn<'_>, site: SiteId, number: i64, now: Time) -> Result<u64> {
    sql!("UPDATE block_import SET undone_at = $3 WHERE site = $1 AND number = $2")
        .bind(site)
        .bind(number)
        .bind(now)
        .run(conn)
        .await
}

/// The next keys of entries that come from an import, after `after`.
pub(super) async fn keys_of_import(
    conn: Conn<'_>,
    site: SiteId,
    import: i64,
    after: &str,
    limit: u32,
) -> Result<Vec<(String,)>> {
    sql!("SELECT email_key FROM block WHERE site = $1 AND import = $2 AND email_key > $3 ORDER BY email_key LIMIT $4")
        .bind(site)
        .bind(import)
        .bind(after)
        .bind(limit)
        .all(conn)
        .await
}

/// How many entries come from an import, and of how many of them another source has said something.
pub(super) async fn count_of_import(conn: Conn<'_>, site: SiteId, import: i64) -> Result<(i64, i64)> {
    sql!(
        "SELECT count(*), CAST(COALESCE(sum(CASE WHEN EXISTS (SELECT 1 FROM block_claim c
                    WHERE c.site = b.site AND c.email_key = b.email_key AND c.import <> b.import)
                THEN 1 ELSE 0 END), 0) AS BIGINT)
         FROM block b WHERE b.site = $1 AND b.import = $2"
    )
    .bind(site)
    .bind(import)
    .one(conn)
    .await
}

/// The next keys that an import says something of beside another source, after `after`.
pub(super) async fn keys_of_claims(
    conn: Conn<'_>,
    site: SiteId,
    import: i64,
    after: &str,
    limit: u32,
) -> Result<Vec<(String,)>> {
    sql!(
        "SELECT email_key FROM block_claim
         WHERE site = $1 AND import = $2 AND email_key > $3 ORDER BY email_key LIMIT $4"
    )
    .bind(site)
    .bind(import)
    .bind(after)
    .bind(limit)
    .all(conn)
    .await
}

/// Forgets what an import says of these keys beside another source.
pub(super) async fn forget_claims_of(conn: Conn<'_>, site: SiteId, import: i64, keys: Value) -> Result<u64> {
    sql_both!(
        sqlite: "DELETE FROM block_claim
                 WHERE site = $1 AND import = $2 AND email_key IN (SELECT value FROM json_each($3))",
        postgres: "DELETE FROM block_claim WHERE site = $1 AND import = $2 AND email_key = ANY ($3)",
    )
    .bind(site)
    .bind(import)
    .bind(keys)
    .run(conn)
    .await
}

/// Lets the strongest claim on each of these entries of an import take the import's place. Gives how many had one.
pub(super) async fn hand_over(conn: Conn<'_>, site: SiteId, import: i64, keys: Value, now: Time) -> Result<u64> {
    macro_rules! text {
        ($keys:literal) => {
            concat!(
                "UPDATE block SET strength = c.strength, source = c.source, note = c.note, vendor_code = c.vendor_code,
                        import = NULLIF(c.import, 0), own_first_seen = c.first_seen, first_seen = c.first_seen,
                        updated_at = $4
                 FROM block_claim AS c
                 WHERE block.site = $1 AND block.import = $2 AND ",
                $keys,
                " AND c.site = block.site AND c.email_key = block.email_key
                  AND c.import = (SELECT o.import FROM block_claim AS o
                                  WHERE o.site = block.site AND o.email_key = block.email_key
                                  ORDER BY o.strength DESC, o.import LIMIT 1)"
            )
        };
    }
    sql_both!(
        sqlite: text!("block.email_key IN (SELECT value FROM json_each($3))"),
        postgres: text!("block.email_key = ANY ($3)"),
    )
    .bind(site)
    .bind(import)
    .bind(keys)
    .bind(now)
    .run(conn)
    .await
}

/// Removes those of these entries that still come from an import. Gives how many.
pub(super) async fn remove_of(conn: Conn<'_>, site: SiteId, import: i64, keys: Value) -> Result<u64> {
    sql_both!(
        sqlite: "DELETE FROM block WHERE site = $1 AND import = $2 AND email_key IN (SELECT value FROM json_each($3))",
        postgres: "DELETE FROM block WHERE site = $1 AND import = $2 AND email_key = ANY ($3)",
    )
    .bind(site)
    .bind(import)
    .bind(keys)
    .run(conn)
    .await
}

/// Sets when these entries were first seen to the earliest time that is still said.
pub(super) async fn settle(conn: Conn<'_>, site: SiteId, keys: Value) -> Result<u64> {
    macro_rules! text {
        ($least:literal, $keys:literal) => {
            concat!(
                "UPDATE block SET first_seen = COALESCE(",
                $least,
                "(own_first_seen, (SELECT MIN(c.first_seen) FROM block_claim AS c
                                   WHERE c.site = block.site AND c.email_key = block.email_key)), own_first_seen)
                 WHERE site = $1 AND own_first_seen IS NOT NULL AND ",
                $keys
            )
        };
    }
    sql_both!(
        sqlite: text!("MIN", "email_key IN (SELECT value FROM json_each($2))"),
        postgres: text!("LEAST", "email_key = ANY ($2)"),
    )
    .bind(site)
    .bind(keys)
    .run(conn)
    .await
}

/// Forgets imports that began before then.
pub(super) async fn forget_imports(conn: Conn<'_>, site: SiteId, before: Time) -> Result<u64> {
    sql!("DELETE FROM block_import WHERE site = $1 AND started_at < $2").bind(site).bind(before).run(conn).await
}

/// Forgets claims on entries that do not come from an import that can still be taken back, at most `limit` addresses at
/// once. Gives how many claims.
pub(super) async fn forget_idle_claims(conn: Conn<'_>, site: SiteId, limit: u32) -> Result<u64> {
    sql!(
        "DELETE FROM block_claim WHERE site = $1 AND email_key IN
         (SELECT c.email_key FROM block_claim AS c
          LEFT JOIN block AS b ON b.site = c.site AND b.email_key = c.email_key
          LEFT JOIN block_import AS i ON i.site = b.site AND i.number = b.import
          WHERE c.site = $1 AND i.number IS NULL LIMIT $2)"
    )
    .bind(site)
    .bind(limit)
    .run(conn)
    .await
}

/// The next keys, after one, that may be others by now: those with a quote or with letters that are not ASCII.
pub(super) async fn odd_keys(conn: Conn<'_>, site: SiteId, after: &str, limit: u32) -> Result<Vec<(String,)>> {
    sql!(
        "SELECT email_key FROM block WHERE site = $1 AND email_key > $2
           AND (email_key LIKE '%\"%' OR octet_length(email_key) <> length(email_key)) ORDER BY email_key LIMIT $3"
    )
    .bind(site)
    .bind(after)
    .bind(limit)
    .all(conn)
    .await
}

/// Puts an entry under another key, which has none.
pub(super) async fn move_entry(conn: Conn<'_>, site: SiteId, old: &str, new: &str) -> Result<u64> {
    sql!("UPDATE block SET email_key = $3 WHERE site = $1 AND email_key = $2")
        .bind(site)
        .bind(old)
        .bind(new)
        .run(conn)
        .await
}

/// Puts what others say of an entry under another key, but for what is said of that one too.
pub(super) async fn move_claims(conn: Conn<'_>, site: SiteId, old: &str, new: &str) -> Result<u64> {
    sql!(
        "UPDATE block_claim SET email_key = $3 WHERE site = $1 AND email_key = $2 AND import NOT IN
         (SELECT import FROM block_claim WHERE site = $1 AND email_key = $3)"
    )
    .bind(site)
    .bind(old)
    .bind(new)
    .run(conn)
    .await
}

/// Lets an entry be seen first at a moment.
pub(super) async fn seen_first(conn: Conn<'_>, site: SiteId, key: &str, at: Time) -> Result<u64> {
    sql!("UPDATE block SET first_seen = $3 WHERE site = $1 AND email_key = $2")
        .bind(site)
        .bind(key)
        .bind(at)
        .run(conn)
        .await
}
