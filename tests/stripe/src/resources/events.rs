//! `/v1/events`: what has happened, as it was when it happened.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::{
    API_VERSION,
    account::Account,
    error::{ApiError, Result},
    form::Params,
    table::{Page, Record},
};

/// Something that has happened.
#[derive(Debug)]
pub struct Event {
    /// `evt_…`.
    pub id: String,
    /// Such as `customer.subscription.updated`.
    pub kind: String,
    /// When, in whole seconds.
    pub created: i64,
    /// The object as it was then.
    pub object: Arc<str>,
    /// What of it was otherwise before.
    pub previous: Option<Arc<str>>,
    /// The request that made it happen, and its idempotency key.
    pub request: (Option<String>, Option<String>),
    /// Webhooks that have not been answered with 2xx yet.
    pub pending: usize,
}

impl Record for Event {
    const WHAT: &'static str = "event";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, _: &Account) -> Value {
        let mut data = Map::new();
        data.insert("object".into(), read(&self.object));
        if let Some(previous) = &self.previous {
            data.insert("previous_attributes".into(), read(previous));
        }
        json!({
            "id": self.id,
            "object": "event",
            "api_version": API_VERSION,
            "created": self.created,
            "data": data,
            "livemode": false,
            "pending_webhooks": self.pending,
            "request": { "id": self.request.0, "idempotency_key": self.request.1 },
            "type": self.kind,
        })
    }
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// How long Stripe lists events.
const LISTED_SECONDS: i64 = 30 * 86_400;

/// `GET /v1/events/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(account.events.find(id, "id")?.render(account))
}

/// `GET /v1/events`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    let kind = params.text("type")?;
    let kinds = params.list("types")?;
    let success = params.boolean("delivery_success")?;
    params.finish()?;
    if kind.is_some() && !kinds.is_empty() {
        return Err(ApiError::invalid("types", "You may only specify one of these parameters: type, types."));
    }
    let kinds: Vec<String> = kind.into_iter().chain(kinds).collect();
    let oldest = account.now - LISTED_SECONDS;
    page.list(account, &account.events, None, "/v1/events", |event| {
        event.created >= oldest
            && (kinds.is_empty() || kinds.iter().any(|kind| matches(kind, &event.kind)))
            && success.is_none_or(|success| (event.pending == 0) == success)
    })
}

/// Whether a type is the one asked for, or one of `customer.*`.
pub fn matches(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => kind.starts_with(start),
        None => kind == pattern,
    }
}

/// What of an object was otherwise before: of a hash only what differs, all of anything else.
pub fn previous_attributes(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return None };
    let mut previous = Map::new();
    for (key, now) in after {
        let was = before.get(key).unwrap_or(&Value::Null);
        if was == now {
            continue;
        }
        let part = previous_attributes(was, now).unwrap_or_else(|| was.clone());
        previous.insert(key.clone(), part);
    }
    for (key, was) in before {
        if !after.contains_key(key) {
            previous.insert(key.clone(), was.clone());
        }
    }
    (!previous.is_empty()).then_some(Value::Object(previous))
}
