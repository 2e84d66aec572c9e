use clap::Subcommand;
use serde_json::{Value, json};

use super::{Failure, Office, Result, out};
use crate::{
    areas::sign_in::{
        keys::{self, Rotated, SigningKey, When},
        store,
    },
    values::Time,
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// The keys that a site's sign-ins are signed with. The first is made when it is needed.
    #[command(subcommand)]
    Keys(Keys),
}

#[derive(Subcommand)]
pub(super) enum Keys {
    /// List the keys that are published.
    List {
        /// The site: its number, name or host name; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// Make a new key. It is published at once and signs a quarter of an hour later, so that nobody meets it unprepared;
    /// the old one signs until then, and is published for an hour more.
    Rotate {
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
        /// The old keys may be in wrong hands: they are gone at once, and with them the sign-ins of the last minute.
        #[arg(long)]
        now: bool,
    },
}

pub(super) async fn run(command: Command, office: &Office, json: bool) -> Result<()> {
    let Command::Keys(command) = command;
    let now = office.clock.now();
    match command {
        Keys::List { site } => {
            let site = office.site(site.as_deref()).await?;
            let keys = store::published(office.db.read(), site.id, now).await?;
            let signs = keys.iter().find(|key| key.signs_from <= now).map(|key| key.kid.clone());
            if keys.is_empty() && !json {
                return out("There is no key yet. The first is made with the first sign-in link.");
            }
            for key in &keys {
                show(key, signs.as_deref() == Some(&key.kid), now, json)?;
            }
            Ok(())
        }
        Keys::Rotate { site, now: at_once } => {
            let site = office.site(site.as_deref()).await?;
            let app = office.app().await?;
            let mut tx = office.db.begin().await?;
            let when = if at_once { When::Now } else { When::Published };
            let key = match keys::rotate(&mut tx, &app.sealer, site.id, when, now).await? {
                Rotated::Made(key) => key,
                Rotated::Underway(key) => {
                    return Err(Failure(format!(
                        "a new key is published already, and signs from {}; --now makes another at once",
                        key.signs_from
                    )));
                }
            };
            let args = json!({ "kid": key.kid, "signsFrom": key.signs_from, "now": at_once });
            office.commit(tx, site.id, "signIn.rotateKey", args).await?;
            show(&key, key.signs_from <= now, now, json)
        }
    }
}

fn show(key: &SigningKey, signs: bool, now: Time, json: bool) -> Result<()> {
    if json {
        return out(&view(key, signs).to_string());
    }
    let state = match key.retired_at {
        _ if signs => "signs".to_owned(),
        _ if key.signs_from > now => format!("signs from {}", key.signs_from),
        Some(at) => format!("published until {at}"),
        None => "published".to_owned(),
    };
    out(&format!("{}  made {}  {state}", key.kid, key.created_at))
}

fn view(key: &SigningKey, signs: bool) -> Value {
    json!({
        "kid": key.kid, "publicKey": key.public_key, "createdAt": key.created_at, "signsFrom": key.signs_from,
        "publishedUntil": key.retired_at, "signs": signs,
    })
}
