//! `POST /v1/subscriptions/{id}/pause` and `/resume`: pausing the subscription itself, not only its collection; and
//! `/migrate`, which makes that possible.

use serde_json::Value;

use crate::{
    account::Account,
    billing,
    error::{ApiError, Result},
    form::Params,
};

/// `POST /v1/subscriptions/{id}/pause`: the period ends now, no invoice comes any more.
pub fn pause(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    params.word("type", &["subscription"])?;
    params.ignore(&["bill_for", "invoicing_behavior"]);
    params.finish()?;
    let subscription = account.subscriptions.find(id, "id")?;
    if !subscription.flexible {
        return Err(ApiError::request(400, "Pausing a subscription requires `billing_mode` to be `flexible`."));
    }
    if !matches!(subscription.status, "active" | "trialing" | "past_due") {
        let message = format!("A subscription that is {} cannot be paused.", subscription.status);
        return Err(ApiError::request(400, message));
    }
    let now = account.now;
    let after = billing::change(account, id, |subscription| {
        subscription.status = "paused";
        subscription.paused_at = Some(now);
        subscription.period.1 = now;
    });
    account.emit("customer.subscription.paused", &after, None);
    Ok(after)
}

/// `POST /v1/subscriptions/{id}/resume`: by default a new period begins and is charged at once.
pub fn resume(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    let anchor = match params.branch("billing_cycle_anchor")?.flatten() {
        None => None,
        Some(mut anchor) => {
            let kind = anchor.word("type", &["now", "unchanged"])?;
            anchor.finish()?;
            kind
        }
    };
    let unchanged = anchor.as_deref() == Some("unchanged");
    let behavior = params.word("payment_behavior", &["resume_on_payment_attempt", "resume_on_payment_success"])?;
    params.ignore(&["proration_behavior", "proration_date"]);
    params.finish()?;
    let subscription = account.subscriptions.find(id, "id")?;
    if subscription.status != "paused" {
        let message = format!("Only a paused subscription can be resumed; this one is {}.", subscription.status);
        return Err(ApiError::request(400, message));
    }
    let on_success = behavior.as_deref() == Some("resume_on_payment_success");
    billing::resume(account, id, unchanged, on_success);
    Ok(account.shown(|account| &account.subscriptions, id))
}

/// `POST /v1/subscriptions/{id}/migrate`: to the flexible billing mode, and never back.
pub fn migrate(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    let mut mode = params.branch("billing_mode")?.flatten().ok_or_else(|| ApiError::missing("billing_mode"))?;
    mode.word("type", &["flexible"])?.ok_or_else(|| ApiError::missing("billing_mode[type]"))?;
    mode.finish()?;
    params.finish()?;
    account.subscriptions.find(id, "id")?;
    Ok(billing::change(account, id, |subscription| subscription.flexible = true))
}
