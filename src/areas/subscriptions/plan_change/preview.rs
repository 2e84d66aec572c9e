//! What Stripe would bill for a change of plan. Stripe says it; nothing is computed here.

use poem_openapi::{Object, types::ToJSON as _};
use serde_json::Value;
use usher_stripe::{
    Kind,
    requests::{invoices, subscriptions as ask},
    views,
};

use super::{PlanChange, steps::choose_item};
use crate::{
    areas::{
        billing::{connection::not_connected, job::said, store::connection},
        plans::Plan,
        subscriptions::{change::When, types::Subscription},
    },
    error::{Code, Error, Result},
    gate::Cx,
    tools::schema,
    values::Time,
};

/// The lines that are shown.
const MAX_LINES: usize = 20;

/// A line of what Stripe would bill.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct PlanChangeLine {
    /// What it is for.
    description: Option<String>,
    /// How much, in the currency's smallest unit; less than 0 where unused time is credited.
    #[oai(validator(minimum(value = "-9007199254740991"), maximum(value = "9007199254740991")))]
    amount: i64,
    /// When the time begins that it is for.
    period_start: Option<Time>,
    /// When it ends.
    period_end: Option<Time>,
}

/// What Stripe would bill: at once for a change now, else at the end of the period. Amounts are Stripe's.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct PlanChangePreview {
    /// ISO 4217, in capitals.
    currency: String,
    /// What would be charged, in the currency's smallest unit.
    #[oai(validator(minimum(value = "-9007199254740991"), maximum(value = "9007199254740991")))]
    amount_due: i64,
    /// All lines together, with tax; less than 0 where more is credited than charged.
    #[oai(validator(minimum(value = "-9007199254740991"), maximum(value = "9007199254740991")))]
    total: i64,
    /// The tax in it.
    #[oai(validator(minimum(value = "-9007199254740991"), maximum(value = "9007199254740991")))]
    tax: i64,
    /// As of when the rest of the period is settled. Pass it as `proratedFrom`, and exactly this is charged. Absent for a
    /// change at the end of the period.
    prorated_from: Option<Time>,
    /// What it is for; the first 20.
    lines: Vec<PlanChangeLine>,
}

impl PlanChangePreview {
    /// As it stands in answers.
    pub fn json(&self) -> Value {
        let mut value = self.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        value
    }

    fn of(view: &views::Invoice, prorated_from: Option<Time>) -> Self {
        let at = |seconds: i64| Time::from_micros(seconds.saturating_mul(1_000_000));
        let lines = view.lines.data.iter().take(MAX_LINES).map(|line| PlanChangeLine {
            description: line.description.clone(),
            amount: line.amount,
            period_start: line.period.map(|period| at(period.start)),
            period_end: line.period.map(|period| at(period.end)),
        });
        Self {
            currency: view.currency.clone().unwrap_or_default().to_ascii_uppercase(),
            amount_due: view.amount_due,
            total: view.total,
            tax: view.tax(),
            prorated_from,
            lines: lines.collect(),
        }
    }
}

/// Asks Stripe; nothing where Stripe does not know the plan's price yet.
pub async fn ask(
    cx: &mut Cx,
    subscription: &Subscription,
    plan: &Plan,
    wanted: &PlanChange,
    prorated_from: Time,
) -> Result<Option<PlanChangePreview>> {
    let (Some(external), Some(price)) = (&subscription.external_id, &plan.price_id) else { return Ok(None) };
    let site = cx.site();
    let connection = connection(cx.conn(), site).await?.ok_or_else(not_connected)?;
    let client = connection.client(&cx.app)?;
    let date = (wanted.when == When::Now).then_some(prorated_from);
    let key = format!("usher:{site}:preview:{}", cx.request);
    let asked = async {
        type Asked = std::result::Result<std::result::Result<views::Invoice, Error>, usher_stripe::Error>;
        let view = client.read(&ask::get(external)).await?.value;
        let item = match choose_item(&view, wanted.item.as_deref()) {
            Ok(item) => item,
            Err(text) => return Asked::Ok(Err(Error::new(Code::ItemNeeded, text))),
        };
        let of = invoices::PricePreview {
            subscription: external,
            item: &item,
            price,
            proration_date: date.map(|date| date.micros().div_euclid(1_000_000)),
        };
        // It writes nothing, but is sent like a write.
        Ok(Ok(client.write(invoices::preview(&of).stored(), &key).await?.value))
    };
    match cx.apart(asked).await? {
        Ok(Ok(view)) => Ok(Some(PlanChangePreview::of(&view, date))),
        Ok(Err(error)) => Err(error),
        Err(error) if matches!(error.kind(), Kind::Missing | Kind::Refused) => {
            Err(Error::new(Code::StripeRefused, said(&error)))
        }
        Err(error) => {
            let text = "Stripe does not answer as it should. Try again in a moment.";
            Err(Error::new(Code::StripeUnavailable, text).caused_by(error))
        }
    }
}
