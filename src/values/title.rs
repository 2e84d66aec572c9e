use std::fmt;

use poem_openapi::registry::MetaSchema;
use usher_db::{Cell, Column, Value};

use super::text;

/// The longest title, in characters.
const LONGEST: usize = 200;

/// What a video, a bundle or a group is called: one line, without outer space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(Box<str>);

/// A text that is no title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one line of 1 to {LONGEST} characters that are not all space")]
pub struct InvalidTitle;

impl Title {
    /// Reads a title as typed.
    pub fn parse(text: &str) -> Result<Self, InvalidTitle> {
        if !text::is_line(text) || !text::is_visible(text) || text.chars().count() > LONGEST {
            return Err(InvalidTitle);
        }
        Ok(Self(text.trim().into()))
    }

    /// That of what came without one.
    pub fn unknown() -> Self {
        Self("Untitled".into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Column for Title {
    fn read(cell: Cell<'_>) -> usher_db::Result<Self> {
        Ok(Self(String::read(cell)?.into()))
    }
}

impl From<&Title> for Value {
    fn from(title: &Title) -> Self {
        Self::Text(Some(title.0.to_string()))
    }
}

super::json_string!(
    impl[] Title,
    "string_title",
    MetaSchema {
        min_length: Some(1),
        max_length: Some(LONGEST),
        pattern: Some(text::VISIBLE_LINE.into()),
        example: Some("Lesson 1: The brush".into()),
        ..MetaSchema::new("string")
    },
    Title::parse
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_that_says_something() {
        assert_eq!(Title::parse(" Lesson 1 ").unwrap().as_str(), "Lesson 1");
        for bad in ["", "  ", "\u{200b}", "one\ntwo", "\0", &"x".repeat(LONGEST + 1)] {
            assert_eq!(Title::parse(bad), Err(InvalidTitle), "{bad:?}");
        }
    }
}
