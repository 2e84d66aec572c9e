//! Writes a chunk of an import to the table.

use std::ops::Range;

use usher_db::Value;
use usher_jobs::Fail;

use super::{
    Reason, add,
    jobs::Started,
    lines::Lines,
    rows::NewRow,
    store::{self, Said},
    take::Take,
    types::Counts,
};
use crate::{
    app::App,
    imports::{self, At},
};

impl imports::Import for Started {
    type Take = Take;
    type Counts = Counts;

    fn take_back(job: &str) -> String {
        format!("`blocklist.undoImport` with job {job} takes them back.")
    }

    async fn write(&self, lines: &Lines, rows: Range<usize>, at: &mut At<Counts>) -> Result<(), Fail> {
        write(self, chunk(&self.app, lines, rows), at).await
    }
}

/// Addresses that are written together.
struct Chunk<'a> {
    rows: Vec<NewRow<'a>>,
    /// Rows of the file that they stand for.
    n_rows: u64,
    is_dated: bool,
}

fn chunk<'a>(app: &App, lines: &'a Lines, range: Range<usize>) -> Chunk<'a> {
    let (mut rows, mut n_rows, mut is_dated) = (Vec::with_capacity(range.len()), 0, false);
    for line in range.map(|at| lines.get(at)) {
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
async fn write(import: &Started, chunk: Chunk<'_>, at: &mut At<Counts>) -> Result<(), Fail> {
    let Chunk { rows, n_rows, is_dated } = chunk;
    let (app, run, site) = (&import.app, &import.run, import.site);
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
        let wishes: Vec<_> =
            rows.iter().filter_map(|row| Some((row.key, Reason::of_strength(row.strength.into())?))).collect();
        add::wish(&mut tx, site, &wishes).await?;
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
