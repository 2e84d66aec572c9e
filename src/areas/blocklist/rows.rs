//! Rows on their way into the table: one JSON array of arrays, so that a statement takes any number of them as one
//! value.

use crate::values::BlockId;

/// A row to be written. What is `None` has its default in the statement.
pub(super) struct NewRow<'a> {
    pub(super) key: &'a str,
    pub(super) id: &'a BlockId,
    /// The address as written, unless it is the key.
    pub(super) email: Option<&'a str>,
    pub(super) strength: u8,
    pub(super) source: Option<&'a str>,
    pub(super) note: Option<&'a str>,
    pub(super) vendor_code: Option<&'a str>,
    /// Microseconds.
    pub(super) first_seen: Option<i64>,
}

/// Rows as JSON.
pub(super) struct Rows {
    json: Vec<u8>,
    n: u64,
}

impl Rows {
    pub(super) fn new() -> Self {
        Self { json: vec![b'['], n: 0 }
    }

    pub(super) fn push(&mut self, row: &NewRow<'_>) {
        if self.n > 0 {
            self.json.push(b',');
        }
        self.n += 1;
        let row =
            (row.key, row.id.as_str(), row.email, row.strength, row.source, row.note, row.vendor_code, row.first_seen);
        serde_json::to_writer(&mut self.json, &row).expect("memory takes JSON");
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.n
    }

    pub(super) fn json(mut self) -> String {
        self.json.push(b']');
        String::from_utf8(self.json).expect("JSON is UTF-8")
    }
}
