use clap::Subcommand;
use serde_json::{Value, json};

use usher_jobs::Settings as Patience;

use super::{Failure, Office, Result, out};
use crate::{
    app,
    areas::{
        access, billing, plans,
        sites::{Site, store},
    },
    values::{Email, Zone},
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the sites.
    List,
    /// Make a site.
    Create {
        /// What people call it.
        name: String,
        /// Its own host name, such as members.example.com.
        #[arg(long)]
        domain: Option<String>,
        /// A test site: nothing reaches real people or money.
        #[arg(long)]
        test: bool,
    },
    /// Change a site's name, host name or settings.
    Update(Update),
}

#[derive(clap::Args)]
pub(super) struct Update {
    /// The site: its number, name or host name; not needed if there is only one.
    #[arg(long)]
    site: Option<String>,
    /// What people call it.
    #[arg(long)]
    name: Option<String>,
    /// Its own host name; empty for none.
    #[arg(long)]
    domain: Option<String>,
    /// Calls of reading tools that a key may make in any 60 s.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    reads_per_minute: Option<u32>,
    /// Calls of writing tools that a key may make in any 60 s.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    writes_per_minute: Option<u32>,
    /// Calls of any tools that a key may make in any 60 s.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    calls_per_minute: Option<u32>,
    /// Generations that a key may make a day (UTC).
    #[arg(long)]
    generations_per_day: Option<u32>,
    /// The time zone in which a date is a day, such as Europe/Berlin. What is stored stays as it is.
    #[arg(long, value_parser = zone)]
    time_zone: Option<Zone>,
    /// Days that the activity log is kept.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36500))]
    activity_retention_days: Option<u32>,
    /// Days that a member whose payment is overdue keeps access.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=365))]
    grace_days: Option<u32>,
    /// Calls that delete, cancel or refund which all keys together may make a day (UTC).
    #[arg(long)]
    destructive_per_day: Option<u32>,
    /// Whether a lost dispute ends access, as giving back does; for payments that are read from then on.
    #[arg(long)]
    lost_disputes_end_access: Option<Switch>,
    /// Whether checkouts, cancels, pauses and plans may be written at the site's Stripe account.
    #[arg(long)]
    stripe_writes: Option<Switch>,
    /// Where people reach the site's pages, such as https://members.example.com; empty for https:// and the host name.
    #[arg(long, value_parser = url)]
    public_url: Option<String>,
    /// Where a member who has signed in is handed over to, with a token; empty for nowhere. Kept to the byte, with its query
    /// and a final slash.
    #[arg(long, value_parser = login_url)]
    login_url: Option<String>,
    /// Whether members may be written to (sign-in mail goes out all the same).
    #[arg(long)]
    email_members: Option<Switch>,
    /// Mails to members that all keys together may send a day (UTC).
    #[arg(long)]
    emails_per_day: Option<u32>,
    /// To whom a test site's mails may go, comma separated: addresses, and @example.com for all of a domain; empty for
    /// nobody.
    #[arg(long)]
    mail_only_to: Option<String>,
}

/// On or off.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Switch {
    On,
    Off,
}

impl Switch {
    /// How something is switched.
    pub(super) fn of(is_on: bool) -> &'static str {
        if is_on { "on" } else { "off" }
    }
}

pub(super) async fn run(command: Command, office: &Office, json: bool) -> Result<()> {
    match command {
        Command::List => {
            for site in store::all(office.db.read()).await? {
                show(&site, json)?;
            }
            Ok(())
        }
        Command::Create { name, domain, test } => {
            let domain = domain.as_deref().map(host).transpose()?;
            let mut tx = office.db.begin().await?;
            free(&mut tx, domain.as_deref(), None).await?;
            let site = store::insert(tx.conn(), name.trim(), domain.as_deref(), !test, office.clock.now()).await?;
            office.commit(tx, site.id, "sites.create", view(&site)).await?;
            show(&site, json)
        }
        Command::Update(update) => {
            let mut site = office.site(update.site.as_deref()).await?;
            let mut tx = office.db.begin().await?;
            if let Some(domain) = update.domain.as_deref() {
                site.domain = if domain.is_empty() { None } else { Some(host(domain)?) };
                free(&mut tx, site.domain.as_deref(), Some(&site)).await?;
            }
            site.name = update.name.unwrap_or(site.name);
            let budgets = &mut site.settings.budgets;
            let set = |to: &mut u32, value: Option<u32>| *to = value.unwrap_or(*to);
            set(&mut budgets.reads_per_minute, update.reads_per_minute);
            set(&mut budgets.writes_per_minute, update.writes_per_minute);
            set(&mut budgets.calls_per_minute, update.calls_per_minute);
            set(&mut budgets.generations_per_day, update.generations_per_day);
            site.settings.time_zone = update.time_zone.unwrap_or(site.settings.time_zone);
            set(&mut site.settings.activity_retention_days, update.activity_retention_days);
            let grace_days = site.settings.grace_days;
            set(&mut site.settings.grace_days, update.grace_days);
            set(&mut site.settings.destructive_per_day, update.destructive_per_day);
            set(&mut site.settings.emails_per_day, update.emails_per_day);
            let switch = |to: &mut bool, value: Option<Switch>| *to = value.map_or(*to, |value| value == Switch::On);
            let had_writes = site.settings.stripe_writes;
            switch(&mut site.settings.stripe_writes, update.stripe_writes);
            switch(&mut site.settings.lost_disputes_end_access, update.lost_disputes_end_access);
            switch(&mut site.settings.email_members, update.email_members);
            let point = |to: &mut Option<String>, value: Option<String>| {
                if let Some(value) = value {
                    *to = Some(value).filter(|value| !value.is_empty());
                }
            };
            point(&mut site.settings.public_url, update.public_url);
            point(&mut site.settings.login_url, update.login_url);
            if let Some(list) = &update.mail_only_to {
                site.settings.mail_only_to = allowed(list)?;
            }
            store::update(tx.conn(), site.id, &site.name, site.domain.as_deref(), &site.settings).await?;
            if site.settings.grace_days != grace_days {
                let jobs = app::jobs(&office.db, &office.clock, Patience::default());
                access::recount_overdue(&mut tx, &jobs, site.id).await?;
            }
            let is_connected = billing::store::connection(tx.conn(), site.id).await?.is_some();
            if site.settings.stripe_writes && !had_writes && is_connected {
                let jobs = app::jobs(&office.db, &office.clock, Patience::default());
                plans::push_all(&mut tx, &jobs, site.id).await?;
            }
            office.commit(tx, site.id, "sites.update", view(&site)).await?;
            show(&site, json)
        }
    }
}

