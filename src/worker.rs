//! The workers: which handler applies which kind of job. The one list.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use usher_jobs::Runner;

use crate::{
    app::App,
    areas::{
        access, activity,
        billing::{self, catchup, sweep as billing_sweep},
        blocklist, emails, groups, members, plans, subscriptions, uploads,
    },
};

/// Applies jobs until `stop` turns true, then gives back what is running.
pub async fn run(app: Arc<App>, stop: watch::Receiver<bool>) {
    const HOUR: Duration = Duration::from_secs(3600);
    let with = || app.clone();
    let (grants, lapse) = (with(), with());
    let (imports, undos, forgets, retention, sweep) = (with(), with(), with(), with(), with());
    let (adds, removals, moves, deletions) = (with(), with(), with(), with());
    let (gone_members, mergers) = (with(), with());
    let (members, exports) = (with(), with());
    let (syncs, ticks) = (with(), with());
    let (catchups, listens, nights, sweeps) = (with(), with(), with(), with());
    let (cancels, pauses, resumes, resyncs) = (with(), with(), with(), with());
    let (pushes, plan_imports, checkouts) = (with(), with(), with());
    let deliveries = with();
    Runner::new(app.jobs.clone())
        .on(move |job: blocklist::Import, run| blocklist::import(imports.clone(), job, run))
        .on(move |job: members::Import, run| members::import(members.clone(), job, run))
        .on(move |job: members::Export, run| members::export(exports.clone(), job, run))
        .on(move |job: blocklist::Undo, run| {
            let app = undos.clone();
            async move { blocklist::undo(&app, job, &run).await }
        })
        .on(move |_: blocklist::Forget, run| {
            let app = forgets.clone();
            async move { blocklist::forget(&app, &run).await }
        })
        .on(move |job: access::Grant, run| access::grant_to_group(grants.clone(), job, run))
        .on(move |_: access::Lapse, run| {
            let app = lapse.clone();
            async move { access::lapse(&app, &run).await }
        })
        .on(move |job: groups::AddByFilter, run| {
            let app = adds.clone();
            async move { groups::add(&app, job, &run).await }
        })
        .on(move |job: groups::RemoveByFilter, run| {
            let app = removals.clone();
            async move { groups::remove(&app, job, &run).await }
        })
        .on(move |job: groups::MoveByFilter, run| {
            let app = moves.clone();
            async move { groups::shift(&app, job, &run).await }
        })
        .on(move |job: groups::Delete, run| {
            let app = deletions.clone();
            async move { groups::delete(&app, job, &run).await }
        })
        .on(move |job: members::Delete, run| {
            let app = gone_members.clone();
            async move { members::delete(&app, job, &run).await }
        })
        .on(move |job: members::Merge, run| {
            let app = mergers.clone();
            async move { members::merge(&app, job, &run).await }
        })
        .on(move |job: billing::Sync, run| billing::sync(syncs.clone(), job, run))
        .on(move |_: billing::Tick, run| {
            let app = ticks.clone();
            async move { billing::tick(&app, &run).await }
        })
        .on(move |_: catchup::CatchUp, run| {
            let app = catchups.clone();
            async move { catchup::catch_up(&app, &run).await }
        })
        .on(move |job: catchup::Listen, run| {
            let app = listens.clone();
            async move { catchup::listen(&app, job, &run).await }
        })
        .on(move |_: billing_sweep::Nightly, run| {
            let app = nights.clone();
            async move { billing_sweep::nightly(&app, &run).await }
        })
        .on(move |job: billing_sweep::Sweep, run| {
            let app = sweeps.clone();
            async move { billing_sweep::sweep(&app, job, &run).await }
        })
        .on(move |job: subscriptions::Cancel, run| {
            let app = cancels.clone();
            async move { subscriptions::cancel(&app, job, &run).await }
        })
        .on(move |job: subscriptions::Pause, run| {
            let app = pauses.clone();
            async move { subscriptions::pause(&app, job, &run).await }
        })
        .on(move |job: subscriptions::Resume, run| {
            let app = resumes.clone();
            async move { subscriptions::resume(&app, job, &run).await }
        })
        .on(move |job: subscriptions::Resync, run| {
            let app = resyncs.clone();
            async move { subscriptions::resync(&app, job, &run).await }
        })
        .on(move |job: plans::Push, run| {
            let app = pushes.clone();
            async move { plans::push(&app, job, &run).await }
        })
        .on(move |job: plans::Import, run| {
            let app = plan_imports.clone();
            async move { plans::import(&app, job, &run).await }
        })
        .on(move |job: subscriptions::Checkout, run| {
            let app = checkouts.clone();
            async move { subscriptions::checkout(&app, job, &run).await }
        })
        .on(move |job: emails::Deliver, run| {
            let app = deliveries.clone();
            async move { emails::deliver(&app, job, &run).await }
        })
        .on(move |_: activity::Retention, run| {
            let app = retention.clone();
            async move { activity::retain(&app, &run).await }
        })
        .on(move |_: uploads::Sweep, run| {
            let app = sweep.clone();
            async move { uploads::sweep(&app, &run).await }
        })
        .every(access::Lapse::EVERY, access::Lapse)
        .every(billing::Tick::EVERY, billing::Tick)
        .every(catchup::CatchUp::EVERY, catchup::CatchUp)
        .every(HOUR, billing_sweep::Nightly)
        .every(HOUR * 6, activity::Retention)
        .every(HOUR * 6, blocklist::Forget)
        .every(HOUR, uploads::Sweep)
        .run(stop, app.config.drain)
        .await;
}
