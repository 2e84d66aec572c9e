//! `kill -9` of the whole program, at moments that nobody chose, while members are made and read and lists imported:
//! what was answered is there once, with its row of the log; the rest is wholly there or not at all.
//!
//! `USHER_TEST_STORM_ROUNDS` (4) says how often, `USHER_TEST_STORM_SEED` by which dice.

mod check;
pub mod clients;
mod lists;
pub mod server;

use std::time::{Duration, Instant};

pub use clients::Client;
use clients::Ledger;
use lists::List;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use server::{Installation, Process};
use tokio::task::JoinSet;

use crate::harness::{Backend, PATIENCE};

const ROUNDS: u64 = 4;
const SEED: u64 = 20_260_101;

/// How long a server lives, in milliseconds.
const LIFE_MS: std::ops::Range<u64> = 100..1500;

/// Rounds from the start of one import to the next.
const IMPORT_EVERY: u64 = 3;

/// Rounds after which kills must have hit calls and imports.
const ENOUGH: u64 = 20;

const WRITERS: u64 = 5;
const READERS: u64 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_and_doubles_nothing_on_sqlite() {
    storm(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_and_doubles_nothing_on_postgres() {
    storm(Backend::Postgres).await;
}

async fn storm(backend: Backend) {
    let (rounds, seed) = (setting("USHER_TEST_STORM_ROUNDS", ROUNDS), setting("USHER_TEST_STORM_SEED", SEED));
    tell(&format!("{backend:?}: {rounds} rounds by the dice of {seed}"));
    let began = Instant::now();
    let (place, key) = Installation::new(backend).await;
    let (mut ledger, mut lists, mut dice) = (Ledger::default(), Vec::new(), StdRng::seed_from_u64(seed));
    for round in 0..rounds {
        let mut life = live(&place, round).await;
        let client = life[0].client(&key);
        if round == 0 {
            place.without_budgets().await;
            for number in 0..rounds.div_ceil(IMPORT_EVERY) {
                lists.push(List::upload(number as usize, &client).await);
            }
        }
        check::calls(&place, &ledger).await;
        clients::send_again(&client, &mut ledger).await;
        let list = round.is_multiple_of(IMPORT_EVERY).then(|| lists[(round / IMPORT_EVERY) as usize].clone());
        let calling = begin_calling(&client, list, round, &ledger, &mut dice);
        tokio::time::sleep(Duration::from_millis(dice.random_range(LIFE_MS))).await;
        life.iter_mut().for_each(Process::kill);
        let told = tokio::time::timeout(PATIENCE, calling.join_all()).await.expect("the clients notice");
        told.into_iter().for_each(|told| ledger.add(told));
        leases_run_out(&place).await;
    }
    let mut life = live(&place, rounds).await;
    let client = life[0].client(&key);
    check::calls(&place, &ledger).await;
    clients::send_again(&client, &mut ledger).await;
    place.jobs_are_over().await;
    check::lists(&place, &client, &ledger, &lists).await;
    life.iter_mut().for_each(Process::kill);
    check::calls(&place, &ledger).await;
    summary(&place, &ledger, rounds, began).await;
}

/// Starts what serves and works: one process, or every other time two.
async fn live(place: &Installation, round: u64) -> Vec<Process> {
    match round.is_multiple_of(2) {
        true => vec![place.serve(&[("USHER_WORKERS", "on")]).await],
        false => vec![place.serve(&[("USHER_WORKERS", "off")]).await, place.work()],
    }
}

fn begin_calling(
    client: &Client,
    list: Option<List>,
    round: u64,
    ledger: &Ledger,
    dice: &mut StdRng,
) -> JoinSet<Ledger> {
    let mut calling = JoinSet::new();
    for n in 0..WRITERS {
        calling.spawn(clients::make_members(client.clone(), dice.random(), format!("r{round}-w{n}")));
    }
    for _ in 0..READERS {
        calling.spawn(clients::read_members(client.clone(), dice.random(), ledger.emails()));
    }
    if let Some(list) = list {
        calling.spawn(clients::import(client.clone(), list));
    }
    calling
}

/// Lets the half minute pass after which a worker that died loses its job, so that each life goes on with the imports.
/// On SQLite nobody waits for it, as no other worker can have the job.
async fn leases_run_out(place: &Installation) {
    if place.backend == Backend::Postgres {
        place.rows::<1>("UPDATE job SET lease_until = 1 WHERE state = 'running' RETURNING id").await;
    }
}

async fn summary(place: &Installation, ledger: &Ledger, rounds: u64, began: Instant) {
    let jobs: Vec<[String; 1]> =
        place.rows("SELECT CAST(attempt AS TEXT) FROM job WHERE kind = 'blocklist.import' ORDER BY id").await;
    let attempts: Vec<u32> = jobs.iter().map(|[attempt]| attempt.parse().expect("a number")).collect();
    let replayed = ledger.answered.iter().filter(|one| one.replayed).count();
    tell(&format!(
        "{:?}: {} writes answered ({replayed} of them replays), {} not answered and not sent again, {} reads answered; \
         {} imports in {attempts:?} attempts; {:.1} s",
        place.backend,
        ledger.answered.len(),
        ledger.unanswered.len(),
        ledger.reads.len(),
        attempts.len(),
        began.elapsed().as_secs_f64(),
    ));
    if rounds >= ENOUGH {
        let hit = attempts.iter().any(|attempt| *attempt > 1);
        assert!(hit && replayed > 0 && !ledger.unanswered.is_empty(), "the storm hit nothing");
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests' own settings")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

#[expect(clippy::print_stdout, reason = "what the run did, for whoever looks")]
fn tell(line: &str) {
    println!("storm: {line}");
}
