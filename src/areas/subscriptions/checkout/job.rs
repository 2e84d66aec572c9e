use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use usher_jobs::{Fail, Job, Queue, Run, State};
use usher_stripe::{
    Client, Kind,
    requests::{coupons, customers},
};

use super::{
    Trial,
    close::{all_of, close, pays},
    steps::{MakeCustomer, OpenSession},
    store, subscriptions, trial,
};
use crate::{
    app::App,
    areas::{
        billing::outbox::{MAX_ATTEMPTS, Outbox, Step as _},
        members::{self, Member},
        plans::{self, Plan},
    },
    error::Code,
    values::{JobId, MemberId, PlanId, SiteId},
};

/// What is made at most: the customer, the plan's product and price, the page.
const N_STEPS: usize = 4;

/// Makes a page on which a member pays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkout {
    /// Who.
    pub member: MemberId,
    /// What for.
    pub plan: PlanId,
    /// Where the buyer goes afterwards.
    pub success_url: String,
    /// Where the buyer goes who does not want to.
    pub cancel_url: Option<String>,
    /// A coupon of Stripe's.
    pub coupon: Option<String>,
    /// Whether a second live subscription may come of it.
    pub allow_second: bool,
    /// Whether it begins with the plan's trial.
    #[serde(default)]
    pub trial: Trial,
}

impl Job for Checkout {
    const KIND: &'static str = "subscriptions.createCheckout";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = Duration::from_secs(15 * 60);
}

/// The member is gone, or going.
pub fn gone() -> Fail {
    Fail::fatal(Code::MemberDeleting.name(), "The member is being deleted, so nothing is sold any more.")
}

/// Applies [`Checkout`].
pub async fn checkout(app: &App, job: Checkout, run: &Run) -> Result<(), Fail> {
    let mut outbox = Outbox::open(app, run, N_STEPS);
    let id = outbox.job()?;
    let made = make(&mut outbox, &job, &id).await;
    if let Err(Fail::Fatal { .. }) = &made {
        let mut tx = app.db.begin().await?;
        store::set_status(tx.conn(), outbox.site, &id, "failed", app.clock.now()).await?;
        tx.commit().await?;
    }
    made
}

async fn make(outbox: &mut Outbox<'_>, job: &Checkout, id: &JobId) -> Result<(), Fail> {
    begin(outbox, id).await?;
    let (app, site) = (outbox.app, outbox.site);
    let member = members::store::by_id(app.db.read(), site, &job.member).await?.ok_or_else(gone)?;
    let plan = plan(app, site, &job.plan).await?;
    let client = outbox.client().await?;
    let customer = customer(outbox, &client, &member).await?;
    let price = plans::ensure(outbox, &plan).await?;
    if let Some(coupon) = &job.coupon {
        usable(outbox, &client, coupon).await?;
    }
    let own = outbox.op(OpenSession::NAME);
    close(outbox, &client, &customer, Some(&own)).await?;
    let at_stripe = all_of(outbox, &client, &customer).await?;
    if !job.allow_second && pays(outbox, &at_stripe, &plan, &price).await? {
        let text = "The member has just subscribed, so nothing more is sold. allowSecond: true would sell a second subscription, \
                    which is charged besides.";
        return Err(Fail::fatal(Code::SubscriptionExists.name(), text));
    }
    let here = subscriptions::of_member(app.db.read(), site, &member.id).await?;
    let trial_days = match trial::had_one(&at_stripe) {
        true => 0,
        false => trial::days(job.trial, &plan, &member, &here),
    };
    let now = app.clock.now();
    let step = OpenSession {
        app,
        site,
        job: id,
        wanted: job,
        plan: &plan,
        trial_days,
        customer: &customer,
        price: &price,
        now,
    };
    let result = |page: &super::steps::Session| json!({ "url": page.url, "sessionId": page.id, "expiresAt": page.until(), "trialDays": trial_days });
    match outbox.make_last(&step, result).await {
        Ok(_) => Ok(()),
        Err(fail) => {
            if matches!(&fail, Fail::Fatal { code, .. } if *code == Code::MemberDeleting.name()) {
                close(outbox, &client, &customer, None).await?;
            }
            Err(fail)
        }
    }
}

/// Makes this the one checkout of its member that a job is at, or waits until it can be.
async fn begin(outbox: &Outbox<'_>, id: &JobId) -> Result<(), Fail> {
    let (app, site, now) = (outbox.app, outbox.site, outbox.app.clock.now());
    let mut tx = app.db.begin().await?;
    let Some((member, _, true)) = store::hold(tx.conn(), site, id).await? else { return Err(gone()) };
    for (other,) in store::making(tx.conn(), site, &member).await? {
        if other == *id {
            continue;
        }
        let row = app.jobs.get(tx.conn(), site.number(), other.as_str()).await?;
        if row.is_some_and(|row| matches!(row.state, State::Queued | State::Running)) {
            let text = format!("Another checkout of the member is being made by job {other}; this one comes after it.");
            return Err(Fail::retry(Code::Unavailable.name(), text));
        }
        // Its job was cancelled, or is gone.
        store::set_status(tx.conn(), site, &other, "failed", now).await?;
    }
    store::set_status(tx.conn(), site, id, "making", now).await?;
    tx.commit().await?;
    Ok(())
}

async fn plan(app: &App, site: SiteId, id: &PlanId) -> Result<Plan, Fail> {
    let plan = plans::store::by_id(app.db.read(), site, id).await?;
    let plan = plan.ok_or_else(|| Fail::fatal(Code::PlanNotFound.name(), "The site has no such plan."))?;
    match plan.archived_at {
        None => Ok(plan),
        Some(_) => Err(Fail::fatal(Code::PlanArchived.name(), "The plan was archived meanwhile.")),
    }
}

/// Stripe's id of who pays. One that is known here may have been deleted there.
async fn customer(outbox: &mut Outbox<'_>, client: &Client, member: &Member) -> Result<String, Fail> {
    let (app, site) = (outbox.app, outbox.site);
    if let Some(known) = store::customer(app.db.read(), site, &member.id).await? {
        match client.read(&customers::get(&known)).await {
            Ok(answer) if !answer.value.deleted => return Ok(known),
            Ok(_) => {}
            Err(error) if error.kind() == Kind::Missing => {}
            Err(error) => return Err(outbox.failed(error).await),
        }
    }
    Ok(outbox.make(&MakeCustomer { site, member, now: app.clock.now() }).await?.id)
}

/// Refuses a coupon that Stripe would not take.
async fn usable(outbox: &Outbox<'_>, client: &Client, coupon: &str) -> Result<(), Fail> {
    let refused = |text: String| Fail::fatal(Code::CouponRefused.name(), text);
    match client.read(&coupons::get_one(coupon)).await {
        Ok(answer) if answer.value.valid => Ok(()),
        Ok(_) => Err(refused(format!("The coupon {coupon:?} can no longer be used."))),
        Err(error) if matches!(error.kind(), Kind::Missing | Kind::Refused) => {
            Err(refused(format!("Stripe has no coupon {coupon:?}.")))
        }
        // Only this checkout needs it, so it holds up nothing else.
        Err(error) if error.kind() == Kind::Permission => {
            let text = "The site's Stripe key may not read coupons; `usher stripe check` lists what it needs. Sell without \
                        one, or try again once the key may.";
            Err(refused(text.into()))
        }
        Err(error) => Err(outbox.failed(error).await),
    }
}
