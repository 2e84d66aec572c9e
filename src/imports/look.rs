//! A look at a file, to say what an import would do.

use std::{
    io::{Read, Seek},
    path::Path,
};

use usher_files::{FileError, Mapping, Reader, Row, Wanted};

use super::{
    Problem,
    open::{MAX_TEXT_BYTES, sheet},
};
use crate::error::{Code, Error, Result};

/// Rows that are kept of the beginning.
const FIRST: u64 = 20;

/// Rows that are kept of the whole file, evenly.
const KEPT: usize = 10_000;

/// Bytes of rows that are kept.
const KEPT_BYTES: usize = 2 << 20;

/// Bytes of rows after which no more are read, and the rest is estimated.
const READ_BYTES: u64 = 256 << 20;

/// A look at a file.
pub(crate) struct Look<S> {
    /// What was found out about it; of an archive, about its first file.
    pub(crate) mapping: Mapping,
    /// What was found out about each file in it; a name if there are several.
    pub(crate) files: Vec<(Option<String>, Mapping)>,
    /// How it was understood, in a sentence for each file in it.
    pub(crate) summary: String,
    /// What was seen in its first rows, and in as many others as are kept, evenly over the file.
    pub(crate) rows: Vec<S>,
    /// Rows of the whole file.
    pub(crate) total: u64,
    /// Whether all rows were kept.
    pub(crate) is_whole: bool,
    /// Why it cannot be imported, of a file that can be read.
    pub(crate) problem: Option<Problem>,
}

/// Looks at a file of so many bytes, or says why it cannot be imported. What is written down of it meanwhile is in `folder`.
/// `begin` learns how the file is understood and
/// gives what sees a row; each other file of an archive begins anew.
pub(crate) async fn look<S: Send + 'static, F: FnMut(&Row<'_>) -> S>(
    folder: &Path,
    file: impl Read + Seek + Send + 'static,
    bytes: u64,
    wanted: Wanted,
    begin: impl FnMut(&Mapping) -> F + Send + 'static,
) -> Result<Result<Look<S>, Problem>> {
    let folder = folder.to_owned();
    let looked = tokio::task::spawn_blocking(move || open_and_read(&folder, file, bytes, &wanted, begin)).await;
    Ok(looked.map_err(Error::internal)?.map_err(|error| problem(&error)))
}

fn problem(error: &FileError) -> Problem {
    Problem { code: error.code().into(), message: error.to_string() }
}

fn open_and_read<S, F: FnMut(&Row<'_>) -> S>(
    folder: &Path,
    mut file: impl Read + Seek,
    bytes: u64,
    wanted: &Wanted,
    begin: impl FnMut(&Mapping) -> F,
) -> Result<Look<S>, FileError> {
    match sheet(&mut file, folder, wanted)? {
        Some((table, wanted)) => {
            let bytes = table.metadata()?.len();
            read(table, bytes, &wanted, begin)
        }
        None => read(file, bytes, wanted, begin),
    }
}

