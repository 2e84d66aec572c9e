//! `/v1/invoices`.

use serde_json::{Value, json};

use crate::{
    account::Account,
    error::Result,
    form::{Metadata, Params},
    table::{Page, Record, list_of},
};

/// The lines that an invoice itself shows.
const LINES_SHOWN: usize = 10;

/// An invoice.
#[derive(Debug, Default)]
pub struct Invoice {
    /// `in_…`.
    pub id: String,
    /// When it was made.
    pub created: i64,
    /// Who is to pay it.
    pub customer: String,
    /// What it is for.
    pub subscription: Option<String>,
    /// `subscription_create`, `subscription_cycle`, ….
    pub reason: &'static str,
    /// `draft`, `open`, `paid`, `void`, `uncollectible`.
    pub status: &'static str,
    /// Its number, once it is finalised.
    pub number: Option<String>,
    /// Three small letters.
    pub currency: String,
    /// What is billed.
    pub lines: Vec<Line>,
    /// The time before it: as Stripe has it, its lines are dated by the period they are for, the invoice by the last one.
    pub period: (i64, i64),
    /// The discount, and what it takes off.
    pub discount: Option<(String, i64)>,
    /// The subscription's metadata as they were.
    pub parent_metadata: Metadata,
    /// Whatever its owner noted.
    pub metadata: Metadata,
    /// Whether it goes on by itself.
    pub auto_advance: bool,
    /// How often it was tried to be paid.
    pub attempt_count: usize,
    /// When it will be tried next.
    pub next_attempt: Option<i64>,
    /// When the draft will be finalised.
    pub finalizes_at: Option<i64>,
    /// When it was finalised.
    pub finalized_at: Option<i64>,
    /// When it was paid.
    pub paid_at: Option<i64>,
    /// When it became void.
    pub voided_at: Option<i64>,
    /// When it was given up.
    pub uncollectible_at: Option<i64>,
    /// `inpay_…`.
    pub payment: Option<String>,
    /// Whether it is tried again by itself where it is not paid.
    pub is_retried: bool,
    /// The customer's balance before and after it, once it is finalised; less than 0 is credit.
    pub balance: Option<(i64, i64)>,
}

/// One line of an invoice.
#[derive(Debug, Clone)]
pub struct Line {
    /// `il_…`.
    pub id: String,
    /// In the smallest unit.
    pub amount: i64,
    /// For the customer.
    pub description: String,
    /// What time it is for.
    pub period: (i64, i64),
    /// How many.
    pub quantity: i64,
    /// What of.
    pub price: String,
    /// What that is a price of.
    pub product: String,
    /// The item of the subscription.
    pub item: Option<String>,
    /// Whether it makes up for a change in the middle of a period.
    pub is_proration: bool,
}

impl Invoice {
    /// A draft of which nothing else is known.
    pub fn blank(id: String, now: i64) -> Self {
        Self { id, created: now, status: "draft", reason: "manual", auto_advance: true, ..Self::default() }
    }

    fn subtotal(&self) -> i64 {
        self.lines.iter().map(|line| line.amount).sum()
    }

    /// All lines together, after what is taken off; less than 0 where more is credited than charged.
    pub fn total(&self) -> i64 {
        self.subtotal() - self.discount.as_ref().map_or(0, |discount| discount.1)
    }

    /// What is to be paid, after what the customer had in credit.
    pub fn amount_due(&self) -> i64 {
        (self.total() + self.balance.map_or(0, |(before, _)| before)).max(0)
    }

    /// When time will next do something to it.
    pub fn due(&self) -> Option<i64> {
        match self.status {
            "draft" => self.finalizes_at,
            "open" => self.next_attempt,
            _ => None,
        }
    }

    fn url(&self, account: &Account, host: &str, end: &str) -> Option<String> {
        self.number.as_ref().map(|_| format!("https://{host}.stripe.com/i/{}/test_{}{end}", account.id, self.id))
    }

    /// The first of its lines.
    fn lines_shown(&self) -> Value {
        let mut lines = self.render_lines();
        let has_more = lines.len() > LINES_SHOWN;
        lines.truncate(LINES_SHOWN);
        list_of(&format!("/v1/invoices/{}/lines", self.id), has_more, lines)
    }

    fn render_lines(&self) -> Vec<Value> {
        let each = self.lines.iter().map(|line| {
            let parent = line.item.as_ref().map(|item| {
                json!({
                    "invoice_item_details": null,
                    "subscription_item_details": {
                        "invoice_item": null,
                        "proration": line.is_proration,
                        "proration_details": { "credited_items": null },
                        "subscription": self.subscription,
                        "subscription_item": item,
                    },
                    "type": "subscription_item_details",
                })
            });
            json!({
                "id": line.id,
                "object": "line_item",
                "amount": line.amount,
                "currency": self.currency,
                "description": line.description,
                "discount_amounts": [],
                "discountable": true,
                "discounts": [],
                "invoice": self.id,
                "livemode": false,
                "metadata": self.parent_metadata,
                "parent": parent,
                "period": { "end": line.period.1, "start": line.period.0 },
                "pretax_credit_amounts": [],
                "pricing": {
                    "price_details": { "price": line.price, "product": line.product },
                    "type": "price_details",
                    "unit_amount_decimal": (line.amount / line.quantity.max(1)).to_string(),
                },
                "quantity": line.quantity,
                "quantity_decimal": line.quantity.to_string(),
                "subscription": self.subscription,
                "subtotal": line.amount,
                "taxes": [],
            })
        });
        each.collect()
    }
}

