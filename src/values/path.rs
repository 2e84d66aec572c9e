use std::fmt;

use poem_openapi::registry::MetaSchema;
use reqwest::Url;

/// The longest path, in bytes.
const LONGEST: usize = 2000;

/// A path, as a pattern. What begins with two slashes would name another host, and browsers take a backslash for a slash.
pub(super) const PATTERN: &str = r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$";

/// The `format` of paths: more than the pattern can say.
pub const FORMAT: &str = "usher-site-path";

/// A site that paths are read at.
const SITE: &str = "https://site.invalid";

/// How often a path is decoded, to see what it leads to behind servers that decode it.
const ROUNDS: usize = 4;

/// A path at a site, with what may come after it: `/videos/12?t=30#notes`, as a browser writes it (`/a/../b` is `/b`). It
/// can lead to no other site, also where a server decodes it before it redirects there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitePath(Box<str>);

/// A text that is no path at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a path at the site like /videos/12: one slash first, printable ASCII without backslashes, at most {LONGEST} \
     characters, and nothing that leads to another site"
)]
pub struct InvalidSitePath;

impl SitePath {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, InvalidSitePath> {
        let is_path = text.starts_with('/') && !text.starts_with("//");
        if !is_path || text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return Err(InvalidSitePath);
        }
        let url = at_site(text.as_bytes())?;
        let mut decoded = url.path().as_bytes().to_vec();
        for _ in 0..ROUNDS {
            at_site(&decoded)?;
            let more = decode(&decoded);
            if more == decoded {
                let path = url.as_str().strip_prefix(SITE).unwrap_or_default();
                return Some(Self(path.into())).filter(|path| path.0.len() <= LONGEST).ok_or(InvalidSitePath);
            }
            decoded = more;
        }
        Err(InvalidSitePath)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a browser makes of a path at a site; none if it leads away, or would if it was read once more.
fn at_site(text: &[u8]) -> Result<Url, InvalidSitePath> {
    let site = Url::parse(SITE).map_err(|_| InvalidSitePath)?;
    let url = site.join(&String::from_utf8_lossy(text)).map_err(|_| InvalidSitePath)?;
    let is_here = url.origin() == site.origin() && url.username().is_empty() && url.password().is_none();
    Some(url).filter(|url| is_here && !url.path().starts_with("//")).ok_or(InvalidSitePath)
}

/// A text with its `%41` as `A`.
fn decode(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(byte) = text.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

impl fmt::Display for SitePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::json_string!(
    impl[] SitePath,
    "string_site_path",
    MetaSchema {
        max_length: Some(LONGEST),
        format: Some(FORMAT),
        pattern: Some(PATTERN.into()),
        example: Some("/videos/12".into()),
        ..MetaSchema::new("string")
    },
    SitePath::parse
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_kept_as_a_browser_writes_it() {
        for (path, kept) in [
            ("/", "/"),
            ("/videos/12?t=30#notes", "/videos/12?t=30#notes"),
            ("/a//b", "/a//b"),
            ("/@x", "/@x"),
            ("/a/../b", "/b"),
            ("/./a", "/a"),
            ("/../../a", "/a"),
            ("/a/%2e%2e/b", "/b"),
            ("/%41%20b", "/%41%20b"),
            ("/a%2Fb", "/a%2Fb"),
            ("/..%5cx", "/..%5cx"),
            ("/100%", "/100%"),
            ("/?next=//evil.example", "/?next=//evil.example"),
            ("/?a=%2F%5C%09", "/?a=%2F%5C%09"),
            ("/#//evil.example", "/#//evil.example"),
            ("/a:b", "/a:b"),
            ("/https://evil.example", "/https://evil.example"),
            ("/\"<>", "/%22%3C%3E"),
        ] {
            assert_eq!(SitePath::parse(path).map(|path| path.to_string()), Ok(kept.to_owned()), "{path}");
        }
    }

    #[test]
    fn what_leads_to_another_site_is_no_path() {
        for other in [
            "",
            "videos",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "/..//evil.example",
            "/.//evil.example",
            "/a/..//evil.example",
            "/a/%2e%2e//evil.example",
            "/%2e%2E//evil.example",
            "/%2e/%2f/evil.example",
            "/%2F",
            "/%2f/evil.example",
            "/%2fevil.example",
            "/%5cevil.example",
            "/%5Cevil.example",
            "/a/..%2f%2fevil.example",
            "/..%2f/evil.example",
            "/%2e%2e%5c%5cevil.example",
            "/%09/evil.example",
            "/%0a/evil.example",
            "/%0d%0a/evil.example",
            "/%252fevil.example",
            "/%25252f/evil.example",
            "/%25252525252525252fevil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r/evil.example",
            "\t//evil.example",
            "/\0/evil.example",
            "/\u{7f}",
            "/a b",
            "/é",
            "/\u{2028}",
            "https://evil.example",
            "https:evil.example",
            "HTTPS:/evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "mailto:a@b.example",
            "?next=/",
            "#top",
            "@evil.example",
        ] {
            assert_eq!(SitePath::parse(other), Err(InvalidSitePath), "{other:?}");
        }
        assert!(SitePath::parse(&format!("/{}", "a".repeat(LONGEST))).is_err());
        assert!(SitePath::parse(&format!("/{}", "<".repeat(LONGEST - 1))).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_taken_stays_at_the_site_however_often_it_is_read(text in r"/[./\\%25cCfF09aAeE@:?#evil]{0,24}") {
            let Ok(path) = SitePath::parse(&text) else { return Ok(()) };
            let site = Url::parse("https://shop.example/login?x=1").unwrap();
            let mut read = path.as_str().to_owned();
            prop_assert_eq!(SitePath::parse(&read), Ok(path));
            for _ in 0..6 {
                let url = site.join(&read).unwrap();
                prop_assert_eq!(url.host_str(), Some("shop.example"), "{} of {}", read, text);
                let (path, rest) = read.split_at(read.find(['?', '#']).unwrap_or(read.len()));
                read = String::from_utf8_lossy(&decode(path.as_bytes())).into_owned() + rest;
            }
        }
    }
}
