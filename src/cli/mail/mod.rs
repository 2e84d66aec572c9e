//! `usher mail`: how a site sends mail.

mod dkim;

use std::{io::Read as _, path::PathBuf, time::SystemTime};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use usher_mail::{Letter, Mailbox, compose};

use super::{Failure, Office, Result, out, sites::Switch};
use crate::{
    app::App,
    areas::{
        emails::{
            connection::{Connection, Way, address, not_connected, password_purpose},
            store,
        },
        sites::Site,
    },
    values::{Email, Time, kind},
};

/// The longest password or key that is read.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Say how a site sends mail. The server is asked before anything is kept. With `--username` the password is read from
    /// standard input, so that no list of processes and no shell's history has it.
    Connect(Connect),
    /// Show how a site sends mail, without its secrets.
    Show {
        /// The site: its number, name or host name; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// Send a mail that says that mail works, now and without a job.
    Test {
        /// To whom.
        to: String,
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// Forget how a site sends mail, its password and its key. What waits stays, and goes out once the site is connected
    /// again, for as long as it may wait.
    Disconnect {
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// The signature by which receivers know that mail is the site's (DKIM).
    #[command(subcommand)]
    Dkim(dkim::Command),
}

#[derive(Args)]
pub(super) struct Connect {
    /// The site: its number, name or host name; not needed if there is only one.
    #[arg(long)]
    site: Option<String>,
    /// The mail server, such as smtp.example.com.
    #[arg(long, required_unless_present = "folder", conflicts_with = "folder")]
    host: Option<String>,
    /// Its port; 587, 465 or 25 by what `--security` says.
    #[arg(long)]
    port: Option<u16>,
    /// How the connection is kept secret.
    #[arg(long, value_enum, default_value_t = Secrecy::Starttls)]
    security: Secrecy,
    /// Who signs in there. The password is read from standard input.
    #[arg(long, conflicts_with = "folder")]
    username: Option<String>,
    /// A file of certificates (PEM) that are believed beside the machine's.
    #[arg(long, conflicts_with = "folder")]
    extra_roots: Option<PathBuf>,
    /// Instead of a server, for development: a folder into which each mail is written as an .eml file.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// From which address.
    #[arg(long)]
    from: String,
    /// In whose name; the site's unless said.
    #[arg(long)]
    from_name: Option<String>,
    /// Where answers go, if not to `--from`.
    #[arg(long)]
    reply_to: Option<String>,
}

/// How a connection is kept secret.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Secrecy {
    /// It begins in the open and becomes secret before anything is said.
    Starttls,
    /// It is secret from its beginning.
    Tls,
    /// Not at all: only to this very machine.
    Plain,
}

impl Secrecy {
    fn word_and_port(self) -> (&'static str, u16) {
        match self {
            Self::Starttls => ("starttls", 587),
            Self::Tls => ("tls", 465),
            Self::Plain => ("plain", 25),
        }
    }
}

pub(super) async fn run(command: Command, office: &Office, json: bool) -> Result<()> {
    let app = office.app().await?;
    match command {
        Command::Connect(connect) => {
            let site = office.site(connect.site.as_deref()).await?;
            self::connect(office, &app, &site, connect, json).await
        }
        Command::Show { site } => {
            let site = office.site(site.as_deref()).await?;
            show(&site, &connection(&app, &site).await?, json)
        }
        Command::Test { to, site } => {
            let site = office.site(site.as_deref()).await?;
            test(office, &app, &site, &to, json).await
        }
        Command::Disconnect { site } => {
            let site = office.site(site.as_deref()).await?;
            let mut tx = office.db.begin().await?;
            if store::disconnect(tx.conn(), site.id).await? == 0 {
                return Err(Failure(not_connected().to_string()));
            }
            office.commit(tx, site.id, "mail.disconnect", json!({})).await?;
            out("Usher has forgotten how the site sends mail.")
        }
        Command::Dkim(command) => dkim::run(command, office, &app, json).await,
    }
}

async fn connection(app: &App, site: &Site) -> Result<Connection> {
    let found = store::connection(app.db.read(), site.id).await?;
    found.ok_or_else(|| Failure(not_connected().to_string()))
}

async fn connect(office: &Office, app: &App, site: &Site, connect: Connect, json: bool) -> Result<()> {
    let now = office.clock.now();
    let before = store::connection(app.db.read(), site.id).await?;
    let new = new_connection(app, site, &connect, before.as_ref(), now)?;
    let mailer = new.mailer(app, site.id)?;
    let server = mailer.transport.check().await.map_err(|failure| {
        Failure(format!(
            "the mail server cannot be used, so nothing was changed: {}{}",
            failure.reply,
            hint(&failure.reply, &connect)
        ))
    })?;
    let mut tx = office.db.begin().await?;
    store::connect(tx.conn(), site.id, &new, now).await?;
    office.commit(tx, site.id, "mail.connect", view(&new)).await?;
    if json {
        return out(&view(&new).to_string());
    }
    let members = if site.settings.email_members { "" } else { "\n  usher sites update --email-members on" };
    let url = if site.url().is_some() { "" } else { "\n  usher sites update --public-url https://…" };
    let dkim = if new.dkim_domain.is_some() { "" } else { "\n  usher mail dkim set --generate DOMAIN SELECTOR" };
    out(&format!(
        "{} sends mail through {server}, as {} <{}>. Next:\n  usher mail test YOU@EXAMPLE.COM{url}{members}{dkim}",
        site.name, new.from_name, new.from_address
    ))
}

/// What to try where a server does not do as it is asked.
fn hint(reply: &str, connect: &Connect) -> &'static str {
    match () {
        () if reply.contains("STARTTLS is not supported") => ". Try --security tls (port 465).",
        () if reply.contains("No compatible authentication") && connect.username.is_some() => {
            ". It takes no password here: leave --username out, or use a port and a --security by which it does."
        }
        () if reply.contains("lookup address") => ". Is the name of --host right?",
        () if reply.contains("refused (os error") => ". Nothing listens at that --host and --port.",
        () => "",
    }
}

