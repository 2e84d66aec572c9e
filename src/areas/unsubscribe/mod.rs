//! Unsubscribing: the link in each mail, and what it does.
//!
//! **The link works for ever, for everybody, without signing in**: whoever holds it may stop that site's mail to that
//! person and can do nothing else with it: to the address that the mail went to, and to the present address of the member
//! it went to ([`former`](super::members::former)). Its token names the site, the member and the address and is all there
//! is: nothing is kept for a mail that was sent, and people who are no members can unsubscribe too (`link.rs`).
//!
//! **Looking never acts.** Mail scanners open links; only a POST unsubscribes: that of the page's button, or that of a mail
//! program (RFC 8058). Unsubscribing adds the address to the block list, which the strongest reason rules: it never weakens
//! a block, and doing it twice is doing it once.

mod actions;
mod link;

pub use actions::{Reader, is_unsubscribed, reader, unsubscribe};
pub use link::{Links, PATH, prepare, url, url_for};
