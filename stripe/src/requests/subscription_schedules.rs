//! Subscription schedules: what a subscription becomes at the end of its period.

use super::{get as read, post, segment};
use crate::request::Request;
use crate::views::SubscriptionSchedule;

/// One schedule.
pub fn get(id: &str) -> Request<SubscriptionSchedule> {
    read(format!("/subscription_schedules/{}", segment(id)), &[])
}

/// Puts a subscription under a schedule, which has its current period as its one phase and changes nothing yet.
pub fn from_subscription(subscription: &str) -> Request<SubscriptionSchedule> {
    post("/subscription_schedules".to_owned(), &[("from_subscription", subscription)])
}

/// A price and how many of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseItem {
    /// The price.
    pub price: String,
    /// How many.
    pub quantity: Option<i64>,
}

/// What a subscription is now, until when, and what it becomes then.
#[derive(Clone, Debug)]
pub struct NextPhase<'a> {
    /// What it is for now.
    pub now: &'a [PhaseItem],
    /// When that began, as the schedule says; in seconds since 1970.
    pub start: i64,
    /// When it becomes the other, in seconds since 1970.
    pub end: i64,
    /// What it is for then.
    pub then: &'a [PhaseItem],
    /// The period of the new price, such as `month`, and how many of them: after one, the schedule lets it go.
    pub duration: (&'a str, u32),
    /// What to keep with the schedule: a name and a value.
    pub metadata: (&'a str, &'a str),
}

/// Says what a subscription becomes at the end of the current phase. Nothing is prorated: each period has its own price.
pub fn set_next(id: &str, next: &NextPhase<'_>) -> Request<SubscriptionSchedule> {
    let mut form: Vec<(String, String)> = vec![
        ("end_behavior".into(), "release".into()),
        (format!("metadata[{}]", next.metadata.0), next.metadata.1.into()),
        ("phases[0][start_date]".into(), next.start.to_string()),
        ("phases[0][end_date]".into(), next.end.to_string()),
        ("phases[1][duration][interval]".into(), next.duration.0.into()),
        ("phases[1][duration][interval_count]".into(), next.duration.1.to_string()),
        ("phases[1][proration_behavior]".into(), "none".into()),
        ("proration_behavior".into(), "none".into()),
    ];
    for (phase, items) in [next.now, next.then].into_iter().enumerate() {
        for (n, item) in items.iter().enumerate() {
            form.push((format!("phases[{phase}][items][{n}][price]"), item.price.clone()));
            if let Some(quantity) = item.quantity {
                form.push((format!("phases[{phase}][items][{n}][quantity]"), quantity.to_string()));
            }
        }
    }
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    post(format!("/subscription_schedules/{}", segment(id)), &form)
}

/// Lets the subscription of a schedule go on as it is.
pub fn release(id: &str) -> Request<SubscriptionSchedule> {
    post(format!("/subscription_schedules/{}/release", segment(id)), &[])
}
