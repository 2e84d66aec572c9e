//! What of a call's arguments may be written down.

use serde_json::{Value, json};

/// Items of a list that are kept.
const ITEMS: usize = 20;

/// Characters of a text that are kept.
const CHARACTERS: usize = 500;

/// Fields whose values are secrets or bodies, whatever the tool. A cursor may hold an address that is erased later.
const SECRET: [&str; 9] = ["cursor", "secret", "password", "token", "authorization", "html", "body", "url", "loginUrl"];

/// The arguments as the activity log may have them: without secrets and bodies, and cut to a readable length. A
/// property whose schema has the format `password` is a secret too.
pub fn redacted(args: &Value, schema: &Value) -> Value {
    match args {
        Value::Object(fields) => {
            let one = |(name, value): (&String, &Value)| {
                let schema = &schema["properties"][name];
                let secret = schema["format"] == "password" || SECRET.contains(&name.as_str()) && value.is_string();
                (name.clone(), if secret { json!("[redacted]") } else { redacted(value, schema) })
            };
            Value::Object(fields.iter().map(one).collect())
        }
        Value::Array(items) => {
            let mut kept: Vec<_> = items.iter().take(ITEMS).map(|item| redacted(item, &schema["items"])).collect();
            if items.len() > ITEMS {
                kept.push(json!(format!("… and {} more", items.len() - ITEMS)));
            }
            Value::Array(kept)
        }
        Value::String(text) if text.chars().count() > CHARACTERS => {
            json!(text.chars().take(CHARACTERS).chain("…".chars()).collect::<String>())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_long_lists_are_not_kept() {
        let schema = json!({ "properties": { "pin": { "type": "string", "format": "password" } } });
        let args =
            json!({ "pin": "1234", "token": "t", "emails": (0..25).collect::<Vec<_>>(), "name": "x".repeat(600) });
        let kept = redacted(&args, &schema);
        assert_eq!((&kept["pin"], &kept["token"]), (&json!("[redacted]"), &json!("[redacted]")));
        assert_eq!(kept["emails"].as_array().unwrap().len(), 21);
        assert_eq!(kept["emails"][20], "… and 5 more");
        assert_eq!(kept["name"].as_str().unwrap().chars().count(), 501);
    }
}
