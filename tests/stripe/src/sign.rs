//! How a webhook is written and signed: `t=…,v1=…` over the bytes of the body.

use std::{collections::BTreeMap, fmt::Write};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{account::Account, shapes, table::Record};

/// How a single event is written and signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dress {
    /// As which version of the API has it.
    pub shape: Shape,
    /// Whether it has fields that nobody knows.
    pub unknown_fields: bool,
    /// Another type, such as one that nobody knows.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// How many seconds ago it was signed.
    pub age_seconds: i64,
    /// What signs it instead of the endpoint's secret; several, as while a secret is rolled.
    pub secrets: Vec<String>,
    /// Only to this endpoint (`we_…`) instead of all that want it.
    pub endpoint: Option<String>,
}

/// Which version of the API an event is written for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// The one that the fake speaks.
    #[default]
    #[serde(rename = "current")]
    Current,
    /// `2020-08-27`.
    #[serde(rename = "2020-08-27")]
    V2020,
}

/// A webhook, ready to be posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// `evt_…`.
    pub event: String,
    /// `we_…`.
    pub endpoint: String,
    /// Where to.
    pub url: String,
    /// With `stripe-signature`.
    pub headers: Vec<(String, String)>,
    /// The bytes that were signed.
    pub body: String,
}

/// The endpoints that want an event, and whose they are.
pub fn places(accounts: &BTreeMap<String, Account>, account: &str, kind: &str) -> Vec<(String, String)> {
    let Some(home) = accounts.get(account) else { return vec![] };
    let own = home.endpoints.iter().filter(|endpoint| !endpoint.connect).map(|endpoint| (home, endpoint));
    let platform = home.connected_to.as_ref().and_then(|id| accounts.get(id));
    let connect = platform.into_iter().flat_map(|platform| {
        platform.endpoints.iter().filter(|endpoint| endpoint.connect).map(move |endpoint| (platform, endpoint))
    });
    own.chain(connect)
        .filter(|(_, endpoint)| endpoint.wants(kind))
        .map(|(account, endpoint)| (account.id.clone(), endpoint.id.clone()))
        .collect()
}

/// Writes and signs an event for an endpoint.
pub fn sign(
    accounts: &BTreeMap<String, Account>,
    account: &str,
    event: &str,
    (endpoint_account, endpoint): (&str, &str),
    dress: &Dress,
) -> Option<Signed> {
    let home = accounts.get(account)?;
    let mut body = home.events.get(event)?.render(home);
    let endpoint = accounts.get(endpoint_account)?.endpoints.get(endpoint)?;
    if endpoint.connect {
        body["account"] = json!(account);
    }
    if let Some(kind) = &dress.kind {
        body["type"] = json!(kind);
    }
    if dress.shape == Shape::V2020 {
        shapes::as_of_2020(home, &mut body);
    }
    if dress.unknown_fields {
        shapes::add_unknown(&mut body);
    }
    let secrets = if dress.secrets.is_empty() { std::slice::from_ref(&endpoint.secret) } else { &dress.secrets };
    let (header, body) = signature(&body, secrets, home.now - dress.age_seconds);
    Some(Signed {
        event: event.to_owned(),
        endpoint: endpoint.id.clone(),
        url: endpoint.url.clone(),
        headers: vec![
            ("stripe-signature".into(), header),
            ("content-type".into(), "application/json; charset=utf-8".into()),
            ("user-agent".into(), "Stripe/1.0 (+https://stripe.com/docs/webhooks)".into()),
        ],
        body,
    })
}

/// The header `t=…,v1=…` and the text that it signs.
fn signature(body: &Value, secrets: &[String], at: i64) -> (String, String) {
    let body = serde_json::to_string_pretty(body).unwrap_or_default();
    let mut header = format!("t={at}");
    for secret in secrets {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
        mac.update(format!("{at}.{body}").as_bytes());
        header.push_str(",v1=");
        for byte in mac.finalize().into_bytes() {
            _ = write!(header, "{byte:02x}");
        }
    }
    (header, body)
}
