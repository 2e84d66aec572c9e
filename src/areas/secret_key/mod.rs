//! The secret key of an installation: what seals the secrets that the database holds.
//!
//! **Nobody has to create it.** The first start, or the first command that needs it, writes 32 random bytes to
//! `secret.key` in the data folder, for this user only. Of several processes that start at once, all use the same one.
//!
//! **`USHER_SECRET_KEY` goes first.** Where it is set, no file is written and the variable seals. A `secret.key` that
//! holds another key still opens what it has sealed.
//!
//! **A wrong key is noticed at start.** The database holds a check value, sealed with the key. A process whose key does
//! not open it does not start: it would seal with a key that the other processes do not have, and could use neither the
//! Stripe keys nor the mail servers of the sites. The same holds where the check value is there and the key is gone: no
//! new key is made in its place until the operator says that the old one is lost (`usher secret-key replace`).

mod actions;
mod file;
mod sealed;

pub use actions::{Found, Origin, SecretKeyError, check, find, prepare, replace};
pub use sealed::{Sealed, all as sealed};
