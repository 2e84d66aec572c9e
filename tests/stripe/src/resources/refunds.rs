//! `/v1/refunds`: all or a part of a charge given back.

use serde_json::{Value, json};

use super::disputes;
use crate::{
    account::Account,
    error::{ApiError, Result},
    form::{Metadata, Params},
    table::{Page, Record},
};

/// Money given back.
#[derive(Debug)]
pub struct Refund {
    id: String,
    created: i64,
    amount: i64,
    currency: String,
    charge: String,
    intent: String,
    reason: Option<String>,
    metadata: Metadata,
    transaction: String,
}

impl Record for Refund {
    const WHAT: &'static str = "refund";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.charge)
    }

    fn render(&self, _: &Account) -> Value {
        json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": self.transaction,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "customer": null,
            "customer_account": null,
            "destination_details": {
                "card": {
                    "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund",
                },
                "type": "card",
            },
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "payment_method": null,
            "reason": self.reason,
            "receipt_number": null,
            "source_transfer_reversal": null,
            "status": "succeeded",
            "transfer_reversal": null,
        })
    }
}

/// `POST /v1/refunds`
pub fn create(account: &mut Account, mut params: Params) -> Result<Value> {
    let charge = params.text("charge")?;
    let intent = params.text("payment_intent")?;
    let amount = params.int("amount")?;
    let reason = params.word("reason", &["duplicate", "fraudulent", "requested_by_customer"])?;
    let metadata = params.metadata("metadata")?.fresh();
    params.finish()?;
    let charge = match (charge, intent) {
        (Some(charge), _) => account.charges.find(&charge, "charge")?,
        (None, Some(intent)) => {
            let found = account.payment_intents.find(&intent, "payment_intent")?;
            let latest = found.latest_charge.as_ref().and_then(|charge| account.charges.get(charge));
            latest.ok_or_else(|| {
                ApiError::request(
                    400,
                    format!("This PaymentIntent ({intent}) does not have a successful charge to refund."),
                )
            })?
        }
        (None, None) => {
            let message = "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(ApiError { before: true, ..ApiError::request(400, message) });
        }
    };
    let left = charge.amount - charge.refunded;
    let amount = amount.unwrap_or(left);
    let id = charge.id().to_owned();
    if !charge.paid() {
        return Err(ApiError::request(400, format!("Charge {id} has failed, so it cannot be refunded.")));
    }
    disputes::check_refund(account, charge)?;
    if left == 0 {
        let error = ApiError::request(400, format!("Charge {id} has already been refunded."));
        return Err(error.code("charge_already_refunded"));
    }
    if amount < 1 || amount > left {
        let message = format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})");
        return Err(ApiError { param: Some("amount".into()), ..ApiError::request(400, message) });
    }
    let (intent, currency, before) = (charge.intent.clone(), charge.currency.clone(), charge.render(account));
    let refund = Refund {
        id: account.rng.id("re"),
        created: account.now,
        amount,
        currency,
        charge: id.clone(),
        intent,
        reason,
        metadata,
        transaction: account.rng.id("txn"),
    };
    let shown = refund.render(account);
    account.refunds.insert(refund);
    if let Some(charge) = account.charges.get_mut(&id) {
        charge.refunded += amount;
    }
    let after = account.shown(|account| &account.charges, &id);
    account.emit("refund.created", &shown, None);
    account.emit_change("charge.refunded", &before, &after);
    Ok(shown)
}

/// `GET /v1/refunds/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(account.refunds.find(id, "id")?.render(account))
}

/// `GET /v1/refunds`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    let charge = params.text("charge")?;
    let intent = params.text("payment_intent")?;
    params.finish()?;
    page.list(account, &account.refunds, charge.as_deref(), "/v1/refunds", |refund| {
        intent.as_ref().is_none_or(|intent| refund.intent == *intent)
    })
}
