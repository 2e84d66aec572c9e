//! One way of naming, over the arguments and responses of the whole catalogue: what is one thing is called by its kind, and
//! nothing else is.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use usher::{
    tools::{CATALOG, ToolInfo},
    values::id_format,
};

/// The kinds of things: the prefix of the ids, and the names that one thing of the kind may have.
const KINDS: &[(&str, &[&str])] = &[
    ("mem", &["member"]),
    ("grp", &["group"]),
    ("bun", &["bundle"]),
    ("ent", &["entitlement"]),
    ("pln", &["plan"]),
    ("sub", &["subscription"]),
    ("inv", &["invoice"]),
    ("job", &["job"]),
    ("key", &["key"]),
    // An entry of the activity log has the id of the request that made it.
    ("req", &["request", "entry"]),
    ("vid", &["video"]),
    ("tpl", &["template"]),
    ("eml", &["message"]),
    ("blk", &["block"]),
    ("cmt", &["comment"]),
    ("upl", &["upload"]),
    ("lnk", &["link"]),
];

/// Names of the parts that two things of one kind play in a call.
const ROLES: &[&str] = &["from", "to", "winner", "loser"];

/// Ids that others have given.
const OUTSIDE_IDS: &[&str] = &["externalId", "customerId", "orderId", "priceId", "productId", "internetMessageId"];

/// What ends and is not called `expiresAt`: ranges, an answer's "allowed until", and the words of Stripe.
const OTHER_ENDS: &[&str] =
    &["createdUntil", "paidUntil", "until", "visibleUntil", "periodEnd", "trialEnd", "refundedUntil", "trialDays"];

/// Areas whose tools are about things of one kind, with its name.
const AREA_KINDS: &[(&str, &str)] = &[
    ("members", "member"),
    ("groups", "group"),
    ("videos", "video"),
    ("bundles", "bundle"),
    ("comments", "comment"),
    ("plans", "plan"),
    ("invoices", "invoice"),
    ("subscriptions", "subscription"),
    ("emails", "message"),
    ("emailTemplates", "template"),
    ("jobs", "job"),
    ("activity", "entry"),
    ("tools", "tool"),
];

/// Verbs of tools about one thing, which return it by its kind.
const VERBS: &[&str] =
    &["get", "findByEmail", "create", "update", "archive", "delete", "describe", "setAccess", "setVisibility"];

/// A named part of the arguments or the result of a tool.
struct Part<'a> {
    tool: &'a str,
    name: &'a str,
    schema: &'a Value,
    /// Whether the object that it is a part of is arguments, or a result.
    is_argument: bool,
}

fn parts(tool: &ToolInfo) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    for (root, is_argument) in [(&tool.args, true), (&tool.result, false)] {
        walk(root, &mut |name, schema| {
            found.push(Part { tool: tool.definition.name, name, schema, is_argument });
        });
    }
    found
}

fn walk<'a>(schema: &'a Value, visit: &mut impl FnMut(&'a str, &'a Value)) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                if key == "properties" {
                    for (name, part) in value.as_object().into_iter().flatten() {
                        visit(name, part);
                    }
                }
                if key != "example" && key != "examples" && key != "default" {
                    walk(value, visit);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

/// The prefixes of the ids that a schema may be: of the string itself, of the items of a list, of a form of a choice.
fn prefixes(schema: &Value) -> BTreeSet<&'static str> {
    let own = schema["format"]
        .as_str()
        .and_then(|format| id_format().into_iter().find(|(known, ..)| *known == format).map(|(_, prefix, _)| prefix));
    let inner = ["items", "oneOf", "anyOf"].iter().filter_map(|key| schema.get(*key));
    let inner = inner.flat_map(|inner| match inner {
        Value::Array(forms) => forms.iter().collect::<Vec<_>>(),
        one => vec![one],
    });
    own.into_iter().chain(inner.flat_map(prefixes)).collect()
}

fn names_of(prefix: &str) -> &'static [&'static str] {
    KINDS.iter().find(|(known, _)| *known == prefix).map_or(&[], |(_, names)| names)
}

/// Whether a name is that of a kind, alone or as the last word, singular or plural: `plan`, `plans`, `allowedPlans`.
fn is_called(name: &str, kind: &str) -> bool {
    is_last_word(name.strip_suffix('s').unwrap_or(name), kind)
}

fn is_last_word(name: &str, word: &str) -> bool {
    name.rfind(char::is_uppercase).map_or(name, |at| &name[at..]).eq_ignore_ascii_case(word)
}

#[test]
fn an_id_is_called_by_the_kind_of_what_it_names() {
    for part in CATALOG.tools.iter().flat_map(parts) {
        for prefix in prefixes(part.schema) {
            let names = names_of(prefix);
            assert!(!names.is_empty(), "KINDS has no name for {prefix}_…");
            // Of arguments only a member is an object with an `id` of its own.
            let is_own = part.name == "id" && (!part.is_argument || prefix == "mem");
            let is_named = names.iter().any(|kind| is_called(part.name, kind)) || ROLES.contains(&part.name);
            assert!(is_own || is_named, "{}: `{}` is the id of a {}; call it that", part.tool, part.name, names[0]);
        }
    }
}

#[test]
fn nothing_else_is_called_by_a_kind() {
    let kinds: BTreeSet<_> = KINDS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    for part in CATALOG.tools.iter().flat_map(parts) {
        let kind = part.name.strip_suffix('s').filter(|one| kinds.contains(one)).unwrap_or(part.name);
        if !kinds.contains(kind) {
            continue;
        }
        // What went wrong is told by `code` and `message` everywhere, and a mapping names the column of each thing.
        let is_column = part.schema["description"].as_str().is_some_and(|text| text.starts_with("The column of "));
        let is_text = is_column || part.name == "message" && part.schema["type"] == "string";
        let is_thing = is_text || !prefixes(part.schema).is_empty() || is_object(part.schema);
        assert!(is_thing, "{}: `{}` is no {kind}: {}", part.tool, part.name, part.schema);
    }
}

/// Whether it is an object, a list of objects, or a reference to one, which is an object with properties.
fn is_object(schema: &Value) -> bool {
    let has = |key: &str| schema.get(key).is_some();
    has("$ref") || has("properties") || has("oneOf") || schema.get("items").is_some_and(is_object)
}

#[test]
fn a_name_that_ends_with_id_is_an_id_that_others_gave() {
    for part in CATALOG.tools.iter().flat_map(parts).filter(|part| part.name.ends_with("Id")) {
        assert!(OUTSIDE_IDS.contains(&part.name), "{}: `{}`", part.tool, part.name);
    }
}

#[test]
fn an_end_is_called_expires_at() {
    for part in CATALOG.tools.iter().flat_map(parts) {
        let is_end = ["until", "end", "days"].iter().any(|word| is_last_word(part.name, word));
        assert!(!is_end || OTHER_ENDS.contains(&part.name), "{}: `{}`", part.tool, part.name);
    }
}

#[test]
fn a_tool_about_one_thing_returns_it_by_its_kind() {
    let empty = Map::new();
    for tool in &CATALOG.tools {
        let (area, verb) = tool.definition.name.split_once('.').expect("an area and a verb");
        let Some((_, kind)) = AREA_KINDS.iter().find(|(known, _)| *known == area) else { continue };
        let properties = tool.result["properties"].as_object().unwrap_or(&empty);
        if VERBS.contains(&verb) {
            assert!(properties.contains_key(*kind), "{} returns no `{kind}`", tool.definition.name);
        }
        assert!(!properties.contains_key("id"), "{} returns a thing without its kind", tool.definition.name);
    }
}
