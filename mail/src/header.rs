//! Headers with a text of somebody's in them.
//!
//! A text that looks like an encoded word of RFC 2047 (`=?utf-8?q?=0d=0aBcc:x?=`) would be decoded by whoever reads the mail,
//! quoted or not, and may then be another name, or two headers. So it goes out encoded, all of it, and is read as it was
//! written.

use std::fmt::Write as _;

use email_encoding::headers::{rfc2047, writer::EmailWriter};
use lettre::message::{
    Mailbox,
    header::{HeaderName, HeaderValue},
};

/// What an encoded word begins with. Without it there is none, whatever comes behind.
const START: &str = "=?";

/// A header with a text that has to be encoded, if it has to be.
pub(crate) fn text(name: &'static str, text: &str) -> Option<HeaderValue> {
    text.contains(START).then(|| encoded(name, text, None, text.to_owned()))
}

/// The same of a mailbox.
pub(crate) fn mailbox(name: &'static str, mailbox: &Mailbox) -> Option<HeaderValue> {
    let text = mailbox.name.as_deref().filter(|text| text.contains(START))?;
    Some(encoded(name, text.trim(), Some(mailbox), mailbox.to_string()))
}

fn encoded(name: &'static str, text: &str, mailbox: Option<&Mailbox>, raw: String) -> HeaderValue {
    let mut value = String::new();
    {
        let mut writer = EmailWriter::new(&mut value, name.len() + ": ".len(), 0, false);
        rfc2047::encode(text, &mut writer).expect("memory takes it");
        if let Some(mailbox) = mailbox {
            writer.space();
            write!(writer, "<{}>", mailbox.email).expect("memory takes it");
        }
    }
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), raw, value)
}
