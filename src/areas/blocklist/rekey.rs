//! Entries that stand under another key than their address has by now ([`email_key`]).

use usher_db::{Db, Result, Tx};

use super::{Reason, store};
use crate::values::{SiteId, email_key};

/// Entries that are looked at in one statement.
const PAGE: u32 = 1000;

/// Puts each entry under the key of its address. Where there is one, the two become one: the stronger reason stands.
pub async fn rekey(db: &Db, site: SiteId) -> Result<()> {
    let mut after = String::new();
    loop {
        let page = store::odd_keys(db.read(), site, &after, PAGE).await?;
        let Some((last,)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        for (old,) in page {
            let new = email_key(&old);
            if new != old {
                let mut tx = db.begin().await?;
                unite(&mut tx, site, &old, &new).await?;
                tx.commit().await?;
            }
        }
    }
}

async fn unite(tx: &mut Tx, site: SiteId, old: &str, new: &str) -> Result<()> {
    let keys = || [old.to_owned(), new.to_owned()].into_iter().collect();
    let both = store::hold(tx.conn(), site, keys()).await?;
    let mut wish = None;
    for entry in &both {
        let own = Some(i64::from(entry.reason.strength())).filter(|_| entry.reason <= Reason::Unsubscribe);
        wish = wish.max(own).max(store::wish_of(tx.conn(), site, &entry.key).await?);
    }
    let of = |key: &str| both.iter().find(|entry| entry.key == key);
    let (Some(from), to) = (of(old), of(new)) else { return Ok(()) };
    match to {
        Some(to) if to.reason >= from.reason => {
            store::remove(tx.conn(), site, [old.to_owned()].into_iter().collect()).await?;
        }
        Some(_) => {
            store::remove(tx.conn(), site, [new.to_owned()].into_iter().collect()).await?;
            store::move_entry(tx.conn(), site, old, new).await?;
        }
        None => _ = store::move_entry(tx.conn(), site, old, new).await?,
    }
    store::move_claims(tx.conn(), site, old, new).await?;
    store::forget_claims(tx.conn(), site, [old.to_owned()].into_iter().collect()).await?;
    if let Some(first) = both.iter().map(|entry| entry.first_seen).min() {
        store::seen_first(tx.conn(), site, new, first).await?;
    }
    if let Some(wish) = wish.and_then(Reason::of_strength) {
        store::wish(tx.conn(), site, [new.to_owned()].into_iter().collect(), wish.strength()).await?;
    }
    Ok(())
}
