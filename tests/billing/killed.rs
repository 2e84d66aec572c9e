//! An event that was answered with 200 is never lost: the process may be killed right after it. And what is logged.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use stripe_fake::{Config, Fake, Seed};
use usher::clock::Clock;

use super::events::{event, signature};
use crate::{
    harness::{Backend, PATIENCE},
    storm::server::{Installation, Process},
};

const SECRET: &str = "whsec_of_the_tests";
const SEALING: (&str, &str) = ("USHER_SECRET_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");

fn now() -> i64 {
    Clock::system().now().micros() / 1_000_000
}

/// An installation that is connected by the command line.
async fn connected(backend: Backend) -> (Installation, String, Fake) {
    let (place, key) = Installation::new(backend).await;
    let fake = Fake::start(Config { now: now(), ..Config::default() }).await.expect("a free port");
    let told = place.told(&["stripe", "connect", "--base", &fake.url()], &[SEALING], &Config::default().key).await;
    assert!(told.status.success() && told.out.contains("acct_fake"), "{told:?}");
    let told = place.told(&["stripe", "secret", "add"], &[SEALING], SECRET).await;
    assert!(told.status.success() && !told.out.contains(SECRET), "{told:?}");
    (place, key, fake)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_stays_with_the_account_that_it_knows_something_of() {
    let (place, key, fake) = connected(Backend::Sqlite).await;
    let others = Config { now: now(), account: "acct_other".into(), ..Config::default() };
    let other = Fake::start(others).await.expect("a free port");
    let disconnect = async || assert!(place.told(&["stripe", "disconnect"], &[SEALING], "").await.status.success());
    let connect = async |to: &Fake| {
        place.told(&["stripe", "connect", "--base", &to.url()], &[SEALING], &Config::default().key).await
    };
    // It knows nothing yet.
    disconnect().await;
    assert!(connect(&other).await.status.success());
    disconnect().await;
    assert!(connect(&fake).await.status.success());
    place.usher(&["sites", "update", "--stripe-writes", "on"]).await;
    let server = place.serve(&[SEALING]).await;
    let plan = json!({ "name": "Gold", "amount": 900, "currency": "EUR", "every": "month" });
    let made = server.client(&key).call_with("plans.create", plan, &[("prefer", "wait=20")]).await.result();
    assert_eq!(made["job"]["status"], "succeeded", "{made}");
    drop(server);
    disconnect().await;
    let told = connect(&other).await;
    assert!(!told.status.success() && told.err.contains("acct_fake") && told.err.contains("acct_other"), "{told:?}");
    // What is changed meanwhile is at Stripe once the site is connected again.
    let id = &made["plan"]["id"];
    let server = place.serve(&[SEALING]).await;
    let renamed = server.client(&key).call("plans.update", json!({ "plan": id, "name": "Platinum" })).await.result();
    assert!(renamed.get("job").is_none(), "{renamed}");
    drop(server);
    assert!(connect(&fake).await.status.success());
    let _server = place.serve(&[SEALING]).await;
    let url = format!("{}/v1/products/{}", fake.url(), id.as_str().expect("an id"));
    let name = async || {
        let answer =
            reqwest::Client::new().get(&url).bearer_auth(Config::default().key).send().await.expect("an answer");
        answer.json::<serde_json::Value>().await.expect("a product")["name"].clone()
    };
    tokio::time::timeout(PATIENCE, async { while name().await != "Platinum" {} }).await.expect("the plan is pushed");
}

/// Posts an event: its status, if an answer came.
async fn post(http: &reqwest::Client, server: &str, body: &str, secret: &str) -> Option<u16> {
    let request = http.post(format!("{server}/webhooks/stripe/1"));
    let request = request.header("stripe-signature", signature(body, now(), &[secret])).body(body.to_owned());
    Some(request.send().await.ok()?.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_read_after_a_kill_on_sqlite() {
    what_was_answered_is_read_after_a_kill(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_read_after_a_kill_on_postgres() {
    what_was_answered_is_read_after_a_kill(Backend::Postgres).await;
}

async fn what_was_answered_is_read_after_a_kill(backend: Backend) {
    let (place, key, fake) = connected(backend).await;
    place.without_budgets().await;
    let n = 40;
    let mut server = place.serve(&[SEALING, ("USHER_WORKERS", "off")]).await;
    let client = server.client(&key);
    let emails =
        stream::iter(0..n).then(|n| client.call("members.create", json!({ "email": format!("{n}@x.example") })));
    let members: Vec<String> =
        emails.map(|reply| reply.one()["id"].as_str().expect("an id").to_owned()).collect().await;
    let mut made = Vec::new();
    for member in &members {
        let metadata = [("usher_member".to_owned(), member.clone())].into_iter().collect();
        let seed = Seed { subscriptions: 1, metadata, ..Seed::default() };
        made.extend(fake.seed(&seed).expect("it is made").made);
    }
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut answered = BTreeSet::new();
    // Each life takes a few and is killed while others are on their way.
    for life in 0..5_usize {
        let address = server.address.clone();
        let mine: Vec<_> = (0..n).filter(|at| at % 5 == life || life == 4).collect();
        let half = mine.len() / 2;
        let all = mine.into_iter().map(|at| {
            let body = event(&format!("evt_{at}"), &made[at].1).to_string();
            let (http, address) = (&http, &address);
            async move { (at, post(http, address, &body, SECRET).await) }
        });
        let mut all = std::pin::pin!(stream::iter(all).buffer_unordered(4));
        let mut n_answers = 0;
        while let Some((at, status)) = all.next().await {
            if let Some(status) = status {
                assert_eq!(status, 200);
                answered.insert(format!("evt_{at}"));
            }
            n_answers += 1;
            if n_answers == half && life < 4 {
                server.kill();
            }
        }
        if life < 4 {
            let kept = place.rows::<1>("SELECT id FROM stripe_event").await.concat();
            let kept: BTreeSet<_> = kept.into_iter().collect();
            assert!(answered.is_subset(&kept), "lost: {:?}", answered.difference(&kept));
            server = place.serve(&[SEALING, ("USHER_WORKERS", "off")]).await;
        }
    }
    server.kill();
    let server = place.serve(&[SEALING]).await;
    let _worker = (backend == Backend::Postgres).then(|| place.work_with(&[SEALING]));
    let began = std::time::Instant::now();
    const READ: &str = "SELECT external_id FROM subscription WHERE status = 'active'";
    while place.rows::<1>(READ).await.len() < n {
        assert!(began.elapsed() < PATIENCE, "not all were read after the restart");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(place.rows::<1>("SELECT id FROM stripe_event").await.len(), n);
    is_quiet_and_secret(&place, &server).await;
}

/// A flood of bad signatures makes a few lines, and no line has a secret in it.
async fn is_quiet_and_secret(place: &Installation, server: &Process) {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let body = event("evt_bad", "sub_bad").to_string();
    let (http, body) = (&http, &body);
    let all = (0..500).map(async |_| post(http, &server.address, body, "whsec_guessed").await);
    let statuses: Vec<_> = stream::iter(all).buffer_unordered(16).collect().await;
    assert!(statuses.iter().all(|status| *status == Some(400)), "{statuses:?}");
    let log = server.log();
    let said = log.lines().filter(|line| line.contains("was not taken")).count();
    // Twenty a minute, and this may be the turn of one.
    assert!((1..=40).contains(&said), "{said} lines");
    let key = Config::default().key;
    for secret in [SECRET, "whsec_guessed", key.as_str(), SEALING.1] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
    let listed = place.ends(&["stripe", "secret", "list"], &[SEALING]).await.out;
    assert_eq!(listed.trim(), "…_tests");
    let check = place.ends(&["stripe", "check"], &[SEALING]).await;
    assert!(check.status.success() && !check.out.contains(&key), "{check:?}");
    let config = place.ends(&["config"], &[SEALING]).await.out;
    assert!(!config.contains(SEALING.1));
}
