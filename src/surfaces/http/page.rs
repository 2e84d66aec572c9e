//! Pages for people, where everything else here is for programs: what a link in a mail opens.
//!
//! A page is a heading, a few sentences and at most one button. It loads nothing, stands in nobody's frame, is kept by
//! nobody and tells no other site its address, which may be a secret. Only one that hands people on runs a script, which
//! is one line and always the same. No page does anything when it is only looked at: programs that read mails follow
//! their links.

use std::sync::LazyLock;

use askama::Template;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use poem::Response;
use sha2::{Digest as _, Sha256};

/// How pages look. Its hash is in the policy, so that no other style is taken.
const STYLE: &str = include_str!("page.css");

/// The one script there is: it presses the button.
const SUBMIT: &str = "document.forms[0].submit()";

/// What a page says.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    /// Paragraphs, as text.
    pub(super) paragraphs: &'a [String],
    /// A button that posts to the page's own address, with its label.
    pub(super) button: Option<&'a str>,
    /// Small print, as text.
    pub(super) note: Option<&'a str>,
}

/// Where a page's button goes instead of to the page itself, and what it takes along. A browser that runs scripts goes
/// by itself; the button is for the others.
pub(super) struct On<'a> {
    pub(super) url: &'a str,
    pub(super) fields: &'a [(&'a str, &'a str)],
}

#[derive(Template)]
#[template(path = "page.html")]
struct Html<'a> {
    page: &'a Page<'a>,
    on: Option<&'a On<'a>>,
}

impl Page<'_> {
    /// The page as an answer that nobody keeps, frames or finds.
    pub(super) fn answer(&self, status: StatusCode) -> Response {
        self.respond(status, None)
    }

    /// The same, of a page whose button hands people on.
    pub(super) fn hand_on(&self, on: &On<'_>) -> Response {
        self.respond(StatusCode::OK, Some(on))
    }

    fn respond(&self, status: StatusCode, on: Option<&On<'_>>) -> Response {
        let html = Html { page: self, on }.render().expect("a page is written to memory");
        let mut response = Response::builder().status(status).content_type("text/html; charset=utf-8").body(html);
        let headers = response.headers_mut();
        let policy = policy(on).parse().expect("a policy is a header's value");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        for (name, value) in [
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// The Content-Security-Policy (CSP level 3) of a page.
fn policy(on: Option<&On<'_>>) -> String {
    static HASHES: LazyLock<[String; 2]> =
        LazyLock::new(|| [STYLE, SUBMIT].map(|text| BASE64_STANDARD.encode(Sha256::digest(text))));
    let [style, script] = &*HASHES;
    let target = match on.map(|on| reqwest::Url::parse(on.url)) {
        None => "'self'".to_owned(),
        // Chromium also holds what the target redirects to against this, and that may be any host.
        Some(Ok(url)) => format!("{} https:; script-src 'sha256-{script}'", url.origin().ascii_serialization()),
        Some(Err(_)) => "'none'".to_owned(),
    };
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'; form-action {target}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_s_name_is_text_and_never_markup() {
        let name = "<script>alert(1)</script> & \"Co\"";
        let page = Page { title: name, paragraphs: &[name.to_owned()], button: Some(name), note: Some(name) };
        let on = On { url: "https://example.com/\"><b>", fields: &[("token", "\"><b>")] };
        for on in [None, Some(&on)] {
            let html = Html { page: &page, on }.render().unwrap();
            assert!(!html.contains("<script>alert") && !html.contains("<b>"), "{html}");
            assert_eq!(
                html.matches("&#60;script&#62;alert(1)&#60;/script&#62; &#38; &#34;Co&#34;").count(),
                5,
                "{html}"
            );
        }
    }

    #[test]
    fn a_page_runs_no_script_unless_it_hands_on_and_then_only_the_one() {
        let page = Page { title: "T", paragraphs: &[], button: Some("Go"), note: None };
        let alone = page.answer(StatusCode::OK);
        let policy = alone.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.ends_with("form-action 'self'") && !policy.contains("script-src"), "{policy}");

        let on = On { url: "http://127.0.0.1:9000/login", fields: &[("token", "a.b.c")] };
        let policy = super::policy(Some(&on));
        assert!(policy.contains("form-action http://127.0.0.1:9000 https:; script-src 'sha256-"), "{policy}");
        let html = Html { page: &page, on: Some(&on) }.render().unwrap();
        for tag in ["style", "script"] {
            let rest = html.split(&format!("<{tag}>")).nth(1).unwrap();
            let text = rest.split(&format!("</{tag}>")).next().unwrap();
            assert!(policy.contains(&BASE64_STANDARD.encode(Sha256::digest(text))), "{tag}");
        }
        assert!(html.contains("<form method=\"post\" action=\"http://127.0.0.1:9000/login\">"), "{html}");
    }
}
