//! What a row calls its member.

use std::borrow::Cow;

use serde_json::Value;
use usher_files::display_name;

use super::{
    blank::{is_blank, without_blanks},
    take::Bad,
};
use crate::{
    areas::members::types::Name,
    values::{Email, text},
};

/// The cells that tell a name.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NameCells<'a> {
    pub(super) whole: Option<&'a str>,
    pub(super) first: Option<&'a str>,
    pub(super) last: Option<&'a str>,
    /// The cell of the address, which may be `"Anna Lind" <anna@example.com>`.
    pub(super) address: Option<&'a str>,
}

/// What the parts of a name are called in a JSON object, in the words of most programs.
const WHOLE_KEYS: [&str; 9] =
    ["full", "fullName", "full_name", "displayName", "display_name", "formatted", "name", "display", "value"];
const FIRST_KEYS: [&str; 7] = ["first", "firstName", "first_name", "given", "givenName", "given_name", "forename"];
const LAST_KEYS: [&str; 8] =
    ["last", "lastName", "last_name", "family", "familyName", "family_name", "surname", "familyname"];

/// The name of a member, if a row tells one that can be seen.
pub(super) fn name(cells: NameCells<'_>) -> Result<Option<String>, Bad> {
    let (whole, first, last) = match cells.whole.and_then(of_object) {
        Some([whole, first, last]) => (whole, first.or(seen(cells.first)), last.or(seen(cells.last))),
        None => (seen(cells.whole), seen(cells.first), seen(cells.last)),
    };
    let joined = match (whole, first, last) {
        (Some(whole), None, None) => whole,
        (Some(whole), Some(first), Some(_)) if has_word(&whole, &first) || whole.contains(' ') => whole,
        (_, Some(first), Some(last)) => join(&first, &last),
        // Of two columns, the one that is called name has the other half, unless it has both.
        (Some(whole), Some(first), None) => {
            if has_word(&whole, &first) {
                whole
            } else {
                join(&first, &whole)
            }
        }
        (Some(whole), None, Some(last)) => {
            if has_word(&whole, &last) {
                whole
            } else {
                join(&whole, &last)
            }
        }
        (None, Some(one), None) | (None, None, Some(one)) => one,
        (None, None, None) => match cells.address.and_then(display_name).and_then(|name| seen(Some(name))) {
            Some(name) => name,
            None => return Ok(None),
        },
    };
    let name = Name::parse(&joined).map_err(|_| {
        let text = "The name is longer than 200 characters, or has a line break or a control character. Correct it.";
        ("invalid_name", Cow::Borrowed(text))
    })?;
    Ok(name.into_option())
}

/// A part of a name, if there is one: neither an address nor what a program writes for nothing.
fn seen(cell: Option<&str>) -> Option<String> {
    let cell = cell.filter(|cell| text::is_visible(cell) && !is_blank(cell) && !is_address(cell))?;
    Some(without_blanks(cell))
}

/// Whether a cell is an address, bare or in angle brackets.
fn is_address(cell: &str) -> bool {
    let cell = cell.trim().trim_start_matches('<').trim_end_matches('>');
    cell.contains('@') && Email::parse(cell).is_ok()
}

/// The whole, first and last name in a JSON object such as `{"first":"Anna","last":"Lind"}`.
fn of_object(cell: &str) -> Option<[Option<String>; 3]> {
    if !cell.starts_with('{') {
        return None;
    }
    let Ok(Value::Object(object)) = serde_json::from_str(cell) else {
        return None;
    };
    let part = |keys: &[&str]| {
        let found = |key: &&str| seen(object.get(*key)?.as_str());
        keys.iter().find_map(found)
    };
    Some([part(&WHOLE_KEYS), part(&FIRST_KEYS), part(&LAST_KEYS)])
}

/// Whether a name has another in it already.
fn has_word(name: &str, other: &str) -> bool {
    let (name, other) = (name.to_lowercase(), other.to_lowercase());
    let has_space = |c: char| c.is_whitespace() || c == ',';
    name == other || name.contains(&other) && (is_han(&other) || name.split(has_space).any(|word| other.contains(word)))
}

/// First and last name in the order of their language.
fn join(first: &str, last: &str) -> String {
    match is_han(first) && is_han(last) {
        true => format!("{last}{first}"),
        false if is_east_asian(first) && is_east_asian(last) => format!("{last} {first}"),
        false => format!("{first} {last}"),
    }
}

