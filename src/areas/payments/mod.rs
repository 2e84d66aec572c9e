//! Payments: what members have paid at Stripe, and giving it back.
//!
//! Payments are read from the mirror: of invoices, and of what was paid once without one (`sale_payment`), which only
//! `billing` writes. [`refund`] gives an invoice's payment back by a job through the outbox. It takes no access and changes
//! no subscription: what a refund means for access the mirror says, once Stripe says that it was made.
//!
//! **Never twice, and never more than was paid.** Whoever accepts a refund holds the invoice, and counts what running jobs
//! are about to give back as gone already. Stripe checks the sum once more.

mod actions;
mod refund;
pub mod store;
mod tools;
mod types;

pub use refund::{Refund, refund};
pub use tools::AREA;
