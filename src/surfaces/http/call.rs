//! A request as the gate gets it.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, header};
use poem::{Body, Request};
use serde_json::Value;
use tokio::time::timeout;

use super::{address, compress, envelope::Preferences};
use crate::{
    app::App,
    areas::activity::Surface,
    background::Place,
    error::{Code, Error, Result},
    gate::{Call, Input},
};

/// The largest body of a call, in bytes.
pub(super) const BODY_BYTES: usize = 1 << 20;

/// From this size on a body is read and checked off the threads that serve: it takes over a millisecond.
const LARGE_BYTES: usize = 64 * 1024;

/// How long the body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The call that a request makes of `tool`.
pub(super) fn of(app: &Arc<App>, request: &Request, tool: &str) -> (Call, Preferences) {
    let headers = request.headers();
    let preferences = Preferences::of(headers);
    let call = Call {
        request: app.clock.id(),
        at: app.clock.now(),
        started: std::time::Instant::now(),
        surface: Surface::Http,
        tool: tool.to_owned(),
        bearer: bearer(headers),
        host: host(request),
        address: address::of(request, &app.config.trusted_proxies),
        idempotency_key: headers.get("idempotency-key").map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            // The IETF draft has a structured string, most clients a bare one.
            let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            quoted.map_or_else(|| text.to_string(), str::to_owned)
        }),
        wait: preferences.wait_s.map(Duration::from_secs),
    };
    (call, preferences)
}

/// The host that a request names.
pub(super) fn host(request: &Request) -> Option<String> {
    text(request.headers(), header::HOST.as_str()).or_else(|| request.uri().host().map(str::to_owned))
}

/// The body of a call: `{"args": {…}, "dryRun": …}`, or nothing.
pub(super) async fn input(headers: HeaderMap, body: Body) -> Result<Input> {
    let length = text(&headers, header::CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > BODY_BYTES as u64) {
        return Err(too_large());
    }
    let bytes = timeout(BODY_TIME, body.into_bytes_limit(BODY_BYTES)).await.map_err(|_| {
        let text = format!("The body did not arrive within {} s. Send it again.", BODY_TIME.as_secs());
        Error::new(Code::RequestTimeout, text)
    })?;
    let bytes = bytes.map_err(|error| match error {
        poem::error::ReadBodyError::PayloadTooLarge => too_large(),
        other => Error::new(Code::InvalidJson, "The body broke off. Send it again.").caused_by(other),
    })?;
    let is_large = bytes.len() > LARGE_BYTES || headers.contains_key(header::CONTENT_ENCODING);
    if !is_large {
        return read(&headers, bytes.into());
    }
    let (input, place) =
        Place::take().await.run(move || read(&headers, bytes.into())).await.map_err(Error::internal)?;
    Ok(Input { place: Some(place), ..input? })
}

/// What a body says.
fn read(headers: &HeaderMap, bytes: Vec<u8>) -> Result<Input> {
    let bytes = decoded(headers, bytes)?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Input { args: Value::Object(Default::default()), dry_run: false, place: None });
    }
    let media = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media != "application/json" && !(media.starts_with("application/") && media.ends_with("+json")) {
        let text = "The body must be JSON. Send Content-Type: application/json.";
        return Err(Error::new(Code::UnsupportedMediaType, text));
    }
    parse(&bytes)
}

/// The body without what `Content-Encoding` says was done to it. Its limit holds before and after.
fn decoded(headers: &HeaderMap, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let encoding = text(headers, header::CONTENT_ENCODING.as_str()).unwrap_or_default();
    match encoding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(bytes),
        "gzip" | "x-gzip" => match compress::unzip(&bytes, BODY_BYTES) {
            Ok(Some(plain)) => Ok(plain),
            Ok(None) => Err(too_large()),
            Err(error) => {
                let text =
                    "The body is no gzip, though Content-Encoding says so. Send it as it is, or compress it again.";
                Err(Error::new(Code::InvalidJson, text).caused_by(error))
            }
        },
        _ => {
            let text = "The body has a Content-Encoding that is not known here. Send it as it is, or as gzip.";
            Err(Error::new(Code::UnsupportedMediaType, text))
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Input> {
    const SHAPE: &str = r#"Send an object like {"args": {…}}."#;
    let invalid = |text: String| Error::new(Code::InvalidJson, text);
    let body: Value =
        serde_json::from_slice(bytes).map_err(|error| invalid(format!("The body is not JSON: {error}. {SHAPE}")))?;
    let Value::Object(mut body) = body else {
        return Err(invalid(format!("The body is JSON, but not an object. {SHAPE}")));
    };
    let args = match body.shift_remove("args") {
        None => Value::Object(Default::default()),
        Some(args @ Value::Object(_)) => args,
        Some(_) => return Err(Error::field("args", "must be an object")),
    };
    let dry_run = match body.shift_remove("dryRun") {
        None => false,
        Some(Value::Bool(dry_run)) => dry_run,
        Some(_) => return Err(Error::field("dryRun", "must be true or false")),
    };
    match body.keys().next() {
        Some(extra) => Err(Error::field(extra, "unknown field; arguments go into args")),
        None => Ok(Input { args, dry_run, place: None }),
    }
}

fn too_large() -> Error {
    let text = format!(
        "The body is over {} MiB. Send long lists in parts, or as an upload to /api/v1/uploads.",
        BODY_BYTES >> 20
    );
    Error::new(Code::BodyTooLarge, text)
}

/// The text of the key, from `Authorization: Bearer`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = text(headers, "authorization")?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
}

/// A header's value, if it is text.
pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
