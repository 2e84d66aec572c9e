//! Checkout sessions.

use serde::{Deserialize, Serialize};

use super::lenient::or_default;
use super::{Customer, Invoice, Metadata, PaymentIntent, Price, Ref, Subscription};
use crate::private::Private;

/// A page of Stripe's on which somebody pays.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CheckoutSession {
    /// `cs_…`.
    pub id: String,
    /// Whether it is open.
    pub status: Option<CheckoutStatus>,
    /// Whether it is paid.
    pub payment_status: Option<PaymentStatus>,
    /// What comes of it.
    pub mode: Option<CheckoutMode>,
    /// Where the page is, while it is open. Whoever has this address can pay.
    pub url: Option<Private<String>>,
    /// Who pays.
    pub customer: Option<Ref<Customer>>,
    /// What was given on the page.
    pub customer_details: Option<CustomerDetails>,
    /// The subscription that came of it.
    pub subscription: Option<Ref<Subscription>>,
    /// The invoice that came of it.
    pub invoice: Option<Ref<Invoice>>,
    /// The payment that came of it.
    pub payment_intent: Option<Ref<PaymentIntent>>,
    /// The name for the buyer that was given when it was opened.
    pub client_reference_id: Option<String>,
    /// How much is paid now.
    pub amount_total: Option<i64>,
    /// Of what, in small letters.
    pub currency: Option<String>,
    /// When it was opened.
    pub created: Option<i64>,
    /// When it closes.
    pub expires_at: Option<i64>,
    /// What was kept with it.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// Whether it is about real money.
    pub livemode: Option<bool>,
}

impl CheckoutSession {
    /// Who pays.
    pub fn customer_id(&self) -> Option<&str> {
        self.customer.as_ref().map(Ref::id)
    }

    /// The subscription that came of it.
    pub fn subscription_id(&self) -> Option<&str> {
        self.subscription.as_ref().map(Ref::id)
    }
}

/// One thing that a session sells.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LineItem {
    /// `li_…`.
    pub id: String,
    /// What it costs.
    pub price: Option<Price>,
}

/// What somebody gave on a page on which they paid.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CustomerDetails {
    /// Their address.
    pub email: Option<Private<String>>,
}

/// Whether a session is open.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutStatus {
    /// Somebody may still pay.
    Open,
    /// Done, though the money may still be on its way.
    Complete,
    /// Closed, and nothing came of it.
    Expired,
    /// A word that Stripe has learned since.
    #[serde(untagged)]
    Other(String),
}

/// Whether a session is paid.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The money is there.
    Paid,
    /// It is not, or not yet.
    Unpaid,
    /// Nothing is to be paid now.
    NoPaymentRequired,
    /// A word that Stripe has learned since.
    #[serde(untagged)]
    Other(String),
}

/// What comes of a session.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutMode {
    /// One payment.
    Payment,
    /// A subscription.
    Subscription,
    /// A card to charge later.
    Setup,
    /// A word that Stripe has learned since.
    #[serde(untagged)]
    Other(String),
}
