//! The guide to access, with the table of reasons in it.

use super::{
    decide::decide,
    examples::{NOW, examples},
};
use crate::areas::guide::table;

/// The guide, in Markdown.
pub fn guide() -> String {
    let rows = examples().into_iter().map(|example| {
        let checks = decide(&example.facts, NOW).checks;
        let found = checks.into_iter().find(|check| check.is_decisive).map(|check| check.detail);
        let (name, about) = (format!("`{}`", example.reason.name()), example.reason.about().to_owned());
        [name, about, example.told.to_owned(), found.unwrap_or_default()]
    });
    include_str!("guide.md")
        .replace("{now}", &NOW.to_string())
        .replace("{reasons}", &table(["Reason", "Meaning", "Example", "What it finds"], rows))
}
