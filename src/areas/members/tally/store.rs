//! The SQL of tallies. The tables of what is appended are only on PostgreSQL; the texts for SQLite do nothing.

use std::collections::BTreeSet;

use usher_db::{Conn, FromRow, Result, Row, Value, sql, sql_both};

use crate::values::{SiteId, Time};

/// How many members there are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub free: u64,
    pub paid: u64,
    pub comped: u64,
    pub blocked: u64,
}

/// What was appended by one statement.
pub struct TallyChange {
    pub site: SiteId,
    free: i64,
    paid: i64,
    comped: i64,
    keys: Option<String>,
}

impl FromRow for TallyChange {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { site: row.take()?, free: row.take()?, paid: row.take()?, comped: row.take()?, keys: row.take()? })
    }
}

/// The sum of changes of a site.
#[derive(Default)]
pub struct Sum {
    free: i64,
    paid: i64,
    comped: i64,
    pub keys: BTreeSet<String>,
}

impl Sum {
    /// Adds a change.
    pub fn add(&mut self, change: TallyChange) -> Result<()> {
        self.free += change.free;
        self.paid += change.paid;
        self.comped += change.comped;
        if let Some(keys) = change.keys {
            let keys: Vec<String> =
                serde_json::from_str(&keys).map_err(|error| usher_db::Error::Decode(error.into()))?;
            self.keys.extend(keys);
        }
        Ok(())
    }
}

/// How many members a site has at a moment, in one statement, so that all of it is of the same state.
pub async fn tally(conn: Conn<'_>, site: SiteId, now: Time) -> Result<Tally> {
    /// Members whose free access has ended by `$2`, and whose status is not written yet.
    macro_rules! lapsed {
        ($which:literal) => {
            concat!(
                "(SELECT count(*) FROM member m WHERE m.site = $1 AND m.status = 'comped' AND m.free_until IS NOT NULL
                  AND m.free_until <= $2",
                $which,
                ")"
            )
        };
    }
    let row: (i64, i64, i64, i64) = sql_both!(
        sqlite: concat!(
            "SELECT COALESCE(t.free, 0) + ", lapsed!(" AND NOT m.is_paid"), ",
                    COALESCE(t.paid, 0) + ", lapsed!(" AND m.is_paid"), ",
                    COALESCE(t.comped, 0) - ", lapsed!(""), ",
                    COALESCE(t.blocked, 0)
             FROM (SELECT 1) LEFT JOIN member_tally t ON t.site = $1"
        ),
        postgres: concat!(
            "SELECT COALESCE(t.free, 0) + c.free + ", lapsed!(" AND NOT m.is_paid"), ",
                    COALESCE(t.paid, 0) + c.paid + ", lapsed!(" AND m.is_paid"), ",
                    COALESCE(t.comped, 0) + c.comped - ", lapsed!(""), ",
                    COALESCE(t.blocked, 0) + k.blocked
             FROM (SELECT COALESCE(sum(free), 0)::bigint AS free, COALESCE(sum(paid), 0)::bigint AS paid,
                          COALESCE(sum(comped), 0)::bigint AS comped
                   FROM member_tally_change WHERE site = $1) c
             CROSS JOIN
                  (SELECT count(*) FILTER (WHERE a.is_blocked) - count(*) FILTER (WHERE a.is_counted) AS blocked
                   FROM (SELECT EXISTS (SELECT 1 FROM member m WHERE m.site = $1 AND m.email_key = d.key)
                                AND EXISTS (SELECT 1 FROM block b WHERE b.site = $1 AND b.email_key = d.key) AS is_blocked,
                                EXISTS (SELECT 1 FROM member_blocked o WHERE o.site = $1 AND o.key = d.key) AS is_counted
                         FROM (SELECT DISTINCT json_array_elements_text(h.keys::json) COLLATE \"C\" AS key
                               FROM member_tally_change h WHERE h.site = $1 AND h.keys IS NOT NULL) d) a) k
             LEFT JOIN member_tally t ON t.site = $1"
        ),
    )
    .bind(site)
    .bind(now)
    .one(conn)
    .await?;
    let n = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(Tally { free: n(row.0), paid: n(row.1), comped: n(row.2), blocked: n(row.3) })
}

/// Waits until nobody else folds.
pub async fn hold_fold(conn: Conn<'_>) -> Result<()> {
    let _: (i64,) = sql_both!(
        sqlite: "SELECT 1",
        postgres: "SELECT count(*) FROM (SELECT pg_advisory_xact_lock(22, 1)) AS held",
    )
    .one(conn)
    .await?;
    Ok(())
}

