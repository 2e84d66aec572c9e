//! What is refused costs little to be told of, however much of it is wrong.

use serde_json::{Value, json};
use usher::{
    error::{BODY_BYTES, FAULTS},
    tools::{CATALOG, ToolInfo},
};

/// More than a tool takes in a list, and enough for a long answer if each item were told of.
const LARGE: usize = 20_000;

/// Arguments of a tool that are wrong nearly everywhere.
fn wrong(tool: &ToolInfo) -> Vec<(String, Value)> {
    let unknown: serde_json::Map<_, _> = (0..LARGE / 10).map(|n| (format!("unknown{n}"), json!(1))).collect();
    let long_name = "\u{1}".repeat(LARGE);
    let mut all = vec![
        ("unknown fields".to_owned(), Value::Object(unknown)),
        ("a long name".to_owned(), json!({ (long_name): 1 })),
    ];
    let properties = tool.args["properties"].as_object().into_iter().flatten();
    for (name, _) in properties {
        for (what, value) in [
            ("numbers", json!(vec![1; LARGE / 2])),
            ("objects", json!(vec![json!({}); LARGE / 2])),
            ("a text", json!("x".repeat(LARGE))),
            ("an object", json!({ "a": "y".repeat(LARGE / 2), "b": vec![Value::Null; LARGE / 10] })),
        ] {
            let mut args = tool.example.clone();
            args[name] = value;
            all.push((format!("{name} is {what}"), args));
        }
    }
    all
}

#[test]
fn every_list_that_a_tool_takes_has_a_limit() {
    fn lists(at: &str, schema: &Value, found: &mut Vec<String>) {
        if schema["type"] == "array" && schema["maxItems"].as_u64().is_none() {
            found.push(at.to_owned());
        }
        match schema {
            Value::Object(fields) => fields.iter().for_each(|(name, one)| lists(&format!("{at}.{name}"), one, found)),
            Value::Array(items) => items.iter().for_each(|one| lists(at, one, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for tool in &CATALOG.tools {
        lists(tool.definition.name, &tool.args, &mut found);
    }
    assert_eq!(found, [] as [String; 0]);
}

#[test]
fn a_refusal_is_short_whatever_is_wrong_and_names_some_of_it() {
    for tool in &CATALOG.tools {
        for (what, args) in wrong(tool) {
            let Err(error) = tool.accept(args) else { continue };
            let body = error.body(Some(tool.definition.name), "req_01jggvsag0e7b9hfr8fr12x3ksy");
            let length = body.to_string().len();
            assert!(length <= BODY_BYTES, "{}: {what}: {length} bytes", tool.definition.name);
            let n_faults = body["fields"].as_array().map_or(1, Vec::len);
            assert!((1..=FAULTS).contains(&n_faults), "{}: {what}: {n_faults} faults", tool.definition.name);
        }
    }
}

both!(what_is_too_long_is_told_by_its_length, async |world| {
    let refused = async |tool: &str, args: Value| {
        let reply = world.call(&world.key, tool, args).await;
        assert_eq!(reply.failure(), (400, "invalid_arguments".into()), "{}", reply.text);
        assert!(reply.text.len() <= BODY_BYTES);
        reply.json()
    };
    let body = refused("blocklist.check", json!({ "emails": vec![1; 400_000] })).await;
    assert_eq!(
        body["fields"],
        json!([{ "path": "args.emails", "message": "has 400000 items; at most 1000 are allowed" }])
    );
    let body = refused("blocklist.check", json!({ "emails": vec![1; 100] })).await;
    assert_eq!(body["fields"].as_array().map(Vec::len), Some(FAULTS), "{body}");
    assert!(body["error"].as_str().expect("a text").ends_with("; and more"), "{body}");
    let body = refused("members.list", json!({ "a": 1, "b": 2, "limit": 0 })).await;
    assert_eq!(body["fields"].as_array().map(Vec::len), Some(3), "{body}");
    let n_known = body["error"].as_str().expect("a text").matches("known: ").count();
    assert_eq!(n_known, 1, "what is known is told once: {body}");
});
