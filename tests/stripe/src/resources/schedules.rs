//! `/v1/subscription_schedules`: what a subscription becomes at the end of its period. Made from a subscription only, and
//! of two phases at most.

use serde_json::{Value, json};

use super::{plan_changes, subscriptions::Item};
use crate::{
    account::Account,
    billing,
    error::{ApiError, Result},
    form::{Metadata, Params},
    table::Record,
};

/// A schedule.
#[derive(Debug)]
pub struct SubscriptionSchedule {
    /// `sub_sched_…`.
    id: String,
    created: i64,
    subscription: String,
    customer: String,
    status: &'static str,
    end_behavior: String,
    phases: Vec<Phase>,
    metadata: Metadata,
}

#[derive(Debug, Clone)]
struct Phase {
    items: Vec<(String, i64)>,
    start: i64,
    end: i64,
}

impl Record for SubscriptionSchedule {
    const WHAT: &'static str = "subscription schedule";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, account: &Account) -> Value {
        let phases = self.phases.iter().map(|phase| {
            let items = phase.items.iter().map(|(price, quantity)| json!({ "price": price, "quantity": quantity }));
            json!({
                "items": items.collect::<Vec<_>>(), "start_date": phase.start, "end_date": phase.end, "metadata": {},
                "proration_behavior": "none", "add_invoice_items": [], "currency": account.currency,
            })
        });
        json!({
            "id": self.id,
            "object": "subscription_schedule",
            "created": self.created,
            "customer": self.customer,
            "end_behavior": self.end_behavior,
            "livemode": false,
            "metadata": self.metadata,
            "phases": phases.collect::<Vec<_>>(),
            "status": self.status,
            "subscription": (self.status == "active").then_some(&self.subscription),
            "released_subscription": (self.status == "released").then_some(&self.subscription),
        })
    }
}

/// `POST /v1/subscription_schedules`
pub fn create(account: &mut Account, mut params: Params) -> Result<Value> {
    let from = params.required("from_subscription")?;
    params.finish()?;
    let subscription = account.subscriptions.find(&from, "from_subscription")?;
    if subscription.ended() {
        return Err(ApiError::request(400, "You cannot migrate a subscription that is already canceled."));
    }
    if let Some(schedule) = &subscription.schedule {
        let message = format!("You cannot migrate a subscription that is already attached to a schedule: {schedule}");
        return Err(ApiError::request(400, message));
    }
    let phase = Phase {
        items: subscription.items.iter().map(|item| (item.price.clone(), item.quantity)).collect(),
        start: subscription.period.0,
        end: subscription.period.1,
    };
    let schedule = SubscriptionSchedule {
        created: account.now,
        customer: subscription.customer.clone(),
        status: "active",
        end_behavior: if subscription.cancel_at.is_some() { "cancel".into() } else { "release".into() },
        phases: vec![phase],
        metadata: Metadata::new(),
        subscription: from.clone(),
        id: account.rng.id("sub_sched"),
    };
    let (id, shown) = (schedule.id.clone(), schedule.render(account));
    account.schedules.insert(schedule);
    billing::change(account, &from, |subscription| subscription.schedule = Some(id));
    account.emit("subscription_schedule.created", &shown, None);
    Ok(shown)
}

/// `GET /v1/subscription_schedules/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(account.schedules.find(id, "id")?.render(account))
}

