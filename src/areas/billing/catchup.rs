//! Hearing of what webhooks did not tell: Stripe's events, listed.
//!
//! Every few minutes the events since the last listing are asked for again, with an overlap, since Stripe counts whole
//! seconds and may list an event a little late. They are noted like those that come by webhook, each once. After an
//! outage they are caught up with in spans of time, oldest first, each kept when all its pages were noted, so that the
//! next run goes on where one was stopped. What is older than Stripe lists, the sweep finds.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use usher_jobs::{Fail, Job, Owner, Queue, Run};
use usher_stripe::{
    Client, Error, Kind, NotSent, Pager,
    requests::{Created, events},
    views::Event,
};

use super::{
    connection::Connection,
    store,
    sync::{ready, wake},
    webhook::note,
};
use crate::{
    app::App,
    values::{SiteId, Time},
};

/// How far back before the last listing events are asked for again.
const OVERLAP: Duration = Duration::from_secs(10 * 60);

/// How far back Stripe lists events.
const LISTED: Duration = Duration::from_secs(30 * 86_400);

/// How long an event's id is kept, which is longer than Stripe lists it.
const KEPT: Duration = Duration::from_secs(40 * 86_400);

/// The first span of time that is asked for, in seconds; doubled while there is little in it.
const SPAN_S: i64 = 3600;

/// The time between pages.
const PAUSE: Duration = Duration::from_millis(200);

/// Pages of one span; if there are more, a shorter one is asked for.
const MAX_PAGES_OF_SPAN: u32 = 50;

/// Pages of one run: 30,000 events. The next run goes on.
const MAX_PAGES: u32 = 300;

/// Events that one transaction notes.
const CHUNK: usize = 25;

/// Ids that one transaction forgets, and how often a run does so.
const FORGET: (u32, u32) = (1000, 100);

/// Starts [`Listen`] for every site, and forgets what Stripe lists no more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CatchUp;

impl CatchUp {
    /// How often it runs.
    pub const EVERY: Duration = Duration::from_secs(5 * 60);
}

impl Job for CatchUp {
    const KIND: &'static str = "stripe.catchup";
    const QUEUE: Queue = Queue::Fast;
}

/// Lists the events of a site that are newer than those listed before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Listen {
    /// The site.
    pub site: i64,
}

impl Job for Listen {
    const KIND: &'static str = "stripe.events";
    const QUEUE: Queue = Queue::Fast;
    const TIMEOUT: Duration = Duration::from_secs(30 * 60);
}

/// Applies [`CatchUp`]. Safe to run twice: each site's job is one.
pub async fn catch_up(app: &App, _: CatchUp, run: &Run) -> Result<(), Fail> {
    for connection in store::connections(app.db.read()).await? {
        let site = connection.site.number();
        let dedupe = format!("{}:{site}", run.job_id);
        let mut tx = app.db.begin().await?;
        let owner = Owner { dedupe: Some(&dedupe), ..Owner::site(0) };
        app.jobs.enqueue(&mut tx, owner, &Listen { site }).await?;
        tx.commit().await?;
    }
    let (batch, times) = FORGET;
    for _ in 0..times {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        let mut tx = app.db.begin().await?;
        let gone = store::forget_events(tx.conn(), app.clock.now() - KEPT, batch).await?;
        tx.commit().await?;
        if gone < u64::from(batch) {
            break;
        }
    }
    Ok(())
}

/// Why a listing stopped.
enum Stopped {
    Stripe(Error),
    Database(usher_db::Error),
    Stopping,
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Stripe(error)
    }
}

impl From<usher_db::Error> for Stopped {
    fn from(error: usher_db::Error) -> Self {
        Self::Database(error)
    }
}

/// Applies [`Listen`]. Safe to run twice: an event is noted once. Where Stripe does not answer it ends, and the next one
/// asks again.
pub async fn listen(app: &App, job: Listen, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(job.site);
    let Some((connection, client)) = ready(app, site).await? else { return Ok(()) };
    match all(app, run, &connection, &client).await {
        Ok(()) => Ok(()),
        Err(Stopped::Stopping) => Err(Fail::Stopping),
        Err(Stopped::Database(error)) => Err(error.into()),
        Err(Stopped::Stripe(error)) => {
            tracing::warn!(%site, %error, "Stripe's events could not be listed");
            metrics::counter!("usher_stripe_lists_failed_total", "what" => "events").increment(1);
            if error.kind() == Kind::Permission {
                let mut tx = app.db.begin().await?;
                store::park(tx.conn(), site, &error.to_string(), app.clock.now()).await?;
                tx.commit().await?;
            }
            Ok(())
        }
    }
}

async fn all(app: &App, run: &Run, connection: &Connection, client: &Client) -> Result<(), Stopped> {
    let now = app.clock.now();
    let end = seconds(now) + 1;
    let (mut from, mut span, mut n_pages) = (seconds(begin(connection, now)), SPAN_S, 0);
    while from < end && n_pages < MAX_PAGES {
        let until = from.saturating_add(span).min(end);
        // The last span has no end: Stripe's clock may be ahead.
        let created = Created { from: Some(from), before: (until < end).then_some(until) };
        match one(app, run, connection.site, client, created).await {
            Ok(pages) => {
                let until = Time::from_micros(until.saturating_mul(1_000_000)).min(now);
                let mut tx = app.db.begin().await?;
                store::set_events_until(tx.conn(), connection.site, until).await?;
                tx.commit().await?;
                from = from.saturating_add(span);
                n_pages += pages.max(1);
                span = if pages <= 1 { span.saturating_mul(2) } else { span };
            }
            Err(Stopped::Stripe(Error::NotSent(NotSent::TooManyPages { .. }))) if span > 1 => {
                n_pages += MAX_PAGES_OF_SPAN;
                span /= 2;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// From when on events are asked for: since the last listing, or since the site was connected.
fn begin(connection: &Connection, now: Time) -> Time {
    (connection.events_until.unwrap_or(connection.created_at) - OVERLAP).max(now - LISTED)
}

/// Notes the events of a span of time; gives how many pages there were.
async fn one(app: &App, run: &Run, site: SiteId, client: &Client, created: Created) -> Result<u32, Stopped> {
    let filter = events::EventFilter { created, ..Default::default() };
    let mut pager = Pager::new(events::list(&filter), PAUSE, MAX_PAGES_OF_SPAN);
    let mut n_pages = 0;
    while let Some(page) = pager.next(client).await? {
        n_pages += 1;
        let (mut found, unreadable) = (page.value.data, page.value.unreadable);
        for one in unreadable {
            tracing::warn!(%site, event = one.id, why = one.why, "an event cannot be read");
        }
        found.reverse(); // oldest first, as they come by webhook
        for chunk in found.chunks(CHUNK) {
            if run.stopping() {
                return Err(Stopped::Stopping);
            }
            note_all(app, site, chunk).await?;
        }
    }
    Ok(n_pages)
}

async fn note_all(app: &App, site: SiteId, events: &[Event]) -> usher_db::Result<()> {
    let mut n = 0;
    let mut tx = app.db.begin().await?;
    for event in events {
        n += u64::from(note(&mut tx, site, event, "events", app.clock.now()).await?);
    }
    if n == 0 {
        return tx.rollback().await;
    }
    wake(&mut tx, app, site).await?;
    tx.commit().await?;
    metrics::counter!("usher_stripe_events_total", "source" => "events").increment(n);
    Ok(())
}

fn seconds(time: Time) -> i64 {
    time.micros().div_euclid(1_000_000)
}
