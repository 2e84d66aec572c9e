//! `expand[]`: ids in an answer are replaced by what they stand for.

use serde_json::Value;

use crate::{
    account::Account,
    error::{ApiError, Result},
    resources::{charges, invoice_payments, sessions},
};

/// Stripe's limit.
const DEPTH_MAX: usize = 4;

/// Expands one path, such as `data.latest_invoice`.
pub fn expand(account: &Account, answer: &mut Value, path: &str) -> Result<()> {
    let parts: Vec<&str> = path.split('.').collect();
    if parts.len() > DEPTH_MAX {
        let message = format!("You cannot expand more than {DEPTH_MAX} levels of a property. Property: {path}");
        return Err(ApiError::invalid("expand", message));
    }
    walk(account, answer, &parts, path)
}

fn walk(account: &Account, value: &mut Value, parts: &[&str], path: &str) -> Result<()> {
    if let Value::Array(all) = value {
        return all.iter_mut().try_for_each(|one| walk(account, one, parts, path));
    }
    let Some((part, rest)) = parts.split_first() else { return Ok(()) };
    let Value::Object(fields) = value else { return Ok(()) };
    let (object, id) = (text(fields.get("object")), text(fields.get("id")));
    // Lists that an object has only where they are asked for.
    match (object.as_str(), *part) {
        ("invoice", "payments") => _ = fields.insert("payments".into(), invoice_payments::of_invoice(account, &id)),
        ("charge", "refunds") => _ = fields.insert("refunds".into(), charges::refunds(account, &id)),
        ("checkout.session", "line_items") => {
            fields.insert("line_items".into(), sessions::line_items(account, &id)?);
        }
        _ => {}
    }
    let Some(field) = fields.get_mut(*part) else {
        let message = format!("This property cannot be expanded ({path}).");
        return Err(ApiError::invalid("expand", message));
    };
    match field {
        Value::String(id) => {
            if let Some(found) = find(account, part, id) {
                *field = found;
            }
        }
        Value::Array(all) => {
            for one in all {
                if let Value::String(id) = one
                    && let Some(found) = find(account, part, id)
                {
                    *one = found;
                }
            }
        }
        _ => {}
    }
    walk(account, field, rest, path)
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What a field's id stands for.
fn find(account: &Account, field: &str, id: &str) -> Option<Value> {
    let found = match field {
        "customer" => account.shown(|account| &account.customers, id),
        "product" => account.shown(|account| &account.products, id),
        "price" | "default_price" => account.shown(|account| &account.prices, id),
        "coupon" => account.shown(|account| &account.coupons, id),
        "subscription" => account.shown(|account| &account.subscriptions, id),
        "invoice" | "latest_invoice" => account.shown(|account| &account.invoices, id),
        "payment_intent" => account.shown(|account| &account.payment_intents, id),
        "charge" | "latest_charge" => account.shown(|account| &account.charges, id),
        "dispute" => account.shown(|account| &account.disputes, id),
        "discounts" => {
            let holder = account
                .subscriptions
                .iter()
                .find(|one| one.discount.as_ref().is_some_and(|discount| discount.id == id))?;
            holder.discount.as_ref()?.render(&holder.customer, Some(&holder.id))
        }
        _ => Value::Null,
    };
    (!found.is_null()).then_some(found)
}
