//! A client of the API: one try of one call.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::TryStreamExt as _;
use http::{StatusCode, header};
use reqwest::{Body, RequestBuilder, Response, Url};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt as _, time};
use tokio_util::io::ReaderStream;

use super::show::Counter;
use crate::cli::{Failure, Result};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(60);

/// How long a server may take nothing of a file that is sent.
const STALLED: Duration = Duration::from_secs(60);

/// Bytes that are read from a file at once.
const PIECE: usize = 256 << 10;

/// Why a try did not work.
#[derive(Debug)]
pub(in crate::cli) enum Trouble {
    /// Nobody answers, or somebody who cannot just now.
    Away(String),
    /// A budget is used up for so many seconds.
    Busy(u64),
    /// Another try is of no use.
    Final(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Final(failure)
    }
}

/// A server and a key.
pub(in crate::cli) struct Client {
    http: reqwest::Client,
    pub(super) url: String,
    key: String,
}

impl Client {
    pub(in crate::cli) fn new(url: &str, key: &str) -> Result<Self> {
        let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let wrong = || Failure(format!("{url:?} is not a server's address such as https://members.example.com"));
        let parsed = parsed.ok_or_else(wrong)?;
        _ = rustls::crypto::ring::default_provider().install_default(); // there may be one already
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("usher/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none()) // else a POST would go on as a GET
            .connect_timeout(Duration::from_secs(10));
        if parsed.scheme() == "http" {
            http = http.tls_certs_only([]); // a machine without certificates can still do this
        }
        let key_is_text = key.bytes().all(|byte| byte.is_ascii_graphic());
        if !key_is_text {
            return Err(Failure("the key has characters that no key has; copy it again".into()));
        }
        Ok(Self { http: http.build()?, url: url.trim_end_matches('/').into(), key: key.into() })
    }

    /// Calls a tool and gives its result.
    pub(in crate::cli) async fn call(&self, tool: &str, args: &Value, once: Option<&str>) -> Result<Value, Trouble> {
        self.call_with(tool, &json!({ "args": args }), once).await
    }

    /// Asks a tool what it would do.
    pub(super) async fn dry_run(&self, tool: &str, args: &Value) -> Result<Value, Trouble> {
        self.call_with(tool, &json!({ "args": args, "dryRun": true }), None).await
    }

    async fn call_with(&self, tool: &str, body: &Value, once: Option<&str>) -> Result<Value, Trouble> {
        let mut request = self.http.post(format!("{}/api/v1/tools/{tool}", self.url)).json(body);
        if let Some(once) = once {
            request = request.header("idempotency-key", once);
        }
        let mut answer = self.json(self.send(request)).await?;
        Ok(answer["result"].take())
    }

    /// Sends a file, and gives the upload.
    pub(in crate::cli) async fn upload(
        &self,
        name: Option<&str>,
        path: &Path,
        bytes: u64,
        counter: Counter,
    ) -> Result<Value, Trouble> {
        let cannot = |error| Failure(format!("{} cannot be read: {error}", path.display()));
        let file = tokio::fs::File::open(path).await.map_err(cannot)?;
        let sent = Arc::new(AtomicU64::new(0));
        let count = sent.clone();
        let pieces = ReaderStream::with_capacity(file.take(bytes), PIECE).inspect_ok(move |piece| {
            count.fetch_add(piece.len() as u64, Ordering::Relaxed);
            counter(piece.len() as u64);
        });
        let mut url = Url::parse(&format!("{}/api/v1/uploads", self.url))
            .map_err(|error| Failure(format!("{}: {error}", self.url)))?;
        if let Some(name) = name {
            url.query_pairs_mut().append_pair("name", name);
        }
        // The length is known, so a file that is too long is refused before it is sent.
        let request = self
            .http
            .post(url)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, bytes)
            .body(Body::wrap_stream(pieces));
        tokio::select! {
            answer = self.json(self.authorized(request).send()) => Ok(answer?["result"]["upload"].take()),
            () = stalled(&sent) => Err(Trouble::Away(format!("it takes no more of the file for {} s", STALLED.as_secs()))),
        }
    }

    /// Opens the stream of a job's events.
    pub(super) async fn events(&self, job: &str) -> Result<Response, Trouble> {
        let request = self.http.get(format!("{}/api/v1/jobs/{job}/events", self.url));
        self.checked(self.send(request.header(header::ACCEPT, "text/event-stream")).await?).await
    }

