use std::fmt;

use poem_openapi::registry::MetaSchema;

/// The longest path, in bytes.
const LONGEST: usize = 2000;

/// A path, as a pattern. What begins with two slashes would name another host, and browsers take a backslash for a slash.
pub(super) const PATTERN: &str = r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$";

/// A path at a site, with what may come after it: `/videos/12?t=30#notes`. It can lead to no other site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitePath(Box<str>);

/// A text that is no path at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path like /videos/12: one slash first, printable ASCII without backslashes, at most {LONGEST} characters")]
pub struct InvalidSitePath;

impl SitePath {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, InvalidSitePath> {
        let is_path = text.starts_with('/') && !text.starts_with("//");
        if !is_path || text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return Err(InvalidSitePath);
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
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
        pattern: Some(PATTERN.into()),
        example: Some("/videos/12".into()),
        ..MetaSchema::new("string")
    },
    SitePath::parse
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_no_other_site() {
        for path in ["/", "/videos/12?t=30#notes", "/a//b", "/@x", "/%2F"] {
            assert_eq!(SitePath::parse(path).unwrap().as_str(), path);
            let url = reqwest::Url::parse("https://site.example/login").unwrap().join(path).unwrap();
            assert_eq!(url.host_str(), Some("site.example"), "{path}");
        }
        for other in [
            "",
            "videos",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a b",
            "/\t/evil.example",
            "/é",
        ] {
            assert_eq!(SitePath::parse(other), Err(InvalidSitePath), "{other}");
        }
        assert!(SitePath::parse(&format!("/{}", "a".repeat(LONGEST))).is_err());
    }
}
