//! What customers had their banks take back, which is only read.

use super::get;
use crate::request::Request;
use crate::views::{Dispute, Page};

/// The disputes of one charge.
pub fn of_charge(charge: &str) -> Request<Page<Dispute>> {
    get("/disputes".to_owned(), &[("charge", charge), ("limit", "100")])
}
