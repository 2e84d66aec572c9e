//! `/_fake/…`: what a test does to a fake, over HTTP, with JSON both ways. The table of it is in the crate's
//! documentation.

use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Result, Route, http::StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{account::Settings, control::Control, error::ApiError};

/// A body longer than this is refused.
const BODY_MAX: usize = 1 << 20;

type Answer = std::result::Result<Value, ApiError>;

/// The addresses below `/_fake`.
pub fn routes(control: &Control) -> impl Endpoint + use<> {
    let control = control.clone();
    Route::new().at("/*path", poem::endpoint::make(move |request| answer(control.clone(), request))).boxed()
}

async fn answer(control: Control, mut request: Request) -> Result<Response> {
    let path = request.uri().path().trim_matches('/').to_owned();
    let path = path.strip_prefix("_fake/").unwrap_or(&path).to_owned();
    let method = request.method().to_string();
    let body = request.take_body().into_bytes_limit(BODY_MAX).await?;
    let parts: Vec<&str> = path.split('/').collect();
    let found = match method.as_str() {
        "GET" => get(&control, &parts),
        "DELETE" => delete(&control, &parts),
        _ => post(&control, &parts, &body).await,
    };
    let (status, value) = match found {
        Ok(value) => (StatusCode::OK, value),
        Err(error) => (StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST), error.body("req_fake")),
    };
    Ok(Response::builder().status(status).content_type("application/json").body(value.to_string()).into_response())
}

fn get(control: &Control, path: &[&str]) -> Answer {
    Ok(match path {
        ["state"] => control.summary(),
        ["events"] => json!(control.events(None)?),
        ["events", account] => json!(control.events(Some(account))?),
        ["log"] => json!(control.log()),
        ["held"] => json!({ "held": control.n_held() }),
        ["rate"] => json!(control.speeds()),
        ["webhooks", "pending"] => json!(control.pending()),
        ["webhooks", "sent"] => json!(control.sent()),
        _ => return Err(unknown(path)),
    })
}

fn delete(control: &Control, path: &[&str]) -> Answer {
    match path {
        ["faults"] => control.clear_faults(),
        ["log"] => control.clear_log(),
        ["rate"] => control.reset_speeds(),
        ["keys", key] => control.remove_key(key),
        _ => return Err(unknown(path)),
    }
    Ok(json!({}))
}

async fn post(control: &Control, path: &[&str], body: &[u8]) -> Answer {
    match path {
        ["clock", "advance"] => {
            let Advance { seconds, days } = read(body)?;
            return Ok(json!({ "now": control.advance(seconds + days * 86_400).await }));
        }
        ["accounts"] => {
            let NewAccount { id, connected_to } = read(body)?;
            control.add_account(&id, connected_to.as_deref());
        }
        ["keys"] => control.add_key(read(body)?),
        ["settings"] => {
            let NewSettings { account, settings } = read(body)?;
            control.set_settings(account.as_deref(), settings)?;
        }
        ["checkout", session, "complete"] => return control.complete_checkout(session, &read(body)?),
        ["customers", customer, "card"] => {
            let NewCard { fails } = read(body)?;
            control.set_card(customer, fails)?;
        }
        ["charges", charge, "dispute"] => {
            let NewDispute { amount } = read(body)?;
            return control.dispute(charge, amount);
        }
        ["disputes", dispute, "decide"] => {
            let Decision { won } = read(body)?;
            return control.decide_dispute(dispute, won);
        }
        ["webhooks", "endpoints"] => {
            let NewEndpoint { account, url, secret, connect } = read(body)?;
            let (id, secret) = control.add_endpoint(account.as_deref(), &url, secret.as_deref(), connect)?;
            return Ok(json!({ "id": id, "secret": secret }));
        }
        ["webhooks", "plan"] => control.set_plan(read(body)?),
        ["webhooks", "flush"] => return Ok(json!(control.flush().await)),
        ["webhooks", "settle"] => return Ok(json!(control.settle().await)),
        ["events", event, "signed"] => return Ok(json!(control.signed(event, &read(body)?)?)),
        ["events", event, "deliver"] => return Ok(json!(control.deliver(event, &read(body)?).await?)),
        ["faults"] => control.fault(read(body)?),
        ["held", "release"] => control.release(),
        ["rate"] => {
            let NewLimit { account, limit } = read(body)?;
            control.set_limit(account.as_deref(), limit)?;
        }
        ["seed"] => return Ok(json!(control.seed(&read(body)?)?)),
        _ => return Err(unknown(path)),
    }
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    #[serde(default)]
    seconds: i64,
    #[serde(default)]
    days: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    id: String,
    connected_to: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSettings {
    account: Option<String>,
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCard {
    fails: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDispute {
    amount: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    won: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewEndpoint {
    account: Option<String>,
    url: String,
    secret: Option<String>,
    #[serde(default)]
    connect: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLimit {
    account: Option<String>,
    limit: Option<crate::Limit>,
}

/// An empty body is an empty object.
fn read<T: DeserializeOwned>(body: &[u8]) -> std::result::Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| ApiError::request(400, format!("stripe-fake: {error}")))
}

fn unknown(path: &[&str]) -> ApiError {
    ApiError::request(404, format!("stripe-fake: nothing at /_fake/{}", path.join("/")))
}
