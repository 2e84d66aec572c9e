//! What is done with a notice.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use usher_db::Tx;

use super::{
    Provider, Source,
    heard::{Heard, Stop, is_recent},
    postmark, sendgrid, ses,
    sns::{self, Envelope},
    store,
};
use crate::{
    app::App,
    areas::{
        activity::{self, Actor, Record, Surface},
        blocklist::{self, Reason, Word},
        members::{self, former},
    },
    error::{Code, Error, Result},
    values::{Email, SiteId, Time},
};

/// The largest body that is read. SNS has at most 256 KiB, a batch of SendGrid's 768.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How old a signed notice may be, in seconds: SendGrid tries for a day, SNS for an hour. A notice that is heard twice
/// does nothing, so this only keeps an old one from blocking an address again that somebody has taken off the list.
const MAX_AGE_S: i64 = 25 * 3600;

/// How long a source that was heard of is not noted again, in microseconds.
const NOTED_US: i64 = 60_000_000;

/// Rows of the log that one statement writes: a database takes only so many values at once.
const ROWS: usize = 500;

/// A request, as far as it matters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delivery<'a> {
    /// `Authorization`.
    pub authorization: Option<&'a str>,
    /// `X-Amz-Sns-Rawdelivery`.
    pub raw: Option<&'a str>,
    /// `X-Twilio-Email-Event-Webhook-Signature`.
    pub signature: Option<&'a str>,
    /// `X-Twilio-Email-Event-Webhook-Timestamp`.
    pub timestamp: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Whose it was.
    pub provider: Provider,
    /// Addresses that were added, or whose reason became a stronger one.
    pub n_blocked: usize,
    /// Addresses that were blocked already.
    pub n_already: usize,
    /// What leads to nothing.
    pub n_ignored: usize,
    /// What has no address that can be read.
    pub n_unreadable: usize,
}

/// Checks a notice and does what it says.
pub async fn receive(app: &App, site: SiteId, delivery: Delivery<'_>) -> Result<Received> {
    let provider = provider_of(&delivery)?;
    let all = store::sources(app.db.read(), site).await?;
    let sources: Vec<_> = all.iter().filter(|source| source.provider == provider).collect();
    if sources.is_empty() {
        return Err(not_connected(provider));
    }
    let now = app.clock.now();
    let heard = match provider {
        Provider::Ses => match told(app, site, delivery.body, &sources, now).await? {
            Some(message) => ses::read(&message),
            None => Heard::ignored(),
        },
        Provider::Postmark => {
            if !postmark::is_known(delivery.authorization, &sources) {
                return Err(refused("It has no password of this site's: see usher notices list."));
            }
            postmark::read(&parsed(delivery.body)?)
        }
        Provider::SendGrid => {
            let signature = delivery
                .signature
                .ok_or_else(|| refused("It is not signed. Switch on the Signed Event Webhook at SendGrid."))?;
            sendgrid::verify(signature, delivery.timestamp, delivery.body, &sources, now, MAX_AGE_S)
                .map_err(|error| refused(error.to_string()))?;
            sendgrid::read(&parsed(delivery.body)?)
        }
    };
    apply(app, site, provider, &sources, heard, now).await
}

/// Whose notice it is: by a header that only one of them has, else by the shape.
fn provider_of(delivery: &Delivery<'_>) -> Result<Provider> {
    if delivery.signature.is_some() {
        return Ok(Provider::SendGrid);
    }
    if delivery.raw.is_some_and(|raw| raw.eq_ignore_ascii_case("true")) {
        return Err(refused(
            "Raw messages are not signed. Switch off raw message delivery for the subscription at SNS.",
        ));
    }
    let body = parsed(delivery.body)?;
    if body["TopicArn"].is_string() && body["Type"].is_string() {
        Ok(Provider::Ses)
    } else if body["RecordType"].is_string() {
        Ok(Provider::Postmark)
    } else if body[0]["event"].is_string() {
        Ok(Provider::SendGrid)
    } else {
        Err(refused("It is not a notice of Amazon SES, Postmark or SendGrid."))
    }
}

/// What SNS tells: a notification; `None` for what is about the subscription itself.
async fn told(app: &App, site: SiteId, body: &[u8], sources: &[&Source], now: Time) -> Result<Option<String>> {
    let envelope: Envelope =
        serde_json::from_slice(body).map_err(|error| refused("It is not a whole message of SNS.").caused_by(error))?;
    let source = sources.iter().find(|source| source.id == envelope.topic_arn);
    let source = source.ok_or_else(|| refused("Its topic is none of this site's: see usher notices list."))?;
    let at = Time::parse(&envelope.timestamp).map_err(|_| refused("Its Timestamp is no time."))?;
    if !is_recent(at.micros(), now, MAX_AGE_S) {
        return Err(refused("It was signed too long ago, or the clocks do not agree."));
    }
    let url = sns::certificate_url(&envelope.signing_cert_url);
    let url = url.ok_or_else(|| refused("Its SigningCertURL is not an address of Amazon SNS."))?;
    let aws = app.aws.as_ref().ok_or_else(|| Error::unavailable("This machine's certificates cannot be read."))?;
    let certificate = aws.certificate(&url, source.base.as_deref(), now).await?;
    if !envelope.is_signed_by(&certificate) {
        return Err(refused("Its signature is wrong."));
    }
    match envelope.r#type.as_str() {
        "Notification" => Ok(Some(envelope.message)),
        "SubscriptionConfirmation" => {
            let url = envelope.subscribe_url.as_deref().and_then(|url| sns::confirmation_url(url, &source.id));
            let url = url.ok_or_else(|| refused("Its SubscribeURL does not confirm a subscription to its topic."))?;
            aws.confirm(&url, source.base.as_deref(), now).await?;
            let args = json!({ "provider": Provider::Ses.code(), "topic": source.id });
            app.log.write(record(app, site, "mail.subscribed", args, now)).await?;
            tracing::info!(%site, topic = source.id, "a subscription to bounces and complaints was confirmed");
            Ok(None)
        }
        kind => {
            tracing::warn!(%site, topic = source.id, kind, "a subscription to bounces and complaints may have ended");
            Ok(None)
        }
    }
}

