//! `/v1/subscriptions`: what a subscription is, get and list. Writing is in `subscription_writes` and `pauses`, what
//! time does to it in `billing`.

use serde_json::{Value, json};

use super::{coupons::Discount, invoices::Line, prices::Recurring};
use crate::{
    account::Account,
    error::Result,
    form::{Metadata, Params},
    table::{Page, Record, list_of},
};

/// A subscription.
#[derive(Debug)]
pub struct Subscription {
    /// `sub_…`.
    pub id: String,
    /// When it was made.
    pub created: i64,
    /// Whose it is.
    pub customer: String,
    /// Three small letters.
    pub currency: String,
    /// What is subscribed to.
    pub items: Vec<Item>,
    /// `active`, `past_due`, ….
    pub status: &'static str,
    /// The moment that periods are counted from.
    pub anchor: i64,
    /// How many periods the current one ends after the anchor.
    pub n_periods: u32,
    /// The current period.
    pub period: (i64, i64),
    /// When it will end.
    pub cancel_at: Option<i64>,
    /// Whether that is the end of the period.
    pub cancel_at_period_end: bool,
    /// When the end was asked for.
    pub canceled_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Why.
    pub cancellation: Cancellation,
    /// Whether collection is paused.
    pub pause: Option<PauseCollection>,
    /// Since when `status` is `paused`.
    pub paused_at: Option<i64>,
    /// Its trial.
    pub trial: Option<(i64, i64)>,
    /// Whatever its owner noted.
    pub metadata: Metadata,
    /// A text for the customer.
    pub description: Option<String>,
    /// The schedule that changes it.
    pub schedule: Option<String>,
    /// Its newest invoice.
    pub latest_invoice: Option<String>,
    /// What is taken off its invoices.
    pub discount: Option<Discount>,
    /// `pm_…`.
    pub payment_method: Option<String>,
    /// Whether it is billed in the flexible mode.
    pub flexible: bool,
    /// Prorations that wait for its next invoice.
    pub pending: Vec<Line>,
}

/// One line of a subscription.
#[derive(Debug, Clone)]
pub struct Item {
    /// `si_…`.
    pub id: String,
    /// When it was made.
    pub created: i64,
    /// What of.
    pub price: String,
    /// How many.
    pub quantity: i64,
    /// Whatever its owner noted.
    pub metadata: Metadata,
}

/// Why a subscription ended.
#[derive(Debug, Default)]
pub struct Cancellation {
    /// In the customer's words.
    pub comment: Option<String>,
    /// One of a few words.
    pub feedback: Option<String>,
    /// `cancellation_requested`, `payment_failed`.
    pub reason: Option<&'static str>,
}

/// Collection that is paused.
#[derive(Debug, Clone, PartialEq)]
pub struct PauseCollection {
    /// `void`, `keep_as_draft`, `mark_uncollectible`.
    pub behavior: String,
    /// When it ends by itself.
    pub resumes_at: Option<i64>,
}

impl Subscription {
    /// Whether it is over for good.
    pub fn ended(&self) -> bool {
        matches!(self.status, "canceled" | "incomplete_expired")
    }

    /// When time will next do something to it.
    pub fn due(&self) -> Option<i64> {
        match self.status {
            "canceled" | "incomplete_expired" => None,
            "incomplete" => Some(self.created + INCOMPLETE_SECONDS),
            "paused" => self.cancel_at,
            _ => {
                let resumes = self.pause.as_ref().and_then(|pause| pause.resumes_at);
                [Some(self.period.1), self.cancel_at, resumes].into_iter().flatten().min()
            }
        }
    }

    /// How often its price recurs.
    pub fn recurring(&self, account: &Account) -> Recurring {
        let price = self.items.first().and_then(|item| account.prices.get(&item.price));
        price.and_then(|price| price.recurring.clone()).unwrap_or_default()
    }

    fn items(&self, account: &Account) -> Value {
        let each = self.items.iter().map(|item| {
            let price = account.prices.get(&item.price);
            json!({
                "id": item.id,
                "object": "subscription_item",
                "billing_thresholds": null,
                "created": item.created,
                "current_period_end": self.period.1,
                "current_period_start": self.period.0,
                "discounts": [],
                "metadata": item.metadata,
                "plan": price.map(|price| price.plan()),
                "price": price.map(|price| price.render(account)),
                "quantity": item.quantity,
                "subscription": self.id,
                "tax_rates": [],
            })
        });
        list_of(&format!("/v1/subscription_items?subscription={}", self.id), false, each.collect())
    }
}

