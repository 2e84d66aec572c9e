//! The tools at run time: documented, with their schemas, and able to check arguments.

use std::{collections::HashMap, sync::LazyLock};

use jsonschema::error::ValidationErrorKind;
use poem_openapi::registry::{MetaSchemaRef, Registry};
use serde_json::{Value, json};

use super::{
    Area, Definition,
    schema::{self, Schemas},
};
use crate::{
    areas::AREAS,
    error::{Code, Error, Field, Result},
    values::{Email, Tag, id_format},
};

/// Every tool, documented and with its schemas at hand.
pub static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::new(AREAS));

/// How many names like an unknown one are suggested, and how like they must be.
const SUGGESTIONS: usize = 3;
const LIKENESS: f64 = 0.75;

/// The `format` of tags.
const TAG: &str = "usher-tag";

/// The tools as they are at run time.
pub struct Catalog {
    /// In the order of the areas.
    pub tools: Vec<ToolInfo>,
    /// What the tools' arguments and results refer to, for OpenAPI.
    pub schemas: Schemas,
    by_name: HashMap<&'static str, usize>,
}

/// A tool with its documentation and schemas.
pub struct ToolInfo {
    /// Where it belongs.
    pub area: &'static Area,
    /// The tool.
    pub definition: &'static Definition,
    /// One line.
    pub summary: String,
    /// The rest.
    pub description: String,
    /// Arguments of a call.
    pub example: Value,
    /// JSON Schema 2020-12 of the arguments.
    pub args: Value,
    /// JSON Schema 2020-12 of the result.
    pub result: Value,
    validator: jsonschema::Validator,
}

impl Catalog {
    fn new(areas: &'static [Area]) -> Self {
        let definitions = || areas.iter().flat_map(|area| area.tools.iter().map(move |tool| (area, tool)));

        let mut registry = Registry::new();
        for (_, definition) in definitions() {
            (definition.register)(&mut registry);
        }
        let mut schemas = schema::exact(&registry);
        let tools: Vec<_> = definitions().map(|(area, tool)| ToolInfo::new(area, tool, &mut schemas)).collect();
        for (_, definition) in definitions() {
            schema::take_null(&name_of((definition.args)()), &mut schemas);
        }
        let by_name = tools.iter().enumerate().map(|(at, tool)| (tool.definition.name, at)).collect();
        Self { tools, schemas, by_name }
    }

    /// The tool of a name.
    pub fn get(&self, name: &str) -> Option<&ToolInfo> {
        Some(&self.tools[*self.by_name.get(name)?])
    }

    /// The names most like one that is not there.
    pub fn like(&self, name: &str) -> Vec<&'static str> {
        let likeness = |known: &&'static str| strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase());
        let mut names: Vec<_> = self.by_name.keys().copied().filter(|known| likeness(known) > LIKENESS).collect();
        names.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)).then(a.cmp(b)));
        names.truncate(SUGGESTIONS);
        names
    }
}

impl ToolInfo {
    fn new(area: &'static Area, definition: &'static Definition, schemas: &mut Schemas) -> Self {
        let args_name = name_of((definition.args)());
        let args = schemas.get_mut(&args_name).and_then(Value::as_object_mut).expect("a registered schema");
        // The type's doc comment documents the tool, not its arguments.
        let doc = args.shift_remove("description").unwrap_or_default();
        let doc = doc.as_str().unwrap_or_default();
        // What a tool is not told about it must not ignore.
        args.insert("additionalProperties".into(), json!(false));
        let (summary, description) = doc.split_once("\n\n").unwrap_or((doc, doc));
        let args = schema::json_schema(&definition.args_ref(), schemas);
        let mut options = jsonschema::options()
            .should_validate_formats(true)
            .with_format("email", |text| Email::parse(text).is_ok())
            .with_format(TAG, |text| Tag::parse(text).is_ok());
        for (format, _, test) in id_format() {
            options = options.with_format(format, test);
        }
        Self {
            area,
            definition,
            summary: summary.replace('\n', " "),
            description: description.replace('\n', " "),
            example: serde_json::from_str(definition.example).expect("an example is JSON"),
            validator: options.build(&args).expect("a valid schema"),
            result: schema::json_schema(&definition.result_ref(), schemas),
            args,
        }
    }

