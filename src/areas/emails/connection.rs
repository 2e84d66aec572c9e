//! How a site sends mail: a server, or a folder of files for development, and in whose name.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use usher_db::{Cell, Column, FromRow, Row, Value};
use usher_mail::{Address, Dkim, Mailbox, Security, Server, Transport, dkim::SigningKey};
use zeroize::Zeroizing;

use super::store;
use crate::{
    app::App,
    error::{Code, Error, Result},
    seal::Sealer,
    values::{Email, SiteId, Time},
};

/// Where mail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To a server.
    Smtp,
    /// Into a folder.
    Folder,
}

impl Way {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Folder => "folder",
        }
    }
}

impl Column for Way {
    fn read(cell: Cell<'_>) -> usher_db::Result<Self> {
        match &*String::read(cell)? {
            "smtp" => Ok(Self::Smtp),
            "folder" => Ok(Self::Folder),
            other => Err(usher_db::Error::Decode(format!("mail goes by {other:?}").into())),
        }
    }
}

impl From<Way> for Value {
    fn from(way: Way) -> Self {
        way.as_str().into()
    }
}

/// How a site sends mail. Secrets are sealed.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Where it goes.
    pub transport: Way,
    /// The server.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u32>,
    /// `starttls`, `tls` or `plain`.
    pub security: Option<String>,
    /// Who signs in there.
    pub username: Option<String>,
    /// With what.
    pub password_sealed: Option<String>,
    /// Certificates that are believed beside the machine's.
    pub extra_roots: Option<String>,
    /// The folder.
    pub folder: Option<String>,
    /// In whose name.
    pub from_name: String,
    /// From which address.
    pub from_address: String,
    /// Where answers go, if not there.
    pub reply_to: Option<String>,
    /// The domain that is signed for.
    pub dkim_domain: Option<String>,
    /// Which of its keys.
    pub dkim_selector: Option<String>,
    /// The key.
    pub dkim_key_sealed: Option<String>,
    /// Grows with each change.
    pub revision: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it was changed last.
    pub updated_at: Time,
}

/// What [`Connection`] is read from.
macro_rules! connection_columns {
    () => {
        "transport, host, port, security, username, password_sealed, extra_roots, folder, from_name, from_address, reply_to,
         dkim_domain, dkim_selector, dkim_key_sealed, revision, created_at, updated_at"
    };
}
pub(super) use connection_columns;

impl FromRow for Connection {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            transport: row.take()?,
            host: row.take()?,
            port: row.take()?,
            security: row.take()?,
            username: row.take()?,
            password_sealed: row.take()?,
            extra_roots: row.take()?,
            folder: row.take()?,
            from_name: row.take()?,
            from_address: row.take()?,
            reply_to: row.take()?,
            dkim_domain: row.take()?,
            dkim_selector: row.take()?,
            dkim_key_sealed: row.take()?,
            revision: row.take()?,
            created_at: row.take()?,
            updated_at: row.take()?,
        })
    }
}

/// A site's connection, ready to be used.
pub struct Mailer {
    /// Where mail goes.
    pub transport: Transport,
    /// In whose name.
    pub from: Mailbox,
    /// Where answers go, if not there.
    pub reply_to: Option<Mailbox>,
    /// What it is signed with.
    pub dkim: Option<Dkim>,
}

impl Connection {
    /// Opens the secrets and makes ready. Nothing is connected yet.
    pub fn mailer(&self, app: &App, site: SiteId) -> Result<Mailer> {
        let transport = match self.transport {
            Way::Folder => Transport::folder(PathBuf::from(self.folder.as_deref().unwrap_or_default())),
            Way::Smtp => Transport::server(self.server(app, site)?).map_err(|error| unusable(error.to_string()))?,
        };
        let dkim = match (&self.dkim_domain, &self.dkim_selector, &self.dkim_key_sealed) {
            (Some(domain), Some(selector), Some(sealed)) => {
                let pem = open(&app.sealer, &dkim_purpose(site), sealed, "The key of the site's signatures")?;
                let key = SigningKey::parse(&pem).and_then(|key| Dkim::new(domain, selector, &key));
                Some(key.map_err(|error| unusable(format!("The key of the site's signatures: {error}.")))?)
            }
            _ => None,
        };
        let reply_to = self.reply_to.as_deref().map(|text| mailbox(None, text)).transpose()?;
        Ok(Mailer { transport, from: mailbox(Some(&self.from_name), &self.from_address)?, reply_to, dkim })
    }

