//! Rows on their way into the table: whole columns as one value each, so that a statement takes any number of rows.
//! SQLite, which has no arrays, gets one JSON array of arrays.

use usher_db::{Engine, Statement, Value};

use crate::values::BlockId;

/// A row to be written. What is `None` has its default in the statement.
pub(super) struct NewRow<'a> {
    pub(super) key: &'a str,
    pub(super) id: BlockId,
    /// The address as written, unless it is the key.
    pub(super) email: Option<&'a str>,
    pub(super) strength: u8,
    pub(super) source: Option<&'a str>,
    pub(super) note: Option<&'a str>,
    pub(super) vendor_code: Option<&'a str>,
    /// Microseconds.
    pub(super) first_seen: Option<i64>,
}

/// The rows of [`bind`] as a table `said`. $3 is the source, $4 the time and $5 the note of rows that give none.
macro_rules! said {
    (sqlite) => {
        "(SELECT value ->> 0 AS email_key, value ->> 1 AS id, COALESCE(value ->> 2, value ->> 0) AS email,
                 value ->> 3 AS strength, COALESCE(value ->> 4, $3) AS source, COALESCE(value ->> 5, $5) AS note,
                 value ->> 6 AS vendor_code, COALESCE(value ->> 7, $4) AS first_seen
          FROM json_each($6)) AS said"
    };
    (postgres) => {
        "(SELECT email_key, id, COALESCE(email, email_key) AS email, strength, COALESCE(source, $3) AS source,
                 COALESCE(note, $5) AS note, vendor_code, COALESCE(first_seen, $4) AS first_seen
          FROM unnest($6::text[], $7::text[], $8::text[], $9::bigint[], $10::text[], $11::text[], $12::text[],
                      $13::bigint[])
               AS r (email_key, id, email, strength, source, note, vendor_code, first_seen)) AS said"
    };
}
pub(super) use said;

/// Binds rows as the last values of a statement, from $6 on.
pub(super) fn bind(statement: Statement, engine: Engine, rows: &[NewRow<'_>]) -> Statement {
    match engine {
        Engine::Sqlite => statement.bind(json(rows)),
        Engine::Postgres => {
            let texts = |of: fn(&NewRow<'_>) -> Option<String>| Value::Texts(rows.iter().map(of).collect());
            let ints = |of: fn(&NewRow<'_>) -> Option<i64>| Value::Ints(rows.iter().map(of).collect());
            statement
                .bind(texts(|row| Some(row.key.to_owned())))
                .bind(texts(|row| Some(row.id.to_string())))
                .bind(texts(|row| row.email.map(str::to_owned)))
                .bind(ints(|row| Some(row.strength.into())))
                .bind(texts(|row| row.source.map(str::to_owned)))
                .bind(texts(|row| row.note.map(str::to_owned)))
                .bind(texts(|row| row.vendor_code.map(str::to_owned)))
                .bind(ints(|row| row.first_seen))
        }
    }
}

fn json(rows: &[NewRow<'_>]) -> String {
    let mut json = vec![b'['];
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            json.push(b',');
        }
        let row =
            (row.key, row.id.as_str(), row.email, row.strength, row.source, row.note, row.vendor_code, row.first_seen);
        serde_json::to_writer(&mut json, &row).expect("memory takes JSON");
    }
    json.push(b']');
    String::from_utf8(json).expect("JSON is UTF-8")
}
