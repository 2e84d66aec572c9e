//! The file behind an import, read in runs; what cannot be taken goes to the error file. All of it blocks.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, Seek as _},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use usher_files::{FileError, Mapping, Reader, RowFault, Wanted};
use usher_jobs::Fail;

use super::{
    Lines, Take, Taken,
    errors::{Errors, unreadable, unwritable},
    open::{MAX_TEXT_BYTES, sheet},
};
use crate::{
    error::Code,
    values::{Email, InvalidEmail},
};

/// What is wrong with a row whose text is no address, for programs.
const INVALID_ADDRESS: &str = "invalid_address";

/// What is wrong with a row whose text is no address, and nothing better can be said.
pub(crate) const NO_ADDRESS: (&str, &str) =
    (INVALID_ADDRESS, "This is not an email address. Correct it, or remove the row.");

/// What is wrong with a row whose text is no address, for programs and for people.
pub(crate) fn no_address(fault: &InvalidEmail) -> (&'static str, Cow<'static, str>) {
    match fault {
        InvalidEmail::NotAnAddress => (NO_ADDRESS.0, NO_ADDRESS.1.into()),
        _ => (INVALID_ADDRESS, format!("The address {fault}. Correct it, or remove the row.").into()),
    }
}

/// What is wrong with a row that the worker dies of.
const DEADLY: (&str, &str) = ("crashed", "Usher made a mistake in this row and left it out. Please report it.");

/// What is said of an upload whose file is not in the data folder.
pub(crate) const UPLOAD_GONE: &str = "The uploaded file is gone. Send it again and start a new import.";

/// Bytes of an error file after which bad rows are only counted: a small file with a wide header can make a large one.
pub(crate) const MAX_ERROR_BYTES: u64 = 512 << 20;

/// Rows between two looks at whether anybody still wants them.
const LOOK: u64 = 1024;

/// Where an import's file and error file are, and how far an earlier attempt got.
pub(crate) struct Place {
    pub(crate) upload: PathBuf,
    pub(crate) errors: PathBuf,
    /// Rows before the first run.
    pub(crate) first_row: u64,
    /// Bytes of the error file that are true.
    pub(crate) error_bytes: u64,
    /// What the call knows of the file.
    pub(crate) wanted: Wanted,
    /// Rows that earlier attempts have died of.
    pub(crate) deadly: Vec<u64>,
    /// Rows that the file may have; they are counted before the first is written.
    pub(crate) most_rows: Option<u64>,
    /// Set once nobody wants the rows any more.
    pub(crate) halt: Arc<AtomicBool>,
}

/// An open file.
pub(super) struct Source<T> {
    place: Place,
    take: T,
    reader: Reader<File>,
    file_bytes: u64,
    /// Its rows, if they were counted.
    n_rows: Option<u64>,
    /// The table that `take` knows.
    table: Option<usize>,
    next_row: u64,
    errors: Errors,
    /// Why the file cannot be read any further. What comes before is applied first.
    end: Option<FileError>,
}

/// A run, sorted.
pub(crate) struct Batch<L> {
    pub(super) lines: L,
    /// Its rows in the file, from `first_row` up to and without `end_row`.
    pub(super) first_row: u64,
    pub(super) end_row: u64,
    /// Rows that say that their address may get mail.
    pub(super) skipped: u64,
    /// Rows that do not say in known words whether it may.
    pub(super) unclear: u64,
    /// Rows that went to the error file.
    pub(super) invalid: u64,
    /// The error file's length with them.
    pub(super) error_bytes: u64,
    /// Rows of the whole file: estimated, until its end was read.
    pub(super) total: u64,
    pub(super) is_last: bool,
}

impl<T: Take> Source<T> {
    /// Opens the file and passes over what an earlier attempt has done.
    pub(super) fn open(place: Place, take: T) -> Result<Self, Fail> {
        let (file, wanted) = open(&place)?;
        let is_first = place.first_row == 0;
        let n_rows = match place.most_rows {
            Some(most) if is_first => Some(count(&file, &wanted, most, &place)?),
            None if is_first => verify(&file, &place).map(|()| None)?,
            _ => None,
        };
        (&file).rewind().map_err(gone)?;
        let file_bytes = file.metadata().map_err(gone)?.len();
        let reader = Reader::open_as(file, MAX_TEXT_BYTES, &wanted).map_err(unreadable)?;
        let errors = Errors::new(place.errors.clone(), place.error_bytes);
        let mut source = Self { reader, file_bytes, n_rows, table: None, next_row: 0, errors, end: None, place, take };
        while source.next_row < source.place.first_row {
            if source.reader.next_row().transpose().map_err(unreadable)?.is_none() {
                break;
            }
            source.next_row += 1;
            source.look()?;
        }
        Ok(source)
    }

