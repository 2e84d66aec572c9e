use std::collections::BTreeMap;

use usher_db::Change;
use usher_mail::placeholders::Values;

use super::{
    store,
    types::{Template, TemplateRef},
};
use crate::{
    areas::{
        emails::{KNOWN, Preview, Text, check_placeholders, preview, sample, values},
        members::{self, MemberRef},
    },
    error::{Code, Error, Result},
    gate::Cx,
    paging,
    values::Slug,
};

/// What a template is to say; `None` stays as it is, and an empty text goes.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) name: Option<Slug>,
    pub(super) subject: Option<String>,
    pub(super) text: Option<Option<String>>,
    pub(super) html: Option<Option<String>>,
    pub(super) variables: Option<Vec<String>>,
}

/// A page of templates, newest first, and whether there are more.
pub(super) async fn list(cx: &mut Cx, before: &str, limit: u32) -> Result<(Vec<Template>, bool)> {
    let site = cx.site();
    let mut items = store::list(cx.conn(), site, before, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    Ok((items, more))
}

/// The template that a call is about.
pub async fn find(cx: &mut Cx, which: &TemplateRef) -> Result<Template> {
    let site = cx.site();
    let (found, shown) = match which {
        TemplateRef::Id(id) => (store::by_id(cx.conn(), site, id).await?, id.as_str()),
        TemplateRef::Name(by) => (store::by_name(cx.conn(), site, &by.name).await?, by.name.as_str()),
    };
    found.ok_or_else(|| {
        let text = format!("The site has no template {shown}. Find it with emailTemplates.list.");
        Error::new(Code::TemplateNotFound, text)
    })
}

/// The same for a call that writes: until it has ended, no other changes this template.
async fn hold(cx: &mut Cx, which: &TemplateRef) -> Result<Template> {
    let found = find(cx, which).await?;
    let site = cx.site();
    let held = store::hold(cx.conn(), site, &found.id).await?;
    held.ok_or_else(|| Error::new(Code::TemplateNotFound, "The template was deleted just now."))
}

/// The values of a template's own placeholders: one for each, and no others.
pub fn own_values<const N: usize>(template: &Template, given: Option<BTreeMap<String, Text<N>>>) -> Result<Values> {
    let given = declared(template, given)?;
    let missing: Vec<_> = template.variables.iter().filter(|name| !given.contains_key(*name)).cloned().collect();
    match named(&missing) {
        None => Ok(given),
        Some(names) => {
            let text =
                format!("The template {} needs a value in variables for {names}. Nothing went out.", template.name);
            Err(Error::new(Code::VariableMissing, text))
        }
    }
}

/// The values that were given, if the template declares each.
fn declared<const N: usize>(template: &Template, given: Option<BTreeMap<String, Text<N>>>) -> Result<Values> {
    let given: Values = given.unwrap_or_default().into_iter().map(|(name, text)| (name, text.to_string())).collect();
    match given.keys().find(|name| !template.variables.contains(name)) {
        None => Ok(given),
        Some(name) => {
            let has = named(&template.variables).unwrap_or_else(|| "none".into());
            let text = format!("The template {} has no variable {name:?}. It has {has}.", template.name);
            Err(Error::new(Code::VariableUnknown, text))
        }
    }
}

fn named(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| names.join(", "))
}

/// Makes a template.
pub(super) async fn create(cx: &mut Cx, name: Slug, subject: String, changes: Changes) -> Result<Template> {
    let template = Template {
        id: cx.app.clock.id(),
        name,
        subject,
        text: changes.text.flatten(),
        html: changes.html.flatten(),
        variables: changes.variables.unwrap_or_default(),
        created_at: cx.now,
        updated_at: cx.now,
    };
    check(&template)?;
    let site = cx.site();
    if store::insert(cx.conn(), site, &template).await? == 0 {
        return Err(taken(cx, &template.name).await);
    }
    cx.tx().note(Change::created("emailTemplate", template.id.as_str(), template.json()));
    Ok(template)
}

/// Changes what was given.
pub(super) async fn update(cx: &mut Cx, which: &TemplateRef, changes: Changes) -> Result<Template> {
    let before = hold(cx, which).await?;
    let mut after = before.clone();
    after.name = changes.name.unwrap_or(after.name);
    after.subject = changes.subject.unwrap_or(after.subject);
    after.text = changes.text.unwrap_or(after.text);
    after.html = changes.html.unwrap_or(after.html);
    after.variables = changes.variables.unwrap_or(after.variables);
    if after == before {
        return Ok(before);
    }
    after.updated_at = cx.now.or_after(before.updated_at);
    check(&after)?;
    let site = cx.site();
    // Of two that take a name at once, the index refuses the later.
    match store::update(cx.conn(), site, &after).await {
        Ok(1) => {}
        Ok(_) => return Err(taken(cx, &after.name).await),
        Err(error) if error.as_database_error().is_some_and(|cause| cause.is_unique_violation()) => {
            let text = format!("Another template has taken the name {} just now.", after.name);
            return Err(Error::new(Code::TemplateExists, text));
        }
        Err(error) => return Err(error.into()),
    }
    cx.tx().note(Change::updated("emailTemplate", after.id.as_str(), before.json(), after.json()));
    Ok(after)
}

/// Deletes a template, and gives it as it was. Mails that were made from it are not touched.
pub(super) async fn delete(cx: &mut Cx, which: &TemplateRef) -> Result<Template> {
    let before = hold(cx, which).await?;
    let site = cx.site();
    store::delete(cx.conn(), site, &before.id).await?;
    cx.tx().note(Change::deleted("emailTemplate", before.id.as_str(), before.json()));
    Ok(before)
}

/// What a mail of a template would look like.
pub(super) async fn show<const N: usize>(
    cx: &mut Cx,
    which: &TemplateRef,
    member: Option<&MemberRef>,
    given: Option<BTreeMap<String, Text<N>>>,
) -> Result<Preview> {
    let template = find(cx, which).await?;
    let mut values = match member {
        Some(who) => {
            let member = members::find(cx, who).await?;
            values(cx, &member).await?
        }
        None => sample(&cx.caller.site),
    };
    // A placeholder without a value stands for itself, so that it is seen where it is.
    let unset = template.variables.iter().map(|name| (name.clone(), format!("{{{{{name}}}}}")));
    values.extend(unset);
    values.extend(declared(&template, given)?);
    preview(&cx.caller.site, &template.draft(), &values)
}

/// A template says something, and what it says can be filled in.
fn check(template: &Template) -> Result<()> {
    if template.text.is_none() && template.html.is_none() {
        return Err(Error::refused("args.text", "is needed, unless there is html"));
    }
    if let Some(name) = template.variables.iter().find(|name| KNOWN.contains(&name.as_str())) {
        return Err(Error::refused("args.variables", format!("{name} is a placeholder that every mail has")));
    }
    check_placeholders(&template.draft(), &template.variables)
}

async fn taken(cx: &mut Cx, name: &Slug) -> Error {
    let site = cx.site();
    match store::by_name(cx.conn(), site, name).await {
        Ok(Some(other)) => {
            let text = format!("The template {} has the name {name}. Change that one, or take another name.", other.id);
            Error::new(Code::TemplateExists, text)
        }
        Ok(None) => Error::new(Code::TemplateExists, format!("Another template has taken the name {name} just now.")),
        Err(error) => error.into(),
    }
}
