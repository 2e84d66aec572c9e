//! Answers as HTTP says them: the envelope, its status and its headers.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use poem::Response;

use super::{
    compress::{self, Encoding},
    status,
};
use crate::{
    error::{Code, Error},
    gate::{Answer, Bucket, Budgets, Standing},
    tools::{CATALOG, Kind},
    values::RequestId,
};

/// What a request asked of its answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Preferences {
    /// `Prefer: handling=strict`: a tool's refusal gets a 4xx.
    pub strict: bool,
    /// `Prefer: wait=N`: seconds to wait for a job's end.
    pub wait_s: Option<u64>,
}

/// The longest that `Prefer: wait` waits, in seconds.
const LONGEST_WAIT_S: u64 = 30;

impl Preferences {
    /// Reads `Prefer` (RFC 7240). What is not understood is ignored, as the RFC wants.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        let values = headers.get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
        for preference in values.flat_map(|value| value.split(',')) {
            let (name, value) = preference.split(';').next().unwrap_or_default().split_once('=').unwrap_or_default();
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "handling" => found.strict = value.eq_ignore_ascii_case("strict"),
                "wait" => found.wait_s = value.parse().ok().map(|seconds: u64| seconds.min(LONGEST_WAIT_S)),
                _ => {}
            }
        }
        found
    }

    fn applied(self, waited: bool) -> Option<String> {
        let strict = self.strict.then(|| "handling=strict".to_owned());
        let wait = self.wait_s.filter(|_| waited).map(|seconds| format!("wait={seconds}"));
        let applied: Vec<_> = strict.into_iter().chain(wait).collect();
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}

/// The answer of the gate.
pub(super) fn response(
    answer: Answer,
    request: &RequestId,
    preferences: Preferences,
    encoding: Option<Encoding>,
) -> Response {
    let status = status::of(answer.code, answer.by_tool, preferences.strict);
    let body = line(answer.body);
    let mut response = match encoding.filter(|_| body.len() >= compress::WORTHWHILE) {
        None => json_bytes(status, body),
        Some(encoding) => {
            let mut response = json_bytes(status, encoding.quickly(body.as_bytes()));
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
            response
        }
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let headers = response.headers_mut();
    common(headers, request, answer.code, answer.retry_after_s);
    if let Some((standing, budgets)) = &answer.standing {
        budget(headers, standing, budgets);
    }
    if answer.replayed {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    if let Some(applied) = preferences.applied(answer.waited) {
        set(headers, "preference-applied", &applied);
    }
    response
}

/// A failure outside the gate.
pub(super) fn failure(error: &Error, tool: Option<&str>, request: &RequestId) -> Response {
    let mut response = json(status::status(error.code()), error.body(tool, request.as_str()).to_string());
    common(response.headers_mut(), request, Some(error.code()), error.retry_after_s());
    response
}

/// Says which request it was.
pub(super) fn identify(headers: &mut HeaderMap, request: &RequestId) {
    set(headers, "x-request-id", request.as_str());
}

/// A JSON body.
pub(super) fn json(status: StatusCode, body: String) -> Response {
    json_bytes(status, line(body))
}

/// With an end of line, so that a terminal shows the prompt on the next.
fn line(mut body: String) -> String {
    body.push('\n');
    body
}

fn json_bytes(status: StatusCode, body: impl Into<poem::Body>) -> Response {
    Response::builder().status(status).content_type("application/json").body(body)
}

fn common(headers: &mut HeaderMap, request: &RequestId, code: Option<Code>, retry_after_s: Option<u64>) {
    set(headers, "x-request-id", request.as_str());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    match code {
        Some(Code::UnsupportedMediaType) => {
            _ = headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Some(Code::InvalidKey) => _ = headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        Some(Code::MethodNotAllowed) => _ = headers.insert(header::ALLOW, HeaderValue::from_static("POST")),
        _ => {}
    }
}

/// The budget headers: the de-facto ones, and those of the IETF draft "RateLimit header fields for HTTP".
pub(super) fn budget(headers: &mut HeaderMap, standing: &Standing, budgets: &Budgets) {
    headers.insert("x-ratelimit-limit", standing.quota.into());
    headers.insert("x-ratelimit-remaining", standing.remaining.into());
    headers.insert("x-ratelimit-reset", standing.reset_s.into());
    let name = standing.bucket.name();
    set(headers, "ratelimit", &format!("\"{name}\";r={};t={}", standing.remaining, standing.reset_s));
    // Only the budgets that some tool uses.
    let generates = CATALOG.tools.iter().any(|tool| tool.definition.access.kind == Kind::Generate);
    let buckets = [Bucket::Calls, Bucket::Reads, Bucket::Writes, Bucket::Generations];
    let policy = |bucket: &Bucket| format!("\"{}\";q={};w={}", bucket.name(), bucket.quota(budgets), bucket.window_s());
    let policies: Vec<_> =
        buckets.iter().filter(|bucket| generates || **bucket != Bucket::Generations).map(policy).collect();
    set(headers, "ratelimit-policy", &policies.join(", "));
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
