//! `members.import`: a file of people becomes members, as `src/imports` reads it.
//!
//! The rows of a file are applied in its order, each as if it were the only one: so of an address that stands in it
//! twice, the later row wins where it says something, and tags add up. A row makes a member or changes one
//! ([`fold`](mod@fold)):
//!
//! - what it leaves empty stays as it is; tags and groups are added and never taken away;
//! - **free access is only ever extended**: permanent beats dated, later beats earlier, and a time that is over gives
//!   nothing; so it is with a bundle, which is given for life, and a right that was revoked is revived;
//! - a row that a member cannot take, such as one with a hundred and first tag, is refused whole.
//!
//! When a member was made is when the import made it: a file's `created_at` is passed over. Nobody is sent
//! anything.
//!
//! **A file that says "no mail" is believed** (`mail.rs`): whoever wants none goes onto the block list in the transaction that
//! writes the member; a yes takes nobody off it. A row whose `deleted_at` is filled is skipped and counted.
//!
//! Most faults show when a row is read. That a member is being deleted, or has too many tags, shows only when it is
//! written; such a row is kept by its number (`import_refusal`), and at the end the file is read once more to write
//! them to the error file as they came.

mod blank;
mod fold;
mod jobs;
mod lines;
mod mail;
mod metadata;
mod names;
mod parts;
mod preview;
mod take;
mod types;
mod write;

pub use jobs::{Import, import};
pub(super) use jobs::{Wish, accept};
pub(super) use preview::Preview;
pub(super) use types::{FreeAccess, MemberMapping};
