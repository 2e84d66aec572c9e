//! What of each table is given, and how a row is shown.

use serde_json::{Map, Value};
use usher_db::Result;

pub use super::store::SECTIONS;
use crate::values::Time;

/// Rows of a table about a member.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// What they are called in the file.
    pub name: &'static str,
    /// The table.
    pub table: &'static str,
    /// Its columns that are given.
    pub columns: &'static [&'static str],
    /// Whether they are found by the member's addresses, present and former; else by the member's id.
    pub by_address: bool,
}

/// Columns of these tables that are not given, and why.
pub const LEFT_OUT: &[(&str, &[&str])] = &[
    ("the site itself", &["site"]),
    ("whose they are, which is the member", &["member_id"]),
    ("made of the name and the address, to search and compare", &["email_key", "name_key", "twin_key", "words"]),
    ("a secret, or a hash of one or of what a mail says", &["hash", "content", "content_hash"]),
    (
        "what Usher needs to do its work, and says nothing about the person",
        &[
            "ticket",
            "position",
            "email_ticket",
            "plan_job",
            "asked",
            "asked_job",
            "wanted_at",
            "merge_into",
            "job_id",
            "template_id",
            "key_id",
            "replayed",
            "dry_run",
            "count",
            "import",
            "own_first_seen",
            "held_as",
            "direct_since",
            "direct_until",
            "is_first",
            "duration_us",
        ],
    ),
];

/// Columns with a moment in microseconds.
const MOMENTS: &[&str] =
    &["_at", "_since", "_until", "_start", "_end", "_seen", "free_since", "wanted_at", "resume_wanted"];

/// Columns with yes or no.
const SWITCHES: &[&str] = &["is_paid", "in_doubt"];

/// Columns with JSON.
const DOCUMENTS: &[&str] = &["metadata", "lines", "args", "changes"];

/// A row as it is shown: names in camel case, moments as RFC 3339 has them, nothing for what there is not.
pub fn shown(row: &str) -> Result<Value> {
    let row: Map<String, Value> = serde_json::from_str(row).map_err(|error| usher_db::Error::Decode(error.into()))?;
    let fields = row.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
        let is_moment = name == "at" || MOMENTS.iter().any(|end| name.ends_with(end));
        let value = match (&value, value.as_i64()) {
            (_, Some(micros)) if is_moment => Value::String(Time::from_micros(micros).to_string()),
            (_, Some(n)) if SWITCHES.contains(&&*name) => Value::Bool(n != 0),
            (Value::String(text), _) if DOCUMENTS.contains(&&*name) => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
            }
            _ => value,
        };
        (camel(&name), value)
    });
    Ok(Value::Object(fields.collect()))
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| all + &word[..1].to_uppercase() + &word[1..])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_shown_for_people() {
        let row =
            r#"{"created_at":0,"is_paid":1,"metadata":"{\"a\":\"b\"}","note":null,"position_s":5,"period_end":1000}"#;
        let expected = json!({
            "createdAt": "1970-01-01T00:00:00.000Z", "isPaid": true, "metadata": { "a": "b" }, "positionS": 5,
            "periodEnd": "1970-01-01T00:00:00.001Z",
        });
        assert_eq!(shown(row).unwrap(), expected);
    }
}
