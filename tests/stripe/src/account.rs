//! One Stripe account: its objects, its own time and its events. Nothing here knows HTTP.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clock::Schedule,
    ids::Rng,
    resources::{
        charges::Charge,
        coupons::Coupon,
        customers::Customer,
        disputes::Dispute,
        endpoints::Endpoint,
        events::{Event, previous_attributes},
        invoice_payments::InvoicePayment,
        invoices::Invoice,
        payment_intents::PaymentIntent,
        prices::Price,
        products::Product,
        refunds::Refund,
        schedules::SubscriptionSchedule,
        sessions::Session,
        subscriptions::Subscription,
    },
    table::{Record, Table},
};

/// What an account has chosen about billing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long the invoice of a renewal stays a draft. Stripe: an hour.
    pub draft_seconds: i64,
    /// Days from each failed payment to the next try.
    pub retry_days: Vec<i64>,
    /// What becomes of a subscription after the last try.
    pub after_retries: AfterRetries,
}

impl Default for Settings {
    fn default() -> Self {
        Self { draft_seconds: 3600, retry_days: vec![3, 5, 7], after_retries: AfterRetries::Cancel }
    }
}

/// What becomes of a subscription after the last try to have it paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterRetries {
    /// It is canceled.
    Cancel,
    /// It becomes `unpaid`: further invoices stay drafts.
    Unpaid,
    /// It stays `past_due`.
    PastDue,
}

/// One Stripe account.
pub struct Account {
    /// `acct_…`.
    pub id: String,
    /// Two letters.
    pub country: String,
    /// Three small letters.
    pub currency: String,
    /// The platform that may act for it.
    pub connected_to: Option<String>,
    /// The virtual time, in seconds.
    pub now: i64,
    /// Where its ids come from.
    pub rng: Rng,
    /// What it has chosen about billing.
    pub settings: Settings,
    /// Request id and idempotency key of what goes on, for its events.
    pub request: (Option<String>, Option<String>),
    /// Events that no delivery has been planned for yet.
    pub fresh: Vec<String>,
    /// The customers of the billing portal's sessions, oldest first; nothing else is kept of them.
    pub portal_customers: Vec<String>,
    /// What time will bring.
    pub schedule: Schedule,
    pub products: Table<Product>,
    pub prices: Table<Price>,
    pub customers: Table<Customer>,
    pub coupons: Table<Coupon>,
    pub sessions: Table<Session>,
    pub subscriptions: Table<Subscription>,
    pub invoices: Table<Invoice>,
    pub invoice_payments: Table<InvoicePayment>,
    pub payment_intents: Table<PaymentIntent>,
    pub charges: Table<Charge>,
    pub refunds: Table<Refund>,
    pub disputes: Table<Dispute>,
    pub schedules: Table<SubscriptionSchedule>,
    pub events: Table<Event>,
    pub endpoints: Table<Endpoint>,
}

impl Account {
    /// An empty account.
    pub fn new(id: &str, connected_to: Option<String>, seed: u64, now: i64) -> Self {
        Self {
            id: id.to_owned(),
            country: "US".into(),
            currency: "usd".into(),
            connected_to,
            now,
            rng: Rng::new(seed, id),
            settings: Settings::default(),
            request: (None, None),
            fresh: vec![],
            portal_customers: vec![],
            schedule: Schedule::default(),
            products: Table::default(),
            prices: Table::default(),
            customers: Table::default(),
            coupons: Table::default(),
            sessions: Table::default(),
            subscriptions: Table::default(),
            invoices: Table::default(),
            invoice_payments: Table::default(),
            payment_intents: Table::default(),
            charges: Table::default(),
            refunds: Table::default(),
            disputes: Table::default(),
            schedules: Table::default(),
            events: Table::default(),
            endpoints: Table::default(),
        }
    }

    /// An object as the API gives it; null if there is none.
    pub fn shown<T: Record>(&self, table: fn(&Self) -> &Table<T>, id: &str) -> Value {
        table(self).get(id).map_or(Value::Null, |row| row.render(self))
    }

    /// Makes an event about an object.
    pub fn emit(&mut self, kind: &str, object: &Value, previous: Option<Value>) {
        let event = Event {
            id: self.rng.id("evt"),
            kind: kind.to_owned(),
            created: self.now,
            object: object.to_string().into(),
            previous: previous.map(|previous| previous.to_string().into()),
            request: self.request.clone(),
            pending: 0,
        };
        self.fresh.push(event.id.clone());
        self.events.insert(event);
    }

    /// Makes an event about a change, if anything can be seen of it.
    pub fn emit_change(&mut self, kind: &str, before: &Value, after: &Value) {
        if let Some(previous) = previous_attributes(before, after) {
            self.emit(kind, after, Some(previous));
        }
    }
}
