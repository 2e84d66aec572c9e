//! Nobody who was accepted is forgotten, and nobody is written to twice outside of the one moment in which nobody can
//! know: workers are killed while they send.

use std::{collections::BTreeMap, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;

use super::{sending::header, server::Server};
use crate::{harness::Backend, storm::server::Installation};

const SEALING: (&str, &str) = ("USHER_SECRET_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");

/// Lives of a server, and sends in each.
const LIVES: u64 = 8;
const SENDS: u64 = 6;

/// How long a life is at most after its calls were answered.
const LIFE_MS: u64 = 250;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_accepted_is_written_to_on_sqlite() {
    whoever_was_accepted_is_written_to(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_accepted_is_written_to_on_postgres() {
    whoever_was_accepted_is_written_to(Backend::Postgres).await;
}

async fn whoever_was_accepted_is_written_to(backend: Backend) {
    let (place, key) = Installation::new(backend).await;
    place.without_budgets().await;
    let (mails, mut dice) = (Server::start("plain", false).await, StdRng::seed_from_u64(7));
    let port = mails.port.to_string();
    let connect = ["--host", "localhost", "--port", &port, "--security", "plain", "--from", "hello@site.example"];
    let told = place.told(&[&["mail", "connect"], &connect[..]].concat(), &[SEALING], "").await;
    assert!(told.status.success() && told.out.contains("mail.test"), "{told:?}");
    let switch = ["--email-members", "on", "--public-url", "https://m.example", "--emails-per-day", "9000"];
    place.usher(&[&["sites", "update"], &switch[..]].concat()).await;

    let mut accepted = Vec::new();
    for life in 0..LIVES {
        let mut server = place.serve(&[SEALING, ("USHER_WORKERS", "on")]).await;
        let client = server.client(&key);
        for send in 0..SENDS {
            let address = format!("m{life}-{send}@example.com");
            client.call("members.create", json!({ "email": address })).await.one();
            let args = json!({ "to": [{ "email": address }], "subject": "Hello", "text": "Hello." });
            let result = client.call("emails.send", args).await.result();
            accepted.push(result["recipients"][0]["message"].as_str().expect("an id").to_owned());
        }
        tokio::time::sleep(Duration::from_millis(dice.random_range(0..LIFE_MS))).await;
        server.kill();
        // What its worker had is free for the next.
        place.rows::<1>("UPDATE job SET lease_until = 1 WHERE state = 'running' RETURNING id").await;
    }
    let _server = place.serve(&[SEALING, ("USHER_WORKERS", "on")]).await;
    place.jobs_are_over().await;

    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    for message in mails.taken() {
        *arrived.entry(header(&message, "message-id")).or_default() += 1;
    }
    let rows = place.rows::<3>("SELECT id, status, CASE WHEN in_doubt THEN 'in doubt' ELSE '' END FROM email");
    let rows: BTreeMap<_, _> = rows.await.into_iter().map(|[id, state, doubt]| (id, (state, doubt))).collect();
    for id in &accepted {
        let n = arrived.get(&format!("<{id}@site.example>")).copied().unwrap_or_default();
        let (state, doubt) = &rows[id];
        assert!(n >= 1 && state == "sent", "{id} was accepted, is {state} and has arrived {n} times");
        assert!(n == 1 || doubt == "in doubt", "{id} has arrived {n} times, and nobody says so");
    }
}
