//! Keeps the leases of what runs here, on a task of its own: a handler that is busy must not lose its job.

use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use usher_db::sql_both;

use crate::{Result, clock, execute::Shop, micros, row::to_json};

/// Until the task is ended.
pub(crate) async fn keep(shop: Arc<Shop>) {
    loop {
        tokio::time::sleep(shop.jobs.settings().renew).await;
        if let Err(error) = renew(&shop).await {
            tracing::warn!(%error, "leases could not be renewed");
        }
    }
}

/// Renews every lease in one statement, then looks which jobs are still ours.
///
/// On PostgreSQL a row that its own handler's transaction has locked is skipped: that handler's checkpoint
/// renews it, and waiting for it here would let all the other leases run out.
async fn renew(shop: &Shop) -> Result<()> {
    macro_rules! named {
        (sqlite) => {
            "(SELECT value ->> 0 AS s, value ->> 1 AS i, value ->> 2 AS e FROM json_each($1)) AS t"
        };
        (postgres) => {
            "(SELECT CAST(v ->> 0 AS BIGINT) AS s, v ->> 1 AS i, CAST(v ->> 2 AS BIGINT) AS e \
             FROM jsonb_array_elements(CAST($1 AS JSONB)) AS j (v)) AS t"
        };
    }
    macro_rules! ours {
        () => {
            "job.site = t.s AND job.id = t.i AND job.epoch = t.e AND job.state = 'running'"
        };
    }
    let held: Vec<_> = shop.held.lock().iter().map(|(key, reins)| (key.clone(), reins.clone())).collect();
    if held.is_empty() {
        return Ok(());
    }
    let keys = to_json(&held.iter().map(|(key, _)| key).collect::<Vec<_>>())?;
    let db = shop.jobs.db();
    let mut tx = db.begin().await?;
    sql_both!(
        sqlite: concat!(
            "UPDATE job SET lease_until = ", clock!(sqlite), " + $2 FROM ", named!(sqlite), " WHERE ", ours!()
        ),
        postgres: concat!(
            "UPDATE job SET lease_until = ", clock!(postgres), " + $2 FROM (SELECT site AS s, id AS i FROM job, ",
            named!(postgres), " WHERE ", ours!(), " FOR UPDATE OF job SKIP LOCKED) AS free \
             WHERE job.site = free.s AND job.id = free.i"
        ),
    )
    .bind(&keys)
    .bind(micros(shop.jobs.settings().lease))
    .run(tx.conn())
    .await?;
    tx.commit().await?;
    let ours: Vec<(i64, String, i64, bool)> = sql_both!(
        sqlite: concat!("SELECT site, id, epoch, cancelling FROM ", named!(sqlite), ", job WHERE ", ours!()),
        postgres: concat!("SELECT site, id, epoch, cancelling FROM ", named!(postgres), ", job WHERE ", ours!()),
    )
    .bind(&keys)
    .all(db.read())
    .await?;
    let cancelling: HashSet<_> =
        ours.iter().filter(|one| one.3).map(|(site, id, epoch, _)| (*site, id.as_str(), *epoch)).collect();
    let ours: HashSet<_> = ours.iter().map(|(site, id, epoch, _)| (*site, id.as_str(), *epoch)).collect();
    for ((site, id, epoch), reins) in &held {
        let key = (*site, id.as_str(), *epoch);
        if cancelling.contains(&key) {
            reins.cancelling.store(true, Relaxed);
        }
        if !ours.contains(&key) && !reins.finished.load(Relaxed) {
            // Ended or taken over. If it is ending just now, its handler has had its say already.
            reins.lost.notify_one();
        }
    }
    Ok(())
}
