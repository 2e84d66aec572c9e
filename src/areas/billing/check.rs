//! What a key may do, found out by asking for things that are not there: whoever may not gets another answer than that.

use usher_stripe::{
    Client, Error, Kind,
    requests::{
        account, billing_portal, checkout, coupons, customers, disputes, events, invoice_payments, invoices, prices,
        products,
        refunds::{self, NewRefund, Refunded},
        subscriptions,
    },
    views,
};

/// What nothing at Stripe is called.
const NOTHING: &str = "usher_check";

/// What the key may do.
#[derive(Clone, Debug)]
pub struct Permission {
    /// In Stripe's words, as its dashboard lists permissions.
    pub what: &'static str,
    /// What needs it.
    pub needed_for: &'static str,
    /// Whether the key has it; why that is not known.
    pub may: Result<bool, String>,
}

/// Whose account the key opens.
pub async fn account(client: &Client) -> Result<views::Account, Error> {
    Ok(client.read(&account::get_own()).await?.value)
}

/// What Stripe says of an error, for the site's operator: it may name what a key lacks, and a part of the key.
pub fn said(error: &Error) -> String {
    match error.api().and_then(|api| api.message.as_deref()) {
        Some(message) => format!("{error}: {message}"),
        None => error.to_string(),
    }
}

/// What a restricted key must be allowed to do, in Stripe's words, and what needs it.
pub const NEEDED: [(&str, &str); 13] = [
    ("Accounts, basic information: read", "telling whose account it is"),
    ("Customers: write", "checkouts"),
    ("Products: write", "plans"),
    ("Prices: write", "plans"),
    ("Checkout Sessions: write", "checkouts"),
    ("Customer portal: write", "links to the billing portal"),
    ("Coupons: read", "checkouts with a coupon"),
    ("Subscriptions: write", "cancelling, pausing and resuming"),
    ("Invoices: read", "invoices"),
    ("Invoice Payments: read", "refunds"),
    ("Charges: write", "refunds"),
    ("Disputes: read", "what customers had their banks take back"),
    ("Events: read", "what webhooks missed"),
];

/// Asks for one thing after the other; changes nothing.
pub async fn permissions(client: &Client) -> Vec<Permission> {
    let none = || NOTHING;
    let key = |what: &str| format!("usher-check-{what}");
    let customer = customers::update(none(), &customers::CustomerChange { name: Some("-"), ..Default::default() });
    let product = products::update(none(), &products::ProductChange { active: Some(true), ..Default::default() });
    let price = prices::set_active(none(), true);
    let expire = checkout::expire(none());
    let nothing = Default::default();
    let refund = NewRefund { of: Refunded::Charge(none()), amount: 1, metadata: &nothing };
    let refund = refunds::create(&refund);
    let portal = billing_portal::create(none(), "https://example.com/");
    let resume = subscriptions::clear_pause_collection(none());
    let answers: [Result<(), Error>; NEEDED.len()] = [
        client.read(&account::get_own()).await.map(drop),
        client.write::<views::Customer>(customer.stored(), &key("customer")).await.map(drop),
        client.write::<views::Product>(product.stored(), &key("product")).await.map(drop),
        client.write::<views::Price>(price.stored(), &key("price")).await.map(drop),
        client.write::<views::CheckoutSession>(expire.stored(), &key("checkout")).await.map(drop),
        client.write::<views::PortalSession>(portal.stored(), &key("portal")).await.map(drop),
        client.read(&coupons::get_one(none())).await.map(drop),
        client.write::<views::Subscription>(resume.stored(), &key("subscription")).await.map(drop),
        client.read(&invoices::get(none())).await.map(drop),
        client.read(&invoice_payments::of_intent(none())).await.map(drop),
        client.write::<views::Refund>(refund.stored(), &key("refund")).await.map(drop),
        client.read(&disputes::of_charge(none())).await.map(drop),
        client.read(&events::get(none())).await.map(drop),
    ];
    let each = NEEDED.into_iter().zip(answers);
    each.map(|((what, needed_for), answer)| Permission { what, needed_for, may: may(answer) }).collect()
}

/// Whether an answer is one to somebody who may.
fn may(answer: Result<(), Error>) -> Result<bool, String> {
    match answer {
        Ok(()) => Ok(true),
        Err(error) => match error.kind() {
            Kind::Permission => Ok(false),
            Kind::Missing | Kind::Refused => Ok(true),
            _ => Err(error.to_string()),
        },
    }
}