/// How long a first payment may take.
const INCOMPLETE_SECONDS: i64 = 23 * 3600;

impl Record for Subscription {
    const WHAT: &'static str = "subscription";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.customer)
    }

    fn render(&self, account: &Account) -> Value {
        json!({
            "id": self.id,
            "object": "subscription",
            "application": null,
            "application_fee_percent": null,
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
            "billing_cycle_anchor": self.anchor,
            "billing_cycle_anchor_config": null,
            "billing_mode": if self.flexible {
                json!({ "type": "flexible", "flexible": { "proration_discounts": "included" } })
            } else {
                json!({ "type": "classic", "flexible": null })
            },
            "billing_schedules": [],
            "billing_thresholds": null,
            "cancel_at": self.cancel_at,
            "cancel_at_period_end": self.cancel_at_period_end,
            "canceled_at": self.canceled_at,
            "cancellation_details": {
                "comment": self.cancellation.comment,
                "feedback": self.cancellation.feedback,
                "reason": self.cancellation.reason,
            },
            "collection_method": "charge_automatically",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": null,
            "days_until_due": null,
            "default_payment_method": self.payment_method,
            "default_source": null,
            "default_tax_rates": [],
            "description": self.description,
            "discounts": self.discount.iter().map(|discount| &discount.id).collect::<Vec<_>>(),
            "ended_at": self.ended_at,
            "invoice_settings": { "account_tax_ids": null, "issuer": { "type": "self" } },
            "items": self.items(account),
            "latest_invoice": self.latest_invoice,
            "livemode": false,
            "managed_payments": null,
            "metadata": self.metadata,
            "next_pending_invoice_item_invoice": null,
            "on_behalf_of": null,
            "pause_collection": self.pause.as_ref().map(|pause| {
                json!({ "behavior": pause.behavior, "resumes_at": pause.resumes_at })
            }),
            "payment_settings": {
                "payment_method_options": null,
                "payment_method_types": null,
                "save_default_payment_method": "off",
            },
            "pending_invoice_item_interval": null,
            "pending_setup_intent": null,
            "pending_update": null,
            "schedule": self.schedule,
            "start_date": self.created,
            "status": self.status,
            "status_details": self.paused_at.map(|at| json!({ "paused": {
                "subscription": { "type": "pause_requested" },
                "transitioned_at": at,
                "type": "subscription",
            } })),
            "test_clock": null,
            "transfer_data": null,
            "trial_end": self.trial.map(|trial| trial.1),
            "trial_settings": { "end_behavior": { "missing_payment_method": "create_invoice" } },
            "trial_start": self.trial.map(|trial| trial.0),
        })
    }
}

/// `GET /v1/subscriptions/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(account.subscriptions.find(id, "id")?.render(account))
}

/// `GET /v1/subscriptions`: all but the canceled, unless `status` says otherwise.
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    const STATUSES: &[&str] = &[
        "active",
        "all",
        "canceled",
        "ended",
        "incomplete",
        "incomplete_expired",
        "past_due",
        "paused",
        "trialing",
        "unpaid",
    ];
    let page = Page::take(&mut params)?;
    let customer = params.text("customer")?;
    let price = params.text("price")?;
    let status = params.word("status", STATUSES)?;
    let starts = params.range("current_period_start")?;
    let ends = params.range("current_period_end")?;
    params.ignore(&["collection_method"]);
    params.finish()?;
    page.list(account, &account.subscriptions, customer.as_deref(), "/v1/subscriptions", |subscription| {
        let wanted = match status.as_deref() {
            None => subscription.status != "canceled",
            Some("all") => true,
            Some("ended") => subscription.ended(),
            Some(status) => subscription.status == status,
        };
        wanted
            && starts.holds(subscription.period.0)
            && ends.holds(subscription.period.1)
            && price.as_ref().is_none_or(|price| subscription.items.iter().any(|item| item.price == *price))
    })
}
