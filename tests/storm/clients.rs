//! Those who call the server while it is killed, and what they were told.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use super::{lists::List, server::text};
use crate::harness::Reply;

/// A key, and where its holder calls.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    address: String,
    key: String,
}

impl Client {
    pub fn new(address: &str, key: &str) -> Self {
        // The first test to come here sets it for all.
        _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().expect("a client");
        Self { http, address: address.into(), key: key.into() }
    }

    /// Calls a tool of a server that lives.
    pub async fn call(&self, tool: &str, args: Value) -> Reply {
        self.call_with(tool, args, &[]).await
    }

    /// Calls a tool of a server that lives, with headers.
    pub async fn call_with(&self, tool: &str, args: Value, headers: &[(&str, &str)]) -> Reply {
        Reply::read(self.send(tool, args, headers).await.expect("an answer")).await
    }

    /// Calls a tool of a server that may die.
    async fn send(&self, tool: &str, args: Value, headers: &[(&str, &str)]) -> reqwest::Result<reqwest::Response> {
        let url = format!("{}/api/v1/tools/{tool}", self.address);
        let mut request = self.http.post(url).bearer_auth(&self.key).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(json!({ "args": args }).to_string()).send().await
    }

    /// Sends a file, and gives its id.
    pub async fn upload(&self, file: String) -> String {
        let url = format!("{}/api/v1/uploads", self.address);
        let answer = self.http.post(url).bearer_auth(&self.key).header("content-type", "text/csv").body(file).send();
        let reply = Reply::read(answer.await.expect("an answer")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        text(&reply.json()["result"]["upload"]["id"])
    }

    /// What is at a path.
    pub async fn get(&self, path: &str) -> Reply {
        Reply::read(self.open(path).await).await
    }

    /// The beginning of what is at a path.
    pub async fn open(&self, path: &str) -> reqwest::Response {
        let answer = self.http.get(format!("{}{path}", self.address)).bearer_auth(&self.key).send();
        answer.await.expect("an answer")
    }
}

/// A call that writes, and may be sent again.
#[derive(Clone, Debug)]
pub struct Write {
    pub tool: &'static str,
    pub args: Value,
    pub idempotency_key: Option<String>,
}

/// A write that was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    pub write: Write,
    pub request: String,
    pub replayed: bool,
    /// The job that was accepted, if the whole answer came.
    pub job: Option<String>,
}

/// What the clients know.
#[derive(Default)]
pub struct Ledger {
    pub answered: Vec<Answered>,
    pub unanswered: Vec<Write>,
    /// Requests of reads that were answered, with their tools.
    pub reads: Vec<(String, &'static str)>,
}

impl Ledger {
    pub fn add(&mut self, other: Self) {
        self.answered.extend(other.answered);
        self.unanswered.extend(other.unanswered);
        self.reads.extend(other.reads);
    }

    /// The addresses of members whose creation was answered.
    pub fn emails(&self) -> Vec<String> {
        let creations = self.answered.iter().filter(|one| one.write.tool == "members.create");
        creations.map(|one| text(&one.write.args["email"])).collect()
    }
}

/// Makes members, one after the other, until nobody answers.
pub async fn make_members(client: Client, seed: u64, name: String) -> Ledger {
    let (mut dice, mut ledger) = (StdRng::seed_from_u64(seed), Ledger::default());
    for n in 0.. {
        let args =
            json!({ "email": format!("{name}-{n}@member.example"), "name": "Made in a storm", "tags": ["storm"] });
        let key = dice.random_bool(0.5).then(|| format!("make-{name}-{n}"));
        if !write(&client, &mut ledger, Write { tool: "members.create", args, idempotency_key: key }).await {
            break;
        }
    }
    ledger
}

/// Starts an import, once.
pub async fn import(client: Client, list: List) -> Ledger {
    let mut ledger = Ledger::default();
    let args = json!({ "upload": list.upload, "source": "storm" });
    let key = Some(format!("import-{}", list.number));
    write(&client, &mut ledger, Write { tool: "blocklist.import", args, idempotency_key: key }).await;
    ledger
}

/// Reads members until nobody answers.
pub async fn read_members(client: Client, seed: u64, known: Vec<String>) -> Ledger {
    let (mut dice, mut ledger) = (StdRng::seed_from_u64(seed), Ledger::default());
    loop {
        let (tool, args) = match known.len() {
            n if n > 0 && dice.random_bool(0.7) => {
                ("members.get", json!({ "member": { "email": known[dice.random_range(0..n)] } }))
            }
            _ => ("members.list", json!({ "limit": 5 })),
        };
        let Ok(answer) = client.send(tool, args, &[("prefer", "handling=strict")]).await else { break };
        assert_eq!(answer.status(), 200, "{tool}");
        ledger.reads.push((request(&answer), tool));
        if answer.bytes().await.is_err() {
            break;
        }
    }
    ledger
}

/// Sends what was not answered again, now that the server is back; without an Idempotency-Key nobody would.
pub async fn send_again(client: &Client, ledger: &mut Ledger) {
    for once in std::mem::take(&mut ledger.unanswered) {
        if once.idempotency_key.is_none() {
            ledger.unanswered.push(once);
            continue;
        }
        assert!(write(client, ledger, once).await, "the server is back");
    }
}

/// Whether it was answered. The head of an answer is one.
async fn write(client: &Client, ledger: &mut Ledger, write: Write) -> bool {
    let mut headers = vec![("prefer", "handling=strict")];
    headers.extend(write.idempotency_key.as_ref().map(|key| ("idempotency-key", key.as_str())));
    let answer = loop {
        let Ok(answer) = client.send(write.tool, write.args.clone(), &headers).await else {
            ledger.unanswered.push(write);
            return false;
        };
        // PostgreSQL may not have noticed yet that the process which held the key is dead.
        if answer.status() != 409 {
            break answer;
        }
        let Ok(body) = answer.text().await else { continue };
        assert!(body.contains("idempotency_in_progress"), "{write:?}: {body}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let (status, request) = (answer.status(), request(&answer));
    let replayed = answer.headers().contains_key("idempotent-replayed");
    let body = answer.text().await;
    assert_eq!(status, 200, "{write:?}: {body:?}");
    let job = body.as_ref().ok().and_then(|body| serde_json::from_str::<Value>(body).ok());
    let job = job.and_then(|body| Some(body["result"]["job"]["id"].as_str()?.to_owned()));
    ledger.answered.push(Answered { write, request, replayed, job });
    body.is_ok()
}

fn request(answer: &reqwest::Response) -> String {
    answer.headers()["x-request-id"].to_str().expect("an id").to_owned()
}
