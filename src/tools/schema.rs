//! poem-openapi's schemas made exact: as OpenAPI 3.0 and as JSON Schema 2020-12.

use std::collections::BTreeMap;

use poem_openapi::registry::Registry;
use serde_json::{Map, Value, json};

use crate::values::moment_role;

/// The `format` of a moment that is asked for. Beside it `x-date` says which moment of a date is meant: `end`,
/// `beginning` or `at`.
pub const MOMENT: &str = "date-time-or-date";

/// Named schemas, as the `components.schemas` of an OpenAPI 3.0 document.
pub type Schemas = BTreeMap<String, Value>;

/// The registry's schemas, corrected where poem-openapi says less than it does:
/// an integer has its type's range, a described reference is one reference.
pub fn exact(registry: &Registry) -> Schemas {
    let serialized = registry.schemas.iter().map(|(name, schema)| {
        let mut value = serde_json::to_value(schema).expect("a schema is JSON");
        tidy(&mut value);
        (name.clone(), value)
    });
    let mut schemas = serialized.collect();
    close_alternatives(&mut schemas);
    schemas
}

/// Objects of which one is to be given are told apart by their fields, so each has no others.
fn close_alternatives(schemas: &mut Schemas) {
    let unions = schemas.values().filter(|schema| schema.get("discriminator").is_none());
    let alternatives = unions.filter_map(|schema| schema.get("oneOf")?.as_array()).flatten();
    let names = alternatives.filter_map(|one| one.get("$ref")?.as_str()?.rsplit('/').next().map(str::to_owned));
    for name in names.collect::<Vec<_>>() {
        if let Some(schema) = schemas.get_mut(&name).filter(|schema| schema["type"] == "object") {
            schema["additionalProperties"] = json!(false);
        }
    }
}

/// Closes the objects of arguments, those within them too: what a tool is not told about it must not ignore.
pub fn close(name: &str, schemas: &mut Schemas) {
    let Some(schema) = schemas.get_mut(name) else { return };
    let is_open = ["oneOf", "anyOf", "additionalProperties"].iter().all(|key| schema.get(key).is_none());
    if schema["type"] == "object" && is_open {
        schema["additionalProperties"] = json!(false);
    }
    let mut inner = Vec::new();
    references(schema, &mut inner);
    for name in inner.into_iter().filter(|inner| inner != name) {
        close(&name, schemas);
    }
}

fn references(schema: &Value, into: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|at| at.rsplit('/').next());
            into.extend(name.map(str::to_owned));
            fields.values().for_each(|value| references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

fn tidy(value: &mut Value) {
    let Some(schema) = value.as_object_mut() else { return };

    schema.shift_remove("title");
    for bound in ["minimum", "maximum"] {
        if let Some(n) = schema.get(bound).and_then(Value::as_f64).filter(|n| n.fract() == 0.0) {
            schema.insert(bound.into(), json!(n as i64));
        }
    }
    if let Some((low, high)) = schema.get("format").and_then(Value::as_str).and_then(range) {
        schema.entry("minimum").or_insert(json!(low));
        schema.entry("maximum").or_insert(json!(high));
    }

    if let Some(role) = schema.get("format").and_then(Value::as_str).and_then(moment_role) {
        say_moment(schema, role);
    }

    // PostgreSQL has no NUL in text, so what is to be stored or searched for may have none.
    if schema.get("maxLength").is_some() && ["format", "pattern", "enum"].iter().all(|key| !schema.contains_key(*key)) {
        schema.insert("pattern".into(), json!(r"^[^\x00]*$"));
    }

    // `allOf: [ref, {description}]`, description → `allOf: [ref]`, description.
    if let Some(Value::Array(all)) = schema.get_mut("allOf")
        && all.first().is_some_and(|first| first.get("$ref").is_some())
    {
        all.truncate(1);
    }

    // A choice between a string and objects is not an object itself.
    let forms = schema.get("oneOf").and_then(Value::as_array);
    if forms.is_some_and(|forms| forms.iter().any(|form| form["type"] == "string")) {
        schema.shift_remove("type");
    }

    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(tidy);
    }
    for inner in ["items", "additionalProperties"] {
        schema.get_mut(inner).into_iter().for_each(tidy);
    }
    for inner in ["allOf", "anyOf", "oneOf"] {
        schema.get_mut(inner).and_then(Value::as_array_mut).into_iter().flatten().for_each(tidy);
    }
}

/// Says of a moment that is asked for what a date means.
fn say_moment(schema: &mut Map<String, Value>, role: &str) {
    schema.insert("format".into(), json!(MOMENT));
    schema.insert("x-date".into(), json!(role));
    let means = match role {
        "beginning" => "A date is its first moment in the site's time zone.",
        _ => "A date is its last millisecond in the site's time zone.",
    };
    let own = schema.get("description").and_then(Value::as_str).map_or(String::new(), |own| format!("{own} "));
    schema.insert("description".into(), json!(own + means));
}

fn range(format: &str) -> Option<(i64, i64)> {
    Some(match format {
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "uint32" => (0, u32::MAX.into()),
        "uint64" => (0, i64::MAX),
        _ => return None,
    })
}

/// The argument of every tool that changes a thing with `updatedAt`. The gate takes it away before the tool runs.
pub const IF_UPDATED_AT: &str = "ifUpdatedAt";

