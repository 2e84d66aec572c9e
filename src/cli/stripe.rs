use std::io::Read as _;

use clap::Subcommand;
use serde_json::json;
use usher_jobs::State;
use usher_stripe::{ApiKey, Mode, WebhookSecret};

use super::{Failure, Office, Result, out};
use crate::{
    app::App,
    areas::{
        billing::{
            self, EVENTS, check,
            connection::{client, key_purpose, secret_purpose},
            store::{self, NewConnection},
        },
        plans,
        sites::Site,
    },
};

/// The longest key that is read.
const MAX_KEY_BYTES: u64 = 4096;

/// How often a sweep that runs is looked at.
const SWEEP_LOOK: std::time::Duration = std::time::Duration::from_secs(2);

/// Signing secrets that a site has at most: two while one is rolled.
const MAX_SECRETS: usize = 2;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Connect a site to its Stripe account. The key is read from standard input, so that no list of processes and no
    /// shell's history has it: a restricted key (rk_…) with the permissions that `usher stripe check` lists.
    Connect {
        /// The site: its number, name or host name; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
        /// The connected account (acct_…) that a platform's key acts for.
        #[arg(long)]
        acts_for: Option<String>,
        /// Another address than Stripe's, for tests.
        #[arg(long)]
        base: Option<String>,
    },
    /// Say what the key of a site may and may not do. Changes nothing at Stripe.
    Check {
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// Compare every subscription of a site with Stripe's now, which is done each night by itself, and say what was found.
    /// A worker does it: `usher serve`, or `usher work`.
    Sweep {
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// Forget a site's key and signing secrets. Nothing changes at Stripe; what is known of subscriptions stays.
    Disconnect {
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// The signing secrets of webhook endpoints: two while one is rolled.
    #[command(subcommand)]
    Secret(Secret),
}

#[derive(Subcommand)]
pub(super) enum Secret {
    /// Add a signing secret (whsec_…), which is read from standard input.
    Add {
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// List the secrets by their last letters.
    List {
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
    /// Take a secret away.
    Remove {
        /// Its last letters, as `list` shows them.
        id: String,
        /// The site; not needed if there is only one.
        #[arg(long)]
        site: Option<String>,
    },
}

pub(super) async fn run(command: Command, office: &Office, json: bool) -> Result<()> {
    let app = office.app().await?;
    match command {
        Command::Connect { site, acts_for, base } => {
            let site = office.site(site.as_deref()).await?;
            connect(office, &app, &site, acts_for.as_deref(), base.as_deref(), json).await
        }
        Command::Check { site } => {
            let site = office.site(site.as_deref()).await?;
            check(&app, &site, json).await
        }
        Command::Sweep { site } => {
            let site = office.site(site.as_deref()).await?;
            sweep(office, &app, &site, json).await
        }
        Command::Disconnect { site } => {
            let site = office.site(site.as_deref()).await?;
            let mut tx = office.db.begin().await?;
            if store::disconnect(&mut tx, site.id).await? == 0 {
                return Err(Failure("the site is not connected to Stripe".into()));
            }
            office.commit(tx, site.id, "stripe.disconnect", json!({})).await?;
            out("Usher has forgotten the key and the signing secrets. Remove the webhook endpoint at Stripe too.")
        }
        Command::Secret(command) => secret(office, &app, command, json).await,
    }
}

async fn connect(
    office: &Office,
    app: &App,
    site: &Site,
    acts_for: Option<&str>,
    base: Option<&str>,
    json: bool,
) -> Result<()> {
    let text = stdin("the key")?;
    let key = ApiKey::parse(&text)?;
    let live = key.mode() == Mode::Live;
    if live && !site.live {
        return Err(Failure("this is a test site, which takes only Stripe's test keys (rk_test_…, sk_test_…)".into()));
    }
    let client = client(app, key.clone(), base, acts_for)?;
    let account = check::account(&client)
        .await
        .map_err(|error| Failure(format!("Stripe did not take the key: {}", check::said(&error))))?;
    if let Some((known, was_live)) = store::belongs_to(office.db.read(), site.id).await?
        && (known != account.id || was_live != live)
    {
        return Err(Failure(format!(
            "the site's customers, plans and subscriptions are of {known} ({}), and mean nothing in {} ({}). Connect that \
             account again, or make another site for this one: usher sites create",
            mode(was_live),
            account.id,
            mode(live)
        )));
    }
    let sealed = app.sealer.seal(&key_purpose(site.id), key.expose());
    let hint = hint(key.expose());
    let new = NewConnection { account_id: &account.id, acts_for, base, key_sealed: &sealed, key_hint: &hint, live };
    let mut tx = office.db.begin().await?;
    store::connect(tx.conn(), site.id, &new, office.clock.now()).await?;
    store::belong(tx.conn(), site.id, &account.id, live).await?;
    if site.settings.stripe_writes {
        plans::push_all(&mut tx, &app.jobs, site.id).await?;
    }
    let args = json!({ "account": account.id, "key": hint, "live": live, "actsFor": acts_for, "base": base });
    office.commit(tx, site.id, "stripe.connect", args).await?;
    if json {
        return out(&json!({ "account": account.id, "key": hint, "live": live }).to_string());
    }
    let path = format!("/webhooks/stripe/{}", site.id);
    out(&format!(
        "{} is connected to {} ({}). Next:\n  usher stripe check\n  At Stripe, add a webhook endpoint for \
         https://<your host>{path} with the events {}, then: usher stripe secret add\n  \
         usher sites update --stripe-writes on",
        site.name,
        account.id,
        mode(live),
        EVENTS.join(", ")
    ))
}

async fn check(app: &App, site: &Site, json: bool) -> Result<()> {
    let connection = store::connection(app.db.read(), site.id).await?;
    let connection = connection.ok_or_else(|| Failure("the site is not connected; see usher stripe connect".into()))?;
    let client = connection.client(app)?;
    let account = check::account(&client)
        .await
        .map_err(|error| Failure(format!("Stripe cannot be asked: {}", check::said(&error))))?;
    let permissions = check::permissions(&client).await;
    let may_all = permissions.iter().all(|one| one.may == Ok(true));
    if may_all {
        let mut tx = app.db.begin().await?;
        store::unpark(tx.conn(), site.id, app.clock.now()).await?;
        tx.commit().await?;
    }
    let n_secrets = store::secrets(app.db.read(), site.id).await?.len();
    if json {
        let list = permissions.iter().map(|one| {
            json!({ "permission": one.what, "neededFor": one.needed_for, "may": one.may.as_ref().ok(), "error": one.may.as_ref().err() })
        });
        let list: Vec<_> = list.collect();
        out(&json!({
            "account": account.id, "key": connection.key_hint, "live": connection.live, "permissions": list,
            "signingSecrets": n_secrets, "stripeWrites": site.settings.stripe_writes,
        })
        .to_string())?;
    } else {
        let kind = mode(connection.live);
        out(&format!("{} ({kind}), with the key {}", account.id, connection.key_hint))?;
        for one in &permissions {
            let may = match &one.may {
                Ok(true) => "may    ".into(),
                Ok(false) => "MAY NOT".into(),
                Err(why) => format!("? ({why})"),
            };
            out(&format!("  {may}  {:<26} for {}", one.what, one.needed_for))?;
        }
        let writes = if site.settings.stripe_writes { "on" } else { "off: usher sites update --stripe-writes on" };
        out(&format!("  webhook secrets: {n_secrets}    Stripe writes: {writes}"))?;
    }
    if may_all { Ok(()) } else { Err(Failure("the key may not do all that Usher needs; change it at Stripe".into())) }
}

async fn sweep(office: &Office, app: &App, site: &Site, json: bool) -> Result<()> {
    if store::connection(office.db.read(), site.id).await?.is_none() {
        return Err(Failure("the site is not connected; see usher stripe connect".into()));
    }
    let mut tx = office.db.begin().await?;
    let job = billing::sweep::start(&mut tx, app, site.id, None).await?;
    office.commit(tx, site.id, "stripe.startSweep", json!({})).await?;
    let mut shown = serde_json::Value::Null;
    let done = loop {
        let row = app.jobs.wait(0, &job.id, SWEEP_LOOK).await?;
        let row = row.ok_or_else(|| Failure("the job is gone".into()))?;
        if row.state.is_over() {
            break row;
        }
        if !json && row.progress != shown {
            out(&format!("{}: {}", row.state.as_str(), row.progress))?;
            shown = row.progress;
        }
    };
    match done.result {
        Some(counts) if done.state == State::Succeeded => out(&counts.to_string()),
        _ => Err(Failure(done.error.unwrap_or_else(|| "the comparison was given up".into()))),
    }
}

async fn secret(office: &Office, app: &App, command: Secret, json: bool) -> Result<()> {
    match command {
        Secret::Add { site } => {
            let site = office.site(site.as_deref()).await?;
            let secret = WebhookSecret::parse(&stdin("the signing secret")?)?;
            let connection = store::connection(office.db.read(), site.id).await?;
            let connection =
                connection.ok_or_else(|| Failure("the site is not connected; first: usher stripe connect".into()))?;
            // What the server's key does not open would break all webhooks, so it must be the one that opens the rest.
            connection.client(app)?;
            let id: String = secret.expose().chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect();
            let known = store::secrets(office.db.read(), site.id).await?;
            if known.len() >= MAX_SECRETS && known.iter().all(|(known, _)| *known != id) {
                return Err(Failure(
                    "the site has two signing secrets; remove one first: usher stripe secret list".into(),
                ));
            }
            let sealed = app.sealer.seal(&secret_purpose(site.id), secret.expose());
            let mut tx = office.db.begin().await?;
            store::insert_secret(tx.conn(), site.id, &id, &sealed, office.clock.now()).await?;
            office.commit(tx, site.id, "stripe.addSecret", json!({ "id": id })).await?;
            if json { out(&json!({ "id": id }).to_string()) } else { out(&format!("The secret …{id} is taken.")) }
        }
        Secret::List { site } => {
            let site = office.site(site.as_deref()).await?;
            for (id, _) in store::secrets(office.db.read(), site.id).await? {
                if json { out(&json!({ "id": id }).to_string())? } else { out(&format!("…{id}"))? }
            }
            Ok(())
        }
        Secret::Remove { id, site } => {
            let site = office.site(site.as_deref()).await?;
            let id = id.trim_start_matches('…');
            let mut tx = office.db.begin().await?;
            if store::delete_secret(tx.conn(), site.id, id).await? == 0 {
                return Err(Failure(format!("the site has no signing secret that ends in {id}")));
            }
            office.commit(tx, site.id, "stripe.removeSecret", json!({ "id": id })).await?;
            if json { out(&json!({ "id": id }).to_string()) } else { out("It is removed.") }
        }
    }
}

fn mode(live: bool) -> &'static str {
    if live { "live" } else { "test mode" }
}

/// A key's kind and its last letters.
fn hint(key: &str) -> String {
    let kind: Vec<_> = key.splitn(3, '_').take(2).collect();
    format!("{}_…{}", kind.join("_"), &key[key.len().saturating_sub(4)..])
}

fn stdin(what: &str) -> Result<String> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(MAX_KEY_BYTES);
    input.read_to_string(&mut text).map_err(|error| Failure(format!("{what} could not be read: {error}")))?;
    if text.trim().is_empty() {
        return Err(Failure(format!("nothing came on standard input, where {what} is read from")));
    }
    Ok(text)
}
