//! What was given back.

use super::get;
use crate::request::Request;
use crate::views::{Page, Refund};

/// The refunds of one charge.
pub fn of_charge(charge: &str) -> Request<Page<Refund>> {
    get("/refunds".to_owned(), &[("charge", charge), ("limit", "100")])
}

/// The refunds of one payment intent.
pub fn of_intent(payment_intent: &str) -> Request<Page<Refund>> {
    get("/refunds".to_owned(), &[("limit", "100"), ("payment_intent", payment_intent)])
}
