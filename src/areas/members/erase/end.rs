//! The last transaction of a member that goes.

use usher_jobs::Fail;

use super::{
    At, Kind,
    logs::{Tail, Work, rewrite_tail},
    store,
};
use crate::{
    areas::{
        billing, blocklist,
        members::{former, merge::store::hand_over, rekey, store as members, tally},
    },
    values::MemberId,
};

/// More rows than were written since they were last looked for.
const ALL: u32 = 1_000_000;

/// What becomes of rows that are still there.
#[derive(Clone, Copy)]
pub enum End<'a> {
    /// They are deleted.
    Delete,
    /// Another member gets them.
    Merge(&'a MemberId),
}

/// Does what is left, deletes the member and ends the job: all of it or nothing.
pub async fn end(work: &Work<'_>, at: &mut At, tail: &Tail, end: End<'_>) -> Result<(), Fail> {
    let Work { app, run, site, person } = *work;
    let mut tx = app.db.begin().await?;
    let mut ids = vec![person.id()];
    if let End::Merge(winner) = end {
        ids.push(winner);
    }
    // Always in this order, so that two merges cannot wait for each other.
    ids.sort_unstable_by_key(|id| id.as_str());
    for id in ids {
        members::hold(tx.conn(), site, id).await?;
    }
    if let End::Merge(winner) = end {
        // What was said of the loser's address since the call.
        let pair =
            (members::by_id(tx.conn(), site, person.id()).await?, members::by_id(tx.conn(), site, winner).await?);
        if let (Some(loser), Some(winner)) = pair {
            former::join(&mut tx, &app.clock, site, &loser, &winner).await?;
        }
    }
    for kind in Kind::ALL {
        let n = match end {
            End::Delete if kind == Kind::Addresses => {
                former::forget(&mut tx, site, person.id(), person.mark(), app.clock.now()).await?
            }
            End::Delete => store::delete(&mut tx, site, person.id(), kind, ALL).await?,
            End::Merge(winner) => hand_over(&mut tx, site, (person.id(), winner), kind, ALL, app.clock.now()).await?,
        };
        at.gone(kind, n);
    }
    let n = blocklist::hide(&mut tx, site, person.key(), person.mark(), app.clock.now()).await?;
    at.count("blocks", n);
    billing::forget_address(tx.conn(), site, person.key()).await?;
    rewrite_tail(work, &mut tx, at, tail).await?;
    if store::delete_member(tx.conn(), site, person.id()).await? != 1 {
        return Err(Fail::fatal("member_not_found", "The member is gone, or was not to be deleted."));
    }
    rekey::free(&mut tx, site, person.key()).await?;
    tally::forget(&mut tx, site, &person.patterns()).await?;
    run.finish(&mut tx, at.result(), &at.progress()).await?;
    tx.commit().await?;
    Ok(())
}