/// Gives an arguments schema [`IF_UPDATED_AT`].
pub fn take_if_updated_at(name: &str, kind: &str, schemas: &mut Schemas) {
    let about = format!(
        "Only if the {kind} is as it was read: the `updatedAt` that it had then. If it was changed since, the call is \
         refused as `changed_meanwhile` with the {kind} as it is now, and nothing is written."
    );
    let schema = json!({
        "type": "string", "format": "date-time", "description": about, "example": "2026-11-22T13:00:00.000Z",
    });
    schemas.get_mut(name).expect("a registered schema")["properties"][IF_UPDATED_AT] = schema;
}

/// Says of an arguments schema what the gate does: null is as good as leaving an
/// optional field out.
pub fn take_null(name: &str, schemas: &mut Schemas) {
    let types: BTreeMap<_, _> = schemas.iter().map(|(name, s)| (name.clone(), s.get("type").cloned())).collect();
    let choices: BTreeMap<_, _> =
        schemas.iter().filter_map(|(name, s)| Some((name.clone(), s.get("oneOf")?.clone()))).collect();
    let schema = schemas.get_mut(name).expect("a registered schema");
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (_, property) in properties.into_iter().flatten().filter(|(name, _)| !required.contains(&json!(name))) {
        if property.get("$ref").is_some() {
            *property = json!({ "allOf": [property] });
        }
        // 3.0 lets `nullable` stand only beside a `type`.
        let target = property.pointer("/allOf/0/$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next());
        match target.map(str::to_owned).map(|name| (types[&name].clone(), name)) {
            Some((Some(kind), _)) => property["type"] = kind,
            // A choice that begins with a string: the string is what may be null.
            Some((None, name)) => {
                let mut forms = choices[&name].clone();
                forms[0]["nullable"] = json!(true);
                if let Some(property) = property.as_object_mut() {
                    property.shift_remove("allOf");
                    property.insert("oneOf".into(), forms);
                }
                continue;
            }
            None => {}
        }
        property["nullable"] = json!(true);
    }
}

/// Writes 5.0 as 5: to JSON Schema both are integers, to poem-openapi only one.
pub fn whole_numbers(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Number(n) if n.is_f64() => {
            if let Some(whole) = n.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9e15) {
                *value = json!(whole as i64);
            }
        }
        _ => {}
    }
}

/// A result as it is sent: a field without a value is left out.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// An OpenAPI 3.0 schema as a self-contained JSON Schema 2020-12 document.
pub fn json_schema(schema: &Value, schemas: &Schemas) -> Value {
    let mut defs = Map::new();
    let mut root = convert(schema, schemas, &mut defs);
    // MCP wants the root to be an object schema itself.
    let name = root.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/")).map(str::to_owned);
    if let Some(name) = name {
        root = defs.get(&name).cloned().expect("a def for every reference");
        if !mentions(&root, &name) && !defs.iter().any(|(other, def)| *other != name && mentions(def, &name)) {
            defs.shift_remove(&name);
        }
    }
    if !defs.is_empty() {
        root["$defs"] = Value::Object(defs);
    }
    root
}

fn mentions(schema: &Value, name: &str) -> bool {
    match schema {
        Value::Object(map) => map.iter().any(|(key, value)| {
            (key == "$ref" && value.as_str() == Some(&format!("#/$defs/{name}"))) || mentions(value, name)
        }),
        Value::Array(items) => items.iter().any(|item| mentions(item, name)),
        _ => false,
    }
}

fn convert(schema: &Value, schemas: &Schemas, defs: &mut Map<String, Value>) -> Value {
    let schema = match schema {
        Value::Object(schema) => schema,
        Value::Array(all) => return all.iter().map(|s| convert(s, schemas, defs)).collect(),
        other => return other.clone(),
    };
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next()) {
        if schemas[name].get("enum").is_some() {
            return convert(&schemas[name], schemas, defs);
        }
        if !defs.contains_key(name) {
            defs.insert(name.into(), Value::Null);
            let def = convert(&schemas[name], schemas, defs);
            defs.insert(name.into(), def);
        }
        return json!({ "$ref": format!("#/$defs/{name}") });
    }
    let mut out = Map::new();
    for (key, value) in schema {
        match key.as_str() {
            "nullable" | "externalDocs" | "discriminator" => {}
            "example" => _ = out.insert("examples".into(), json!([value])),
            "properties" => {
                let each = value.as_object().into_iter().flatten();
                let each = each.map(|(k, v)| (k.clone(), convert(v, schemas, defs)));
                out.insert(key.clone(), Value::Object(each.collect()));
            }
            "items" | "additionalProperties" | "allOf" | "anyOf" | "oneOf" => {
                let mut inner = convert(value, schemas, defs);
                // Null is as good as leaving a field out, but not a key that the caller has chosen.
                if key == "additionalProperties" && value["nullable"] == true {
                    inner["type"] = json!([inner["type"], "null"]);
                }
                out.insert(key.clone(), inner);
            }
            _ => _ = out.insert(key.clone(), value.clone()),
        }
    }
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if out.get(flag) == Some(&Value::Bool(true)) {
            let limit = out.shift_remove(bound).unwrap_or_default();
            out.insert(flag.into(), limit);
        } else {
            out.shift_remove(flag);
        }
    }
    // `allOf: [one]` is how 3.0 says something beside a reference.
    if let Some(Value::Array(mut all)) = out.shift_remove("allOf") {
        match all.pop() {
            Some(Value::Object(one)) if all.is_empty() => {
                one.into_iter().for_each(|(k, v)| _ = out.entry(k).or_insert(v));
            }
            last => _ = out.insert("allOf".into(), all.into_iter().chain(last).collect()),
        }
    }
    Value::Object(out)
}