fn new_connection(
    app: &App,
    site: &Site,
    connect: &Connect,
    before: Option<&Connection>,
    now: Time,
) -> Result<Connection> {
    let email = |text: &str| Email::parse(text).map_err(|error| Failure(format!("{text:?}: {error}")));
    let from = email(&connect.from)?;
    let reply_to = connect.reply_to.as_deref().map(email).transpose()?;
    let from_name = connect.from_name.clone().unwrap_or_else(|| site.name.clone());
    if from_name.contains(char::is_control) {
        return Err(Failure("the sender's name is one line without control characters".into()));
    }
    // A key is kept whatever the server, as receivers know the domain by it.
    let dkim = |of: fn(&Connection) -> &Option<String>| before.and_then(|before| of(before).clone());
    let (word, port) = connect.security.word_and_port();
    let by_server = connect.folder.is_none();
    let folder = connect.folder.as_deref().map(std::path::absolute).transpose();
    let folder = folder.map_err(|error| Failure(format!("the folder: {error}")))?;
    let password = match &connect.username {
        Some(_) => {
            Some(app.sealer.seal(&password_purpose(site.id), stdin("the password")?.trim_end_matches(['\r', '\n'])))
        }
        None => None,
    };
    let roots = connect.extra_roots.as_deref().map(std::fs::read_to_string).transpose();
    Ok(Connection {
        transport: if by_server { Way::Smtp } else { Way::Folder },
        host: connect.host.clone(),
        port: by_server.then(|| connect.port.unwrap_or(port).into()),
        security: by_server.then(|| word.into()),
        username: connect.username.clone(),
        password_sealed: password,
        extra_roots: roots.map_err(|error| Failure(format!("the certificates: {error}")))?,
        folder: folder.map(|folder| folder.display().to_string()),
        from_name,
        from_address: from.as_str().to_owned(),
        reply_to: reply_to.map(|email| email.as_str().to_owned()),
        dkim_domain: dkim(|before| &before.dkim_domain),
        dkim_selector: dkim(|before| &before.dkim_selector),
        dkim_key_sealed: dkim(|before| &before.dkim_key_sealed),
        revision: 1,
        created_at: now,
        updated_at: now,
    })
}

