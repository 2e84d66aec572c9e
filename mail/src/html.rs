//! HTML that is safe in a mail, and the text that says the same.

use std::{collections::HashSet, sync::LazyLock};

use ammonia::{Builder, UrlRelative};

/// Columns of the text that is made of HTML.
const COLUMNS: usize = 78;

/// Where links may lead.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// What may be styled. Nothing that moves a part over another one, hides it or loads a file.
const STYLES: [&str; 34] = [
    "background-color",
    "border",
    "border-bottom",
    "border-collapse",
    "border-color",
    "border-left",
    "border-radius",
    "border-right",
    "border-spacing",
    "border-style",
    "border-top",
    "border-width",
    "color",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-width",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "text-align",
    "text-decoration",
    "vertical-align",
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .url_schemes(HashSet::from(SCHEMES))
        // A mail has no page that an address could be relative to.
        .url_relative(UrlRelative::Deny)
        .add_generic_attributes(["style", "align", "dir"])
        .add_tag_attributes("table", ["width", "border", "cellpadding", "cellspacing", "role", "bgcolor"])
        .add_tag_attributes("td", ["width", "valign", "bgcolor"])
        .add_tag_attributes("th", ["width", "valign", "bgcolor"])
        .filter_style_properties(HashSet::from(STYLES))
        .link_rel(Some("noopener noreferrer"));
    builder
});

/// The same HTML with nothing in it that runs, loads anything but pictures, or leads anywhere but to pages, addresses
/// and telephone numbers.
pub fn sanitise(html: &str) -> String {
    CLEANER.clean(html).to_string()
}

/// What HTML says, for those who read text. Links stand below it, by number.
pub fn to_text(html: &str) -> String {
    let text = html2text::config::plain().string_from_read(html.as_bytes(), COLUMNS);
    // Only a width of nothing cannot be kept to.
    let text = text.unwrap_or_default();
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim().to_owned()
}

/// A text within HTML, or within one of its attributes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_runs_or_leads_astray_is_gone() {
        for (html, safe) in [
            ("<p onclick=\"a()\">Hi</p><script>a()</script>", "<p>Hi</p>"),
            ("<a href=\"javascript:a()\">x</a>", "<a rel=\"noopener noreferrer\">x</a>"),
            ("<img src=\"/logo.png\">", "<img>"),
            ("<iframe src=\"https://a.example\"></iframe><style>*{}</style>ok", "ok"),
            ("<form action=\"https://a.example\"><input name=\"p\"></form>", ""),
            ("<p style=\"color:red;position:fixed\">x</p>", "<p style=\"color:red\">x</p>"),
            ("<p style=\"background:url(https://a.example)\">x</p>", "<p style=\"\">x</p>"),
        ] {
            assert_eq!(sanitise(html), safe, "{html}");
        }
        let kept = "<a href=\"https://a.example/?a=1&amp;b=2\" rel=\"noopener noreferrer\">x</a>";
        assert_eq!(sanitise(kept), kept);
    }

    #[test]
    fn html_is_read_as_text() {
        let text = to_text(
            "<h1>News</h1><p>Hello &amp; welcome to <a href=\"https://a.example/x\">us</a>.</p><ul><li>one</li></ul>",
        );
        assert!(text.contains("News") && text.contains("Hello & welcome to"), "{text}");
        assert!(text.contains("https://a.example/x") && text.contains("* one"), "{text}");
        assert_eq!(to_text(""), "");
    }

    proptest! {
        #[test]
        fn an_escaped_text_is_only_text(text in ".{0,40}") {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            let cleaned = sanitise(&escaped);
            prop_assert!(!cleaned.contains('<'));
        }

        #[test]
        fn what_is_safe_stays(html in "(<p>|</p>|<a href='|https://a.example|'>|</a>|<script>|on|x|<!--|&lt;){0,12}") {
            let once = sanitise(&html);
            prop_assert_eq!(&sanitise(&once), &once);
            prop_assert!(!once.contains("<script"));
        }
    }
}
