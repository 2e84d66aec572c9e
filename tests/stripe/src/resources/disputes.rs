//! `/v1/disputes`: what customers have their banks take back. They begin by `Control::dispute`, as customers begin them.

use serde_json::{Value, json};

use super::charges::Charge;
use crate::{
    account::Account,
    error::{ApiError, Result},
    form::{Metadata, Params},
    table::{Page, Record},
};

/// How long its evidence may take.
const EVIDENCE_SECONDS: i64 = 9 * 86_400;

/// Money that a customer has the bank take back.
#[derive(Debug)]
pub struct Dispute {
    id: String,
    created: i64,
    amount: i64,
    currency: String,
    charge: String,
    intent: String,
    /// `needs_response`, `under_review`, `won`, `lost`.
    pub status: &'static str,
    has_evidence: bool,
    metadata: Metadata,
    transactions: Vec<Transaction>,
}

/// Money that goes to the bank, or comes back from it.
#[derive(Debug)]
struct Transaction {
    id: String,
    created: i64,
    amount: i64,
}

impl Dispute {
    /// Whether the money is the bank's.
    pub fn holds_money(&self) -> bool {
        self.status != "won"
    }
}

impl Record for Dispute {
    const WHAT: &'static str = "dispute";

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
        let transactions = self.transactions.iter().map(|one| {
            json!({
                "id": one.id,
                "object": "balance_transaction",
                "amount": one.amount,
                "available_on": one.created,
                "balance_type": "payments",
                "created": one.created,
                "currency": self.currency,
                "description": format!("Chargeback for {}", self.charge),
                "exchange_rate": null,
                "fee": 0,
                "fee_details": [],
                "net": one.amount,
                "reporting_category": if one.amount < 0 { "dispute" } else { "dispute_reversal" },
                "source": self.id,
                "status": "available",
                "type": "adjustment",
            })
        });
        json!({
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": transactions.collect::<Vec<_>>(),
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": {
                "access_activity_log": null,
                "billing_address": null,
                "cancellation_policy": null,
                "cancellation_policy_disclosure": null,
                "cancellation_rebuttal": null,
                "customer_communication": null,
                "customer_email_address": null,
                "customer_name": null,
                "customer_purchase_ip": null,
                "customer_signature": null,
                "duplicate_charge_documentation": null,
                "duplicate_charge_explanation": null,
                "duplicate_charge_id": null,
                "enhanced_evidence": {},
                "product_description": null,
                "receipt": null,
                "refund_policy": null,
                "refund_policy_disclosure": null,
                "refund_refusal_explanation": null,
                "service_date": null,
                "service_documentation": null,
                "shipping_address": null,
                "shipping_carrier": null,
                "shipping_date": null,
                "shipping_documentation": null,
                "shipping_tracking_number": null,
                "uncategorized_file": null,
                "uncategorized_text": null,
            },
            "evidence_details": {
                "due_by": self.created + EVIDENCE_SECONDS,
                "enhanced_eligibility": {},
                "has_evidence": self.has_evidence,
                "past_due": false,
                "submission_count": i64::from(self.has_evidence),
            },
            "is_charge_refundable": false,
            "livemode": false,
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "payment_method_details": {
                "card": { "brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4" },
                "type": "card",
            },
            "reason": "fraudulent",
            "status": self.status,
        })
    }
}

/// A customer has the bank take back what a charge brought, or a part of it.
pub fn open(account: &mut Account, charge: &str, amount: Option<i64>) -> Result<Value> {
    let found = account.charges.find(charge, "charge")?;
    let amount = amount.unwrap_or(found.amount);
    if !found.paid() || amount < 1 || amount > found.amount {
        return Err(ApiError::request(400, format!("stripe-fake: {amount} of charge {charge} cannot be disputed.")));
    }
    if account.disputes.of(charge).next().is_some() {
        return Err(ApiError::request(400, format!("stripe-fake: charge {charge} was disputed already.")));
    }
    let (currency, intent) = (found.currency.clone(), found.intent.clone());
    let (id, transaction, now) = (account.rng.id("du"), account.rng.id("txn"), account.now);
    let dispute = Dispute {
        id: id.clone(),
        created: now,
        amount,
        currency,
        charge: charge.to_owned(),
        intent,
        status: "needs_response",
        has_evidence: false,
        metadata: Metadata::new(),
        transactions: vec![Transaction { id: transaction, created: now, amount: -amount }],
    };
    account.disputes.insert(dispute);
    if let Some(charge) = account.charges.get_mut(charge) {
        charge.disputed = true;
    }
    let shown = account.shown(|account| &account.disputes, &id);
    account.emit("charge.dispute.created", &shown, None);
    account.emit("charge.dispute.funds_withdrawn", &shown, None);
    Ok(shown)
}

/// The bank has decided.
pub fn decide(account: &mut Account, id: &str, is_won: bool) -> Result<Value> {
    let dispute = account.disputes.find(id, "id")?;
    if matches!(dispute.status, "won" | "lost") {
        return Err(ApiError::request(400, format!("This dispute is already closed: it is {}.", dispute.status)));
    }
    let (transaction, now) = (account.rng.id("txn"), account.now);
    let shown = change(account, id, |dispute| {
        dispute.status = if is_won { "won" } else { "lost" };
        if is_won {
            dispute.transactions.push(Transaction { id: transaction, created: now, amount: dispute.amount });
        }
    });
    if is_won {
        account.emit("charge.dispute.funds_reinstated", &shown, None);
    }
    account.emit("charge.dispute.closed", &shown, None);
    Ok(shown)
}

/// Changes a dispute, tells of it if anything can be seen of it, and gives it as it is then.
fn change(account: &mut Account, id: &str, apply: impl FnOnce(&mut Dispute)) -> Value {
    let before = account.shown(|account| &account.disputes, id);
    if let Some(dispute) = account.disputes.get_mut(id) {
        apply(dispute);
    }
    let after = account.shown(|account| &account.disputes, id);
    account.emit_change("charge.dispute.updated", &before, &after);
    after
}

/// `POST /v1/disputes/{id}`: only its metadata, and whether the evidence goes to the bank.
pub fn update(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    let metadata = params.metadata("metadata")?;
    let is_submitted = params.boolean("submit")?.unwrap_or(true);
    params.finish()?;
    if account.disputes.find(id, "id")?.status != "needs_response" {
        return Err(ApiError::request(400, "This dispute cannot be updated any more."));
    }
    Ok(change(account, id, |dispute| {
        metadata.apply(&mut dispute.metadata);
        if is_submitted {
            (dispute.status, dispute.has_evidence) = ("under_review", true);
        }
    }))
}

/// `POST /v1/disputes/{id}/close`: it is given up, and so lost.
pub fn close(account: &mut Account, id: &str, params: Params) -> Result<Value> {
    params.finish()?;
    decide(account, id, false)
}

/// `GET /v1/disputes/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(account.disputes.find(id, "id")?.render(account))
}

/// `GET /v1/disputes`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    let charge = params.text("charge")?;
    let intent = params.text("payment_intent")?;
    params.finish()?;
    page.list(account, &account.disputes, charge.as_deref(), "/v1/disputes", |dispute| {
        intent.as_ref().is_none_or(|intent| dispute.intent == *intent)
    })
}

/// Refuses to give back what the bank has, or has decided about.
pub fn check_refund(account: &Account, charge: &Charge) -> Result<()> {
    if account.disputes.of(charge.id()).any(Dispute::holds_money) {
        let message = format!("Charge {} has been charged back; cannot issue a refund.", charge.id());
        return Err(ApiError::request(400, message).code("charge_disputed"));
    }
    Ok(())
}
