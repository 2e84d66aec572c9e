//! Billing, against a Stripe that is driven like the real one: by HTTP only, and by what its people do.

mod addresses;
mod catchup;
mod checkout;
mod crash;
mod delete;
mod disputes;
mod events;
mod external;
mod facts;
mod histories;
mod invoices;
mod killed;
mod localstripe;
mod lockouts;
mod measure;
mod oracle;
mod payments;
mod people;
mod plan_changes;
mod plans;
mod portal;
mod reconcile;
mod resync;
mod served;
mod shop;
mod status;
mod subscription_faults;
mod subscriptions;
mod sweep;
mod webhooks;

pub use shop::Shop;
