use poem_openapi::{
    Enum, Object, Union,
    types::{ParseFromJSON as _, ToJSON as _},
};
use serde_json::Value;
use usher_db::{FromRow, Row};

use crate::{
    tools::schema,
    values::{InvoiceId, MemberId, SubscriptionId, Time},
};

/// How an invoice stands, in Stripe's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum InvoiceStatus {
    /// Not final.
    Draft,
    /// Final and to be paid.
    Open,
    /// Paid, or there was nothing to pay.
    Paid,
    /// Given up.
    Uncollectible,
    /// Of no value any more.
    Void,
}

impl InvoiceStatus {
    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Uncollectible => "uncollectible",
            Self::Void => "void",
        }
    }

    /// Reads what was stored.
    pub fn stored(text: &str) -> Option<Self> {
        [Self::Draft, Self::Open, Self::Paid, Self::Uncollectible, Self::Void]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// One line of an invoice.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename = "InvoiceLine", rename_all = "camelCase")]
pub struct Line {
    /// What it is for.
    pub description: Option<String>,
    /// How much, in minor units; less than 0 where something is given back.
    #[oai(validator(minimum(value = "-9007199254740991"), maximum(value = "9007199254740991")))]
    pub amount: i64,
    /// How many.
    #[oai(validator(minimum(value = "0"), maximum(value = "9007199254740991")))]
    pub quantity: Option<i64>,
    /// When the time begins that it is for.
    pub period_start: Option<Time>,
    /// When it ends.
    pub period_end: Option<Time>,
}

/// An invoice, as Stripe made it. Amounts are in the smallest unit of the currency: cents, and whole yen.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct Invoice {
    /// The invoice's id, which never changes. Newer invoices have greater ones.
    pub id: InvoiceId,
    /// Whose it is; absent if Usher does not know the customer. The id stays when the member is deleted.
    #[oai(rename = "member")]
    pub member_id: Option<MemberId>,
    /// The subscription that it is for.
    #[oai(rename = "subscription")]
    pub subscription_id: Option<SubscriptionId>,
    /// The number that is printed on it; absent while it is a draft.
    pub number: Option<String>,
    /// How it stands.
    pub status: InvoiceStatus,
    /// ISO 4217, in capitals.
    pub currency: String,
    /// Before tax and after discounts on lines.
    #[oai(validator(minimum(value = "-9007199254740991"), maximum(value = "9007199254740991")))]
    pub subtotal: i64,
    /// The tax in it.
    #[oai(validator(minimum(value = "-9007199254740991"), maximum(value = "9007199254740991")))]
    pub tax: i64,
    /// All in all.
    #[oai(validator(minimum(value = "-9007199254740991"), maximum(value = "9007199254740991")))]
    pub total: i64,
    /// What is to be paid of it, after credit.
    #[oai(validator(minimum(value = "0"), maximum(value = "9007199254740991")))]
    pub amount_due: i64,
    /// What was paid of it.
    #[oai(validator(minimum(value = "0"), maximum(value = "9007199254740991")))]
    pub amount_paid: i64,
    /// What was given back of that.
    #[oai(validator(minimum(value = "0"), maximum(value = "9007199254740991")))]
    pub amount_refunded: i64,
    /// What it is for; at most 100 lines are kept.
    pub lines: Vec<Line>,
    /// The page at Stripe where it is shown and can be paid; absent once the member is deleted.
    pub hosted_url: Option<String>,
    /// Its PDF.
    pub pdf_url: Option<String>,
    /// When the time begins that it pays for.
    pub period_start: Option<Time>,
    /// When it ends.
    pub period_end: Option<Time>,
    /// When it was paid.
    pub paid_at: Option<Time>,
    /// Stripe's id (`in_…`).
    pub external_id: String,
    /// Stripe's id of who pays (`cus_…`).
    pub customer_id: Option<String>,
    /// When Stripe made it.
    pub created_at: Time,
    /// When it was read from Stripe last.
    pub synced_at: Time,
    /// Of what it was read with.
    #[oai(skip)]
    pub ticket: i64,
}

/// What [`Invoice`] is read from.
macro_rules! invoice_columns {
    () => {
        "id, member_id, subscription_id, number, status, currency, subtotal, tax, total, amount_due, amount_paid,
         amount_refunded, lines, hosted_url, pdf_url, period_start, period_end, paid_at, external_id, customer_id,
         created_at, synced_at, ticket"
    };
}
pub(super) use invoice_columns;

impl Invoice {
    /// As it stands in answers.
    pub fn json(&self) -> Value {
        let mut value = self.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        value
    }
}

impl FromRow for Invoice {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        let (id, member_id, subscription_id, number) = (row.take()?, row.take()?, row.take()?, row.take()?);
        let status: String = row.take()?;
        let status = InvoiceStatus::stored(&status)
            .ok_or_else(|| usher_db::Error::Decode(format!("an invoice's status is {status:?}").into()))?;
        let currency = row.take()?;
        let (subtotal, tax, total) = (row.take()?, row.take()?, row.take()?);
        let (amount_due, amount_paid, amount_refunded) = (row.take()?, row.take()?, row.take()?);
        let lines: Value =
            serde_json::from_str(&row.take::<String>()?).map_err(|error| usher_db::Error::Decode(error.into()))?;
        let lines =
            Vec::parse_from_json(Some(lines)).map_err(|error| usher_db::Error::Decode(error.into_message().into()))?;
        Ok(Self {
            id,
            member_id,
            subscription_id,
            number,
            status,
            currency,
            subtotal,
            tax,
            total,
            amount_due,
            amount_paid,
            amount_refunded,
            lines,
            hosted_url: row.take()?,
            pdf_url: row.take()?,
            period_start: row.take()?,
            period_end: row.take()?,
            paid_at: row.take()?,
            external_id: row.take()?,
            customer_id: row.take()?,
            created_at: row.take()?,
            synced_at: row.take()?,
            ticket: row.take()?,
        })
    }
}

/// An invoice by its number.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct InvoiceByNumber {
    /// The number that is printed on it, such as `A1B2C3D4-0001`, exactly.
    #[oai(validator(min_length = 1, max_length = 100, pattern = r"^[^\x00]*$"))]
    pub number: String,
}

/// An invoice by its id at Stripe.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvoiceByExternalId {
    /// Stripe's id (`in_…`).
    #[oai(validator(min_length = 1, max_length = 255, pattern = r"^[^\x00]*$"))]
    pub external_id: String,
}

/// An invoice: its id, or an object with its number or its id at Stripe.
#[derive(Clone, Debug, Union)]
#[oai(one_of)]
pub enum InvoiceRef {
    /// By id.
    Id(InvoiceId),
    /// By number.
    Number(InvoiceByNumber),
    /// By its id at Stripe.
    External(InvoiceByExternalId),
}
