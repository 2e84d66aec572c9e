//! Checkout sessions: Stripe's own page, on which a member pays.

use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionDiscounts, CreateCheckoutSessionInvoiceCreation,
    CreateCheckoutSessionInvoiceCreationInvoiceData, CreateCheckoutSessionLineItems,
    CreateCheckoutSessionPaymentIntentData, CreateCheckoutSessionSubscriptionData, ExpireCheckoutSession,
    ListCheckoutSession, ListLineItemsCheckoutSession, RetrieveCheckoutSession,
};
use stripe_shared::CheckoutSessionMode;

use super::{MAX_PER_PAGE, Metadata, hashed, segment, typed};
use crate::request::Request;
use crate::views::{CheckoutSession, LineItem, Page};

/// A session to make. The customer must be there before it.
#[derive(Clone, Debug)]
pub struct NewCheckout<'a> {
    /// Who pays.
    pub customer: &'a str,
    /// What for.
    pub price: &'a str,
    /// What comes of it.
    pub sells: Sells,
    /// A name for the buyer, given back with the session; up to 200 characters.
    pub reference: &'a str,
    /// What to keep with the session and with what comes of it: the subscription, or the payment and its invoice.
    pub metadata: &'a Metadata,
    /// Where the buyer goes afterwards. `{CHECKOUT_SESSION_ID}` in it is replaced by Stripe.
    pub success_url: &'a str,
    /// Where the buyer goes who does not want to.
    pub cancel_url: Option<&'a str>,
    /// A coupon to take off.
    pub coupon: Option<&'a str>,
    /// When the page closes, in seconds since 1970: from 30 minutes to 24 hours (Stripe's default) ahead.
    pub expires_at: Option<i64>,
}

/// What comes of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sells {
    /// A subscription, its first days free if any.
    Subscription {
        /// How many; 0 is none.
        trial_days: u32,
    },
    /// One payment and an invoice for it, for which Stripe takes a fee of its own.
    PaymentWithInvoice,
    /// One payment and no invoice.
    Payment,
}

/// Opens a session.
pub fn create(new: &NewCheckout<'_>) -> Request<CheckoutSession> {
    let mut item = CreateCheckoutSessionLineItems::new();
    item.price = Some(new.price.to_owned());
    item.quantity = Some(1);
    let mut request = CreateCheckoutSession::new()
        .customer(new.customer)
        .line_items(vec![item])
        .client_reference_id(new.reference)
        .success_url(new.success_url);
    let metadata = (!new.metadata.is_empty()).then(|| hashed(new.metadata));
    if let Some(metadata) = metadata.clone() {
        request = request.metadata(metadata);
    }
    request = match new.sells {
        Sells::Subscription { trial_days } => {
            let mut data = CreateCheckoutSessionSubscriptionData::new();
            data.metadata = metadata;
            data.trial_period_days = Some(trial_days).filter(|days| *days > 0);
            let is_empty = data.metadata.is_none() && data.trial_period_days.is_none();
            request = request.mode(CheckoutSessionMode::Subscription);
            if is_empty { request } else { request.subscription_data(data) }
        }
        Sells::Payment => one_payment(request, metadata),
        Sells::PaymentWithInvoice => {
            let mut invoice = CreateCheckoutSessionInvoiceCreation::new(true);
            if metadata.is_some() {
                let mut data = CreateCheckoutSessionInvoiceCreationInvoiceData::new();
                data.metadata = metadata.clone();
                invoice.invoice_data = Some(data);
            }
            one_payment(request, metadata).invoice_creation(invoice)
        }
    };
    if let Some(url) = new.cancel_url {
        request = request.cancel_url(url);
    }
    if let Some(coupon) = new.coupon {
        let mut discount = CreateCheckoutSessionDiscounts::new();
        discount.coupon = Some(coupon.to_owned());
        request = request.discounts(vec![discount]);
    }
    if let Some(at) = new.expires_at {
        request = request.expires_at(at);
    }
    typed(&request)
}

fn one_payment(
    request: CreateCheckoutSession,
    metadata: Option<std::collections::HashMap<String, String>>,
) -> CreateCheckoutSession {
    let request = request.mode(CheckoutSessionMode::Payment);
    let Some(metadata) = metadata else { return request };
    let mut data = CreateCheckoutSessionPaymentIntentData::new();
    data.metadata = Some(metadata);
    request.payment_intent_data(data)
}

/// One session.
pub fn get(id: &str) -> Request<CheckoutSession> {
    typed(&RetrieveCheckoutSession::new(segment(id)))
}

/// What a session sells.
pub fn line_items(id: &str) -> Request<Page<LineItem>> {
    typed(&ListLineItemsCheckoutSession::new(segment(id)).limit(MAX_PER_PAGE))
}

/// The sessions of a customer, open or not.
pub fn of_customer(customer: &str) -> Request<Page<CheckoutSession>> {
    typed(&ListCheckoutSession::new().customer(customer).limit(MAX_PER_PAGE))
}

/// Closes an open session, so that nobody can pay on it any more. Stripe refuses it for one that is not open.
pub fn expire(id: &str) -> Request<CheckoutSession> {
    typed(&ExpireCheckoutSession::new(segment(id)))
}
