//! What is paid elsewhere ends by itself. Access does not wait for this: it goes by the moment until which it is paid.

use usher_jobs::Fail;

use super::store;
use crate::{app::App, areas::access};

/// Ends some of what is over, and writes whose members pay no more; gives how many ended.
pub async fn lapse(app: &App, limit: u32) -> Result<u64, Fail> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let mut over = store::lapse(tx.conn(), now, limit).await?;
    let n = over.len() as u64;
    // Always in this order, so that two cannot wait for each other.
    over.sort_unstable_by(|(site, member), (other, another)| (site, member).cmp(&(other, another)));
    over.dedup();
    for (site, member) in &over {
        access::recount(tx.conn(), *site, member, now).await?;
    }
    tx.commit().await?;
    Ok(n)
}
