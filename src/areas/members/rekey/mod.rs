//! Members and blocks that stand under another key than their address has by now.
//!
//! What makes two ways to write an address one address ([`email_key`]) has grown: `"anna"@example.com` was another than
//! `anna@example.com`. So once, when the database is migrated, each key is made anew. **Two members are never merged by
//! that**: the older gets the key, and the other keeps one that nobody looks up. It is found by its id, by a search, and by
//! `members.findDuplicates`, and mail to it asks for the blocks of the key, as mail to either goes to the same mailbox. Once
//! the key is free, the other gets it ([`free`]). A block becomes one with that of the key: the stronger reason stands.
//!
//! Addresses that mail went to before members' former ones were written down are former ones too, where nobody else is known
//! to have had them.

mod store;

use std::collections::{BTreeMap, BTreeSet};

use usher_db::{Db, Result, Tx};

use super::{Member, former, types::twin_key};
use crate::{
    areas::{billing, blocklist, installation, sites},
    clock::Clock,
    values::{Email, MemberId, SiteId, Time, email_key},
};

/// The name of what says that it is done among the installation's settings.
const SETTING: &str = "address_keys";

/// By which rules keys are made. Another number makes them anew.
const RULES: &str = "2";

/// Rows that are looked at in one statement.
const PAGE: u32 = 1000;

/// Makes keys anew, unless that is done. Safe to do twice, and to go on with after a crash.
pub async fn prepare(db: &Db) -> Result<()> {
    if installation::secret(db.read(), SETTING).await?.as_deref() == Some(RULES) {
        return Ok(());
    }
    let clock = Clock::system();
    for site in sites::store::all(db.read()).await? {
        blocklist::rekey(db, site.id).await?;
        billing::rekey(db, site.id).await?;
        members(db, site.id).await?;
        former_addresses(db, site.id, &clock).await?;
    }
    let mut tx = db.begin().await?;
    installation::set(&mut tx, SETTING, RULES).await?;
    tx.commit().await
}

/// Gives each member the key of its address, the oldest first.
async fn members(db: &Db, site: SiteId) -> Result<()> {
    let mut after = String::new();
    loop {
        let page = store::odd(db.read(), site, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id.to_string();
        for member in page.into_iter().filter(|member| member.email_key() != member.key) {
            let mut tx = db.begin().await?;
            settle(&mut tx, site, member).await?;
            tx.commit().await?;
        }
    }
}

/// Gives a member the key of its address, or the way to the one who has it.
async fn settle(tx: &mut Tx, site: SiteId, mut member: Member) -> Result<()> {
    let mailbox = member.email_key();
    let Some(mut holder) = super::store::by_email(tx.conn(), site, &Email::stored(&mailbox)).await? else {
        member.key = mailbox;
        return store::set_key(tx.conn(), site, &member).await.map(drop);
    };
    if holder.id.as_str() > member.id.as_str() {
        // In three steps, as no two have one key at any moment.
        let own = std::mem::replace(&mut member.key, mailbox);
        holder.key = format!("{} {own}", holder.id);
        store::set_key(tx.conn(), site, &holder).await?;
        store::set_key(tx.conn(), site, &member).await?;
        holder.key = own;
    } else {
        std::mem::swap(&mut member, &mut holder);
    }
    tracing::warn!(%site, member = %holder.id, older = %member.id, "two members have one address, written in two ways; members.findDuplicates lists them");
    store::set_key(tx.conn(), site, &holder).await.map(drop)
}

/// Nobody has a key any more: who has its address gets it.
pub async fn free(tx: &mut Tx, site: SiteId, key: &str) -> Result<()> {
    let twin = twin_key(key).unwrap_or_else(|| key.to_owned());
    let others = store::of_twin(tx.conn(), site, &twin).await?;
    if others.iter().any(|other| other.key == key) {
        return Ok(());
    }
    match others.into_iter().find(|other| other.email_key() == key) {
        Some(other) => {
            let other = Member { key: key.to_owned(), ..other };
            store::set_key(tx.conn(), site, &other).await.map(drop)
        }
        None => Ok(()),
    }
}

/// Writes down where members were mailed who have another address now.
async fn former_addresses(db: &Db, site: SiteId, clock: &Clock) -> Result<()> {
    let mut mailed: BTreeMap<String, BTreeMap<MemberId, (String, Time)>> = BTreeMap::new();
    for (member, address, at) in store::mailed(db.read(), site).await? {
        let of_key = mailed.entry(email_key(&address)).or_default();
        let last = of_key.entry(member).or_insert_with(|| (address.clone(), at));
        if last.1 < at {
            *last = (address, at);
        }
    }
    for (key, members) in mailed {
        let ids: BTreeSet<_> = members.keys().map(|id| id.as_str().to_owned()).collect();
        let mut tx = db.begin().await?;
        let holder = super::store::id_of(tx.conn(), site, &Email::stored(&key)).await?;
        if holder.is_none()
            && ids.len() == 1
            && let Some((id, (address, at))) = members.into_iter().next()
            && let Some(member) = super::store::by_id(tx.conn(), site, &id).await?
            && member.email_key() != key
            && member.deleting_since.is_none()
        {
            let before = Member { email: address, ..member.clone() };
            former::leave_at(&mut tx, clock, site, (&before, at), &Email::stored(&member.email)).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}
