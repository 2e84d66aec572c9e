//! A Stripe to test against: it speaks Stripe's HTTP API (v1, version 2026-09-30.endive) on a loopback port, keeps
//! everything in memory, and does on demand what the real one does seldom.
//!
//! Rules:
//! - What it answers has the shape of Stripe's answers. What it does not model it refuses (`parameter_unknown`, 404), so
//!   that no test passes because something was silently ignored.
//! - Everything comes from one seed and one virtual clock; the wall clock only ends waits and measures speed.
//! - It never listens on, and never posts to, anything but loopback.
//! - It never depends on the project it is for; tests speak HTTP to it.
//!
//! In a test: `let fake = Fake::start(Config::default()).await?;` and point the client at `fake.url()` with
//! `Config::default().key`. As a program: `stripe-fake --port 0` prints its address.
//!
//! What a test does to it is on [`Control`], which [`Fake`] derefs to; over HTTP, with JSON:
//!
//! ```text
//! GET    /_fake/state                          how much there is of everything, and the time
//! POST   /_fake/clock/advance                  {"seconds": 3600} {"days": 31}
//! POST   /_fake/accounts                       {"id": "acct_b", "connected_to": "acct_fake"}
//! POST   /_fake/keys                           {"key": "rk_test_1", "account": "acct_fake", "permissions": ["rak_product_write"]}
//! DELETE /_fake/keys/{key}
//! POST   /_fake/settings                       {"settings": {"draft_seconds": 0, "retry_days": [1, 2], "after_retries": "unpaid"}}
//! POST   /_fake/checkout/{session}/complete    {} {"card_fails": true} {"card_fails_later": true, "email": "a@example.com"}
//! POST   /_fake/customers/{customer}/card      {"fails": true}
//! POST   /_fake/charges/{charge}/dispute       {} {"amount": 300}: the customer has the bank take it back
//! POST   /_fake/disputes/{dispute}/decide      {"won": false}
//! POST   /_fake/webhooks/endpoints             {"url": "http://127.0.0.1:1/hook", "connect": false}
//! POST   /_fake/webhooks/plan                  {"held": true, "copies": 2, "shuffled": 7, "late_seconds": 60, "dropped": 0.1, "parallel": 4}
//! GET    /_fake/webhooks/pending  …/sent
//! POST   /_fake/webhooks/flush  …/settle
//! GET    /_fake/events[/{account}]             ids and types, oldest first
//! POST   /_fake/events/{event}/signed  …/deliver   {"shape": "2020-08-27", "unknown_fields": true, "age_seconds": 301}
//! POST   /_fake/faults                         {"method": "POST", "path": "/v1/subscriptions/**", "next": ["timeout_after", "none"]}
//!                                              {"chances": {"server_error_after": 0.1, "rate_limited": 0.2}}
//! DELETE /_fake/faults
//! GET    /_fake/held    POST /_fake/held/release
//! POST   /_fake/rate                           {"limit": {"per_second": 25, "clock": "real"}}
//! GET    /_fake/rate    DELETE /_fake/rate     speeds of each account; count anew
//! GET    /_fake/log     DELETE /_fake/log
//! POST   /_fake/seed                           {"subscriptions": 50000, "metadata": {"member": "m{n}"}}
//! ```

// An object of Stripe is one `json!` of up to eighty fields.
#![recursion_limit = "512"]

mod account;
mod api;
mod auth;
mod billing;
mod checkout;
mod clock;
mod control;
mod deliver;
mod error;
mod expand;
mod faults;
mod form;
mod handle;
mod idempotency;
mod ids;
mod log;
mod payments;
mod rate;
mod resources;
mod routes;
mod seed;
mod server;
mod shapes;
mod sign;
mod table;
mod webhooks;
mod world;

pub use account::{AfterRetries, Settings};
pub use auth::Key;
pub use checkout::Payer;
pub use control::Control;
pub use deliver::Flushed;
pub use error::ApiError;
pub use faults::{Fault, Rule};
pub use handle::Fake;
pub use log::Entry;
pub use rate::{Limit, Second, Speed};
pub use seed::{Seed, Seeded};
pub use sign::{Dress, Shape, Signed};
pub use webhooks::{Delivery, Plan, Sent};
pub use world::Config;

/// The version of Stripe's API whose shapes it has.
pub const API_VERSION: &str = "2026-09-30.endive";
