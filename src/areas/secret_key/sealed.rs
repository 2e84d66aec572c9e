//! What is sealed with the key and lasts: what a lost key takes with it.

use usher_db::Db;

use crate::{
    areas::{
        billing::{
            self,
            connection::{key_purpose, secret_purpose},
        },
        emails::{
            self,
            connection::{dkim_purpose, password_purpose},
        },
        sign_in::{self, keys},
        sites,
    },
    seal::Sealer,
    values::Time,
};

/// A secret in the database.
#[derive(Debug)]
pub struct Sealed {
    /// What it is, such as `the Stripe key of the site "My site"`.
    pub what: String,
    /// The command that puts another one in its place, without `usher` and `--site`.
    pub mend: &'static str,
    purpose: String,
    sealed: String,
}

impl Sealed {
    /// Whether a key opens it.
    pub fn opens(&self, sealer: &Sealer) -> bool {
        sealer.open(&self.purpose, &self.sealed).is_ok()
    }
}

/// Every secret of every site. Texts of mails that wait, and kept answers, are not among them: they are gone in days.
pub async fn all(db: &Db, now: Time) -> usher_db::Result<Vec<Sealed>> {
    let mut all = Vec::new();
    for site in sites::store::all(db.read()).await? {
        let mut add = |what: &str, mend, purpose: String, sealed: Option<String>| {
            let what = format!("{what} of the site {:?}", site.name);
            all.extend(sealed.map(|sealed| Sealed { what, mend, purpose, sealed }));
        };
        let stripe = billing::store::connection(db.read(), site.id).await?;
        add("the Stripe key", "stripe connect", key_purpose(site.id), stripe.map(|found| found.key_sealed));
        for (_, sealed) in billing::store::secrets(db.read(), site.id).await? {
            add("a webhook signing secret", "stripe secret add", secret_purpose(site.id), Some(sealed));
        }
        if let Some(mail) = emails::store::connection(db.read(), site.id).await? {
            add("the mail server's password", "mail connect", password_purpose(site.id), mail.password_sealed);
            add("the DKIM key", "mail dkim", dkim_purpose(site.id), mail.dkim_key_sealed);
        }
        for key in sign_in::store::published(db.read(), site.id, now).await? {
            let mend = "sign-in keys rotate --now";
            add("a sign-in key", mend, keys::purpose(site.id), Some(key.private_sealed));
        }
    }
    Ok(all)
}
