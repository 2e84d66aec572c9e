use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use usher_jobs::{Fail, Job, Queue, Run};
use usher_stripe::{
    Client, Kind,
    requests::{
        prices,
        subscription_schedules::{self as schedules, PhaseItem},
        subscriptions as ask,
    },
    views,
};

use super::steps::{ChangeNow, MakeSchedule, SetNext, choose_item, has_price};
use crate::{
    app::App,
    areas::{
        billing::{
            self,
            job::{read_now, to_read},
            outbox::{MAX_ATTEMPTS, Outbox},
            store::{Mark, mark},
        },
        members,
        plans::{self, OP, Plan},
        subscriptions::{change, store, types::Subscription},
    },
    error::Code,
    values::{PlanId, SiteId, SubscriptionId},
};

/// What is made at most: the plan's product and price, a schedule, and what comes next in it.
const N_STEPS: usize = 4;

/// When a plan changes. Readable for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeAt {
    /// At once.
    Now,
    /// When the next period begins.
    PeriodEnd,
}

impl From<change::When> for ChangeAt {
    fn from(when: change::When) -> Self {
        match when {
            change::When::Now => Self::Now,
            change::When::PeriodEnd => Self::PeriodEnd,
        }
    }
}

/// Changes the plan of a subscription at Stripe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangePlan {
    /// Which.
    pub subscription: SubscriptionId,
    /// To which plan.
    pub plan: PlanId,
    /// When.
    pub when: ChangeAt,
    /// Stripe's id of the item, where there are several.
    pub item: Option<String>,
    /// As of when the rest of the period is settled, in microseconds.
    pub prorated_from: i64,
}

impl Job for ChangePlan {
    const KIND: &'static str = "subscriptions.changePlan";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = MAX_ATTEMPTS;
    const TIMEOUT: Duration = Duration::from_secs(15 * 60);
}

/// How far a change came.
enum Outcome {
    /// It is so at Stripe, or will be at a time in seconds since 1970.
    Done(Option<i64>),
    /// A later call, or a cancel, counts.
    Superseded,
}

/// Applies [`ChangePlan`].
pub async fn change_plan(app: &App, job: ChangePlan, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let row = store::by_id(app.db.read(), site, &job.subscription).await?;
    let Some(external) = row.filter(Subscription::is_at_stripe).and_then(|row| row.external_id) else {
        let mut tx = app.db.begin().await?;
        run.finish(&mut tx, &json!({ "outcome": "gone", "subscription": job.subscription }), &json!({})).await?;
        tx.commit().await?;
        return Ok(());
    };
    let outbox = Outbox::open(app, run, N_STEPS);
    let mut changer = Changer { outbox, job: &job, external: &external };
    let outcome = changer.change().await;
    if !matches!(outcome, Err(Fail::Retry { .. } | Fail::Stopping)) {
        changer.mirror().await?;
    }
    let outcome = outcome?;
    changer.end(outcome).await
}

struct Changer<'a> {
    outbox: Outbox<'a>,
    job: &'a ChangePlan,
    external: &'a str,
}

