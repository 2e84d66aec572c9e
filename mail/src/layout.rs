//! What a mail looks like: one column that is as wide as the window and not wider than is read with ease, in the few
//! things that all mail programs draw. Tables, as some know nothing else; styles on each part, as some drop the rest.

use crate::html::escape;

/// What a page of mail is made of.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Its title, which screen readers say.
    pub title: &'a str,
    /// Whose it is; stands on top.
    pub sender: &'a str,
    /// What it says: HTML.
    pub body: &'a str,
    /// What stands small below it: HTML.
    pub footer: &'a str,
}

/// A whole document.
pub fn page(page: Page<'_>) -> String {
    include_str!("layout.html")
        .replace("[title]", &escape(page.title))
        .replace("[sender]", &escape(page.sender))
        .replace("[footer]", page.footer)
        .replace("[body]", page.body)
}

/// A link to be pressed, which also stands there to be read and copied.
pub fn button(label: &str, url: &str) -> String {
    include_str!("button.html").replace("[label]", &escape(label)).replace("[url]", &escape(url))
}

/// A paragraph of text.
pub fn paragraph(text: &str) -> String {
    format!("<p style=\"margin:0 0 16px\">{}</p>", escape(text))
}

/// Small text with a link at its end.
pub fn small_link(text: &str, label: &str, url: &str) -> String {
    format!("{} <a href=\"{}\" style=\"color:#5b6472\">{}</a>", escape(text), escape(url), escape(label))
}
