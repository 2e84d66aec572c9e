//! `POST /webhooks/mail/<site>`.

use std::sync::Arc;

use poem::{Request, Response};
use serde_json::{Value, json};

use super::{super::call, Refusals, Teller, read};
use crate::{
    app::App,
    areas::notices::{self, Delivery, MAX_BODY_BYTES},
    error::Result,
    values::SiteId,
};

static MAIL: Teller = Teller {
    what: "a notice of a mail provider",
    counter: "usher_mail_notices_refused_total",
    refusals: Refusals::new(),
};

pub(in super::super) async fn mail(app: Arc<App>, mut request: Request) -> poem::Result<Response> {
    let site = Teller::site(&request);
    let known = site.as_ref().ok().copied();
    let told = match site {
        Ok(site) => receive(&app, site, &mut request).await,
        Err(error) => Err(error),
    };
    Ok(MAIL.answer(&app, known, told))
}

async fn receive(app: &App, site: SiteId, request: &mut Request) -> Result<Value> {
    let body = read(request.take_body(), MAX_BODY_BYTES).await?;
    let header = |name| call::text(request.headers(), name);
    let (authorization, raw) = (header("authorization"), header("x-amz-sns-rawdelivery"));
    let signature = header("x-twilio-email-event-webhook-signature");
    let timestamp = header("x-twilio-email-event-webhook-timestamp");
    let delivery = Delivery {
        authorization: authorization.as_deref(),
        raw: raw.as_deref(),
        signature: signature.as_deref(),
        timestamp: timestamp.as_deref(),
        body: &body,
    };
    let received = notices::receive(app, site, delivery).await?;
    let provider = received.provider.code();
    for (outcome, n) in [
        ("blocked", received.n_blocked),
        ("already", received.n_already),
        ("ignored", received.n_ignored),
        ("unreadable", received.n_unreadable),
    ] {
        metrics::counter!("usher_mail_notices_total", "provider" => provider, "outcome" => outcome).increment(n as u64);
    }
    Ok(json!({
        "ok": true, "provider": provider, "blocked": received.n_blocked, "already": received.n_already,
        "ignored": received.n_ignored, "unreadable": received.n_unreadable,
    }))
}
