//! What is read from Stripe, and what is kept of it.

mod checkout;
mod invoice;
mod link;
mod refund;
pub(super) mod store;
mod subscription;

pub use link::MEMBER;
use serde_json::json;
pub(super) use subscription::{Link, seen};
use usher_db::{Change, Tx};
use usher_stripe::{Client, Error, Kind};

use super::{
    connection::Connection,
    store::{Dirty, clean, take_ticket},
};
use crate::{
    app::App,
    areas::activity::{self, ActivityStatus, Actor, Record, Surface},
    values::{MemberId, SiteId, Time},
};

/// Why something could not be read.
pub(super) enum Failed {
    /// Stripe did not say.
    Stripe(Error),
    /// What it said could not be kept.
    Database(usher_db::Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Stripe(error)
    }
}

impl From<usher_db::Error> for Failed {
    fn from(error: usher_db::Error) -> Self {
        Self::Database(error)
    }
}

type Result<T, E = Failed> = std::result::Result<T, E>;

/// What reads one thing.
struct Reader<'a> {
    app: &'a App,
    connection: &'a Connection,
    client: &'a Client,
    dirty: &'a Dirty,
    /// Taken before Stripe is asked.
    ticket: i64,
}

/// Reads one thing from Stripe and keeps what it says.
pub(super) async fn read(app: &App, connection: &Connection, client: &Client, dirty: &Dirty) -> Result<()> {
    let mut tx = app.db.begin().await?;
    let Some(ticket) = take_ticket(tx.conn(), connection.site).await? else { return Ok(()) };
    tx.commit().await?;
    let reader = Reader { app, connection, client, dirty, ticket };
    match dirty.kind.as_str() {
        "subscription" => reader.subscription().await,
        "invoice" => reader.invoice().await,
        "checkout" => reader.checkout().await,
        "charge" => reader.charge().await,
        other => {
            tracing::error!(kind = other, "nothing of this kind is read");
            let mut tx = app.db.begin().await?;
            reader.end(&mut tx).await?;
            Ok(tx.commit().await?)
        }
    }
}

/// `None` where Stripe has no such object.
fn there<T>(answer: std::result::Result<usher_stripe::Answer<T>, Error>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer.value)),
        Err(error) if error.kind() == Kind::Missing => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A moment of Stripe's, which counts seconds.
fn time(seconds: i64) -> Time {
    Time::from_micros(seconds.saturating_mul(1_000_000))
}

impl Reader<'_> {
    fn site(&self) -> SiteId {
        self.connection.site
    }

    fn now(&self) -> Time {
        self.app.clock.now()
    }

    /// Notes that it was read.
    async fn end(&self, tx: &mut Tx) -> Result<()> {
        clean(tx.conn(), self.site(), self.dirty).await?;
        Ok(())
    }

    /// Writes what changed into the log, with where it was heard of.
    async fn record(&self, tx: &mut Tx, what: &str, member: Option<&MemberId>, changes: &[Change]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let dirty = self.dirty;
        let args = json!({
            "source": dirty.source, "event": dirty.event_id, "type": dirty.event_type, "object": dirty.object,
        });
        let record = Record {
            site: self.site(),
            id: self.app.clock.id(),
            at: self.now(),
            actor: Actor::Stripe,
            key: None,
            surface: Surface::Worker,
            tool: format!("stripe.{what}"),
            args: Some(args.to_string()),
            status: ActivityStatus::Ok,
            code: None,
            duration_us: 0,
            member: member.cloned(),
            job: None,
            changes: Record::changes_of(changes),
            dry_run: false,
            replayed: false,
        };
        activity::store::insert(tx.conn(), [(&record, 1)]).await?;
        Ok(())
    }
}
