//! A reading tool through the whole pipeline: key, scope, budgets, validation, query, durable log.

use std::time::Duration;

use super::{
    Bench, Result,
    load::{self, Request, Requests, Times},
    name,
    report::{Aim, Row, of_rounds},
    say, scene,
    server::{Server, Workers},
};
use usher_db::Engine;

/// Members of the site that is read from.
const MEMBERS: u64 = 10_000;

/// Different requests, each for another key or member.
const REQUESTS: usize = 4000;

/// A server under load, and what it did so far.
struct Subject {
    server: Server,
    requests: std::sync::Arc<Requests>,
    rounds: Vec<Times>,
    cpu: Duration,
}

pub(super) async fn run(bench: &Bench) -> Result<Vec<Row>> {
    let hello = Server::hello(bench.stage.folder()).await?;
    let mut subjects = vec![Subject::new(hello, Requests::new([Request::hello()]))];
    for engine in bench.engines() {
        say(&format!("read: setting up {}", name(engine)));
        let place = bench.stage.place(engine).await?;
        let scene = scene::set(&place, bench.command.keys, MEMBERS).await?;
        let server = Server::start(&place, Workers::Auto).await?;
        let requests = scene.calls("members.get", REQUESTS, |i| {
            let member = &scene.members[i * 7919 % scene.members.len()];
            format!("{{\"member\":{{\"id\":\"{member}\"}}}}")
        });
        subjects.push(Subject::new(server, requests));
    }
    // Caches are filled before anything counts.
    for subject in &subjects {
        load::run(subject.server.address, bench.command.connections, Duration::from_secs(1), &subject.requests).await?;
    }
    for round in 1..=bench.command.rounds {
        say(&format!("read: round {round} of {}", bench.command.rounds));
        for subject in &mut subjects {
            subject.round(bench).await?;
        }
    }
    let (hello, ours) = subjects.split_first().expect("hello is there");
    let rows = bench.engines().zip(ours).map(|(engine, subject)| {
        let aim = if engine == Engine::Sqlite { 0.4 } else { 0.2 };
        Row::compared("read: members.get", name(engine), hello.figure(), subject.figure()).aim(Aim::RatioOver(aim))
    });
    Ok(rows.collect())
}

impl Subject {
    fn new(server: Server, requests: std::sync::Arc<Requests>) -> Self {
        Self { server, requests, rounds: Vec::new(), cpu: Duration::ZERO }
    }

    async fn round(&mut self, bench: &Bench) -> Result<()> {
        let before = self.server.cpu().unwrap_or_default();
        let load = load::run(self.server.address, bench.command.connections, bench.round(), &self.requests);
        self.rounds.push(load.await?);
        self.cpu += self.server.cpu().unwrap_or_default().saturating_sub(before);
        Ok(())
    }

    fn figure(&self) -> super::report::Figure {
        let answers: usize = self.rounds.iter().map(Times::len).sum();
        let cpu_us = (!self.cpu.is_zero()).then(|| self.cpu.as_micros() as f64 / answers.max(1) as f64);
        of_rounds(&self.rounds, cpu_us)
    }
}
