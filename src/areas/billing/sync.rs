//! Reading what something was heard of: the one way by which Stripe's state gets here.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, sleep_until};
use usher_db::Tx;
use usher_jobs::{Fail, Job, JobRow, Owner, Queue, Run, State};
use usher_stripe::{Client, Kind};

use super::{
    connection::Connection,
    mirror,
    store::{self, Dirty},
};
use crate::{
    app::App,
    error::Result,
    values::{SiteId, Time},
};

/// Things that are looked up in the database at once.
const BATCH: u32 = 50;

/// Things that are read from Stripe at the same time: at some 150 ms each well below the 100 calls a second that an
/// account may make.
const AT_ONCE: usize = 4;

/// The time between reads that a sweep has asked for, which nobody waits for: ten a second, so that they and the sweep's
/// own pages stay below the 25 calls a second that an account in test mode may make.
const BETWEEN_SWEPT: Duration = Duration::from_millis(100);

/// The wait after the first failure, doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// Reads everything of a site that is to be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sync {
    /// The site.
    pub site: i64,
}

impl Job for Sync {
    const KIND: &'static str = "stripe.sync";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = 1000;
    const TIMEOUT: Duration = Duration::from_secs(6 * 3600);
}

/// Sees to it that a job reads what was marked in this transaction. It is work of the installation, so that the site's
/// log has what came of it and not that it ran.
pub async fn wake(tx: &mut Tx, app: &App, site: SiteId) -> usher_db::Result<()> {
    let Some(last) = store::sync_job(tx.conn(), site).await? else { return Ok(()) };
    if let Some(id) = &last
        && let Some(row) = app.jobs.get(tx.conn(), 0, id).await?
        && is_live(&row)
    {
        return Ok(());
    }
    let job = Sync { site: site.number() };
    // All who find the same job ended start one and the same.
    let next = format!("stripe.sync:{site}:{}", last.as_deref().unwrap_or("first"));
    let mut row = app.jobs.enqueue(tx, Owner { dedupe: Some(&next), ..Owner::site(0) }, &job).await?;
    if !is_live(&row) {
        row = app.jobs.enqueue(tx, Owner::site(0), &job).await?;
    }
    store::set_sync_job(tx.conn(), site, &row.id).await?;
    Ok(())
}

fn is_live(row: &JobRow) -> bool {
    matches!(row.state, State::Queued | State::Running)
}

/// Applies [`Sync`]. It ends in a transaction in which nothing is left to be read; whoever marks something waits for that
/// transaction, finds the job ended, and starts another.
pub async fn sync(app: &Arc<App>, job: Sync, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(job.site);
    let turns = Arc::new(Turns(Mutex::new(Instant::now())));
    loop {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        let ready = ready(app, site).await?;
        let due = match &ready {
            Some(_) => store::due(app.db.read(), site, app.clock.now(), BATCH).await?,
            None => Vec::new(),
        };
        if due.is_empty() {
            let mut tx = app.db.begin().await?;
            store::hold_sync_job(tx.conn(), site).await?;
            if ready.is_some() && !store::due(tx.conn(), site, app.clock.now(), 1).await?.is_empty() {
                continue;
            }
            run.finish(&mut tx, &json!({}), &json!({})).await?;
            tx.commit().await?;
            return Ok(());
        }
        let Some(ready) = ready else { continue };
        let reads = due.into_iter().map(|dirty| {
            let (app, ready, turns) = (app.clone(), ready.clone(), turns.clone());
            async move {
                if dirty.source == super::sweep::SOURCE {
                    turns.next().await;
                }
                one(app, ready, dirty).await
            }
        });
        let outcomes: Vec<usher_db::Result<()>> = stream::iter(reads).buffer_unordered(AT_ONCE).collect().await;
        outcomes.into_iter().collect::<usher_db::Result<()>>()?;
    }
}

/// When the next read may begin that nobody waits for.
struct Turns(Mutex<Instant>);

