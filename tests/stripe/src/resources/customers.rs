//! `/v1/customers`, and the one card that a customer may have.

use serde_json::{Value, json};

use crate::{
    account::Account,
    billing,
    error::{ApiError, Result},
    form::{Metadata, MetadataPatch, Params, Patch, patch},
    table::{Page, Record},
};

/// A customer.
#[derive(Debug)]
pub struct Customer {
    /// `cus_…`.
    pub id: String,
    created: i64,
    /// Where mail goes.
    pub email: Option<String>,
    /// Whom to address.
    pub name: Option<String>,
    description: Option<String>,
    phone: Option<String>,
    metadata: Metadata,
    /// How it pays, if it has said.
    pub card: Option<Card>,
    /// Before the number of each invoice.
    pub invoice_prefix: String,
    /// The number of the next invoice.
    pub next_invoice: u64,
    /// Whether its last invoice failed.
    pub delinquent: bool,
    /// The currency of its first invoice.
    pub currency: Option<String>,
    /// Less than 0 is credit, which the next invoices use up.
    pub balance: i64,
    deleted: bool,
}

/// A card.
#[derive(Debug, Clone)]
pub struct Card {
    /// `pm_…`.
    pub id: String,
    /// Whether payments with it are declined.
    pub fails: bool,
}

impl Card {
    /// A card by one of Stripe's names for tests, or any other that works.
    pub fn named(account: &mut Account, name: &str) -> Self {
        Self {
            id: account.rng.id("pm"),
            fails: matches!(name, "pm_card_chargeCustomerFail" | "pm_card_visa_chargeDeclined"),
        }
    }
}

impl Customer {
    /// A customer of whom nothing is known.
    pub fn new(id: String, invoice_prefix: String, now: i64) -> Self {
        Self {
            id,
            created: now,
            email: None,
            name: None,
            description: None,
            phone: None,
            metadata: Metadata::new(),
            card: None,
            invoice_prefix,
            next_invoice: 1,
            delinquent: false,
            currency: None,
            balance: 0,
            deleted: false,
        }
    }
}

impl Record for Customer {
    const WHAT: &'static str = "customer";

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
            "object": "customer",
            "address": null,
            "balance": self.balance,
            "created": self.created,
            "currency": self.currency,
            "customer_account": null,
            "default_source": null,
            "delinquent": self.delinquent,
            "description": self.description,
            "discount": null,
            "email": self.email,
            "invoice_prefix": self.invoice_prefix,
            "invoice_settings": {
                "custom_fields": null,
                "default_payment_method": self.card.as_ref().map(|card| &card.id),
                "footer": null,
                "rendering_options": null,
            },
            "livemode": false,
            "metadata": self.metadata,
            "name": self.name,
            "next_invoice_sequence": self.next_invoice,
            "phone": self.phone,
            "preferred_locales": [],
            "shipping": null,
            "tax_exempt": "none",
            "test_clock": null,
        })
    }
}

/// What create and update have in common.
struct Changes {
    email: Patch<String>,
    name: Patch<String>,
    description: Patch<String>,
    phone: Patch<String>,
    metadata: MetadataPatch,
    payment_method: Option<String>,
}

impl Changes {
    fn take(params: &mut Params) -> Result<Self> {
        let mut payment_method = params.text("payment_method")?;
        if let Some(Some(mut settings)) = params.branch("invoice_settings")? {
            payment_method = settings.text("default_payment_method")?.or(payment_method);
            settings.finish()?;
        }
        Ok(Self {
            email: params.patch("email")?,
            name: params.patch("name")?,
            description: params.patch("description")?,
            phone: params.patch("phone")?,
            metadata: params.metadata("metadata")?,
            payment_method,
        })
    }

    fn apply(self, customer: &mut Customer, card: Option<Card>) {
        patch(&mut customer.email, self.email);
        patch(&mut customer.name, self.name);
        patch(&mut customer.description, self.description);
        patch(&mut customer.phone, self.phone);
        self.metadata.apply(&mut customer.metadata);
        customer.card = card.or_else(|| customer.card.take());
    }
}

/// `POST /v1/customers`
pub fn create(account: &mut Account, mut params: Params) -> Result<Value> {
    let changes = Changes::take(&mut params)?;
    params.finish()?;
    let card = changes.payment_method.clone().map(|name| Card::named(account, &name));
    let mut customer = new(account);
    changes.apply(&mut customer, card);
    let shown = customer.render(account);
    account.customers.insert(customer);
    account.emit("customer.created", &shown, None);
    Ok(shown)
}

/// A customer with an id and an invoice prefix of its own, not yet in the table.
pub fn new(account: &mut Account) -> Customer {
    let id = account.rng.id("cus");
    let prefix = account.rng.letters(8).to_ascii_uppercase();
    Customer::new(id, prefix, account.now)
}

/// `POST /v1/customers/{id}`
pub fn update(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    let changes = Changes::take(&mut params)?;
    params.finish()?;
    let before = find(account, id, "id")?.render(account);
    let card = changes.payment_method.clone().map(|name| Card::named(account, &name));
    if let Some(customer) = account.customers.get_mut(id) {
        changes.apply(customer, card);
    }
    let after = account.shown(|account| &account.customers, id);
    account.emit_change("customer.updated", &before, &after);
    Ok(after)
}

/// `GET /v1/customers/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    let customer = account.customers.find(id, "id")?;
    Ok(if customer.deleted { gone(id) } else { customer.render(account) })
}

/// `DELETE /v1/customers/{id}`: its subscriptions end at once.
pub fn delete(account: &mut Account, id: &str) -> Result<Value> {
    let shown = find(account, id, "id")?.render(account);
    let live: Vec<String> =
        account.subscriptions.of(id).filter(|subscription| !subscription.ended()).map(|live| live.id.clone()).collect();
    for subscription in live {
        billing::end(account, &subscription, "cancellation_requested");
    }
    if let Some(customer) = account.customers.get_mut(id) {
        customer.deleted = true;
    }
    account.emit("customer.deleted", &shown, None);
    Ok(gone(id))
}

/// `GET /v1/customers`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    let email = params.text("email")?;
    params.finish()?;
    page.list(account, &account.customers, None, "/v1/customers", |customer| email.is_none() || customer.email == email)
}

/// A customer who is still there.
pub fn find<'a>(account: &'a Account, id: &str, param: &str) -> Result<&'a Customer> {
    match account.customers.get(id) {
        Some(customer) if !customer.deleted => Ok(customer),
        _ => Err(ApiError::no_such("customer", id, param)),
    }
}

fn gone(id: &str) -> Value {
    json!({ "id": id, "object": "customer", "deleted": true })
}
