//! A site's connection to Stripe.

use usher_db::{FromRow, Row};
use usher_stripe::{AccountId, ApiKey, Client, Settings, Url, WebhookSecret};

use super::store;
use crate::{
    app::App,
    error::{Code, Error, Result},
    values::{SiteId, Time},
};

/// How a site speaks to Stripe.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Whose.
    pub site: SiteId,
    /// The account that the key opens.
    pub account_id: String,
    /// The connected account that a platform's key acts for.
    pub acts_for: Option<String>,
    /// Another address than Stripe's, for tests.
    pub base: Option<String>,
    /// The key, sealed.
    pub key_sealed: String,
    /// The key's kind and its last letters.
    pub key_hint: String,
    /// Whether it is about real money.
    pub live: bool,
    /// The job that reads what is to be read.
    pub sync_job: Option<String>,
    /// Events were listed until then.
    pub events_until: Option<Time>,
    /// Every subscription was compared then.
    pub swept_at: Option<Time>,
    /// The key may not do what it was to do, since then.
    pub parked_at: Option<Time>,
    /// What it was not allowed to do.
    pub parked_why: Option<String>,
    /// When it was made.
    pub created_at: Time,
}

/// What [`Connection`] is read from.
macro_rules! connection_columns {
    () => {
        "site, account_id, acts_for, base, key_sealed, key_hint, live, sync_job, events_until, swept_at, parked_at,
         parked_why, created_at"
    };
}
pub(super) use connection_columns;

impl FromRow for Connection {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            site: row.take()?,
            account_id: row.take()?,
            acts_for: row.take()?,
            base: row.take()?,
            key_sealed: row.take()?,
            key_hint: row.take()?,
            live: row.take()?,
            sync_job: row.take()?,
            events_until: row.take()?,
            swept_at: row.take()?,
            parked_at: row.take()?,
            parked_why: row.take()?,
            created_at: row.take()?,
        })
    }
}

impl Connection {
    /// Makes ready to speak to the account.
    pub fn client(&self, app: &App) -> Result<Client> {
        let key = app.sealer.open(&key_purpose(self.site), &self.key_sealed).map_err(|error| {
            Error::new(
                Code::StripeUnusable,
                format!("The key of this site's Stripe account cannot be opened: {error}."),
            )
        })?;
        let key = ApiKey::parse(&key).map_err(|error| Error::new(Code::StripeUnusable, error.to_string()))?;
        client(app, key, self.base.as_deref(), self.acts_for.as_deref())
    }
}

/// A client for a key that need not be stored yet.
pub fn client(app: &App, key: ApiKey, base: Option<&str>, acts_for: Option<&str>) -> Result<Client> {
    let wrong = |text: String| Error::new(Code::StripeUnusable, text);
    let base = base
        .map(|text| Url::parse(text).map_err(|error| wrong(format!("{text:?} is no address: {error}."))))
        .transpose()?;
    let account = acts_for.map(AccountId::parse).transpose().map_err(|error| wrong(error.to_string()))?;
    let http = app.stripe.clone().ok_or_else(|| wrong("This machine's certificates cannot be read.".into()))?;
    Client::new(Settings { base, account, ..Settings::new(key) }, http).map_err(|error| wrong(format!("{error}.")))
}

/// What a site's key is sealed for.
pub fn key_purpose(site: SiteId) -> String {
    format!("stripe key of site {site}")
}

/// What a site's signing secrets are sealed for.
pub fn secret_purpose(site: SiteId) -> String {
    format!("stripe webhook secret of site {site}")
}

/// The site has no connection.
pub fn not_connected() -> Error {
    let text = "The site is not connected to a Stripe account. Its operator connects it with `usher stripe connect`.";
    Error::new(Code::StripeNotConnected, text)
}

/// A site's signing secrets, opened. One that cannot be opened keeps no other from being used.
pub async fn secrets(app: &App, site: SiteId) -> Result<Vec<WebhookSecret>> {
    let sealed = store::secrets(app.db.read(), site).await?;
    let open = |(_, sealed): &(String, String)| {
        let secret = app.sealer.open(&secret_purpose(site), sealed).map_err(|error| {
            Error::new(Code::StripeUnusable, format!("A signing secret of this site cannot be opened: {error}."))
        })?;
        WebhookSecret::parse(&secret).map_err(|error| Error::new(Code::StripeUnusable, error.to_string()))
    };
    let (opened, failed): (Vec<_>, Vec<_>) = sealed.iter().map(open).partition(Result::is_ok);
    if opened.is_empty()
        && let Some(error) = failed.into_iter().find_map(Result::err)
    {
        return Err(error);
    }
    Ok(opened.into_iter().flatten().collect())
}
