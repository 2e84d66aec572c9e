//! What is wrong with arguments, in words that say what to do.

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use super::{
    lengths::{long_list, long_text},
    schema::MOMENT,
};
use crate::{
    error::{Code, FAULTS, Field, UNKNOWN},
    values::{Email, InvalidEmail, InvalidMoment, InvalidSitePath, InvalidTime, SITE_PATH, id_format, pattern_asks},
};

/// The `format` of tags.
pub(super) const TAG: &str = "usher-tag";

/// What does not fit, and the schema that it does not fit.
pub(super) struct Faults<'a> {
    schema: &'a Value,
}

impl<'a> Faults<'a> {
    /// Of arguments with a schema.
    pub(super) fn of(schema: &'a Value) -> Self {
        Self { schema }
    }

    /// What is wrong, at the field that is wrong: an unknown field is a fault of its own.
    pub(super) fn fields(&self, error: &ValidationError<'_>) -> Vec<Field> {
        let at = path(error);
        match error.kind() {
            Kind::AdditionalProperties { unexpected } => {
                let some = unexpected.iter().take(FAULTS + 1);
                some.map(|name| self.unknown(error.instance_path().as_str(), name)).collect()
            }
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                vec![Field { path: format!("{at}.{name}"), message: "required, and missing".into() }]
            }
            Kind::OneOfNotValid { .. } | Kind::AnyOf { .. } => vec![Field { path: at, message: self.forms(error) }],
            _ => vec![Field { path: at, message: word(error).map_or_else(|| message(error), |(_, why)| why) }],
        }
    }

    /// The fault of a field that an object does not have.
    pub(super) fn unknown(&self, pointer: &str, name: &str) -> Field {
        let known = self.known(pointer);
        let message = match known.is_empty() {
            true => format!("{UNKNOWN}; the tool takes no arguments"),
            false => format!("{UNKNOWN}; known: {}", known.join(", ")),
        };
        Field { path: format!("args{}.{name}", pointer.replace('/', ".")), message }
    }

    /// The names of the fields of an object.
    fn known(&self, pointer: &str) -> Vec<&'a str> {
        let Some(schema) = self.at(pointer) else { return Vec::new() };
        let mut names: Vec<_> = self.alternatives(schema).flat_map(properties).map(|(name, _)| name.as_str()).collect();
        names.dedup();
        names
    }

    /// "Give `{id}` or `{email}`", of an object of which one form is to be given.
    fn forms(&self, error: &ValidationError<'_>) -> String {
        let schema = self.at(error.instance_path().as_str());
        let forms: Vec<_> = schema
            .into_iter()
            .flat_map(|schema| self.alternatives(schema))
            .map(|form| match id_prefix(form) {
                Some(prefix) => format!("\"{prefix}_…\""),
                None => {
                    let fields: Vec<_> = required(form).map(|name| format!("\"{name}\": …")).collect();
                    format!("{{{}}}", fields.join(", "))
                }
            })
            .collect();
        format!("give {}, one of them", forms.join(" or "))
    }

    /// Whether an object is none of the forms of which it is to be one, rather than one of them with a fault.
    fn is_no_form(&self, error: &ValidationError<'_>) -> bool {
        let Some(schema) = self.at(error.instance_path().as_str()) else { return false };
        let Some(object) = error.instance().as_object() else {
            return !(error.instance().is_string() && self.alternatives(schema).any(|form| id_prefix(form).is_some()));
        };
        let fits = |form: &&Value| required(form).all(|name| object.contains_key(name));
        self.alternatives(schema).filter(fits).count() != 1
    }

    /// The schema at a place of the arguments.
    fn at(&self, pointer: &str) -> Option<&'a Value> {
        let mut steps = pointer.split('/').filter(|step| !step.is_empty());
        steps.try_fold(self.schema, |schema, step| {
            let schema = self.resolved(schema);
            let of = |schema: &'a Value| schema.get("properties").and_then(|all| all.get(step));
            schema.get("items").or_else(|| self.alternatives(schema).find_map(of))
        })
    }

    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|at| at.strip_prefix("#/$defs/"));
        name.and_then(|name| self.schema.get("$defs")?.get(name)).unwrap_or(schema)
    }

    /// The forms of which one is to be given; one if there is no choice.
    fn alternatives(&self, schema: &'a Value) -> impl Iterator<Item = &'a Value> + use<'a, '_> {
        let schema = self.resolved(schema);
        let forms = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(*key)?.as_array());
        forms.map_or(std::slice::from_ref(schema), Vec::as_slice).iter().map(|form| self.resolved(form))
    }

    /// The faults of which each is worth a word.
    pub(super) fn plain<'e, 'i>(&self, errors: &'e [ValidationError<'i>]) -> Vec<&'e ValidationError<'i>> {
        let all: Vec<_> = errors.iter().flat_map(|error| self.in_its_form(error)).collect();
        let is_choice = |error: &ValidationError<'_>| matches!(error.kind(), Kind::OneOfNotValid { .. });
        // What forms there are says more than that it is none by its type.
        let choices: Vec<_> = all.iter().filter(|error| is_choice(error)).map(|error| path(error)).collect();
        all.into_iter().filter(|error| is_choice(error) || !choices.contains(&path(error))).collect()
    }

    /// Of "fits none of these forms" the faults in the form that it is to be.
    fn in_its_form<'e, 'i>(&self, error: &'e ValidationError<'i>) -> Vec<&'e ValidationError<'i>> {
        match error.kind() {
            Kind::OneOfNotValid { context } | Kind::AnyOf { context } if !self.is_no_form(error) => {
                let at = error.instance_path();
                let is_other = |error: &&ValidationError<'_>| {
                    error.instance_path() == at && matches!(error.kind(), Kind::Type { .. })
                };
                let nearest =
                    context.iter().min_by_key(|errors| (errors.iter().any(|one| is_other(&one)), errors.len()));
                nearest.into_iter().flatten().flat_map(|error| self.in_its_form(error)).collect()
            }
            _ => vec![error],
        }
    }
}

