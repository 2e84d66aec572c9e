//! Many subscriptions at once.

use serde::{Deserialize, Serialize};

use crate::{
    account::Account,
    clock::Due,
    error::Result,
    form::Metadata,
    resources::{
        customers::{self, Card},
        prices::Price,
        products::Product,
        subscription_writes::New,
    },
};

/// What to make.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// Where; the first account if not given.
    pub account: Option<String>,
    /// How many customers, each with an active subscription.
    pub subscriptions: usize,
    /// What of; a monthly price of its own product if not given.
    pub price: Option<String>,
    /// What a month costs, where the price is made.
    pub unit_amount: i64,
    /// The metadata of each subscription; `{n}` in a value is its number, from 0.
    pub metadata: Metadata,
    /// The address of each customer, with `{n}` likewise.
    pub email: String,
    /// Over how many seconds before now they were made, evenly. Less than a period, so that nothing is due at once.
    pub over_seconds: i64,
    /// Every how many is canceled already; 0 is none.
    pub canceled_every: usize,
}

impl Default for Seed {
    fn default() -> Self {
        Self {
            account: None,
            subscriptions: 0,
            price: None,
            unit_amount: 500,
            metadata: Metadata::new(),
            email: "seed{n}@example.com".into(),
            over_seconds: 20 * 86_400,
            canceled_every: 0,
        }
    }
}

/// What was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seeded {
    /// `price_…`.
    pub price: String,
    /// `cus_…` and `sub_…` of each, in order.
    pub made: Vec<(String, String)>,
}

/// Makes them, without invoices and events.
pub fn seed(account: &mut Account, seed: &Seed) -> Result<Seeded> {
    let now = account.now;
    let price = match &seed.price {
        Some(price) => price.clone(),
        None => new_price(account, seed),
    };
    let mut made = Vec::with_capacity(seed.subscriptions);
    let result = (0..seed.subscriptions).try_for_each(|n| {
        let number = n.to_string();
        // The account's clock stands at the moment of each.
        account.now = now - seed.over_seconds * (seed.subscriptions - n) as i64 / seed.subscriptions as i64;
        let mut customer = customers::new(account);
        customer.email = Some(seed.email.replace("{n}", &number));
        customer.card = Some(Card::named(account, "pm_card_visa"));
        let id = customer.id.clone();
        account.customers.insert(customer);
        let metadata = seed.metadata.iter().map(|(key, value)| (key.clone(), value.replace("{n}", &number)));
        let new = New {
            customer: id.clone(),
            items: vec![(price.clone(), 1)],
            metadata: metadata.collect(),
            flexible: true,
            ..New::default()
        };
        let mut subscription = new.make(account)?;
        subscription.status = "active";
        if seed.canceled_every > 0 && n % seed.canceled_every == 0 {
            (subscription.status, subscription.ended_at, subscription.canceled_at) = ("canceled", Some(now), Some(now));
        }
        made.push((id, subscription.id.clone()));
        account.schedule.set(Due::Subscription(subscription.id.clone()), subscription.due());
        account.subscriptions.insert(subscription);
        Ok(())
    });
    account.now = now;
    result.map(|()| Seeded { price, made })
}

fn new_price(account: &mut Account, seed: &Seed) -> String {
    let product = account.rng.id("prod");
    account.products.insert(Product::named(product.clone(), "Seeded plan", account.now));
    let id = account.rng.id("price");
    let currency = account.currency.clone();
    account.prices.insert(Price::monthly(id.clone(), &product, &currency, seed.unit_amount, account.now));
    id
}
