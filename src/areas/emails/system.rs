//! The mails by which people sign in.

use usher_mail::layout::{button, paragraph};

use super::{content::Content, types::Kind};

/// A mail that its recipient has asked for, or that asks somebody in. Its link is a secret: it stands in the row, sealed,
/// until the mail has left, and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub enum SystemMail {
    /// Invites somebody.
    Invite {
        /// Where the person signs in.
        url: String,
    },
    /// A link to sign in.
    SignIn {
        /// Where the person signs in.
        url: String,
    },
}

/// What a mail of a kind says beside its link.
struct Words {
    subject: String,
    lead: String,
    label: &'static str,
    rest: String,
}

impl SystemMail {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Invite { .. } => Kind::Invite,
            Self::SignIn { .. } => Kind::SignIn,
        }
    }

    fn words(&self, site: &str) -> Words {
        let once = "The link works once, within 60 minutes.";
        match self {
            Self::Invite { .. } => Words {
                subject: format!("Your invitation to {site}"),
                lead: format!("you are invited to {site}. Your account is ready: sign in to have a look."),
                label: "Accept the invitation",
                rest: format!("{once} If you were not expecting it, you can ignore this mail."),
            },
            Self::SignIn { .. } => Words {
                subject: format!("Sign in to {site}"),
                lead: format!("here is your link to sign in to {site}."),
                label: "Sign in",
                rest: format!(
                    "{once} If you did not ask for it, you can ignore this mail: nobody gets in without the link. Do not \
                     pass it on."
                ),
            },
        }
    }

    /// The subject, and what it says.
    pub(super) fn write(&self, site: &str, name: Option<&str>) -> (String, Content) {
        let (Self::Invite { url } | Self::SignIn { url }) = self;
        let Words { subject, lead, label, rest } = self.words(site);
        let first = name.and_then(|name| name.split_whitespace().next());
        let hello = first.map_or_else(|| "Hello,".to_owned(), |first| format!("Hello {first},"));
        let text = format!("{hello}\n\n{lead}\n\n{label}:\n{url}\n\n{rest}");
        let html = [paragraph(&hello), paragraph(&lead), button(label, url), paragraph(&rest)].join("\n");
        (subject, Content { name: name.map(str::to_owned), text, html: Some(html) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_stands_in_both_parts_and_not_in_the_subject() {
        let url = "https://site.example/sign-in/abc?a=1&b=2";
        for mail in [SystemMail::Invite { url: url.into() }, SystemMail::SignIn { url: url.into() }] {
            let (subject, content) = mail.write("Anna's <Site>", Some("Bo Example"));
            assert!(content.text.contains(&format!("\n{url}\n")), "{}", content.text);
            assert!(content.text.starts_with("Hello Bo,"), "{}", content.text);
            let html = content.html.unwrap();
            assert!(html.contains("href=\"https://site.example/sign-in/abc?a=1&amp;b=2\""), "{html}");
            assert!(!html.contains("<Site>") && !subject.contains("abc"), "{html}");
        }
    }
}
