//! Merging two members: the winner gets everything, the loser is deleted. Nothing brings it back.
//!
//! The call itself moves what has a limit or decides access (tags, name, note, free access, trial, subscriptions), in its
//! one transaction, and marks the loser. The job moves the rest in batches: watch data (the furthest, the first
//! completion), comments, orders, entitlements (the better of two), group places; each batch holds both members, so that
//! it is right whatever is done to the winner meanwhile. Then the loser goes as by `members.delete`.
//!
//! The winner's access is at no moment less than it was before ([`better`]). It must never write to a loser that is not
//! marked, nor to a winner that is.

mod accept;
pub mod better;
mod job;
pub mod store;

pub use accept::accept;
pub use job::{Merge, merge};

use crate::{
    error::{Code, Error, Result},
    gate::Cx,
    values::MemberId,
};

/// Whether a job moves everything of a member to another.
pub async fn is_merging(cx: &mut Cx, member: &MemberId) -> Result<bool> {
    let site = cx.site();
    Ok(store::is_loser(cx.conn(), site, member).await?)
}

/// The refusal to take away a member that a job moves another one to.
pub fn merging(winner: &MemberId, loser: &MemberId) -> Error {
    let text = format!("A job is merging member {loser} into member {winner}. Try again once it is done.");
    Error::new(Code::MemberMerging, text)
}
