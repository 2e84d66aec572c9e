use poem_openapi::{Enum, Object, types::ToJSON as _};
use serde_json::Value;
use usher_db::{FromRow, Row};

use crate::{
    tools::schema,
    values::{PlanId, Time, Title},
};

/// How often a plan is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "PlanEvery", rename_all = "snake_case")]
pub enum Every {
    /// Once and for all.
    OneTime,
    /// Every so many days. Only plans that come from Stripe have it.
    Day,
    /// Every so many weeks. Only plans that come from Stripe have it.
    Week,
    /// Every so many months.
    Month,
    /// Every so many years.
    Year,
}

impl Every {
    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneTime => "one_time",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Reads what was stored, or Stripe's word.
    pub fn stored(text: &str) -> Option<Self> {
        [Self::OneTime, Self::Day, Self::Week, Self::Month, Self::Year].into_iter().find(|every| every.as_str() == text)
    }
}

/// How a price is made that is not one amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "PlanPricing", rename_all = "lowercase")]
pub enum Pricing {
    /// By tiers, which only Stripe knows.
    Tiered,
    /// By use, which only Stripe knows.
    Metered,
}

impl Pricing {
    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tiered => "tiered",
            Self::Metered => "metered",
        }
    }

    /// Reads what was stored.
    pub fn stored(text: &str) -> usher_db::Result<Self> {
        let known = [Self::Tiered, Self::Metered].into_iter().find(|pricing| pricing.as_str() == text);
        known.ok_or_else(|| usher_db::Error::Decode(format!("a plan is priced {text:?}").into()))
    }
}

/// What a plan opens to whoever pays for it. Owners of a bundle are let in by the bundle, whatever they pay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[oai(rename = "PlanOpens", rename_all = "lowercase")]
pub enum Opens {
    /// Member content, but for what is limited to other plans.
    #[default]
    All,
    /// Only videos that name the plan.
    Listed,
    /// Nothing.
    Nothing,
}

impl Opens {
    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Listed => "listed",
            Self::Nothing => "nothing",
        }
    }

    /// Reads what was stored.
    pub fn stored(text: &str) -> usher_db::Result<Self> {
        let known = [Self::All, Self::Listed, Self::Nothing].into_iter().find(|opens| opens.as_str() == text);
        known.ok_or_else(|| usher_db::Error::Decode(format!("a plan opens {text:?}").into()))
    }
}

/// What members can subscribe to.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct Plan {
    /// The plan's id, which never changes.
    pub id: PlanId,
    /// What it is called.
    pub name: Title,
    /// What it gives, for people.
    pub description: Option<String>,
    /// Present where the price is not one amount, so that `amount` is 0; only plans that come from Stripe have it.
    pub pricing: Option<Pricing>,
    /// What one period costs, in minor units of the currency: cents, and whole yen.
    #[oai(validator(minimum(value = "0"), maximum(value = "99999999999")))]
    pub amount: i64,
    /// ISO 4217, in capitals.
    pub currency: String,
    /// How often it is paid.
    pub every: Every,
    /// One payment for so many of them; 1 if it is paid once.
    pub every_n: u32,
    /// Days at the beginning that are free; 0 for none.
    pub trial_days: u32,
    /// Whether it is offered to everyone; a private one only by a checkout that names it.
    pub public: bool,
    /// What it opens to whoever pays for it. A plan that was found at Stripe opens nothing until the owner says otherwise.
    pub opens: Opens,
    /// Present and true while nobody has said what it opens: it was found at Stripe, and `plans.update` has not set `opens`.
    pub needs_review: Option<bool>,
    /// When it was archived; absent while it is not.
    pub archived_at: Option<Time>,
    /// Stripe's id of what is sold (`prod_…`).
    pub product_id: Option<String>,
    /// Stripe's id of the price (`price_…`); absent while Stripe does not know the plan.
    pub price_id: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When anything of it changed last.
    pub updated_at: Time,
}

/// What [`Plan`] is read from.
macro_rules! plan_columns {
    () => {
        "id, name, description, pricing, amount, currency, every, every_n, trial_days, is_public, opens,
         needs_review, archived_at, product_id, price_id, created_at, updated_at"
    };
}
pub(super) use plan_columns;

impl Plan {
    /// Whether it was made here, and not found at Stripe.
    pub fn is_ours(&self) -> bool {
        self.product_id.as_deref().is_none_or(|product| product == self.id.as_str())
    }

    /// As it stands in answers.
    pub fn json(&self) -> Value {
        let mut value = self.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        value
    }
}

impl FromRow for Plan {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        let (id, name, description) = (row.take()?, row.take()?, row.take()?);
        let pricing = row.take::<Option<String>>()?.as_deref().map(Pricing::stored).transpose()?;
        let amount = row.take()?;
        let currency: String = row.take()?;
        let every: String = row.take()?;
        let every = Every::stored(&every)
            .ok_or_else(|| usher_db::Error::Decode(format!("a plan is paid every {every:?}").into()))?;
        Ok(Self {
            id,
            name,
            description,
            pricing,
            amount,
            currency: currency.to_ascii_uppercase(),
            every,
            every_n: row.take()?,
            trial_days: row.take()?,
            public: row.take()?,
            opens: Opens::stored(&row.take::<String>()?)?,
            needs_review: row.take::<bool>()?.then_some(true),
            archived_at: row.take()?,
            product_id: row.take()?,
            price_id: row.take()?,
            created_at: row.take()?,
            updated_at: row.take()?,
        })
    }
}
