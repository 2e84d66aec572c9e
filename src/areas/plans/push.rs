use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use usher_db::Tx;
use usher_jobs::{Fail, Job, Jobs, Owner, Queue, Run};
use usher_stripe::{
    Error,
    requests::{prices, products},
};

use super::{
    make::{self, ensure},
    store,
    types::Plan,
};
use crate::{
    app::App,
    areas::billing::outbox::{MAX_ATTEMPTS, Outbox},
    error::Code,
    values::{PlanId, SiteId},
};

/// How often one attempt compares.
const MAX_ROUNDS: u32 = 5;

/// Brings Stripe to what a plan is here: makes it, names it, takes it off sale.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Push {
    /// Which.
    pub plan: PlanId,
}

impl Job for Push {
    const KIND: &'static str = "plans.update";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = Duration::from_secs(15 * 60);
}

/// Brings Stripe to every plan of a site that was made there, once the site may write there again: what was changed
/// meanwhile is not known there. Gives how many.
pub async fn push_all(tx: &mut Tx, jobs: &Jobs, site: SiteId) -> usher_db::Result<usize> {
    let plans = store::made_at_stripe(tx.conn(), site).await?;
    for (plan,) in &plans {
        jobs.enqueue(tx, Owner::site(site.number()), &Push { plan: plan.clone() }).await?;
    }
    Ok(plans.len())
}

/// Applies [`Push`]: reads, writes what is different, and reads again until nothing is, here and there.
pub async fn push(app: &App, job: Push, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let mut outbox = Outbox::open(app, run, make::N_STEPS);
    for _ in 0..MAX_ROUNDS {
        let plan = plan(app, site, &job.plan).await?;
        let price = ensure(&mut outbox, &plan).await?;
        let was_different = match bring(&mut outbox, &plan, &price).await? {
            Ok(was_different) => was_different,
            Err(error) => return Err(outbox.failed(error).await),
        };
        if was_different {
            continue;
        }
        let mut tx = app.db.begin().await?;
        let now = store::hold(tx.conn(), site, &job.plan).await?;
        if now.is_none_or(|now| now.updated_at == plan.updated_at) {
            let all = json!({ "total": make::N_STEPS, "done": make::N_STEPS });
            run.finish(&mut tx, &json!({ "plan": plan.id, "price": price }), &all).await?;
            tx.commit().await?;
            return Ok(());
        }
    }
    Err(Fail::retry(Code::StripeUnavailable.name(), "Stripe does not keep what is written. Usher goes on trying."))
}

async fn plan(app: &App, site: SiteId, id: &PlanId) -> Result<Plan, Fail> {
    let plan = store::by_id(app.db.read(), site, id).await?;
    plan.ok_or_else(|| Fail::fatal(Code::PlanNotFound.name(), "The site has no such plan."))
}

/// Writes what is different at Stripe; whether anything was.
async fn bring(outbox: &mut Outbox<'_>, plan: &Plan, price: &str) -> Result<Result<bool, Error>, Fail> {
    let client = outbox.client().await?;
    let written = async {
        let view = client.read(&prices::get(price)).await?.value;
        let sells = plan.archived_at.is_none();
        let mut was_different = false;
        let product = view.product.as_ref().filter(|product| product.id() == plan.id.as_str());
        if let Some(product) = product.and_then(|product| product.whole()) {
            let (name, description) = (plan.name.as_str(), plan.description.as_deref().unwrap_or_default());
            let change = products::ProductChange {
                name: (product.name.as_deref() != Some(name)).then_some(name),
                description: (product.description.as_deref().unwrap_or_default() != description).then_some(description),
                active: (product.active != sells).then_some(sells),
                metadata: None,
            };
            if change.name.is_some() || change.description.is_some() || change.active.is_some() {
                outbox.set(&client, &products::update(&product.id, &change)).await?;
                was_different = true;
            }
        }
        if view.active != sells {
            outbox.set(&client, &prices::set_active(price, sells)).await?;
            was_different = true;
        }
        Ok(was_different)
    };
    Ok(written.await)
}
