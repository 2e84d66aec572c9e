//! `/v1/payment_intents`: what invoices and checkouts make; nothing makes one by itself.

use serde_json::{Value, json};

use crate::{
    account::Account,
    error::Result,
    form::{Metadata, Params},
    table::{Page, Record},
};

/// A payment, over as many tries as it takes.
#[derive(Debug)]
pub struct PaymentIntent {
    id: String,
    created: i64,
    /// In the smallest unit.
    pub amount: i64,
    /// Three small letters.
    pub currency: String,
    /// Who pays.
    pub customer: Option<String>,
    /// Its newest charge.
    pub latest_charge: Option<String>,
    /// Whether it worked; `None` while it was not tried.
    pub works: Option<bool>,
    /// Whatever its owner noted.
    pub metadata: Metadata,
    secret: String,
}

impl PaymentIntent {
    /// One that has not been tried.
    pub fn new(account: &mut Account, customer: Option<String>, amount: i64, currency: &str) -> Self {
        Self {
            id: account.rng.id("pi"),
            created: account.now,
            amount,
            currency: currency.to_owned(),
            customer,
            latest_charge: None,
            works: None,
            metadata: Metadata::new(),
            secret: account.rng.letters(25),
        }
    }

    /// Puts it into its table, tells of it and gives its id.
    pub fn insert(self, account: &mut Account) -> String {
        let (id, shown) = (self.id.clone(), self.render(account));
        account.payment_intents.insert(self);
        account.emit("payment_intent.created", &shown, None);
        id
    }
}

impl Record for PaymentIntent {
    const WHAT: &'static str = "payment_intent";

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
        let error = (self.works == Some(false)).then(|| {
            json!({
                "charge": self.latest_charge,
                "code": "card_declined",
                "decline_code": "generic_decline",
                "doc_url": "https://stripe.com/docs/error-codes/card-declined",
                "message": "Your card was declined.",
                "type": "card_error",
            })
        });
        json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_details": { "tip": {} },
            "amount_received": if self.works == Some(true) { self.amount } else { 0 },
            "application": null,
            "application_fee_amount": null,
            "automatic_payment_methods": null,
            "canceled_at": null,
            "cancellation_reason": null,
            "capture_method": "automatic",
            "client_secret": format!("{}_secret_{}", self.id, self.secret),
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": null,
            "description": null,
            "excluded_payment_method_types": null,
            "last_payment_error": error,
            "latest_charge": self.latest_charge,
            "livemode": false,
            "metadata": self.metadata,
            "next_action": null,
            "on_behalf_of": null,
            "payment_method": null,
            "payment_method_configuration_details": null,
            "payment_method_options": {},
            "payment_method_types": ["card"],
            "processing": null,
            "receipt_email": null,
            "review": null,
            "setup_future_usage": null,
            "shipping": null,
            "source": null,
            "statement_descriptor": null,
            "statement_descriptor_suffix": null,
            "status": if self.works == Some(true) { "succeeded" } else { "requires_payment_method" },
            "transfer_data": null,
            "transfer_group": null,
        })
    }
}

/// `GET /v1/payment_intents/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(account.payment_intents.find(id, "id")?.render(account))
}

/// `GET /v1/payment_intents`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    let customer = params.text("customer")?;
    params.finish()?;
    page.list(account, &account.payment_intents, customer.as_deref(), "/v1/payment_intents", |_| true)
}
