//! The metadata of a row: a cell with a JSON object, and columns of one key each.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::take::Bad;
use crate::areas::members::metadata::{MAX_KEYS, Metadata, fault};

/// Objects in objects that are read.
const DEEPEST: usize = 8;

/// The metadata in a cell and in columns of their own.
///
/// All values are texts: a number or a boolean is the text it is written as, an array its JSON, and an object in an
/// object gives keys such as `address.city`, as columns of JSON files do. `null` and empty texts are nothing.
pub(super) fn read<'a>(cell: Option<&str>, keys: impl Iterator<Item = (&'a String, &'a str)>) -> Result<Metadata, Bad> {
    let bad = |why: &str| ("invalid_metadata", Cow::Owned(format!("The metadata cannot be kept: {why}. Correct it.")));
    let mut texts = Vec::new();
    match cell.map(serde_json::from_str::<Value>).transpose() {
        Ok(None | Some(Value::Null)) => {}
        Ok(Some(Value::Object(object))) => flatten(object, "", DEEPEST, &mut texts),
        // How PHP writes an object without keys.
        Ok(Some(Value::Array(none))) if none.is_empty() => {}
        _ => return Err(bad("it is no JSON object")),
    }
    texts.extend(keys.map(|(key, value)| (key.clone(), value.to_owned())));
    let mut metadata = Metadata::default();
    for (key, value) in texts.into_iter().filter(|(_, value)| !value.is_empty()) {
        if let Some(why) = fault(&key, &value) {
            let key: String = key.chars().take(40).collect();
            return Err(bad(&format!("{key}: {why}")));
        }
        metadata.insert(key, value);
    }
    if metadata.iter().count() > MAX_KEYS { Err(bad("it has more than 50 keys")) } else { Ok(metadata) }
}

fn flatten(object: Map<String, Value>, before: &str, depth: usize, texts: &mut Vec<(String, String)>) {
    for (key, value) in object {
        let key = format!("{before}{key}");
        match value {
            Value::Null => {}
            Value::String(text) => texts.push((key, text)),
            Value::Object(object) if depth > 0 => flatten(object, &format!("{key}."), depth - 1, texts),
            Value::Array(none) if none.is_empty() => {}
            other => texts.push((key, other.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_texts_and_null_is_none() {
        for (cell, expected) in [
            (r#"{"a":"x","b":"2"}"#, r#"{"a":"x","b":"2"}"#),
            (r#"{"a":1,"b":1.5,"c":true}"#, r#"{"a":"1","b":"1.5","c":"true"}"#),
            (r#"{"a":null,"b":"x","c":""}"#, r#"{"b":"x"}"#),
            (r#"{"a":null}"#, ""),
            ("null", ""),
            ("{}", ""),
            ("[]", ""),
            (r#"{"a":{"b":{"c":1},"d":"x"}}"#, r#"{"a.b.c":"1","a.d":"x"}"#),
            (r#"{"a":["x",1],"b":[]}"#, r#"{"a":"[\"x\",1]"}"#),
        ] {
            let read = read(Some(cell), std::iter::empty()).unwrap();
            assert_eq!(read.to_store().unwrap_or_default(), expected, "{cell}");
        }
        for cell in ["x", "5", "[1]", "{'a': 1}", r#"{"a":"\u0000"}"#, &format!(r#"{{"a":"{}"}}"#, "x".repeat(501))] {
            assert_eq!(read(Some(cell), std::iter::empty()).unwrap_err().0, "invalid_metadata", "{cell}");
        }
    }
}
