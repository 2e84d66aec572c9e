//! What a key may do, found out by asking for things that are not there: whoever may not gets another answer than that.

use usher_stripe::{
    Client, Error, Kind,
    requests::{
        account, charges, checkout, customers, events, invoice_payments, invoices, prices, products, subscriptions,
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

/// Asks for one thing after the other; changes nothing.
pub async fn permissions(client: &Client) -> Vec<Permission> {
    let mut all = Vec::new();
    let mut add =
        |what, needed_for, answer: Result<(), Error>| all.push(Permission { what, needed_for, may: may(answer) });
    let none = || NOTHING;
    let key = |what: &str| format!("usher-check-{what}");

    let customer = customers::update(none(), &customers::CustomerChange { name: Some("-"), ..Default::default() });
    let answer = client.write::<views::Customer>(customer.stored(), &key("customer")).await.map(drop);
    add("Customers: write", "checkouts", answer);
    let product = products::update(none(), &products::ProductChange { active: Some(true), ..Default::default() });
    let answer = client.write::<views::Product>(product.stored(), &key("product")).await.map(drop);
    add("Products: write", "plans", answer);
    let answer = client.write::<views::Price>(prices::set_active(none(), true).stored(), &key("price")).await.map(drop);
    add("Prices: write", "plans", answer);
    let expire = checkout::expire(none());
    let answer = client.write::<views::CheckoutSession>(expire.stored(), &key("checkout")).await.map(drop);
    add("Checkout Sessions: write", "checkouts", answer);
    let resume = subscriptions::clear_pause_collection(none());
    let answer = client.write::<views::Subscription>(resume.stored(), &key("subscription")).await.map(drop);
    add("Subscriptions: write", "cancelling, pausing and resuming", answer);
    add("Invoices: read", "invoices", client.read(&invoices::get(none())).await.map(drop));
    add("Invoice Payments: read", "refunds", client.read(&invoice_payments::of_intent(none())).await.map(drop));
    add("Charges: read", "refunds", client.read(&charges::get_one(none())).await.map(drop));
    add("Events: read", "what webhooks missed", client.read(&events::get(none())).await.map(drop));
    all
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
