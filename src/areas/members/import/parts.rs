//! Cells that hold several words, such as tags and groups.

use std::borrow::Cow;

use serde_json::Value;

/// The keys by which an object says what it is called, the best first.
const NAMES: [&str; 6] = ["name", "label", "title", "tag", "value", "slug"];

/// The parts of a cell: a JSON array of texts or of objects with names, an array as PostgreSQL writes it, or words with
/// commas, semicolons, bars or Google's `:::` between them. Google marks its own labels with `* `, which is no part of
/// them.
pub(super) fn list(cell: &str) -> Vec<Cow<'_, str>> {
    if cell.starts_with(['[', '{'])
        && let Ok(json) = serde_json::from_str::<Value>(cell)
    {
        let parts = match json {
            Value::Array(parts) => parts,
            one => vec![one],
        };
        return parts.into_iter().filter_map(name_of).filter(|part| !part.trim().is_empty()).map(Cow::Owned).collect();
    }
    let inside =
        [('[', ']'), ('{', '}')].iter().find_map(|(open, close)| cell.strip_prefix(*open)?.strip_suffix(*close));
    let (cell, quotes): (_, &[char]) = match inside {
        Some(inside) => (inside, &['"', '\'']),
        None => (cell, &[]),
    };
    let parts = cell.split(":::").flat_map(|part| part.split([',', ';', '|']));
    let parts = parts.map(|part| part.trim().trim_matches(quotes)).map(|part| part.strip_prefix("* ").unwrap_or(part));
    parts.map(str::trim).filter(|part| !part.is_empty()).map(Cow::Borrowed).collect()
}

fn name_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(mut object) => {
            let name = NAMES.iter().find_map(|key| object.remove(*key).filter(|name| name.is_string()))?;
            name_of(name)
        }
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_parts_however_they_are_written() {
        for (cell, expected) in [
            ("* myContacts ::: University", ["myContacts", "University"]),
            ("University ::: * myContacts", ["University", "myContacts"]),
            ("a; b", ["a", "b"]),
            ("a|b", ["a", "b"]),
            (" a , b ,", ["a", "b"]),
            (r#"["a","b"]"#, ["a", "b"]),
            (r#"[{"name":"a"},{"name":"b"}]"#, ["a", "b"]),
            (r#"[{"id":"1","name":"a","slug":"x"},{"label":"b"}]"#, ["a", "b"]),
            (r#"["a, c",7]"#, ["a, c", "7"]),
            (r#"{a,"b"}"#, ["a", "b"]),
            ("['a', 'b']", ["a", "b"]),
        ] {
            assert_eq!(list(cell), expected, "{cell}");
        }
        for (cell, expected) in
            [("one word", vec!["one word"]), (r#"{"name":"x"}"#, vec!["x"]), ("[]", vec![]), ("", vec![])]
        {
            assert_eq!(list(cell), expected, "{cell}");
        }
    }
}
