//! Invoices: the mirror of those at Stripe. `billing` is the only one that writes it; nothing here asks Stripe.
//!
//! An invoice outlives its member, as the law wants; then it has the member's id and neither name nor address, and the
//! pages at Stripe that show them are not named any more.

pub mod store;
mod types;

pub use types::{Invoice, InvoiceStatus, Line};
