use clap::Subcommand;
use serde_json::json;

use super::{Failure, Office, Result, out};
use crate::areas::{
    notices::{self, MAX_SOURCES, Provider, Source, store},
    sites::Site,
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Listen to a mail provider. docs/bounces.md goes through it step by step.
    #[command(subcommand)]
    Add(Add),
    /// List whom a site listens to, and when each was heard of last.
    List {
        /// The site: its number, name or host name; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// Listen no more. What is on the block list stays there.
    Remove {
        /// The provider.
        provider: Name,
        /// Which: a topic's ARN, or the last letters, as `list` shows them.
        id: String,
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
}

#[derive(Subcommand)]
pub(super) enum Add {
    /// Listen to Amazon SES by a topic of Amazon SNS, and confirm its subscription when it comes.
    Ses {
        /// The topic: arn:aws:sns:<region>:<account>:<name>.
        topic: String,
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
        /// Another address than AWS's, for tests.
        #[arg(long, hide = true)]
        base: Option<String>,
    },
    /// Listen to Postmark. A password is made and shown once, in the address to give to Postmark.
    Postmark {
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// Listen to SendGrid's signed event webhook.
    Sendgrid {
        /// The verification key that SendGrid shows: base64. It is public.
        key: String,
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Name {
    Ses,
    Postmark,
    Sendgrid,
}

impl From<Name> for Provider {
    fn from(name: Name) -> Self {
        match name {
            Name::Ses => Self::Ses,
            Name::Postmark => Self::Postmark,
            Name::Sendgrid => Self::SendGrid,
        }
    }
}

pub(super) async fn run(command: Command, office: &Office, json: bool) -> Result<()> {
    match command {
        Command::Add(Add::Ses { topic, site, base }) => {
            let site = office.site(site.as_deref()).await?;
            let source = notices::topic(&topic).ok_or_else(|| {
                Failure(format!("{topic:?} is no topic; one is like arn:aws:sns:eu-west-1:123456789012:bounces"))
            })?;
            let next = format!("Subscribe {} to it by HTTPS; Usher confirms that by itself.", address(&site, None));
            add(office, &site, &Source { base, ..source }, &address(&site, None), &next, json).await
        }
        Command::Add(Add::Postmark { site }) => {
            let site = office.site(site.as_deref()).await?;
            let made = notices::password();
            let address = address(&site, Some(&made.secret));
            let next = format!("Add this webhook at Postmark; its password is not shown again:\n  {address}");
            add(office, &site, &made.source, &address, &next, json).await
        }
        Command::Add(Add::Sendgrid { key, site }) => {
            let site = office.site(site.as_deref()).await?;
            let source = notices::key(&key).ok_or_else(|| {
                Failure("that is no verification key; SendGrid shows it beside the Signed Event Webhook, base64".into())
            })?;
            let next = format!("SendGrid's Event Webhook posts to {}.", address(&site, None));
            add(office, &site, &source, &address(&site, None), &next, json).await
        }
        Command::List { site } => list(office, &office.site(site.as_deref()).await?, json).await,
        Command::Remove { provider, id, site } => {
            let site = office.site(site.as_deref()).await?;
            let (provider, id) = (Provider::from(provider), id.trim_start_matches('…'));
            let mut tx = office.db.begin().await?;
            if store::delete(tx.conn(), site.id, provider, id).await? == 0 {
                let text = format!("the site does not listen to {} by {id}; see usher notices list", provider.name());
                return Err(Failure(text));
            }
            let args = json!({ "provider": provider.code(), "id": id });
            office.commit(tx, site.id, "notices.remove", args.clone()).await?;
            if json {
                out(&args.to_string())
            } else {
                out(&format!("The site listens to {} by {id} no more.", provider.name()))
            }
        }
    }
}

async fn add(office: &Office, site: &Site, source: &Source, url: &str, next: &str, json: bool) -> Result<()> {
    let known = store::sources(office.db.read(), site.id).await?;
    let mut same = known.iter().filter(|known| known.provider == source.provider);
    if same.clone().count() >= MAX_SOURCES && same.all(|known| known.id != source.id) {
        return Err(Failure(format!(
            "the site listens to {MAX_SOURCES} of {} already; remove one first: usher notices list",
            source.provider.name()
        )));
    }
    let mut tx = office.db.begin().await?;
    store::insert(tx.conn(), site.id, source, office.clock.now()).await?;
    let args = json!({ "provider": source.provider.code(), "id": source.id, "base": source.base });
    office.commit(tx, site.id, "notices.add", args).await?;
    if json {
        return out(&json!({ "provider": source.provider.code(), "id": source.id, "url": url }).to_string());
    }
    out(&format!("{} listens to {} ({}). Next:\n  {next}", site.name, source.provider.name(), source.id))
}

async fn list(office: &Office, site: &Site, json: bool) -> Result<()> {
    let sources = store::sources(office.db.read(), site.id).await?;
    if sources.is_empty() && !json {
        return out(&format!("{} listens to no mail provider; see usher notices add.", site.name));
    }
    for source in sources {
        let Source { provider, id, heard_at, .. } = source;
        if json {
            out(&json!({ "provider": provider.code(), "id": id, "heardAt": heard_at.map(|at| at.to_string()) })
                .to_string())?;
        } else {
            let heard = heard_at.map_or_else(|| "not heard of yet".to_owned(), |at| format!("heard of at {at}"));
            out(&format!("{}  {id}  {heard}", provider.code()))?;
        }
    }
    Ok(())
}

/// Where notices are sent, with a password if they need one.
fn address(site: &Site, password: Option<&str>) -> String {
    let url = site.url().unwrap_or_else(|| "https://<your host>".into());
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", &url));
    let user = password.map(|password| format!("usher:{password}@")).unwrap_or_default();
    format!("{scheme}://{user}{rest}/webhooks/mail/{}", site.id)
}
