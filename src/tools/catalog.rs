//! The tools at run time: documented, with their schemas, and able to check arguments.

use std::{collections::HashMap, sync::LazyLock};

use poem_openapi::{
    registry::{MetaSchemaRef, Registry},
    types::Type as _,
};
use serde_json::Value;

use super::{
    Area, Definition, Scopes,
    faults::{Faults, TAG, path, word},
    lengths,
    schema::{self, Schemas},
    suggest::suggest,
};
use crate::{
    areas::{AREAS, uploads::Upload},
    error::{Error, FAULTS, Result},
    values::{Email, SITE_PATH, SitePath, Tag, Time, id_format, is_moment},
};

/// Every tool, documented and with its schemas at hand.
pub static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::new(AREAS));

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
        Upload::register(&mut registry);
        let mut schemas = schema::exact(&registry);
        for (_, definition) in definitions() {
            schema::close(&name_of((definition.args)()), &mut schemas);
        }
        for (_, definition) in definitions() {
            if let Some(thing) = definition.changes {
                schema::take_if_updated_at(&name_of((definition.args)()), thing.kind, &mut schemas);
            }
        }
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

    /// Names like one that is not there, of tools that a key with these scopes may call.
    pub fn like(&self, name: &str, scopes: Scopes) -> Vec<&'static str> {
        suggest(&self.tools, name, Some(scopes))
    }
}

impl ToolInfo {
    fn new(area: &'static Area, definition: &'static Definition, schemas: &mut Schemas) -> Self {
        let args_name = name_of((definition.args)());
        let args = schemas.get_mut(&args_name).and_then(Value::as_object_mut).expect("a registered schema");
        // The type's doc comment documents the tool, not its arguments.
        let doc = args.shift_remove("description").unwrap_or_default();
        let doc = doc.as_str().unwrap_or_default();
        let (summary, description) = doc.split_once("\n\n").unwrap_or((doc, doc));
        let args = schema::json_schema(&definition.args_ref(), schemas);
        let mut options = jsonschema::options()
            .should_validate_formats(true)
            .with_format("email", |text| Email::parse(text).is_ok())
            .with_format(schema::MOMENT, is_moment)
            .with_format("date-time", |text| Time::parse(text).is_ok())
            .with_format(SITE_PATH, |text| SitePath::parse(text).is_ok())
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
        let long = lengths::too_long(&self.args, &args);
        if !long.is_empty() {
            return Err(Error::fields(long));
        }
        schema::whole_numbers(&mut args);
        if self.validator.is_valid(&args) {
            return Ok(args);
        }
        let faults = Faults::of(&self.args);
        if self.args.get("properties").is_none() {
            // The validator does not say which field, where none is known at all.
            let unknown = args.as_object().into_iter().flatten().map(|(name, _)| faults.unknown("", name));
            return Err(Error::fields(unknown));
        }
        // Of those that say the same in other words some are left out; so a few more are looked at.
        let found: Vec<_> = self.validator.iter_errors(&args).take(3 * FAULTS).collect();
        let errors = faults.plain(&found);
        // Nothing wrong but words that have no meaning here: the call is of the right form, and cannot be done.
        let words: Option<Vec<_>> = errors.iter().map(|error| Some((word(error)?, path(error)))).collect();
        if let Some(((code, why), path)) = words.and_then(|words| words.into_iter().next()) {
            return Err(Error::new(code, format!("{path} {why}")));
        }
        Err(Error::fields(errors.into_iter().flat_map(|error| faults.fields(error))))
    }
}

/// The name of a derived object's schema.
fn name_of(schema: MetaSchemaRef) -> String {
    match schema {
        MetaSchemaRef::Reference(name) => name,
        MetaSchemaRef::Inline(_) => panic!("a tool's arguments are a derived object"),
    }
}
