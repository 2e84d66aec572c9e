//! What happens to a member's subscriptions at Stripe. What Stripe refuses does not happen.

use std::{collections::BTreeMap, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};
use stripe_fake::Payer;
use usher_stripe::requests::{
    customers,
    subscription_schedules::{self as schedules, NextPhase, PhaseItem},
    subscriptions::{self as change, ItemPrice},
};

use super::Site;
use crate::{
    billing::{
        Shop,
        oracle::{Bill, Told},
    },
    harness::World,
};

const DAY: i64 = 86_400;

/// How a change in the middle of a period is made up for.
const PRORATIONS: [&str; 3] = ["always_invoice", "create_prorations", "none"];

/// What a member has at Stripe.
pub struct Life {
    pub member: Value,
    customer: String,
    pub subscriptions: Vec<String>,
    pub owns_bundle: bool,
    disputes: Vec<String>,
}

impl Life {
    /// A member buys something, and every third owns a bundle besides.
    pub async fn begin(world: &World, shop: &Shop, site: &Site, n: usize, seed: u64) -> Self {
        let member = world.one("members.create", json!({ "email": format!("m{n}@example.com") })).await["id"].clone();
        let metadata = BTreeMap::from([("usher_member".to_owned(), member.as_str().expect("an id").to_owned())]);
        let customer = customers::NewCustomer { email: "x@example.com", name: None, metadata: &metadata };
        let customer = shop.write(customers::create(&customer)).await.id;
        let owns_bundle = n.is_multiple_of(3);
        if owns_bundle {
            world.ok("access.grantBundle", json!({ "member": { "id": member }, "bundle": site.bundled.1 })).await;
        }
        let mut life = Self { member, customer, subscriptions: Vec::new(), owns_bundle, disputes: Vec::new() };
        let payer = Payer { card_fails_later: n.is_multiple_of(5), ..Payer::default() };
        life.buy(shop, site, &payer, &mut StdRng::seed_from_u64(seed));
        life
    }

    /// The member goes through a checkout.
    fn buy(&mut self, shop: &Shop, site: &Site, payer: &Payer, rng: &mut StdRng) {
        let session = self.open(shop, site, rng);
        let session = shop.fake.complete_checkout(&session, payer).expect("it is paid");
        self.subscriptions.push(session["subscription"].as_str().expect("a subscription").to_owned());
    }

    /// A checkout of a base, of an extra, or of both in any order.
    fn open(&self, shop: &Shop, site: &Site, rng: &mut StdRng) -> String {
        let (base, extra) = (site.bases.choose(rng).expect("a base"), site.extras.choose(rng).expect("an extra"));
        let prices = match rng.random_range(0..8) {
            0..3 => vec![base],
            3 | 4 => vec![base, extra],
            5 | 6 => vec![extra, base],
            _ => vec![extra],
        };
        let member = self.member.as_str().expect("an id");
        let mut form = format!(
            "mode=subscription&customer={}&success_url=https://example.com/&metadata[usher_member]={member}\
             &subscription_data[metadata][usher_member]={member}",
            self.customer
        );
        for (n, price) in prices.into_iter().enumerate() {
            let quantity = if site.extras.contains(price) { rng.random_range(1..4) } else { 1 };
            form += &format!("&line_items[{n}][price]={price}&line_items[{n}][quantity]={quantity}");
        }
        let session = shop.fake.owner("POST", "checkout/sessions", &form).expect("a checkout");
        session["id"].as_str().expect("an id").to_owned()
    }
}

/// One thing, or two, happen to a member's subscription, in so much time.
pub async fn live(shop: &Shop, site: &Site, life: &mut Life, seed: u64, time: Duration) {
    let mut rng = StdRng::seed_from_u64(seed);
    tokio::time::sleep(time.mul_f64(rng.random::<f64>() / 2.0)).await;
    happen(shop, site, life, &mut rng).await;
    if rng.random_bool(0.5) {
        tokio::time::sleep(time.mul_f64(rng.random::<f64>() / 2.0)).await;
        happen(shop, site, life, &mut rng).await;
    }
}

