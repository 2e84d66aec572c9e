use poem_openapi::{Object, Union, types::ToJSON as _};
use serde_json::{Value, json};
use usher_db::{FromRow, Row};

use crate::{
    areas::emails::Draft,
    tools::schema,
    values::{Slug, TemplateId, Time},
};

/// An email template by its name.
#[derive(Clone, Debug, Object)]
#[oai(rename = "EmailTemplateByName", deny_unknown_fields)]
pub struct TemplateByName {
    /// The template's name.
    pub name: Slug,
}

/// An email template: its id, or an object with its name.
#[derive(Clone, Debug, Union)]
#[oai(rename = "EmailTemplateRef", one_of)]
pub enum TemplateRef {
    /// By id.
    Id(TemplateId),
    /// By name.
    Name(TemplateByName),
}

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
