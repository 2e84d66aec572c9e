//! Several processes on one database, as an operator runs them: together they keep what one promises.

mod deadly;
mod doctor;
mod granted;
mod members;
mod refused;
mod secret_key;
mod stopped;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::{
    harness::{Backend, Reply},
    storm::{
        Client,
        server::{Installation, Process, text},
    },
};

/// Two servers and two workers on one PostgreSQL.
struct Cluster {
    place: Installation,
    key: String,
    servers: [Process; 2],
    _workers: [Process; 2],
}

impl Cluster {
    async fn start() -> Self {
        let (place, key) = Installation::new(Backend::Postgres).await;
        let servers = [place.serve(&[]).await, place.serve(&[]).await];
        let workers = [place.work(), place.work()];
        Self { place, key, servers, _workers: workers }
    }

    /// The same key at both servers.
    fn clients(&self, key: &str) -> [Client; 2] {
        [self.servers[0].client(key), self.servers[1].client(key)]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_one_whatever_the_number_of_servers() {
    let cluster = Cluster::start().await;
    let clients = cluster.clients(&cluster.key);
    let began = Instant::now();
    let replies = join_all((0..300).map(|n| clients[n % 2].call("keys.whoami", json!({})))).await;
    // By the machine's clock: it counts only if no call was old enough to leave the window.
    assert!(began.elapsed() < Duration::from_secs(55), "too slow a machine for this test: {:?}", began.elapsed());
    let admitted = replies.iter().filter(|reply| reply.status == 200);
    let left: BTreeSet<u32> = admitted.map(|reply| reply.header("x-ratelimit-remaining").parse().unwrap()).collect();
    // Each of the hundred got a place of its own.
    assert_eq!(left, (0..100).collect());
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status != 200).collect();
    assert_eq!(refused.len(), 200);
    for reply in refused {
        assert_eq!(reply.failure(), (429, "rate_limited".into()));
        assert_eq!(reply.json()["limit"], "calls");
        assert!((1..=61).contains(&reply.header("retry-after").parse::<u64>().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_import_is_applied_once() {
    let cluster = Cluster::start().await;
    cluster.place.without_budgets().await;
    let clients = cluster.clients(&cluster.key);
    let imports = (0..40).map(|n| {
        let own = (0..50).map(|at| format!("{at}-{n}@block.example"));
        let rest = ["0-0@block.example", "shared@block.example", "SHARED@block.example", "none"];
        let emails: Vec<_> = own.chain(rest.map(String::from)).collect();
        clients[n % 2].call("blocklist.import", json!({ "emails": emails }))
    });
    let ids: BTreeSet<_> = join_all(imports).await.iter().map(|reply| text(&reply.result()["job"]["id"])).collect();
    assert_eq!(ids.len(), 40);
    cluster.place.jobs_are_over().await;

    let ends = "SELECT job_id, status FROM activity WHERE tool = 'jobs.blocklist.import' ORDER BY job_id";
    let expected: Vec<_> = ids.iter().map(|id| [id.clone(), "ok".to_owned()]).collect();
    assert_eq!(cluster.place.rows::<2>(ends).await, expected);
    let mut n_added = 0;
    for (at, id) in ids.iter().enumerate() {
        let job = clients[at % 2].call("jobs.get", json!({ "job": id })).await.result()["job"].clone();
        let count = |name: &str| job["progress"][name].as_u64().unwrap();
        assert_eq!((&job["status"], &job["attempt"]), (&json!("succeeded"), &json!(1)));
        assert_eq!((count("total"), count("done"), count("invalid"), count("strengthened")), (54, 54, 1, 0));
        assert_eq!(count("added") + count("already"), 53);
        n_added += count("added");
    }
    let blocked: Vec<[String; 1]> = cluster.place.rows("SELECT email_key FROM block").await;
    let distinct: BTreeSet<_> = blocked.iter().map(|[email]| email).collect();
    assert_eq!((n_added, blocked.len(), distinct.len()), (2001, 2001, 2001));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_while_an_import_is_taken_back_stays() {
    let cluster = Cluster::start().await;
    cluster.place.without_budgets().await;
    let [client, other] = &cluster.clients(&cluster.key);
    let emails: Vec<_> = (0..4000).map(|n| format!("{n}@block.example")).collect();
    for round in 0..4 {
        let file = emails.join("\n");
        let upload = client.upload(file.clone()).await;
        let first = client.call("blocklist.import", json!({ "upload": upload })).await.result()["job"].clone();
        cluster.place.jobs_are_over().await;
        let again = client.upload(file).await;
        let undo = client.call("blocklist.undoImport", json!({ "job": text(&first["id"]) }));
        // By another import or by hand, and not by both: three at once may deadlock, and one is told to try again.
        let said = async {
            if round % 2 == 0 {
                other.call("blocklist.import", json!({ "upload": again })).await.result();
                return;
            }
            let by_hand = join_all(emails.chunks(200).map(async |part| {
                for some in part.chunks(20) {
                    other.call("blocklist.add", json!({ "emails": some })).await.result();
                }
            }));
            by_hand.await;
        };
        let (undo, ()) = join(undo, said).await;
        undo.result();
        cluster.place.jobs_are_over().await;
        let left = cluster.place.rows::<1>("SELECT CAST(count(*) AS TEXT) FROM block").await;
        assert_eq!(left, [["4000".to_owned()]], "round {round}");
        for part in emails.chunks(1000) {
            client.call("blocklist.remove", json!({ "emails": part })).await.result();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_is_worked_on_by_one_server() {
    let cluster = Cluster::start().await;
    cluster.place.without_budgets().await;
    let clients = cluster.clients(&cluster.key);
    for n in 0..5 {
        let (args, key) = (json!({ "email": format!("m{n}@example.com") }), format!("order-{n}"));
        let headers = [("idempotency-key", key.as_str())];
        let calls = (0..20).map(|at| clients[at % 2].call_with("members.create", args.clone(), &headers));
        let replies = join_all(calls).await;
        let (done, waiting): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
        assert!(!done.is_empty());
        assert!(done.iter().all(|reply| reply.text == done[0].text && reply.json()["ok"] == true), "{done:?}");
        assert_eq!(done.iter().filter(|reply| reply.header("idempotent-replayed").is_empty()).count(), 1);
        for reply in waiting {
            assert_eq!(reply.failure(), (409, "idempotency_in_progress".into()));
        }
    }
    let members: Vec<[String; 1]> = cluster.place.rows("SELECT email_key FROM member ORDER BY email_key").await;
    assert_eq!(members.concat(), (0..5).map(|n| format!("m{n}@example.com")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_becomes_one_member() {
    let cluster = Cluster::start().await;
    let clients = cluster.clients(&cluster.key);
    for n in 0..10 {
        let args = json!({ "email": format!("m{n}@example.com") });
        let (a, b) =
            join(clients[0].call("members.create", args.clone()), clients[1].call("members.create", args)).await;
        let (made, refused) = if a.json()["ok"] == true { (a, b) } else { (b, a) };
        assert_eq!(refused.failure(), (200, "member_exists".into()));
        assert!(refused.text.contains(made.one()["id"].as_str().unwrap()), "{}", refused.text);
    }
    assert_eq!(cluster.place.rows::<1>("SELECT id FROM member").await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_changes_counts_at_every_server_at_once() {
    let cluster = Cluster::start().await;
    changes_count_at_once(&cluster.place, &cluster.servers, &cluster.key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_changes_counts_beside_a_running_server_on_sqlite() {
    let (place, key) = Installation::new(Backend::Sqlite).await;
    let server = place.serve(&[]).await;
    changes_count_at_once(&place, &[server], &key).await;
}

/// Budgets, a rotation and a revocation by the command line count at the next call, at servers that knew the key.
async fn changes_count_at_once(place: &Installation, servers: &[Process], key: &str) {
    let everywhere = async |key: &str| {
        let call = async |server: &Process| server.client(key).call("keys.whoami", json!({})).await;
        join_all(servers.iter().map(call)).await
    };
    let statuses = |replies: Vec<Reply>| replies.iter().map(|reply| reply.status).collect::<Vec<_>>();
    let (all_in, none_in) = (vec![200; servers.len()], vec![401; servers.len()]);
    for limit in ["90", "70", "80"] {
        place.usher(&["sites", "update", "--calls-per-minute", limit]).await;
        for reply in everywhere(key).await {
            assert_eq!((reply.status, reply.header("x-ratelimit-limit")), (200, limit));
        }
    }
    let (id, first) = place.key("To be changed").await;
    assert_eq!(statuses(everywhere(&first).await), all_in);
    let line = place.usher(&["--json", "keys", "rotate", &id, "--overlap-hours", "0"]).await;
    let second = text(&serde_json::from_str::<Value>(&line).expect("one JSON object")["key"]);
    assert_eq!(statuses(everywhere(&first).await), none_in);
    assert_eq!(statuses(everywhere(&second).await), all_in);
    place.usher(&["keys", "revoke", &id]).await;
    for reply in everywhere(&second).await {
        assert_eq!(reply.failure(), (401, "invalid_key".into()));
    }
    assert_eq!(statuses(everywhere(key).await), all_in);
}
