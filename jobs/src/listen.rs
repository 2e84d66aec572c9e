//! Hears of tickets that other processes write, on PostgreSQL.
//!
//! apalis' own listener closes for good when it cannot connect once; and one connection is enough for both
//! queues.

use std::sync::Arc;

use serde::Deserialize;
use sqlx::postgres::PgListener;

use crate::{Queue, Result, execute::Shop};

/// The channel of apalis' trigger.
const CHANNEL: &str = "apalis::job::insert";

#[derive(Deserialize)]
struct Written {
    job_type: String,
}

/// Until the task is ended.
pub(crate) async fn listen(shop: Arc<Shop>) {
    loop {
        if let Err(error) = hear(&shop).await {
            tracing::warn!(%error, "not told of other processes' jobs for now; they start a little later");
        }
        tokio::time::sleep(shop.jobs.settings().restart).await;
    }
}

async fn hear(shop: &Shop) -> Result<()> {
    let Some(pool) = shop.jobs.db().postgres() else {
        return std::future::pending().await; // SQLite's writers are all in this process.
    };
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let heard = listener.try_recv().await?;
        let written = heard.and_then(|one| serde_json::from_str::<Written>(one.payload()).ok());
        match written.map(|written| Queue::parse(&written.job_type)) {
            Some(Some(queue)) => shop.hints[queue as usize].notify_one(),
            Some(None) => {}
            // The connection was lost and made again; nobody knows what was missed.
            None => shop.hints.iter().for_each(|hint| hint.notify_one()),
        }
    }
}
