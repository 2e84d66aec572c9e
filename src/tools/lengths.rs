//! Texts, lists and objects that are longer than a tool takes, found by their lengths alone: before anything is looked at
//! item by item, so that what is far too long costs no more than what fits.

use serde_json::Value;

use crate::error::{FAULTS, Field};

/// What is too long in arguments with a schema; the first [`FAULTS`] of it, and one more if there are more.
pub(super) fn too_long(schema: &Value, args: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    Walk { root: schema }.value(schema, args, "args", &mut found);
    found
}

/// What is said of a text that is too long.
pub(super) fn long_text(n_characters: usize, limit: u64) -> String {
    format!("has {n_characters} characters; at most {limit} are allowed")
}

/// What is said of a list that is too long.
pub(super) fn long_list(n_items: usize, limit: u64) -> String {
    format!("has {n_items} items; at most {limit} are allowed")
}

struct Walk<'a> {
    root: &'a Value,
}

impl<'a> Walk<'a> {
    fn value(&self, schema: &'a Value, value: &Value, path: &str, found: &mut Vec<Field>) {
        if found.len() > FAULTS {
            return;
        }
        let schema = self.resolved(schema);
        if let Some(forms) = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array()) {
            // Too long is what no form takes.
            let mut of_forms: Vec<Vec<Field>> = forms.iter().map(|form| self.of_form(form, value, path)).collect();
            if of_forms.iter().all(|of_form| !of_form.is_empty()) {
                found.extend(of_forms.drain(..).next().into_iter().flatten());
            }
            return;
        }
        let limit = |key: &str| schema[key].as_u64();
        let over = |n: usize, limit: Option<u64>| limit.filter(|limit| n as u64 > *limit);
        let mut fault = |message: String| found.push(Field { path: path.into(), message });
        match value {
            Value::String(text) => {
                // No text has more characters than bytes.
                if over(text.len(), limit("maxLength")).is_some()
                    && let Some(limit) = over(text.chars().count(), limit("maxLength"))
                {
                    fault(long_text(text.chars().count(), limit));
                }
            }
            Value::Array(items) => match over(items.len(), limit("maxItems")) {
                Some(limit) => fault(long_list(items.len(), limit)),
                None => {
                    for (at, item) in items.iter().enumerate() {
                        self.value(&schema["items"], item, &format!("{path}.{at}"), found);
                    }
                }
            },
            Value::Object(fields) => match over(fields.len(), limit("maxProperties")) {
                Some(limit) => fault(format!("has {} fields; at most {limit} are allowed", fields.len())),
                None => {
                    for (name, value) in fields {
                        let known = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
                        if let Some(schema) = known.filter(|schema| schema.is_object()) {
                            self.value(schema, value, &format!("{path}.{name}"), found);
                        }
                    }
                }
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn of_form(&self, form: &'a Value, value: &Value, path: &str) -> Vec<Field> {
        let mut found = Vec::new();
        self.value(form, value, path, &mut found);
        found
    }

    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let name = schema["$ref"].as_str().and_then(|at| at.strip_prefix("#/$defs/"));
        name.and_then(|name| self.root["$defs"].get(name)).unwrap_or(schema)
    }
}
