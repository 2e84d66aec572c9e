//! `/v1/webhook_endpoints`: where events go, each with its own secret.

use serde_json::{Value, json};

use super::events;
use crate::{
    account::Account,
    error::{ApiError, Result},
    form::{Metadata, Params},
    table::{Page, Record},
};

/// Where events go.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `we_…`.
    pub id: String,
    created: i64,
    /// Where to.
    pub url: String,
    /// What signs them.
    pub secret: String,
    enabled_events: Vec<String>,
    /// Whether it is for the events of connected accounts.
    pub connect: bool,
    api_version: Option<String>,
    description: Option<String>,
    metadata: Metadata,
    disabled: bool,
    deleted: bool,
}

impl Endpoint {
    /// Whether it wants events of a type.
    pub fn wants(&self, kind: &str) -> bool {
        !self.disabled && !self.deleted && self.enabled_events.iter().any(|pattern| events::matches(pattern, kind))
    }

    /// One for everything, as a test may ask for.
    pub fn for_all(account: &mut Account, url: &str, secret: Option<String>, connect: bool) -> Self {
        Self {
            id: account.rng.id("we"),
            created: account.now,
            url: url.to_owned(),
            secret: secret.unwrap_or_else(|| account.rng.id("whsec")),
            enabled_events: vec!["*".into()],
            connect,
            api_version: None,
            description: None,
            metadata: Metadata::new(),
            disabled: false,
            deleted: false,
        }
    }
}

impl Record for Endpoint {
    const WHAT: &'static str = "webhook endpoint";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn hidden(&self) -> bool {
        self.deleted
    }

    fn render(&self, _: &Account) -> Value {
        json!({
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": null,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": false,
            "metadata": self.metadata,
            "status": if self.disabled { "disabled" } else { "enabled" },
            "url": self.url,
        })
    }
}

/// `POST /v1/webhook_endpoints`: the only answer that has the secret.
pub fn create(account: &mut Account, mut params: Params) -> Result<Value> {
    let url = params.required("url")?;
    let enabled_events = params.list("enabled_events")?;
    if enabled_events.is_empty() {
        return Err(ApiError::missing("enabled_events"));
    }
    let connect = params.boolean("connect")?.unwrap_or(false);
    let endpoint = Endpoint {
        enabled_events,
        api_version: params.text("api_version")?,
        description: params.text("description")?,
        metadata: params.metadata("metadata")?.fresh(),
        ..Endpoint::for_all(account, &url, None, connect)
    };
    params.finish()?;
    let mut shown = endpoint.render(account);
    shown["secret"] = json!(endpoint.secret);
    account.endpoints.insert(endpoint);
    Ok(shown)
}

/// `POST /v1/webhook_endpoints/{id}`
pub fn update(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    let url = params.text("url")?;
    let enabled_events = params.list("enabled_events")?;
    let disabled = params.boolean("disabled")?;
    let metadata = params.metadata("metadata")?;
    params.finish()?;
    find(account, id)?;
    if let Some(endpoint) = account.endpoints.get_mut(id) {
        endpoint.url = url.unwrap_or_else(|| std::mem::take(&mut endpoint.url));
        endpoint.disabled = disabled.unwrap_or(endpoint.disabled);
        metadata.apply(&mut endpoint.metadata);
        if !enabled_events.is_empty() {
            endpoint.enabled_events = enabled_events;
        }
    }
    get(account, id)
}

/// `DELETE /v1/webhook_endpoints/{id}`
pub fn delete(account: &mut Account, id: &str) -> Result<Value> {
    find(account, id)?;
    if let Some(endpoint) = account.endpoints.get_mut(id) {
        endpoint.deleted = true;
    }
    Ok(json!({ "id": id, "object": "webhook_endpoint", "deleted": true }))
}

/// `GET /v1/webhook_endpoints/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(find(account, id)?.render(account))
}

/// `GET /v1/webhook_endpoints`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    params.finish()?;
    page.list(account, &account.endpoints, None, "/v1/webhook_endpoints", |_| true)
}

fn find<'a>(account: &'a Account, id: &str) -> Result<&'a Endpoint> {
    match account.endpoints.find(id, "id")? {
        endpoint if endpoint.deleted => Err(ApiError::no_such(Endpoint::WHAT, id, "id")),
        endpoint => Ok(endpoint),
    }
}