/// A host name as it is stored: lower case, without scheme, port or final dot.
fn host(text: &str) -> Result<String> {
    let host = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let fits = !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
    if !fits {
        return Err(Failure(format!(
            "{text:?} is not a host name such as members.example.com (IDNs in their xn-- form)"
        )));
    }
    Ok(host)
}

/// A time zone by its name.
fn zone(name: &str) -> std::result::Result<Zone, String> {
    Zone::parse(name)
        .ok_or_else(|| format!("{name:?} is not the IANA name of a time zone, such as Europe/Berlin or UTC"))
}

/// An address of a page, as it is stored: without a final slash. Without TLS only on this machine.
fn url(text: &str) -> std::result::Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    if text.is_empty() {
        return Ok(String::new());
    }
    if page(text)?.query().is_some() {
        return Err(format!("{text:?} has more than a host and a path"));
    }
    Ok(text.to_owned())
}

/// The address that a sign-in is posted to, byte for byte: a site that redirects from one way to write it to another would
/// lose the token, whose link is used up by then.
fn login_url(text: &str) -> std::result::Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    page(text)?;
    Ok(text.to_owned())
}

/// An address as a browser reads it: with TLS or on this machine, and without what a browser would leave out or change.
fn page(text: &str) -> std::result::Result<reqwest::Url, String> {
    let url = reqwest::Url::parse(text).map_err(|error| format!("{text:?} is not an address: {error}"))?;
    let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.host_str().is_none() || !(url.scheme() == "https" || url.scheme() == "http" && is_local) {
        return Err(format!("{text:?} is not an address such as https://members.example.com"));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{text:?} has more than a host, a path and a query"));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(format!("{text:?} has a space, a backslash or a control character"));
    }
    Ok(url)
}

/// A list of addresses and domains, as it is stored: each in its normalised form.
fn allowed(list: &str) -> Result<Vec<String>> {
    let parts = list.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| match part.strip_prefix('@') {
            Some(domain) => Ok(format!("@{}", host(domain)?)),
            None => match Email::parse(part) {
                Ok(email) => Ok(email.key().to_owned()),
                Err(error) => Err(Failure(format!("{part:?} is neither an address nor @ and a domain: {error}"))),
            },
        })
        .collect()
}

async fn free(tx: &mut usher_db::Tx, domain: Option<&str>, of: Option<&Site>) -> Result<()> {
    let Some(domain) = domain else { return Ok(()) };
    match store::by_domain(tx.conn(), domain).await? {
        Some(taken) if of.is_none_or(|site| site.id != taken) => {
            Err(Failure(format!("{domain} is the host name of site {taken} already")))
        }
        _ => Ok(()),
    }
}

fn view(site: &Site) -> Value {
    json!({
        "site": site.id.number(), "name": site.name, "domain": site.domain, "live": site.live,
        "settings": site.settings,
    })
}

fn show(site: &Site, json: bool) -> Result<()> {
    if json {
        return out(&view(site).to_string());
    }
    let kind = if site.live { "live" } else { "test" };
    let domain = site.domain.as_deref().unwrap_or("(any host name)");
    out(&format!("{}  {}  {kind}  {domain}  {}", site.id, site.name, site.settings.time_zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_page_has_tls_or_is_on_this_machine() {
        assert_eq!(url("https://members.example.com/").unwrap(), "https://members.example.com");
        assert_eq!(url(" http://127.0.0.1:8080/login ").unwrap(), "http://127.0.0.1:8080/login");
        assert_eq!(url("").unwrap(), "");
        for wrong in
            ["members.example.com", "http://example.com", "ftp://x", "https://a@b.example", "https://b.example/?x"]
        {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_login_url_is_kept_to_the_byte() {
        for text in [
            "https://x.example/login/",
            "https://x.example",
            "https://x.example/",
            "https://X.example/Login//?next=%2Fhome&a=1",
            "https://x.example/login?",
            "https://x.example:443/a/../b",
            "http://localhost:3000/callback/",
        ] {
            assert_eq!(login_url(text).unwrap(), text);
            assert_eq!(login_url(&format!(" {text}\n")).unwrap(), text);
        }
        assert_eq!(login_url("").unwrap(), "");
        for wrong in [
            "x.example/login",
            "http://x.example/login",
            "ftp://x.example/",
            "javascript:alert(1)",
            "https://a@x.example/",
            "https://a:b@x.example/",
            "https://x.example/#top",
            "https://x.example/a b",
            "https://x.example\\login",
            "https://x.example/lo\tgin",
        ] {
            assert!(login_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_list_has_addresses_and_domains() {
        assert_eq!(allowed("Anna@Example.com, @Example.org,").unwrap(), ["anna@example.com", "@example.org"]);
        assert!(allowed("anna").is_err() && allowed("@").is_err());
    }
}
