use std::fmt;

use poem_openapi::registry::MetaSchema;
use unicode_normalization::UnicodeNormalization;
use usher_db::{Cell, Column, Value};

use super::Title;

/// The longest slug, in characters.
const LONGEST: usize = 100;

/// The same as a pattern.
pub(super) const PATTERN: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";

/// Characters of a title's slug, so that a number has room behind it.
const OF_TITLE: usize = 80;

/// What stands for something in addresses: letters a to z, digits, and single hyphens between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(Box<str>);

/// A text that is no slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("letters a to z, digits and single hyphens between them, at most {LONGEST} characters")]
pub struct InvalidSlug;

impl Slug {
    /// Reads a slug.
    pub fn parse(text: &str) -> Result<Self, InvalidSlug> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if text.len() > LONGEST || !text.split('-').all(is_word) {
            return Err(InvalidSlug);
        }
        Ok(Self(text.into()))
    }

    /// The slug of a title: `Café & Öl` becomes `cafe-ol`. `None` if nothing is left of it.
    pub fn of(title: &Title) -> Option<Self> {
        // Decomposed, so that a letter is left when its accent goes.
        let plain: String =
            title.as_str().nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect();
        let lower = plain.to_lowercase().replace('ß', "ss");
        let words: Vec<_> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let slug: String = words.join("-").chars().take(OF_TITLE).collect();
        Self::parse(slug.trim_end_matches('-')).ok()
    }

    /// The same with a number behind it.
    pub fn numbered(&self, number: u32) -> Self {
        Self(format!("{}-{number}", self.0).into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Column for Slug {
    fn read(cell: Cell<'_>) -> usher_db::Result<Self> {
        Ok(Self(String::read(cell)?.into()))
    }
}

impl From<&Slug> for Value {
    fn from(slug: &Slug) -> Self {
        Self::Text(Some(slug.0.to_string()))
    }
}

super::json_string!(
    impl[] Slug,
    "string_slug",
    MetaSchema {
        min_length: Some(1),
        max_length: Some(LONGEST),
        pattern: Some(PATTERN.into()),
        example: Some("lesson-1-the-brush".into()),
        ..MetaSchema::new("string")
    },
    Slug::parse
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_gives_a_slug_unless_it_has_no_letter() {
        let of = |title: &str| Slug::of(&Title::parse(title).unwrap()).map(|slug| slug.to_string());
        assert_eq!(of("Lesson 1: The Brush!").as_deref(), Some("lesson-1-the-brush"));
        assert_eq!(of("Café & Öl").as_deref(), Some("cafe-ol"));
        assert_eq!(of("日本"), None);
        assert_eq!(of(&"word ".repeat(40)).unwrap().len(), 79);
    }

    #[test]
    fn a_slug_has_single_hyphens_between_words() {
        assert!(Slug::parse("lesson-1").is_ok());
        for bad in ["", "-a", "a-", "a--b", "A", "a b", "ä", &"a".repeat(LONGEST + 1)] {
            assert_eq!(Slug::parse(bad), Err(InvalidSlug), "{bad:?}");
        }
    }
}
