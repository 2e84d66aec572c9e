//! Placeholders: `{{first_name}}` in a text stands for what the recipient is called. With `{{first_name|there}}` it is
//! `there` for those of whom it is not known.
//!
//! A text with a placeholder that nobody knows, or with `{{` that nothing closes, is no text to send: it is found out
//! before anything goes out ([`check`]), as a person who reads `Hello {{frist_name}}` cannot be written to again for the
//! first time.

use std::collections::BTreeMap;

use crate::html;

/// The longest part between the braces that is quoted in an error, in characters.
const QUOTED: usize = 60;

/// What placeholders stand for, by name. Empty where it is not known.
pub type Values = BTreeMap<String, String>;

/// Where a text goes, which says what a value must not do in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Into {
    /// Text: as it is.
    Text,
    /// One line: line breaks and tabs become blanks.
    Line,
    /// HTML: as text within it.
    Html,
}

/// Why a text cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Nobody knows what it stands for.
    #[error("the placeholder {{{{{0}}}}} is unknown")]
    Unknown(String),
    /// `{{` without `}}`.
    #[error("{{{{ is not closed by }}}}, before {0:?}")]
    Open(String),
}

/// A part of a text.
enum Part<'a> {
    Text(&'a str),
    Placeholder { name: &'a str, otherwise: &'a str },
}

/// Makes sure that every placeholder is known.
pub fn check(text: &str, known: &dyn Fn(&str) -> bool) -> Result<(), Wrong> {
    parts(text).try_for_each(|part| match part? {
        Part::Placeholder { name, .. } if !known(name) => Err(Wrong::Unknown(quoted(name))),
        _ => Ok(()),
    })
}

/// The placeholders of a text, in its order, each as often as it stands there.
pub fn names(text: &str) -> Result<Vec<&str>, Wrong> {
    let name = |part| match part {
        Ok(Part::Placeholder { name, .. }) => Some(Ok(name)),
        Ok(Part::Text(_)) => None,
        Err(wrong) => Some(Err(wrong)),
    };
    parts(text).filter_map(name).collect()
}

/// Puts values in the places of their placeholders. A value is never looked through for placeholders itself.
pub fn fill(text: &str, values: &Values, into: Into) -> Result<String, Wrong> {
    let mut filled = String::with_capacity(text.len());
    for part in parts(text) {
        match part? {
            Part::Text(text) => filled.push_str(text),
            Part::Placeholder { name, otherwise } => {
                let value = values.get(name).ok_or_else(|| Wrong::Unknown(quoted(name)))?;
                match (value.is_empty(), into) {
                    // What stands there for want of a value is the author's own, as the text around it.
                    (true, _) => filled.push_str(otherwise),
                    (false, Into::Text) => filled.push_str(value),
                    (false, Into::Line) => filled.push_str(&value.replace(char::is_control, " ")),
                    (false, Into::Html) => filled.push_str(&html::escape(value)),
                }
            }
        }
    }
    Ok(filled)
}

fn parts(text: &str) -> impl Iterator<Item = Result<Part<'_>, Wrong>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(inside) = rest.strip_prefix("{{") else {
            let end = rest.find("{{").unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            rest = after;
            return Some(Ok(Part::Text(text)));
        };
        let Some(end) = inside.find("}}") else {
            rest = "";
            return Some(Err(Wrong::Open(quoted(inside))));
        };
        rest = &inside[end + 2..];
        let (name, otherwise) = inside[..end].split_once('|').unwrap_or((&inside[..end], ""));
        Some(Ok(Part::Placeholder { name: name.trim(), otherwise: otherwise.trim() }))
    })
}

fn quoted(text: &str) -> String {
    text.chars().take(QUOTED).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> Values {
        let pairs = [("first_name", "Anna"), ("name", "Anna <b>\nB"), ("plan_name", ""), ("odd", "{{name}}")];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn values_take_the_places() {
        for (text, into, filled) in [
            ("Hi {{first_name}}!", Into::Text, "Hi Anna!"),
            ("Hi {{ first_name }}, {{plan_name|no plan}}", Into::Text, "Hi Anna, no plan"),
            ("{{name}}", Into::Html, "Anna &lt;b&gt;\nB"),
            ("{{name}}", Into::Line, "Anna <b> B"),
            ("{{plan_name}}", Into::Text, ""),
            ("{{odd}}", Into::Text, "{{name}}"),
            ("{ {first_name} }", Into::Text, "{ {first_name} }"),
            ("", Into::Text, ""),
        ] {
            assert_eq!(fill(text, &values(), into).as_deref(), Ok(filled), "{text}");
        }
    }

    #[test]
    fn what_nobody_knows_is_named() {
        let known = |name: &str| values().contains_key(name);
        assert_eq!(check("Hi {{frist_name}}", &known), Err(Wrong::Unknown("frist_name".into())));
        assert_eq!(check("Hi {{first_name}", &known), Err(Wrong::Open("first_name}".into())));
        assert_eq!(check("{{}}", &known), Err(Wrong::Unknown(String::new())));
        assert_eq!(check("{{first_name}} {{name}}", &known), Ok(()));
        assert_eq!(fill("{{x}}", &values(), Into::Text), Err(Wrong::Unknown("x".into())));
        assert_eq!(Wrong::Unknown("x".into()).to_string(), "the placeholder {{x}} is unknown");
        assert_eq!(names("{{a}} b {{c|d}}"), Ok(vec!["a", "c"]));
    }

    proptest! {
        #[test]
        fn what_is_checked_can_be_filled(text in "(\\{\\{|\\}\\}|\\{|\\}|first_name|\\||a| ){0,12}") {
            let known = |name: &str| values().contains_key(name);
            prop_assert_eq!(check(&text, &known).is_ok(), fill(&text, &values(), Into::Text).is_ok());
        }
    }
}
