//! What pays invoices, and what was given back of it.

use serde::Deserialize;

use super::lenient::{flag, or_default};
use super::{Customer, Invoice, List, Metadata, Ref};

/// What links an invoice to what paid it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct InvoicePayment {
    /// `inpay_…`.
    pub id: String,
    /// Of which invoice.
    pub invoice: Option<Ref<Invoice>>,
    /// How much of the invoice it paid.
    pub amount_paid: Option<i64>,
    /// How much of the invoice it is for.
    pub amount_requested: Option<i64>,
    /// Of what, in small letters.
    pub currency: Option<String>,
    /// `open`, `paid` or `canceled`.
    pub status: Option<String>,
    /// What paid.
    pub payment: Option<PaidBy>,
}

/// What pays an invoice.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PaidBy {
    /// `payment_intent`, `charge` or `payment_record` (money that did not go through Stripe).
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The payment intent.
    pub payment_intent: Option<Ref<PaymentIntent>>,
    /// The charge.
    pub charge: Option<Ref<Charge>>,
}

impl InvoicePayment {
    /// The id of the payment intent.
    pub fn payment_intent_id(&self) -> Option<&str> {
        self.payment.as_ref()?.payment_intent.as_ref().map(Ref::id)
    }

    /// The charge, where it is whole here.
    pub fn charge(&self) -> Option<&Charge> {
        let payment = self.payment.as_ref()?;
        let of_intent = || payment.payment_intent.as_ref()?.whole()?.charge();
        payment.charge.as_ref().and_then(Ref::whole).or_else(of_intent)
    }

    /// How much of what it paid was given back; nothing where its charge is not whole here.
    fn refunded(&self) -> Option<i64> {
        let is_paid = self.status.as_deref() == Some("paid");
        let was_charged = self.payment.as_ref().and_then(|payment| payment.kind.as_deref()) != Some("payment_record");
        if !is_paid || !was_charged {
            return Some(0);
        }
        let refunded = charge_refunded(self.charge()?);
        Some(self.amount_paid.map_or(refunded, |paid| refunded.min(paid)))
    }
}

/// How much of what these payments paid was given back; nothing where the charge of one is not whole, as it is in the answer
/// to [`crate::requests::invoice_payments::of_invoice`].
pub fn refunded(payments: &[InvoicePayment]) -> Option<i64> {
    payments.iter().map(InvoicePayment::refunded).sum()
}

pub(super) fn charge_refunded(charge: &Charge) -> i64 {
    charge.amount_refunded
}

/// The wish to take money, with all its tries.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PaymentIntent {
    /// `pi_…`.
    pub id: String,
    /// `succeeded`, `requires_payment_method` and others.
    pub status: Option<String>,
    /// How much.
    pub amount: Option<i64>,
    /// How much came.
    pub amount_received: Option<i64>,
    /// Who pays.
    pub customer: Option<Ref<Customer>>,
    /// The latest try, since 2022-11-15.
    pub latest_charge: Option<Ref<Charge>>,
    /// All tries, newest first, before 2022-11-15.
    #[serde(default, deserialize_with = "or_default")]
    pub charges: List<Charge>,
    /// Which invoice, before 2025-03-31.
    pub invoice: Option<Ref<Invoice>>,
}

impl PaymentIntent {
    /// The latest try, where it is whole here.
    pub fn charge(&self) -> Option<&Charge> {
        self.latest_charge.as_ref().and_then(Ref::whole).or(self.charges.data.first())
    }
}

/// One try to take money.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Charge {
    /// `ch_…` or `py_…`.
    pub id: String,
    /// `succeeded`, `pending` or `failed`.
    pub status: Option<String>,
    /// How much.
    #[serde(default)]
    pub amount: i64,
    /// How much was given back.
    #[serde(default)]
    pub amount_refunded: i64,
    /// Whether all was given back.
    #[serde(default, deserialize_with = "flag")]
    pub refunded: bool,
    /// Whether the customer's bank took it back, or tries to.
    #[serde(default, deserialize_with = "flag")]
    pub disputed: bool,
    /// Of what, in small letters.
    pub currency: Option<String>,
    /// When.
    pub created: Option<i64>,
    /// Who paid.
    pub customer: Option<Ref<Customer>>,
    /// Which payment intent it is a try of.
    pub payment_intent: Option<Ref<PaymentIntent>>,
    /// Which invoice, before 2025-03-31.
    pub invoice: Option<Ref<Invoice>>,
}

/// Money given back.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Refund {
    /// `re_…`.
    pub id: String,
    /// How much.
    #[serde(default)]
    pub amount: i64,
    /// Of what, in small letters.
    pub currency: Option<String>,
    /// `pending`, `requires_action`, `succeeded`, `failed` or `canceled`.
    pub status: Option<String>,
    /// `duplicate`, `fraudulent` or `requested_by_customer`.
    pub reason: Option<String>,
    /// When.
    pub created: Option<i64>,
    /// Of which charge.
    pub charge: Option<Ref<Charge>>,
    /// Of which payment intent.
    pub payment_intent: Option<Ref<PaymentIntent>>,
    /// What was kept with it.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
}

/// Money that a customer had the bank take back, or tries to.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Dispute {
    /// `dp_…` or `du_…`.
    pub id: String,
    /// How much.
    #[serde(default)]
    pub amount: i64,
    /// Of what, in small letters.
    pub currency: Option<String>,
    /// `needs_response`, `under_review`, `won`, `lost`, or what comes before a dispute: `warning_…`.
    pub status: Option<String>,
    /// Why, in the bank's word: `fraudulent`, `product_not_received`, ….
    pub reason: Option<String>,
    /// When.
    pub created: Option<i64>,
    /// Of which charge.
    pub charge: Option<Ref<Charge>>,
}

impl Dispute {
    /// Whether the customer got the money.
    pub fn is_lost(&self) -> bool {
        self.status.as_deref() == Some("lost")
    }
}

impl Refund {
    /// The id of the charge.
    pub fn charge_id(&self) -> Option<&str> {
        self.charge.as_ref().map(Ref::id)
    }
}

impl Charge {
    /// The id of the payment intent.
    pub fn payment_intent_id(&self) -> Option<&str> {
        self.payment_intent.as_ref().map(Ref::id)
    }
}
