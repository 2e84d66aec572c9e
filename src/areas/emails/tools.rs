use std::collections::BTreeMap;

use poem_openapi::Object;
use usher_mail::placeholders::Values;

use super::{
    actions::{self, Message},
    content::Draft,
    store::Filter,
    types::{EmailStatus, Kind, Mail, Recipient, Text},
};
use crate::{
    areas::{
        email_templates::{self, TemplateRef},
        members::{self, MemberRef},
    },
    error::{Error, Result},
    gate::Cx,
    paging::{Cursor, LAST, default_limit},
    tools::{Access, Area, Risk, Scope, Tool, tools},
    values::{EmailId, Line, RequestId},
};

/// The tools of mail.
pub const AREA: Area = Area {
    name: "emails",
    about: "One private message to each of a few members.",
    tools: tools![SendEmails, SendTemplate, ListEmails, GetEmail],
};

/// The list has one order, newest first.
const ORDER: &str = "emails.list -id";

/// The fields of a recipient that say how a mail has ended, once the call has waited for it.
const LIFTS: &[&str] = &["status", "reason", "reply"];

/// Mails that were accepted.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct EmailsAccepted {
    /// What became of each, in the order of `to`; a member who is named twice stands there once.
    recipients: Vec<Recipient>,
}

/// Email members
///
/// Sends one private message to each of at most 20 members. Placeholders stand for what each is called: `{{first_name}}`,
/// `{{name}}`, `{{email}}`, `{{plan_name}}`, `{{site_name}}`, and `{{first_name|there}}` for those of whom it is not
/// known; an unknown one refuses the call. Who is on the block list gets nothing and is reported as `blocked`, as does
/// everybody whom a test site may not write to; nothing is counted for them. Each mail is a job of its own: the call
/// answers once they are accepted, and `Prefer: wait=N` waits for the mail server. The same text to the same member within
/// 24 hours needs `allowRepeat`. Needs a mail server, and *Email members* switched on.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct SendEmails {
    /// To whom: 1 to 20 members.
    #[oai(validator(min_items = 1, max_items = 1000))]
    to: Vec<MemberRef>,
    /// What it is about: one line of 1 to 200 characters.
    subject: Line<200>,
    /// The text, which everybody can read; at most 50,000 characters. A link to unsubscribe is put below it.
    text: Text<50000>,
    /// The same as HTML, at most 200,000 characters. Scripts, forms, and styles that move or hide things are taken out.
    html: Option<Text<200000>>,
    /// Whether it may go to somebody who got the same text within 24 hours.
    #[oai(default)]
    allow_repeat: bool,
}

impl Tool for SendEmails {
    const NAME: &'static str = "emails.send";
    const ACCESS: Access = Access::write(Scope::MembersEmail, Risk::High);
    const EXAMPLE: &'static str = r#"{"to":[{"email":"anna@example.com"}],"subject":"Your question","text":"Hello {{first_name|there}},\n\nthe brush is a flat one."}"#;
    const LIFTS: &'static [&'static str] = LIFTS;
    type Output = EmailsAccepted;

    async fn run(self, cx: &mut Cx) -> Result<EmailsAccepted> {
        let text = self.text.into_option().ok_or_else(|| Error::refused("args.text", "has nothing to be seen"))?;
        let html = self.html.and_then(Text::into_option);
        let draft = Draft { subject: self.subject.into_string(), text: Some(text), html };
        let message = Message { draft, template: None, own: Values::new(), may_repeat: self.allow_repeat };
        Ok(EmailsAccepted { recipients: actions::send(cx, self.to, message).await? })
    }
}

/// Email members from a template
///
/// Sends what a template says to each of at most 20 members, by the rules of `emails.send`. `variables` has a value for
/// each placeholder of the template's own, the same for everybody.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct SendTemplate {
    /// To whom: 1 to 20 members.
    #[oai(validator(min_items = 1, max_items = 1000))]
    to: Vec<MemberRef>,
    /// The template, by id or by name.
    template: TemplateRef,
    /// What the template's own placeholders stand for: at most 5,000 characters each.
    variables: Option<BTreeMap<String, Text<5000>>>,
    /// Whether it may go to somebody who got the same text within 24 hours.
    #[oai(default)]
    allow_repeat: bool,
}

impl Tool for SendTemplate {
    const NAME: &'static str = "emails.sendTemplate";
    const ACCESS: Access = Access::write(Scope::MembersEmail, Risk::High);
    const EXAMPLE: &'static str =
        r#"{"to":[{"email":"anna@example.com"}],"template":{"name":"welcome"},"variables":{"course":"Watercolour"}}"#;
    const LIFTS: &'static [&'static str] = LIFTS;
    type Output = EmailsAccepted;

    async fn run(self, cx: &mut Cx) -> Result<EmailsAccepted> {
        let template = email_templates::find(cx, &self.template).await?;
        let own = email_templates::own_values(&template, self.variables)?;
        let (draft, template) = (template.draft(), Some(template.id));
        let message = Message { draft, template, own, may_repeat: self.allow_repeat };
        Ok(EmailsAccepted { recipients: actions::send(cx, self.to, message).await? })
    }
}

/// A page of mails.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct EmailPage {
    /// Newest first.
    items: Vec<Mail>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List sent emails
///
/// The mails that the site has sent, was to send, or was kept from sending, newest first: those of `emails.send` and
/// `emails.sendTemplate`, invitations and links to sign in. What they said is not kept.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListEmails {
    /// Only those to this member.
    member: Option<MemberRef>,
    /// Only those of this template.
    template: Option<TemplateRef>,
    /// Only those of this kind: what was written to members, or mails to sign in with.
    kind: Option<Kind>,
    /// Only those of this call: the `X-Request-Id` of its answer.
    request: Option<RequestId>,
    /// Only those that stand like this.
    status: Option<EmailStatus>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListEmails {
    const NAME: &'static str = "emails.list";
    const ACCESS: Access = Access::read(Scope::MembersEmail);
    const EXAMPLE: &'static str = r#"{"status":"failed"}"#;
    type Output = EmailPage;

    async fn run(self, cx: &mut Cx) -> Result<EmailPage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(LAST.into(), |[id]| id);
        let member = match &self.member {
            Some(who) => Some(members::find(cx, who).await?.id),
            None => None,
        };
        let template = match &self.template {
            Some(template) => Some(email_templates::find(cx, template).await?.id),
            None => None,
        };
        let filter = Filter { member, request: self.request, status: self.status, template, kind: self.kind };
        let (items, more) = actions::list(cx, &filter, &before, self.limit).await?;
        let next_cursor =
            items.last().filter(|_| more).map(|mail| Cursor::after(ORDER, [mail.id.to_string()]).encode());
        Ok(EmailPage { items, next_cursor })
    }
}

/// Get a sent email
///
/// How one mail stands: whether the mail server took it, with its words, how often it was tried, and why it did not go out.
#[derive(Object)]
pub struct GetEmail {
    /// The email.
    message: EmailId,
}

/// One email.
#[derive(Object)]
pub struct EmailResult {
    /// The email.
    message: Mail,
}

impl Tool for GetEmail {
    const NAME: &'static str = "emails.get";
    const ACCESS: Access = Access::read(Scope::MembersEmail);
    const EXAMPLE: &'static str = r#"{"message":"eml_01kan8v3t0e0rt8nfkzk1s7p4qj"}"#;
    type Output = EmailResult;

    async fn run(self, cx: &mut Cx) -> Result<EmailResult> {
        Ok(EmailResult { message: actions::get(cx, &self.message).await? })
    }
}
