//! Invoices: the mirror of those at Stripe. `billing` is the only one that writes it; nothing here asks Stripe.
//!
//! An invoice outlives its member, as the law wants; then it has the member's id and neither name nor address, and the
//! pages at Stripe that show them are not named any more. So the invoices of a member who is gone are still listed by the
//! id.
//!
//! An id holds the second in which Stripe made the invoice, so that newest first and "made between" are ranges of ids.

mod actions;
pub mod store;
mod tools;
mod types;

pub use actions::{find, list, whose};
pub use tools::AREA;
pub use types::{Invoice, InvoiceRef, InvoiceStatus, Line};
