//! What the paying person does in the browser.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    account::Account,
    billing,
    clock::Due,
    error::{ApiError, Result},
    payments,
    resources::{
        customers::{self, Card},
        invoices::{Invoice, Line},
        sessions::{Session, TrialEnd},
        subscription_writes::New,
    },
    table::Record,
};

/// How a checkout is completed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payer {
    /// Whether the card is declined: the checkout stays open, and the person may try again.
    pub card_fails: bool,
    /// Whether the card works now and is declined from the next payment on.
    pub card_fails_later: bool,
    /// The address typed in, where the checkout has no customer.
    pub email: Option<String>,
    /// The name typed in.
    pub name: Option<String>,
}

/// Completes a checkout, and gives it as it is then.
pub fn complete(account: &mut Account, id: &str, payer: &Payer) -> Result<Value> {
    let session = account.sessions.find(id, "id")?;
    if session.status != "open" {
        return Err(ApiError::request(400, format!("This checkout is {}.", session.status)));
    }
    let (amount, currency) = session.total(account);
    if payer.card_fails && amount > 0 {
        let customer = session.customer.clone();
        payments::pay_once(account, customer, amount, &currency, false);
        return Err(ApiError::declined(account.charges.iter().next_back().map_or("", |charge| charge.id())));
    }
    let one_time = session.mode == "payment";
    let known = session.customer.clone();
    let customer = match known {
        Some(customer) => Some(customer),
        None if one_time && !session.customer_creation => None,
        None => Some(new_customer(account, id, payer)),
    };
    if let Some(customer) = &customer {
        give_card(account, customer, payer);
    }
    let card_of = customer.clone();
    if one_time {
        pay(account, id, customer, amount, &currency)?;
    } else {
        subscribe(account, id, customer.unwrap_or_default())?;
    }
    if let Some(customer) = card_of.and_then(|customer| account.customers.get_mut(&customer)) {
        customer.card = customer.card.take().map(|card| Card { fails: payer.card_fails_later, ..card });
    }
    account.schedule.set(Due::Session(id.to_owned()), None);
    edit(account, id, |session| {
        session.status = "complete";
        session.payment_status = if amount == 0 { "no_payment_required" } else { "paid" };
    });
    let shown = account.shown(|account| &account.sessions, id);
    account.emit("checkout.session.completed", &shown, None);
    Ok(shown)
}

fn edit(account: &mut Account, id: &str, apply: impl FnOnce(&mut Session)) {
    if let Some(session) = account.sessions.get_mut(id) {
        apply(session);
    }
}

fn new_customer(account: &mut Account, session: &str, payer: &Payer) -> String {
    let email = account.sessions.get(session).and_then(|session| session.email.clone());
    let mut customer = customers::new(account);
    (customer.email, customer.name) = (payer.email.clone().or(email), payer.name.clone());
    let (id, shown) = (customer.id.clone(), customer.render(account));
    account.customers.insert(customer);
    account.emit("customer.created", &shown, None);
    edit(account, session, |session| session.customer = Some(id.clone()));
    id
}

fn give_card(account: &mut Account, customer: &str, payer: &Payer) {
    let card = Card::named(account, "pm_card_visa");
    let Some(customer) = account.customers.get_mut(customer) else { return };
    customer.card = Some(Card { fails: false, ..card });
    if customer.name.is_none() {
        customer.name.clone_from(&payer.name);
    }
}

fn pay(account: &mut Account, id: &str, customer: Option<String>, amount: i64, currency: &str) -> Result<()> {
    let (intent, _) = payments::pay_once(account, customer.clone(), amount, currency, true);
    let session = account.sessions.find(id, "id")?;
    let (lines, metadata, invoiced) =
        (session.lines.clone(), session.payment_metadata.clone(), session.invoice_creation);
    let of_invoice = session.invoice_metadata.clone();
    if let Some(intent) = account.payment_intents.get_mut(&intent) {
        intent.metadata = metadata;
    }
    let mut invoice = None;
    if let (true, Some(customer)) = (invoiced, customer) {
        let now = account.now;
        let made = Invoice {
            customer,
            currency: currency.to_owned(),
            lines: lines.iter().filter_map(|(price, quantity)| line(account, price, *quantity)).collect(),
            period: (now, now),
            attempt_count: 1,
            metadata: of_invoice,
            ..Invoice::blank(account.rng.id("in"), now)
        };
        invoice = Some(made.id.clone());
        payments::receipt(account, made, &intent);
    }
    edit(account, id, |session| (session.payment_intent, session.invoice) = (Some(intent), invoice));
    Ok(())
}

fn line(account: &mut Account, price: &str, quantity: i64) -> Option<Line> {
    let id = account.rng.id("il");
    let price = account.prices.get(price)?;
    Some(Line {
        id,
        amount: price.unit_amount * quantity,
        description: account.products.get(&price.product)?.name().to_owned(),
        period: (account.now, account.now),
        quantity,
        price: price.id.clone(),
        product: price.product.clone(),
        item: None,
        is_proration: false,
    })
}

fn subscribe(account: &mut Account, id: &str, customer: String) -> Result<()> {
    let session = account.sessions.find(id, "id")?;
    let new = New {
        customer,
        items: session.lines.clone(),
        metadata: session.subscription_metadata.clone(),
        trial_end: match session.trial_end {
            TrialEnd::Never => None,
            TrialEnd::After(seconds) => Some(account.now + seconds),
            TrialEnd::At(at) => Some(at),
        },
        coupon: session.coupon.clone(),
        flexible: true,
        ..New::default()
    };
    let subscription = new.make(account)?;
    let made = subscription.id.clone();
    edit(account, id, |session| session.subscription = Some(made.clone()));
    billing::start(account, subscription, true);
    let invoice = account.subscriptions.get(&made).and_then(|subscription| subscription.latest_invoice.clone());
    edit(account, id, |session| session.invoice = invoice);
    Ok(())
}
