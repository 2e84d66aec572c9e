//! What others tell Usher. Each is believed by its proof and by nothing else.

mod mail;
mod refusals;
mod stripe;

use http::StatusCode;
pub(super) use mail::mail;
use poem::{Body, Request, Response, error::ReadBodyError};
use refusals::Refusals;
pub(super) use stripe::stripe;

use super::envelope;
use crate::{
    app::App,
    error::{Code, Error, Result},
    values::{RequestId, SiteId},
};

/// How long a body may take to arrive.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(20);

/// One who tells.
struct Teller {
    /// As the log names what it tells.
    what: &'static str,
    /// The name of its counter of refusals.
    counter: &'static str,
    refusals: Refusals,
}

impl Teller {
    /// The site that a request is for: the path's last part.
    fn site(request: &Request) -> Result<SiteId> {
        if request.method() != http::Method::POST {
            return Err(Error::new(Code::MethodNotAllowed, "What is told here is taken by POST."));
        }
        let site = request.raw_path_param("site").and_then(|text| text.parse().ok()).map(SiteId::new);
        site.ok_or_else(|| Error::new(Code::NotFound, "The path ends with no site's number, as in …/1."))
    }

    /// An answer: what became of it, or why it was not taken.
    fn answer(&self, app: &App, site: Option<SiteId>, told: Result<serde_json::Value>) -> Response {
        let id: RequestId = app.clock.id();
        let mut response = match told {
            Ok(body) => envelope::json(StatusCode::OK, body.to_string()),
            Err(error) => {
                metrics::counter!(self.counter, "code" => error.code().name()).increment(1);
                if let Some(unsaid) = self.refusals.say(app.clock.now()) {
                    let (site, code) = (site.map(SiteId::number), error.code().name());
                    tracing::warn!(request = %id, site, code, %error, unsaid, "{} was not taken", self.what);
                }
                envelope::failure(&error, None, &id)
            }
        };
        envelope::identify(response.headers_mut(), &id);
        response
    }
}

/// A body, if it is not too long and arrives in time.
async fn read(body: Body, limit: usize) -> Result<Vec<u8>> {
    match tokio::time::timeout(LONGEST, body.into_bytes_limit(limit)).await {
        Ok(Ok(body)) => Ok(body.into()),
        Ok(Err(ReadBodyError::PayloadTooLarge)) => {
            Err(Error::new(Code::BodyTooLarge, format!("What is told here has at most {} MiB.", limit >> 20)))
        }
        Ok(Err(_)) | Err(_) => Err(Error::new(Code::RequestTimeout, "The body did not arrive whole in time.")),
    }
}
