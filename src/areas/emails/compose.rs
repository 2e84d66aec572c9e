//! A mail as it leaves: the message around what it says.

use std::time::{Duration, UNIX_EPOCH};

use poem_openapi::Object;
use usher_mail::{Composed, Letter, Mailbox, compose, html::escape, layout, placeholders::Values};

use super::{
    connection::{Mailer, address},
    content::{Content, Draft},
    types::Mail,
};
use crate::{
    app::App,
    areas::{sites::Site, unsubscribe},
    error::{Code, Error, Result},
    values::Email,
};

/// The Message-ID of a mail: the same whenever it is sent.
pub(super) fn message_id(mail: &Mail, mailer: &Mailer) -> String {
    match &mail.message_id {
        Some(known) => known.clone(),
        None => format!("{}@{}", mail.id, mailer.from.email.domain()),
    }
}

/// Makes the message.
pub(super) async fn message(
    app: &App,
    site: &Site,
    mailer: &Mailer,
    mail: &Mail,
    content: &Content,
) -> Result<Composed> {
    let to = Email::stored(&mail.email);
    let unsubscribe = match mail.kind.is_system() {
        true => None,
        false => {
            let url = unsubscribe::url_for(app.db.read(), site, to.key(), &mail.member).await?;
            Some(url.ok_or_else(no_public_url)?)
        }
    };
    let (text, html) = around(site, &mail.subject, content, unsubscribe.as_deref());
    let letter = Letter {
        id: &message_id(mail, mailer),
        date: UNIX_EPOCH + Duration::from_micros(u64::try_from(mail.created_at.micros()).unwrap_or_default()),
        from: mailer.from.clone(),
        reply_to: mailer.reply_to.clone(),
        to: Mailbox::new(content.name.clone(), address(&to)?),
        subject: &mail.subject,
        text: &text,
        html: html.as_deref(),
        unsubscribe: unsubscribe.as_deref(),
        is_automatic: mail.kind.is_system(),
    };
    compose(&letter, mailer.dkim.as_ref())
        .map_err(|error| Error::new(Code::MailRefused, format!("The mail cannot be put into a message: {error}.")))
}

/// The text and the page with what stands around what a mail says.
fn around(site: &Site, subject: &str, content: &Content, unsubscribe: Option<&str>) -> (String, Option<String>) {
    let said = content.text.trim_end();
    let (text, footer) = match unsubscribe {
        Some(url) => {
            let why = format!("You get this mail because you are a member of {}.", site.name);
            (format!("{said}\n\n-- \n{why}\nUnsubscribe: {url}\n"), layout::small_link(&why, "Unsubscribe", url))
        }
        None => {
            let why = format!("This mail was sent by {}.", site.name);
            (format!("{said}\n\n-- \n{why}\n"), escape(&why))
        }
    };
    let page = |body: &String| layout::page(layout::Page { title: subject, sender: &site.name, body, footer: &footer });
    (text, content.html.as_ref().map(page))
}

/// What a mail looks like.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename = "EmailPreview")]
pub struct Preview {
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part, a whole page; absent if the mail has none.
    pub html: Option<String>,
}

/// What a mail with these values would look like. Its link to unsubscribe leads nowhere.
pub fn preview(site: &Site, draft: &Draft, values: &Values) -> Result<Preview> {
    let (subject, content) = draft.fill(None, values).map_err(Error::internal)?;
    let url = format!("{}{}…", site.url().unwrap_or_else(|| "https://example.com".into()), unsubscribe::PATH);
    let (text, html) = around(site, &subject, &content, Some(&url));
    Ok(Preview { subject, text, html })
}

/// Nobody could unsubscribe.
pub(super) fn no_public_url() -> Error {
    let text = "Mail to members has a link to unsubscribe, and nobody has said where the site's pages are. Its operator \
                does with `usher sites update --public-url https://…`.";
    Error::new(Code::PublicUrlMissing, text)
}
