//! Random histories of subscriptions, whose events come late, twice, in any order, many at once, while Stripe goes on and
//! several read it: in the end the mirror, and what access makes of it, is what Stripe says.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt as _, future::join_all, stream};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde_json::{Value, json};
use stripe_fake::{Dress, Fault, Payer, Plan, Rule, Shape};
use usher::areas::{billing, invoices, subscriptions};
use usher_jobs::Owner;
use usher_stripe::{
    requests::{checkout, customers, invoice_payments, invoices as ask, subscriptions as change},
    views::{self, SubscriptionStatus},
};

use super::{
    Shop,
    events::event,
    shop::{Second, Way, read_all, subscription},
};
use crate::harness::{Backend, PATIENCE, World};

/// Histories that live in one database at once.
const AT_ONCE: usize = 40;

/// How often something happens to each.
const ROUNDS: usize = 4;

/// How long a round takes.
const MEANWHILE: Duration = Duration::from_millis(600);

/// How often in a round something is heard.
const PARTS: usize = 3;

/// Histories a test goes through, if nobody asks for more.
const USUAL: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn shuffled_histories_end_in_what_stripe_says_on_sqlite() {
    all(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shuffled_histories_end_in_what_stripe_says_on_postgres() {
    all(Backend::Postgres).await;
}

#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "the tests' own setting, and how far it is")]
async fn all(backend: Backend) {
    let wanted = std::env::var("USHER_TEST_HISTORIES").ok().and_then(|n| n.parse().ok()).unwrap_or(USUAL);
    let began = std::time::Instant::now();
    let mut done = 0;
    while done < wanted {
        let seed = u64::try_from(done).expect("a number");
        let n_events = world_of(backend, seed).await;
        done += AT_ONCE;
        eprintln!("{backend:?}: {done} histories, {n_events} deliveries in the last {AT_ONCE}, {:?}", began.elapsed());
    }
}

both!(an_answer_that_comes_late_overwrites_nothing_and_hides_nothing, async |world| {
    let shop = Shop::open(world).await;
    let way = Way::to(shop.fake.address()).await;
    world.execute(&format!("UPDATE stripe_connection SET base = '{}'", way.address)).await;
    let price = shop.price(900).await;
    shop.fake.set_plan(Plan::held());
    for is_read_before in [true, false] {
        let email = format!("{is_read_before}@example.com");
        let member = world.one("members.create", json!({ "email": email })).await["id"].clone();
        let one = shop.sells(&member, &price).await;
        shop.settle(world).await;
        nobody_reads(world).await;
        // Somebody has asked, and what they are told is not there yet.
        way.hold_one();
        shop.tell(world, &event(&format!("evt_{one}_1"), &one)).await;
        way.is_held().await;
        if is_read_before {
            // Another reads the same and is done, before it changes: what is heard then is still to be read.
            read_more(world).await;
            let begun = std::time::Instant::now();
            while !world.rows("SELECT object_id FROM stripe_dirty").await.is_empty() {
                assert!(begun.elapsed() < PATIENCE, "nobody else reads");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            shop.write(change::cancel_now(&one)).await;
            shop.tell(world, &event(&format!("evt_{one}_2"), &one)).await;
        } else {
            // Another reads what came of it.
            shop.write(change::cancel_now(&one)).await;
            shop.tell(world, &event(&format!("evt_{one}_2"), &one)).await;
            read_more(world).await;
            let begun = std::time::Instant::now();
            while subscription(world, &member).await["status"] != "canceled" {
                assert!(begun.elapsed() < PATIENCE, "nobody else reads");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        way.release();
        nobody_reads(world).await;
        read_all(world, world.site.id).await;
        assert_eq!(subscription(world, &member).await["status"], "canceled", "read before: {is_read_before}");
        shop.settle(world).await;
    }
});

/// What a member has at Stripe.
struct Life {
    member: Value,
    customer: String,
    subscriptions: Vec<String>,
}

async fn world_of(backend: Backend, seed: u64) -> usize {
    let mut world = World::start(backend).await;
    world.without_budgets().await;
    let shop = Shop::open(&mut world).await;
    shop.fake.set_plan(Plan::held());
    // On PostgreSQL two processes read; on SQLite there is only ever one.
    let second = match backend {
        Backend::Postgres => Some(Second::start(&world).await),
        Backend::Sqlite => None,
    };
    let mut rng = StdRng::seed_from_u64(seed);
    let prices = [shop.price(900).await, shop.price(2500).await];
    let begun = join_all((0..AT_ONCE).map(async |n| {
        let member = world.one("members.create", json!({ "email": format!("m{n}@example.com") })).await["id"].clone();
        let metadata = BTreeMap::from([("usher_member".to_owned(), member.as_str().expect("an id").to_owned())]);
        let customer = customers::NewCustomer { email: "x@example.com", name: None, metadata: &metadata };
        let customer = shop.write(customers::create(&customer)).await.id;
        let mut life = Life { member, customer, subscriptions: Vec::new() };
        buy(&shop, &mut life, &prices[n % 2], &Payer { card_fails_later: n % 5 == 0, ..Payer::default() }).await;
        life
    }));
    let mut lives = begun.await;
    // Some reads fail, and are tried again.
    shop.fake.fault(Rule {
        method: Some("GET".into()),
        path: Some("/v1/**".into()),
        chances: BTreeMap::from([(Fault::BadGateway, 0.01), (Fault::RateLimited, 0.01), (Fault::Truncated, 0.01)]),
        ..Rule::default()
    });
    let mut posts = Posts { n_known: 0, waiting: Vec::new(), sent: Vec::new(), n_sent: 0 };
    for _ in 0..ROUNDS {
        let seeds: Vec<u64> = lives.iter().map(|_| rng.random()).collect();
        let lived = async {
            let each = lives.iter_mut().zip(seeds);
            join_all(each.map(|(life, seed)| live(&world, &shop, life, &prices, seed))).await
        };
        // What happens meanwhile is heard of meanwhile, and several read.
        let heard = async {
            for _ in 0..PARTS {
                let now = posts.some(&shop, &mut rng, 0.5);
                post(&world, &shop, second.as_ref(), now).await;
                read_more(&world).await;
                tokio::time::sleep(MEANWHILE / u32::try_from(PARTS).expect("a few")).await;
            }
        };
        tokio::join!(heard, lived);
        let hours = *[1, 20, 24 * 7, 24 * 20].get(rng.random_range(0..4)).expect("one of four");
        shop.advance(&world, hours * 3600).await;
    }
    shop.fake.clear_faults();
    let rest = posts.some(&shop, &mut rng, 1.0);
    read_more(&world).await;
    post(&world, &shop, second.as_ref(), rest).await;
    // What has failed is due again.
    shop.advance(&world, 3600).await;
    let rest = posts.some(&shop, &mut rng, 1.0);
    post(&world, &shop, second.as_ref(), rest).await;
    read_more(&world).await;
    read_all(&world, world.site.id).await;
    nobody_reads(&world).await;
    let wrong: Vec<String> =
        stream::iter(&lives).map(|life| compare(&world, &shop, life)).buffer_unordered(8).concat().await;
    assert!(wrong.is_empty(), "seed {seed}: {} things differ: {:#?}", wrong.len(), &wrong[..wrong.len().min(8)]);
    if let Some(second) = second {
        second.end().await;
    }
    world.end().await;
    posts.n_sent
}

/// Events of which not all copies have been posted.
struct Posts {
    n_known: usize,
    waiting: Vec<String>,
    /// Some that were posted, and may come again.
    sent: Vec<String>,
    n_sent: usize,
}

impl Posts {
    /// Takes a part of what waits, in any order, some of it twice; the rest comes later.
    fn some(&mut self, shop: &Shop, rng: &mut StdRng, part: f64) -> Vec<(String, Dress)> {
        let events = shop.fake.events(None).expect("an account");
        self.waiting.extend(events[self.n_known..].iter().map(|(id, _)| id.clone()));
        self.n_known = events.len();
        let (now, later) = std::mem::take(&mut self.waiting).into_iter().partition(|_| rng.random_bool(part));
        self.waiting = later;
        let mut now: Vec<String> = now;
        let twice: Vec<_> = now.iter().filter(|_| rng.random_bool(0.3)).cloned().collect();
        self.sent.shuffle(rng);
        let old = self.sent.split_off(self.sent.len().saturating_sub(AT_ONCE / 4));
        self.sent = now.iter().filter(|_| rng.random_bool(0.1)).cloned().collect();
        now.extend(twice);
        now.extend(old);
        now.shuffle(rng);
        self.n_sent += now.len();
        let dress = |rng: &mut StdRng| Dress {
            shape: if rng.random_bool(0.3) { Shape::V2020 } else { Shape::Current },
            unknown_fields: rng.random_bool(0.3),
            ..Dress::default()
        };
        now.into_iter().map(|event| (event, dress(rng))).collect()
    }
}

/// Posts many at once, to both processes.
async fn post(world: &World, shop: &Shop, second: Option<&Second>, all: Vec<(String, Dress)>) {
    let path = format!("/webhooks/stripe/{}", world.site.id);
    let one = async |at: usize, event: String, dress: Dress| {
        let signed = shop.fake.signed(&event, &dress).expect("an event").remove(0);
        let address = second.filter(|_| at % 2 == 1).map_or(&world.address, |second| &second.address);
        // A connection that was kept may be closed by the server just then: like Stripe, we send it again.
        for _ in 0..3 {
            let mut request = world.http.post(format!("{address}{path}")).body(signed.body.clone());
            for (name, value) in &signed.headers {
                request = request.header(name, value);
            }
            if let Ok(answer) = request.send().await {
                assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
                return;
            }
        }
        panic!("no answer");
    };
    let all = all.into_iter().enumerate().map(|(at, (event, dress))| one(at, event, dress));
    stream::iter(all).buffer_unordered(8).collect::<Vec<()>>().await;
}

/// One more job that reads, beside the one that reads already, as after a lease was lost.
async fn read_more(world: &World) {
    let mut tx = world.app.db.begin().await.expect("a transaction");
    for _ in 0..2 {
        let sync = billing::Sync { site: world.site.id.number() };
        world.app.jobs.enqueue(&mut tx, Owner::site(0), &sync).await.expect("a job");
    }
    tx.commit().await.expect("a commit");
}

async fn nobody_reads(world: &World) {
    let began = std::time::Instant::now();
    const OPEN: &str = "SELECT id FROM job WHERE kind = 'stripe.sync' AND state IN ('queued', 'running')";
    while !world.rows(OPEN).await.is_empty() {
        assert!(began.elapsed() < PATIENCE, "somebody goes on reading");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A member goes through a checkout.
async fn buy(shop: &Shop, life: &mut Life, price: &str, payer: &Payer) {
    let session = open(shop, life, price).await;
    let session = shop.fake.complete_checkout(&session, payer).expect("it is paid");
    life.subscriptions.push(session["subscription"].as_str().expect("a subscription").to_owned());
}

async fn open(shop: &Shop, life: &Life, price: &str) -> String {
    let metadata = BTreeMap::from([("usher_member".to_owned(), life.member.as_str().expect("an id").to_owned())]);
    let new = checkout::NewCheckout {
        customer: &life.customer,
        price,
        sells: checkout::Sells::Subscription { trial_days: 0 },
        reference: "r",
        metadata: &metadata,
        success_url: "https://example.com/",
        cancel_url: None,
        coupon: None,
        expires_at: None,
    };
    shop.write(checkout::create(&new)).await.id
}

/// One thing happens to a member's subscription. What Stripe refuses does not happen.
async fn live(world: &World, shop: &Shop, life: &mut Life, prices: &[String; 2], seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    tokio::time::sleep(MEANWHILE.mul_f64(rng.random())).await;
    let at = rng.random_range(0..life.subscriptions.len());
    let one = life.subscriptions[at].clone();
    match rng.random_range(0..16) {
        0 | 1 => shop.try_write(change::cancel_at_period_end(&one, true)).await,
        2 => shop.try_write(change::cancel_at_period_end(&one, false)).await,
        3 | 4 => shop.try_write(change::pause_collection(&one, None)).await,
        5 => {
            let until = shop.fake.now() + rng.random_range(2..60) * 86_400;
            shop.try_write(change::pause_collection(&one, Some(until))).await;
        }
        6 | 7 => shop.try_write(change::clear_pause_collection(&one)).await,
        8 => shop.try_write(change::cancel_now(&one)).await,
        9 | 10 => shop.fake.set_card(&life.customer, true).expect("a customer"),
        11 => shop.fake.set_card(&life.customer, false).expect("a customer"),
        12 | 13 => {
            let whole = rng.random_bool(0.7);
            shop.refund(world, &life.customer, (!whole).then_some(100)).await;
        }
        14 => {
            shop.fake.set_card(&life.customer, false).expect("a customer");
            buy(shop, life, &prices[at % 2], &Payer::default()).await;
        }
        _ => drop(open(shop, life, &prices[0]).await),
    }
}

/// What Stripe says of a subscription at the end.
struct Said {
    subscription: views::Subscription,
    /// Its invoices, and what was given back of each.
    invoices: Vec<(views::Invoice, i64)>,
}

impl Said {
    /// Until when it is paid, by the newest of what was paid.
    fn paid_until(&self) -> i64 {
        let paid = self.invoices.iter().filter(|(invoice, _)| invoice.status == Some(views::InvoiceStatus::Paid));
        paid.map(|(invoice, _)| period_end(invoice)).max().unwrap_or_default()
    }

    fn is_refunded(&self, now: i64) -> bool {
        let paid = self.invoices.iter().filter(|(invoice, _)| invoice.amount_paid > 0);
        let last = paid.max_by_key(|(invoice, _)| period_end(invoice));
        last.is_some_and(|(invoice, back)| *back >= invoice.amount_paid && period_end(invoice) > now)
    }

    fn status(&self) -> &str {
        let one = &self.subscription;
        if one.pause_collection.is_some() && !one.status.is_terminal() { "paused" } else { one.status.as_str() }
    }

    /// What it alone would lead to.
    fn reason(&self, now: i64, grace: i64) -> &'static str {
        let paid = self.paid_until();
        if self.is_refunded(now) {
            return "subscription_ended";
        }
        match (self.status(), &self.subscription.status) {
            ("paused", _) if now < paid => "allowed_subscription",
            ("paused", _) => "subscription_paused",
            (_, SubscriptionStatus::Active | SubscriptionStatus::Trialing) => "allowed_subscription",
            (_, SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid) if now < paid + grace => "allowed_grace",
            (_, SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid) => "subscription_past_due",
            (_, SubscriptionStatus::Canceled) => "subscription_ended",
            _ => "subscription_incomplete",
        }
    }
}

fn period_end(invoice: &views::Invoice) -> i64 {
    invoice.lines.data.iter().filter_map(|line| line.period).map(|period| period.end).max().unwrap_or_default()
}

/// What is here and what Stripe says, of a member: what differs.
async fn compare(world: &World, shop: &Shop, life: &Life) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut differ = |what: &str, here: Value, there: Value| {
        if here != there {
            wrong.push(format!("{what} of {} is {here} and should be {there}", life.member));
        }
    };
    let (site, now) = (world.site.id, world.clock.now().micros() / 1_000_000);
    let all = shop.read(ask::list(&ask::InvoiceFilter { customer: Some(&life.customer), ..Default::default() })).await;
    let mut said = Vec::new();
    for external in &life.subscriptions {
        let mut one = Said { subscription: shop.read(change::get(external)).await, invoices: Vec::new() };
        for invoice in all.data.iter().filter(|invoice| invoice.subscription_id() == Some(external)) {
            let payments = shop.read(invoice_payments::of_invoice(&invoice.id)).await;
            let back = views::refunded(&payments.data).unwrap_or_default();
            let here = invoices::store::by_external(world.app.db.read(), site, &invoice.id).await.expect("a database");
            let there = json!([invoice.status, invoice.total, invoice.amount_paid, back, invoice.number]);
            let here = here.map_or(Value::Null, |one| {
                json!([one.status.as_str(), one.total, one.amount_paid, one.amount_refunded, one.number])
            });
            differ(&format!("invoice {}", invoice.id), here, there);
            one.invoices.push((invoice.clone(), back));
        }
        said.push(one);
    }
    let seconds = |time: Option<usher::values::Time>| time.map(|time| time.micros() / 1_000_000);
    for one in &said {
        let view = &one.subscription;
        let here = subscriptions::store::by_external(world.app.db.read(), site, &view.id).await.expect("a database");
        let Some(here) = here else {
            differ("the subscription", Value::Null, json!(view.id));
            continue;
        };
        let end = view.current_period().map(|period| period.end);
        let end = match (one.status(), view.ended_at) {
            ("paused", _) => end.map(|end| end.min(one.paid_until())),
            (_, Some(ended)) => end.map(|end| end.min(ended)),
            _ => end,
        };
        let overdue = matches!(one.status(), "past_due" | "unpaid").then(|| one.paid_until());
        let cancel_at = view.cancel_at.or(end.filter(|_| view.cancel_at_period_end && one.status() != "paused"));
        let mirrored = json!([here.status.as_str(), seconds(here.period_end), seconds(here.past_due_since)]);
        differ(&format!("subscription {}", view.id), mirrored, json!([one.status(), end, overdue]));
        if one.status() != "paused" {
            differ("when it is to end", json!(seconds(here.cancel_at)), json!(cancel_at));
        }
        let resumes_at = view.pause_collection.as_ref().and_then(|pause| pause.resumes_at);
        let mirrored = json!([seconds(here.ended_at), seconds(here.canceled_at), seconds(here.resumes_at)]);
        differ(&format!("the end of {}", view.id), mirrored, json!([view.ended_at, view.canceled_at, resumes_at]));
    }
    let grace = i64::from(world.site.settings.grace_days) * 86_400;
    let reasons: Vec<_> = said.iter().map(|one| one.reason(now, grace)).collect();
    let lets: Vec<_> = reasons.iter().filter(|reason| reason.starts_with("allowed")).collect();
    let why = world.ok("members.whyPaywall", json!({ "member": { "id": life.member } })).await;
    let why = why["reason"].as_str().expect("a reason");
    let nearest = ["subscription_past_due", "subscription_paused", "subscription_incomplete", "subscription_ended"];
    let nearest = nearest.into_iter().find(|one| reasons.contains(one)).unwrap_or_default();
    let is_right = if lets.is_empty() { why == nearest } else { lets.iter().any(|one| **one == why) };
    if !is_right {
        differ("the reason", json!(why), json!(reasons));
    }
    wrong
}