    /// The arguments as the tool gets them, or every way in which they do not fit. A field that is null is one
    /// left out.
    pub fn accept(&self, mut args: Value) -> Result<Value> {
        if let Value::Object(fields) = &mut args {
            fields.retain(|name, value| !value.is_null() || self.args["properties"].get(name).is_none());
        }
        schema::whole_numbers(&mut args);
        if self.validator.is_valid(&args) {
            return Ok(args);
        }
        if self.args.get("properties").is_none() {
            // The validator does not say which field, where none is known at all.
            let unknown = |name: &String| Field { path: format!("args.{name}"), message: "unknown field".into() };
            return Err(Error::fields(args.as_object().into_iter().flatten().map(|(name, _)| unknown(name)).collect()));
        }
        let found: Vec<_> = self.validator.iter_errors(&args).collect();
        let errors: Vec<_> = found.iter().flat_map(plain).collect();
        // Nothing wrong but words that have no meaning here: the call is of the right form, and cannot be done.
        let words: Option<Vec<_>> = errors.iter().map(|error| Some((word(error)?, path(error)))).collect();
        if let Some(((code, why), path)) = words.and_then(|words| words.into_iter().next()) {
            return Err(Error::new(code, format!("{path} {why}")));
        }
        Err(Error::fields(errors.into_iter().flat_map(faults).collect()))
    }
}

/// What is wrong with a text that is not what its `format` says, where the format is our own.
fn word(error: &jsonschema::ValidationError<'_>) -> Option<(Code, String)> {
    let ValidationErrorKind::Format { format } = error.kind() else { return None };
    if format == TAG {
        return Some((
            Code::InvalidTag,
            "is not a tag: it needs a letter or digit and has at most 64 characters.".into(),
        ));
    }
    let (_, prefix, _) = id_format().into_iter().find(|(name, ..)| name == format)?;
    let why = format!("is not an id of the form {prefix}_…, or it is mistyped. Copy it from an answer of this API.");
    Some((Code::InvalidId, why))
}

/// Of "fits none of these forms" the faults in the form that it nearly fits.
fn plain<'a, 'i>(error: &'a jsonschema::ValidationError<'i>) -> Vec<&'a jsonschema::ValidationError<'i>> {
    match error.kind() {
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            let nearest = context.iter().min_by_key(|errors| errors.len());
            nearest.into_iter().flatten().flat_map(plain).collect()
        }
        _ => vec![error],
    }
}

/// What is wrong, at the field that is wrong: an unknown field is a fault of its own.
fn faults(error: &jsonschema::ValidationError<'_>) -> Vec<Field> {
    let at = path(error);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let unknown = |name: &String| Field { path: format!("{at}.{name}"), message: "unknown field".into() };
            unexpected.iter().map(unknown).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Field { path: format!("{at}.{name}"), message: "required, and missing".into() }]
        }
        _ => vec![Field { path: at, message: word(error).map_or_else(|| message(error), |(_, why)| why) }],
    }
}

fn path(error: &jsonschema::ValidationError<'_>) -> String {
    format!("args{}", error.instance_path().as_str().replace('/', "."))
}

fn message(error: &jsonschema::ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::Format { format } if format == "email" => "not an email address".into(),
        ValidationErrorKind::Format { format } if format == "date-time" => {
            "not a time as RFC 3339 has it, like 2026-11-22T13:00:00Z".into()
        }
        ValidationErrorKind::Pattern { .. } => {
            "has a character that is not allowed, such as a control character".into()
        }
        ValidationErrorKind::Enum { options } => {
            let known: Vec<_> = options.as_array().into_iter().flatten().map(ToString::to_string).collect();
            format!("not one of {}", known.join(", "))
        }
        _ => {
            // The library quotes the whole value; a caller needs only its beginning.
            let text = error.to_string();
            if text.chars().count() > 200 { error.masked_with("the value").to_string() } else { text }
        }
    }
}

/// The name of a derived object's schema.
fn name_of(schema: MetaSchemaRef) -> String {
    match schema {
        MetaSchemaRef::Reference(name) => name,
        MetaSchemaRef::Inline(_) => panic!("a tool's arguments are a derived object"),
    }
}
