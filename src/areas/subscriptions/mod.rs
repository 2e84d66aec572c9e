//! Subscriptions: what members pay for, at Stripe or elsewhere.
//!
//! What is at Stripe is mirrored here by `billing`, which is the only one that writes it; nothing here is believed that
//! Stripe does not say. What is paid elsewhere is recorded by `subscriptions.recordExternal`.

pub mod store;
mod types;

pub(super) use types::subscription_columns;
pub use types::{Subscription, Wanted};
