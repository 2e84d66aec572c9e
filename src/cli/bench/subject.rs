use std::{sync::Arc, time::Duration};

use super::{
    Bench, Result,
    load::{self, Requests, Times},
    report::{Figure, of_rounds},
    server::Server,
};

/// A server under load, and what it has done so far.
pub(super) struct Subject {
    server: Server,
    requests: Arc<Requests>,
    rounds: Vec<Times>,
    cpu: Duration,
}

impl Subject {
    pub(super) fn new(server: Server, requests: Arc<Requests>) -> Self {
        Self { server, requests, rounds: Vec::new(), cpu: Duration::ZERO }
    }

    /// Fills the caches; does not count.
    pub(super) async fn warm(&self, bench: &Bench) -> Result<()> {
        let time = Duration::from_secs(1);
        load::run(self.server.address, bench.command.connections, time, &self.requests).await.map(drop)
    }

    pub(super) async fn round(&mut self, bench: &Bench) -> Result<()> {
        let before = self.server.cpu();
        let times = load::run(self.server.address, bench.command.connections, bench.round(), &self.requests).await?;
        self.rounds.push(times);
        if let (Some(before), Some(after)) = (before, self.server.cpu()) {
            self.cpu += after.saturating_sub(before);
        }
        Ok(())
    }

    /// What the server did a second, and its processor time for each answer; what a database server used is not in it.
    pub(super) fn figure(&self) -> Figure {
        let answers: usize = self.rounds.iter().map(Times::len).sum();
        let each = (!self.cpu.is_zero()).then(|| self.cpu.as_micros() as f64 / answers.max(1) as f64);
        of_rounds(&self.rounds).with("server cpu us each", each)
    }
}
