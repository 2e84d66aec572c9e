//! Members: the people of a site.
//!
//! The address is the identity: unique per site in its normalised form ([`Email::key`](crate::values::Email::key)),
//! kept as typed. A member that is made here gets no mail. Until access and billing exist, every member is `free`.
//!
//! An id holds the millisecond at which the member was made, and `created_at` is that millisecond, never another.
//! So the order of ids is the order of creation, and the primary key and the index on tags serve "newest first" and
//! "created between" without an index of their own.
//!
//! What an integrator keeps with a member (`metadata.rs`): an external id, unique in the site, and texts by key. An import
//! never takes them away, a merge keeps the winner's and adds the loser's, and erasing a member erases them.
//!
//! A call names a member by a [`MemberRef`]. A call that writes holds the member's row first, so that two of them
//! never overwrite each other's fields or together exceed [`MAX_TAGS`]. Whatever changes a member moves `updated_at`
//! on and notes one `member` change, with the member as the API shows it before and after; what changes nothing does
//! neither. An error may name a member's id, never an address that the caller did not send.
//!
//! A member is found by the beginnings of the words of name and address (`words.rs`), which whatever writes a member
//! writes in the same transaction.

mod actions;
mod delete;
pub mod duplicates;
pub mod erase;
mod export;
pub mod export_data;
pub mod former;
mod import;
mod invite;
mod list;
mod merge;
pub mod metadata;
mod overview;
pub mod rekey;
pub mod store;
mod tally;
mod tools;
mod types;
mod words;

pub use actions::{Found, MAX_TAGS, New, create, deleting, find, find_many, found, hold};
pub use delete::{Delete, delete};
pub use export::{Export, export};
pub use export_data::{ExportData, export_data};
pub use import::{Import, import};
pub use merge::{Merge, is_merging, merge};
pub use store::fill_words;
pub use tally::{Fold, count_anew, fold, fold_some};
pub use tools::AREA;
pub(super) use types::member_columns;
pub use types::{Member, MemberById, MemberRef, MemberStatus, Name, Span};
pub(crate) use words::Words;