/// Takes some of what was appended.
pub async fn take_changes(conn: Conn<'_>, limit: u32) -> Result<Vec<TallyChange>> {
    sql_both!(
        sqlite: "SELECT site, 0, 0, 0, NULL FROM member_tally WHERE FALSE LIMIT $1",
        postgres: "DELETE FROM member_tally_change WHERE (site, id) IN
                   (SELECT site, id FROM member_tally_change ORDER BY site, id LIMIT $1)
                   RETURNING site, free, paid, comped, keys",
    )
    .bind(limit)
    .all(conn)
    .await
}

/// Takes what was appended about an address, by a pattern of `LIKE` in lower case with `!` to escape.
pub async fn take_mentions(conn: Conn<'_>, site: SiteId, pattern: &str) -> Result<Vec<TallyChange>> {
    sql_both!(
        sqlite: "SELECT site, 0, 0, 0, NULL FROM member_tally WHERE FALSE AND site = $1 AND $2 = ''",
        postgres: "DELETE FROM member_tally_change WHERE site = $1 AND lower(keys) LIKE $2 ESCAPE '!'
                   RETURNING site, free, paid, comped, keys",
    )
    .bind(site)
    .bind(pattern)
    .all(conn)
    .await
}

/// Notes which of these addresses are a member's and blocked; gives how many were not noted before.
pub async fn note_blocked(conn: Conn<'_>, site: SiteId, keys: Value) -> Result<u64> {
    sql_both!(
        sqlite: "DELETE FROM member_tally WHERE $1 <> $1 AND $2 IS NULL",
        postgres: "INSERT INTO member_blocked (site, key)
                   SELECT $1, k.key FROM (SELECT unnest($2::text[]) COLLATE \"C\" AS key) k
                   WHERE EXISTS (SELECT 1 FROM member m WHERE m.site = $1 AND m.email_key = k.key)
                     AND EXISTS (SELECT 1 FROM block b WHERE b.site = $1 AND b.email_key = k.key)
                   ON CONFLICT (site, key) DO NOTHING",
    )
    .bind(site)
    .bind(keys)
    .run(conn)
    .await
}

/// Forgets which of these addresses are no longer both; gives how many were noted.
pub async fn forget_blocked(conn: Conn<'_>, site: SiteId, keys: Value) -> Result<u64> {
    sql_both!(
        sqlite: "DELETE FROM member_tally WHERE $1 <> $1 AND $2 IS NULL",
        postgres: "DELETE FROM member_blocked o WHERE o.site = $1 AND o.key = ANY ($2)
                   AND NOT (EXISTS (SELECT 1 FROM member m WHERE m.site = $1 AND m.email_key = o.key)
                            AND EXISTS (SELECT 1 FROM block b WHERE b.site = $1 AND b.email_key = o.key))",
    )
    .bind(site)
    .bind(keys)
    .run(conn)
    .await
}

/// Adds to a site's row.
pub async fn add(conn: Conn<'_>, site: SiteId, sum: &Sum, blocked: i64) -> Result<u64> {
    sql!(
        "INSERT INTO member_tally (site, free, paid, comped, blocked) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (site) DO UPDATE SET free = member_tally.free + excluded.free,
             paid = member_tally.paid + excluded.paid, comped = member_tally.comped + excluded.comped,
             blocked = member_tally.blocked + excluded.blocked"
    )
    .bind(site)
    .bind(sum.free)
    .bind(sum.paid)
    .bind(sum.comped)
    .bind(blocked)
    .run(conn)
    .await
}

/// Counts all members, into empty tables of PostgreSQL.
pub async fn count_anew(mut conn: Conn<'_>) -> Result<()> {
    sql_both!(
        sqlite: "SELECT 1",
        postgres: "INSERT INTO member_blocked (site, key)
                   SELECT m.site, m.email_key FROM member m JOIN block b ON b.site = m.site AND b.email_key = m.email_key",
    )
    .run(conn.again())
    .await?;
    sql_both!(
        sqlite: "SELECT 1",
        postgres: "INSERT INTO member_tally (site, free, paid, comped, blocked)
                   SELECT m.site, count(*) FILTER (WHERE m.status = 'free'), count(*) FILTER (WHERE m.status = 'paid'),
                          count(*) FILTER (WHERE m.status = 'comped'),
                          (SELECT count(*) FROM member_blocked o WHERE o.site = m.site)
                   FROM member m GROUP BY m.site",
    )
    .run(conn)
    .await?;
    Ok(())
}
