//! What others tell Usher: `POST /webhooks/stripe/<site>`. Each is believed by its signature and by nothing else.

use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use poem::{Request, Response};
use serde_json::json;

use super::{call, envelope};
use crate::{
    app::App,
    areas::billing::{self, MAX_BODY_BYTES},
    error::{Code, Error, Result},
    values::{SiteId, Time},
};

/// How long an event may take to arrive.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(20);

pub(super) async fn stripe(app: Arc<App>, mut request: Request) -> poem::Result<Response> {
    let id = app.clock.id();
    let site = request.raw_path_param("site").and_then(|text| text.parse().ok()).map(SiteId::new);
    let answer = match (request.method() == http::Method::POST, site) {
        (false, _) => Err(Error::new(Code::MethodNotAllowed, "Stripe's events are taken by POST.")),
        (true, None) => Err(Error::new(Code::NotFound, "The path has no site's number: /webhooks/stripe/1.")),
        (true, Some(site)) => receive(&app, site, &mut request).await,
    };
    let mut response = match answer {
        Ok(received) => envelope::json(StatusCode::OK, json!({ "ok": true, "event": received.as_str() }).to_string()),
        Err(error) => {
            metrics::counter!("usher_stripe_refused_total", "code" => error.code().name()).increment(1);
            if let Some(unsaid) = REFUSALS.say(app.clock.now()) {
                tracing::warn!(request = %id, ?site, %error, unsaid, "an event of Stripe's was not taken");
            }
            let mut response = envelope::failure(&error, None, &id);
            if error.code() == Code::MethodNotAllowed {
                response.headers_mut().insert(http::header::ALLOW, http::HeaderValue::from_static("POST"));
            }
            response
        }
    };
    envelope::identify(response.headers_mut(), &id);
    Ok(response)
}

/// What is said of refusals: anybody can cause them, and nobody may fill the log.
static REFUSALS: Refusals = Refusals { state: Mutex::new((i64::MIN, 0, 0)) };

/// Lines about refusals in a minute, at most.
const REFUSALS_A_MINUTE: u32 = 20;

struct Refusals {
    /// The minute, how many were said in it, and how many were not since the last that was.
    state: Mutex<(i64, u32, u64)>,
}

impl Refusals {
    /// Whether one more is to be said, and how many were not said before it.
    fn say(&self, now: Time) -> Option<u64> {
        let minute = now.micros().div_euclid(60_000_000);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 != minute {
            (state.0, state.1) = (minute, 0);
        }
        if state.1 >= REFUSALS_A_MINUTE {
            state.2 += 1;
            return None;
        }
        state.1 += 1;
        Some(std::mem::take(&mut state.2))
    }
}

async fn receive(app: &Arc<App>, site: SiteId, request: &mut Request) -> Result<billing::Received> {
    let header = call::text(request.headers(), "stripe-signature");
    let read = request.take_body().into_bytes_limit(MAX_BODY_BYTES);
    let body = match tokio::time::timeout(LONGEST, read).await {
        Ok(Ok(body)) => body,
        Ok(Err(poem::error::ReadBodyError::PayloadTooLarge)) => {
            return Err(Error::new(Code::BodyTooLarge, "An event has at most 1 MiB."));
        }
        Ok(Err(_)) | Err(_) => return Err(Error::new(Code::RequestTimeout, "The event did not arrive whole in time.")),
    };
    billing::receive(app, site, header.as_deref(), &body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_few_lines_a_minute() {
        let refusals = Refusals { state: Mutex::new((i64::MIN, 0, 0)) };
        let minute = |n: i64| Time::from_micros(n * 60_000_000 + 5);
        let said = (0..1000).filter(|_| refusals.say(minute(1)).is_some()).count();
        assert_eq!(said, 20);
        assert_eq!((refusals.say(minute(2)), refusals.say(minute(2))), (Some(980), Some(0)));
    }
}
