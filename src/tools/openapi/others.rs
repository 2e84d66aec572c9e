//! The addresses that are no tool's, in the OpenAPI document.

use serde_json::{Map, Value, json};

use super::{
    super::{
        CATALOG, Kind, Scope,
        addresses::{self, Address, Opens},
    },
    ERRORS, reference,
};

/// The groups of addresses that are no tool's.
pub(super) const TAGS: &[(&str, &str)] =
    &[("uploads", "Files that are sent for a tool's arguments."), ("server", "What anybody may read of a server.")];

/// The operation of an address that is no tool's.
pub(super) fn operation(address: &Address) -> Value {
    let (scope, kind) = match address.opens {
        Opens::Anybody => (None, None),
        Opens::Keys(scope, kind) => (scope, Some(kind)),
    };
    let needs = match (address.opens, scope) {
        (Opens::Anybody, _) => "No key is needed.".into(),
        (_, Some(scope)) => format!("Scope: `{}`.", scope.name()),
        (_, None) => "Any key may call it.".into(),
    };
    let mut success = json!({
        "description": "What was asked for.",
        "headers": { "X-Request-Id": reference("headers", "RequestId") },
        "content": address.media.iter().map(|media| ((*media).to_owned(), content(address, media))).collect::<Map<_, _>>(),
    });
    if kind.is_some() {
        for (header, name) in
            [("Limit", "RateLimitLimit"), ("Remaining", "RateLimitRemaining"), ("Reset", "RateLimitReset")]
        {
            success["headers"][format!("X-RateLimit-{header}")] = reference("headers", name);
        }
    }
    let mut responses = json!({ "200": success });
    let statuses: &[&str] = match kind {
        None if address.name == addresses::ALIVE.name => &["500"],
        None if address.name == addresses::KEY_SET.name => &["404", "500", "503"],
        None => &["500", "503"],
        Some(Kind::Read) => &["400", "401", "403", "404", "429", "500", "503"],
        Some(_) => &["400", "401", "403", "408", "413", "415", "429", "500", "503"],
    };
    for (status, name, ..) in ERRORS.iter().filter(|(status, ..)| statuses.contains(status)) {
        responses[status] = reference("responses", name);
    }
    let in_path = address.parameters().map(|name| {
        json!({
            "name": name, "in": "path", "required": true, "description": "The job's id.",
            "schema": { "type": "string", "example": "job_01kan8v3t0e0rt8nfkzk1s7p4qc" },
        })
    });
    let mut operation = json!({
        "operationId": address.name,
        "tags": [address.tag()],
        "summary": address.summary,
        "description": format!("{}\n\n{needs}", address.description),
        "parameters": in_path.chain(query(address)).collect::<Vec<_>>(),
        "responses": responses,
    });
    match kind {
        None => operation["security"] = json!([]),
        Some(kind) => {
            operation["x-scope"] = json!(scope.map(Scope::name));
            operation["x-kind"] = json!(kind);
        }
    }
    if address.is_post() {
        let file = json!({ "type": "string", "format": "binary", "minLength": 1 });
        let form = json!({
            "type": "object", "required": ["file"], "properties": { "file": file }, "additionalProperties": false,
        });
        operation["requestBody"] = json!({ "required": true, "content": {
            "application/octet-stream": { "schema": file },
            "multipart/form-data": { "schema": form },
        } });
    }
    operation
}

/// The query parameters of an address: the filters of the tool that lists the same.
fn query(address: &Address) -> Vec<Value> {
    let name = json!({
        "name": "name", "in": "query", "required": false, "description": "The file's name.",
        "schema": { "type": "string" },
    });
    let Some(tool) = address.filters.and_then(|tool| CATALOG.get(tool)) else {
        return if address.is_post() { vec![name] } else { Vec::new() };
    };
    let args = tool.definition.args_ref();
    let args = args["$ref"].as_str().and_then(|at| at.rsplit('/').next()).and_then(|name| CATALOG.schemas.get(name));
    let filters = args.and_then(|args| args["properties"].as_object()).into_iter().flatten();
    filters
        .filter(|(name, _)| !addresses::PAGING.contains(&name.as_str()))
        .map(|(name, schema)| {
            let mut schema = schema.clone();
            let fields = schema.as_object_mut().expect("a schema");
            fields.shift_remove("nullable");
            let about = fields.shift_remove("description");
            json!({ "name": name, "in": "query", "required": false, "description": about, "schema": schema })
        })
        .collect()
}

/// What an address answers in a media type.
fn content(address: &Address, media: &str) -> Value {
    let schema = match media {
        "application/json" if address.name == addresses::UPLOAD.name => reference("schemas", "UploadSuccess"),
        "application/json" | "application/jwk-set+json" => json!({ "type": "object", "additionalProperties": true }),
        _ => json!({ "type": "string" }),
    };
    json!({ "schema": schema })
}

/// The answer to an upload.
pub(super) fn upload_success() -> Value {
    json!({
        "type": "object",
        "required": ["ok", "tool", "result"],
        "properties": {
            "ok": { "type": "boolean", "enum": [true] },
            "tool": { "type": "string", "enum": [addresses::UPLOAD.name] },
            "result": {
                "type": "object",
                "required": ["upload"],
                "properties": { "upload": reference("schemas", "Upload") },
            },
        },
    })
}
