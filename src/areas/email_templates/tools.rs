use std::collections::BTreeMap;

use poem_openapi::Object;

use super::{
    actions::{self, Changes},
    types::{Template, TemplateRef},
};
use crate::{
    areas::{
        emails::{Preview, Text},
        members::MemberRef,
    },
    error::Result,
    gate::Cx,
    paging::{Cursor, LAST, default_limit},
    tools::{Access, Area, Risk, Scope, Tool, Versioned, tools},
    values::{Line, Slug, json_string},
};

/// The tools of templates.
pub const AREA: Area = Area {
    name: "emailTemplates",
    about: "Mails to be filled in, under a name.",
    tools: tools![ListTemplates, GetTemplate, CreateTemplate, UpdateTemplate, DeleteTemplate, PreviewTemplate],
};

/// The list has one order, newest first.
const ORDER: &str = "emailTemplates.list -id";

/// The longest name of a variable, in characters.
const LONGEST_VARIABLE: usize = 50;

/// The name of a placeholder of a template's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variable(Box<str>);

/// A text that is no such name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("1 to {LONGEST_VARIABLE} lower-case letters a to z, digits and underscores, beginning with a letter")]
pub struct InvalidVariable;

impl Variable {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, InvalidVariable> {
        let may = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let is_name = text.len() <= LONGEST_VARIABLE
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(may);
        if is_name { Ok(Self(text.into())) } else { Err(InvalidVariable) }
    }
}

impl std::fmt::Display for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

json_string!(
    impl[] Variable,
    "string_variable",
    poem_openapi::registry::MetaSchema {
        min_length: Some(1),
        max_length: Some(LONGEST_VARIABLE),
        pattern: Some("^[a-z][a-z0-9_]*$".into()),
        example: Some("course".into()),
        ..poem_openapi::registry::MetaSchema::new("string")
    },
    Variable::parse
);

/// A page of templates.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct EmailTemplatePage {
    /// Newest first.
    items: Vec<Template>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List email templates
///
/// The site's templates of mails, newest first.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListTemplates {
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListTemplates {
    const NAME: &'static str = "emailTemplates.list";
    const ACCESS: Access = Access::read(Scope::TemplatesRead);
    type Output = EmailTemplatePage;

    async fn run(self, cx: &mut Cx) -> Result<EmailTemplatePage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(LAST.into(), |[id]| id);
        let (items, more) = actions::list(cx, &before, self.limit).await?;
        let next_cursor = items.last().filter(|_| more).map(|one| Cursor::after(ORDER, [one.id.to_string()]).encode());
        Ok(EmailTemplatePage { items, next_cursor })
    }
}

/// One email template.
#[derive(Object)]
pub struct EmailTemplateResult {
    /// The template.
    template: Template,
}

/// An email template that a call was to change.
#[derive(Object)]
pub struct EmailTemplateSaved {
    /// The template as it is now.
    template: Template,
    /// Whether the call changed anything.
    changed: bool,
}

/// Get an email template
///
/// One template, by its id or by its name.
#[derive(Object)]
pub struct GetTemplate {
    /// The template, by id or by name.
    template: TemplateRef,
}

impl Tool for GetTemplate {
    const NAME: &'static str = "emailTemplates.get";
    const ACCESS: Access = Access::read(Scope::TemplatesRead);
    const EXAMPLE: &'static str = r#"{"template":{"name":"welcome"}}"#;
    type Output = EmailTemplateResult;

    async fn run(self, cx: &mut Cx) -> Result<EmailTemplateResult> {
        Ok(EmailTemplateResult { template: actions::find(cx, &self.template).await? })
    }
}

/// Create an email template
///
/// Makes a template for `emails.sendTemplate`. It has a text, HTML or both; without a text, one is made from the HTML for
/// each mail. Placeholders are those of `emails.send`, and those that `variables` declares.
#[derive(Object)]
pub struct CreateTemplate {
    /// What it is called by: at most 100 lower-case letters, digits and hyphens. No other template may have it.
    name: Slug,
    /// What mails of it are about: one line of 1 to 200 characters.
    subject: Line<200>,
    /// The text, at most 50,000 characters.
    text: Option<Text<50000>>,
    /// The HTML, at most 200,000 characters.
    html: Option<Text<200000>>,
    /// Placeholders of its own: at most 50 names of lower-case letters, digits and underscores.
    #[oai(validator(max_items = 50, unique_items))]
    variables: Option<Vec<Variable>>,
}

