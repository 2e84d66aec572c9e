use poem_openapi::Object;
use usher_db::{FromRow, Row};

use crate::values::{InvoiceId, MemberId, SubscriptionId, Time};

/// What was paid at Stripe: of an invoice, or once without one. Amounts are in the smallest unit of the currency: cents,
/// and whole yen.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct Payment {
    /// Who paid; absent if Usher does not know the customer. The id stays when the member is deleted.
    #[oai(rename = "member")]
    pub member_id: Option<MemberId>,
    /// The subscription, or the sale of what is paid once, that it was paid for.
    #[oai(rename = "subscription")]
    pub subscription_id: Option<SubscriptionId>,
    /// The invoice; absent where Stripe made none, as for a payment link.
    #[oai(rename = "invoice")]
    pub invoice_id: Option<InvoiceId>,
    /// The number that is printed on the invoice.
    pub number: Option<String>,
    /// How much was paid.
    #[oai(validator(minimum(value = "0"), maximum(value = "9007199254740991")))]
    pub amount: i64,
    /// How much of that was refunded.
    #[oai(validator(minimum(value = "0"), maximum(value = "9007199254740991")))]
    pub amount_refunded: i64,
    /// ISO 4217, in capitals.
    pub currency: String,
    /// When it was paid; of an invoice that is paid in part, when Stripe made it.
    pub paid_at: Time,
    /// Stripe's id of the invoice (`in_…`), or of the payment intent (`pi_…`) where there is no invoice.
    pub external_id: String,
    /// The invoice's id, or the subscription's where there is none: what comes after what in the list.
    #[oai(skip)]
    pub key: String,
}

impl FromRow for Payment {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            member_id: row.take()?,
            subscription_id: row.take()?,
            invoice_id: row.take()?,
            number: row.take()?,
            amount: row.take()?,
            amount_refunded: row.take()?,
            currency: row.take()?,
            paid_at: row.take()?,
            external_id: row.take()?,
            key: row.take()?,
        })
    }
}