async fn happen(shop: &Shop, site: &Site, life: &mut Life, rng: &mut StdRng) {
    let at = rng.random_range(0..life.subscriptions.len());
    let one = life.subscriptions[at].clone();
    let fake = &shop.fake;
    match rng.random_range(0..46) {
        0 | 1 => shop.try_write(change::cancel_at_period_end(&one, true)).await,
        2 => shop.try_write(change::cancel_at_period_end(&one, false)).await,
        3 | 4 => shop.try_write(change::pause_collection(&one, None)).await,
        5 => {
            let until = fake.now() + rng.random_range(2..60) * DAY;
            shop.try_write(change::pause_collection(&one, Some(until))).await;
        }
        6 | 7 => shop.try_write(change::clear_pause_collection(&one)).await,
        8 => shop.try_write(change::cancel_now(&one)).await,
        9 | 10 => fake.set_card(&life.customer, true).expect("a customer"),
        11 | 12 => fake.set_card(&life.customer, false).expect("a customer"),
        13 => {
            fake.set_card(&life.customer, false).expect("a customer");
            life.buy(shop, site, &Payer::default(), rng);
        }
        14 => drop(life.open(shop, site, rng)),
        15..23 => refund(shop, &one, rng),
        23..27 => dispute(shop, life, &one, rng),
        27 => decide(shop, life, rng),
        28..31 => change_now(shop, site, &one, None, rng).await,
        31 | 32 => change_with_next_invoice(shop, site, &one, rng),
        33..36 => change_with_period(shop, site, &one, rng).await,
        36 => release(shop, &one).await,
        37 => add_item(shop, site, &one, rng),
        38 => {
            // Once, or so often that the next invoice has more lines than it shows.
            let proration = if rng.random_bool(0.3) { Some("create_prorations") } else { None };
            for _ in 0..if proration.is_some() { 8 } else { 1 } {
                change_quantity(shop, &one, proration, rng);
            }
        }
        39 => remove_item(shop, &one, rng),
        40..44 => {
            // To the best there is, and it is not paid.
            fake.set_card(&life.customer, true).expect("a customer");
            change_now(shop, site, &one, Some(site.best()), rng).await;
        }
        _ => pay(shop, life, &one),
    }
}

/// All, a part or what one line was for is given back of one of the bills.
fn refund(shop: &Shop, subscription: &str, rng: &mut StdRng) {
    let told = Told::of(&shop.fake, subscription);
    let paid: Vec<&Bill> = told.bills.iter().filter(|bill| bill.paid > 0).collect();
    let newest = paid.last().copied().filter(|_| rng.random_bool(0.6));
    let Some(bill) = newest.or_else(|| paid.choose(rng).copied()) else { return };
    let Some(charge) = bill.charge(&shop.fake) else { return };
    let amount = match rng.random_range(0..6) {
        0 => format!("&amount={}", rng.random_range(1..=bill.paid)),
        1 => bill.charged().next().map_or(String::new(), |amount| format!("&amount={amount}")),
        2 => format!("&amount={}", bill.paid / 2),
        _ => String::new(),
    };
    let form = format!("charge={}{amount}", charge["id"].as_str().expect("an id"));
    _ = shop.fake.owner("POST", "refunds", &form);
}

/// The bank is asked to take back one of the payments, or a part of it, and may have decided at once.
fn dispute(shop: &Shop, life: &mut Life, subscription: &str, rng: &mut StdRng) {
    let told = Told::of(&shop.fake, subscription);
    let paid: Vec<&Bill> = told.bills.iter().filter(|bill| bill.paid > 0).collect();
    let newest = paid.last().copied().filter(|_| rng.random_bool(0.7));
    let Some(bill) = newest.or_else(|| paid.choose(rng).copied()) else { return };
    let Some(charge) = bill.charge(&shop.fake) else { return };
    let part = rng.random_bool(0.2).then(|| (bill.paid / 2).max(1));
    let Ok(opened) = shop.fake.dispute(charge["id"].as_str().expect("an id"), part) else { return };
    life.disputes.push(opened["id"].as_str().expect("an id").to_owned());
    if rng.random_bool(0.6) {
        decide(shop, life, rng);
    }
}

/// The last dispute goes on.
fn decide(shop: &Shop, life: &Life, rng: &mut StdRng) {
    let Some(dispute) = life.disputes.last() else { return };
    _ = match rng.random_range(0..6) {
        0 => shop.fake.owner("POST", &format!("disputes/{dispute}"), "metadata[answered]=yes"),
        1 | 2 => shop.fake.decide_dispute(dispute, true),
        _ => shop.fake.decide_dispute(dispute, false),
    };
}

/// The item of a base, or else any, and a base that it is not.
fn other<'a>(site: &'a Site, told: &Told, to: Option<&'a str>, rng: &mut StdRng) -> Option<(String, &'a str)> {
    let item = told.items.iter().find(|item| site.bases.contains(&item.price)).unwrap_or(&told.items[0]);
    let others: Vec<&str> = site.bases.iter().map(String::as_str).filter(|price| *price != item.price).collect();
    let to = to.filter(|to| others.contains(to)).or_else(|| others.choose(rng).copied())?;
    Some((item.id.clone(), to))
}

