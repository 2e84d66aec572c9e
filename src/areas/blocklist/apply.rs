//! Writes a run of an import to the table, chunk by chunk.

use serde::{Deserialize, Serialize};
use usher_jobs::{Fail, Run};

use super::{
    Import,
    lines::Lines,
    rows::{NewRow, Rows},
    source::Batch,
    store::{self, Defaults},
    types::Counts,
};
use crate::{app::App, values::SiteId};

/// Addresses of one transaction: few enough that a call which waits for its turn at SQLite's one writer does not
/// notice.
const CHUNK: usize = 2000;

/// How far an import got; the job's checkpoint. Readable for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct At {
    /// Rows of the file before the run that is being written.
    pub(super) row: u64,
    /// Where that run ends, once a part of it is written.
    pub(super) until: Option<u64>,
    /// The last key of it that is written.
    pub(super) after: Option<String>,
    /// Bytes of the error file that are true.
    pub(super) error_bytes: u64,
    pub(super) counts: Counts,
}

/// Writes what is not written yet of a run, and gives its memory back.
pub(super) async fn apply(app: &App, run: &Run, job: &Import, at: &mut At, batch: Batch) -> Result<Lines, Fail> {
    let site = SiteId::new(run.site);
    let Batch { lines, first_row, end_row, skipped, invalid, error_bytes, total, .. } = batch;
    at.error_bytes = error_bytes;
    at.counts.total = total;
    let mut from = match &at.after {
        Some(key) => lines.after(key),
        None => {
            // The rows of the run that are not written count with its first chunk.
            at.counts.skipped += skipped;
            at.counts.invalid += invalid;
            at.counts.done += skipped + invalid;
            0
        }
    };
    loop {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        let to = lines.len().min(from + CHUNK);
        let chunk = chunk(app, &lines, from, to);
        (at.row, at.until, at.after) = match to == lines.len() {
            true => (end_row, None, None),
            false => (first_row, Some(end_row), Some(lines.get(to - 1).key.to_owned())),
        };
        write(app, run, site, job, chunk, at).await?;
        if to == lines.len() {
            return Ok(lines);
        }
        from = to;
    }
}

/// Addresses that are written together.
struct Chunk {
    n_addresses: u64,
    /// Rows of the file that they stand for.
    n_rows: u64,
    is_dated: bool,
    json: String,
}

fn chunk(app: &App, lines: &Lines, from: usize, to: usize) -> Chunk {
    let (mut rows, mut n_rows, mut is_dated) = (Rows::new(), 0, false);
    for line in (from..to).map(|at| lines.get(at)) {
        rows.push(&NewRow {
            key: line.key,
            id: &app.clock.id(),
            email: line.email,
            strength: line.strength,
            source: line.source,
            note: line.note,
            vendor_code: line.vendor_code,
            first_seen: line.first_seen,
        });
        n_rows += u64::from(line.n);
        is_dated |= line.first_seen.is_some();
    }
    Chunk { n_addresses: rows.len(), n_rows, is_dated, json: rows.json() }
}

/// One transaction: the addresses, their counts and where to go on.
async fn write(app: &App, run: &Run, site: SiteId, job: &Import, chunk: Chunk, at: &mut At) -> Result<(), Fail> {
    let defaults =
        Defaults { source: job.source.as_deref().unwrap_or("import"), note: job.note.as_deref(), now: app.clock.now() };
    let mut tx = app.db.begin().await?;
    let (mut added, mut strengthened) = (0, 0);
    if chunk.n_addresses > 0 {
        added = store::add(tx.conn(), site, &chunk.json, defaults).await?;
    }
    if added < chunk.n_addresses {
        strengthened = store::strengthen(tx.conn(), site, &chunk.json, defaults).await?;
        if chunk.is_dated {
            store::date_back(tx.conn(), site, &chunk.json, defaults).await?;
        }
    }
    let counts = &mut at.counts;
    counts.done += chunk.n_rows;
    counts.added += added;
    counts.strengthened += strengthened;
    counts.already += chunk.n_rows - added - strengthened;
    // Last, since the counts are known only now: if the job is somebody else's, nothing of this is committed.
    run.checkpoint(&mut tx, at, &at.counts).await?;
    tx.commit().await?;
    Ok(())
}
