//! The guide to billing, with what a key must be allowed to do and the events to choose.

use super::{check::NEEDED, webhook::EVENTS};
use crate::areas::guide::table;

/// The guide, in Markdown.
pub fn guide() -> String {
    let needed = NEEDED.into_iter().map(|(what, needed_for)| [what.to_owned(), needed_for.to_owned()]);
    let events: Vec<_> = EVENTS.into_iter().map(|kind| format!("`{kind}`")).collect();
    include_str!("guide.md")
        .replace("{permissions}", &table(["Permission", "For"], needed))
        .replace("{events}", &events.join(", "))
}
