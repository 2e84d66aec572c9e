//! Events: hints that something has changed. What they carry is of the past by the time it is read, so only what they are
//! about is read of it.

use serde::Deserialize;
use serde_json::Value;

/// Something has happened.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Event {
    /// `evt_…`, the same however often it is sent.
    pub id: String,
    /// What, such as `customer.subscription.updated`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When, in whole seconds; several may have the same, and they come in any order.
    #[serde(default, deserialize_with = "created")]
    pub created: i64,
    /// The connected account in which, for a platform's endpoint.
    pub account: Option<String>,
    /// Whether it is about real money.
    pub livemode: Option<bool>,
    /// The API version that its payload is in.
    pub api_version: Option<String>,
    /// The request that caused it.
    pub request: Option<EventRequest>,
    #[serde(default)]
    data: Data,
}

/// The request that caused an event.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Value")]
pub struct EventRequest {
    /// Stripe's name for it; none if Stripe itself did it.
    pub id: Option<String>,
    /// Its idempotency key.
    pub idempotency_key: Option<String>,
}

/// What an event is about: ids, to fetch the objects by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About<'a> {
    /// The id of the object.
    pub id: Option<&'a str>,
    /// What it is, such as `subscription`.
    pub object: Option<&'a str>,
    /// The customer of it, or itself.
    pub customer: Option<&'a str>,
    /// The subscription of it, or itself.
    pub subscription: Option<&'a str>,
    /// The invoice of it, or itself.
    pub invoice: Option<&'a str>,
    /// The payment intent of it, or itself.
    pub payment_intent: Option<&'a str>,
    /// The charge of it, or itself.
    pub charge: Option<&'a str>,
}

impl Event {
    /// What it is about.
    pub fn about(&self) -> About<'_> {
        let object = &self.data.object;
        let id = text(object.get("id"));
        let name = text(object.get("object"));
        let named = |field: &str, itself: &str| if name == Some(itself) { id } else { reference(object.get(field)) };
        let parent = || reference(object.pointer("/parent/subscription_details/subscription"));
        About {
            id,
            object: name,
            customer: named("customer", "customer"),
            subscription: named("subscription", "subscription").or_else(parent),
            invoice: named("invoice", "invoice"),
            payment_intent: named("payment_intent", "payment_intent"),
            charge: named("charge", "charge"),
        }
    }
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(from = "Value")]
struct Data {
    object: Value,
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(private)")
    }
}

impl From<Value> for Data {
    fn from(mut data: Value) -> Self {
        Self { object: data.get_mut("object").map(Value::take).unwrap_or_default() }
    }
}

impl From<Value> for EventRequest {
    fn from(request: Value) -> Self {
        let field = |name: &str| text(request.get(name)).map(str::to_owned);
        // Before 2017-05-25 it was the id alone.
        let id = field("id").or_else(|| text(Some(&request)).map(str::to_owned));
        Self { id, idempotency_key: field("idempotency_key") }
    }
}

/// Seconds, or the text of a time, as events of Stripe's newer API have it, which is not needed.
fn created<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_i64().unwrap_or_default())
}

fn text(value: Option<&Value>) -> Option<&str> {
    value?.as_str().filter(|text| !text.is_empty())
}

/// An id, or the id of an object that is there whole.
fn reference(value: Option<&Value>) -> Option<&str> {
    text(value).or_else(|| text(value?.get("id")))
}
