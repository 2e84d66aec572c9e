//! What agents and people read about the tools: the manifest, the scopes, the codes, the reference page.

use std::fmt::Write as _;

use poem_openapi::OpenApiService;
use serde_json::{Value, json};

use super::{CATALOG, Scope, ToolInfo, openapi, scope::PRESETS};
use crate::{
    areas::AREAS,
    error::Code,
    surfaces::http::{TOOLS, status},
};

/// The agent manifest, at `/.well-known/agent.json`.
pub fn agent() -> Value {
    let tool = |tool: &ToolInfo| {
        let access = tool.definition.access;
        json!({
            "name": tool.definition.name,
            "summary": tool.summary,
            "description": tool.description,
            "endpoint": format!("{TOOLS}{}", tool.definition.name),
            "scope": access.scope.map(Scope::name),
            "kind": access.kind,
            "risk": access.risk,
            "destructive": access.destructive,
            "args": tool.args,
            "result": tool.result,
            "example": { "args": tool.example },
        })
    };
    json!({
        "name": "Usher",
        "description": "The back office of a membership site: members, access, block list, jobs.",
        "api": "/openapi.json",
        "auth": { "type": "bearer", "format": "usher_<live|test>_<id>_<secret>" },
        "scopes": "/api/v1/scopes",
        "errors": "/api/v1/errors",
        "tools": CATALOG.tools.iter().map(tool).collect::<Vec<_>>(),
    })
}

/// The scopes with the tools that each opens, and the presets.
pub fn scopes() -> Value {
    let opens = |scope: Option<Scope>| -> Vec<&str> {
        let tools = CATALOG.tools.iter().map(|tool| tool.definition);
        tools.filter(|tool| tool.access.scope == scope).map(|tool| tool.name).collect()
    };
    let scope = |scope: &Scope| json!({ "name": scope.name(), "label": scope.label(), "risk": scope.risk(), "tools": opens(Some(*scope)) });
    let preset = |preset: &super::scope::Preset| json!({ "name": preset.name, "label": preset.label, "about": preset.about, "scopes": preset.scopes().names() });
    json!({
        "scopes": Scope::ALL.iter().map(scope).collect::<Vec<_>>(),
        "anyKey": opens(None),
        "presets": PRESETS.iter().map(preset).collect::<Vec<_>>(),
    })
}

/// The closed list of error codes.
pub fn errors() -> Value {
    let code = |code: &Code| {
        json!({
            "code": code.name(),
            "about": code.about(),
            "retryable": code.retryable(),
            "strictStatus": status(*code).as_u16(),
        })
    };
    json!({ "errors": Code::ALL.iter().map(code).collect::<Vec<_>>() })
}

/// The reference page: poem-openapi's Scalar around our document.
pub fn page() -> String {
    let empty = OpenApiService::new((), "", "");
    let document = openapi::document().to_string().replace("</", "<\\/");
    empty.scalar_html().replace(&empty.spec(), &document)
}

/// What a language model reads first, as llmstxt.org has it.
pub fn llms() -> String {
    let mut text = String::from(
        "# Usher\n\n> The back office of a membership site. Call a tool with POST /api/v1/tools/<name>, \
         `Authorization: Bearer <key>` and a JSON body {\"args\": {…}}.\n\n\
         - A failure has `code`, `error` (what to do) and `retryable`; where a call would cure it, `fix`.\n\
         - Any write takes `\"dryRun\": true` beside `args`, and the header Idempotency-Key.\n\
         - Call keys.whoami first, then tools.list with {\"allowedOnly\": true}.\n\n\
         ## Documents\n\n- [OpenAPI](/openapi.json)\n- [Manifest](/.well-known/agent.json)\n\
         - [Scopes](/api/v1/scopes)\n- [Errors](/api/v1/errors)\n- [Reference](/docs)\n",
    );
    for area in AREAS {
        _ = write!(text, "\n## {}\n\n{}\n\n", area.name, area.about);
        for tool in CATALOG.tools.iter().filter(|tool| tool.area.name == area.name) {
            let scope = tool.definition.access.scope.map_or("any key", Scope::name);
            _ = writeln!(text, "- {} ({scope}): {}", tool.definition.name, tool.summary);
        }
    }
    text
}

/// The page at the root: where everything is.
pub fn home() -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>Usher</title><style>body{{font:16px/1.6 system-ui,sans-serif;max-width:38rem;margin:4rem auto;\
         padding:0 1rem;color:#222}}code{{background:#f3f3f3;padding:.1em .3em;border-radius:3px}}</style>\
         <h1>Usher</h1><p>The back office of a membership site, version {}. It is running.</p><ul>\
         <li><a href=/docs>Reference</a>: every tool, with its arguments and answers\
         <li><a href=/openapi.json>openapi.json</a>, <a href=/.well-known/agent.json>agent.json</a>, \
         <a href=/llms.txt>llms.txt</a>: the same for programs\
         <li><a href=/api/v1/scopes>Scopes</a> and <a href=/api/v1/errors>error codes</a>\
         <li><a href=/healthz>healthz</a>, <a href=/readyz>readyz</a></ul>\
         <p>Call a tool with <code>POST {TOOLS}&lt;name&gt;</code> and <code>Authorization: Bearer &lt;key&gt;</code>.</p>",
        env!("CARGO_PKG_VERSION")
    )
}
