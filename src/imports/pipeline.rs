//! Reading and writing in turns.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use usher_files::Mapping;
use usher_jobs::{Fail, Run};

use super::{
    At, Counts as _, Import, Lines as _, Take,
    source::{Batch, Place, Source},
    unavailable,
};
use crate::{
    app::App,
    background::{self, Working},
    pace::Pace,
};

/// Tells the reader that nobody wants its rows any more, however the import ends.
pub(crate) struct Halt(Arc<AtomicBool>);

impl Halt {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// For the [`Place`].
    pub(crate) fn sign(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }
}

impl Drop for Halt {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

type LinesOf<I> = <<I as Import>::Take as Take>::Lines;

type Reading<T> = Working<Result<(Source<T>, Batch<<T as Take>::Lines>), Fail>>;

/// Reads the file from where `at` is to its end and writes its rows; gives what was found out about the files in it. The next
/// run is read and sorted while one is written.
pub(crate) async fn apply<I: Import>(
    app: &App,
    run: &Run,
    import: &I,
    at: &mut At<I::Counts>,
    (place, take): (Place, I::Take),
    halt: Halt,
) -> Result<Vec<Mapping>, Fail> {
    let (until, most) = (at.until, at.most(at.row));
    let mut reading = begin_reading(move || {
        let mut source = Source::open(place, take)?;
        let batch = source.next_run(LinesOf::<I>::default(), until, most)?;
        Ok((source, batch))
    })?;
    let mut spare = LinesOf::<I>::default();
    loop {
        let (source, batch) = read(reading).await.map_err(|fail| told::<I>(fail, run, at))?;
        if batch.is_last {
            write(app, run, import, at, batch).await?;
            return Ok(source.mappings());
        }
        if !at.deaths.is_calm() {
            // One run after the other, so that it is clear which one the worker dies of.
            let lines = write(app, run, import, at, batch).await?;
            reading = read_on(source, lines, at.most(at.row))?;
            continue;
        }
        let next = read_on(source, spare, at.most(batch.end_row))?;
        match write(app, run, import, at, batch).await {
            Ok(lines) => (spare, reading) = (lines, next),
            Err(fail) => {
                // The error file is let go of before another attempt may begin.
                drop(halt);
                _ = next.await;
                return Err(fail);
            }
        }
    }
}

/// Why an import ends early, with what it has done by then.
fn told<I: Import>(fail: Fail, run: &Run, at: &At<I::Counts>) -> Fail {
    match (fail, at.counts.applied()) {
        (Fail::Fatal { code, message }, rows @ 1..) => {
            let rows = if rows == 1 { "1 row was".to_owned() } else { format!("{rows} rows were") };
            Fail::fatal(code, format!("{message} {rows} applied before that. {}", I::take_back(&run.job_id)))
        }
        (fail, _) => fail,
    }
}

/// Writes to the error file the rows that were refused only when they were to be written, and gives its length. `place`
/// begins with the file's first row.
pub(crate) async fn refuse<T: Take>(
    place: Place,
    take: T,
    refused: Vec<(u64, &'static str, &'static str)>,
) -> Result<u64, Fail> {
    read(begin_reading(move || Source::open(place, take)?.refuse(refused.into_iter()))?).await
}

/// Writes what is not written yet of a run, and gives its memory back.
async fn write<I: Import>(
    app: &App,
    run: &Run,
    import: &I,
    at: &mut At<I::Counts>,
    batch: Batch<LinesOf<I>>,
) -> Result<LinesOf<I>, Fail> {
    let mut pace = Pace::new(&app.db).with_calm_rows(I::CALM_ROWS);
    let Batch { lines, first_row, end_row, skipped, unclear, invalid, error_bytes, total, .. } = batch;
    at.error_bytes = error_bytes;
    at.counts.set_total(total);
    let mut from = match &at.after {
        Some(key) => lines.after(key),
        None => {
            // The rows of the run that are not written count with its first chunk.
            at.counts.count_unwritten(skipped, unclear, invalid);
            0
        }
    };
    loop {
        if run.stopping() {
            return Err(Fail::Stopping);
        }
        let to = lines.chunk_end(from, pace.rows(&app.db, app.clock.now()));
        (at.row, at.until, at.after) = match to == lines.len() {
            true => (end_row, None, None),
            false => (first_row, Some(end_row), Some(lines.key(to - 1).to_owned())),
        };
        at.deaths.passed(at.row);
        import.write(&lines, from..to, at).await?;
        if to == lines.len() {
            return Ok(lines);
        }
        from = to;
    }
}

fn read_on<T: Take>(mut source: Source<T>, spare: T::Lines, most: u64) -> Result<Reading<T>, Fail> {
    begin_reading(move || {
        let batch = source.next_run(spare, None, most)?;
        Ok((source, batch))
    })
}

fn begin_reading<R: Send + 'static>(
    read: impl FnOnce() -> Result<R, Fail> + Send + 'static,
) -> Result<Working<Result<R, Fail>>, Fail> {
    background::begin(read).map_err(|error| unavailable(error.into()))
}

async fn read<R>(reading: Working<Result<R, Fail>>) -> Result<R, Fail> {
    match reading.await {
        Ok(read) => read,
        Err(error) => {
            Err(Fail::retry("panic", "Usher made a mistake in reading the file; the log has more.").because(error))
        }
    }
}
