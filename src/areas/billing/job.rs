//! What whoever writes at Stripe has in common: whether it may, what Stripe's errors mean for a job, and that the mirror is
//! read before the job ends.

use std::time::Duration;

use serde_json::{Value, json};
use usher_db::Change;
use usher_jobs::{Fail, Run};
use usher_stripe::{Client, Error, Kind};

use super::{
    connection::{Connection, not_connected},
    mirror,
    store::{self, Dirty},
};
use crate::{
    app::App,
    areas::sites,
    error::{Code, Error as Refusal, Result},
    gate::Cx,
    values::SiteId,
};

/// The wait until it is looked whether the operator has mended what holds everything up.
const HELD_UP: Duration = Duration::from_secs(60);

/// The longest part of Stripe's message that is shown, in characters.
const LONGEST_MESSAGE: usize = 500;

/// What a job that waits for a better key says.
const PARKED: &str = "The site's Stripe key may not do this. It goes on by itself once the site's operator has given the \
                      key what `usher stripe check` lists, or has given another with `usher stripe connect`.";

/// Refuses while Stripe writes are off.
fn locked() -> Refusal {
    let text = "Stripe writes are switched off for this site, so nothing is sold, cancelled or changed at Stripe. Its \
                operator switches them on with `usher sites update --stripe-writes on`.";
    Refusal::new(Code::StripeWritesLocked, text)
}

/// Whether a call may start a job that writes at Stripe: the site is connected, and its owner has switched that on. A
/// parked connection takes jobs, which wait.
pub async fn may_write(cx: &mut Cx) -> Result<()> {
    let (site, is_on) = (cx.site(), cx.caller.site.settings.stripe_writes);
    if store::connection(cx.conn(), site).await?.is_none() {
        return Err(not_connected());
    }
    if is_on { Ok(()) } else { Err(locked()) }
}

/// The same, for what is only kept here where it may not.
pub async fn can_write(cx: &mut Cx) -> Result<bool> {
    match may_write(cx).await {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.code(), Code::StripeNotConnected | Code::StripeWritesLocked) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Says in a dry run which call would go out to Stripe, for what is called `id` here.
pub fn would_call(cx: &mut Cx, id: &str, call: &str, mut about: Value) {
    if cx.dry_run {
        about["call"] = json!(call);
        cx.tx().note(Change::created("stripeCall", id, about));
    }
}

/// Whom a job writes to. Where that cannot be now, it waits until the operator has mended it, however long that takes.
pub async fn to_write(app: &App, site: SiteId) -> Result<(Connection, Client), Fail> {
    let connection = store::connection(app.db.read(), site).await?;
    let connection = connection.ok_or_else(|| held_up(&not_connected()))?;
    let writes = sites::store::get(app.db.read(), site).await?.is_some_and(|site| site.settings.stripe_writes);
    if !writes {
        return Err(held_up(&locked()));
    }
    if connection.parked_at.is_some() {
        return Err(parked());
    }
    let client = connection.client(app).map_err(|error| held_up(&error))?;
    Ok((connection, client))
}

/// Whom a job reads from, which the site's switch does not forbid.
pub async fn to_read(app: &App, site: SiteId) -> Result<(Connection, Client), Fail> {
    let Some(connection) = store::connection(app.db.read(), site).await? else {
        return Err(Fail::fatal(Code::StripeNotConnected.name(), not_connected().message()));
    };
    let client = connection.client(app).map_err(|error| held_up(&error))?;
    Ok((connection, client))
}

fn held_up(error: &Refusal) -> Fail {
    Fail::after(HELD_UP, error.code().name(), error.message())
}

fn parked() -> Fail {
    Fail::after(HELD_UP, Code::StripeParked.name(), PARKED)
}

/// What a job does now that Stripe has not done what it was asked. A key that may not parks the connection.
pub async fn failed(app: &App, run: &Run, error: Error) -> Fail {
    let unavailable = Code::StripeUnavailable.name();
    let text = "Stripe does not answer as it should. Usher goes on trying.";
    match error.kind() {
        Kind::Retry { after: Some(after) } => Fail::after(spread(run, after), unavailable, text).because(error),
        Kind::Retry { after: None } | Kind::LookUpFirst | Kind::IdempotencyClash => {
            Fail::retry(unavailable, text).because(error)
        }
        Kind::Permission => match park(app, run, &error).await {
            Ok(()) => parked().because(error),
            Err(error) => error.into(),
        },
        Kind::Missing | Kind::Refused => Fail::fatal(Code::StripeRefused.name(), said(&error)),
    }
}

/// What Stripe said, for people.
pub fn said(error: &Error) -> String {
    let message = error.api().and_then(|api| api.message.as_deref()).map(str::trim).filter(|text| !text.is_empty());
    match message {
        Some(text) => format!("Stripe refused it: {}", text.chars().take(LONGEST_MESSAGE).collect::<String>()),
        None => format!("Stripe refused it: {error}."),
    }
}

/// No sooner than asked, and a little later for some jobs than for others.
fn spread(run: &Run, after: Duration) -> Duration {
    let sum = run.job_id.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    after + after.max(Duration::from_secs(1)).mul_f64(f64::from(sum % 256) / 1024.0)
}

async fn park(app: &App, run: &Run, error: &Error) -> usher_db::Result<()> {
    let site = SiteId::new(run.site);
    tracing::error!(%site, job = run.job_id, %error, "the key of a site may not do what a job is to do at Stripe");
    metrics::counter!("usher_stripe_alarms_total", "what" => "parked").increment(1);
    let mut tx = app.db.begin().await?;
    store::park(tx.conn(), site, &error.to_string(), app.clock.now()).await?;
    tx.commit().await
}

/// Reads one thing into the mirror, as what was marked is read: with a ticket, and whatever else reads it meanwhile. For a
/// job that has written at Stripe and marked it, so that who waits for its end sees what has come of it.
pub async fn read_now(
    app: &App,
    run: &Run,
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
        Err(mirror::Failed::Stripe(error)) => Err(match failed(app, run, error).await {
            // What cannot be read is read again.
            Fail::Fatal { message, .. } => Fail::retry(Code::StripeUnavailable.name(), message),
            fail => fail,
        }),
    }
}
