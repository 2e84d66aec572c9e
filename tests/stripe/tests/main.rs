//! The fake, through its front door. That its answers are Stripe's is checked by `check.py` with Stripe's own library;
//! here is what time, faults and orders do.

mod accounts;
mod client;
mod clock;
mod disputes;
mod dunning;
mod faults;
mod idempotency;
mod items;
mod webhooks;
