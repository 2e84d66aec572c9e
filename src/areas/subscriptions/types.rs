use poem_openapi::{Enum, Object, Union, types::ToJSON as _};
use serde_json::Value;
use usher_db::{FromRow, Row};

use crate::{
    areas::access::SubscriptionStatus,
    tools::schema,
    values::{MemberId, PlanId, SubscriptionId, Time},
};

/// What Stripe is being brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "SubscriptionWanted", rename_all = "lowercase")]
pub enum Wanted {
    /// Ended now.
    Canceled,
    /// Ending with the period that is paid.
    Ending,
    /// Billing nothing for now.
    Paused,
    /// Going on.
    Active,
}

impl Wanted {
    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::Ending => "ending",
            Self::Paused => "paused",
            Self::Active => "active",
        }
    }

    /// Reads what was stored.
    pub fn stored(text: &str) -> usher_db::Result<Self> {
        let all = [Self::Canceled, Self::Ending, Self::Paused, Self::Active];
        let known = all.into_iter().find(|wanted| wanted.as_str() == text);
        known.ok_or_else(|| usher_db::Error::Decode(format!("a subscription is wanted {text:?}").into()))
    }
}

/// A member's subscription to a plan.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct Subscription {
    /// The subscription's id, which never changes.
    pub id: SubscriptionId,
    /// Whose it is.
    #[oai(rename = "member")]
    pub member_id: MemberId,
    /// What it pays for.
    #[oai(rename = "plan")]
    pub plan_id: PlanId,
    /// How it stands. One whose collection is paused is `paused`, whatever else Stripe says of it.
    pub status: SubscriptionStatus,
    /// `stripe`, or who sold it elsewhere.
    pub source: String,
    /// When it began.
    pub started_at: Time,
    /// When the period that is paid, or is to be paid, began.
    pub period_start: Option<Time>,
    /// When that period ends; absent for what is paid once and for all. While it is paused: the end of what is paid.
    pub period_end: Option<Time>,
    /// The end of Stripe's trial.
    pub trial_end: Option<Time>,
    /// When the first of the payments that have failed in a row was due.
    pub past_due_since: Option<Time>,
    /// When a pause ends by itself.
    pub resumes_at: Option<Time>,
    /// When it will end, if that is settled.
    pub cancel_at: Option<Time>,
    /// When somebody cancelled it.
    pub canceled_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// When all that was paid for a period was given back, which ended access.
    pub refunded_at: Option<Time>,
    /// The end of that period; absent for what is paid once and for all.
    pub refunded_until: Option<Time>,
    /// What was asked for last and Stripe has not confirmed yet.
    pub wanted: Option<Wanted>,
    /// Stripe's id of the subscription (`sub_…`), or of the checkout of what is paid once (`cs_…`); absent for what is
    /// paid elsewhere.
    pub external_id: Option<String>,
    /// Stripe's id of who pays (`cus_…`).
    pub customer_id: Option<String>,
    /// The seller's own reference, for what is paid elsewhere.
    pub reference: Option<String>,
    /// When it was compared with Stripe last.
    pub synced_at: Option<Time>,
    /// When it was first seen here.
    pub created_at: Time,
    /// When anything of it changed last.
    pub updated_at: Time,
    /// Stripe's id of the payment, of what is paid once.
    #[oai(skip)]
    pub payment_intent: Option<String>,
    /// When a pause that is wanted is to end by itself.
    #[oai(skip)]
    pub resume_wanted: Option<Time>,
    /// Of what it was read with.
    #[oai(skip)]
    pub ticket: i64,
}

/// What [`Subscription`] is read from, of a table `s`.
macro_rules! subscription_columns {
    () => {
        "s.id, s.member_id, s.plan_id, s.status, s.source, s.started_at, s.period_start, s.period_end, s.trial_end,
         s.past_due_since, s.resumes_at, s.cancel_at, s.canceled_at, s.ended_at, s.refunded_at, s.refunded_until,
         s.wanted, s.external_id, s.customer_id, s.reference, s.synced_at, s.created_at, s.updated_at,
         s.payment_intent, s.resume_wanted, s.ticket"
    };
}
pub(in crate::areas) use subscription_columns;

impl Subscription {
    /// As it stands in answers.
    pub fn json(&self) -> Value {
        let mut value = self.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        value
    }

    /// Whether it is over for good.
    pub fn is_over(&self) -> bool {
        matches!(self.status, SubscriptionStatus::Canceled | SubscriptionStatus::IncompleteExpired)
    }

    /// Whether it is a subscription at Stripe, and not something paid once, or elsewhere.
    pub fn is_at_stripe(&self) -> bool {
        self.external_id.as_deref().is_some_and(|id| !id.starts_with("cs_"))
    }

    /// Whether Stripe, or whoever else sells it, goes on taking money for it, or might.
    pub fn is_live(&self) -> bool {
        use SubscriptionStatus::{Active, PastDue, Paused, Trialing, Unpaid};
        matches!(self.status, Active | Trialing | PastDue | Paused | Unpaid)
    }
}

impl FromRow for Subscription {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        let (id, member_id, plan_id) = (row.take()?, row.take()?, row.take()?);
        let status: String = row.take()?;
        let status = SubscriptionStatus::stored(&status)
            .ok_or_else(|| usher_db::Error::Decode(format!("a subscription's status is {status:?}").into()))?;
        let source = row.take()?;
        let (started_at, period_start, period_end, trial_end) = (row.take()?, row.take()?, row.take()?, row.take()?);
        let (past_due_since, resumes_at, cancel_at) = (row.take()?, row.take()?, row.take()?);
        let (canceled_at, ended_at, refunded_at, refunded_until) = (row.take()?, row.take()?, row.take()?, row.take()?);
        let wanted: Option<String> = row.take()?;
        Ok(Self {
            id,
            member_id,
            plan_id,
            status,
            source,
            started_at,
            period_start,
            period_end,
            trial_end,
            past_due_since,
            resumes_at,
            cancel_at,
            canceled_at,
            ended_at,
            refunded_at,
            refunded_until,
            wanted: wanted.as_deref().map(Wanted::stored).transpose()?,
            external_id: row.take()?,
            customer_id: row.take()?,
            reference: row.take()?,
            synced_at: row.take()?,
            created_at: row.take()?,
            updated_at: row.take()?,
            payment_intent: row.take()?,
            resume_wanted: row.take()?,
            ticket: row.take()?,
        })
    }
}

/// A subscription by its id at Stripe.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriptionByExternalId {
    /// Stripe's id of it (`sub_…`), or of the checkout of what is paid once (`cs_…`).
    #[oai(validator(min_length = 1, max_length = 255, pattern = r"^[A-Za-z0-9_]+$"))]
    pub external_id: String,
}

/// A subscription: its id, or an object with its id at Stripe.
#[derive(Clone, Debug, Union)]
#[oai(one_of)]
pub enum SubscriptionRef {
    /// By id.
    Id(SubscriptionId),
    /// By its id at Stripe.
    External(SubscriptionByExternalId),
}
