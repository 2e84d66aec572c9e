//! Which characters a text may have: one rule for every name, title, comment and note.
//!
//! A text that a person reads has no control characters, nor those that turn the direction of what comes after them: with
//! either it looks like another one. A single line has no line breaks. Zero-width characters may stand within a text, as
//! many scripts and emoji need them; a text that has nothing else, and so cannot be seen, says nothing.

use poem_openapi::registry::MetaSchema;

/// Characters that no text has: controls but tab and line breaks, and what turns the direction.
fn is_barred(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a text has only characters that one of several lines may have.
pub fn is_plain(text: &str) -> bool {
    !text.contains(is_barred)
}

/// Whether a text is one line: without line breaks too.
pub fn is_line(text: &str) -> bool {
    !text.contains(|c: char| is_barred(c) || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Whether anything of a text can be seen.
pub fn is_visible(text: &str) -> bool {
    text.contains(|c: char| !c.is_whitespace() && !c.is_control() && !is_zero_width(c))
}

/// Characters that leave no mark by themselves: of the categories Cf and Mn those, and the fillers of Hangul.
pub(super) fn is_zero_width(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}')
}

/// [`is_line`] and [`is_visible`] as a pattern.
pub const VISIBLE_LINE: &str = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*[^\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb][^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$";

/// The same, or nothing at all.
pub const VISIBLE_LINE_OR_NONE: &str = r"^([^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*[^\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb][^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*)?$";

/// [`is_plain`] as a pattern.
pub const PLAIN: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$";

/// A line of 1 to `LONGEST` characters that says something, without outer space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<const LONGEST: usize>(Box<str>);

/// A text of several lines and at most `LONGEST` characters, without outer space; it may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain<const LONGEST: usize>(Box<str>);

/// A text with characters that it may not have, too many of them, or none to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a text with something in it to be seen, without control characters, and not too long")]
pub struct InvalidText;

impl<const LONGEST: usize> Line<LONGEST> {
    /// Reads a line.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        match is_line(text) && is_visible(text) && text.chars().count() <= LONGEST {
            true => Ok(Self(text.trim().into())),
            false => Err(InvalidText),
        }
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0.into()
    }
}

impl<const LONGEST: usize> Plain<LONGEST> {
    /// Reads a text.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        match is_plain(text) && text.chars().count() <= LONGEST {
            true => Ok(Self(text.trim().into())),
            false => Err(InvalidText),
        }
    }

    /// The text; it may be empty.
    pub fn into_string(self) -> String {
        self.0.into()
    }
}

macro_rules! shown {
    ($name:ident) => {
        impl<const LONGEST: usize> std::fmt::Display for $name<LONGEST> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

shown!(Line);
shown!(Plain);

super::json_string!(
    impl[const LONGEST: usize] Line<LONGEST>,
    format!("string_line_{LONGEST}"),
    MetaSchema {
        min_length: Some(1),
        max_length: Some(LONGEST),
        pattern: Some(VISIBLE_LINE.into()),
        ..MetaSchema::new("string")
    },
    Self::parse
);

super::json_string!(
    impl[const LONGEST: usize] Plain<LONGEST>,
    format!("string_plain_{LONGEST}"),
    MetaSchema { max_length: Some(LONGEST), pattern: Some(PLAIN.into()), ..MetaSchema::new("string") },
    Self::parse
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_patterns_say_what_the_functions_say(
            text in proptest::collection::vec(proptest::char::ranges(vec![
                '\0'..='\u{ff}', '\u{340}'..='\u{350}', '\u{1150}'..='\u{1170}', '\u{17b0}'..='\u{1810}',
                '\u{1ff0}'..='\u{2070}', '\u{27ff}'..='\u{2801}', '\u{3000}'..='\u{3170}', '\u{fe00}'..='\u{ffff}',
                '\u{1f600}'..='\u{1f610}',
            ].into()), 0..4),
        ) {
            let text: String = text.into_iter().collect();
            let fits = |pattern: &str| {
                jsonschema::is_valid(&serde_json::json!({ "pattern": pattern }), &serde_json::json!(text))
            };
            prop_assert_eq!(fits(PLAIN), is_plain(&text), "{:?}", text);
            prop_assert_eq!(fits(VISIBLE_LINE), is_line(&text) && is_visible(&text), "{:?}", text);
            prop_assert_eq!(
                fits(VISIBLE_LINE_OR_NONE), text.is_empty() || is_line(&text) && is_visible(&text), "{:?}", text
            );
        }
    }

    #[test]
    fn what_cannot_be_seen_is_no_line() {
        for good in ["Anna", "👩\u{200d}💻", "می\u{200c}خواهم", " x "] {
            assert!(Line::<9>::parse(good).is_ok(), "{good:?}");
        }
        for bad in ["", " ", "\u{200b}", "\u{feff}\u{2060} ", "a\u{202e}b", "a\nb", "a\u{2028}b", "\u{3164}"] {
            assert_eq!(Line::<9>::parse(bad), Err(InvalidText), "{bad:?}");
        }
        assert_eq!(Plain::<9>::parse(" a\n\tb ").unwrap().into_string(), "a\n\tb");
        assert!(Plain::<9>::parse("a\u{7}").is_err());
    }
}
