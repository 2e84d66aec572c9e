//! Pages for people, where everything else here is for programs: what a link in a mail opens.
//!
//! A page is a heading, a few sentences and at most one button. It loads nothing, stands in nobody's frame, is kept by
//! nobody and tells no other site its address, which may be a secret. Only one with a button runs a script: one of two
//! lines, always the same. No page does anything when it is only looked at: programs that read mails follow
//! their links.

use std::sync::LazyLock;

use askama::Template;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use poem::Response;
use sha2::{Digest as _, Sha256};

/// How pages look. Its hash is in the policy, so that no other style is taken.
const STYLE: &str = include_str!("page.css");

/// The script of a page that hands people on: it presses the button.
const SUBMIT: &str = "document.forms[0].submit()";

/// The script of any other button: it works once, so that who clicks twice is not shown what the second click did.
const ONCE: &str = "document.forms[0].onsubmit=function(){return !this.sent&&(this.sent=true)}";

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
        let policy = policy(self.button.is_some(), on).parse().expect("a policy is a header's value");
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
fn policy(has_button: bool, on: Option<&On<'_>>) -> String {
    static HASHES: LazyLock<[String; 3]> =
        LazyLock::new(|| [STYLE, SUBMIT, ONCE].map(|text| BASE64_STANDARD.encode(Sha256::digest(text))));
    let [style, submit, once] = &*HASHES;
    let (target, script) = match on.map(|on| reqwest::Url::parse(on.url)) {
        None => ("'self'".to_owned(), Some(once).filter(|_| has_button)),
        // Chromium also holds what the target redirects to against this, and that may be any host.
        Some(Ok(url)) => (format!("{} https:", url.origin().ascii_serialization()), Some(submit)),
        Some(Err(_)) => ("'none'".to_owned(), None),
    };
    let script = script.map(|hash| format!(" script-src 'sha256-{hash}';")).unwrap_or_default();
    format!(
        "default-src 'none';{script} style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'; form-action {target}"
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
    fn a_page_runs_no_script_but_that_of_its_button() {
        let page = Page { title: "T", paragraphs: &[], button: Some("Go"), note: None };
        let still = Page { button: None, ..page };
        let headers = still.answer(StatusCode::OK).headers()["content-security-policy"].clone();
        assert!(headers.to_str().unwrap().ends_with("form-action 'self'"), "{headers:?}");
        assert!(!headers.to_str().unwrap().contains("script-src"), "{headers:?}");
        assert!(!Html { page: &still, on: None }.render().unwrap().contains("<script"));

        let on = On { url: "http://127.0.0.1:9000/login", fields: &[("token", "a.b.c")] };
        for (on, target) in [(None, "'self'"), (Some(&on), "http://127.0.0.1:9000 https:")] {
            let policy = super::policy(true, on);
            assert!(policy.ends_with(&format!("form-action {target}")), "{policy}");
            let html = Html { page: &page, on }.render().unwrap();
            for tag in ["style", "script"] {
                assert_eq!(html.matches(&format!("<{tag}>")).count(), 1, "{html}");
                let rest = html.split(&format!("<{tag}>")).nth(1).unwrap();
                let text = rest.split(&format!("</{tag}>")).next().unwrap();
                assert!(policy.contains(&BASE64_STANDARD.encode(Sha256::digest(text))), "{tag}");
            }
            let action = html.contains("<form method=\"post\" action=\"http://127.0.0.1:9000/login\">");
            assert_eq!(action, on.is_some(), "{html}");
        }
    }
}