fn read<S, F: FnMut(&Row<'_>) -> S>(
    mut file: impl Read + Seek,
    bytes: u64,
    wanted: &Wanted,
    mut begin: impl FnMut(&Mapping) -> F,
) -> Result<Look<S>, FileError> {
    usher_files::verify(&mut file, MAX_TEXT_BYTES, || true)?;
    file.rewind()?;
    let mut needed = None;
    let mut opened = Reader::open_as(&mut file, MAX_TEXT_BYTES, wanted);
    if let Err(error) = &opened
        && error.code() == Code::ReasonNeeded.name()
    {
        needed = Some(problem(error));
        drop(opened);
        file.rewind()?;
        opened = Reader::open_as(&mut file, MAX_TEXT_BYTES, &Wanted { takes_all: true, ..wanted.clone() });
    }
    let mut reader = opened?;
    let (mut sample, mut total, mut n_bytes, mut table) = (Sample::default(), 0, 0, None);
    let mut see = begin(reader.mapping());
    let is_counted = loop {
        let Some(row) = reader.next_row().transpose()? else { break true };
        if table != Some(row.table) {
            (see, table) = (begin(row.mapping), Some(row.table));
        }
        if sample.wants(total) {
            sample.keep(see(&row), row.raw.len());
        }
        total += 1;
        n_bytes += row.raw.len() as u64;
        if n_bytes >= READ_BYTES {
            break false;
        }
    };
    if !is_counted {
        let estimate = u128::from(total) * u128::from(bytes) / u128::from(reader.bytes_done().max(1));
        total = u64::try_from(estimate).unwrap_or(u64::MAX).max(total);
    }
    let sentences = reader.files().map(|(name, mapping)| match name {
        Some(name) => format!("{name}: {mapping}"),
        None => mapping.to_string(),
    });
    let summary = sentences.collect::<Vec<_>>().join("\n");
    let is_whole = sample.step == 1 && is_counted;
    let files = reader.files().map(|(name, mapping)| (name.map(str::to_owned), mapping.clone())).collect();
    let (mapping, rows) = (reader.mapping().clone(), sample.rows);
    Ok(Look { mapping, summary, files, rows, total, is_whole, problem: needed })
}

/// The first rows, and of the others each of so many that they are not too many.
struct Sample<S> {
    rows: Vec<S>,
    n_bytes: usize,
    step: u64,
}

impl<S> Default for Sample<S> {
    fn default() -> Self {
        Self { rows: Vec::new(), n_bytes: 0, step: 1 }
    }
}

impl<S> Sample<S> {
    fn wants(&self, number: u64) -> bool {
        number < FIRST || (number - FIRST).is_multiple_of(self.step)
    }

    fn keep(&mut self, row: S, n_bytes: usize) {
        self.rows.push(row);
        self.n_bytes += n_bytes;
        while self.rows.len() > FIRST as usize + 1 && (self.rows.len() > KEPT || self.n_bytes > KEPT_BYTES) {
            let mut at = 0;
            self.rows.retain(|_| {
                at += 1;
                at <= FIRST || (at - 1 - FIRST).is_multiple_of(2)
            });
            (self.n_bytes, self.step) = (self.n_bytes / 2, self.step * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn look(text: &[u8]) -> Look<u64> {
        read(Cursor::new(text), text.len() as u64, &Wanted::default(), |_| |row: &Row<'_>| row.number).unwrap()
    }

    #[test]
    fn all_rows_are_counted_and_some_are_kept_evenly() {
        for rows in [0, 1, 20, 21, 10_000, 10_001, 100_001, 1_000_001] {
            let text: String = (0..rows).map(|row| format!("r{row:07}@rows.example\n")).collect();
            let looked = look(format!("email\n{text}").as_bytes());
            assert_eq!((looked.total, looked.is_whole), (rows, rows <= 10_000));
            let kept = &looked.rows;
            assert!(kept.len() as u64 >= rows.min(5_000) && kept.len() <= 10_000, "{rows}: {}", kept.len());
            assert!(kept.is_sorted() && kept.iter().take(20).copied().eq(0..rows.min(20)));
            let steps: Vec<_> = kept.windows(2).skip(20).map(|pair| pair[1] - pair[0]).collect();
            assert!(steps.windows(2).all(|pair| pair[0] == pair[1]), "{rows}");
            assert!(kept.last().is_none_or(|last| rows - last <= steps.first().copied().unwrap_or(1)));
        }
    }

    #[test]
    fn rows_that_are_long_are_kept_in_less_number() {
        let row = format!("a@rows.example,{}\n", "x".repeat(60_000));
        let looked = look(format!("email,note\n{}", row.repeat(400)).as_bytes());
        assert_eq!((looked.total, looked.is_whole), (400, false));
        assert!((20..200).contains(&looked.rows.len()), "{}", looked.rows.len());
    }
}
