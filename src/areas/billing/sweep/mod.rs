//! Comparing every subscription with Stripe's, once a day.
//!
//! The sweep writes nothing of the mirror but when a row was compared: what is different, unknown or gone is marked, and
//! read like anything else that was heard of. It goes through Stripe's list a page at a time, slowly, and waits for what
//! it has marked before it goes on, so that a mirror that is wrong everywhere neither floods Stripe nor keeps what comes
//! by webhook waiting. Each page commits with the place to go on from.

mod compare;
mod nightly;
mod report;
mod store;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, sleep_until};
use usher_jobs::{Fail, Job, Queue, Run};
use usher_stripe::{Client, Error, Kind, Pager, requests::subscriptions, views::Page};

pub use self::{
    nightly::{Nightly, nightly, start},
    report::Counts,
};
use super::{
    store::{park, take_ticket},
    sync::{ready, wake},
};
use crate::{
    app::App,
    values::{SiteId, Time},
};

/// Who says so, of what a sweep has marked.
pub const SOURCE: &str = "sweep";

/// The time between pages: five a second.
const PAUSE: Duration = Duration::from_millis(200);

/// Marks that may wait to be read while the next page is asked for.
const MAX_WAITING: u64 = 100;

/// How long a page waits for what was marked before.
const PAGE_WAIT: Duration = Duration::from_secs(60);

/// How long the end waits for what was marked.
const END_WAIT: Duration = Duration::from_secs(10 * 60);

/// How often the marks are counted while they are waited for.
const LOOK: Duration = Duration::from_millis(100);

/// Things that are marked at once that Stripe's list did not have.
const BATCH: u32 = 100;

/// Checkouts that one sweep marks.
const MAX_CHECKOUTS: u32 = 1000;

/// How often one sweep begins anew because the place where it was is gone.
const MAX_RESTARTS: u32 = 3;

/// The first wait after Stripe did not answer, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15 * 60));

/// Compares every subscription of a site with Stripe's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sweep {
    /// The site.
    pub site: i64,
}

impl Job for Sweep {
    const KIND: &'static str = "stripe.sweep";
    const QUEUE: Queue = Queue::Bulk;
    const MAX_ATTEMPTS: u32 = 100;
    const TIMEOUT: Duration = Duration::from_secs(6 * 3600);
}

/// Where a sweep is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    /// When it began, in microseconds.
    began: i64,
    /// The last of Stripe's subscriptions that was compared.
    cursor: Option<String>,
    /// Whether that was the last of all.
    is_listed: bool,
    /// Whether checkouts that should be over were marked.
    has_checkouts: bool,
    restarts: u32,
    counts: Counts,
}

impl Place {
    fn start(now: Time, restarts: u32) -> Self {
        Self {
            began: now.micros(),
            cursor: None,
            is_listed: false,
            has_checkouts: false,
            restarts,
            counts: Counts::default(),
        }
    }

    fn began(&self) -> Time {
        Time::from_micros(self.began)
    }
}

/// Applies [`Sweep`].
pub async fn sweep(app: &App, job: Sweep, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(job.site);
    let Some((_, client)) = ready(app, site).await? else { return Ok(()) };
    let mut at = run.checkpoint_value().unwrap_or_else(|| Place::start(app.clock.now(), 0));
    let sweeper = Sweeper { app, run, site, client };
    while !at.is_listed {
        sweeper.wait(MAX_WAITING, PAGE_WAIT).await?;
        sweeper.page(&mut at).await?;
    }
    while sweeper.unlisted(&mut at).await? {
        sweeper.wait(MAX_WAITING, PAGE_WAIT).await?;
    }
    sweeper.wait(1, END_WAIT).await?;
    sweeper.end(at).await
}

struct Sweeper<'a> {
    app: &'a App,
    run: &'a Run,
    site: SiteId,
    client: Client,
}

