//! The block list: addresses that get no mail but sign-in. They need not be members.
//!
//! An entry is keyed by site and address. **The strongest reason wins**: an add or an import can strengthen an entry or
//! add one, and never weaken or remove one; only `blocklist.remove` takes an address off, one deliberate call. Adding
//! what is there with a reason as strong is `changed: false`. When a reason gets stronger, source and vendor code
//! become those of the stronger one, and so does the note if it has one; the earliest `firstSeen` stays. How strong a
//! reason is, is in [`Reason`].
//!
//! A stronger reason does not make forgotten what the person said: behind `hard_bounce` and `invalid`, which are about the
//! address, an entry keeps the wish (`block.wish`), which goes along when the person gets another address ([`carry()`]).
//!
//! An import reads an upload as `src/imports` does, sorted by address.
//!
//! An import can be taken back ([`undo`]). An entry names the import that it comes from (`block.import`, a number from
//! `block_import`); what anybody else says of such an entry is kept beside it (`block_claim`), and nothing is kept of
//! entries that come from direct calls, or from imports that are too old to be taken back. So the first import of an
//! address, which is nearly every row, costs nothing more.
//!
//! A block outlasts the member: when a member is deleted, its entry keeps a keyed hash of the address and nothing else of
//! the person (`hidden.rs`). Check and remove find it by the address; the list shows `erased:<member id>`; an export
//! leaves it out, as nobody could import it again. Adding such an address makes an entry in the open beside it.

mod actions;
mod add;
mod apply;
mod carry;
mod explain;
mod export;
mod guide;
mod hidden;
mod jobs;
mod lines;
mod preview;
mod rekey;
mod rows;
mod store;
mod take;
mod tally;
mod tools;
mod types;
mod undo;

pub use add::{Became, Word, block};
pub use carry::{Along, carry};
pub use export::{export, export_filter};
pub use guide::guide;
pub use hidden::{Connect, find, hide};
pub use jobs::{Import, import};
pub use rekey::rekey;
pub use tools::AREA;
pub use types::{Entry, Reason};
pub use undo::{Forget, Undo, forget, undo};

pub use super::uploads::error_file;
