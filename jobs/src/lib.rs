//! Durable jobs: work that is accepted in the caller's transaction and applied by a worker.
//!
//! The row in `job` is the truth. A *ticket* in apalis' own table only says "look at job X", so losing,
//! doubling or delaying a ticket can neither lose nor double work; a ticket that is lost is written again
//! by the sweep. apalis polls for tickets and limits how many jobs of a queue run at once.
//!
//! # Rules
//!
//! - A job and its ticket are written in the caller's transaction, or not at all ([`Jobs::enqueue`]).
//! - Whoever claims a job raises its `epoch` and holds a lease. Everything that a run writes through
//!   [`Run::checkpoint`] and [`Run::finish`] commits only while that epoch still stands: the effect, the
//!   place to go on and the end of the job are one transaction.
//! - A claim uses its ticket up in the same transaction. So there is no ticket that is half used, and
//!   nothing of apalis' to recover after a crash: the lease runs out and the sweep writes a new ticket.
//! - A crash counts as an attempt; being stopped by [`Runner::run`] does not.
//! - Leases, delays and backoff are measured by the database's clock, which all nodes share. The times
//!   that are shown come from [`Environment::now`].
//!
//! This crate knows nothing of members. It must never run an effect of its own, never decide by a ticket
//! whether a job is to run, and never leave a job in a state that nobody will look at again.

mod accept;
mod desk;
mod environment;
mod execute;
mod job;
mod jobs;
mod lease;
mod listen;
mod migrate;
mod periodic;
mod query;
mod row;
mod run;
mod runner;
mod settle;
mod sweep;
mod texts;
mod ticket;

pub use accept::Owner;
pub use environment::{Environment, Settings};
pub use job::{Fail, Job, Queue};
pub use jobs::{Changed, EndHook, Jobs};
pub use migrate::migrate;
pub use query::{Depth, Filter};
pub use row::{JobRow, State};
pub use run::Run;
pub use runner::Runner;
pub use texts::Texts;

/// What a call to this crate gives.
pub type Result<T, E = usher_db::Error> = std::result::Result<T, E>;

/// Now, in microseconds since 1970, by the database's clock. For a text of its own in `concat!`.
macro_rules! clock {
    (sqlite) => {
        "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
    };
    (postgres) => {
        "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
    };
}
pub(crate) use clock;

/// A duration as the database counts.
fn micros(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}