async fn test(office: &Office, app: &App, site: &Site, to: &str, json: bool) -> Result<()> {
    let to = Email::parse(to).map_err(|error| Failure(format!("{to:?}: {error}")))?;
    let mailer = connection(app, site).await?.mailer(app, site.id)?;
    let id = office.clock.id::<kind::Email>();
    let text = format!(
        "Mail works: {} sent this by `usher mail test`.\n\nIt went out without a job and is in no list of mails.\n",
        site.name
    );
    let letter = Letter {
        id: &format!("{id}@{}", mailer.from.email.domain()),
        date: SystemTime::UNIX_EPOCH + std::time::Duration::from_micros(office.clock.now().micros().unsigned_abs()),
        from: mailer.from.clone(),
        reply_to: mailer.reply_to.clone(),
        to: Mailbox::new(None, address(&to)?),
        subject: "Mail works",
        text: &text,
        html: None,
        unsubscribe: None,
        is_automatic: true,
    };
    let message = compose(&letter, mailer.dkim.as_ref()).map_err(|error| Failure(error.to_string()))?;
    let said = async { mailer.transport.offer(&message).await?.hand_over().await };
    let reply = said.await.map_err(|failure| Failure(format!("it was not taken: {}", failure.reply)))?;
    let tx = office.db.begin().await?;
    office.commit(tx, site.id, "mail.test", json!({ "reply": reply })).await?;
    if json { out(&json!({ "reply": reply }).to_string()) } else { out(&format!("It was taken: {reply}")) }
}

async fn save(office: &Office, site: &Site, connection: &Connection, what: &str) -> Result<()> {
    let mut tx = office.db.begin().await?;
    store::connect(tx.conn(), site.id, connection, office.clock.now()).await?;
    office.commit(tx, site.id, what, view(connection)).await
}

fn show(site: &Site, connection: &Connection, json: bool) -> Result<()> {
    if json {
        return out(&view(connection).to_string());
    }
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let way = match connection.transport {
        Way::Folder => format!("into the folder {}", part(&connection.folder)),
        Way::Smtp => {
            let port = connection.port.unwrap_or_default();
            let user = connection.username.as_ref().map_or(String::new(), |user| format!(", signed in as {user}"));
            format!("through {}:{port} ({}){user}", part(&connection.host), part(&connection.security))
        }
    };
    out(&format!("{} sends mail {way}, as {} <{}>.", site.name, connection.from_name, connection.from_address))?;
    let signed = match (&connection.dkim_domain, &connection.dkim_selector) {
        (Some(domain), Some(selector)) => format!("signed for {domain} ({selector})"),
        _ => "not signed".into(),
    };
    let members = Switch::of(site.settings.email_members);
    out(&format!("  {signed}    answers to: {}    Email members: {members}", part(&connection.reply_to)))
}

/// A connection without its secrets.
fn view(connection: &Connection) -> Value {
    json!({
        "transport": connection.transport.as_str(), "host": connection.host, "port": connection.port,
        "security": connection.security, "username": connection.username, "folder": connection.folder,
        "fromName": connection.from_name, "fromAddress": connection.from_address, "replyTo": connection.reply_to,
        "dkimDomain": connection.dkim_domain, "dkimSelector": connection.dkim_selector,
    })
}

fn stdin(what: &str) -> Result<String> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(MAX_SECRET_BYTES);
    input.read_to_string(&mut text).map_err(|error| Failure(format!("{what} could not be read: {error}")))?;
    if text.trim().is_empty() {
        return Err(Failure(format!("nothing came on standard input, where {what} is read from")));
    }
    Ok(text)
}
