//! What jobs that write at Stripe have in common: what its errors mean for them, and that the mirror is read before they
//! end.

use std::time::Duration;

use usher_jobs::Fail;
use usher_stripe::{Client, Error, Kind};

use super::{
    connection::{Connection, not_connected},
    mirror,
    store::{self, Dirty},
};
use crate::{
    app::App,
    areas::sites,
    error::{Code, Result},
    gate::Cx,
    values::{SiteId, kind},
};

/// Whether a call may start a job that writes at Stripe: the site is connected, and its owner has switched that on.
pub async fn may_write(cx: &mut Cx) -> Result<()> {
    let site = cx.site();
    if store::connection(cx.conn(), site).await?.is_none() {
        return Err(not_connected());
    }
    if !cx.caller.site.settings.stripe_writes {
        return Err(locked());
    }
    Ok(())
}

fn locked() -> crate::error::Error {
    let text = "Nothing may be written at Stripe for this site until its operator switches it on: \
                `usher sites update --stripe-writes on`. Nothing was changed.";
    crate::error::Error::new(Code::StripeWritesLocked, text)
}

/// Whom a job writes to. Where that cannot be now, it waits until the operator has mended it, however long that takes.
pub async fn to_write(app: &App, site: SiteId) -> Result<(Connection, Client), Fail> {
    let Some(connection) = store::connection(app.db.read(), site).await? else {
        return Err(Fail::retry(Code::StripeNotConnected.name(), not_connected().message()));
    };
    let writes = sites::store::get(app.db.read(), site).await?.is_some_and(|site| site.settings.stripe_writes);
    if !writes {
        return Err(Fail::retry(Code::StripeWritesLocked.name(), locked().message()));
    }
    if connection.parked_at.is_some() {
        return Err(parked());
    }
    let client = connection.client(app);
    let client = client.map_err(|error| Fail::retry(error.code().name(), error.message().to_owned()))?;
    Ok((connection, client))
}

/// Whom a job reads from.
pub async fn to_read(app: &App, site: SiteId) -> Result<(Connection, Client), Fail> {
    let Some(connection) = store::connection(app.db.read(), site).await? else {
        return Err(Fail::fatal(Code::StripeNotConnected.name(), not_connected().message()));
    };
    let client = connection.client(app);
    let client = client.map_err(|error| Fail::retry(error.code().name(), error.message().to_owned()))?;
    Ok((connection, client))
}

fn parked() -> Fail {
    let text = "The site's Stripe key may not do this. The job waits until the operator has mended it: usher stripe check \
                says what is missing.";
    Fail::retry(Code::StripeParked.name(), text)
}

/// What a job does now that Stripe has not done what it was asked. A key that may not parks the connection.
pub async fn failed(app: &App, site: SiteId, error: Error) -> Fail {
    let waits = "Stripe did not answer, or not yet. Usher tries again by itself.";
    match error.kind() {
        Kind::Retry { after: Some(after) } => {
            Fail::after(spread(app, after), Code::StripeUnavailable.name(), waits).because(error)
        }
        Kind::Retry { after: None } | Kind::LookUpFirst | Kind::IdempotencyClash => {
            Fail::retry(Code::StripeUnavailable.name(), waits).because(error)
        }
        Kind::Permission => match park(app, site, &error).await {
            Ok(()) => parked().because(error),
            Err(error) => error.into(),
        },
        Kind::Missing => Fail::fatal(Code::StripeRefused.name(), "Stripe does not have it any more."),
        Kind::Refused => Fail::fatal(Code::StripeRefused.name(), refusal(&error)),
    }
}

/// Stripe's own words, for whoever may see the job.
fn refusal(error: &Error) -> String {
    match error.api().and_then(|said| said.message.as_deref()) {
        Some(message) => format!("Stripe refused: {message}"),
        None => format!("Stripe refused: {error}."),
    }
}

/// No sooner than asked, and not all at the same moment.
fn spread(app: &App, after: Duration) -> Duration {
    let random = app.clock.id::<kind::Job>().number().as_u128() % 256;
    after + (after / 4).max(Duration::from_millis(500)).mul_f64(random as f64 / 256.0)
}

async fn park(app: &App, site: SiteId, error: &Error) -> usher_db::Result<()> {
    let mut tx = app.db.begin().await?;
    store::park(tx.conn(), site, &error.to_string(), app.clock.now()).await?;
    tx.commit().await
}

/// Reads one thing into the mirror, as what was marked is read: with a ticket, and whatever else reads it meanwhile. For a
/// job that has written at Stripe and marked it, so that who waits for its end sees what has come of it.
pub async fn read_now(
    app: &App,
    (connection, client): (&Connection, &Client),
    (kind, object): (&str, &str),
) -> Result<(), Fail> {
    let marked = mirror::store::marked(app.db.read(), connection.site, kind, object).await?;
    let dirty = marked.unwrap_or_else(|| Dirty {
        kind: kind.to_owned(),
        object: object.to_owned(),
        marks: 0,
        source: "write".to_owned(),
        event_id: None,
        event_type: None,
        tries: 0,
    });
    match mirror::read(app, connection, client, &dirty).await {
        Ok(()) => Ok(()),
        Err(mirror::Failed::Database(error)) => Err(error.into()),
        Err(mirror::Failed::Stripe(error)) => Err(match failed(app, connection.site, error).await {
            // What cannot be read is read again.
            Fail::Fatal { message, .. } => Fail::retry(Code::StripeUnavailable.name(), message),
            fail => fail,
        }),
    }
}
