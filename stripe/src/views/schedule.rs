//! Subscription schedules.

use serde::Deserialize;

use super::lenient::or_default;
use super::{Metadata, Price, Ref, Subscription};

/// What a subscription becomes, and when.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SubscriptionSchedule {
    /// `sub_sched_…`.
    pub id: String,
    /// `not_started`, `active`, `completed`, `released` or `canceled`.
    pub status: Option<String>,
    /// The subscription.
    pub subscription: Option<Ref<Subscription>>,
    /// `release` or `cancel`: what becomes of the subscription after the last phase.
    pub end_behavior: Option<String>,
    /// What it is, one after the other.
    #[serde(default, deserialize_with = "or_default")]
    pub phases: Vec<SchedulePhase>,
    /// What was kept with it.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
}

/// What a subscription is for some time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SchedulePhase {
    /// When it begins, in seconds since 1970.
    pub start_date: i64,
    /// When it ends, in seconds since 1970.
    pub end_date: i64,
    /// What it is for.
    #[serde(default, deserialize_with = "or_default")]
    pub items: Vec<SchedulePhaseItem>,
}

/// A price of a phase.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SchedulePhaseItem {
    /// The price.
    pub price: Option<Ref<Price>>,
    /// How many.
    pub quantity: Option<i64>,
}

impl SubscriptionSchedule {
    /// Whether it is about its subscription still.
    pub fn is_live(&self) -> bool {
        matches!(self.status.as_deref(), Some("active" | "not_started"))
    }

    /// Whether it changes nothing: the subscription stays as it is and goes on.
    pub fn changes_nothing(&self) -> bool {
        self.phases.len() <= 1 && self.end_behavior.as_deref() != Some("cancel")
    }

    /// Whether it ends with this price.
    pub fn leads_to(&self, price: &str) -> bool {
        let last = self.phases.last().filter(|_| self.phases.len() > 1);
        let mut items = last.into_iter().flat_map(|phase| &phase.items);
        items.any(|item| item.price.as_ref().is_some_and(|one| one.id() == price))
    }
}
