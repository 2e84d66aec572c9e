//! The import of a file that was uploaded, whatever its rows become.
//!
//! A file is read in runs of up to 250,000 rows, each sorted by key (an index that is written in its order is ten times
//! as fast) and written in small chunks. A chunk, its checkpoint and its counts are one transaction, so a crash goes on
//! after the last chunk and no row counts twice. A bad row goes to the job's error file and stops nothing. Nor does a row
//! that the worker dies of (`deaths.rs`). The next run is read and sorted while one is written, on a thread that yields to
//! calls; two runs are in memory at most.
//!
//! An import says by [`Take`] what it keeps of a row, by [`Lines`] how it keeps it, and by [`Import`] how it writes it.
//! Nothing here knows a table.

mod cells;
mod deaths;
mod errors;
mod look;
mod open;
mod pipeline;
mod source;
mod types;

use std::{borrow::Cow, ops::Range};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use usher_files::{Mapping, Row};
use usher_jobs::{Fail, Run};

use crate::{
    clock::Clock,
    error::Error,
    values::{Email, Time},
};

pub(crate) use cells::{DateColumn, cut};
use deaths::Deaths;
pub(crate) use look::{Look, look};
pub(crate) use pipeline::{Halt, apply, refuse};
pub(crate) use source::{MAX_ERROR_BYTES, NO_ADDRESS, Place, UPLOAD_GONE, no_address};
pub use types::{ImportFormat, PreviewColumn, Problem};
pub(crate) use types::{date_order, encoding, one_of};

/// Rows of a run.
const MAX_ROWS: u64 = 250_000;

/// The rows of a run in memory.
pub(crate) trait Lines: Default + Send + Sync + 'static {
    /// Forgets the rows and keeps the memory.
    fn clear(&mut self);
    /// Whether the run should end for the memory it takes.
    fn is_full(&self) -> bool;
    /// Sorts by key.
    fn sort(&mut self);
    fn len(&self) -> usize;
    fn key(&self, at: usize) -> &str;
    /// Where the rows after `key` begin.
    fn after(&self, key: &str) -> usize;
    /// Where a chunk of about so many rows ends that begins at `from`. The rows of a key are in one chunk.
    fn chunk_end(&self, from: usize, most: usize) -> usize;
}

/// What is kept of a file's rows.
pub(crate) trait Take: Send + 'static {
    type Lines: Lines;
    /// Learns what is known of the rows that come next: before the first, and with each other file of an archive.
    fn begin(&mut self, mapping: &Mapping);
    /// Keeps a row, or says what is wrong with it.
    fn take(&mut self, row: &Row<'_>, email: &Email, lines: &mut Self::Lines) -> Taken;
}

/// What became of a row that was read.
pub(crate) enum Taken {
    Kept,
    /// It is to be left out, as it says itself.
    Skipped,
    /// For the error file: a code, and what to do about it.
    Bad(&'static str, Cow<'static, str>),
}

/// What an import counts.
pub(crate) trait Counts: Copy + Default + Send + Sync + Serialize + DeserializeOwned {
    fn done(&self) -> u64;
    /// Rows that were applied, whether or not they changed anything.
    fn applied(&self) -> u64;
    fn set_total(&mut self, total: u64);
    /// Counts the rows of a run that are not written.
    fn count_unwritten(&mut self, skipped: u64, unclear: u64, invalid: u64);
}

/// How far an import got; the job's checkpoint. Readable for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct At<C> {
    /// Rows of the file before the run that is being written.
    pub(crate) row: u64,
    /// Where that run ends, once a part of it is written.
    pub(crate) until: Option<u64>,
    /// The last key of it that is written.
    pub(crate) after: Option<String>,
    /// Bytes of the error file that are true.
    pub(crate) error_bytes: u64,
    pub(crate) counts: C,
    pub(crate) deaths: Deaths,
}

impl<C: Counts> At<C> {
    /// Where a run of the job goes on.
    pub(crate) fn of(run: &Run) -> Self {
        let mut at: Self = run.checkpoint_value().unwrap_or_default();
        let has_died = matches!(run.last_failure.as_deref(), Some("crashed" | "panic"));
        at.deaths.learn(run.attempt, has_died, at.row, at.counts.done(), at.until.is_none());
        at
    }

    /// Rows that earlier attempts have died of.
    pub(crate) fn deadly(&self) -> Vec<u64> {
        self.deaths.deadly.clone()
    }

    /// How many rows the run that begins at `row` may have.
    fn most(&self, row: u64) -> u64 {
        self.deaths.run_at(row).unwrap_or(MAX_ROWS)
    }
}

/// An import that has begun.
pub(crate) trait Import: Sync {
    type Take: Take;
    type Counts: Counts;
    /// Rows of a chunk while nobody waits, if it is not what is usual.
    const CALM_ROWS: Option<usize> = None;
    /// A sentence about what to do with the rows that were applied when a job could not go on.
    fn take_back(job: &str) -> String;
    /// Writes a chunk, its checkpoint and its counts in one transaction.
    fn write(
        &self,
        lines: &<Self::Take as Take>::Lines,
        chunk: Range<usize>,
        at: &mut At<Self::Counts>,
    ) -> impl Future<Output = Result<(), Fail>> + Send;
}

/// How fast an attempt is.
pub(crate) struct Speed {
    clock: Clock,
    /// When it began, and how many rows were done by then.
    began: (Time, u64),
}

impl Speed {
    /// An attempt begins.
    pub(crate) fn new(clock: &Clock, done: u64) -> Self {
        Self { clock: clock.clone(), began: (clock.now(), done) }
    }

    /// How long the rest takes, at this pace.
    pub(crate) fn seconds_left(&self, done: u64, total: u64) -> Option<u64> {
        let (began, before) = self.began;
        let elapsed = u128::from(self.clock.now().since(began).as_millis() as u64);
        let (done, left) = (done - before, total.saturating_sub(done));
        let seconds = (elapsed * u128::from(left)).checked_div(u128::from(done)).map(|millis| millis.div_ceil(1000));
        seconds.and_then(|seconds| u64::try_from(seconds).ok())
    }
}

pub(crate) fn unavailable(error: Error) -> Fail {
    Fail::retry("unavailable", "The database did not take the change. Usher will try again.").because(error)
}