/// Writes to the block list, in one transaction with a row of the log for each address that changed.
async fn apply(
    app: &App,
    site: SiteId,
    provider: Provider,
    sources: &[&Source],
    heard: Heard,
    now: Time,
) -> Result<Received> {
    let emails: Vec<_> = heard.stops.iter().map(|stop| Email::parse(&stop.email).ok()).collect();
    let mut said: Vec<_> =
        heard.stops.iter().zip(&emails).filter_map(|(stop, email)| Some((stop, email.as_ref()?))).collect();
    let mut received = Received {
        provider,
        n_blocked: 0,
        n_already: 0,
        n_ignored: heard.n_ignored as usize,
        n_unreadable: heard.stops.len() - said.len(),
    };
    let since = Time::from_micros(now.micros() - NOTED_US);
    if said.is_empty() && sources.iter().all(|source| source.heard_at.is_some_and(|at| at >= since)) {
        return Ok(received);
    }
    let mut tx = app.db.begin().await?;
    let moved = moved(&mut tx, site, &said).await?;
    received.n_already = said.len();
    said.extend(moved.iter().map(|(stop, email)| (*stop, email)));
    let words: Vec<_> = said.iter().map(|(stop, email)| word(provider, stop, email)).collect();
    let became = blocklist::block(&mut tx, &app.clock, site, &words).await?;
    let changed: BTreeMap<_, _> =
        became.iter().filter_map(|(key, became)| Some((key.as_str(), became.change()?))).collect();
    received.n_blocked = changed.len();
    received.n_already = received.n_already.saturating_sub(changed.len());
    let keys = changed.keys().map(|key| (*key).to_owned()).collect();
    let members: HashMap<_, _> =
        members::store::of_keys(tx.conn(), site, keys).await?.into_iter().map(|(id, key)| (key, id)).collect();
    let mut records = BTreeMap::new();
    for (stop, email) in &said {
        let Some(change) = changed.get(email.key()) else { continue };
        // Of an address that is said twice, the word that counted.
        if change.after.as_ref().is_some_and(|after| after["vendorCode"] == json!(stop.code)) {
            let args = json!({ "provider": provider.code(), "code": stop.code, "mail": stop.mail });
            let mut record = record(app, site, "mail.notice", args, now);
            record.member = members.get(email.key()).cloned();
            record.changes = Record::changes_of(std::slice::from_ref(*change));
            records.entry(email.key()).or_insert(record);
        }
    }
    for some in records.into_values().collect::<Vec<_>>().chunks(ROWS) {
        activity::store::insert(tx.conn(), some.iter().map(|record| (record, 1))).await?;
    }
    store::heard(tx.conn(), site, provider, since, now).await?;
    tx.commit().await?;
    Ok(received)
}

/// What is said of persons at addresses that they have left, of their present ones.
async fn moved<'a>(tx: &mut Tx, site: SiteId, said: &[(&'a Stop, &Email)]) -> Result<Vec<(&'a Stop, Email)>> {
    let of_persons: Vec<_> =
        said.iter().filter(|(stop, _)| matches!(stop.reason, Reason::Unsubscribe | Reason::Complaint)).collect();
    let keys = of_persons.iter().map(|(_, email)| email.key().to_owned()).collect();
    // Whoever left an address last comes last.
    let left: BTreeMap<_, _> = members::store::last_at(tx.conn(), site, keys).await?.into_iter().collect();
    let mut moved = Vec::new();
    // Always in this order, so that two notices cannot wait for each other.
    let mut left: Vec<_> = left.into_iter().collect();
    left.sort_unstable_by(|(_, a), (_, b)| a.as_str().cmp(b.as_str()));
    for (key, id) in left {
        let Some(member) = former::hold_present(tx, site, &id).await? else { continue };
        let stops = of_persons.iter().filter(|(_, email)| email.key() == key);
        moved.extend(stops.map(|(stop, _)| (*stop, Email::stored(&member.email))));
    }
    Ok(moved)
}

fn word<'a>(provider: Provider, stop: &'a Stop, email: &'a Email) -> Word<'a> {
    Word {
        email,
        reason: stop.reason,
        source: provider.name(),
        note: stop.note.as_deref(),
        vendor_code: Some(&stop.code),
        first_seen: None,
    }
}

fn parsed(body: &[u8]) -> Result<Value> {
    serde_json::from_slice(body).map_err(|error| Error::new(Code::InvalidJson, "A notice is JSON.").caused_by(error))
}

fn refused(text: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::WebhookRefused, text)
}

fn not_connected(provider: Provider) -> Error {
    let text = format!(
        "The site does not listen to {}. Its operator sets that up with `usher notices add {}`.",
        provider.name(),
        provider.code()
    );
    Error::new(Code::NoticesNotConnected, text)
}

fn record(app: &App, site: SiteId, what: &str, args: Value, now: Time) -> Record {
    Record {
        args: Some(args.to_string()),
        ..Record::done(site, app.clock.id(), now, (Actor::Mail, Surface::Http), what)
    }
}
