//! The workers: which handler applies which kind of job. The one list.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use usher_jobs::{Run, Runner};

use crate::{
    app::App,
    areas::{
        access, activity,
        billing::{self, catchup, sweep as nightly},
        blocklist, emails, groups, members, payments, plans, subscriptions, uploads,
    },
};

/// A runner that applies each kind of job by its handler, which is given the app, the job and its run.
macro_rules! runner {
    ($app:expr, $($job:ty => $handler:path,)*) => {
        Runner::new($app.jobs.clone())$(.on({
            let app = $app.clone();
            move |job: $job, run: Run| {
                let app = app.clone();
                async move { $handler(&app, job, &run).await }
            }
        }))*
    };
}

/// Applies jobs until `stop` turns true, then gives back what is running.
pub async fn run(app: Arc<App>, stop: watch::Receiver<bool>) {
    const HOUR: Duration = Duration::from_secs(3600);
    let runner = runner! { app,
        access::Grant => access::grant_to_group,
        access::Lapse => access::lapse,
        access::Recount => access::recount_all,
        activity::Retention => activity::retain,
        billing::PassAddress => billing::pass_address,
        billing::Sync => billing::sync,
        billing::Tick => billing::tick,
        blocklist::Forget => blocklist::forget,
        blocklist::Import => blocklist::import,
        blocklist::Undo => blocklist::undo,
        catchup::CatchUp => catchup::catch_up,
        catchup::Listen => catchup::listen,
        emails::Deliver => emails::deliver,
        groups::AddByFilter => groups::add,
        groups::Delete => groups::delete,
        groups::MoveByFilter => groups::shift,
        groups::RemoveByFilter => groups::remove,
        members::Delete => members::delete,
        members::Export => members::export,
        members::ExportData => members::export_data,
        members::Fold => members::fold,
        members::Import => members::import,
        members::Merge => members::merge,
        nightly::Nightly => nightly::nightly,
        nightly::Sweep => nightly::sweep,
        payments::Refund => payments::refund,
        plans::Import => plans::import,
        plans::Push => plans::push,
        subscriptions::Cancel => subscriptions::cancel,
        subscriptions::ChangePlan => subscriptions::change_plan,
        subscriptions::Checkout => subscriptions::checkout,
        subscriptions::Pause => subscriptions::pause,
        subscriptions::PortalLink => subscriptions::portal_link,
        subscriptions::Resume => subscriptions::resume,
        subscriptions::Resync => subscriptions::resync,
        uploads::Sweep => uploads::sweep,
    };
    runner
        .every(access::Lapse::EVERY, access::Lapse)
        .every(billing::Tick::EVERY, billing::Tick)
        .every(catchup::CatchUp::EVERY, catchup::CatchUp)
        .every(members::Fold::EVERY, members::Fold)
        .every(HOUR, nightly::Nightly)
        .every(HOUR * 6, activity::Retention)
        .every(HOUR * 6, blocklist::Forget)
        .every(HOUR, uploads::Sweep)
        .run(stop, app.config.drain)
        .await;
}
