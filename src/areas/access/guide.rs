//! The guide to access, with the table of reasons in it.

use super::{
    decide::decide,
    examples::{NOW, examples, other_plan},
    found::Words,
};
use crate::{
    areas::guide::table,
    values::{Kind, kind},
};

/// The guide, in Markdown.
pub fn guide() -> String {
    let names = [
        (<kind::Bundle as Kind>::EXAMPLE.to_owned(), "The course".to_owned()),
        (other_plan().to_string(), "Platinum".to_owned()),
    ]
    .into();
    let words = Words { names, ..Words::default() };
    let rows = examples().into_iter().map(|example| {
        let checks = decide(&example.facts, NOW).checks;
        let found = checks.into_iter().find(|check| check.is_decisive).map(|check| check.found.sentence(&words));
        let (name, about) = (format!("`{}`", example.reason.name()), example.reason.about().to_owned());
        [name, about, example.told.to_owned(), found.unwrap_or_default()]
    });
    include_str!("guide.md")
        .replace("{now}", &NOW.to_string())
        .replace("{reasons}", &table(["Reason", "Meaning", "Example", "What it finds"], rows))
}