/// As `subscriptions.changePlan` does it.
async fn change_now(shop: &Shop, site: &Site, one: &str, to: Option<&str>, rng: &mut StdRng) {
    let told = Told::of(&shop.fake, one);
    let Some((item, price)) = other(site, &told, to, rng) else { return };
    shop.try_write(change::change_price(one, &ItemPrice { item: &item, price, proration_date: None })).await;
}

fn change_with_next_invoice(shop: &Shop, site: &Site, one: &str, rng: &mut StdRng) {
    let told = Told::of(&shop.fake, one);
    let Some((item, price)) = other(site, &told, None, rng) else { return };
    let form = format!("items[0][id]={item}&items[0][price]={price}&proration_behavior=create_prorations");
    _ = shop.fake.owner("POST", &format!("subscriptions/{one}"), &form);
}

/// As `subscriptions.changePlan` does it.
async fn change_with_period(shop: &Shop, site: &Site, one: &str, rng: &mut StdRng) {
    let told = Told::of(&shop.fake, one);
    let Some((item, price)) = other(site, &told, None, rng) else { return };
    let Ok(made) = shop.fake.owner("POST", "subscription_schedules", &format!("from_subscription={one}")) else {
        return;
    };
    let phase = |with: Option<&str>| {
        let each = told.items.iter().map(|one| PhaseItem {
            price: with.filter(|_| one.id == item).unwrap_or(&one.price).to_owned(),
            quantity: Some(one.quantity),
        });
        each.collect::<Vec<_>>()
    };
    let (now, then) = (phase(None), phase(Some(price)));
    let date = |name: &str| made["phases"][0][name].as_i64().expect("a date");
    let next = NextPhase {
        now: &now,
        start: date("start_date"),
        end: date("end_date"),
        then: &then,
        duration: ("month", 1),
        metadata: ("by", "the owner"),
    };
    shop.try_write(schedules::set_next(made["id"].as_str().expect("an id"), &next)).await;
}

async fn release(shop: &Shop, one: &str) {
    let view = shop.fake.owner("GET", &format!("subscriptions/{one}"), "").expect("a subscription");
    if let Some(schedule) = view["schedule"].as_str() {
        shop.try_write(schedules::release(schedule)).await;
    }
}

fn add_item(shop: &Shop, site: &Site, one: &str, rng: &mut StdRng) {
    let price = site.extras.choose(rng).expect("an extra");
    let (quantity, proration) = (rng.random_range(1..3), PRORATIONS.choose(rng).expect("a word"));
    let form = format!("items[0][price]={price}&items[0][quantity]={quantity}&proration_behavior={proration}");
    _ = shop.fake.owner("POST", &format!("subscriptions/{one}"), &form);
}

fn change_quantity(shop: &Shop, one: &str, proration: Option<&str>, rng: &mut StdRng) {
    let told = Told::of(&shop.fake, one);
    let item = told.items.choose(rng).expect("an item");
    let proration = proration.unwrap_or(PRORATIONS.choose(rng).expect("a word"));
    let form = format!(
        "items[0][id]={}&items[0][quantity]={}&proration_behavior={proration}",
        item.id,
        rng.random_range(1..4)
    );
    _ = shop.fake.owner("POST", &format!("subscriptions/{one}"), &form);
}

fn remove_item(shop: &Shop, one: &str, rng: &mut StdRng) {
    let told = Told::of(&shop.fake, one);
    let item = told.items.choose(rng).expect("an item");
    let proration = PRORATIONS.choose(rng).expect("a word");
    let form = format!("items[0][id]={}&items[0][deleted]=true&proration_behavior={proration}", item.id);
    _ = shop.fake.owner("POST", &format!("subscriptions/{one}"), &form);
}

/// The member has another card, and pays what is open, the oldest first.
fn pay(shop: &Shop, life: &Life, one: &str) {
    shop.fake.set_card(&life.customer, false).expect("a customer");
    let open = format!("invoices?subscription={one}&status=open&limit=100");
    let open = shop.fake.owner("GET", &open, "").expect("invoices");
    for invoice in open["data"].as_array().expect("a list").iter().rev() {
        _ = shop.fake.owner("POST", &format!("invoices/{}/pay", invoice["id"].as_str().expect("an id")), "");
    }
}