impl Tool for CreateTemplate {
    const NAME: &'static str = "emailTemplates.create";
    const ACCESS: Access = Access::write(Scope::TemplatesManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"name":"welcome","subject":"Welcome to {{course}}","text":"Hello {{first_name|there}},\n\nyou are in {{course}} now.","variables":["course"]}"#;
    type Output = EmailTemplateResult;

    async fn run(self, cx: &mut Cx) -> Result<EmailTemplateResult> {
        let changes = Changes {
            text: self.text.map(Text::into_option),
            html: self.html.map(Text::into_option),
            variables: self.variables.map(names),
            ..Changes::default()
        };
        Ok(EmailTemplateResult { template: actions::create(cx, self.name, self.subject.into_string(), changes).await? })
    }
}

fn names(variables: Vec<Variable>) -> Vec<String> {
    variables.iter().map(ToString::to_string).collect()
}

/// Update an email template
///
/// Changes what is given and leaves the rest as it is. An empty text or HTML takes it away, while the other stays. Mails that
/// were accepted before say what they said.
#[derive(Object)]
pub struct UpdateTemplate {
    /// The template, by id or by name.
    template: TemplateRef,
    /// The new name: at most 100 lower-case letters, digits and hyphens.
    name: Option<Slug>,
    /// The new subject: one line of 1 to 200 characters.
    subject: Option<Line<200>>,
    /// The new text, at most 50,000 characters.
    text: Option<Text<50000>>,
    /// The new HTML, at most 200,000 characters.
    html: Option<Text<200000>>,
    /// All placeholders of its own: at most 50.
    #[oai(validator(max_items = 50, unique_items))]
    variables: Option<Vec<Variable>>,
}

impl Tool for UpdateTemplate {
    const NAME: &'static str = "emailTemplates.update";
    const ACCESS: Access = Access::write(Scope::TemplatesManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"template":{"name":"welcome"},"subject":"You are in {{course}}"}"#;
    const CHANGES: Option<Versioned> = Some(Versioned::TEMPLATE);
    type Output = EmailTemplateSaved;

    async fn run(self, cx: &mut Cx) -> Result<EmailTemplateSaved> {
        let changes = Changes {
            name: self.name,
            subject: self.subject.map(Line::into_string),
            text: self.text.map(Text::into_option),
            html: self.html.map(Text::into_option),
            variables: self.variables.map(names),
        };
        let template = actions::update(cx, &self.template, changes).await?;
        Ok(EmailTemplateSaved { template, changed: cx.has_changed() })
    }
}

/// Delete an email template
///
/// Deletes a template, and returns it as it was. Mails that were accepted before go out as they are.
#[derive(Object)]
pub struct DeleteTemplate {
    /// The template, by id or by name.
    template: TemplateRef,
}

impl Tool for DeleteTemplate {
    const NAME: &'static str = "emailTemplates.delete";
    const ACCESS: Access = Access::write(Scope::TemplatesManage, Risk::Medium).destructive();
    const EXAMPLE: &'static str = r#"{"template":{"name":"welcome"}}"#;
    type Output = EmailTemplateResult;

    async fn run(self, cx: &mut Cx) -> Result<EmailTemplateResult> {
        Ok(EmailTemplateResult { template: actions::delete(cx, &self.template).await? })
    }
}

/// Preview an email template
///
/// What a mail of a template looks like to a member, or to somebody called Anna Example: subject, text and the whole page of
/// HTML, as they would leave. A variable without a value stands as its placeholder. Nothing is sent.
#[derive(Object)]
pub struct PreviewTemplate {
    /// The template, by id or by name.
    template: TemplateRef,
    /// To whom it is written.
    member: Option<MemberRef>,
    /// What the template's own placeholders stand for: at most 5,000 characters each.
    variables: Option<BTreeMap<String, Text<5000>>>,
}

impl Tool for PreviewTemplate {
    const NAME: &'static str = "emailTemplates.preview";
    const ACCESS: Access = Access::read(Scope::TemplatesRead);
    const EXAMPLE: &'static str = r#"{"template":{"name":"welcome"},"variables":{"course":"Watercolour"}}"#;
    type Output = Preview;

    async fn run(self, cx: &mut Cx) -> Result<Preview> {
        actions::show(cx, &self.template, self.member.as_ref(), self.variables).await
    }
}