    /// Saves the rows that an import refused in a file of this name that is not there yet.
    pub(super) async fn save_errors(&self, job: &str, path: &Path) -> Result<PathBuf, Trouble> {
        let request = self.http.get(format!("{}/api/v1/jobs/{job}/errors", self.url));
        let mut answer = self.checked(self.send(request).await?).await?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let cannot = |error| Failure(format!("nothing can be written in {}: {error}", folder.display()));
        let mut file = tempfile::Builder::new().permissions(plain()).tempfile_in(folder).map_err(cannot)?;
        while let Some(piece) = time::timeout(ANSWER, answer.chunk()).await.map_err(|_| silent())?.map_err(away)? {
            std::io::Write::write_all(&mut file, &piece).map_err(cannot)?;
        }
        const MOST: u32 = 10_000;
        for n in 0..MOST {
            let mut free = path.as_os_str().to_owned();
            free.push(if n == 0 { ".csv".into() } else { format!(".{n}.csv") });
            match file.persist_noclobber(&free) {
                Ok(_) => return Ok(free.into()),
                Err(taken) if taken.error.kind() == std::io::ErrorKind::AlreadyExists => file = taken.file,
                Err(other) => return Err(cannot(other.error).into()),
            }
        }
        Err(Failure(format!("there are {MOST} files like {} already", path.display())).into())
    }

    /// A failure: what answers there is something else.
    pub(super) fn not_usher(&self) -> Failure {
        Failure(format!("what answers at {} does not look like Usher; is the address right?", self.url))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Trouble> {
        time::timeout(ANSWER, self.authorized(request).send()).await.map_err(|_| silent())?.map_err(away)
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        if self.key.is_empty() { request } else { request.bearer_auth(&self.key) }
    }

    async fn json<E: Into<Trouble>>(
        &self,
        response: impl Future<Output = Result<Response, E>>,
    ) -> Result<Value, Trouble> {
        let response = self.checked(response.await.map_err(Into::into)?).await?;
        let body = time::timeout(ANSWER, response.bytes()).await.map_err(|_| silent())?.map_err(away)?;
        let body: Value = serde_json::from_slice(&body).map_err(|_| self.not_usher())?;
        match body["ok"].as_bool() {
            Some(true) => Ok(body),
            Some(false) => Err(Failure(body["error"].as_str().unwrap_or("the server refused").into()).into()),
            None => Err(self.not_usher().into()),
        }
    }

    /// The response, if it is a success.
    async fn checked(&self, response: Response) -> Result<Response, Trouble> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let field = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (retry_after, location) = (field(header::RETRY_AFTER), field(header::LOCATION));
        let seconds = retry_after.and_then(|text| text.parse().ok());
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Trouble::Busy(seconds.unwrap_or(5)));
        }
        let body: Value =
            response.bytes().await.ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
        let error = body["error"].as_str();
        let failure = match (status, error) {
            (StatusCode::CONFLICT, Some(_)) if body["code"] == "idempotency_in_progress" => {
                return Err(Trouble::Busy(1));
            }
            (status, _) if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                let why = error.map_or_else(|| format!("it answers {status}"), |error| format!("it says: {error}"));
                return Err(Trouble::Away(why));
            }
            (StatusCode::UNAUTHORIZED, _) => format!(
                "{} does not accept the key: set USHER_KEY, or pass --key, to a key of this site that is not revoked or expired",
                self.url
            ),
            (_, Some(error)) => error.to_owned(),
            (status, None) => match location {
                Some(to) if status.is_redirection() => {
                    format!("{} redirects to {to}; pass that address with --url", self.url)
                }
                _ => format!("{} answers {status}; is it the address of an Usher?", self.url),
            },
        };
        Err(Failure(failure).into())
    }
}

/// As a new file is made that is not temporary.
fn plain() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::Permissions::from_mode(0o666)
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        away(error)
    }
}

pub(super) fn away(error: reqwest::Error) -> Trouble {
    // Of the chain of causes the last says what happened, such as "Connection refused".
    let mut cause: &dyn std::error::Error = &error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    Trouble::Away(cause.to_string())
}

pub(super) fn silent() -> Trouble {
    Trouble::Away(format!("no answer for {} s", ANSWER.as_secs()))
}

/// Ends when nothing was counted for a while.
async fn stalled(sent: &AtomicU64) {
    let mut before = u64::MAX;
    loop {
        let now = sent.load(Ordering::Relaxed);
        if now == before {
            return;
        }
        before = now;
        time::sleep(STALLED).await;
    }
}
