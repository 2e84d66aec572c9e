//! Sign-in: a link lets a member in once, and a signed token tells the site who came.
//!
//! **A link** works for [`LIFE`] and once. Its address has a token of 256 random bits, of which only the hash is kept; so
//! whoever has the database has no link. Looking at the page behind it does nothing, since programs that read mails follow
//! links; pressing its button uses it up, in one statement that only one of several at once can win. What is told of a
//! link that is used or expired is told only to who holds its token; every other text looks the same. A link is its
//! member's: it goes with the member, with another address and in a merge, so that no old mailbox opens anything.
//!
//! **A token** says for 60 seconds that this member has come, signed with a key of the site's own ([`keys`]). The page
//! posts it to the site's `loginUrl`, as OpenID Connect's `form_post` and SAML do: in a form's body it stands in no
//! address, and so in no log, no history and no `Referer`.
//!
//! **Keys** are Ed25519, sealed at rest. A new one is published before it signs, and an old one after, so that a site that
//! keeps the key set for a while never meets a token that it cannot check.
//!
//! A token of either kind must never stand in the activity log, in a job or in what the program prints. The answer of
//! `members.createLoginLink` is sealed where it is kept for an Idempotency-Key.

mod actions;
mod enter;
mod guide;
mod jwt;
pub mod keys;
mod link;
pub mod store;
mod types;

pub use actions::{create, forget};
pub use enter::{Entered, HandOver, Standing, Visit, enter, look, record_refused};
pub use guide::guide;
pub use link::LIFE;
pub use types::{Link, LoginLink};