    /// The next run of at most so many rows, in the memory of `lines`. One that was begun before ends where it ended then
    /// (`until`), and its bad rows are in the error file already.
    pub(super) fn next_run(
        &mut self,
        mut lines: T::Lines,
        until: Option<u64>,
        most: u64,
    ) -> Result<Batch<T::Lines>, Fail> {
        if let Some(error) = self.end.take() {
            return Err(unreadable(error));
        }
        lines.clear();
        let (first_row, mut skipped, mut unclear, mut invalid, mut is_last) = (self.next_row, 0, 0, 0, false);
        let end = until.unwrap_or(first_row + most);
        while self.next_row < end && (until.is_some() || !lines.is_full()) {
            let row = match self.reader.next_row() {
                Some(Ok(row)) => row,
                Some(Err(error)) if self.next_row > first_row => {
                    self.end = Some(error);
                    break;
                }
                Some(Err(error)) => return Err(unreadable(error)),
                None => {
                    is_last = true;
                    break;
                }
            };
            if self.table != Some(row.table) {
                self.take.begin(row.mapping);
                self.table = Some(row.table);
            }
            let bad = match row.email {
                _ if self.place.deadly.contains(&self.next_row) => Some((DEADLY.0, DEADLY.1.into())),
                Err(RowFault::Sendable) => {
                    skipped += 1;
                    None
                }
                Err(RowFault::Unclear) => {
                    unclear += 1;
                    None
                }
                Err(fault) => Some((fault.code(), fault.text().into())),
                Ok(text) => match parse(text) {
                    Ok(email) => match self.take.take(&row, &email, &mut lines) {
                        Taken::Kept => None,
                        Taken::Skipped => {
                            skipped += 1;
                            None
                        }
                        Taken::Bad(code, text) => Some((code, text)),
                    },
                    Err(fault) => Some(no_address(&fault)),
                },
            };
            if let Some((code, text)) = bad {
                let text: Cow<'static, str> = text;
                invalid += 1;
                if until.is_none() && self.errors.bytes < MAX_ERROR_BYTES {
                    self.errors.write(&row, code, &text).map_err(unwritable)?;
                }
            }
            self.next_row += 1;
            self.look()?;
        }
        lines.sort();
        let error_bytes = self.errors.settle().map_err(unwritable)?;
        let (end_row, total) = (self.next_row, self.total(is_last));
        Ok(Batch { lines, first_row, end_row, skipped, unclear, invalid, error_bytes, total, is_last })
    }

    /// What was found out about the files in it.
    pub(super) fn mappings(&self) -> Vec<Mapping> {
        self.reader.files().map(|(_, mapping)| mapping.clone()).collect()
    }

    /// Writes rows that were refused only when they were to be written, in the order of their numbers, and gives the
    /// error file's length. The file is at its beginning.
    pub(super) fn refuse(
        &mut self,
        mut refused: impl Iterator<Item = (u64, &'static str, &'static str)>,
    ) -> Result<u64, Fail> {
        let mut next = refused.next();
        while let Some((number, code, text)) = next {
            let Some(row) = self.reader.next_row().transpose().map_err(unreadable)? else { break };
            if row.number == number {
                if self.errors.bytes < MAX_ERROR_BYTES {
                    self.errors.write(&row, code, text).map_err(unwritable)?;
                }
                next = refused.next();
            }
            self.next_row += 1;
            self.look()?;
        }
        self.errors.settle().map_err(unwritable)
    }

    fn total(&self, is_last: bool) -> u64 {
        let read = self.reader.bytes_done().clamp(1, self.file_bytes.max(1));
        let estimate = u128::from(self.next_row) * u128::from(self.file_bytes) / u128::from(read);
        let estimate = u64::try_from(estimate).unwrap_or(u64::MAX).max(self.next_row);
        if is_last { self.next_row } else { self.n_rows.unwrap_or(estimate) }
    }

    fn look(&self) -> Result<(), Fail> {
        if self.next_row.is_multiple_of(LOOK) && self.place.halt.load(Relaxed) {
            return Err(Fail::Stopping);
        }
        Ok(())
    }
}

fn gone(error: io::Error) -> Fail {
    match error.kind() {
        io::ErrorKind::NotFound => Fail::fatal("upload_not_found", UPLOAD_GONE),
        _ => unreadable(FileError::from(error)),
    }
}

/// The file of an upload, or the table that is made of a workbook; and what is known of it.
fn open(place: &Place) -> Result<(File, Wanted), Fail> {
    let mut file = File::open(&place.upload).map_err(gone)?;
    let folder = place.upload.parent().unwrap_or(&place.upload);
    let table = sheet(&mut file, folder, &place.wanted).map_err(unreadable)?;
    Ok(table.unwrap_or_else(|| (file, place.wanted.clone())))
}

/// Counts the rows of a file, which must not be more than `most`. What cannot be read to its end is not begun.
fn count(file: &File, wanted: &Wanted, most: u64, place: &Place) -> Result<u64, Fail> {
    let mut reader = Reader::open_as(file, MAX_TEXT_BYTES, wanted).map_err(unreadable)?;
    let mut n_rows = 0;
    while let Some(row) = reader.next_row() {
        row.map_err(unreadable)?;
        n_rows += 1;
        if n_rows > most {
            let text = format!("The file has more than {most} rows, so nothing was imported. Split it.");
            return Err(Fail::fatal(Code::TooManyRows.name(), text));
        }
        if n_rows.is_multiple_of(LOOK) && place.halt.load(Relaxed) {
            return Err(Fail::Stopping);
        }
    }
    Ok(n_rows)
}

/// What is damaged is not begun.
fn verify(file: &File, place: &Place) -> Result<(), Fail> {
    usher_files::verify(file, MAX_TEXT_BYTES, || !place.halt.load(Relaxed)).map_err(unreadable)?;
    if place.halt.load(Relaxed) { Err(Fail::Stopping) } else { Ok(()) }
}

/// [`Email::parse`]; in tests there is an address that the worker dies of.
fn parse(text: &str) -> Result<Email, InvalidEmail> {
    #[cfg(debug_assertions)]
    die_of(text);
    Email::parse(text)
}

#[cfg(debug_assertions)]
fn die_of(text: &str) {
    #[expect(clippy::disallowed_methods, reason = "only tests set it")]
    static DEADLY: std::sync::LazyLock<Option<String>> =
        std::sync::LazyLock::new(|| std::env::var("USHER_TEST_DEADLY").ok());
    if DEADLY.as_deref() == Some(text) {
        std::process::abort();
    }
}
