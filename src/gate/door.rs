//! Who calls: from the text of a key to its row, through a cache that is never trusted for longer than one call.
//!
//! A cached key says at which revision of its site it was read. Letting a call in compares that with the database's
//! (see `limits`), so that a change by any process counts from the very next call. A cached key that would be refused
//! is read again before it is.

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use usher_db::Db;

use super::Caller;
use crate::{
    areas::{keys, sites},
    error::{Code, Error, Result},
    values::{KeyId, SiteId, Time, site_of_key},
};

/// Keys that are remembered at most; beyond that all are forgotten at once.
const REMEMBERED: usize = 10_000;

/// The keys and host names that were seen lately.
#[derive(Default)]
pub struct Door {
    keys: RwLock<HashMap<KeyId, Caller>>,
    hosts: RwLock<HashMap<Box<str>, Option<SiteId>>>,
}

impl Door {
    /// The caller as it was when last read; reads it if it is not remembered.
    pub(super) async fn caller(&self, db: &Db, presented: &keys::Presented, now: Time) -> Result<Caller> {
        let remembered = self.keys.read().get(&presented.id).cloned();
        match remembered {
            Some(caller) if opens(&caller, presented, now) => Ok(caller),
            _ => self.read(db, presented, now).await,
        }
    }

    /// The caller as it is now.
    pub(super) async fn read(&self, db: &Db, presented: &keys::Presented, now: Time) -> Result<Caller> {
        let site = site_of_key(&presented.id);
        // The site first: if it changes in between, its revision is the older one and the key is read again.
        let Some(row) = sites::store::get(db.read(), site).await? else { return Err(invalid_key()) };
        let key = keys::store::get(db.read(), site, &presented.id).await?;
        self.hosts.write().clear();
        let Some(key) = key else { return Err(invalid_key()) };
        let caller = Caller { key, site: Arc::new(row) };
        let mut keys = self.keys.write();
        if keys.len() >= REMEMBERED {
            keys.clear();
        }
        keys.insert(presented.id.clone(), caller.clone());
        drop(keys);
        if opens(&caller, presented, now) { Ok(caller) } else { Err(invalid_key()) }
    }

    /// The site that has this host name for its own.
    pub(super) async fn site_of(&self, db: &Db, host: &str) -> Result<Option<SiteId>> {
        let host = sites::host_name(host);
        if let Some(known) = self.hosts.read().get(host.as_str()) {
            return Ok(*known);
        }
        let site = sites::store::by_domain(db.read(), &host).await?;
        let mut hosts = self.hosts.write();
        if hosts.len() >= REMEMBERED {
            hosts.clear();
        }
        hosts.insert(host.into(), site);
        Ok(site)
    }
}

/// The one refusal of a key, which never says which of the reasons it was.
pub fn invalid_key() -> Error {
    Error::new(
        Code::InvalidKey,
        "The API key is missing or not valid for this site. Send `Authorization: Bearer usher_…` with a key of this site.",
    )
}

fn opens(caller: &Caller, presented: &keys::Presented, now: Time) -> bool {
    caller.key.opens(&presented.hash, now) & (caller.site.live == presented.live)
}
