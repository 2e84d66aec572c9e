use usher_db::{FromRow, Row};

use crate::{
    gate::Budgets,
    values::{SiteId, Time, Zone},
};

/// One creator's platform.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its number.
    pub id: SiteId,
    /// What people call it.
    pub name: String,
    /// Its own host name, in lower case and without a port.
    pub domain: Option<String>,
    /// Whether its members and money are real.
    pub live: bool,
    /// What its owner can change.
    pub settings: Settings,
    /// Grows whenever the site or a key of it changes.
    pub revision: i64,
    /// When it was made.
    pub created_at: Time,
}

/// What a site's owner can change. What is not stored has its default.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// What each key may call.
    #[serde(flatten)]
    pub budgets: Budgets,
    /// In which zone a date that somebody gives is a day. A change moves nothing that is stored.
    pub time_zone: Zone,
    /// Days that the activity log is kept.
    pub activity_retention_days: u32,
    /// Days that a member whose payment is overdue keeps access.
    pub grace_days: u32,
    /// Calls a day (UTC) that delete, cancel or refund, all keys together.
    pub destructive_per_day: u32,
    /// Whether what a customer's bank took back for good counts as given back, which ends access.
    pub lost_disputes_end_access: bool,
    /// Whether anything may be written at Stripe.
    pub stripe_writes: bool,
    /// Where people reach the site's pages from outside, such as `https://members.example.com`, without a final slash;
    /// none: `https://` and its host name.
    pub public_url: Option<String>,
    /// Where a member who has signed in is handed over to, with a token; none: nobody can sign in.
    pub login_url: Option<String>,
    /// Whether members may be written to. Sign-in mail goes out all the same.
    pub email_members: bool,
    /// Mails a day (UTC) to members, all keys together.
    pub emails_per_day: u32,
    /// To whom a test site's mails may go: addresses, and `@example.com` for all of a domain. Not read on a live site.
    pub mail_only_to: Vec<String>,
}

impl Site {
    /// Where people reach the site's pages, without a final slash; `None` if nobody has said so.
    pub fn url(&self) -> Option<String> {
        let domain = || self.domain.as_ref().map(|domain| format!("https://{domain}"));
        self.settings.public_url.clone().or_else(domain)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            budgets: Budgets::default(),
            time_zone: Zone::UTC,
            activity_retention_days: 400,
            grace_days: 7,
            destructive_per_day: 100,
            lost_disputes_end_access: false,
            stripe_writes: false,
            public_url: None,
            login_url: None,
            email_members: false,
            emails_per_day: 100,
            mail_only_to: Vec::new(),
        }
    }
}

impl FromRow for Site {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            id: row.take()?,
            name: row.take()?,
            domain: row.take()?,
            live: row.take()?,
            settings: serde_json::from_str(&row.take::<String>()?).unwrap_or_default(),
            revision: row.take()?,
            created_at: row.take()?,
        })
    }
}

/// A host name as sites have it, from what a request names: lower case, no port, no final dot.
pub fn host_name(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => &host,
    };
    name.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_an_older_version_are_in_utc() {
        let settings: Settings = serde_json::from_str(r#"{"graceDays":3}"#).unwrap();
        assert_eq!((settings.grace_days, settings.time_zone), (3, Zone::UTC));
        let settings: Settings = serde_json::from_str(r#"{"graceDays":3,"timeZone":"Europe/Berlin"}"#).unwrap();
        assert_eq!((settings.grace_days, settings.time_zone.name()), (3, "Europe/Berlin"));
    }
}
