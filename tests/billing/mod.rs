//! Billing, against a Stripe that is driven like the real one: by HTTP only, and by what its people do.

mod delete;
mod events;
mod external;
mod facts;
mod people;
mod resync;
mod histories;
mod killed;
mod shop;
mod subscription_faults;
mod subscriptions;
mod webhooks;

pub use shop::Shop;
