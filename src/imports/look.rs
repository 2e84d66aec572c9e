//! A look at the beginning of a file, to say what an import would do.

use std::io::{Read, Seek};

use usher_files::{FileError, Mapping, Reader, Row, Wanted};

use super::{Problem, source::MAX_TEXT_BYTES};
use crate::error::{Error, Result};

/// Rows that are read.
const READ: usize = 10_000;

/// Bytes of rows after which no more are read.
const READ_BYTES: usize = 2 << 20;

/// The beginning of a file.
pub(crate) struct Look<S> {
    pub(crate) mapping: Mapping,
    /// What was seen in each of its first rows.
    pub(crate) rows: Vec<S>,
    /// Rows of the whole file: estimated, unless the look was at all of it.
    pub(crate) total: u64,
    pub(crate) is_whole: bool,
}

/// Looks at a file of so many bytes, or says why it cannot be imported. `begin` learns how the file is understood and
/// gives what sees a row.
pub(crate) async fn look<S: Send + 'static, F: FnMut(&Row<'_>) -> S>(
    file: impl Read + Seek + Send + 'static,
    bytes: u64,
    wanted: Wanted,
    begin: impl FnOnce(&Mapping) -> F + Send + 'static,
) -> Result<Result<Look<S>, Problem>> {
    let looked = tokio::task::spawn_blocking(move || read(file, bytes, &wanted, begin)).await;
    let problem = |error: FileError| Problem { code: error.code().into(), message: error.to_string() };
    Ok(looked.map_err(Error::internal)?.map_err(problem))
}

fn read<S, F: FnMut(&Row<'_>) -> S>(
    file: impl Read + Seek,
    bytes: u64,
    wanted: &Wanted,
    begin: impl FnOnce(&Mapping) -> F,
) -> Result<Look<S>, FileError> {
    let mut reader = Reader::open_as(file, MAX_TEXT_BYTES, wanted)?;
    let mapping = reader.mapping().clone();
    let mut see = begin(&mapping);
    let (mut rows, mut n_bytes, mut is_whole) = (Vec::new(), 0, false);
    while rows.len() < READ && n_bytes < READ_BYTES {
        let Some(row) = reader.next_row().transpose()? else {
            is_whole = true;
            break;
        };
        n_bytes += row.raw.len();
        rows.push(see(&row));
    }
    let n = rows.len() as u64;
    let estimate = u128::from(n) * u128::from(bytes) / u128::from(reader.bytes_read().max(1));
    let total = if is_whole { n } else { u64::try_from(estimate).unwrap_or(u64::MAX).max(n) };
    Ok(Look { mapping, rows, total, is_whole })
}
