//! What is given back.

use super::{Metadata, get, post};
use crate::request::Request;
use crate::views::{Page, Refund};

/// Which payment is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refunded<'a> {
    /// By its payment intent.
    Intent(&'a str),
    /// By its charge.
    Charge(&'a str),
}

/// A refund to make.
#[derive(Clone, Debug)]
pub struct NewRefund<'a> {
    /// Of which payment.
    pub of: Refunded<'a>,
    /// How much, in minor units. Stripe refuses more than is left.
    pub amount: i64,
    /// What to keep with it.
    pub metadata: &'a Metadata,
}

/// Gives money back.
pub fn create(new: &NewRefund<'_>) -> Request<Refund> {
    let amount = new.amount.to_string();
    let of = match new.of {
        Refunded::Intent(intent) => ("payment_intent", intent),
        Refunded::Charge(charge) => ("charge", charge),
    };
    let metadata: Vec<_> = new.metadata.iter().map(|(name, value)| (format!("metadata[{name}]"), value)).collect();
    let mut form = vec![("amount", amount.as_str()), of];
    form.extend(metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    post("/refunds".to_owned(), &form)
}

/// The refunds of one charge.
pub fn of_charge(charge: &str) -> Request<Page<Refund>> {
    get("/refunds".to_owned(), &[("charge", charge), ("limit", "100")])
}

/// The refunds of one payment intent.
pub fn of_intent(payment_intent: &str) -> Request<Page<Refund>> {
    get("/refunds".to_owned(), &[("limit", "100"), ("payment_intent", payment_intent)])
}
