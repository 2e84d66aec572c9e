//! The OpenAPI document, written from the catalogue.
//!
//! poem-openapi gives the schemas; the operations are all of one shape, so they are written here.

mod others;

use serde_json::{Map, Value, json};

use super::{CATALOG, Kind, Scope, ToolInfo, addresses::ADDRESSES};
use crate::{areas::AREAS, error::Code, surfaces::http::TOOLS};

/// The statuses besides 200: name, meaning, whether only writes give it.
const ERRORS: &[(&str, &str, &str, bool)] = &[
    (
        "400",
        "BadRequest",
        "The body is not JSON, or the arguments do not fit the schema; `fields` names each fault.",
        false,
    ),
    ("401", "Unauthorized", "No key, or one that is not valid for this site.", false),
    ("403", "Forbidden", "The key lacks the tool's scope; `scope` names it.", false),
    ("404", "NotFound", "With `Prefer: handling=strict`: what the call is about does not exist.", false),
    ("408", "RequestTimeout", "The body did not arrive in time.", false),
    (
        "409",
        "Conflict",
        "A call with this Idempotency-Key is being worked on; or, with strict handling, the state forbids it.",
        false,
    ),
    ("413", "TooLarge", "The body is over 1 MiB.", false),
    ("415", "UnsupportedMediaType", "The body is not JSON.", false),
    (
        "422",
        "Unprocessable",
        "The Idempotency-Key was used for another call; or, with strict handling, a rule forbids it.",
        false,
    ),
    ("429", "TooManyRequests", "A budget is used up; `limit` names it.", false),
    ("500", "Internal", "Our fault; nothing was half-done.", false),
    ("503", "Unavailable", "The database is away, the disk is full, or the server is shutting down.", false),
];

/// The document as it is committed and served.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).expect("the document is JSON");
    text.push('\n');
    text
}

/// The document.
pub fn document() -> Value {
    let tag = |name, about| json!({ "name": name, "description": about });
    let tags = AREAS
        .iter()
        .map(|area| tag(area.name, area.about))
        .chain(others::TAGS.iter().map(|(name, about)| tag(name, about)));
    let tools = CATALOG
        .tools
        .iter()
        .map(|tool| (format!("{TOOLS}{}", tool.definition.name), json!({ "post": operation(tool) })));
    let others = ADDRESSES.iter().map(|address| {
        let method = if address.is_post() { "post" } else { "get" };
        (address.path.to_owned(), json!({ method: others::operation(address) }))
    });
    let paths = tools.chain(others);
    let mut schemas = shared_schemas();
    schemas.extend(CATALOG.schemas.clone());
    schemas.extend(CATALOG.tools.iter().flat_map(envelope));
    schemas.insert("UploadSuccess".into(), others::upload_success());
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Usher API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The back office of a membership site. Every tool is a POST of `{\"args\": {…}}` with a \
                key of the site; files, progress and documents have addresses of their own. What a tool could not do is answered with status 200 and `ok: false`; \
                `Prefer: handling=strict` turns that into a 4xx. The codes are listed at `/api/v1/errors`, the scopes \
                at `/api/v1/scopes`.",
            "contact": { "name": "Your Usher's operator", "url": "https://example.com/support" },
            "license": { "name": "MIT OR Apache-2.0", "url": "https://spdx.org/licenses/MIT.html" },
        },
        "servers": [{ "url": "/", "description": "The server that this document came from" }],
        "tags": tags.collect::<Vec<_>>(),
        "security": [{ "apiKey": [] }],
        "paths": paths.collect::<Map<_, _>>(),
        "components": {
            "securitySchemes": {
                "apiKey": { "type": "http", "scheme": "bearer", "description": "An API key: `usher_live_…` or `usher_test_…`." },
            },
            "parameters": parameters(),
            "headers": headers(),
            "responses": ERRORS.iter().map(error_response).collect::<Map<_, _>>(),
            "schemas": schemas,
        },
    })
}

fn parameters() -> Value {
    json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Repeat a call with the same key within 30 days and it is done once; the first answer is given again.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
        },
        "Prefer": {
            "name": "Prefer", "in": "header", "required": false,
            "description": "RFC 7240. `handling=strict`: a refusal by the tool gets its 4xx instead of 200. `wait=N`: wait up to N seconds, at most 30, for the end of a job.",
            "schema": { "type": "string" },
        },
    })
}

fn headers() -> Value {
    let header = |about: &str, kind: &str| json!({ "description": about, "schema": { "type": kind } });
    json!({
        "RequestId": header("The request's id, also that of its row in the activity log.", "string"),
        "RateLimitLimit": header("Calls that the tightest budget allows.", "integer"),
        "RateLimitRemaining": header("Calls left in it.", "integer"),
        "RateLimitReset": header("Seconds until more of it is free.", "integer"),
        "RetryAfter": header("Whole seconds after which the call passes.", "integer"),
        "IdempotentReplayed": header("`true`: the first answer to this Idempotency-Key, given again.", "string"),
    })
}