/// The prefix of the ids that a schema asks for, if it is that of an id.
fn id_prefix(schema: &Value) -> Option<&'static str> {
    let format = schema.get("format")?.as_str()?;
    id_format().into_iter().find(|(name, ..)| *name == format).map(|(_, prefix, _)| prefix)
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// What is wrong with a text that is not what its `format` says, where the format is our own.
pub(super) fn word(error: &ValidationError<'_>) -> Option<(Code, String)> {
    let Kind::Format { format } = error.kind() else { return None };
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

/// Where it is, as `args.tags.0`.
pub(super) fn path(error: &ValidationError<'_>) -> String {
    format!("args{}", error.instance_path().as_str().replace('/', "."))
}

fn message(error: &ValidationError<'_>) -> String {
    let value = error.instance();
    let n_characters = || value.as_str().map_or(0, |text| text.chars().count());
    let n_items = || value.as_array().map_or(0, Vec::len);
    match error.kind() {
        Kind::Type { kind } => match value.as_ref() {
            // Of a number that is not a whole one, its type says nothing.
            Value::Number(number) => format!("must be {}, not {number}", wanted(kind)),
            _ => format!("must be {}, not {}", wanted(kind), what(value)),
        },
        Kind::Format { format } if format == "email" => {
            let fault = value.as_str().and_then(|text| Email::parse(text).err());
            fault.unwrap_or(InvalidEmail::NotAnAddress).to_string()
        }
        Kind::Format { format } if format == MOMENT => InvalidMoment.to_string(),
        Kind::Format { format } if format == "date-time" => InvalidTime.to_string(),
        Kind::Format { format } if format == SITE_PATH => InvalidSitePath.to_string(),
        Kind::Pattern { pattern } => pattern_asks(pattern).into(),
        Kind::Enum { options } => {
            let known: Vec<_> = options.as_array().into_iter().flatten().map(ToString::to_string).collect();
            format!("not one of {}", known.join(", "))
        }
        Kind::MinLength { limit: 1 } => "must not be empty".into(),
        Kind::MinLength { limit } => format!("needs at least {limit} characters"),
        Kind::MaxLength { limit } => long_text(n_characters(), *limit),
        Kind::MinItems { limit: 1 } => "must not be an empty list".into(),
        Kind::MinItems { limit } => format!("needs at least {limit} items"),
        Kind::MaxItems { limit } => long_list(n_items(), *limit),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        _ => {
            // The library quotes the whole value; a caller needs only its beginning.
            let text = error.to_string();
            if text.chars().count() > 200 { error.masked_with("the value").to_string() } else { text }
        }
    }
}

fn wanted(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => named(&one.to_string()).into(),
        TypeKind::Multiple(_) => "of another type".into(),
    }
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn named(kind: &str) -> &'static str {
    match kind {
        "string" => "a string",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "an object",
        _ => "of another type",
    }
}
