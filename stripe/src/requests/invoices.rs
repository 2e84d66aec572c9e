//! Invoices, which are only read.

use stripe_billing::invoice::{ListInvoice, RetrieveInvoice};

use super::{Created, MAX_PER_PAGE, expanding, segment, typed};
use crate::request::Request;
use crate::views::{Invoice, InvoiceLine, Page};

/// One invoice.
pub fn get(id: &str) -> Request<Invoice> {
    typed(&RetrieveInvoice::new(segment(id)))
}

/// One invoice with its payments, which name their payment intents. [`super::invoice_payments::of_invoice`] tells how much
/// was given back.
pub fn get_with_payments(id: &str) -> Request<Invoice> {
    typed(&RetrieveInvoice::new(segment(id)).expand(expanding(&["payments"])))
}

/// All lines of an invoice, which itself has only the first.
pub fn lines(id: &str) -> Request<Page<InvoiceLine>> {
    super::get(format!("/invoices/{}/lines", segment(id)), &[("limit", "100")])
}

/// Which invoices.
#[derive(Clone, Debug, Default)]
pub struct InvoiceFilter<'a> {
    /// Of this customer.
    pub customer: Option<&'a str>,
    /// Of this subscription.
    pub subscription: Option<&'a str>,
    /// Made then.
    pub created: Created,
    /// Whether to give their payments too, which name their payment intents.
    pub with_payments: bool,
}

/// Invoices.
pub fn list(filter: &InvoiceFilter<'_>) -> Request<Page<Invoice>> {
    let mut request = ListInvoice::new().limit(MAX_PER_PAGE);
    if filter.with_payments {
        request = request.expand(expanding(&["data.payments"]));
    }
    if let Some(customer) = filter.customer {
        request = request.customer(customer);
    }
    if let Some(subscription) = filter.subscription {
        request = request.subscription(subscription);
    }
    if let Some(range) = filter.created.range() {
        request = request.created(range);
    }
    typed(&request)
}

/// What a subscription would be billed if an item had another price.
#[derive(Clone, Copy, Debug)]
pub struct PricePreview<'a> {
    /// The subscription.
    pub subscription: &'a str,
    /// `si_…`.
    pub item: &'a str,
    /// The price that it would get.
    pub price: &'a str,
    /// As of when the rest of the period would be settled, in seconds since 1970. Not given: the change is at the end of
    /// the period, and nothing is prorated.
    pub proration_date: Option<i64>,
}

/// What Stripe would bill. It writes nothing, and is sent as a `POST` all the same.
pub fn preview(of: &PricePreview<'_>) -> Request<Invoice> {
    let date = of.proration_date.map(|date| date.to_string());
    let mut form = vec![
        ("subscription", of.subscription),
        ("subscription_details[items][0][id]", of.item),
        ("subscription_details[items][0][price]", of.price),
    ];
    match date.as_deref() {
        Some(date) => form.extend([
            ("subscription_details[proration_behavior]", "always_invoice"),
            ("subscription_details[proration_date]", date),
        ]),
        None => form.push(("subscription_details[proration_behavior]", "none")),
    }
    super::post("/invoices/create_preview".to_owned(), &form)
}