impl Turns {
    async fn next(&self) {
        let turn = {
            let mut next = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let turn = (*next).max(Instant::now());
            *next = turn + BETWEEN_SWEPT;
            turn
        };
        sleep_until(turn).await;
    }
}

/// Whom Stripe is asked for, and how; `None` where it cannot be asked.
pub(super) async fn ready(app: &App, site: SiteId) -> usher_db::Result<Option<(Connection, Client)>> {
    let Some(connection) = store::connection(app.db.read(), site).await? else { return Ok(None) };
    match connection.client(app) {
        Ok(client) => Ok(Some((connection, client))),
        Err(error) => {
            tracing::error!(%site, %error, "Stripe cannot be asked");
            Ok(None)
        }
    }
}

/// Reads one thing, and keeps what it says or why that failed.
async fn one(app: Arc<App>, (connection, client): (Connection, Client), dirty: Dirty) -> usher_db::Result<()> {
    let site = connection.site;
    let (why, kind) = match mirror::read(&app, &connection, &client, &dirty).await {
        Ok(()) => return Ok(()),
        Err(mirror::Failed::Database(error)) if usher_db::is_away(&error) || usher_db::is_full(&error) => {
            return Err(error);
        }
        // It is about this one thing, which holds up nothing else.
        Err(mirror::Failed::Database(error)) => {
            tracing::error!(%site, kind = dirty.kind, object = dirty.object, %error, "what Stripe says cannot be kept");
            ("What Stripe says of it could not be kept; the server's log says why.".to_owned(), None)
        }
        Err(mirror::Failed::Stripe(error)) => {
            tracing::warn!(%site, kind = dirty.kind, object = dirty.object, %error, "reading from Stripe failed");
            (error.to_string(), Some(error.kind()))
        }
    };
    let now = app.clock.now();
    metrics::counter!("usher_stripe_reads_failed_total").increment(1);
    let asked = match kind {
        Some(Kind::Retry { after }) => after,
        _ => None,
    };
    let mut tx = app.db.begin().await?;
    store::put_off(tx.conn(), site, &dirty, &why, now + wait(dirty.tries, asked, &dirty.object)).await?;
    if kind == Some(Kind::Permission) {
        store::park(tx.conn(), site, &why, now).await?;
    }
    tx.commit().await
}

/// How long to wait after so many failures, at least what Stripe asked for. Things that failed together are spread by
/// their ids.
fn wait(tries: i64, asked: Option<Duration>, object: &str) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << tries.clamp(0, 20)).min(LONGEST_WAIT);
    let spread = object.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 256;
    let spread = doubled.mul_f64(f64::from(spread) / 1024.0);
    doubled.max(asked.unwrap_or_default()) + spread
}

/// Wakes the reading of every site in which something is due: for what failed, and for whatever was missed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tick;

impl Tick {
    /// How often it runs.
    pub const EVERY: Duration = Duration::from_secs(60);
}

impl Job for Tick {
    const KIND: &'static str = "stripe.tick";
    const QUEUE: Queue = Queue::Fast;
}

/// Applies [`Tick`]. Safe to run twice.
pub async fn tick(app: &App, _: Tick, _run: &Run) -> Result<(), Fail> {
    for connection in store::connections(app.db.read()).await? {
        let now: Time = app.clock.now();
        if !store::due(app.db.read(), connection.site, now, 1).await?.is_empty() {
            let mut tx = app.db.begin().await?;
            wake(&mut tx, app, connection.site).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_quarter_of_an_hour_and_are_never_shorter_than_asked() {
        let base = |tries| wait(tries, None, "").as_secs();
        assert_eq!((base(0), base(1), base(3), base(60)), (2, 4, 16, 900));
        assert_eq!(wait(0, Some(Duration::from_secs(77)), "").as_secs(), 77);
        let spread = wait(4, None, "sub_1PQrst");
        assert!(spread >= Duration::from_secs(32) && spread <= Duration::from_secs(40), "{spread:?}");
    }
}
