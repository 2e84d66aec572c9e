//! Writes a run of an import to the table, chunk by chunk.

use serde::{Deserialize, Serialize};
use usher_db::Value;
use usher_jobs::{Fail, Run};

use super::{
    deaths::Deaths,
    jobs::Started,
    lines::Lines,
    rows::NewRow,
    source::Batch,
    store::{self, Said},
    types::Counts,
};
use crate::{app::App, pace::Pace, values::SiteId};

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
    pub(super) deaths: Deaths,
}

/// Writes what is not written yet of a run, and gives its memory back.
pub(super) async fn apply(app: &App, run: &Run, import: &Started, at: &mut At, batch: Batch) -> Result<Lines, Fail> {
    let mut pace = Pace::new(&app.db);
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
        let to = lines.len().min(from + pace.rows(&app.db, app.clock.now()));
        let chunk = chunk(app, &lines, from, to);
        (at.row, at.until, at.after) = match to == lines.len() {
            true => (end_row, None, None),
            false => (first_row, Some(end_row), Some(lines.get(to - 1).key.to_owned())),
        };
        at.deaths.passed(at.row);
        write(app, run, site, import, chunk, at).await?;
        if to == lines.len() {
            return Ok(lines);
        }
        from = to;
    }
}

/// Addresses that are written together.
struct Chunk<'a> {
    rows: Vec<NewRow<'a>>,
    /// Rows of the file that they stand for.
    n_rows: u64,
    is_dated: bool,
}

fn chunk<'a>(app: &App, lines: &'a Lines, from: usize, to: usize) -> Chunk<'a> {
    let (mut rows, mut n_rows, mut is_dated) = (Vec::with_capacity(to - from), 0, false);
    for line in (from..to).map(|at| lines.get(at)) {
        rows.push(NewRow {
            key: line.key,
            id: app.clock.id(),
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
    Chunk { rows, n_rows, is_dated }
}

/// One transaction: the addresses, their counts and where to go on.
async fn write(
    app: &App,
    run: &Run,
    site: SiteId,
    import: &Started,
    chunk: Chunk<'_>,
    at: &mut At,
) -> Result<(), Fail> {
    let Chunk { rows, n_rows, is_dated } = chunk;
    let job = &import.job;
    let source = job.source.as_deref().unwrap_or("import");
    let said = Said { source, note: job.note.as_deref(), now: app.clock.now(), import: Some(import.number) };
    let mut tx = app.db.begin().await?;
    let (mut added, mut strengthened) = (0, 0);
    if !rows.is_empty() {
        added = store::add(tx.conn(), site, &rows, said).await?;
    }
    if added < rows.len() as u64 {
        let keys: Value = rows.iter().map(|row| row.key.to_owned()).collect();
        // What is there must stay until this is said of it; what an undo has just taken away is added.
        while store::hold_keys(tx.conn(), site, keys.clone()).await? < rows.len() {
            added += store::add(tx.conn(), site, &rows, said).await?;
        }
        store::keep_weaker(tx.conn(), site, &rows, said).await?;
        strengthened = store::strengthen(tx.conn(), site, &rows, said).await?;
        store::claim(tx.conn(), site, &rows, said).await?;
        if is_dated {
            store::date_back(tx.conn(), site, &rows, said).await?;
        }
    }
    let counts = &mut at.counts;
    counts.done += n_rows;
    counts.added += added;
    counts.strengthened += strengthened;
    counts.already += n_rows - added - strengthened;
    // Last, since the counts are known only now: if the job is somebody else's, nothing of this is committed.
    run.checkpoint(&mut tx, at, &import.progress(at)).await?;
    tx.commit().await?;
    Ok(())
}
