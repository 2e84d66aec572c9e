//! The transport: one call, one answer, and an error that says what has happened.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, Error, NotSent};
use crate::http::Http;
use crate::request::{Method, Request, StoredRequest};
use crate::settings::Settings;

/// The longest answer that is read. A page of 100 invoices has about 1 MiB.
pub const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// The longest idempotency key that Stripe takes.
pub const MAX_KEY_BYTES: usize = 255;

const ACCOUNT: HeaderName = HeaderName::from_static("stripe-account");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const VERSION: HeaderName = HeaderName::from_static("stripe-version");

/// Speaks to one account. A clone is cheap and the same.
#[derive(Clone, Debug)]
pub struct Client {
    http: Http,
    base: Url,
    authorization: HeaderValue,
    account: Option<HeaderValue>,
    timeout: Duration,
}

/// What Stripe answered.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// What it says.
    pub value: T,
    /// Stripe's name for the request, which its support and its dashboard know.
    pub request_id: Option<String>,
    /// Whether it is the answer of an earlier request with the same idempotency key.
    pub is_replayed: bool,
}

impl Client {
    /// Makes ready to speak to an account; sends nothing.
    ///
    /// Fails where the settings' address is not one that the key may be sent to.
    pub fn new(settings: Settings, http: Http) -> Result<Self, Error> {
        let base = settings.checked_base()?;
        let mut authorization = header(&format!("Bearer {}", settings.key.expose()))?;
        authorization.set_sensitive(true);
        let account = settings.account.as_ref().map(|id| header(id.as_str())).transpose()?;
        Ok(Self { http, base, authorization, account, timeout: settings.timeout })
    }

    /// Reads.
    pub async fn read<T: DeserializeOwned>(&self, request: &Request<T>) -> Result<Answer<T>, Error> {
        self.read_stored(request.stored()).await
    }

    /// Writes, with an idempotency key of 1 to [`MAX_KEY_BYTES`] visible ASCII characters, and is not done twice by this
    /// call. Before the first time, keep the bytes and the key.
    ///
    /// Stripe knows a key for at least 24 hours; on a DELETE it does nothing, and need not.
    pub async fn write<T: DeserializeOwned>(&self, request: &StoredRequest, key: &str) -> Result<Answer<T>, Error> {
        let is_key = (1..=MAX_KEY_BYTES).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_key {
            return Err(NotSent::IdempotencyKey.into());
        }
        decoded(self.send(request, Some(key)).await?).await
    }

    pub(crate) async fn read_stored<T: DeserializeOwned>(&self, request: &StoredRequest) -> Result<Answer<T>, Error> {
        if request.method != Method::Get {
            return Err(NotSent::NotARead.into());
        }
        decoded(self.send(request, None).await?).await
    }

    async fn send(&self, request: &StoredRequest, key: Option<&str>) -> Result<Response, Error> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut call = self.http.0.request(method, self.url(request)?).timeout(self.timeout);
        call = call.header(AUTHORIZATION, self.authorization.clone()).header(VERSION, header(&request.version)?);
        if let Some(account) = &self.account {
            call = call.header(ACCOUNT, account.clone());
        }
        if let Some(key) = key {
            call = call.header(IDEMPOTENCY_KEY, header(key)?);
        }
        if let Some(body) = &request.body {
            call = call.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body.clone());
        }
        call.send().await.map_err(Error::unknown)
    }

    fn url(&self, request: &StoredRequest) -> Result<Url, NotSent> {
        let path = request.path.strip_prefix('/').ok_or(NotSent::Path)?;
        // An empty id would name the list of all, and dots another path.
        if path.split('/').any(|segment| segment.bytes().all(|byte| byte == b'.')) {
            return Err(NotSent::Path);
        }
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url.set_query(request.query.as_deref().filter(|query| !query.is_empty()));
        Ok(url)
    }
}

async fn decoded<T: DeserializeOwned>(response: Response) -> Result<Answer<T>, Error> {
    let status = response.status();
    let request_id = text(response.headers(), "request-id");
    let is_replayed = text(response.headers(), "idempotent-replayed").is_some_and(|value| value == "true");
    if !status.is_success() {
        return Err(Error::Api(Box::new(refusal(response).await)));
    }
    let undecodable = |why| Error::Undecodable { status: status.as_u16(), request_id: request_id.clone(), why };
    let Some(body) = body(response).await? else {
        return Err(undecodable(format!("it is longer than {MAX_ANSWER_BYTES} bytes")));
    };
    let value = parsed(&body).map_err(undecodable)?;
    Ok(Answer { value, request_id, is_replayed })
}

/// The body, unless it is too long.
async fn body(mut response: Response) -> Result<Option<Vec<u8>>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Error::unknown)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Decodes JSON; in the error are the place and the sort of fault, never what stands there.
pub(crate) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, error) = (error.path().to_string(), error.inner());
        format!("{:?} at {path}, line {} column {}", error.classify(), error.line(), error.column())
    })
}

async fn refusal(response: Response) -> ApiError {
    #[derive(Deserialize)]
    struct Body {
        error: Said,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Said {
        #[serde(rename = "type")]
        kind: Option<String>,
        code: Option<String>,
        decline_code: Option<String>,
        message: Option<String>,
        param: Option<String>,
    }
    let headers = response.headers();
    let mut error = ApiError {
        status: response.status().as_u16(),
        request_id: text(headers, "request-id"),
        should_retry: text(headers, "stripe-should-retry").and_then(|value| value.parse().ok()),
        retry_after: text(headers, "retry-after").and_then(|value| value.parse().ok()).map(Duration::from_secs),
        rate_limited_reason: text(headers, "stripe-rate-limited-reason"),
        ..Default::default()
    };
    // The status alone says enough if the rest of the answer is lost.
    let body = body(response).await.ok().flatten().unwrap_or_default();
    if let Ok(Body { error: said }) = serde_json::from_slice(&body) {
        error.is_stripes = true;
        error.kind = said.kind;
        error.code = said.code;
        error.decline_code = said.decline_code;
        error.message = said.message;
        error.param = said.param;
    }
    error
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn header(text: &str) -> Result<HeaderValue, NotSent> {
    HeaderValue::from_str(text).map_err(|_| NotSent::Header)
}
