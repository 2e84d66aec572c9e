//! Subscriptions.

use serde::{Deserialize, Serialize};

use super::lenient::{flag, or_default};
use super::{Customer, Invoice, List, Metadata, Period, Price, Ref};

/// What is paid again and again.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Subscription {
    /// `sub_…`.
    pub id: String,
    /// Who pays.
    pub customer: Option<Ref<Customer>>,
    /// How it stands. It is not all: see [`Subscription::pause_collection`].
    pub status: SubscriptionStatus,
    /// What is paid for.
    #[serde(default)]
    pub items: List<SubscriptionItem>,
    /// What is paid for, in shapes older than prices.
    pub plan: Option<Price>,
    /// Before 2025-03-31; see [`Subscription::current_period`].
    pub current_period_start: Option<i64>,
    /// Before 2025-03-31; see [`Subscription::current_period`].
    pub current_period_end: Option<i64>,
    /// When it was made.
    pub created: Option<i64>,
    /// When it began, which may be before it was made.
    pub start_date: Option<i64>,
    /// When its free days began.
    pub trial_start: Option<i64>,
    /// When its free days end.
    pub trial_end: Option<i64>,
    /// Whether it ends with the period that is paid for.
    #[serde(default, deserialize_with = "flag")]
    pub cancel_at_period_end: bool,
    /// When it will end.
    pub cancel_at: Option<i64>,
    /// When somebody ended it, or said that it should end.
    pub canceled_at: Option<i64>,
    /// Why it ends.
    pub cancellation_details: Option<CancellationDetails>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// How its invoices are treated while it is paused this way; it stays `active`.
    pub pause_collection: Option<PauseCollection>,
    /// Its latest invoice.
    pub latest_invoice: Option<Ref<Invoice>>,
    /// The schedule that changes it, which keeps it from being paused.
    pub schedule: Option<serde_json::Value>,
    /// How it is billed.
    pub billing_mode: Option<BillingMode>,
    /// `charge_automatically` or `send_invoice`.
    pub collection_method: Option<String>,
    /// What it is paid in, in small letters.
    pub currency: Option<String>,
    /// What was kept with it.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// Whether it is about real money.
    pub livemode: Option<bool>,
}

impl Subscription {
    /// The period that is paid for, or being paid for. With several items it is that which ends last.
    pub fn current_period(&self) -> Option<Period> {
        let items = self.items.data.iter().filter_map(SubscriptionItem::period);
        items.max_by_key(|period| period.end).or_else(|| period(self.current_period_start, self.current_period_end))
    }

    /// What is paid for, in all shapes: the item, where there are items, and its price. Usher sells subscriptions of one
    /// price; others may have several.
    pub fn sold(&self) -> impl Iterator<Item = (Option<&SubscriptionItem>, &Price)> {
        let of_items =
            self.items.data.iter().filter_map(|item| Some((Some(item), item.price.as_ref().or(item.plan.as_ref())?)));
        let of_itself = self.plan.as_ref().filter(|_| self.items.data.is_empty());
        of_items.chain(of_itself.map(|price| (None, price)))
    }

    /// The prices of what is paid for.
    pub fn prices(&self) -> impl Iterator<Item = &Price> {
        self.sold().map(|(_, price)| price)
    }

    /// The id of the first price.
    pub fn price_id(&self) -> Option<&str> {
        self.prices().next().map(|price| price.id.as_str())
    }

    /// The id of the first product.
    pub fn product_id(&self) -> Option<&str> {
        self.prices().next()?.product.as_ref().map(Ref::id)
    }

    /// Who pays.
    pub fn customer_id(&self) -> Option<&str> {
        self.customer.as_ref().map(Ref::id)
    }

    /// The id of the schedule that changes it.
    pub fn schedule_id(&self) -> Option<&str> {
        let schedule = self.schedule.as_ref()?;
        schedule.as_str().or_else(|| schedule.get("id")?.as_str())
    }

    /// Whether [`crate::requests::subscriptions::pause`] may be tried: flexible billing, and no schedule.
    pub fn can_pause(&self) -> bool {
        self.schedule.is_none() && self.billing_mode.as_ref().is_some_and(|mode| mode.kind == "flexible")
    }
}

/// One thing that a subscription is for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SubscriptionItem {
    /// `si_…`.
    pub id: Option<String>,
    /// What it costs.
    pub price: Option<Price>,
    /// What it costs, in shapes older than prices.
    pub plan: Option<Price>,
    /// How many.
    pub quantity: Option<i64>,
    /// When its period began, since 2025-03-31.
    pub current_period_start: Option<i64>,
    /// When its period ends, since 2025-03-31.
    pub current_period_end: Option<i64>,
}

impl SubscriptionItem {
    fn period(&self) -> Option<Period> {
        period(self.current_period_start, self.current_period_end)
    }
}

fn period(start: Option<i64>, end: Option<i64>) -> Option<Period> {
    Some(Period { start: start?, end: end? })
}

/// How a subscription stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// The first payment has not come yet; it has 23 hours.
    Incomplete,
    /// The first payment never came. For good.
    IncompleteExpired,
    /// In its free days.
    Trialing,
    /// Paid.
    Active,
    /// The latest payment failed or is late, and is tried again.
    PastDue,
    /// Ended, for good.
    Canceled,
    /// The tries are over; invoices are made and stay open.
    Unpaid,
    /// No invoices are made: no card at the end of the free days, or paused by hand.
    Paused,
    /// A word that Stripe has learned since.
    #[serde(untagged)]
    Other(String),
}

impl SubscriptionStatus {
    /// Stripe's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Canceled => "canceled",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
            Self::Other(word) => word,
        }
    }

    /// Whether it is over and can never come back.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }
}

/// How the invoices of a paused subscription are treated.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PauseCollection {
    /// `void`, `keep_as_draft` or `mark_uncollectible`.
    pub behavior: Option<String>,
    /// When it goes on by itself.
    pub resumes_at: Option<i64>,
}

/// How a subscription is billed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BillingMode {
    /// `classic` or `flexible`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Why a subscription ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CancellationDetails {
    /// `cancellation_requested`, `payment_disputed` or `payment_failed`.
    pub reason: Option<String>,
}
