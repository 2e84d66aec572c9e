//! What a sweep found.

use serde::{Deserialize, Serialize};
use usher_db::Tx;

use crate::{
    app::App,
    areas::activity::{self, Actor, Record, Surface},
    values::{SiteId, Time},
};

/// How many of what a sweep has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// In Stripe's list.
    pub seen: u64,
    /// The same here, or read here since the list was asked for.
    pub same: u64,
    /// Different, and known before to be read: their event has come.
    pub pending: u64,
    /// Different, and nobody had said so.
    pub drifted: u64,
    /// Not known here.
    pub unknown: u64,
    /// Known not to be of any member, and still so.
    pub strays: u64,
    /// In a shape that cannot be read.
    pub unreadable: u64,
    /// Here, and not in Stripe's list.
    pub missing: u64,
    /// Checkouts that should be over, and were open here.
    pub checkouts: u64,
    /// Of those that were marked, the ones that had been read when the sweep ended.
    pub repaired: u64,
}

impl Counts {
    pub(super) fn add(&mut self, more: &Self) {
        self.seen += more.seen;
        self.same += more.same;
        self.pending += more.pending;
        self.drifted += more.drifted;
        self.unknown += more.unknown;
        self.strays += more.strays;
        self.unreadable += more.unreadable;
    }

    /// With how many are marked still.
    pub(super) fn with_left(self, left: u64) -> Self {
        let marked = self.drifted + self.unknown + self.unreadable + self.missing + self.checkouts;
        Self { repaired: marked.saturating_sub(left), ..self }
    }

    /// Tells the metrics of drift.
    pub(super) fn measure(&self) {
        for (what, n) in [("drifted", self.drifted), ("unknown", self.unknown), ("missing", self.missing)] {
            if n > 0 {
                metrics::counter!("usher_stripe_drift_total", "what" => what).increment(n);
            }
        }
    }
}

/// Writes into the site's log what a sweep found.
pub(super) async fn record(tx: &mut Tx, app: &App, site: SiteId, began: Time, counts: &Counts) -> usher_db::Result<()> {
    let now = app.clock.now();
    let record = Record {
        args: serde_json::to_string(counts).ok(),
        duration_us: i64::try_from(now.since(began).as_micros()).unwrap_or(i64::MAX),
        ..Record::done(site, app.clock.id(), now, (Actor::Worker, Surface::Worker), "stripe.sweep")
    };
    activity::store::insert(tx.conn(), [(&record, 1)]).await?;
    Ok(())
}
