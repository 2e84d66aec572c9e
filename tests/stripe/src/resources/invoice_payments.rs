//! `/v1/invoice_payments`: what links an invoice to its payment since the field `charge` of invoices is gone.

use serde_json::{Value, json};

use crate::{
    account::Account,
    error::Result,
    form::Params,
    table::{Page, Record, list_of},
};

/// The payment of an invoice.
#[derive(Debug)]
pub struct InvoicePayment {
    /// `inpay_…`.
    pub id: String,
    /// When it was made.
    pub created: i64,
    /// What is paid.
    pub invoice: String,
    /// `pi_…`.
    pub payment_intent: String,
    /// In the smallest unit.
    pub amount: i64,
    /// Three small letters.
    pub currency: String,
    /// When it was paid.
    pub paid_at: Option<i64>,
}

impl Record for InvoicePayment {
    const WHAT: &'static str = "invoice payment";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.invoice)
    }

    fn render(&self, account: &Account) -> Value {
        let void = account.invoices.get(&self.invoice).is_some_and(|invoice| invoice.status == "void");
        let status = match self.paid_at {
            Some(_) => "paid",
            None if void => "canceled",
            None => "open",
        };
        json!({
            "id": self.id,
            "object": "invoice_payment",
            "amount_paid": self.paid_at.map(|_| self.amount),
            "amount_requested": self.amount,
            "created": self.created,
            "currency": self.currency,
            "invoice": self.invoice,
            "is_default": true,
            "livemode": false,
            "payment": { "payment_intent": self.payment_intent, "type": "payment_intent" },
            "status": status,
            "status_transitions": { "canceled_at": null, "paid_at": self.paid_at },
        })
    }
}

/// `GET /v1/invoice_payments/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(account.invoice_payments.find(id, "id")?.render(account))
}

/// `GET /v1/invoice_payments`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    let invoice = params.text("invoice")?;
    let status = params.word("status", &["canceled", "open", "paid"])?;
    let mut intent = None;
    if let Some(Some(mut payment)) = params.branch("payment")? {
        intent = payment.text("payment_intent")?;
        payment.word("type", &["payment_intent"])?;
        payment.finish()?;
    }
    params.finish()?;
    page.list(account, &account.invoice_payments, invoice.as_deref(), "/v1/invoice_payments", |payment| {
        intent.as_ref().is_none_or(|intent| payment.payment_intent == *intent)
            && status.as_ref().is_none_or(|status| payment.paid_at.is_some() == (status == "paid"))
    })
}

/// The `payments` of an invoice, which it has only where they are expanded.
pub fn of_invoice(account: &Account, invoice: &str) -> Value {
    let payments = account.invoice_payments.of(invoice).map(|payment| payment.render(account)).collect();
    list_of("/v1/invoice_payments", false, payments)
}
