use std::collections::BTreeSet;

use usher_db::{Db, Result};

use super::mirror::store;
use crate::values::{SiteId, email_key};

/// Makes the keys of addresses that somebody pays with anew, see `members/rekey`.
pub async fn rekey(db: &Db, site: SiteId) -> Result<()> {
    let keys: BTreeSet<_> = store::odd_keys(db.read(), site).await?.into_iter().map(|(key,)| key).collect();
    for old in keys {
        let new = email_key(&old);
        if new != old {
            let mut tx = db.begin().await?;
            store::rekey_customers(tx.conn(), site, &old, &new).await?;
            store::rekey_strays(tx.conn(), site, &old, &new).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}