impl Record for Invoice {
    const WHAT: &'static str = "invoice";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.customer)
    }

    fn render(&self, account: &Account) -> Value {
        let (subtotal, total) = (self.subtotal(), self.total());
        let amount_due = self.amount_due();
        let amount_paid = if self.status == "paid" { amount_due } else { 0 };
        let customer = account.customers.get(&self.customer);
        let off: Vec<_> = self.discount.iter().map(|(id, off)| json!({ "amount": off, "discount": id })).collect();
        let parent = self.subscription.as_ref().map(|subscription| {
            json!({
                "quote_details": null,
                "subscription_details": { "metadata": self.parent_metadata, "subscription": subscription },
                "type": "subscription_details",
            })
        });
        json!({
            "id": self.id,
            "object": "invoice",
            "account_country": account.country,
            "account_name": null,
            "account_tax_ids": null,
            "amount_due": amount_due,
            "amount_overpaid": 0,
            "amount_paid": amount_paid,
            "amount_remaining": amount_due - amount_paid,
            "amount_shipping": 0,
            "application": null,
            "attempt_count": self.attempt_count,
            "attempted": self.attempt_count > 0,
            "auto_advance": self.auto_advance && matches!(self.status, "draft" | "open"),
            "automatic_tax": {
                "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null,
            },
            "automatically_finalizes_at": self.finalizes_at,
            "billing_reason": self.reason,
            "collection_method": "charge_automatically",
            "created": self.created,
            "currency": self.currency,
            "custom_fields": null,
            "customer": self.customer,
            "customer_account": null,
            "customer_address": null,
            "customer_email": customer.and_then(|customer| customer.email.as_ref()),
            "customer_name": customer.and_then(|customer| customer.name.as_ref()),
            "customer_phone": null,
            "customer_shipping": null,
            "customer_tax_exempt": "none",
            "customer_tax_ids": [],
            "default_payment_method": null,
            "default_source": null,
            "default_tax_rates": [],
            "description": null,
            "discounts": self.discount.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            "due_date": null,
            "effective_at": self.finalized_at,
            "ending_balance": self.balance.map(|(_, after)| after),
            "footer": null,
            "from_invoice": null,
            "hosted_invoice_url": self.url(account, "invoice", "?s=ap"),
            "invoice_pdf": self.url(account, "pay", "/pdf?s=ap"),
            "issuer": { "type": "self" },
            "last_finalization_error": null,
            "latest_revision": null,
            "lines": self.lines_shown(),
            "livemode": false,
            "metadata": self.metadata,
            "next_payment_attempt": self.next_attempt,
            "number": self.number,
            "on_behalf_of": null,
            "parent": parent,
            "payment_settings": {
                "default_mandate": null, "payment_method_options": null, "payment_method_types": null,
            },
            "period_end": self.period.1,
            "period_start": self.period.0,
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "receipt_number": null,
            "rendering": null,
            "shipping_cost": null,
            "shipping_details": null,
            "starting_balance": self.balance.map_or(0, |(before, _)| before),
            "statement_descriptor": null,
            "status": self.status,
            "status_transitions": {
                "finalized_at": self.finalized_at,
                "marked_uncollectible_at": self.uncollectible_at,
                "paid_at": self.paid_at,
                "voided_at": self.voided_at,
            },
            "subtotal": subtotal,
            "subtotal_excluding_tax": subtotal,
            "test_clock": null,
            "total": total,
            "total_discount_amounts": off,
            "total_excluding_tax": total,
            "total_pretax_credit_amounts": [],
            "total_taxes": [],
            "webhooks_delivered_at": self.finalized_at,
        })
    }
}

/// `GET /v1/invoices/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(account.invoices.find(id, "id")?.render(account))
}

/// `GET /v1/invoices/{id}/lines`
pub fn lines(account: &Account, id: &str, mut params: Params) -> Result<Value> {
    let limit = params.int("limit")?.unwrap_or(10);
    let after = params.text("starting_after")?;
    params.finish()?;
    let lines = account.invoices.find(id, "id")?.render_lines();
    let skipped = match &after {
        Some(after) => lines.iter().position(|line| line["id"] == **after).map_or(lines.len(), |at| at + 1),
        None => 0,
    };
    let limit = usize::try_from(limit).unwrap_or_default();
    let has_more = lines.len() > skipped + limit;
    let page = lines.into_iter().skip(skipped).take(limit).collect();
    Ok(list_of(&format!("/v1/invoices/{id}/lines"), has_more, page))
}

/// `GET /v1/invoices`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    let subscription = params.text("subscription")?;
    let status = params.word("status", &["draft", "open", "paid", "uncollectible", "void"])?;
    let customer = params.text("customer")?;
    params.ignore(&["collection_method"]);
    params.finish()?;
    // The invoices of a subscription are among those of its customer.
    let of_subscription = subscription.as_ref().and_then(|id| account.subscriptions.get(id));
    let owner = customer.or_else(|| of_subscription.map(|found| found.customer.clone()));
    page.list(account, &account.invoices, owner.as_deref(), "/v1/invoices", |invoice| {
        (subscription.is_none() || invoice.subscription == subscription)
            && status.as_ref().is_none_or(|status| invoice.status == status)
    })
}