/// `POST /v1/subscription_schedules/{id}`
pub fn update(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    let metadata = params.metadata("metadata")?;
    let end_behavior = params.word("end_behavior", &["release", "cancel"])?;
    let phases = params.branches("phases")?.flatten().unwrap_or_default();
    params.ignore(&["proration_behavior"]);
    params.finish()?;
    let schedule = active(account, id)?;
    let subscription = account.subscriptions.find(&schedule.subscription, "subscription")?;
    let mut taken: Vec<Phase> = Vec::new();
    for (n, mut phase) in phases.into_iter().enumerate() {
        let items = phase.branches("items")?.flatten().ok_or_else(|| ApiError::missing("phases[0][items]"))?;
        let items = items.into_iter().map(|mut item| {
            let one = (item.required("price")?, item.int("quantity")?.unwrap_or(1));
            item.finish()?;
            plan_changes::check(subscription, account.prices.find(&one.0, "phases[0][items][0][price]")?)?;
            Ok(one)
        });
        let items = items.collect::<Result<Vec<(String, i64)>>>()?;
        plan_changes::check_prices(account, &items.iter().map(|(price, _)| price.as_str()).collect::<Vec<_>>())?;
        let (start, end) = (phase.int("start_date")?, phase.int("end_date")?);
        let duration = match phase.branch("duration")?.flatten() {
            Some(mut duration) => {
                let interval = duration.word("interval", &["day", "week", "month", "year"])?;
                let count = duration.int("interval_count")?.unwrap_or(1);
                duration.finish()?;
                interval.map(|interval| (interval, count))
            }
            None => None,
        };
        phase.ignore(&["proration_behavior"]);
        phase.finish()?;
        let start = match (start, taken.last()) {
            (Some(start), _) => start,
            (None, Some(before)) => before.end,
            (None, None) => return Err(ApiError::missing("phases[0][start_date]")),
        };
        if n == 0 && start != schedule.phases[0].start {
            return Err(ApiError::request(400, "You can not modify the start date of the current phase."));
        }
        let end = match (end, duration) {
            (Some(end), None) => end,
            (None, Some((interval, count))) => {
                let months = if interval == "year" { count * 12 } else { count };
                match interval.as_str() {
                    "day" => start + count * 86_400,
                    "week" => start + count * 7 * 86_400,
                    _ => billing::months_after(start, months),
                }
            }
            _ => return Err(ApiError::request(400, "Give one of `end_date` and `duration`.")),
        };
        taken.push(Phase { items, start, end });
    }
    if let Some(schedule) = account.schedules.get_mut(id) {
        metadata.apply(&mut schedule.metadata);
        schedule.end_behavior = end_behavior.unwrap_or_else(|| schedule.end_behavior.clone());
        if !taken.is_empty() {
            schedule.phases = taken;
        }
    }
    let shown = account.shown(|account| &account.schedules, id);
    account.emit("subscription_schedule.updated", &shown, None);
    Ok(shown)
}

/// `POST /v1/subscription_schedules/{id}/release`
pub fn release(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    params.ignore(&["preserve_cancel_date"]);
    params.finish()?;
    let subscription = active(account, id)?.subscription.clone();
    end(account, id, &subscription, "released");
    Ok(account.shown(|account| &account.schedules, id))
}

fn active<'a>(account: &'a Account, id: &str) -> Result<&'a SubscriptionSchedule> {
    let schedule = account.schedules.find(id, "id")?;
    if schedule.status == "active" {
        return Ok(schedule);
    }
    let status = schedule.status;
    let message = format!("You cannot change a subscription schedule that is currently in the `{status}` status.");
    Err(ApiError::request(400, message))
}

fn end(account: &mut Account, id: &str, subscription: &str, status: &'static str) {
    if let Some(schedule) = account.schedules.get_mut(id) {
        schedule.status = status;
    }
    let shown = account.shown(|account| &account.schedules, id);
    account.emit(&format!("subscription_schedule.{status}"), &shown, None);
    billing::change(account, subscription, |subscription| subscription.schedule = None);
}

/// A subscription has ended, and its schedule with it.
pub fn cancel_of(account: &mut Account, subscription: &str) {
    let schedule = account.subscriptions.get_mut(subscription).and_then(|found| found.schedule.take());
    if let Some(schedule) = schedule.and_then(|id| account.schedules.get_mut(&id)) {
        schedule.status = "canceled";
    }
}

/// The period of a subscription has ended: the next phase begins, or the schedule lets it go. Whether it became another.
pub fn enter(account: &mut Account, subscription: &str) -> bool {
    let Some(found) = account.subscriptions.get(subscription) else { return false };
    let Some(schedule) = found.schedule.as_ref().and_then(|id| account.schedules.get(id)) else { return false };
    let (id, at) = (schedule.id.clone(), found.period.1);
    let Some(next) = schedule.phases.iter().find(|phase| phase.start == at).cloned() else {
        if schedule.phases.last().is_none_or(|last| last.end <= at) {
            end(account, &id, subscription, "released");
        }
        return false;
    };
    let (now, mut left) = (account.now, found.items.clone());
    // An item stays itself where its price does; of the others the first become what is new.
    let kept: Vec<_> = next
        .items
        .iter()
        .map(|(price, _)| left.iter().position(|item| item.price == *price).map(|at| left.remove(at)))
        .collect();
    let items = next.items.into_iter().zip(kept).map(|((price, quantity), kept)| {
        let item = kept.or_else(|| (!left.is_empty()).then(|| left.remove(0)));
        let (id, created, metadata) = match item {
            Some(item) => (item.id, item.created, item.metadata),
            None => (account.rng.id("si"), now, Metadata::new()),
        };
        Item { id, created, price, quantity, metadata }
    });
    let items = items.collect();
    if let Some(found) = account.subscriptions.get_mut(subscription) {
        found.items = items;
    }
    true
}
