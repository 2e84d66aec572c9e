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
        members::{merge::store::hand_over, store as members},
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
    for kind in Kind::ALL {
        let n = match end {
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
    run.finish(&mut tx, at.result(), &at.progress()).await?;
    tx.commit().await?;
    Ok(())
}
