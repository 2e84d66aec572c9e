//! Workers that live for a moment.

use std::time::Duration;

use tokio::{runtime, sync::watch};
use usher::{app::App, worker};
use usher_db::Db;
use usher_jobs::Settings;

use super::Shop;
use crate::harness::World;

/// Workers with everything of their own: a runtime, connections, an App. Nothing of theirs goes on once they are killed.
pub struct Life {
    runtime: runtime::Runtime,
    _stop: watch::Sender<bool>,
}

/// As jobs are in production, but a hundred times as fast.
fn patience() -> Settings {
    Settings {
        lease: Duration::from_secs(5),
        renew: Duration::from_secs(1),
        tick: Duration::from_millis(20),
        sweep: Duration::from_millis(100),
        look: Duration::from_millis(50),
        backoff: Duration::from_millis(5),
        backoff_limit: Duration::from_millis(100),
        restart: Duration::from_millis(20),
        fast: 6,
        ..Settings::default()
    }
}

impl Life {
    pub fn begin(world: &World) -> Self {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
        let (config, clock) = (world.app.config.clone(), world.clock.clone());
        let sealer = world.app.sealer.clone();
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(async move {
            let db = Db::open(&config.database).await.expect("the database opens");
            let app = App::with_patience(config, sealer, db, clock, patience());
            worker::run(app, stopped).await;
        });
        Self { runtime, _stop: stop }
    }

    /// Every task ends where it waits.
    pub fn kill(self) {
        self.runtime.shutdown_background();
    }
}

/// What a worker had that died is free for the next.
pub async fn leases_run_out(world: &World) {
    world.execute("UPDATE job SET lease_until = 1 WHERE state = 'running'").await;
}

/// Time passes here and at Stripe; what is to be read by then is read.
pub async fn time_passes(world: &World, shop: &Shop, seconds: u64) {
    shop.advance(world, seconds).await;
    let mut tx = world.app.db.begin().await.expect("a transaction");
    usher::areas::billing::wake(&mut tx, &world.app, world.site.id).await.expect("the database answers");
    tx.commit().await.expect("a commit");
}
