//! Speaks Stripe, and nothing else does.
//!
//! A request is made by [`requests`], as the very bytes that will be sent; it can be kept in a database as a
//! [`StoredRequest`] and sent later by [`Client::write`], by another process or another release. What comes back is
//! decoded into a narrow struct of [`views`], or is an [`Error`] whose [`Error::kind`] says what to do next.
//! [`webhook::verify`] tells a webhook of Stripe's from a forged one. [`money`] knows how Stripe counts.
//!
//! ```no_run
//! # async fn example(key: usher_stripe::ApiKey) -> Result<(), usher_stripe::Error> {
//! use usher_stripe::{Client, Http, Settings, requests::subscriptions};
//!
//! let client = Client::new(Settings::new(key), Http::new()?)?;
//! let found = client.read(&subscriptions::get("sub_1")).await?;
//! println!("{:?} until {:?}", found.value.status, found.value.current_period());
//!
//! // A write: keep these bytes first, then send them, with a key that stays the same whatever happens.
//! let cancel = subscriptions::cancel_now("sub_1").into_stored();
//! client.write::<usher_stripe::views::Subscription>(&cancel, "op:job_1:g0").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Rules
//!
//! - A write is sent once a call. Who sends it again, when and after what look-up is the caller's to decide, by
//!   [`Kind`]; the bytes and the idempotency key must be those of the first time.
//! - An answer that cannot be read is never taken for a failure: with a 2xx the write has happened.
//! - The same input gives the same bytes: parameters are sorted.
//! - An answer may lack any field that Stripe might leave out, may have new fields and new words, and may be in the shape
//!   of any API version since 2020-08-27.
//! - Keys, names, addresses and what Stripe says about them are in no `Display` and no `Debug`.
//! - All of async-stripe stays in [`requests`], for its typed parameters. Its client and its answers are not used: they
//!   retry with random keys, cannot send `pause_collection=` and take a 2xx that they cannot read for a failure.
//!
//! This crate knows no database, no member and no clock. It must never choose an idempotency key, never
//! send a write twice, never follow a redirect, never apply what a webhook carries, and never send a live key in the clear.

mod client;
mod error;
mod http;
mod kind;
pub mod money;
mod pager;
mod private;
mod request;
pub mod requests;
mod secret;
mod settings;
pub mod views;
pub mod webhook;

pub use client::{Answer, Client, MAX_ANSWER_BYTES, MAX_KEY_BYTES};
pub use error::{ApiError, Error, Fault, NotSent};
pub use http::Http;
pub use kind::{Kind, MAX_RETRY_AFTER};
pub use pager::{Direction, Pager};
pub use private::Private;
pub use request::{API_VERSION, Method, Request, StoredRequest};
pub use reqwest::Url;
pub use secret::{ApiKey, BadKey, Mode, WebhookSecret};
pub use settings::{AccountId, BadAccount, DEFAULT_TIMEOUT, Settings};
