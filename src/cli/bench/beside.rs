//! Somebody else's calls while a block list is imported.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use usher_db::Engine;

use super::{
    super::import::Client,
    Bench, Result, import,
    load::{Connection, Requests, Times},
    name,
    report::{Aim, Figure, Row},
    rows, say, scene,
    server::{Server, Workers},
};
use crate::{areas::keys, clock::Clock, tools::scope::Preset};

/// Members of the other site.
const MEMBERS: u64 = 10_000;

/// Between two calls: a page that somebody looks at, not a load.
const PAUSE: Duration = Duration::from_millis(2);

/// How long the calls are timed before the import.
const BEFORE: Duration = Duration::from_secs(5);

/// Calls after which the import is looked at.
const LOOK: usize = 20;

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let (folder, n) = (bench.stage.folder().to_owned(), bench.command.rows);
    let files = tokio::task::spawn_blocking(move || rows::write(&folder, n)).await??;
    let mut report = Vec::new();
    for engine in bench.engines() {
        say(&format!("beside: {}", name(engine)));
        report.push(beside(bench, engine, &files.list).await?);
    }
    Ok(report)
}

async fn beside(bench: &Bench, engine: Engine, list: &std::path::Path) -> Result<Row> {
    let place = bench.stage.place(engine).await?;
    let scene = scene::set(&place, 1, MEMBERS).await?;
    let importer = other_site(&place).await?;
    let server = Server::start(&place, Workers::On).await?;
    let requests = scene.calls("members.get", 4000, |i| {
        let member = &scene.members[i * 7919 % scene.members.len()];
        format!("{{\"member\":{{\"id\":\"{member}\"}}}}")
    });
    let mut calls = Calls { connection: Connection::open(server.address).await?, requests, at: 0 };
    let mut alone = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < BEFORE {
        alone.push(calls.one().await?);
    }
    let client = Client::new(&format!("http://{}", server.address), &importer)?;
    let accepted = import::begin(&client, "blocklist.import", list).await?;
    let mut during = Vec::new();
    loop {
        for _ in 0..LOOK {
            during.push(calls.one().await?);
        }
        if import::look(&client, &accepted).await?["job"]["finishedAt"].is_string() {
            break;
        }
    }
    drop(server);
    bench.stage.leave(place).await;
    let figure = |us: Vec<u32>| {
        let times = Times::new(us, Duration::ZERO);
        Figure::new(times.within_ms(0.99), "ms p99").with("p50 ms", Some(times.within_ms(0.5)))
    };
    let row = Row::compared("beside an import: members.get", name(engine), figure(alone), figure(during));
    Ok(row.aim(Aim::RatioUnder(3.0)))
}

/// A key of another site, whose list is imported.
async fn other_site(place: &super::stage::Place) -> Result<String> {
    let (db, clock) = (place.db().await?, Clock::system());
    let site = scene::site(&db, &clock).await?;
    let scopes = Preset::parse("full-access").expect("a known preset").scopes();
    let mut tx = db.begin().await?;
    let (_, text) = keys::actions::create(&mut tx, &clock, &site, "Importer", scopes, None).await?;
    tx.commit().await?;
    db.close().await;
    Ok(text)
}

struct Calls {
    connection: Connection,
    requests: Arc<Requests>,
    at: usize,
}

impl Calls {
    async fn one(&mut self) -> Result<u32> {
        tokio::time::sleep(PAUSE).await;
        self.at += 1;
        self.connection.send(&self.requests, self.at).await
    }
}
