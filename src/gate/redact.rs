//! What of a call's arguments may be written down.

use serde_json::{Map, Value, json};

/// Items of a list that are kept.
const ITEMS: usize = 20;

/// Fields of an object that are kept; no tool has as many.
const FIELDS: usize = 100;

/// Characters of a text that are kept.
const CHARACTERS: usize = 500;

/// What the names of fields with secrets or bodies contain, in lower case, whatever the tool. A cursor may hold an
/// address that is erased later.
const SECRET: [&str; 10] =
    ["secret", "password", "token", "authorization", "apikey", "api_key", "bearer", "cursor", "html", "loginurl"];

/// Formats of what is a secret, or what a mail says.
const SECRET_FORMATS: [&str; 2] = ["password", crate::areas::emails::TEXT_FORMAT];

const REDACTED: &str = "[redacted]";

/// Whether a text has a key of ours in it.
fn has_key(text: &str) -> bool {
    text.contains("usher_live_") || text.contains("usher_test_")
}

/// A tool's name as it was asked for, as the log may have it.
pub fn name(text: &str) -> String {
    if has_key(text) {
        return REDACTED.into();
    }
    text.chars().take(100).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// What a caller was told, as the log may have it. It may repeat a NUL that was sent, which PostgreSQL takes in no text.
pub fn message(text: &str) -> String {
    if has_key(text) {
        return REDACTED.into();
    }
    cut(text).replace('\0', "\u{fffd}")
}

fn cut(text: &str) -> String {
    match text.chars().count() > CHARACTERS {
        true => text.chars().take(CHARACTERS).chain("…".chars()).collect(),
        false => text.to_owned(),
    }
}

/// The arguments as the activity log may have them: without secrets and bodies, and cut to a readable length. A
/// property whose schema has one of the [`SECRET_FORMATS`] is one too.
pub fn redacted(args: &Value, schema: &Value) -> Value {
    match args {
        Value::Object(fields) => {
            let one = |(name, value): (&String, &Value)| {
                let schema = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                let lower = name.to_lowercase();
                let named = SECRET.iter().any(|secret| lower.contains(secret)) || lower == "body";
                let secret = SECRET_FORMATS.contains(&schema["format"].as_str().unwrap_or_default())
                    || named && !value.is_object();
                (self::name(name), if secret { json!(REDACTED) } else { redacted(value, schema) })
            };
            let mut kept: Map<_, _> = fields.iter().take(FIELDS).map(one).collect();
            if fields.len() > FIELDS {
                kept.insert("…".into(), json!(format!("and {} more", fields.len() - FIELDS)));
            }
            Value::Object(kept)
        }
        Value::Array(items) => {
            let mut kept: Vec<_> = items.iter().take(ITEMS).map(|item| redacted(item, &schema["items"])).collect();
            if items.len() > ITEMS {
                kept.push(json!(format!("… and {} more", items.len() - ITEMS)));
            }
            Value::Array(kept)
        }
        Value::String(text) if has_key(text) => json!(REDACTED),
        Value::String(text) => json!(cut(text)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_long_lists_are_not_kept() {
        let schema = json!({ "properties": { "pin": { "type": "string", "format": "password" } } });
        let args = json!({ "pin": "1234", "Access-Token": "t", "text": "use usher_live_x", "emails": (0..25).collect::<Vec<_>>(), "name": "x".repeat(600) });
        let kept = redacted(&args, &schema);
        for name in ["pin", "Access-Token", "text"] {
            assert_eq!(kept[name], REDACTED, "{name}");
        }
        assert_eq!(kept["emails"].as_array().unwrap().len(), 21);
        assert_eq!(kept["emails"][20], "… and 5 more");
        let many: Map<_, _> = (0..1000).map(|n| (format!("f{n}"), json!(n))).collect();
        assert_eq!(redacted(&Value::Object(many), &schema).as_object().unwrap().len(), FIELDS + 1);
        assert_eq!(kept["name"].as_str().unwrap().chars().count(), 501);
    }
}
