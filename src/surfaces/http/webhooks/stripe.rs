//! `POST /webhooks/stripe/<site>`.

use std::sync::Arc;

use poem::{Request, Response};
use serde_json::{Value, json};

use super::{super::call, Refusals, Teller, read};
use crate::{
    app::App,
    areas::billing::{self, MAX_BODY_BYTES},
    error::Result,
    values::SiteId,
};

static STRIPE: Teller =
    Teller { what: "an event of Stripe's", counter: "usher_stripe_refused_total", refusals: Refusals::new() };

pub(in super::super) async fn stripe(app: Arc<App>, mut request: Request) -> poem::Result<Response> {
    let site = Teller::site(&request);
    let known = site.as_ref().ok().copied();
    let told = match site {
        Ok(site) => receive(&app, site, &mut request).await,
        Err(error) => Err(error),
    };
    Ok(STRIPE.answer(&app, known, told))
}

async fn receive(app: &Arc<App>, site: SiteId, request: &mut Request) -> Result<Value> {
    let header = call::text(request.headers(), "stripe-signature");
    let body = read(request.take_body(), MAX_BODY_BYTES).await?;
    let received = billing::receive(app, site, header.as_deref(), &body).await?;
    Ok(json!({ "ok": true, "event": received.as_str() }))
}
