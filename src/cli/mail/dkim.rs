//! `usher mail dkim`: the key by which receivers know a site's mail.

use clap::Subcommand;
use serde_json::json;
use usher_mail::dkim::{SigningKey, quoted};

use super::{connection, save, stdin};
use crate::{
    app::App,
    areas::emails::connection::{Connection, dkim_purpose},
    cli::{Failure, Office, Result, out},
};

#[derive(Subcommand)]
pub(in crate::cli) enum Command {
    /// Sign with a key; without `--generate` its PEM is read from standard input. Shows what is to be published.
    Set {
        /// The domain that is signed for: that of the sender's address, or one above it.
        domain: String,
        /// Which of its keys: a name of your own, such as usher1. A new key gets a new one.
        selector: String,
        /// Make a new key (RSA, 2,048 bits).
        #[arg(long)]
        generate: bool,
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// Show again what is to be published.
    Show {
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// Sign no more, and forget the key.
    Remove {
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
}

pub(super) async fn run(command: Command, office: &Office, app: &App, json: bool) -> Result<()> {
    match command {
        Command::Set { domain, selector, generate, site } => {
            let site = office.site(site.as_deref()).await?;
            let mut connection = connection(app, &site).await?;
            let key = if generate {
                SigningKey::generate()
            } else {
                SigningKey::parse(&stdin("the key")?).map_err(|error| Failure(error.to_string()))?
            };
            let sealed = app.sealer.seal(&dkim_purpose(site.id), &key.pem());
            connection.dkim_domain = Some(domain.trim_end_matches('.').to_ascii_lowercase());
            connection.dkim_selector = Some(selector.to_ascii_lowercase());
            connection.dkim_key_sealed = Some(sealed);
            // It is tried before it is kept.
            connection.mailer(app, site.id)?;
            save(office, &site, &connection, "mail.setDkim").await?;
            record(&connection, &key, json)
        }
        Command::Show { site } => {
            let site = office.site(site.as_deref()).await?;
            let connection = connection(app, &site).await?;
            let sealed = connection.dkim_key_sealed.as_deref();
            let sealed = sealed.ok_or_else(|| Failure("the site's mail is not signed: usher mail dkim set".into()))?;
            let pem = app.sealer.open(&dkim_purpose(site.id), sealed).map_err(|error| Failure(error.to_string()))?;
            let key = SigningKey::parse(&pem).map_err(|error| Failure(error.to_string()))?;
            record(&connection, &key, json)
        }
        Command::Remove { site } => {
            let site = office.site(site.as_deref()).await?;
            let mut connection = connection(app, &site).await?;
            (connection.dkim_domain, connection.dkim_selector, connection.dkim_key_sealed) = (None, None, None);
            save(office, &site, &connection, "mail.removeDkim").await?;
            out("The site's mail is not signed any more.")
        }
    }
}

/// Shows what is to be published in the domain name system.
fn record(connection: &Connection, key: &SigningKey, json: bool) -> Result<()> {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let name = format!("{}._domainkey.{}", part(&connection.dkim_selector), part(&connection.dkim_domain));
    if json {
        return out(&json!({ "name": name, "type": "TXT", "value": key.record() }).to_string());
    }
    out(&format!("Publish this in the domain name system:\n{name}. TXT {}", quoted(&key.record())))
}
