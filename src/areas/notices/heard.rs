use serde_json::Value;

use crate::{areas::blocklist::Reason, imports::cut, values::Time};

/// The longest code of a provider's that is kept, in characters.
const CODE: usize = 100;

/// The longest text of a mail server's that is kept, in characters.
const NOTE: usize = 500;

/// Who sends the mail and tells what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Amazon SES, by way of Amazon SNS.
    Ses,
    /// Postmark.
    Postmark,
    /// SendGrid.
    SendGrid,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ses, Self::Postmark, Self::SendGrid];

    /// As it is stored and shown.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ses => "ses",
            Self::Postmark => "postmark",
            Self::SendGrid => "sendgrid",
        }
    }

    /// As people call it; the source of what the block list has from it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ses => "Amazon SES",
            Self::Postmark => "Postmark",
            Self::SendGrid => "SendGrid",
        }
    }

    /// The provider of a code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.code() == code)
    }
}

/// That no mail may go to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    /// The address, as the provider writes it.
    pub(super) email: String,
    pub(super) reason: Reason,
    /// What the provider calls it.
    pub(super) code: String,
    /// What the mail server said.
    pub(super) note: Option<String>,
    /// The provider's name for the mail.
    pub(super) mail: Option<String>,
}

impl Stop {
    pub(super) fn new(email: &Value, reason: Reason, code: &str, note: &Value, mail: &Value) -> Self {
        let some = |value: &Value, most| Some(text(value, most)).filter(|text| !text.is_empty());
        Self {
            email: bare(email.as_str().unwrap_or_default()).to_owned(),
            reason,
            code: plain(code, CODE),
            note: some(note, NOTE),
            mail: some(mail, CODE),
        }
    }
}

/// What a notice says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) stops: Vec<Stop>,
    /// What leads to nothing: that passes by itself, is good news, or is of a kind that is not known.
    pub(super) n_ignored: u32,
}

impl Heard {
    pub(super) fn ignored() -> Self {
        Self { stops: Vec::new(), n_ignored: 1 }
    }
}

/// A text as it may be kept.
pub(super) fn text(value: &Value, most: usize) -> String {
    plain(value.as_str().unwrap_or_default(), most)
}

/// Without what no database text may hold, on one line, and not too long.
fn plain(text: &str, most: usize) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(spaced.trim(), most).to_owned()
}

/// Whether something was said at a time, in microseconds, that is not more than so many seconds away.
pub(super) fn is_recent(at: i64, now: Time, most_s: i64) -> bool {
    now.micros().abs_diff(at) <= most_s.unsigned_abs() * 1_000_000
}

/// The address in `Anna <anna@example.com>`, as some write it.
fn bare(text: &str) -> &str {
    match text.trim().strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((_, address)) => address,
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_kept_is_one_short_line() {
        let note = json!(format!("550 5.1.1\r\n user\0 unknown {}", "é".repeat(600)));
        let stop = Stop::new(&json!("Anna <a@b.example>"), Reason::HardBounce, "x\0", &note, &Value::Null);
        assert_eq!((stop.email.as_str(), stop.code.as_str(), stop.mail), ("a@b.example", "x", None));
        let note = stop.note.unwrap();
        assert!(note.starts_with("550 5.1.1   user  unknown é"), "{note}");
        assert_eq!(note.chars().count(), NOTE);
    }

    #[test]
    fn an_address_that_is_none_stays_as_it_is() {
        for (text, address) in [("a@b.example", "a@b.example"), ("<a@b>", "a@b"), (">", ""), ("a>", "a>"), ("", "")] {
            let expected = if text == ">" { ">" } else { address };
            assert_eq!(bare(text), expected, "{text}");
        }
    }
}
