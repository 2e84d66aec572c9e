//! Selling through every sort of failure: answers that are lost, late, broken or refused, workers that die at moments
//! that nobody chose, and outages of more than a day in which Stripe forgets the keys of requests.
//!
//! The buyers are the worst there can be: they pay on every page that is open for them at Stripe, whether anybody has
//! given them its address or not. Some leave again, by a call that the same workers bring about, some change their plans, pay
//! for that or not, have several items, get money back, or have their banks get it. At the end each has paid, once, whoever
//! has left pays no more, nothing waits, and each sees what is paid for. Naive policies, run against the same Stripe by the
//! same client, make them pay twice, or never, or after they have left, or wait for ever; others show them too much or too
//! little.
//!
//! `USHER_TEST_CRASH_MEMBERS` says how many buy, `USHER_TEST_CRASH_SEED` by which dice.

mod access;
mod buyers;
mod check;
mod lives;
mod naive;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use buyers::Buyers;
use lives::Life;
use naive::Manner;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use stripe_fake::{AfterRetries, Fault, Rule, Settings};

use super::Shop;
use crate::harness::{Backend, World};

const MEMBERS: u64 = 48;
const SEED: u64 = 20_260_101;

/// How likely something goes wrong with a write, and with a read.
const OF_WRITES: f64 = 0.6;
const OF_READS: f64 = 0.1;

/// How many requests workers make in their lives at least, and on average for each member; and how long they live at most.
const REQUESTS: usize = 15;
const REQUESTS_A_MEMBER: f64 = 1.0;
const LIFE: Duration = Duration::from_secs(20);

/// Lives from one outage of a day to the next, and how long it is.
const OUTAGE_EVERY: u64 = 3;
const OUTAGE_S: u64 = 25 * 3600;

/// By then everybody has bought, or something is stuck.
const PATIENCE: Duration = Duration::from_secs(900);

#[tokio::test(flavor = "multi_thread")]
async fn nobody_pays_twice_and_everybody_once_on_sqlite() {
    sell(Backend::Sqlite, setting("USHER_TEST_CRASH_MEMBERS", MEMBERS)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_pays_twice_and_everybody_once_on_postgres() {
    sell(Backend::Postgres, setting("USHER_TEST_CRASH_MEMBERS", MEMBERS / 2)).await;
}

/// The test can fail: whoever does not look finds out too late, or never.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_look_up_people_pay_twice_or_never_or_wait_for_ever() {
    for manner in [Manner::NewKeys, Manner::OneTry, Manner::OneKey] {
        let mut world = World::start_idle(Backend::Sqlite, &[]).await;
        let shop = Shop::open_idle(&mut world).await;
        goes_wrong(&shop);
        let members = setting("USHER_TEST_CRASH_MEMBERS", MEMBERS);
        let wrong = naive::sell(&shop, members, manner).await;
        tell(&format!("{manner:?}: of {members} members {wrong:?}"));
        let is_caught = match manner {
            Manner::NewKeys => wrong.charged_twice > 0,
            Manner::OneTry => wrong.never_subscribed > 0 && wrong.live_after_cancel > 0,
            Manner::OneKey => wrong.stuck > 0,
        };
        assert!(is_caught, "the faults hit nothing: {manner:?}");
        world.end().await;
    }
}

async fn sell(backend: Backend, members: u64) {
    let seed = setting("USHER_TEST_CRASH_SEED", SEED);
    tell(&format!("{backend:?}: {members} members by the dice of {seed}"));
    let (began, mut dice) = (Instant::now(), StdRng::seed_from_u64(seed));
    let mut world = World::start_idle(backend, &[]).await;
    world.without_budgets().await;
    let shop = Shop::open_idle(&mut world).await;
    world
        .settings(|settings| (settings.lost_disputes_end_access, settings.destructive_per_day) = (true, u32::MAX))
        .await;
    let settings = Settings { after_retries: AfterRetries::PastDue, ..Settings::default() };
    shop.fake.set_settings(None, settings).expect("an account");
    let mut buyers = Buyers::come(&world, &shop, members).await;
    goes_wrong(&shop);
    let mut round = 0;
    while !buyers.are_done(&world, &shop).await {
        buyers.leave(&world).await;
        buyers.play(&world, &shop).await;
        assert!(began.elapsed() < PATIENCE, "stuck: {}", check::open(&world).await);
        let life = Life::begin(&world);
        let most = REQUESTS + (members as f64 * REQUESTS_A_MEMBER * 2.0) as usize;
        let until = shop.fake.n_asked() + dice.random_range(REQUESTS..most);
        let (at_most, fake) = (Instant::now() + LIFE, (*shop.fake).clone());
        let killing = tokio::spawn(async move {
            while fake.n_asked() < until && Instant::now() < at_most {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            life.kill();
        });
        while !killing.is_finished() {
            tokio::time::sleep(Duration::from_millis(40)).await;
            buyers.pay(&shop);
            lives::time_passes(&world, &shop, 3).await;
        }
        round += 1;
        if round % OUTAGE_EVERY == 0 {
            lives::time_passes(&world, &shop, OUTAGE_S).await;
            buyers.come_again(&world, &shop).await;
        }
        lives::leases_run_out(&world).await;
    }
    let log = shop.fake.log();
    let writes = || log.iter().filter(|entry| entry.method != "GET");
    let (hit, writes) = (writes().filter(|entry| entry.fault != Fault::None).count(), writes().count());
    shop.fake.clear_faults();
    let life = Life::begin(&world);
    check::rest(&world, &shop, &buyers).await;
    life.kill();
    tell(&format!(
        "{backend:?}: {members} members have paid once and some have left in {round} lives with {} outages of a day; of {writes} writes at \
         Stripe {hit} went wrong; {:.1} s",
        round / OUTAGE_EVERY,
        began.elapsed().as_secs_f64(),
    ));
    assert!(round >= OUTAGE_EVERY, "it was over before there was an outage");
    world.leaves_traces = true;
    world.end().await;
}

/// Everything goes wrong that can, but for silence: nobody has the time to wait for the end of that, and a connection
/// that is reset is the same to whoever sent.
fn goes_wrong(shop: &Shop) {
    let faults = || Fault::ALL.into_iter().filter(|fault| !matches!(fault, Fault::TimeoutBefore | Fault::TimeoutAfter));
    let each = |all: f64| -> BTreeMap<Fault, f64> {
        let n = faults().count() as f64;
        faults().map(|fault| (fault, all / n)).collect()
    };
    shop.fake.fault(Rule { chances: each(OF_WRITES), ..Rule::default().on("POST", "") });
    shop.fake.fault(Rule { chances: each(OF_WRITES), ..Rule::default().on("DELETE", "") });
    shop.fake.fault(Rule { chances: each(OF_READS), ..Rule::default().on("GET", "") });
}

#[expect(clippy::disallowed_methods, reason = "the tests' own settings")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

#[expect(clippy::print_stdout, reason = "what the run did, for whoever looks")]
fn tell(line: &str) {
    println!("crash: {line}");
}