impl Changer<'_> {
    async fn change(&mut self) -> Result<Outcome, Fail> {
        if !self.counts().await? {
            return Ok(Outcome::Superseded);
        }
        let plan = self.plan().await?;
        let price = plans::ensure(&mut self.outbox, &plan).await?;
        let client = self.outbox.client().await?;
        let view = self.look(&client).await?;
        match self.job.when {
            ChangeAt::Now => self.now(&client, &view, &price).await,
            ChangeAt::PeriodEnd => self.at_period_end(&client, &view, &price).await,
        }
    }

    /// Whether this is the last change that was asked for, and no cancel came after it.
    async fn counts(&self) -> Result<bool, Fail> {
        let (app, site) = (self.outbox.app, self.outbox.site);
        let last = store::plan_job(app.db.read(), site, &self.job.subscription).await?;
        Ok(last.as_deref() == Some(&self.outbox.run.job_id))
    }

    async fn plan(&self) -> Result<Plan, Fail> {
        let plan = plans::store::by_id(self.outbox.app.db.read(), self.outbox.site, &self.job.plan).await?;
        let plan = plan.ok_or_else(|| Fail::fatal(Code::PlanNotFound.name(), "The site has no such plan."))?;
        match plan.archived_at {
            None => Ok(plan),
            Some(_) => Err(Fail::fatal(Code::PlanArchived.name(), "The plan was archived meanwhile.")),
        }
    }

    /// How it stands at Stripe, if it goes on there.
    async fn look(&self, client: &Client) -> Result<views::Subscription, Fail> {
        let ended = || {
            let text = format!("Subscription {} has ended, and cannot be changed any more.", self.job.subscription);
            Fail::fatal(Code::SubscriptionEnded.name(), text)
        };
        let view = match client.read(&ask::get(self.external)).await {
            Ok(answer) => answer.value,
            Err(error) if error.kind() == Kind::Missing => return Err(ended()),
            Err(error) => return Err(self.outbox.failed(error).await),
        };
        if view.status.is_terminal() {
            return Err(ended());
        }
        if view.cancel_at_period_end || view.cancel_at.is_some() {
            let text = format!(
                "Subscription {} is set to end, so its plan is not changed. Take that back with subscriptions.resume first.",
                self.job.subscription
            );
            return Err(Fail::fatal(Code::SubscriptionEnding.name(), text));
        }
        Ok(view)
    }

    fn item(&self, view: &views::Subscription) -> Result<String, Fail> {
        choose_item(view, self.job.item.as_deref()).map_err(|text| Fail::fatal(Code::ItemNeeded.name(), text))
    }

    async fn now(&mut self, client: &Client, view: &views::Subscription, price: &str) -> Result<Outcome, Fail> {
        if let Some(schedule) = view.schedule_id() {
            self.release(client, schedule).await?;
        }
        let item = self.item(view)?;
        let start = view.current_period().map(|period| period.start);
        let prorated_from = self.job.prorated_from.div_euclid(1_000_000);
        if !self.counts().await? {
            return Ok(Outcome::Superseded);
        }
        let step = ChangeNow {
            subscription: self.external,
            item: &item,
            price,
            // A period that has begun since then is settled from now on.
            proration_date: Some(prorated_from).filter(|date| start.is_none_or(|start| *date >= start)),
        };
        self.outbox.make(&step).await?;
        Ok(Outcome::Done(None))
    }

    async fn at_period_end(
        &mut self,
        client: &Client,
        view: &views::Subscription,
        price: &str,
    ) -> Result<Outcome, Fail> {
        let item = self.item(view)?;
        if has_price(view, Some(&item), price) {
            // It has the price; what was to take it away is let go.
            if let Some(schedule) = view.schedule_id() {
                self.release(client, schedule).await?;
            }
            return Ok(Outcome::Done(None));
        }
        let duration = self.duration(client, price).await?;
        if !self.counts().await? {
            return Ok(Outcome::Superseded);
        }
        let id = match view.schedule_id() {
            Some(schedule) => schedule.to_owned(),
            None => self.outbox.make(&MakeSchedule { subscription: self.external }).await?.id,
        };
        let schedule = self.own(client, &id).await?;
        let Some(current) = schedule.phases.first() else {
            return Err(Fail::retry(Code::StripeUnavailable.name(), "Stripe's schedule has no phase yet."));
        };
        let items = |with: Option<(&str, &str)>| {
            let each = view.items.data.iter().filter_map(|one| {
                let own = one.price.as_ref()?.id.as_str();
                let price = with.filter(|(item, _)| one.id.as_deref() == Some(item)).map_or(own, |(_, price)| price);
                Some(PhaseItem { price: price.to_owned(), quantity: one.quantity })
            });
            each.collect::<Vec<_>>()
        };
        let (now, then) = (items(None), items(Some((&item, price))));
        let end = view.current_period().map_or(current.end_date, |period| period.end);
        // A cancel that came meanwhile is not taken back by what the schedule would do at its end.
        if !self.counts().await? || schedule.end_behavior.as_deref() == Some("cancel") {
            return Ok(Outcome::Superseded);
        }
        let step = SetNext {
            schedule: &id,
            now: &now,
            then: &then,
            span: (current.start_date, end),
            price,
            duration: (&duration.0, duration.1),
        };
        self.outbox.make(&step).await?;
        Ok(Outcome::Done(Some(end)))
    }

    /// The period of a price, as Stripe has it.
    async fn duration(&self, client: &Client, price: &str) -> Result<(String, u32), Fail> {
        let view = match client.read(&prices::get(price)).await {
            Ok(answer) => answer.value,
            Err(error) => return Err(self.outbox.failed(error).await),
        };
        let recurring = view.recurring.as_ref();
        let recurring = recurring.map(|one| (one.interval.clone(), u32::try_from(one.interval_count).unwrap_or(1)));
        recurring.ok_or_else(|| Fail::fatal(Code::StripeRefused.name(), "The plan's price at Stripe is paid once."))
    }

    /// A schedule that Usher made, or that changes nothing; another is its owner's.
    async fn own(&self, client: &Client, id: &str) -> Result<views::SubscriptionSchedule, Fail> {
        let view = match client.read(&schedules::get(id)).await {
            Ok(answer) => answer.value,
            Err(error) => return Err(self.outbox.failed(error).await),
        };
        let is_ours = view.metadata.contains_key(OP) || view.changes_nothing();
        if is_ours || !view.is_live() || view.end_behavior.as_deref() == Some("cancel") {
            return Ok(view);
        }
        let text = format!(
            "A subscription schedule that Usher did not make ({id}) changes the subscription. Change or release it in the \
             Stripe dashboard, and try again."
        );
        Err(Fail::fatal(Code::SubscriptionScheduled.name(), text))
    }

    /// Lets a subscription go from its schedule.
    async fn release(&self, client: &Client, id: &str) -> Result<(), Fail> {
        if !self.own(client, id).await?.is_live() {
            return Ok(());
        }
        match self.outbox.set(client, &schedules::release(id)).await {
            Ok(_) => Ok(()),
            // Released meanwhile.
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Missing) => Ok(()),
            Err(error) => Err(self.outbox.failed(error).await),
        }
    }

    /// Has the mirror read what has become of it.
    async fn mirror(&self) -> Result<(), Fail> {
        let (app, site) = (self.outbox.app, self.outbox.site);
        let mut tx = app.db.begin().await?;
        let heard = Mark { kind: "subscription", object: self.external, source: "write", event: None };
        mark(tx.conn(), site, &heard, app.clock.now()).await?;
        billing::wake(&mut tx, app, site).await?;
        tx.commit().await?;
        let (connection, client) = to_read(app, site).await?;
        read_now(app, self.outbox.run, (&connection, &client), ("subscription", self.external)).await
    }

    async fn end(&self, outcome: Outcome) -> Result<(), Fail> {
        let (app, site, run) = (self.outbox.app, self.outbox.site, self.outbox.run);
        let id = &self.job.subscription;
        let mut tx = app.db.begin().await?;
        // Whoever writes to a subscription holds its member first.
        if let Some(row) = store::by_id(tx.conn(), site, id).await? {
            members::store::hold(tx.conn(), site, &row.member_id).await?;
        }
        store::plan_job_done(tx.conn(), site, id, &run.job_id).await?;
        let row = store::by_id(tx.conn(), site, id).await?;
        let (outcome, at) = match outcome {
            Outcome::Done(at) => ("done", at),
            Outcome::Superseded => ("superseded", None),
        };
        let at = at.map(|seconds| crate::values::Time::from_micros(seconds.saturating_mul(1_000_000)));
        let result = json!({
            "outcome": outcome, "subscription": id, "plan": self.job.plan, "changesAt": at,
            "status": row.as_ref().map(|row| row.status.as_str()), "externalId": self.external,
        });
        run.finish(&mut tx, &result, &json!({ "total": N_STEPS, "done": N_STEPS })).await?;
        tx.commit().await?;
        Ok(())
    }
}
