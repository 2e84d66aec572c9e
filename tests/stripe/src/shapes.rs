//! Events as other versions of the API write them.

use serde_json::{Map, Value, json};

use crate::{account::Account, table::Record};

/// Rewrites an event as version 2020-08-27 has it: periods on the subscription instead of its items, `plan`, `discount`,
/// `charge`, `payment_intent` and `subscription` on invoices, and none of what came later.
pub fn as_of_2020(account: &Account, event: &mut Value) {
    event["api_version"] = json!("2020-08-27");
    if let Value::Object(event) = event {
        event.shift_remove("context");
    }
    let Some(Value::Object(object)) = event.pointer_mut("/data/object") else { return };
    match object.get("object").and_then(Value::as_str) {
        Some("subscription") => subscription(object),
        Some("invoice") => invoice(account, object),
        Some("charge") => {
            let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            object.insert("refunds".into(), crate::resources::charges::refunds(account, &id));
        }
        _ => {}
    }
}

fn subscription(object: &mut Map<String, Value>) {
    for late in [
        "billing_mode",
        "billing_schedules",
        "discounts",
        "managed_payments",
        "status_details",
        "customer_account",
        "trial_settings",
    ] {
        object.shift_remove(late);
    }
    let mut first = Value::Null;
    if let Some(Value::Array(items)) = object.get_mut("items").and_then(|items| items.get_mut("data")) {
        first = items.first().cloned().unwrap_or_default();
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.shift_remove("current_period_start");
            item.shift_remove("current_period_end");
        }
    }
    for field in ["current_period_start", "current_period_end", "plan", "quantity"] {
        object.insert(field.into(), first[field].clone());
    }
    object.insert("discount".into(), Value::Null);
}

fn invoice(account: &Account, object: &mut Map<String, Value>) {
    for late in ["parent", "total_taxes", "amount_overpaid", "automatically_finalizes_at", "customer_account"] {
        object.shift_remove(late);
    }
    let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let found = account.invoices.get(&id);
    let payment = found.and_then(|invoice| account.invoice_payments.get(invoice.payment.as_ref()?));
    let intent = payment.and_then(|payment| account.payment_intents.get(&payment.payment_intent));
    object.insert("charge".into(), json!(intent.and_then(|intent| intent.latest_charge.clone())));
    object.insert("payment_intent".into(), json!(intent.map(Record::id)));
    object.insert("paid".into(), json!(object.get("status").and_then(Value::as_str) == Some("paid")));
    object.insert("subscription".into(), json!(found.and_then(|invoice| invoice.subscription.clone())));
    object.insert("discount".into(), Value::Null);
    object.insert("tax".into(), Value::Null);
    object.insert("total_tax_amounts".into(), json!([]));
    let Some(Value::Array(lines)) = object.get_mut("lines").and_then(|lines| lines.get_mut("data")) else { return };
    for line in lines.iter_mut().filter_map(Value::as_object_mut) {
        let price = line.get("pricing").map(|pricing| pricing["price_details"]["price"].clone()).unwrap_or_default();
        let price = price.as_str().and_then(|price| account.prices.get(price));
        let details = line.get("parent").map(|parent| parent["subscription_item_details"].clone()).unwrap_or_default();
        for late in ["parent", "pricing", "pretax_credit_amounts", "taxes", "quantity_decimal", "subtotal"] {
            line.shift_remove(late);
        }
        line.insert("plan".into(), price.map_or(Value::Null, |price| price.plan()));
        line.insert("price".into(), price.map_or(Value::Null, |price| price.render(account)));
        line.insert("proration".into(), json!(details["proration"] == true));
        line.insert("subscription_item".into(), details["subscription_item"].clone());
        line.insert("tax_amounts".into(), json!([]));
        line.insert("tax_rates".into(), json!([]));
        line.insert("type".into(), json!("subscription"));
    }
}

/// Adds fields that nobody knows, at the top, in the object and in its lists.
pub fn add_unknown(event: &mut Value) {
    const NAME: &str = "field_of_a_later_version";
    event[NAME] = json!({ "of": ["things", { "to": "come" }] });
    if let Some(object) = event.pointer_mut("/data/object") {
        object[NAME] = json!([1, 2.5, null, "text"]);
        if let Some(Value::Array(items)) = object.pointer_mut("/items/data") {
            for item in items {
                item[NAME] = json!(true);
            }
        }
    }
}
