//! A request as the bytes that are sent.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

/// The version of Stripe's API that requests are written in and answers are asked for in. It is that of async-stripe's
/// types, and changes with them.
pub const API_VERSION: &str = "2026-09-30.endive";

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Writes.
    Post,
    /// Ends.
    Delete,
}

impl Method {
    /// Its name in HTTP.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A request, in the very bytes that are sent: what must be kept before a write is first sent, and sent again unchanged.
///
/// Its `Debug` shows where it goes and nothing of what it says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRequest {
    /// How it is sent.
    pub method: Method,
    /// Where to, such as `/v1/customers`.
    pub path: String,
    /// What follows the `?`, encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The form, encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The version of the API that it was written in, and is sent in whenever that is.
    pub version: String,
}

impl StoredRequest {
    /// What the form says under a name.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut url = reqwest::Url::parse("http://localhost/").ok()?;
        url.set_query(self.body.as_deref());
        url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The same request with one more parameter in its query.
    pub(crate) fn with_query(&self, name: &str, value: &str) -> Self {
        let mut query = self.query.clone().unwrap_or_default();
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        query.push_str(&encoded(value));
        Self { query: Some(query), ..self.clone() }
    }
}

impl fmt::Debug for StoredRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.method.as_str(), self.path, self.version)
    }
}

/// A request that knows what its answer is.
pub struct Request<T> {
    stored: StoredRequest,
    answer: PhantomData<fn() -> T>,
}

impl<T> Request<T> {
    pub(crate) fn new(stored: StoredRequest) -> Self {
        Self { stored, answer: PhantomData }
    }

    /// Its bytes.
    pub fn stored(&self) -> &StoredRequest {
        &self.stored
    }

    /// Its bytes, to keep.
    pub fn into_stored(self) -> StoredRequest {
        self.stored
    }
}

impl<T> Clone for Request<T> {
    fn clone(&self) -> Self {
        Self::new(self.stored.clone())
    }
}

impl<T> fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stored.fmt(f)
    }
}

/// A text for a query, a form or one segment of a path: all but letters, digits and `-._~` is `%XX`.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_types() {
        assert_eq!(stripe_client_core::VERSION.to_string(), API_VERSION);
    }

    #[test]
    fn it_is_kept_as_it_is_and_shows_nothing() {
        let request = StoredRequest {
            method: Method::Post,
            path: "/v1/customers".into(),
            query: None,
            body: Some("email=ann%40example.org".into()),
            version: "2020-08-27".into(),
        };
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(
            text,
            r#"{"method":"POST","path":"/v1/customers","body":"email=ann%40example.org","version":"2020-08-27"}"#
        );
        assert_eq!(serde_json::from_str::<StoredRequest>(&text).unwrap(), request);
        assert_eq!(format!("{request:?}"), "POST /v1/customers (2020-08-27)");
        assert_eq!(request.parameter("email").as_deref(), Some("ann@example.org"));
        assert_eq!(request.parameter("name"), None);
        assert_eq!(request.with_query("a", "b/ü").with_query("c", "").query.unwrap(), "a=b%2F%C3%BC&c=");
    }
}
