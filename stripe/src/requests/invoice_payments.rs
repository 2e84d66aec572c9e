//! What links an invoice to the charges that paid it, since an invoice no longer names its charge (API 2025-03-31).

use super::get;
use crate::request::Request;
use crate::views::{InvoicePayment, Page};

/// The payments of an invoice with their charges, in one call: [`crate::views::refunded`] of them is how much of it was
/// given back. The path is four levels deep, the most that Stripe expands, so it cannot be asked of an invoice itself.
pub fn of_invoice(invoice: &str) -> Request<Page<InvoicePayment>> {
    let charges = "data.payment.payment_intent.latest_charge";
    get("/invoice_payments".to_owned(), &[("expand[0]", charges), ("invoice", invoice), ("limit", "100")])
}

/// The payments made by a payment intent: from the charge of a refund to its invoice.
pub fn of_intent(payment_intent: &str) -> Request<Page<InvoicePayment>> {
    let filter = [("limit", "100"), ("payment[payment_intent]", payment_intent), ("payment[type]", "payment_intent")];
    get("/invoice_payments".to_owned(), &filter)
}
