use std::time::Duration;

use serde::{Deserialize, Serialize};
use usher_jobs::{Fail, Job, Queue, Run};

use super::store;
use crate::{
    app::App,
    areas::{emails, sign_in, sites},
    gate::idempotency,
    values::{SiteId, Time},
};

/// Rows that one transaction forgets.
const BATCH: u32 = 1000;

/// How long an ended job, with its result, is kept.
const JOBS_KEPT: Duration = DAY.saturating_mul(90);

/// How long a sign-in link that no longer works is kept, to say why it does not.
const LINKS_KEPT: Duration = DAY.saturating_mul(30);

const DAY: Duration = Duration::from_secs(86_400);

/// Forgets what is older than is wanted: rows of the log, mails, answers under an Idempotency-Key, sign-in links and the
/// keys that signed, ended jobs.
#[derive(Serialize, Deserialize)]
pub struct Retention;

impl Job for Retention {
    const KIND: &'static str = "activity.retention";
    const QUEUE: Queue = Queue::Bulk;
    const TIMEOUT: Duration = Duration::from_secs(3600);
}

/// Applies [`Retention`]. Safe to run twice: what is gone is gone.
pub async fn retain(app: &App, _: Retention, run: &Run) -> Result<(), Fail> {
    let now = app.clock.now();
    for site in sites::store::all(app.db.read()).await? {
        let before = now - DAY * site.settings.activity_retention_days;
        forget(app, run, Old::Activity(site.id, before)).await?;
        forget(app, run, Old::Mails(site.id, before)).await?;
    }
    forget(app, run, Old::Answers(now - DAY * idempotency::KEPT_DAYS)).await?;
    forget(app, run, Old::Links(now - LINKS_KEPT)).await?;
    forget(app, run, Old::SigningKeys(now)).await?;
    forget(app, run, Old::Jobs(now - JOBS_KEPT)).await
}

/// What is older than a moment.
#[derive(Clone, Copy)]
enum Old {
    /// Rows of a site's log.
    Activity(SiteId, Time),
    /// Mails of a site.
    Mails(SiteId, Time),
    /// Answers under an Idempotency-Key.
    Answers(Time),
    /// Sign-in links that stopped working.
    Links(Time),
    /// Keys that are no longer published.
    SigningKeys(Time),
    /// Jobs that have ended.
    Jobs(Time),
}

/// Deletes in short transactions until there is nothing more, so that other writes get their turn in between.
async fn forget(app: &App, run: &Run, old: Old) -> Result<(), Fail> {
    loop {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        let mut tx = app.db.begin().await?;
        let gone = match old {
            Old::Activity(site, before) => store::prune(tx.conn(), site, before, BATCH).await?,
            Old::Mails(site, before) => emails::store::prune(tx.conn(), site, before, BATCH).await?,
            Old::Answers(before) => idempotency::prune(tx.conn(), before, BATCH).await?,
            Old::Links(before) => sign_in::store::prune_links(tx.conn(), before, BATCH).await?,
            Old::SigningKeys(before) => sign_in::store::prune_keys(tx.conn(), before).await?,
            Old::Jobs(before) => app.jobs.forget(tx.conn(), before.micros(), BATCH).await?,
        };
        tx.commit().await?;
        if gone < u64::from(BATCH) {
            return Ok(());
        }
    }
}
