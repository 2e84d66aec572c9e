//! Whether a member pays, as it is stored with the member, for lists by status.
//!
//! It is what [`pays`](super::pays) says, and until when; what ends by the passing of time is written down by [`settle`]
//! before anything is listed by status, and by [`Lapse`](super::Lapse) besides.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use usher_db::{Conn, Tx};
use usher_jobs::{Fail, Job, Jobs, Owner, Queue, Run};

use super::{actions::DAY, decide::pays, store};
use crate::{
    app::App,
    areas::sites,
    values::{MemberId, PlanId, SiteId, Time},
};

/// Members of one transaction.
const ROWS: u32 = 250;

/// Writes whether a member pays and until when, by what is known now, and the status that comes of it.
pub async fn recount(mut conn: Conn<'_>, site: SiteId, member: &MemberId, now: Time) -> usher_db::Result<()> {
    let settings = sites::store::get(conn.again(), site).await?.map(|site| site.settings).unwrap_or_default();
    let grace = DAY * settings.grace_days;
    let Some(known) = store::known_by_id(conn.again(), site, member).await? else { return Ok(()) };
    let paid = pays(&known.subscriptions, grace, now);
    store::set_paid(conn, site, member, (paid.is_some(), paid.flatten()), now).await?;
    Ok(())
}

/// Writes what has ended by itself of a site's members, or of all sites': free access, and what was paid until a moment.
pub async fn settle(app: &App, site: Option<SiteId>, now: Time) -> usher_db::Result<()> {
    while store::is_over(app.db.read(), site, now).await? {
        let mut tx = app.db.begin().await?;
        let n_over = store::lapse(tx.conn(), site, now, ROWS).await?;
        let over = store::paid_over(tx.conn(), site, now, ROWS).await?;
        for (site, member) in &over {
            recount(tx.conn(), *site, member, now).await?;
        }
        tx.commit().await?;
        // Who else is left is being written by somebody else.
        if n_over == 0 && over.is_empty() {
            break;
        }
    }
    Ok(())
}

/// The same before a site's members are listed or counted by status. Where it cannot be written, as on a full disk, they are
/// read all the same: a status may be as old as what could not be written.
pub async fn settle_for_reading(app: &App, site: SiteId, now: Time) {
    if let Err(error) = settle(app, Some(site), now).await {
        tracing::warn!(%site, %error, "the status of members whose access has ended could not be written");
    }
}

/// Writes anew who pays: of those with a plan, after it was said what that opens; without a plan, of those with a payment
/// that is overdue, after the time that it is waited for was changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recount {
    /// The plan.
    pub plan: Option<PlanId>,
}

impl Job for Recount {
    const KIND: &'static str = "access.recount";
    const QUEUE: Queue = Queue::Bulk;
    const TIMEOUT: Duration = Duration::from_secs(60 * 60);
}

/// Has it written anew of whom a payment is overdue, of a site.
pub async fn recount_overdue(tx: &mut Tx, jobs: &Jobs, site: SiteId) -> usher_db::Result<()> {
    jobs.enqueue(tx, Owner::site(site.number()), &Recount { plan: None }).await?;
    Ok(())
}

/// Applies [`Recount`]. Safe to run twice.
pub async fn recount_all(app: &App, job: Recount, run: &Run) -> Result<(), Fail> {
    let (site, mut after, mut done) = (SiteId::new(run.site), String::new(), 0);
    loop {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        let mut tx = app.db.begin().await?;
        let members = store::who_may_pay(tx.conn(), site, job.plan.as_ref(), &after, ROWS).await?;
        for (member,) in &members {
            recount(tx.conn(), site, member, app.clock.now()).await?;
        }
        done += members.len();
        let Some((last,)) = members.last() else {
            let counts = serde_json::json!({ "members": done });
            run.finish(&mut tx, &counts, &counts).await?;
            tx.commit().await?;
            return Ok(());
        };
        after = last.to_string();
        tx.commit().await?;
    }
}
