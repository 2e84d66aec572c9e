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
        "id, name, description, amount, currency, every, every_n, trial_days, is_public, archived_at, product_id,
         price_id, created_at, updated_at"
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
        let (id, name, description, amount) = (row.take()?, row.take()?, row.take()?, row.take()?);
        let currency: String = row.take()?;
        let every: String = row.take()?;
        let every = Every::stored(&every)
            .ok_or_else(|| usher_db::Error::Decode(format!("a plan is paid every {every:?}").into()))?;
        Ok(Self {
            id,
            name,
            description,
            amount,
            currency: currency.to_ascii_uppercase(),
            every,
            every_n: row.take()?,
            trial_days: row.take()?,
            public: row.take()?,
            archived_at: row.take()?,
            product_id: row.take()?,
            price_id: row.take()?,
            created_at: row.take()?,
            updated_at: row.take()?,
        })
    }
}
