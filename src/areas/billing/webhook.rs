//! What Stripe says by webhook: believed only for what it is about.

use std::sync::Arc;

use usher_stripe::{views::Event, webhook::verify};

use super::{
    connection::{not_connected, secrets},
    store::{self, Mark},
    sync::wake,
};
use crate::{
    app::App,
    error::{Code, Error, Result},
    values::SiteId,
};

/// The largest body that is read. Stripe's events have a few KiB; an invoice of many lines some hundreds.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The events that an endpoint at Stripe is to send; others do no harm.
pub const EVENTS: [&str; 7] = [
    "checkout.session.*",
    "customer.subscription.*",
    "customer.updated",
    "invoice.*",
    "charge.refunded",
    "charge.refund.updated",
    "charge.dispute.*",
];

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It was noted, and what it is about will be read.
    Noted,
    /// It had come before.
    Again,
    /// It is about another account, or about the other kind of money.
    NotOurs,
}

impl Received {
    /// As it is answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Noted => "noted",
            Self::Again => "again",
            Self::NotOurs => "not_ours",
        }
    }
}

/// Checks an event and notes it, and what is to be read since it came.
pub async fn receive(app: &Arc<App>, site: SiteId, header: Option<&str>, body: &[u8]) -> Result<Received> {
    let refused = |text: String| Error::new(Code::WebhookRefused, text);
    let connection = store::connection(app.db.read(), site).await?.ok_or_else(not_connected)?;
    let secrets = secrets(app, site).await?;
    if secrets.is_empty() {
        return Err(refused("The site has no signing secret yet: usher stripe secret add.".into()));
    }
    let now = app.clock.now();
    let event = verify(header, body, &secrets, now.micros().div_euclid(1_000_000))
        .map_err(|error| refused(error.to_string()))?;
    let is_ours = event.account.as_deref() == connection.acts_for.as_deref()
        && event.livemode.is_none_or(|live| live == connection.live);
    if !is_ours {
        tracing::warn!(%site, event = event.id, kind = event.kind, "an event of another account or mode came");
        return Ok(Received::NotOurs);
    }
    let mut tx = app.db.begin().await?;
    if !note(&mut tx, site, &event, "webhook", now).await? {
        return Ok(Received::Again);
    }
    wake(&mut tx, app, site).await?;
    tx.commit().await?;
    metrics::counter!("usher_stripe_events_total", "source" => "webhook").increment(1);
    Ok(Received::Noted)
}

/// Notes an event, and what is to be read since it came; `false` if it had come before.
pub async fn note(
    tx: &mut usher_db::Tx,
    site: SiteId,
    event: &Event,
    source: &str,
    now: crate::values::Time,
) -> usher_db::Result<bool> {
    if !store::insert_event(tx.conn(), site, &event.id, now).await? {
        return Ok(false);
    }
    for (kind, object) in objects(event) {
        let event = Some((event.id.as_str(), event.kind.as_str()));
        store::mark(tx.conn(), site, &Mark { kind, object, source, event }, now).await?;
    }
    Ok(true)
}

/// What is to be read since an event came. An event of a kind that is not known here is about nothing.
fn objects(event: &Event) -> Vec<(&'static str, &str)> {
    let about = event.about();
    let mut objects = Vec::new();
    let kind = event.kind.as_str();
    if kind.starts_with("customer.subscription.") {
        objects.extend(about.id.map(|id| ("subscription", id)));
    } else if kind == "customer.updated" {
        objects.extend(about.id.map(|id| ("customer", id)));
    } else if kind.starts_with("invoice.") {
        objects.extend(about.id.filter(|_| about.object == Some("invoice")).map(|id| ("invoice", id)));
        objects.extend(about.subscription.map(|id| ("subscription", id)));
    } else if kind.starts_with("checkout.session.") {
        objects.extend(about.id.map(|id| ("checkout", id)));
        objects.extend(about.subscription.map(|id| ("subscription", id)));
    } else if kind.starts_with("charge.") || kind.starts_with("refund.") {
        objects.extend(about.charge.map(|id| ("charge", id)));
    }
    // In the order in which everybody locks them.
    objects.sort_unstable();
    objects
}
