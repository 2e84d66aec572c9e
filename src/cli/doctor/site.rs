//! What each site has.

use std::time::Duration;

use tokio::time::timeout;
use usher_db::Db;

use super::Findings;
use crate::{
    app::App,
    areas::{
        billing::{self, check},
        emails, keys,
        sites::Site,
    },
    cli::Result,
    values::Time,
};

/// How long a mail server or Stripe may take.
const ANSWER: Duration = Duration::from_secs(15);

pub(super) async fn look(site: &Site, db: &Db, app: Option<&App>, now: Time, found: &mut Findings) -> Result<()> {
    let number = site.id.number();
    keys_of(site, db, now, found).await?;
    match site.url() {
        Some(url) if url.starts_with("https://") || !site.live => found.ok("public URL", url),
        Some(url) => {
            let fix = format!(
                "put a proxy with TLS before it, then `usher sites update --site {number} --public-url https://…`"
            );
            found.off("public URL", format!("{url}: links in emails lead to this machine only"), fix);
        }
        None => {
            let fix = format!("`usher sites update --site {number} --public-url https://members.example.com`");
            found.off("public URL", "not set: mails have no links, and nobody can be invited", fix);
        }
    }
    match &site.settings.login_url {
        Some(url) => found.ok("login URL", url),
        None => {
            let fix = format!("`usher sites update --site {number} --login-url https://example.com/login`");
            found.off("login URL", "not set: members cannot sign in by links", fix);
        }
    }
    found.ok("time zone", site.settings.time_zone.name());
    mail(site, db, app, found).await?;
    stripe(site, db, app, found).await
}

async fn keys_of(site: &Site, db: &Db, now: Time, found: &mut Findings) -> Result<()> {
    let all = keys::store::all(db.read(), site.id).await?;
    let works = |key: &&keys::Key| key.revoked_at.is_none() && key.expires_at.is_none_or(|at| at > now);
    match all.iter().filter(works).count() {
        0 => {
            let fix =
                format!("`usher keys create --site {} --name \"First key\" --scopes full-access`", site.id.number());
            found.problem("keys", "there is no key that works, so nobody can call", fix);
        }
        n => found.ok("keys", format!("{n} that work")),
    }
    Ok(())
}

async fn mail(site: &Site, db: &Db, app: Option<&App>, found: &mut Findings) -> Result<()> {
    let (what, number) = ("mail", site.id.number());
    let Some(connection) = emails::store::connection(db.read(), site.id).await? else {
        let fix = format!("`usher mail connect --site {number} --host smtp.example.com --from hello@example.com`");
        found.off(what, "no mail server: nothing is mailed", fix);
        return Ok(());
    };
    let Some(app) = app else {
        found.problem(what, "the mail server cannot be tried without the secret key", "see the secret key above");
        return Ok(());
    };
    let tried = match connection.mailer(app, site.id) {
        Ok(mailer) => match timeout(ANSWER, mailer.transport.check()).await {
            Ok(Ok(server)) => Ok(server),
            Ok(Err(failure)) => Err(failure.reply),
            Err(_) => Err(format!("it did not answer within {} s", ANSWER.as_secs())),
        },
        Err(error) => Err(error.to_string()),
    };
    match tried {
        Ok(server) => found.ok(what, format!("through {server}, as {}", connection.from_address)),
        Err(why) => {
            let fix = format!("`usher mail show --site {number}`, then `usher mail connect` with what is right");
            found.problem(what, format!("the mail server cannot be used: {}", why.trim_end_matches('.')), fix);
        }
    }
    if let Some((id, reply)) = emails::store::last_failed(db.read(), site.id).await? {
        let reply = reply.unwrap_or_else(|| "no reply was kept".into());
        found.off("failed email", format!("the last one is {id}: {reply}"), "`emails.get` shows it");
    }
    let dkim = format!("`usher mail dkim set --site {number} --generate DOMAIN SELECTOR`");
    if connection.dkim_domain.is_none() {
        found.off("DKIM", "emails are not signed, so some receivers take them for spam", dkim);
    }
    if !site.settings.email_members {
        let fix = format!("`usher sites update --site {number} --email-members on`");
        found.off("email to members", "off: only sign-in mail goes out", fix);
    }
    Ok(())
}

async fn stripe(site: &Site, db: &Db, app: Option<&App>, found: &mut Findings) -> Result<()> {
    let (what, number) = ("Stripe", site.id.number());
    let Some(connection) = billing::store::connection(db.read(), site.id).await? else {
        let fix = format!("`usher stripe connect --site {number} < restricted-key.txt`");
        found.off(what, "not connected: nobody can pay", fix);
        return Ok(());
    };
    let Some(app) = app else {
        found.problem(what, "Stripe cannot be tried without the secret key", "see the secret key above");
        return Ok(());
    };
    let tried = match connection.client(app) {
        Ok(client) => match timeout(ANSWER, check::account(&client)).await {
            Ok(account) => account.map_err(|error| check::said(&error)),
            Err(_) => Err(format!("Stripe did not answer within {} s", ANSWER.as_secs())),
        },
        Err(error) => Err(error.to_string()),
    };
    let check = format!("`usher stripe check --site {number}`");
    match tried {
        Ok(account) => found.ok(what, format!("{}, with the key {}", account.id, connection.key_hint)),
        Err(why) => found.problem(what, why.trim_end_matches('.'), check.clone()),
    }
    if let Some(why) = &connection.parked_why {
        found.problem(what, format!("jobs wait because the key may not do all: {why}"), check);
    }
    match billing::store::secrets(db.read(), site.id).await?.len() {
        0 => {
            let fix = format!(
                "make an endpoint at Stripe for https://<your host>/webhooks/stripe/{number}, then `usher stripe secret add`"
            );
            found.problem("webhook", "no signing secret: events are refused, and changes are found minutes late", fix);
        }
        n => found.ok("webhook", format!("{n} signing secrets")),
    }
    if !site.settings.stripe_writes {
        let fix = format!("`usher sites update --site {number} --stripe-writes on`");
        found.off("Stripe writes", "off: Usher only reads", fix);
    }
    Ok(())
}
