use poem_openapi::{Object, registry::MetaSchema, types::ToJSON as _};
use serde_json::{Value, json};
use usher_db::{FromRow, Row};

use crate::{
    areas::emails::Draft,
    tools::schema,
    values::{Slug, TemplateId, Time, json_string},
};

/// A template, by its id or by its name; an id has an underscore, a name has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateRef(Box<str>);

/// A text that is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither the id of a template (tpl_…) nor a name of letters a to z, digits and single hyphens between them")]
pub struct InvalidRef;

/// Both as a pattern.
const PATTERN: &str = "^(tpl_[0-9a-z]{1,40}|[a-z0-9]+(-[a-z0-9]+)*)$";

impl TemplateRef {
    /// Reads one. Whether an id is mistyped is told later, as it is of any id.
    pub fn parse(text: &str) -> Result<Self, InvalidRef> {
        let is_id = text.strip_prefix("tpl_").is_some_and(|rest| {
            (1..=40).contains(&rest.len())
                && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        if is_id || Slug::parse(text).is_ok() { Ok(Self(text.into())) } else { Err(InvalidRef) }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for TemplateRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

json_string!(
    impl[] TemplateRef,
    "string_template",
    MetaSchema {
        min_length: Some(1),
        max_length: Some(100),
        pattern: Some(PATTERN.into()),
        example: Some("welcome".into()),
        ..MetaSchema::new("string")
    },
    TemplateRef::parse
);

/// A mail to be filled in.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename = "EmailTemplate", rename_all = "camelCase")]
pub struct Template {
    /// The template's id, which never changes.
    pub id: TemplateId,
    /// What it is called by: lower-case letters, digits and hyphens. No other template of the site has it.
    pub name: Slug,
    /// What mails of it are about.
    pub subject: String,
    /// The text; absent if it is made from the HTML.
    pub text: Option<String>,
    /// The HTML, as it was given; what is not safe is taken out of each mail.
    pub html: Option<String>,
    /// Placeholders of its own, beside those that every mail has.
    pub variables: Vec<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it changed last.
    pub updated_at: Time,
}

impl Template {
    /// What is to be filled in.
    pub fn draft(&self) -> Draft {
        Draft { subject: self.subject.clone(), text: self.text.clone(), html: self.html.clone() }
    }

    /// As the activity log has it: without what it says.
    pub(super) fn json(&self) -> Value {
        let mut value = self.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        for body in ["text", "html"] {
            if let Some(said) = value.get(body).and_then(Value::as_str) {
                value[body] = json!(format!("{} characters", said.chars().count()));
            }
        }
        value
    }
}

impl FromRow for Template {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            id: row.take()?,
            name: row.take()?,
            subject: row.take()?,
            text: row.take()?,
            html: row.take()?,
            variables: serde_json::from_str(&row.take::<String>()?).unwrap_or_default(),
            created_at: row.take()?,
            updated_at: row.take()?,
        })
    }
}
