//! Invoices.

use serde::{Deserialize, Serialize};

use super::lenient::or_default;
use super::payment::charge_refunded;
use super::{
    Charge, Customer, InvoiceLine, InvoicePayment, List, Metadata, PaymentIntent, Ref, Subscription, refunded,
};
use crate::private::Private;

/// What somebody owes, or has paid.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Invoice {
    /// `in_…`.
    pub id: String,
    /// Its number, once it is final.
    pub number: Option<String>,
    /// How it stands.
    pub status: Option<InvoiceStatus>,
    /// What it is in, in small letters.
    pub currency: Option<String>,
    /// What is to be paid, after what the customer had in credit.
    #[serde(default)]
    pub amount_due: i64,
    /// What was paid.
    #[serde(default)]
    pub amount_paid: i64,
    /// What is still to be paid.
    #[serde(default)]
    pub amount_remaining: i64,
    /// All lines together, before what is taken off and before tax that is not part of the prices.
    #[serde(default)]
    pub subtotal: i64,
    /// All together.
    #[serde(default)]
    pub total: i64,
    /// All together without tax.
    pub total_excluding_tax: Option<i64>,
    /// Given back by credit notes after it was paid.
    pub post_payment_credit_notes_amount: Option<i64>,
    #[serde(rename = "tax")]
    old_tax: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    total_tax_amounts: Vec<Tax>,
    #[serde(default, deserialize_with = "or_default")]
    total_taxes: Vec<Tax>,
    /// The first of its lines, up to ten.
    #[serde(default, deserialize_with = "or_default")]
    pub lines: List<InvoiceLine>,
    /// Where the customer, or whoever has this address, sees it and can pay.
    pub hosted_invoice_url: Option<Private<String>>,
    /// Where it is to be had as a PDF.
    pub invoice_pdf: Option<Private<String>>,
    /// Why there is one, such as `subscription_cycle`.
    pub billing_reason: Option<String>,
    /// `charge_automatically` or `send_invoice`.
    pub collection_method: Option<String>,
    /// How often it was tried to collect it.
    pub attempt_count: Option<i64>,
    /// When it will be tried again.
    pub next_payment_attempt: Option<i64>,
    /// When it was made.
    #[serde(default)]
    pub created: i64,
    /// When it is to be paid, where it was sent.
    pub due_date: Option<i64>,
    /// The start of the time in which its items were added; what its lines are for is theirs to say.
    pub period_start: Option<i64>,
    /// The end of that time.
    pub period_end: Option<i64>,
    /// When it changed.
    #[serde(default, deserialize_with = "or_default")]
    pub status_transitions: StatusTransitions,
    /// Who pays.
    pub customer: Option<Ref<Customer>>,
    /// Where it went.
    pub customer_email: Option<Private<String>>,
    /// Their name.
    pub customer_name: Option<Private<String>>,
    #[serde(rename = "subscription")]
    old_subscription: Option<Ref<Subscription>>,
    parent: Option<Parent>,
    /// What paid it, where the request asked for it, since 2025-03-31.
    pub payments: Option<List<InvoicePayment>>,
    /// What paid it, before 2025-03-31.
    pub charge: Option<Ref<Charge>>,
    /// What paid it, before 2025-03-31.
    pub payment_intent: Option<Ref<PaymentIntent>>,
    /// What was kept with it.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// Whether it is about real money.
    pub livemode: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Parent {
    subscription_details: Option<SubscriptionDetails>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct SubscriptionDetails {
    subscription: Option<Ref<Subscription>>,
}

impl Invoice {
    /// The subscription that it comes from, in all shapes.
    pub fn subscription_id(&self) -> Option<&str> {
        let new = || self.parent.as_ref()?.subscription_details.as_ref()?.subscription.as_ref();
        self.old_subscription.as_ref().or_else(new).map(Ref::id)
    }

    /// Who pays.
    pub fn customer_id(&self) -> Option<&str> {
        self.customer.as_ref().map(Ref::id)
    }

    /// The tax in it, in all shapes.
    pub fn tax(&self) -> i64 {
        let listed: i64 = self.total_taxes.iter().chain(&self.total_tax_amounts).map(|tax| tax.amount).sum();
        match self.old_tax {
            Some(tax) => tax,
            None if listed != 0 => listed,
            None => self.total_excluding_tax.map_or(0, |without| self.total - without),
        }
    }

    /// When it was paid.
    pub fn paid_at(&self) -> Option<i64> {
        self.status_transitions.paid_at
    }

    /// The ids of the payment intents that paid it, or might yet.
    pub fn payment_intent_ids(&self) -> impl Iterator<Item = &str> {
        let new =
            self.payments.iter().flat_map(|payments| &payments.data).filter_map(InvoicePayment::payment_intent_id);
        new.chain(self.payment_intent.as_ref().map(Ref::id))
    }

    /// How much of it was given back, where its charges are whole here; nothing where they are not, which says nothing.
    pub fn refunded(&self) -> Option<i64> {
        if let Some(payments) = self.payments.as_ref().filter(|payments| !payments.has_more) {
            return refunded(&payments.data);
        }
        let of_intent = || self.payment_intent.as_ref()?.whole()?.charge();
        self.charge.as_ref().and_then(Ref::whole).or_else(of_intent).map(charge_refunded)
    }
}

/// How an invoice stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceStatus {
    /// Not final.
    Draft,
    /// Final and to be paid.
    Open,
    /// Paid, or there was nothing to pay.
    Paid,
    /// Given up.
    Uncollectible,
    /// Taken back.
    Void,
    /// A word that Stripe has learned since.
    #[serde(untagged)]
    Other(String),
}

impl InvoiceStatus {
    /// Stripe's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Uncollectible => "uncollectible",
            Self::Void => "void",
            Self::Other(word) => word,
        }
    }
}

/// When an invoice changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct StatusTransitions {
    /// When it became final.
    pub finalized_at: Option<i64>,
    /// When it was given up.
    pub marked_uncollectible_at: Option<i64>,
    /// When it was paid.
    pub paid_at: Option<i64>,
    /// When it was taken back.
    pub voided_at: Option<i64>,
}

/// A tax on an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Tax {
    /// How much.
    #[serde(default)]
    pub amount: i64,
}
