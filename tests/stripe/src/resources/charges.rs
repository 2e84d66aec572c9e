//! `/v1/charges`: each try of a payment.

use serde_json::{Value, json};

use crate::{
    account::Account,
    error::Result,
    form::Params,
    table::{Page, Record, list_of},
};

/// One try to have something paid.
#[derive(Debug, Clone)]
pub struct Charge {
    id: String,
    created: i64,
    /// In the smallest unit.
    pub amount: i64,
    /// What of it was given back.
    pub refunded: i64,
    /// Whether a customer has had a bank take it back; for ever.
    pub disputed: bool,
    /// Three small letters.
    pub currency: String,
    customer: Option<String>,
    email: Option<String>,
    /// `pi_…`.
    pub intent: String,
    method: Option<String>,
    works: bool,
    transaction: String,
}

impl Charge {
    /// Whether it was paid.
    pub fn paid(&self) -> bool {
        self.works
    }
}

impl Record for Charge {
    const WHAT: &'static str = "charge";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn owner(&self) -> Option<&str> {
        self.customer.as_deref()
    }

    fn render(&self, _: &Account) -> Value {
        let (code, message) = match self.works {
            true => (None, None),
            false => (Some("card_declined"), Some("Your card was declined.")),
        };
        json!({
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": if self.works { self.amount } else { 0 },
            "amount_refunded": self.refunded,
            "application": null,
            "application_fee": null,
            "application_fee_amount": null,
            "balance_transaction": self.works.then_some(&self.transaction),
            "billing_details": {
                "address": {
                    "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null,
                },
                "email": self.email,
                "name": null,
                "phone": null,
                "tax_id": null,
            },
            "calculated_statement_descriptor": "STRIPE-FAKE",
            "captured": self.works,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": null,
            "disputed": self.disputed,
            "failure_balance_transaction": null,
            "failure_code": code,
            "failure_message": message,
            "fraud_details": {},
            "livemode": false,
            "metadata": {},
            "on_behalf_of": null,
            "outcome": {
                "advice_code": null,
                "network_advice_code": null,
                "network_decline_code": null,
                "network_status": if self.works { "approved_by_network" } else { "declined_by_network" },
                "reason": if self.works { None } else { Some("generic_decline") },
                "risk_level": "normal",
                "seller_message": if self.works { "Payment complete." } else { "The bank did not return any further details with this decline." },
                "type": if self.works { "authorized" } else { "issuer_declined" },
            },
            "paid": self.works,
            "payment_intent": self.intent,
            "payment_method": self.method,
            "payment_method_details": {
                "card": {
                    "amount_authorized": if self.works { Some(self.amount) } else { None },
                    "authorization_code": null,
                    "brand": "visa",
                    "checks": {
                        "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass",
                    },
                    "country": "US",
                    "exp_month": 12,
                    "exp_year": 2040,
                    "fingerprint": "AOB934RVNwzk6xtn",
                    "funding": "credit",
                    "installments": null,
                    "last4": if self.works { "4242" } else { "0341" },
                    "mandate": null,
                    "network": "visa",
                    "network_token": { "used": false },
                    "three_d_secure": null,
                    "wallet": null,
                },
                "type": "card",
            },
            "receipt_email": null,
            "receipt_number": null,
            "receipt_url": self.works.then(|| format!("https://pay.stripe.com/receipts/payment/{}", self.id)),
            "refunded": self.amount == self.refunded && self.works,
            "review": null,
            "shipping": null,
            "source": null,
            "source_transfer": null,
            "statement_descriptor": null,
            "statement_descriptor_suffix": null,
            "status": if self.works { "succeeded" } else { "failed" },
            "transfer_data": null,
            "transfer_group": null,
        })
    }
}

/// Tries a payment, tells of how it went and gives the charge.
pub fn charge(account: &mut Account, intent: &str, works: bool) -> String {
    let (id, transaction) = (account.rng.id("ch"), account.rng.id("txn"));
    let Some(found) = account.payment_intents.get_mut(intent) else { return id };
    (found.works, found.latest_charge) = (Some(works), Some(id.clone()));
    let (amount, currency, customer) = (found.amount, found.currency.clone(), found.customer.clone());
    let payer = customer.as_ref().and_then(|customer| account.customers.get_mut(customer));
    let (email, method) = match payer {
        Some(payer) => {
            payer.currency.get_or_insert_with(|| currency.clone());
            (payer.email.clone(), payer.card.as_ref().map(|card| card.id.clone()))
        }
        None => (None, None),
    };
    let created = account.now;
    let intent = intent.to_owned();
    let charge = Charge {
        id,
        created,
        amount,
        refunded: 0,
        disputed: false,
        currency,
        customer,
        email,
        intent,
        method,
        works,
        transaction,
    };
    let (id, intent, shown) = (charge.id.clone(), charge.intent.clone(), charge.render(account));
    account.charges.insert(charge);
    account.emit(if works { "charge.succeeded" } else { "charge.failed" }, &shown, None);
    let shown = account.shown(|account| &account.payment_intents, &intent);
    account.emit(if works { "payment_intent.succeeded" } else { "payment_intent.payment_failed" }, &shown, None);
    id
}

/// `GET /v1/charges/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(account.charges.find(id, "id")?.render(account))
}

/// `GET /v1/charges`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    let customer = params.text("customer")?;
    let intent = params.text("payment_intent")?;
    params.finish()?;
    page.list(account, &account.charges, customer.as_deref(), "/v1/charges", |charge| {
        intent.as_ref().is_none_or(|intent| charge.intent == *intent)
    })
}

/// The `refunds` of a charge, which it has only where they are expanded.
pub fn refunds(account: &Account, charge: &str) -> Value {
    let refunds = account.refunds.of(charge).rev().map(|refund| refund.render(account)).collect();
    list_of(&format!("/v1/charges/{charge}/refunds"), false, refunds)
}