fn operation(tool: &ToolInfo) -> Value {
    let access = tool.definition.access;
    let writes = access.kind != Kind::Read;
    let stem = tool.definition.type_name();
    let mut responses = json!({ "200": {
        "description": "The tool ran: its result, or in words why there is none.",
        "headers": {
            "X-Request-Id": reference("headers", "RequestId"),
            "X-RateLimit-Limit": reference("headers", "RateLimitLimit"),
            "X-RateLimit-Remaining": reference("headers", "RateLimitRemaining"),
            "X-RateLimit-Reset": reference("headers", "RateLimitReset"),
        },
        "content": { "application/json": { "schema": { "oneOf": [
            reference("schemas", &format!("{stem}Success")),
            reference("schemas", "Refusal"),
        ] } } },
    } });
    if writes {
        responses["200"]["headers"]["Idempotent-Replayed"] = reference("headers", "IdempotentReplayed");
    }
    for (status, name, _, only_writes) in ERRORS {
        if writes || !only_writes {
            responses[status] = reference("responses", name);
        }
    }
    let scope = match access.scope {
        Some(_) => {
            let names: Vec<_> = access.scopes().map(|scope| format!("`{}`", scope.name())).collect();
            format!("Scope: {}.", names.join(" and "))
        }
        None => "Any key may call it.".into(),
    };
    let mut parameters = vec![reference("parameters", "Prefer")];
    if writes {
        parameters.push(reference("parameters", "IdempotencyKey"));
    }
    json!({
        "operationId": tool.definition.name,
        "tags": [tool.area.name],
        "summary": tool.summary,
        "description": format!("{}\n\n{scope}", tool.description),
        "x-scope": access.scope.map(Scope::name),
        "x-kind": access.kind,
        "x-risk": access.risk,
        "x-destructive": access.destructive,
        "parameters": parameters,
        "requestBody": { "required": tool.args.get("required").is_some(), "content": { "application/json": {
            "schema": reference("schemas", &format!("{stem}Request")),
            "example": { "args": tool.example },
        } } },
        "responses": responses,
    })
}

/// A tool's request and success, named after it.
fn envelope(tool: &ToolInfo) -> [(String, Value); 2] {
    let stem = tool.definition.type_name();
    let writes = tool.definition.access.kind != Kind::Read;
    let mut request = json!({
        "type": "object",
        "properties": { "args": tool.definition.args_ref() },
        "additionalProperties": false,
    });
    let about = match writes {
        true => "The same checks and the same result, with `changes`, and nothing happens.",
        false => "Ignored: the tool only reads.",
    };
    request["properties"]["dryRun"] = json!({ "type": "boolean", "default": false, "description": about });
    if tool.args.get("required").is_some() {
        request["required"] = json!(["args"]);
    }
    let mut success = json!({
        "type": "object",
        "required": ["ok", "tool", "result"],
        "properties": {
            "ok": { "type": "boolean", "enum": [true] },
            "tool": { "type": "string", "enum": [tool.definition.name] },
            "result": tool.definition.result_ref(),
        },
    });
    if writes {
        success["properties"]["dryRun"] = json!({ "type": "boolean", "description": "Whether nothing has happened." });
        success["properties"]["changes"] = json!({
            "type": "array", "items": reference("schemas", "Change"), "maxItems": 1000,
            "description": "What a dry run would write.",
        });
    }
    [(format!("{stem}Request"), request), (format!("{stem}Success"), success)]
}

fn shared_schemas() -> Map<String, Value> {
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
    let scopes: Vec<_> = Scope::ALL.iter().map(|scope| scope.name()).collect();
    let failure = |required: &[&str], more: Value| {
        let mut properties = json!({
            "ok": { "type": "boolean", "enum": [false] },
            "tool": { "type": "string" },
            "error": { "type": "string", "description": "What is wrong and what to do, in words." },
            "code": { "type": "string", "enum": codes, "description": "What is wrong, for programs; see `/api/v1/errors`." },
            "retryable": { "type": "boolean", "description": "Whether the same call may succeed later." },
            "requestId": { "type": "string", "description": "Also in `X-Request-Id`." },
            "didYouMean": { "type": "array", "items": { "type": "string" }, "description": "Names like the one that was asked for." },
            "fix": reference("schemas", "Fix"),
            "current": { "type": "object", "additionalProperties": true, "description": "With `changed_meanwhile`: the thing as it is now, by its kind: `{\"member\": {…}}`." },
        });
        properties.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({ "type": "object", "required": required, "properties": properties })
    };
    let more = json!({
        "scope": { "type": "string", "enum": scopes, "description": "The scope that is missing." },
        "limit": { "type": "string", "description": "The budget that is used up." },
        "fields": { "type": "array", "items": reference("schemas", "FieldFault"), "description": "Each fault in the arguments." },
    });
    let fault = json!({
        "type": "object",
        "required": ["path", "message"],
        "properties": {
            "path": { "type": "string", "description": "Where, as in `args.tags.0`." },
            "message": { "type": "string", "description": "What is wrong there." },
        },
    });
    let fix = json!({
        "type": "object",
        "description": "A call that would cure the failure.",
        "required": ["tool", "args"],
        "properties": {
            "tool": { "type": "string" },
            "args": { "type": "object", "additionalProperties": true },
            "scope": { "type": "string", "enum": scopes },
        },
    });
    let required = ["ok", "tool", "error", "code", "retryable", "requestId"];
    [
        ("Refusal", failure(&required, json!({}))),
        ("Problem", failure(&["ok", "error", "code", "retryable", "requestId"], more)),
        ("FieldFault", fault),
        ("Fix", fix),
    ]
    .map(|(name, schema)| (name.to_owned(), schema))
    .into_iter()
    .collect()
}

fn error_response(&(status, name, about, _): &(&str, &str, &str, bool)) -> (String, Value) {
    let mut headers = json!({ "X-Request-Id": reference("headers", "RequestId") });
    if matches!(status, "409" | "429" | "503") {
        headers["Retry-After"] = reference("headers", "RetryAfter");
    }
    let response = json!({
        "description": about,
        "headers": headers,
        "content": { "application/json": { "schema": reference("schemas", "Problem") } },
    });
    (name.into(), response)
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}
