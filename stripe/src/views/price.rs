//! Prices, and the plans that came before them.

use serde::Deserialize;

use super::lenient::{flag, or_default};
use super::{Metadata, Product, Ref};

/// What a product costs. A plan, as subscriptions had before there were prices, reads as one too.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Price {
    /// `price_…`, or a plan's id.
    pub id: String,
    /// Of what.
    pub product: Option<Ref<Product>>,
    /// Whether it can be bought.
    #[serde(default, deserialize_with = "flag")]
    pub active: bool,
    /// Of which currency, in small letters.
    pub currency: Option<String>,
    /// How much; see [`Price::amount`].
    pub unit_amount: Option<i64>,
    /// How much a plan was; see [`Price::amount`].
    #[serde(rename = "amount")]
    pub plan_amount: Option<i64>,
    /// How much, where it is not a whole number of minor units.
    pub unit_amount_decimal: Option<String>,
    /// `per_unit`, or `tiered` where the amount depends on how many are bought.
    pub billing_scheme: Option<String>,
    /// How often; see [`Price::every`].
    pub recurring: Option<Recurring>,
    /// How often a plan was paid; see [`Price::every`].
    pub interval: Option<String>,
    /// How often a plan was paid; see [`Price::every`].
    pub interval_count: Option<i64>,
    /// The name by which it is found.
    pub lookup_key: Option<String>,
    /// A name for the owner.
    pub nickname: Option<String>,
    /// When it was made.
    pub created: Option<i64>,
    /// What was kept with it.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// Whether it is about real money.
    pub livemode: Option<bool>,
}

/// How often something is paid.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Recurring {
    /// `day`, `week`, `month` or `year`.
    pub interval: String,
    /// Every so many.
    #[serde(default = "one")]
    pub interval_count: i64,
    /// `licensed`, or `metered` where what was used is paid.
    pub usage_type: Option<String>,
    /// How many days are free at first, unless the subscription says otherwise.
    pub trial_period_days: Option<i64>,
}

fn one() -> i64 {
    1
}

impl Price {
    /// How much, unless it depends on something or is no whole number of minor units.
    pub fn amount(&self) -> Option<i64> {
        self.unit_amount.or(self.plan_amount)
    }

    /// How often; nothing if once.
    pub fn every(&self) -> Option<Recurring> {
        let of_plan = || {
            let interval_count = self.interval_count.unwrap_or(1);
            let interval = self.interval.clone()?;
            Some(Recurring { interval, interval_count, usage_type: None, trial_period_days: None })
        };
        self.recurring.clone().or_else(of_plan)
    }
}
