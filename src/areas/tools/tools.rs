use poem_openapi::{Object, types::Any};
use serde_json::Value;

use crate::{
    error::{Code, Detail, Error, Result},
    gate::Cx,
    tools::{Access, Area, CATALOG, Kind, Risk, Tool, ToolInfo, tools},
};

/// The tools about tools.
pub const AREA: Area = Area { name: "tools", about: "What there is to call.", tools: tools![ListTools, DescribeTool] };

/// A tool, in short.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ToolSummary {
    /// The name to call it by.
    name: String,
    /// What it does, in one line.
    summary: String,
    /// The scope it needs; absent: any key may call it.
    scope: Option<String>,
    /// Whether it reads or writes.
    kind: Kind,
    /// How much harm it can do.
    risk: Risk,
    /// Whether it deletes or cancels what cannot be brought back.
    destructive: bool,
    /// Whether this key may call it.
    allowed: bool,
}

impl ToolSummary {
    fn new(tool: &ToolInfo, cx: &Cx) -> Self {
        let access = tool.definition.access;
        Self {
            name: tool.definition.name.into(),
            summary: tool.summary.clone(),
            scope: access.scope.map(|scope| scope.name().into()),
            kind: access.kind,
            risk: access.risk,
            destructive: access.destructive,
            allowed: access.scopes().all(|scope| cx.caller.key.scopes.has(scope)),
        }
    }
}

/// Every tool.
#[derive(Object)]
pub struct ToolList {
    /// By area.
    items: Vec<ToolSummary>,
}

/// List tools
///
/// Every tool with its scope, kind and risk, and whether this key may call it. Any key may ask.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListTools {
    /// Only those that this key may call.
    #[oai(default)]
    allowed_only: bool,
}

impl Tool for ListTools {
    const NAME: &'static str = "tools.list";
    const ACCESS: Access = Access::any_key(Kind::Read);
    type Output = ToolList;

    async fn run(self, cx: &mut Cx) -> Result<ToolList> {
        let all = CATALOG.tools.iter().map(|tool| ToolSummary::new(tool, cx));
        Ok(ToolList { items: all.filter(|tool| tool.allowed || !self.allowed_only).collect() })
    }
}

/// A tool, in full.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ToolDescription {
    /// In short.
    tool: ToolSummary,
    /// What it does, in full.
    description: String,
    /// JSON Schema 2020-12 of `args`.
    args: Any<Value>,
    /// JSON Schema 2020-12 of `result`.
    result: Any<Value>,
    /// `args` of a call as people make it.
    example: Any<Value>,
}

/// Describe a tool
///
/// A tool with its documentation, the JSON Schemas of its arguments and result, and an example. Any key may ask.
#[derive(Object)]
pub struct DescribeTool {
    /// The tool's name.
    #[oai(validator(min_length = 1, max_length = 100))]
    tool: String,
}

impl Tool for DescribeTool {
    const NAME: &'static str = "tools.describe";
    const ACCESS: Access = Access::any_key(Kind::Read);
    const EXAMPLE: &'static str = r#"{"tool":"members.get"}"#;
    type Output = ToolDescription;

    async fn run(self, cx: &mut Cx) -> Result<ToolDescription> {
        let Some(tool) = CATALOG.get(&self.tool) else {
            let text = format!("There is no tool {:?}. Call tools.list for the names.", self.tool);
            let like = CATALOG.like(&self.tool, cx.caller.key.scopes);
            return Err(Error::new(Code::ToolNotFound, text).with(Detail::DidYouMean(like)));
        };
        Ok(ToolDescription {
            tool: ToolSummary::new(tool, cx),
            description: tool.description.clone(),
            args: Any(tool.args.clone()),
            result: Any(tool.result.clone()),
            example: Any(tool.example.clone()),
        })
    }
}
