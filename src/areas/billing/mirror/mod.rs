//! What is read from Stripe, and what is kept of it.

mod checkout;
mod customer;
mod invoice;
mod link;
mod paid;
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
    store::{Dirty, Mark, clean, mark, take_ticket},
};
use crate::{
    app::App,
    areas::activity::{self, Actor, Record, Surface},
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
    let Some(ticket) = ticket(app, connection.site).await? else { return Ok(()) };
    let reader = Reader { app, connection, client, dirty, ticket };
    match dirty.kind.as_str() {
        "subscription" => reader.subscription().await,
        "invoice" => reader.invoice().await,
        "checkout" => reader.checkout().await,
        "charge" => reader.charge().await,
        "customer" => reader.customer().await,
        other => {
            tracing::error!(kind = other, "nothing of this kind is read");
            let mut tx = app.db.begin().await?;
            reader.end(&mut tx).await?;
            Ok(tx.commit().await?)
        }
    }
}

/// The next ticket; `None` if the site is not connected any more.
async fn ticket(app: &App, site: SiteId) -> Result<Option<i64>> {
    let mut tx = app.db.begin().await?;
    let ticket = take_ticket(tx.conn(), site).await?;
    tx.commit().await?;
    Ok(ticket)
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

    /// Notes that it was read, as the last thing of a transaction but for marking what is later by kind and id: see the
    /// order of locks in [`super`].
    async fn end(&self, tx: &mut Tx) -> Result<()> {
        clean(tx.conn(), self.site(), self.dirty, self.ticket).await?;
        Ok(())
    }

    /// Notes what else is to be read, heard of as this was.
    async fn hear(&self, tx: &mut Tx, mut all: Vec<(&str, &str)>) -> Result<()> {
        let event = self.dirty.event_id.as_deref().zip(self.dirty.event_type.as_deref());
        all.sort_unstable();
        for (kind, object) in all {
            let heard = Mark { kind, object, source: &self.dirty.source, event };
            mark(tx.conn(), self.site(), &heard, self.now()).await?;
        }
        Ok(())
    }

    /// Whether a member is there and stays; held until the transaction ends.
    async fn holds(&self, tx: &mut Tx, member: Option<&MemberId>) -> Result<bool> {
        match member {
            Some(member) => Ok(store::hold_member(tx.conn(), self.site(), member).await?),
            None => Ok(false),
        }
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
            args: Some(args.to_string()),
            member: member.cloned(),
            changes: Record::changes_of(changes),
            ..Record::done(
                self.site(),
                self.app.clock.id(),
                self.now(),
                (Actor::Stripe, Surface::Worker),
                format!("stripe.{what}"),
            )
        };
        activity::store::insert(tx.conn(), [(&record, 1)]).await?;
        Ok(())
    }
}
