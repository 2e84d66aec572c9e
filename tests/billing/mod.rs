//! Billing, against a Stripe that is driven like the real one: by HTTP only, and by what its people do.

mod shop;
mod webhooks;

pub use shop::Shop;
