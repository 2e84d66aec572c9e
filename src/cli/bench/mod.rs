//! `usher bench`: what this machine does, side by side with what it could do at best.
//!
//! Each figure stands beside one that was taken in the same run, in turns, so that a slow or busy machine slows both;
//! only the ratio is worth comparing between machines. `benches/README.md` says what is compared and why. Servers are
//! child processes of this program and everything happens in a temporary folder, and with PostgreSQL in databases of
//! its own, which are gone afterwards, also after a failure or a signal. It must never touch a database that it has
//! not made.

mod access;
mod beside;
mod delete;
pub(super) mod hello;
mod import;
mod list;
mod load;
mod people;
mod read;
mod report;
mod rows;
mod scene;
mod server;
mod stage;
mod start;
mod subject;
mod write;

use std::{io::Write as _, panic::AssertUnwindSafe, path::PathBuf, time::Duration};

use clap::ValueEnum;
use futures_util::FutureExt as _;
use tokio::signal::unix::{SignalKind, signal};
use usher_db::Engine;

use self::{report::Row, stage::Stage};
use super::{Failure, Result};

#[derive(clap::Args)]
pub(super) struct Command {
    /// What to measure; everything unless said.
    #[arg(value_enum)]
    measures: Vec<Measure>,
    /// Measure on PostgreSQL too: a URL whose user may create databases. Nothing in existing databases is touched.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    postgres: Option<String>,
    /// Leave SQLite out.
    #[arg(long, requires = "postgres")]
    no_sqlite: bool,
    /// Seconds of each round of read and write.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Rounds of read, write and delete; import takes half as many.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Rows that are imported, and members in the larger list.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(20_000..=10_000_000))]
    rows: u64,
    /// Connections of read and write, each with one call after the other.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// API keys that the calls are spread over; their budgets are raised.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=5000))]
    keys: u16,
    /// Where the temporary folder is made: on the disk to be measured.
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Measure {
    /// members.get with the whole pipeline, against a bare "hello" of the same HTTP library.
    Read,
    /// members.create, durable, against the same inserts without a server.
    Write,
    /// A block list's import, against the databases' own bulk loads.
    Import,
    /// The same import from each format, encoding and compression.
    Formats,
    /// The import of half as many members with a tag each, against the same.
    Members,
    /// members.get of one site while another's block list is imported, against the same without.
    Beside,
    /// members.whyPaywall against members.get, and a bundle for a group of 100,000 against one statement.
    Access,
    /// members.create while a member with 50,000 watched videos is deleted, against the same without.
    Delete,
    /// members.list of many members, against the same of few.
    List,
    /// From the program's start to its first answer, and its memory at rest.
    Start,
}

/// What every measure works with.
struct Bench {
    command: Command,
    stage: Stage,
}

pub(super) async fn run(command: Command, json: bool) -> Result<()> {
    if cfg!(debug_assertions) {
        say("This is a debug build: its figures say nothing. Use cargo run --release -- bench.");
    }
    let stage = Stage::open(command.folder.as_deref(), command.postgres.as_deref()).await?;
    let bench = Bench { command, stage };
    let outcome = tokio::select! {
        outcome = AssertUnwindSafe(bench.measure()).catch_unwind() => {
            outcome.unwrap_or_else(|_| Err(Failure("a measure panicked".into())))
        }
        stopped = stopped() => Err(stopped),
    };
    bench.stage.clear().await;
    let (rows, failed) = outcome?;
    if !rows.is_empty() {
        report::print(&rows, json)?;
    }
    match failed {
        0 => Ok(()),
        1 => Err(Failure("1 measure failed".into())),
        n => Err(Failure(format!("{n} measures failed"))),
    }
}

impl Bench {
    /// The rows of the measures that worked, and how many did not.
    async fn measure(&self) -> Result<(Vec<Row>, usize)> {
        let (mut rows, mut failed) = (Vec::new(), 0);
        for measure in Measure::value_variants() {
            if !self.command.measures.is_empty() && !self.command.measures.contains(measure) {
                continue;
            }
            let measured = match measure {
                Measure::Read => read::run(self).await,
                Measure::Write => write::run(self).await,
                Measure::Import => import::run(self).await,
                Measure::Formats => import::formats(self).await,
                Measure::Members => people::run(self).await,
                Measure::Beside => beside::run(self).await,
                Measure::Access => access::run(self).await,
                Measure::Delete => delete::run(self).await,
                Measure::List => list::run(self).await,
                Measure::Start => start::run(self).await,
            };
            match measured {
                Ok(measured) => rows.extend(measured),
                Err(Failure(why)) => {
                    say(&format!("{measure:?} failed: {why}"));
                    failed += 1;
                }
            }
        }
        Ok((rows, failed))
    }

    /// The databases to be measured.
    fn engines(&self) -> impl Iterator<Item = Engine> {
        let sqlite = (!self.command.no_sqlite).then_some(Engine::Sqlite);
        let postgres = self.command.postgres.as_ref().map(|_| Engine::Postgres);
        sqlite.into_iter().chain(postgres)
    }

    fn round(&self) -> Duration {
        Duration::from_secs(self.command.seconds)
    }
}

async fn stopped() -> Failure {
    let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let mut signals = signals.map(|kind| signal(kind).expect("signals can be waited for"));
    let [interrupt, terminate, hangup] = &mut signals;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Failure("stopped; nothing is left behind".into())
}

/// How a database is called in the report.
fn name(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    }
}

/// Says what goes on.
fn say(text: &str) {
    _ = writeln!(std::io::stderr(), "{text}");
}
