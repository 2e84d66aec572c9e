//! When sweeps begin.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use usher_db::Tx;
use usher_jobs::{Fail, Job, JobRow, Owner, Queue, Run};

use super::Sweep;
use crate::{
    app::App,
    areas::billing::{connection::Connection, store::connections},
    values::{SiteId, Time},
};

/// Starts the sweep of every site that had none today (UTC), which is soon after midnight; and the first one of a site,
/// soon after it was connected.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Nightly;

impl Job for Nightly {
    const KIND: &'static str = "stripe.sweeps";
    const QUEUE: Queue = Queue::Fast;
    const TIMEOUT: Duration = Duration::from_secs(60);
}

/// Applies [`Nightly`]. Safe to run twice: a site has one such job a day.
pub async fn nightly(app: &App, _: Nightly, _run: &Run) -> Result<(), Fail> {
    let now = app.clock.now();
    for connection in connections(app.db.read()).await?.iter().filter(|one| is_due(one, now)) {
        let (site, connected) = (connection.site, connection.created_at.micros());
        let dedupe = format!("{}:{site}:{connected}:{}", Sweep::KIND, now.midnight().micros());
        let mut tx = app.db.begin().await?;
        start(&mut tx, app, site, Some(&dedupe)).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn is_due(connection: &Connection, now: Time) -> bool {
    connection.swept_at.is_none_or(|swept| swept < now.midnight())
}

/// Starts the sweep of a site. It is work of the installation, so that the site's log has what came of it once.
pub async fn start(tx: &mut Tx, app: &App, site: SiteId, dedupe: Option<&str>) -> usher_db::Result<JobRow> {
    app.jobs.enqueue(tx, Owner { dedupe, ..Owner::site(0) }, &Sweep { site: site.number() }).await
}
