//! What was taken from cards, and given back.

use super::{get, segment};
use crate::request::Request;
use crate::views::{Charge, Page};

/// One charge.
pub fn get_one(id: &str) -> Request<Charge> {
    get(format!("/charges/{}", segment(id)), &[])
}

/// All charges of a customer. With the invoices of [`super::invoices::list`] and their payments, two lists tell how much
/// of each was given back.
pub fn of_customer(customer: &str) -> Request<Page<Charge>> {
    get("/charges".to_owned(), &[("customer", customer), ("limit", "100")])
}

/// The charges of one payment intent: each try is one.
pub fn of_intent(payment_intent: &str) -> Request<Page<Charge>> {
    get("/charges".to_owned(), &[("limit", "100"), ("payment_intent", payment_intent)])
}
