//! Billing portal sessions: Stripe's own page, on which a customer changes a card and sees invoices.

use super::post;
use crate::request::Request;
use crate::views::PortalSession;

/// Opens a session for a customer. `return_url` is where the page leads back to.
pub fn create(customer: &str, return_url: &str) -> Request<PortalSession> {
    post("/billing_portal/sessions".to_owned(), &[("customer", customer), ("return_url", return_url)])
}
