//! Addresses that members had, and what is said of them.
//!
//! **What somebody says about mail belongs to the person, what a mailbox says to the address.** When a member's address
//! changes, an unsubscription, a complaint, and what the staff blocked by hand go along; a hard bounce and `invalid` stay
//! behind. When two members are merged, the loser's unsubscription and complaint become the winner's; a block by hand does
//! not: of two addresses of one person the staff blocked one, and the other went on getting mail. So neither a change nor a
//! merge ever starts mail to a person who got none. What is copied stays on the old address as well.
//!
//! Nothing tells of a link or a notice whose address it is about *now*: only whose it was then. A link names the member,
//! since 0018. Those before name none; whoever had the address first is meant, as all others came later. A notice comes
//! within days, so it is about the member who has the address, or else about who left it last. It must never reach a
//! present address of somebody else who had the old one at another time.

use std::collections::BTreeSet;

use usher_db::{Change, Result, Tx};

use super::{
    Member,
    store::{self, Left},
};
use crate::{
    areas::{
        billing,
        blocklist::{self, Along, Connect},
    },
    clock::Clock,
    values::{Email, MemberId, SiteId, Time},
};

/// Merges that one after the other hand over a member's things.
const MOST_MERGES: usize = 10;

/// Which member was mailed at an address.
#[derive(Clone, Copy, Debug)]
pub enum Mailed<'a> {
    /// This one.
    Member(&'a MemberId),
    /// Nobody wrote it down: it was before links named the member.
    LongAgo,
}

/// The member who got mail at an address, given by its key, and who may have another address now.
pub async fn mailed_at(
    conn: &mut impl Connect,
    site: SiteId,
    key: &str,
    mailed: Mailed<'_>,
) -> Result<Option<MemberId>> {
    let id = match mailed {
        Mailed::Member(id) => match present(conn, site, id).await? {
            Some(id) => return Ok(Some(id)),
            None => store::held_as(conn.conn(), site, key, id).await?,
        },
        Mailed::LongAgo => store::first_at(conn.conn(), site, key).await?,
    };
    match id {
        Some(id) => present(conn, site, &id).await,
        None => Ok(None),
    }
}

/// A member that is there, or the one that it becomes.
async fn present(conn: &mut impl Connect, site: SiteId, id: &MemberId) -> Result<Option<MemberId>> {
    let mut id = id.clone();
    for _ in 0..MOST_MERGES {
        match store::merges_into(conn.conn(), site, &id).await? {
            None => return Ok(None),
            Some(None) => return Ok(Some(id)),
            Some(Some(winner)) => id = winner,
        }
    }
    Ok(None)
}

/// A member, or the one that it becomes: until the transaction ends, its address does not change.
pub async fn hold_present(tx: &mut Tx, site: SiteId, id: &MemberId) -> Result<Option<Member>> {
    for _ in 0..MOST_MERGES {
        let Some(now) = present(tx, site, id).await? else { return Ok(None) };
        store::hold(tx.conn(), site, &now).await?;
        // While this waited for the row, a merge may have begun.
        if present(tx, site, id).await?.as_ref() == Some(&now) {
            return store::by_id(tx.conn(), site, &now).await;
        }
    }
    Ok(None)
}

/// Of an address that a member leaves: writes it down, and takes what the person said along to the new one. Gives the
/// block's change.
pub async fn leave(tx: &mut Tx, clock: &Clock, site: SiteId, before: &Member, to: &Email) -> Result<Option<Change>> {
    leave_at(tx, clock, site, (before, clock.now()), to).await
}

/// The same of an address that was left at a moment.
pub async fn leave_at(
    tx: &mut Tx,
    clock: &Clock,
    site: SiteId,
    (before, at): (&Member, Time),
    to: &Email,
) -> Result<Option<Change>> {
    write_down(tx, site, &before.id, before, at).await?;
    blocklist::carry(tx, clock, site, &before.email_key(), to, Along::Move).await
}

/// The same of a member that is merged into another.
pub async fn join(tx: &mut Tx, clock: &Clock, site: SiteId, loser: &Member, winner: &Member) -> Result<Option<Change>> {
    write_down(tx, site, &winner.id, loser, clock.now()).await?;
    let to = Email::stored(&winner.email);
    blocklist::carry(tx, clock, site, &loser.email_key(), &to, Along::Merge).await
}

async fn write_down(tx: &mut Tx, site: SiteId, whose: &MemberId, had: &Member, at: Time) -> Result<u64> {
    let key = had.email_key();
    let left = Left { member: whose, held_as: &had.id, key: &key, email: &had.email, at };
    store::leave(tx.conn(), site, left).await
}

/// Forgets the addresses that a member had. A block on one stays as a keyed hash, unless another member
/// has the address now. Gives how many there were.
pub async fn forget(tx: &mut Tx, site: SiteId, member: &MemberId, mark: &str, now: Time) -> Result<u64> {
    let all = store::former_of(tx.conn(), site, member).await?;
    let keys: BTreeSet<_> = all.iter().map(|(key, _)| key.as_str()).collect();
    for key in keys {
        // One that the member has again goes with the member.
        if store::id_of(tx.conn(), site, &Email::stored(key)).await?.is_none() {
            blocklist::hide(tx, site, key, mark, now).await?;
            billing::forget_address(tx.conn(), site, key).await?;
        }
        store::forget_former(tx.conn(), site, member, key).await?;
    }
    Ok(all.len() as u64)
}