impl Sweeper<'_> {
    /// Compares the next page.
    async fn page(&self, at: &mut Place) -> Result<(), Fail> {
        let mut tx = self.app.db.begin().await?;
        // Before Stripe is asked, so that whatever is read later has a later one.
        let ticket = take_ticket(tx.conn(), self.site).await?;
        tx.commit().await?;
        let Some(ticket) = ticket else { return Err(Fail::Cancelled) };
        let next = Instant::now() + PAUSE;
        let mut pager = Pager::new(subscriptions::list(&Default::default()), Duration::ZERO, 1);
        if let Some(cursor) = &at.cursor {
            pager = pager.from(cursor, usher_stripe::Direction::Older);
        }
        let page = match pager.next(&self.client).await {
            Ok(page) => page.map(|answer| answer.value),
            Err(error) => return self.refused(error, at).await,
        };
        let Some(page) = page else { return Err(Fail::retry("unavailable", "Stripe gave no page.")) };
        self.keep(at, ticket, page).await?;
        sleep_until(next).await;
        Ok(())
    }

    async fn keep(
        &self,
        at: &mut Place,
        ticket: i64,
        page: Page<usher_stripe::views::Subscription>,
    ) -> Result<(), Fail> {
        let now = self.app.clock.now();
        let found = compare::page(self.app, self.site, ticket, &page).await?;
        let mut after = at.clone();
        after.cursor = page.last_id.or(after.cursor);
        after.is_listed = !page.has_more;
        after.counts.add(&found.counts);
        let mut tx = self.app.db.begin().await?;
        self.run.checkpoint(&mut tx, &after, &after.counts).await?;
        store::compared(tx.conn(), self.site, found.same, ticket, now).await?;
        store::strays_seen(tx.conn(), self.site, found.same_strays, now).await?;
        if !found.marks.is_empty() {
            store::mark_all(tx.conn(), self.site, &found.marks, ticket, now).await?;
            wake(&mut tx, self.app, self.site).await?;
        }
        tx.commit().await?;
        found.counts.measure();
        *at = after;
        Ok(())
    }

    /// What to do when Stripe gave no page.
    async fn refused(&self, error: Error, at: &mut Place) -> Result<(), Fail> {
        let site = self.site;
        tracing::warn!(%site, %error, "Stripe's subscriptions could not be listed");
        metrics::counter!("usher_stripe_lists_failed_total", "what" => "subscriptions").increment(1);
        match error.kind() {
            Kind::Permission => {
                let mut tx = self.app.db.begin().await?;
                park(tx.conn(), site, &error.to_string(), self.app.clock.now()).await?;
                tx.commit().await?;
                Err(Fail::fatal("stripe_unusable", "The site's Stripe key may not list subscriptions."))
            }
            // Where it was is gone, as in test mode once its data was deleted.
            Kind::Missing | Kind::Refused if at.cursor.is_some() && at.restarts < MAX_RESTARTS => {
                *at = Place::start(self.app.clock.now(), at.restarts + 1);
                Ok(())
            }
            kind => {
                let asked = if let Kind::Retry { after } = kind { after } else { None };
                let (first, longest) = WAITS;
                let wait = first.saturating_mul(1 << self.run.attempt.min(10)).min(longest) / 2;
                let text = "Stripe did not list its subscriptions. The comparison goes on where it was.";
                Err(Fail::after(wait.max(asked.unwrap_or_default()), "unavailable", text).because(error))
            }
        }
    }

    /// Marks some of what Stripe's list did not have; whether there may be more.
    async fn unlisted(&self, at: &mut Place) -> Result<bool, Fail> {
        let (now, site, mut after) = (self.app.clock.now(), self.site, at.clone());
        let mut tx = self.app.db.begin().await?;
        let missing = store::mark_missing(tx.conn(), site, at.began(), now, BATCH).await?
            + store::mark_missing_strays(tx.conn(), site, at.began(), now, BATCH).await?;
        // Once: one that Stripe holds open stays as it is.
        let checkouts = match at.has_checkouts {
            true => 0,
            false => store::mark_overdue_checkouts(tx.conn(), site, now, MAX_CHECKOUTS).await?,
        };
        after.has_checkouts = true;
        after.counts.missing += missing;
        after.counts.checkouts += checkouts;
        self.run.checkpoint(&mut tx, &after, &after.counts).await?;
        if missing + checkouts > 0 {
            wake(&mut tx, self.app, site).await?;
        }
        tx.commit().await?;
        Counts { missing, ..Counts::default() }.measure();
        *at = after;
        Ok(missing + checkouts > 0)
    }

    /// Waits until fewer than so many marks of sweeps wait to be read for the first time, at most that long.
    async fn wait(&self, fewer_than: u64, at_most: Duration) -> Result<(), Fail> {
        let until = Instant::now() + at_most;
        loop {
            if self.run.stopping() {
                return Err(Fail::Stopping);
            }
            if self.run.cancelling() {
                return Err(Fail::Cancelled);
            }
            let waiting = store::waiting(self.app.db.read(), self.site).await?;
            if waiting < fewer_than || Instant::now() >= until {
                return Ok(());
            }
            sleep(LOOK).await;
        }
    }

    /// Says what was found.
    async fn end(&self, at: Place) -> Result<(), Fail> {
        let left = store::left(self.app.db.read(), self.site).await?;
        let counts = at.counts.with_left(left);
        let mut tx = self.app.db.begin().await?;
        super::store::set_swept(tx.conn(), self.site, at.began()).await?;
        report::record(&mut tx, self.app, self.site, at.began(), &counts).await?;
        self.run.finish(&mut tx, &counts, &counts).await?;
        tx.commit().await?;
        Ok(())
    }
}