    fn server(&self, app: &App, site: SiteId) -> Result<Server> {
        let login = match (&self.username, &self.password_sealed) {
            (Some(user), Some(sealed)) => {
                let password = open(&app.sealer, &password_purpose(site), sealed, "The password of the mail server")?;
                Some((user.clone(), password))
            }
            _ => None,
        };
        Ok(Server {
            host: self.host.clone().unwrap_or_default(),
            port: self.port.and_then(|port| u16::try_from(port).ok()).unwrap_or_default(),
            security: security(self.security.as_deref().unwrap_or_default())
                .ok_or_else(|| unusable("The security of the mail server is none that is known.".into()))?,
            login,
            extra_roots: self.extra_roots.clone(),
        })
    }
}

/// Reads how a connection is kept secret.
pub fn security(word: &str) -> Option<Security> {
    match word {
        "starttls" => Some(Security::StartTls),
        "tls" => Some(Security::Tls),
        "plain" => Some(Security::Plain),
        _ => None,
    }
}

/// An address as it stands in a message: the domain in ASCII, what stands before it as it was typed.
pub fn address(email: &Email) -> Result<Address> {
    let (local, domain) = email.parts();
    Address::new(&*local, domain).map_err(|error| unusable(format!("No mail can be sent to this address: {error}.")))
}

fn mailbox(name: Option<&str>, text: &str) -> Result<Mailbox> {
    let email = Email::parse(text).map_err(|error| unusable(format!("{text:?}: {error}.")))?;
    Ok(Mailbox::new(name.map(str::to_owned), address(&email)?))
}

fn open(sealer: &Sealer, purpose: &str, sealed: &str, what: &str) -> Result<Zeroizing<String>> {
    sealer.open(purpose, sealed).map_err(|error| unusable(format!("{what} cannot be opened: {error}.")))
}

/// What the password of a site's mail server is sealed for.
pub fn password_purpose(site: SiteId) -> String {
    format!("mail password of site {site}")
}

/// What the key of a site's signatures is sealed for.
pub fn dkim_purpose(site: SiteId) -> String {
    format!("dkim key of site {site}")
}

fn unusable(text: String) -> Error {
    Error::new(Code::MailUnusable, text)
}

/// The site has no connection.
pub fn not_connected() -> Error {
    let text = "The site has no mail server. Its operator connects one with `usher mail connect`.";
    Error::new(Code::MailNotConnected, text)
}

/// The mailers of the sites that have sent mail, with their open connections.
#[derive(Default)]
pub struct Mailers(Mutex<HashMap<SiteId, (i64, Arc<Mailer>)>>);

impl Mailers {
    /// A site's mailer, as it is now configured.
    pub async fn get(&self, app: &App, site: SiteId) -> Result<Arc<Mailer>> {
        let connection = store::connection(app.db.read(), site).await?.ok_or_else(not_connected)?;
        // Connected anew after it was disconnected, it begins at 1 again; the time tells them apart.
        let version = connection.created_at.micros().wrapping_add(connection.revision);
        if let Some((known, mailer)) = self.0.lock().get(&site)
            && *known == version
        {
            return Ok(mailer.clone());
        }
        let mailer = Arc::new(connection.mailer(app, site)?);
        self.0.lock().insert(site, (version, mailer.clone()));
        Ok(mailer)
    }
}
