//! Mail: what a message is made of, and how it is handed to a server.
//!
//! A [`Letter`] becomes the bytes of a message ([`compose`]), signed where there is a key ([`Dkim`]). A [`Transport`]
//! hands it over in two steps: [`Transport::offer`] goes as far as the server's word that it takes mail for this
//! recipient, and [`Offered::hand_over`] sends the message itself. Only between the two and the answer can anybody be in
//! doubt whether a message was taken, so whoever must remember it does so there.
//!
//! The same letter gives the same bytes, but for the time of the signature, so that what is sent again is the same
//! message with the same id.
//!
//! What texts may contain is in [`placeholders`] and [`html`]; what a page of mail looks like, in [`layout`].
//!
//! This crate knows no member, no site and no database. It must never follow a server's word with a guess: what a reply
//! means is one pure function ([`verdict`]).

pub mod dkim;
mod folder;
mod header;
pub mod html;
pub mod layout;
mod message;
pub mod placeholders;
mod reply;
mod smtp;
mod transport;

pub use dkim::Dkim;
pub use lettre::{Address, message::Mailbox};
pub use message::{Composed, Letter, NotComposed, compose};
pub use reply::{Failure, Stage, Verdict, verdict};
pub use smtp::{Security, Server, ServerRefused};
pub use transport::{Offered, Transport};
