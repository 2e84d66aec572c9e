use std::time::SystemTime;

use lettre::{
    Message,
    address::Envelope,
    message::{
        Mailbox, MultiPart, MultiPartKind, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

use crate::{Dkim, header};

/// What a message is made of.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// What makes it this message and no other, such as `eml_1@example.com`: letters, digits and `-_.@`.
    pub id: &'a str,
    /// When it was written.
    pub date: SystemTime,
    /// From whom.
    pub from: Mailbox,
    /// To whom answers go, if not to `from`.
    pub reply_to: Option<Mailbox>,
    /// To whom.
    pub to: Mailbox,
    /// What it is about: one line.
    pub subject: &'a str,
    /// The text.
    pub text: &'a str,
    /// The same as HTML, a whole document.
    pub html: Option<&'a str>,
    /// A link by which its recipient gets no more of its kind, by one POST (RFC 8058).
    pub unsubscribe: Option<&'a str>,
    /// Whether a program wrote it because of what its recipient did, so that no program answers (RFC 3834).
    pub is_automatic: bool,
}

/// A message as it goes over the wire.
#[derive(Clone, Debug)]
pub struct Composed {
    pub(crate) id: String,
    pub(crate) envelope: Envelope,
    pub(crate) bytes: Vec<u8>,
}

impl Composed {
    /// The whole message, with its headers.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a letter is no message.
#[derive(Debug, thiserror::Error)]
pub enum NotComposed {
    /// A header would have a line break or another control character in it.
    #[error("the {0} has a control character")]
    Control(&'static str),
    /// A link is no plain address of a page.
    #[error("the link to unsubscribe is no http address")]
    Link,
    /// The library did not take it.
    #[error("the message cannot be built: {0}")]
    Library(#[from] lettre::error::Error),
}

/// Makes a letter a message, and signs it.
pub fn compose(letter: &Letter<'_>, dkim: Option<&Dkim>) -> Result<Composed, NotComposed> {
    check(letter)?;
    let mut builder = Message::builder()
        .message_id(Some(format!("<{}>", letter.id)))
        .date(letter.date)
        .from(letter.from.clone())
        .to(letter.to.clone())
        .subject(letter.subject);
    if let Some(reply_to) = &letter.reply_to {
        builder = builder.reply_to(reply_to.clone());
    }
    // Each in the place of the one that is there.
    let mailboxes = [("From", Some(&letter.from)), ("To", Some(&letter.to)), ("Reply-To", letter.reply_to.as_ref())];
    let encoded = mailboxes.into_iter().filter_map(|(name, mailbox)| header::mailbox(name, mailbox?));
    for value in encoded.chain(header::text("Subject", letter.subject)) {
        builder = builder.raw_header(value);
    }
    if let Some(link) = letter.unsubscribe {
        builder = builder
            .raw_header(plain("List-Unsubscribe", format!("<{link}>")))
            .raw_header(plain("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()));
    }
    if letter.is_automatic {
        builder = builder.raw_header(plain("Auto-Submitted", "auto-generated".into()));
    }
    let text = SinglePart::plain(letter.text.to_owned());
    let mut message = match letter.html {
        None => builder.singlepart(text)?,
        // The boundary comes from the id, so that the same letter is the same bytes; `=_` stands in no encoded part.
        Some(html) => builder.multipart(
            MultiPart::builder()
                .kind(MultiPartKind::Alternative)
                .boundary(format!("=_{}", letter.id.split('@').next().unwrap_or_default()))
                .singlepart(text)
                .singlepart(SinglePart::html(html.to_owned())),
        )?,
    };
    let envelope = message.envelope().clone();
    if let Some(dkim) = dkim {
        message.sign(dkim.config());
    }
    Ok(Composed { id: letter.id.to_owned(), envelope, bytes: message.formatted() })
}

/// Whatever the library does, no header of ours has a line break that somebody else wrote.
fn check(letter: &Letter<'_>) -> Result<(), NotComposed> {
    let name = |mailbox: &Mailbox| mailbox.name.clone().unwrap_or_default();
    let lines = [
        ("id", letter.id.to_owned()),
        ("subject", letter.subject.to_owned()),
        ("sender's name", name(&letter.from)),
        ("recipient's name", name(&letter.to)),
        ("name for answers", letter.reply_to.as_ref().map(name).unwrap_or_default()),
    ];
    if let Some((what, _)) = lines.iter().find(|(_, line)| line.contains(char::is_control)) {
        return Err(NotComposed::Control(what));
    }
    let is_link = |link: &str| {
        let may = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
        (link.starts_with("https://") || link.starts_with("http://")) && link.bytes().all(may)
    };
    match letter.unsubscribe {
        Some(link) if !is_link(link) => Err(NotComposed::Link),
        _ => Ok(()),
    }
}

/// A header of letters that need no encoding. It is not folded, as mail programs do not all read a folded link.
fn plain(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn letter() -> Letter<'static> {
        Letter {
            id: "eml_1@site.example",
            date: UNIX_EPOCH + Duration::from_secs(1_735_732_800),
            from: Mailbox::new(Some("Café".into()), "hello@site.example".parse().unwrap()),
            reply_to: Some("staff@site.example".parse().unwrap()),
            to: Mailbox::new(Some("Anna, \"A\"".into()), "anna@example.com".parse().unwrap()),
            subject: "Grüße",
            text: "One\nTwo\n.\nÜber",
            html: Some("<p>One</p>"),
            unsubscribe: Some("https://site.example/unsubscribe/1abc"),
            is_automatic: true,
        }
    }

    #[test]
    fn the_same_letter_is_the_same_bytes() {
        let first = compose(&letter(), None).unwrap();
        assert_eq!(first.bytes(), compose(&letter(), None).unwrap().bytes());
        let text = String::from_utf8(first.bytes().to_vec()).unwrap();
        for line in [
            "Message-ID: <eml_1@site.example>\r\n",
            "Date: Wed, 01 Jan 2025 12:00:00 +0000\r\n",
            "List-Unsubscribe: <https://site.example/unsubscribe/1abc>\r\n",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Reply-To: staff@site.example\r\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(text.is_ascii() && !text.replace("\r\n", "").contains(['\r', '\n']), "{text}");
    }

    #[test]
    fn no_text_becomes_a_header() {
        let evil = "Hello\r\nBcc: all@example.com";
        let subject = Letter { subject: evil, ..letter() };
        assert!(matches!(compose(&subject, None), Err(NotComposed::Control("subject"))));
        let to = Mailbox::new(Some(evil.into()), "anna@example.com".parse().unwrap());
        assert!(matches!(compose(&Letter { to, ..letter() }, None), Err(NotComposed::Control("recipient's name"))));
        let from = Mailbox::new(Some("x\n y".into()), "anna@example.com".parse().unwrap());
        assert!(matches!(compose(&Letter { from, ..letter() }, None), Err(NotComposed::Control("sender's name"))));
        for link in ["javascript:1", "https://a.example/>\r\nBcc: b@example.com", "https://a.example/ b"] {
            let letter = Letter { unsubscribe: Some(link), ..letter() };
            assert!(matches!(compose(&letter, None), Err(NotComposed::Link)), "{link}");
        }
        let id = Letter { id: "a\r\nBcc: b", ..letter() };
        assert!(compose(&id, None).is_err());
    }

    #[test]
    fn what_looks_like_an_encoded_word_goes_out_encoded() {
        let long = format!("{} =?utf-8?q?x?=", "word ".repeat(60));
        for evil in [
            "=?utf-8?q?=0d=0aBcc:x?=",
            "Hello =?utf-8?b?QmNj?=",
            "Zoë =?UTF-8?Q?a?=",
            "=?",
            "a=?b?=",
            "=?x?q?,\"<?=",
            &long,
        ] {
            let evil = evil.trim();
            let name = |email: &str| Mailbox::new(Some(evil.into()), email.parse().unwrap());
            let letter = Letter {
                from: name("hello@site.example"),
                reply_to: Some(name("staff@site.example")),
                to: name("anna@example.com"),
                subject: evil,
                ..letter()
            };
            let composed = compose(&letter, None).unwrap();
            let text = String::from_utf8(composed.bytes).unwrap();
            let (headers, _) = text.split_once("\r\n\r\n").unwrap();
            let headers = headers.replace("\r\n ", " ");
            for header in ["From", "To", "Reply-To", "Subject"] {
                let lines: Vec<_> = headers.lines().filter(|line| line.starts_with(&format!("{header}: "))).collect();
                let [line] = &lines[..] else { panic!("{header}: {lines:?}") };
                let mut read = String::new();
                for word in line.split([' ', '<']).filter_map(|word| word.strip_prefix("=?utf-8?b?")) {
                    let base64 = word.strip_suffix("?=").expect("a whole word");
                    let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, base64).unwrap();
                    read.push_str(std::str::from_utf8(&bytes).unwrap());
                }
                assert_eq!(read, evil, "{line}");
                assert!(header == "Subject" || line.ends_with('>') && line.matches('@').count() == 1, "{line}");
                let plain = |word: &&str| !word.starts_with("=?utf-8?b?");
                assert!(!line.split(' ').filter(plain).any(|word| word.contains("=?")), "{line}");
            }
            assert_eq!(composed.envelope.to()[0].to_string(), "anna@example.com");
            assert_eq!(composed.envelope.from().unwrap().to_string(), "hello@site.example");
        }
    }

    #[test]
    fn without_html_it_is_one_part() {
        let letter = Letter { html: None, unsubscribe: None, is_automatic: false, ..letter() };
        let text = String::from_utf8(compose(&letter, None).unwrap().bytes).unwrap();
        assert!(text.contains("Content-Type: text/plain; charset=utf-8"), "{text}");
        for absent in ["List-Unsubscribe", "Auto-Submitted", "multipart"] {
            assert!(!text.contains(absent), "{absent}");
        }
    }
}
