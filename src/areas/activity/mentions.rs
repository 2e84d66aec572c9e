//! The SQL that finds and rewrites rows in which a person stands.
//!
//! Places in the log are texts: on SQLite numbers of rows, in whose order rows are appended, so that what is after a
//! place is all that was written since; on PostgreSQL ids, whose rows may be committed a little out of order.

use usher_db::{Conn, Engine, FromRow, Result, Row, Value, sql, sql_both};

use crate::values::{MemberId, RequestId, SiteId, Time};

/// The texts of a row.
pub struct Mention {
    /// The row.
    pub id: RequestId,
    /// The member that the call was about.
    pub member: Option<String>,
    /// The tool, as it was asked for.
    pub tool: String,
    /// JSON.
    pub args: Option<String>,
    /// JSON.
    pub changes: Option<String>,
    /// What the caller was told.
    pub error: Option<String>,
}

impl FromRow for Mention {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            member: row.take()?,
            tool: row.take()?,
            args: row.take()?,
            changes: row.take()?,
            error: row.take()?,
        })
    }
}

/// The place after the next `n` rows, if there are as many.
pub async fn place_after(conn: Conn<'_>, site: SiteId, after: &str, n: u32) -> Result<Option<String>> {
    let row: Option<(String,)> = sql_both!(
        sqlite: "SELECT CAST(rowid AS TEXT) FROM activity WHERE rowid > CAST($2 AS INTEGER) AND $1 = $1
                 ORDER BY rowid LIMIT 1 OFFSET $3",
        postgres: "SELECT id FROM activity WHERE site = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3",
    )
    .bind(site)
    .bind(after)
    .bind(n.saturating_sub(1))
    .optional(conn)
    .await?;
    Ok(row.map(|(place,)| place))
}

/// The place of the last row.
pub async fn last_place(conn: Conn<'_>, site: SiteId) -> Result<String> {
    let (place,): (String,) = sql_both!(
        sqlite: "SELECT CAST(COALESCE(max(rowid), 0) AS TEXT) FROM activity WHERE $1 = $1",
        postgres: "SELECT COALESCE(max(id), '') FROM activity WHERE site = $1",
    )
    .bind(site)
    .one(conn)
    .await?;
    Ok(place)
}

/// Whether a place is beyond the end of the log, as after a `VACUUM`, which numbers SQLite's rows anew.
pub fn is_beyond(place: &str, last: &str, engine: Engine) -> bool {
    let number = |place: &str| place.parse::<i64>().unwrap_or(0);
    engine == Engine::Sqlite && number(place) > number(last)
}

/// A place before whatever is written after that moment, if it is before `place`.
pub fn place_before(place: &str, engine: Engine, at: Time) -> String {
    if engine == Engine::Sqlite {
        return place.to_owned();
    }
    let ms = at.millis().clamp(0, (1 << 48) - 1);
    let mut first = RequestId::of(uuid::Uuid::from_u128((ms as u128) << 80)).to_string();
    first.pop();
    first.min(place.to_owned())
}

/// Rows after a place and up to another in which a person may stand: as their member, by id, or by address. `pattern` is
/// for `LIKE`, in lower case, with `!` to escape. A text that is not wholly ASCII,
/// or has a quote before an `@`, may hold the address in another form.
pub async fn mentions(
    conn: Conn<'_>,
    site: SiteId,
    member: &MemberId,
    pattern: &str,
    (after, until): (&str, &str),
) -> Result<Vec<Mention>> {
    macro_rules! text {
        ($place:literal) => {
            concat!(
                "SELECT id, member_id, tool, args, changes, error FROM
                 (SELECT id, member_id, tool, args, changes, error,
                         tool || ' ' || COALESCE(args, '') || ' ' || COALESCE(changes, '') || ' ' ||
                         COALESCE(error, '') AS texts
                  FROM activity WHERE ",
                $place,
                ") AS rows_between
                 WHERE member_id = $2 OR texts LIKE $3 OR lower(texts) LIKE $4 ESCAPE '!'
                    OR (octet_length(texts) <> length(texts) AND texts LIKE '%@%') OR texts LIKE '%\"@%'
                 ORDER BY id"
            )
        };
    }
    sql_both!(
        // The plus sign keeps SQLite from reading the site's whole log by its primary key.
        sqlite: text!("+site = $1 AND rowid > CAST($5 AS INTEGER) AND rowid <= CAST($6 AS INTEGER)"),
        postgres: text!("site = $1 AND id > $5 AND id <= $6"),
    )
    .bind(site)
    .bind(member)
    .bind(format!("%{member}%"))
    .bind(pattern)
    .bind(after)
    .bind(until)
    .all(conn)
    .await
}

/// The texts of rows; nobody else changes them until the transaction ends.
pub async fn hold(conn: Conn<'_>, site: SiteId, ids: Value) -> Result<Vec<Mention>> {
    sql_both!(
        sqlite: "SELECT id, member_id, tool, args, changes, error FROM activity
                 WHERE site = $1 AND id IN (SELECT value FROM json_each($2)) ORDER BY id",
        postgres: "SELECT id, member_id, tool, args, changes, error FROM activity
                   WHERE site = $1 AND id = ANY ($2) ORDER BY id FOR UPDATE",
    )
    .bind(site)
    .bind(ids)
    .all(conn)
    .await
}

/// Writes the texts of a row.
pub async fn rewrite(conn: Conn<'_>, site: SiteId, row: &Mention) -> Result<u64> {
    sql!("UPDATE activity SET tool = $3, args = $4, changes = $5, error = $6 WHERE site = $1 AND id = $2")
        .bind(site)
        .bind(&row.id)
        .bind(&row.tool)
        .bind(row.args.as_deref())
        .bind(row.changes.as_deref())
        .bind(row.error.as_deref())
        .run(conn)
        .await
}
