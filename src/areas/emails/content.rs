//! What a mail says, while it waits.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use usher_mail::{
    html::{sanitise, to_text},
    placeholders::{self, Into, Values},
};

use crate::{
    app::App,
    error::{Code, Error, Result},
    values::{EmailId, MemberId, SiteId},
};

/// What a mail says to one person, with nothing left to be filled in. Readable for as long as a mail may wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What the person is called.
    pub name: Option<String>,
    /// The text.
    pub text: String,
    /// The same as HTML, without the page around it.
    pub html: Option<String>,
}

/// A text before it is filled in.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// What it is about.
    pub subject: String,
    /// The text; made from the HTML if there is none.
    pub text: Option<String>,
    /// The HTML.
    pub html: Option<String>,
}

impl Draft {
    /// Its parts, each with its name.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let parts = [("subject", Some(&*self.subject)), ("text", self.text.as_deref()), ("html", self.html.as_deref())];
        parts.into_iter().filter_map(|(name, part)| Some((name, part?)))
    }

    /// What it says to a person: the subject, and the rest. HTML is made safe after it is filled in, so that nothing comes
    /// in with a value.
    pub fn fill(&self, name: Option<&str>, values: &Values) -> Result<(String, Content), placeholders::Wrong> {
        let subject = placeholders::fill(&self.subject, values, Into::Line)?;
        let fill = |html: &String| placeholders::fill(html, values, Into::Html);
        let html = self.html.as_ref().map(fill).transpose()?.map(|html| sanitise(&html));
        let text = match (&self.text, &html) {
            (Some(text), _) => placeholders::fill(text, values, Into::Text)?,
            (None, html) => to_text(html.as_deref().unwrap_or_default()),
        };
        Ok((subject.trim().to_owned(), Content { name: name.map(str::to_owned), text, html }))
    }
}

impl Content {
    /// What tells whether a member is told the same again: whatever the subject.
    pub fn hash(&self, member: &MemberId) -> String {
        let parts = [member.as_str(), &self.text, self.html.as_deref().unwrap_or_default()];
        let digest = Sha256::digest(serde_json::to_vec(&parts).unwrap_or_default());
        digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// As it is kept.
    pub fn seal(&self, app: &App, site: SiteId, id: &EmailId) -> Result<String> {
        let text = serde_json::to_string(self).map_err(Error::internal)?;
        Ok(app.sealer.seal(&purpose(site, id), &text))
    }

    /// From how it is kept.
    pub fn open(app: &App, site: SiteId, id: &EmailId, sealed: &str) -> Result<Self> {
        let text = app.sealer.open(&purpose(site, id), sealed).map_err(|error| {
            Error::new(Code::MailUnusable, format!("What the mail says cannot be opened: {error}."))
        })?;
        serde_json::from_str(&text).map_err(Error::internal)
    }
}

fn purpose(site: SiteId, id: &EmailId) -> String {
    format!("mail {id} of site {site}")
}
