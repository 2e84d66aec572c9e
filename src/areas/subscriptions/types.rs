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

/// What one item of a subscription is for.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct SubscriptionItem {
    /// Stripe's id of the item (`si_…`); absent for what is paid elsewhere or once, or not read lately.
    pub external_id: Option<String>,
    /// The plan that it pays for.
    #[oai(rename = "plan")]
    pub plan_id: PlanId,
    /// How many of it are paid for.
    #[oai(validator(minimum(value = "0"), maximum(value = "9007199254740991")))]
    pub quantity: i64,
}

impl SubscriptionItem {
    /// The only item of what is not a subscription at Stripe.
    pub fn only(plan_id: PlanId) -> Vec<Self> {
        vec![Self { external_id: None, plan_id, quantity: 1 }]
    }

    /// Reads what [`subscription_columns`] makes of an item.
    fn stored(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (plan, quantity, external) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            external_id: Some(external).filter(|id| !id.is_empty()).map(str::to_owned),
            plan_id: PlanId::parse(plan).ok()?,
            quantity: quantity.parse().ok()?,
        })
    }
}

/// What one line of a paid invoice was for.
#[derive(Clone, Debug, PartialEq)]
pub struct PaidSpan {
    /// The plan; `None` for a price that no plan here has.
    pub plan_id: Option<PlanId>,
    /// It was paid from then on.
    pub starts_at: Time,
    /// It was paid until then.
    pub ends_at: Time,
    /// Stripe's id of the invoice.
    pub invoice: String,
    /// What was paid with the whole invoice, in minor units of its currency.
    pub paid: i64,
    /// How much of that was given back.
    pub refunded: i64,
}

impl FromRow for PaidSpan {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            plan_id: row.take()?,
            starts_at: row.take()?,
            ends_at: row.take()?,
            invoice: row.take()?,
            paid: row.take()?,
            refunded: row.take()?,
        })
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
    /// What it pays for: the plan of its first item.
    #[oai(rename = "plan")]
    pub plan_id: PlanId,
    /// All that it pays for, in Stripe's order. Access counts every item.
    pub items: Vec<SubscriptionItem>,
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
    /// Whether Stripe has paused it because its trial ended without a card: it goes on once a card is given, on the page of
    /// `subscriptions.createPortalLink`.
    pub needs_card: bool,
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
         s.payment_intent, s.resume_wanted, s.ticket, s.needs_card,
         (SELECT string_agg(i.plan_id || ':' || i.quantity || ':' || COALESCE(i.external_id, ''), ',' ORDER BY i.position)
          FROM subscription_item i WHERE i.site = s.site AND i.subscription_id = s.id)"
    };
}
pub(in crate::areas) use subscription_columns;

/// The statuses of which [`Subscription::is_live`].
macro_rules! live_statuses {
    () => {
        "('active', 'trialing', 'past_due', 'paused', 'unpaid')"
    };
}
pub(in crate::areas) use live_statuses;

/// Whether a subscription `$s` [goes on](Subscription::goes_on).
macro_rules! goes_on {
    ($s:literal) => {
        concat!(
            $s,
            ".period_end IS NOT NULL AND ",
            $s,
            ".cancel_at IS NULL AND COALESCE(",
            $s,
            ".wanted, '') NOT IN ('canceled', 'ending') AND ",
            $s,
            ".status IN ",
            $crate::areas::subscriptions::live_statuses!()
        )
    };
}
pub(in crate::areas) use goes_on;

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

    /// Whether Stripe, or whoever else sells it, takes money for it, or might: as `live_statuses` says in SQL.
    pub fn is_live(&self) -> bool {
        use SubscriptionStatus::{Active, PastDue, Paused, Trialing, Unpaid};
        matches!(self.status, Active | Trialing | PastDue | Paused | Unpaid)
    }

    /// Whether it is paid again and again, and nobody has said that it ends: as the macro `goes_on` says in SQL.
    pub fn goes_on(&self) -> bool {
        let is_to_end = matches!(self.wanted, Some(Wanted::Canceled | Wanted::Ending)) || self.cancel_at.is_some();
        self.is_live() && self.period_end.is_some() && !is_to_end
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
        let (external_id, customer_id, reference) = (row.take()?, row.take()?, row.take()?);
        let (synced_at, created_at, updated_at) = (row.take()?, row.take()?, row.take()?);
        let (payment_intent, resume_wanted, ticket) = (row.take()?, row.take()?, row.take()?);
        let needs_card = row.take()?;
        let items: Option<String> = row.take()?;
        let items = items.iter().flat_map(|items| items.split(',')).map(|item| {
            let wrong = || usher_db::Error::Decode(format!("a subscription has the item {item:?}").into());
            SubscriptionItem::stored(item).ok_or_else(wrong)
        });
        Ok(Self {
            id,
            member_id,
            plan_id,
            items: items.collect::<usher_db::Result<_>>()?,
            status,
            source,
            started_at,
            period_start,
            period_end,
            trial_end,
            past_due_since,
            needs_card,
            resumes_at,
            cancel_at,
            canceled_at,
            ended_at,
            refunded_at,
            refunded_until,
            wanted: wanted.as_deref().map(Wanted::stored).transpose()?,
            external_id,
            customer_id,
            reference,
            synced_at,
            created_at,
            updated_at,
            payment_intent,
            resume_wanted,
            ticket,
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
