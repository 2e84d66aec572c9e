//! What others tell Usher: `POST /webhooks/stripe/<site>`. Each is believed by its signature and by nothing else.

use std::sync::Arc;

use http::StatusCode;
use poem::{Request, Response};
use serde_json::json;

use super::{call, envelope};
use crate::{
    app::App,
    areas::billing::{self, MAX_BODY_BYTES},
    error::{Code, Error, Result},
    values::SiteId,
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
            tracing::warn!(request = %id, ?site, %error, "an event of Stripe's was not taken");
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