/// Whether a name is written in Chinese characters or in Hangul, without spaces.
fn is_han(name: &str) -> bool {
    name.chars().all(|c| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' | '\u{ac00}'..='\u{d7a3}' | '々'))
}

/// The same, or in kana.
fn is_east_asian(name: &str) -> bool {
    name.chars().all(|c| matches!(c, '\u{3040}'..='\u{30ff}') || is_han(c.encode_utf8(&mut [0; 4])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(whole: &str, first: &str, last: &str) -> Option<String> {
        let cell = |text| Some(text).filter(|text: &&str| !text.is_empty());
        name(NameCells { whole: cell(whole), first: cell(first), last: cell(last), address: None }).unwrap()
    }

    #[test]
    fn a_name_is_in_one_column_or_in_several() {
        for (whole, first, last, expected) in [
            ("Anna Lind", "A", "B", "Anna Lind"),
            ("", "Anna", "Lind", "Anna Lind"),
            ("", "", "Lind", "Lind"),
            ("Anna Lind", "", "", "Anna Lind"),
            // name, surname; and Name, Vorname.
            ("Anna", "", "Lind", "Anna Lind"),
            ("Lind", "Anna", "", "Anna Lind"),
            ("Anna Lind", "", "Lind", "Anna Lind"),
            ("Anna Lind", "Anna", "", "Anna Lind"),
            ("Ana María", "", "García López", "Ana María García López"),
            ("Ana García López", "", "García López", "Ana García López"),
            ("Anna", "Anna", "Lind", "Anna"),
            ("", "太郎", "山田", "山田太郎"),
            ("철수", "", "김", "김철수"),
            ("", "タロウ", "ヤマダ", "ヤマダ タロウ"),
            ("", "\u{200b}", "Lind", "Lind"),
        ] {
            assert_eq!(told(whole, first, last).as_deref(), Some(expected), "{whole:?} {first:?} {last:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_no_name() {
        for nothing in
            ["", " ", "\u{a0}", "\u{a0}\u{a0}", "\u{200b}", "\u{2060}\u{feff}", "\u{ad}", "\u{3164}", "\u{2800}"]
        {
            assert_eq!(told(nothing, "", ""), None, "{nothing:?}");
            assert_eq!(told("", nothing, nothing), None, "{nothing:?}");
        }
        assert_eq!(
            name(NameCells { whole: Some("two\nlines"), ..NameCells::default() }).unwrap_err().0,
            "invalid_name"
        );
    }

    #[test]
    fn what_stands_for_nothing_is_no_part_of_a_name() {
        for (whole, first, last, expected) in [
            ("NULL", "", "", None),
            ("N/A", "", "", None),
            ("-", "", "", None),
            ("None", "", "", None),
            ("undefined undefined", "", "", None),
            ("#N/A", "", "", None),
            ("", "Eva", "NULL", Some("Eva")),
            ("", "#REF!", "Lind", Some("Lind")),
            ("NULL", "Eva", "Lind", Some("Eva Lind")),
            ("Eva undefined", "", "", Some("Eva")),
            ("", "Eva", "Null", Some("Eva Null")),
            ("eva@x.example", "", "", None),
            ("<eva@x.example>", "", "", None),
            ("Eva@X.example", "Eva", "", Some("Eva")),
            ("", "eva@x.example", "Lind", Some("Lind")),
            ("@eva", "", "", Some("@eva")),
        ] {
            assert_eq!(told(whole, first, last).as_deref(), expected, "{whole:?} {first:?} {last:?}");
        }
        let only = |address| name(NameCells { address: Some(address), ..NameCells::default() }).unwrap();
        assert_eq!(only("\"undefined undefined\" <b@x.example>"), None);
    }

    #[test]
    fn a_name_may_be_a_json_object() {
        for (cell, expected) in [
            (r#"{"first":"Anna","last":"Lind"}"#, Some("Anna Lind")),
            (r#"{"given_name":"Anna","family_name":"Lind"}"#, Some("Anna Lind")),
            (r#"{"firstName":"Anna","lastName":null}"#, Some("Anna")),
            (r#"{"full":"Anna Lind","first":"A","last":"L"}"#, Some("Anna Lind")),
            (r#"{"first":"NULL","last":"Lind"}"#, Some("Lind")),
            ("{}", None),
            (r#"{"id":3}"#, None),
        ] {
            assert_eq!(told(cell, "", "").as_deref(), expected, "{cell}");
        }
        assert_eq!(told("{Anna}", "", "").as_deref(), Some("{Anna}"));
    }

    #[test]
    fn a_name_stands_before_its_address() {
        let of = |address| name(NameCells { address: Some(address), ..NameCells::default() }).unwrap();
        assert_eq!(of("\"John Smith\" <b@x.example>").as_deref(), Some("John Smith"));
        assert_eq!(of("b@x.example"), None);
        assert_eq!(of("\"\u{a0}\" <b@x.example>"), None);
        let both = NameCells { whole: Some("Ben"), address: Some("John <b@x.example>"), ..NameCells::default() };
        assert_eq!(name(both).unwrap().as_deref(), Some("Ben"));
    }
}
