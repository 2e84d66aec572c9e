use std::time::Duration;

use serde::{Deserialize, Serialize};
use usher_db::Tx;
use usher_jobs::{Fail, Job, JobRow, Owner, Queue, Run, State};

use super::{
    Wanted,
    bring::bring,
    store::{self, Word},
};
use crate::{
    app::App,
    areas::{
        billing::store::{Mark, mark},
        members,
    },
    clock::Clock,
    values::{SiteId, SubscriptionId},
};

/// What was accepted is done, however long Stripe is away: at the longest wait between attempts, these are twenty years.
const MAX_ATTEMPTS: u32 = 1_000_000;

const TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Ends a subscription at Stripe, now or with its period, as the last word in its row says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cancel {
    /// Which.
    pub subscription: SubscriptionId,
}

/// Pauses a subscription at Stripe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pause {
    /// Which.
    pub subscription: SubscriptionId,
}

/// Lets a subscription at Stripe go on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resume {
    /// Which.
    pub subscription: SubscriptionId,
}

impl Job for Cancel {
    const KIND: &'static str = "subscriptions.cancel";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = TIMEOUT;
}

impl Job for Pause {
    const KIND: &'static str = "subscriptions.pause";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = TIMEOUT;
}

impl Job for Resume {
    const KIND: &'static str = "subscriptions.resume";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = TIMEOUT;
}

/// Applies [`Cancel`].
pub async fn cancel(app: &App, job: Cancel, run: &Run) -> Result<(), Fail> {
    bring(app, &job.subscription, run).await
}

/// Applies [`Pause`].
pub async fn pause(app: &App, job: Pause, run: &Run) -> Result<(), Fail> {
    bring(app, &job.subscription, run).await
}

/// Applies [`Resume`].
pub async fn resume(app: &App, job: Resume, run: &Run) -> Result<(), Fail> {
    bring(app, &job.subscription, run).await
}

/// A job was cancelled: what it was to bring about is not wanted any more. What it has done at Stripe by then stays, and is
/// read.
pub async fn taken_back(tx: &mut Tx, clock: &Clock, job: &JobRow) -> usher_db::Result<()> {
    if job.state != State::Cancelled || ![Cancel::KIND, Pause::KIND, Resume::KIND].contains(&job.kind.as_str()) {
        return Ok(());
    }
    let site = SiteId::new(job.site);
    let Some((_, member, _)) = store::asked_of(tx.conn(), site, &job.id).await? else { return Ok(()) };
    members::store::hold(tx.conn(), site, &member).await?;
    let Some((id, _, external)) = store::asked_of(tx.conn(), site, &job.id).await? else { return Ok(()) };
    store::silence(tx.conn(), site, &id, &job.id).await?;
    if let Some(object) = external.as_deref() {
        let heard = Mark { kind: "subscription", object, source: "write", event: None };
        mark(tx.conn(), site, &heard, clock.now()).await?;
    }
    Ok(())
}

/// A subscription was seen alive whose member is held: if it was cancelled here and no job is at that any more, another
/// begins.
pub async fn cancel_again(tx: &mut Tx, app: &App, site: SiteId, id: &SubscriptionId) -> usher_db::Result<()> {
    let Some(word) = store::word(tx.conn(), site, id).await?.filter(|word| word.asked == Wanted::Canceled) else {
        return Ok(());
    };
    let job = app.jobs.get(tx.conn(), site.number(), &word.job).await?;
    if job.is_some_and(|job| matches!(job.state, State::Queued | State::Running)) {
        return Ok(());
    }
    tracing::warn!(%site, subscription = %id, "what was cancelled here lives at Stripe; it is cancelled again");
    metrics::counter!("usher_stripe_drift_total", "what" => "live_after_cancel").increment(1);
    let row = app.jobs.enqueue(tx, Owner::site(site.number()), &Cancel { subscription: id.clone() }).await?;
    store::ask(tx.conn(), site, id, &Word { job: row.id, ..word }, app.clock.now()).await?;
    Ok(())
}
