//! The gate: order of checks, budgets, idempotency, dry run, strictness, and who is let in.

mod amplified;
mod budgets;
mod door;
mod http;
mod idempotency;
mod refusals;
mod unchanged;
