use std::time::Duration;

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Office, Result, out};
use crate::{
    areas::keys::{Key, actions, store},
    tools::scope::Preset,
    tools::{Scope, Scopes, scope::PRESETS},
    values::{KeyId, Time},
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a key; its text is shown once.
    Create {
        /// What you call it.
        #[arg(long)]
        name: String,
        /// What it may do: scopes or presets, comma separated, such as members:read,access:grant or support.
        #[arg(long, default_value = "")]
        scopes: String,
        /// Days after which it stops working.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36500))]
        expires_days: Option<u32>,
        /// The site: its number, name or host name; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// List a site's keys.
    List {
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// Revoke a key, from the next call on.
    Revoke {
        /// The key's id.
        id: String,
    },
    /// Give a key a new secret; the one before works a while longer.
    Rotate {
        /// The key's id.
        id: String,
        /// Hours that the secret before still works.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=8760))]
        overlap_hours: u32,
    },
}

pub(super) async fn run(command: Command, office: &Office, json: bool) -> Result<()> {
    match command {
        Command::Create { name, scopes, expires_days, site } => {
            let site = office.site(site.as_deref()).await?;
            let scopes = parse(&scopes)?;
            if name.trim().is_empty() {
                return Err(Failure(
                    "a key needs a name, so that it can be told from others: --name \"Support desk\"".into(),
                ));
            }
            let day = Duration::from_secs(86_400);
            let expires_at = expires_days.map(|days| office.clock.now() + day * days);
            let mut tx = office.db.begin().await?;
            let (key, text) = actions::create(&mut tx, &office.clock, &site, &name, scopes, expires_at).await?;
            let args = json!({ "id": key.id, "name": key.name, "scopes": scopes.names(), "expiresAt": expires_at });
            office.commit(tx, site.id, "keys.create", args).await?;
            shown_once(&key.id, &text, json)
        }
        Command::List { site } => {
            let site = office.site(site.as_deref()).await?;
            for key in store::all(office.db.read(), site.id).await? {
                show(&key, office.clock.now(), json)?;
            }
            Ok(())
        }
        Command::Revoke { id } => {
            let key = find(office, &id).await?;
            let mut tx = office.db.begin().await?;
            let revoked = actions::revoke(&mut tx, key.site, &key.id, office.clock.now()).await?;
            office.commit(tx, key.site, "keys.revoke", json!({ "id": key.id })).await?;
            if json {
                return out(&json!({ "id": key.id, "revoked": true, "changed": revoked }).to_string());
            }
            out(if revoked { "Revoked." } else { "It was revoked already." })
        }
        Command::Rotate { id, overlap_hours } => {
            let key = find(office, &id).await?;
            let site = office.site(Some(&key.site.to_string())).await?;
            let overlap = Duration::from_secs(3600 * u64::from(overlap_hours));
            let mut tx = office.db.begin().await?;
            let text = actions::rotate(&mut tx, &site, &key.id, office.clock.now(), overlap).await?;
            let Some(text) = text else { return Err(Failure("the key is revoked; make a new one".into())) };
            let args = json!({ "id": key.id, "overlapHours": overlap_hours });
            office.commit(tx, key.site, "keys.rotate", args).await?;
            shown_once(&key.id, &text, json)
        }
    }
}

/// Scopes and presets by name.
fn parse(text: &str) -> Result<Scopes> {
    let mut scopes = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        match (Scope::parse(name), Preset::parse(name)) {
            (Some(scope), _) => scopes.push(scope),
            (None, Some(preset)) => scopes.extend(preset.scopes().iter()),
            (None, None) => {
                let known = Scope::ALL.iter().map(|scope| scope.name()).chain(PRESETS.iter().map(|preset| preset.name));
                let known: Vec<_> = known.collect();
                return Err(Failure(format!("{name:?} is no scope; there are {}", known.join(", "))));
            }
        }
    }
    Ok(scopes.into_iter().collect())
}

async fn find(office: &Office, id: &str) -> Result<Key> {
    let missing = || Failure(format!("there is no key {id}; `usher keys list` lists them"));
    let id = KeyId::parse(id).map_err(|_| missing())?;
    store::get(office.db.read(), crate::values::site_of_key(&id), &id).await?.ok_or_else(missing)
}

fn shown_once(id: &KeyId, text: &str, json: bool) -> Result<()> {
    if json {
        return out(&json!({ "id": id, "key": text }).to_string());
    }
    out(&format!("{id}\n\nThe key is shown only now:\n\n  {text}\n"))
}

fn show(key: &Key, now: Time, json: bool) -> Result<()> {
    let state = match () {
        () if key.revoked_at.is_some() => "revoked",
        () if key.expires_at.is_some_and(|at| at <= now) => "expired",
        () => "active",
    };
    if json {
        let line = json!({
            "id": key.id, "name": key.name, "state": state, "scopes": key.scopes.names(),
            "createdAt": key.created_at, "expiresAt": key.expires_at, "lastUsedAt": key.last_used_at,
            "revokedAt": key.revoked_at,
        });
        return out(&line.to_string());
    }
    let scopes = key.scopes.names().join(",");
    let used = key.last_used_at.map_or("never used".into(), |at| format!("last used {at}"));
    let expires = key.expires_at.map_or("never expires".into(), |at| format!("expires {at}"));
    out(&format!(
        "{}  {}  {state}  {expires}  {used}  {}",
        key.id,
        key.name,
        if scopes.is_empty() { "(no scopes)" } else { &scopes }
    ))
}
