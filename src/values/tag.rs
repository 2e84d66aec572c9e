use std::fmt;

use poem_openapi::registry::MetaSchema;
use unicode_normalization::UnicodeNormalization;
use usher_db::{Cell, Column, Value};

use super::text;

/// The longest tag, in characters.
const LONGEST: usize = 64;

/// A tag: lower-case letters and digits with single hyphens between them. `Early Bird!` becomes `early-bird`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Box<str>);

/// A text that leaves nothing of a tag, or too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tag needs a letter or digit and has at most {LONGEST} characters")]
pub struct InvalidTag;

impl Tag {
    /// Reads a tag as typed.
    pub fn parse(typed: &str) -> Result<Self, InvalidTag> {
        let lower = typed.nfc().collect::<String>().to_lowercase();
        let is_mark = unicode_normalization::char::is_combining_mark;
        let is_letter = |c: char| (c.is_alphanumeric() || is_mark(c)) && !text::is_zero_width(c);
        let words: Vec<_> = lower.split(|c| !is_letter(c)).filter(|word| !word.is_empty()).collect();
        let tag = words.join("-");
        if tag.is_empty() || tag.chars().count() > LONGEST {
            return Err(InvalidTag);
        }
        Ok(Self(tag.into()))
    }

    /// A tag that was stored, and so was checked before.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for Tag {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Tag {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl Column for Tag {
    fn read(cell: Cell<'_>) -> usher_db::Result<Self> {
        Ok(Self(String::read(cell)?.into()))
    }
}

impl From<&Tag> for Value {
    fn from(tag: &Tag) -> Self {
        Self::Text(Some(tag.0.to_string()))
    }
}

super::json_string!(
    impl[] Tag,
    "string_tag",
    MetaSchema {
        min_length: Some(1),
        max_length: Some(LONGEST),
        example: Some("early-bird".into()),
        ..MetaSchema::new_with_format("string", "usher-tag")
    },
    Tag::parse
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_lower_case_with_hyphens() {
        for (typed, tag) in [
            ("VIP", "vip"),
            (" Early  Bird! ", "early-bird"),
            ("a_b-c", "a-b-c"),
            ("Ärzte", "ärzte"),
            ("\u{130}stanbul", "i\u{307}stanbul"),
        ] {
            assert_eq!(Tag::parse(typed).unwrap().as_str(), tag);
        }
        assert_eq!(Tag::parse("!?"), Err(InvalidTag));
        assert_eq!(Tag::parse(&"x".repeat(65)), Err(InvalidTag));
    }
}
