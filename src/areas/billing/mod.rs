//! Billing: the site's own Stripe account, and what is mirrored of it.
//!
//! **Only what Stripe answers is believed.** A webhook, a listed event, a sweep, a resync and a write say that something
//! is to be *read* (`stripe_dirty`); one job a site reads it ([`Sync`]) and nothing else writes the mirror. Before it
//! asks, it takes a ticket; what was read with a lower ticket than that of what is there is dropped. Whoever hears of a
//! change after it was made takes a later ticket and reads a state with that change in it, so the state of the highest
//! ticket has every change that was heard of, in whatever order events come and however many read at once, in however
//! many processes.
//!
//! What no webhook told is heard of by [`catchup`], which lists Stripe's events every few minutes, and by [`sweep`], which
//! compares every subscription once a day.
//!
//! An event is noted once, with what it is about, before it is answered. What cannot be read is tried again, with growing
//! waits and for ever; it holds up nothing else.
//!
//! The key and the signing secrets are sealed (`src/seal.rs`); they are never shown and never logged. A key that may
//! not do what it was to do parks the connection: writes wait until the operator has mended it.
//!
//! **Locks** are taken in one order, so that nobody waits for each other: the member, what is mirrored of them, what is to
//! be read by kind and id, the connection. What was found out before the member was held is looked at again.
//!
//! What is made at Stripe is made by [`outbox`]: once, whatever happens on the way.
//!
//! No call to Stripe is made while a transaction is open.

mod address;
pub mod catchup;
pub mod check;
pub mod connection;
mod guide;
pub mod job;
mod mirror;
pub mod outbox;
mod reconcile;
mod rekey;
pub mod status;
pub mod store;
pub mod sweep;
mod sync;
mod tools;
mod webhook;

pub use address::{PassAddress, address_changed, pass_address};
pub use guide::guide;
pub use mirror::{
    MEMBER,
    store::{claim, claimant, forget_address, link, member_of_customer, stray_customer, strays_of},
};
pub use rekey::rekey;
pub use status::SyncStatus;
pub use sync::{Sync, Tick, sync, tick, wake};
pub use tools::AREA;
pub use webhook::{EVENTS, MAX_BODY_BYTES, Received, note, receive};
