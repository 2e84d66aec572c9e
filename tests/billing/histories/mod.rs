//! Random histories of subscriptions, whose events come late, twice, in any order, many at once, while Stripe goes on and
//! several read it: in the end the mirror, and what access makes of it, is what Stripe says.
//!
//! What happens is in `lives`: plans of several items that change now, with the next invoice and with the period, upgrades
//! that stay unpaid, refunds of parts, disputes. What should come of it is in [`super::oracle`], and is held against what
//! Usher says in `compare`, as are the naive policies, each of which has to be found wrong.
//!
//! `USHER_TEST_HISTORIES` says how many, `USHER_TEST_HISTORIES_AT_ONCE` how many of them in one database,
//! `USHER_TEST_HISTORIES_SEED` by which dice they begin.

mod compare;
mod lives;
mod site;

use std::{collections::BTreeMap, time::Duration};

use compare::Findings;
use futures_util::{StreamExt as _, future::join_all, stream};
use lives::{Life, live};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde_json::json;
use site::Site;
use stripe_fake::{AfterRetries, Dress, Fault, Plan, Rule, Settings, Shape};
use usher::areas::billing;
use usher_jobs::Owner;
use usher_stripe::requests::subscriptions as change;

use super::{
    Shop,
    events::event,
    oracle::{Policy, Told},
    shop::{Second, Way, read_all, subscription},
};
use crate::harness::{Backend, PATIENCE, World};

/// Histories that live in one database at once, if nobody asks for more.
const AT_ONCE: usize = 40;

/// Histories that naive policies are held against at once; nobody here hears of them.
const NAIVE_AT_ONCE: usize = 60;

/// How often something happens to each.
const ROUNDS: usize = 4;

/// How long a round takes.
const MEANWHILE: Duration = Duration::from_millis(600);

/// How often in a round something is heard.
const PARTS: usize = 3;

/// How often an event is sent that nobody answers.
const TRIES: usize = 10;

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

#[expect(clippy::print_stderr, reason = "how far it is")]
async fn all(backend: Backend) {
    let (wanted, at_once) = (setting("HISTORIES", USUAL), setting("HISTORIES_AT_ONCE", AT_ONCE));
    let (began, mut found) = (std::time::Instant::now(), Findings::default());
    let mut seed = u64::try_from(setting("HISTORIES_SEED", 0)).expect("a number");
    while found.n_histories < wanted {
        world_of(backend, seed, at_once, &mut found).await;
        seed += 1;
        eprintln!("{backend:?}: {found}, {:.0} s", began.elapsed().as_secs_f64());
    }
}

/// The test can fail: whoever takes access from Stripe's objects in one of the naive ways is wrong about some histories.
#[tokio::test(flavor = "multi_thread")]
async fn each_naive_policy_is_wrong_about_some_histories() {
    let mut world = World::start(Backend::Sqlite).await;
    world.without_budgets().await;
    let shop = Shop::open(&mut world).await;
    shop.fake.set_plan(Plan::held());
    world.settings(|settings| settings.lost_disputes_end_access = true).await;
    let site = Site::open(&world, &shop).await;
    let (mut found, mut rng) = (Findings::default(), StdRng::seed_from_u64(0));
    for hours in [[1, 20, 168, 20], [168, 168, 480, 1], [20, 480, 480, 168], [480, 168, 20, 168]] {
        let first = found.n_histories;
        let mut lives = Vec::new();
        for n in first..first + NAIVE_AT_ONCE {
            lives.push(Life::begin(&world, &shop, &site, n, rng.random()).await);
        }
        for hours in hours {
            for life in &mut lives {
                live(&shop, &site, life, rng.random(), Duration::ZERO).await;
            }
            shop.advance(&world, hours * 3600).await;
        }
        let at = world.clock.now().micros() / 1_000_000;
        for life in &lives {
            let told: Vec<_> = life.subscriptions.iter().map(|id| Told::of(&shop.fake, id)).collect();
            found.hold_against_naive(&site, &told, at);
        }
        found.n_histories += lives.len();
    }
    for policy in Policy::NAIVE {
        assert!(found.naive.contains_key(&policy), "{policy:?} is wrong about none: {found}");
    }
    world.leaves_traces = true;
    world.end().await;
}

#[expect(clippy::disallowed_methods, reason = "the tests' own settings")]
fn setting(name: &str, usual: usize) -> usize {
    std::env::var(format!("USHER_TEST_{name}")).ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
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

async fn world_of(backend: Backend, seed: u64, at_once: usize, found: &mut Findings) {
    let mut world = World::start(backend).await;
    world.without_budgets().await;
    let shop = Shop::open(&mut world).await;
    shop.fake.set_plan(Plan::held());
    // What owners choose.
    let after_retries = [AfterRetries::PastDue, AfterRetries::Cancel, AfterRetries::Unpaid];
    let after_retries = after_retries[usize::try_from(seed % 3).expect("one of three")];
    shop.fake.set_settings(None, Settings { after_retries, ..Settings::default() }).expect("an account");
    world.settings(|settings| settings.lost_disputes_end_access = seed % 4 != 3).await;
    let site = Site::open(&world, &shop).await;
    // On PostgreSQL two processes read; on SQLite there is only ever one.
    let second = match backend {
        Backend::Postgres => Some(Second::start(&world).await),
        Backend::Sqlite => None,
    };
    let mut rng = StdRng::seed_from_u64(seed);
    let seeds: Vec<u64> = (0..at_once).map(|_| rng.random()).collect();
    let begun = seeds.into_iter().enumerate().map(|(n, seed)| Life::begin(&world, &shop, &site, n, seed));
    let mut lives: Vec<Life> = stream::iter(begun).buffered(AT_ONCE).collect().await;
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
            join_all(each.map(|(life, seed)| live(&shop, &site, life, seed, MEANWHILE))).await
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
    found.n_histories += lives.len();
    found.n_deliveries += posts.n_sent;
    let wrong = found.compare(&world, &shop, &site, &lives).await;
    assert!(wrong.is_empty(), "seed {seed}: {} things differ: {:#?}", wrong.len(), &wrong[..wrong.len().min(12)]);
    if let Some(second) = second {
        second.end().await;
    }
    world.end().await;
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
        // An endpoint is sent what it has asked for.
        let is_heard = |kind: &str| {
            billing::EVENTS.iter().any(|wanted| match wanted.strip_suffix('*') {
                Some(start) => kind.starts_with(start),
                None => kind == *wanted,
            })
        };
        let fresh = events[self.n_known..].iter().filter(|(_, kind)| is_heard(kind));
        self.waiting.extend(fresh.map(|(id, _)| id.clone()));
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
        // A connection that was kept may be closed by the server just then, and a busy database may have no connection
        // left: like Stripe, we send it again.
        for _ in 0..TRIES {
            let mut request = world.http.post(format!("{address}{path}")).body(signed.body.clone());
            for (name, value) in &signed.headers {
                request = request.header(name, value);
            }
            match request.send().await {
                Ok(answer) if answer.status() == 503 => tokio::time::sleep(MEANWHILE).await,
                Ok(answer) => {
                    assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
                    return;
                }
                Err(_) => {}
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
    let (mut began, mut last) = (began, Vec::new());
    loop {
        let open = world.rows(OPEN).await;
        if open.is_empty() {
            return;
        }
        if open != last {
            (began, last) = (std::time::Instant::now(), open);
        }
        assert!(began.elapsed() < PATIENCE, "somebody goes on reading");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
