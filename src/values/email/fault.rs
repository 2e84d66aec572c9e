use crate::values::text;

/// Characters before an invisible one that an error shows.
const SHOWN: usize = 40;

/// Why a text is not an address that mail can be sent to. As text it follows the name of the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// Nothing better can be said of it.
    #[error("not an email address")]
    NotAnAddress,
    /// It is longer than any address may be.
    #[error("has more than 254 bytes, which no email address has")]
    TooLong,
    /// It has a character that leaves no mark, so that it looks like another address.
    #[error("has an invisible character, {}, {}", described(*.character), place(.before))]
    Invisible {
        /// The character.
        character: char,
        /// What stands before it.
        before: Box<str>,
    },
    /// It would be one without its spaces.
    #[error("has a space after {0:?}")]
    Space(Box<str>),
    /// It has a sign that only looks like an `@`.
    #[error("has {} where an @ belongs", described(*.0))]
    WideAt(char),
    /// What stands before the `@` cannot be written without quotes.
    #[error("needs quotes before the @, and no mail can be sent to such an address")]
    Quotes,
    /// It names a server by its number.
    #[error("has a server's number in the place of a domain, like anna@[192.0.2.1]")]
    Literal,
    /// Mail programs would read another address from it.
    #[error("has =? in it, which mail programs take for another text")]
    EncodedWord,
}

impl InvalidEmail {
    /// The first character that cannot be seen.
    pub(super) fn invisible(text: &str) -> Option<Self> {
        let (at, character) = text.char_indices().find(|(_, c)| is_invisible(*c))?;
        Some(Self::Invisible { character, before: tail(&text[..at]) })
    }

    /// The first space.
    pub(super) fn space(text: &str) -> Option<Self> {
        text.split_once(' ').map(|(before, _)| Self::Space(tail(before)))
    }
}

/// The end of a text.
fn tail(text: &str) -> Box<str> {
    let start = text.char_indices().rev().nth(SHOWN - 1).map_or(0, |(at, _)| at);
    text[start..].into()
}

/// Whether a character leaves no mark: those of Unicode's `Default_Ignorable_Code_Point`, controls and white space, but
/// for the plain blank, which everybody sees as one.
fn is_invisible(c: char) -> bool {
    c != ' '
        && (c.is_control()
            || c.is_whitespace()
            || text::is_zero_width(c)
            || matches!(c, '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'))
}

/// A character as an error names it, such as `U+200B ZERO WIDTH SPACE`.
fn described(c: char) -> String {
    let name = match c {
        '\0' => "NULL".to_owned(),
        '\t' => "TAB".to_owned(),
        '\n' => "LINE FEED".to_owned(),
        '\r' => "CARRIAGE RETURN".to_owned(),
        _ => unicode_names2::name(c).map_or_else(|| "(a control character)".to_owned(), |name| name.to_string()),
    };
    format!("U+{:04X} {name}", u32::from(c))
}

fn place(before: &str) -> String {
    if before.is_empty() { "at its beginning".to_owned() } else { format!("after {before:?}") }
}
