//! The file behind an import, read in runs; what cannot be taken goes to the error file. All of it blocks.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use usher_files::{ErrorFile, FileError, Mapping, Reader, Row, RowFault, Wanted};
use usher_jobs::Fail;

use super::{
    Reason,
    lines::{Line, Lines},
};
use crate::values::{Email, InvalidEmail, Time};

/// What is wrong with a text that is no address, for programs and for people.
pub(super) const NO_ADDRESS: (&str, &str) =
    ("invalid_address", "This is not an email address. Correct it, or remove the row.");

/// What is wrong with a row that the worker dies of.
const DEADLY: (&str, &str) = ("crashed", "Usher made a mistake in this row and left it out. Please report it.");

/// What is said of an upload whose file is not in the data folder.
pub(super) const UPLOAD_GONE: &str = "The uploaded file is gone. Send it again and start a new import.";

/// Text that is read of one file, once it is decompressed.
pub(super) const MAX_TEXT_BYTES: u64 = 4 << 30;

/// Bytes of an error file after which bad rows are only counted: a small file with a wide header can make a large one.
pub(super) const MAX_ERROR_BYTES: u64 = 512 << 20;

/// Characters of a note that are kept.
const NOTE: usize = 1000;

/// Characters of a source or a vendor's code that are kept.
const WORD: usize = 100;

/// Rows between two looks at whether anybody still wants them.
const LOOK: u64 = 1024;

/// Where an import's file and error file are, and how far an earlier attempt got.
pub(super) struct Place {
    pub(super) upload: PathBuf,
    pub(super) errors: PathBuf,
    /// Rows before the first run.
    pub(super) first_row: u64,
    /// Bytes of the error file that are true.
    pub(super) error_bytes: u64,
    /// What a row's reason is that gives none.
    pub(super) reason: Reason,
    /// What the call knows of the file.
    pub(super) wanted: Wanted,
    /// Rows that earlier attempts have died of.
    pub(super) deadly: Vec<u64>,
    /// Nothing was seen after this.
    pub(super) now: Time,
    /// Set once nobody wants the rows any more.
    pub(super) halt: Arc<AtomicBool>,
}

/// An open file.
pub(super) struct Source {
    place: Place,
    reader: Reader<File>,
    file_bytes: u64,
    next_row: u64,
    errors: Errors,
    /// Why the file cannot be read any further. What comes before is applied first.
    end: Option<FileError>,
}

/// A run, sorted.
pub(super) struct Batch {
    pub(super) lines: Lines,
    /// Its rows in the file, from `first_row` up to and without `end_row`.
    pub(super) first_row: u64,
    pub(super) end_row: u64,
    /// Rows that say that their address may get mail.
    pub(super) skipped: u64,
    /// Rows that went to the error file.
    pub(super) invalid: u64,
    /// The error file's length with them.
    pub(super) error_bytes: u64,
    /// Rows of the whole file: estimated, until its end was read.
    pub(super) total: u64,
    pub(super) is_last: bool,
}

impl Source {
    /// Opens the file and passes over what an earlier attempt has done.
    pub(super) fn open(place: Place) -> Result<Self, Fail> {
        let gone = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Fail::fatal("upload_not_found", UPLOAD_GONE),
            _ => unreadable(FileError::from(error)),
        };
        let file = File::open(&place.upload).map_err(gone)?;
        let file_bytes = file.metadata().map_err(gone)?.len();
        let reader = Reader::open_as(file, MAX_TEXT_BYTES, &place.wanted).map_err(unreadable)?;
        let errors = Errors::new(place.errors.clone(), reader.mapping().clone(), place.error_bytes);
        let mut source = Self { reader, file_bytes, next_row: 0, errors, end: None, place };
        while source.next_row < source.place.first_row {
            if source.reader.next_row().transpose().map_err(unreadable)?.is_none() {
                break;
            }
            source.next_row += 1;
            source.look()?;
        }
        Ok(source)
    }

    /// The next run of at most so many rows, in the memory of `lines`. One that was begun before ends where it ended then (`until`), and its
    /// bad rows are in the error file already.
    pub(super) fn next_run(&mut self, mut lines: Lines, until: Option<u64>, most: u64) -> Result<Batch, Fail> {
        if let Some(error) = self.end.take() {
            return Err(unreadable(error));
        }
        lines.clear();
        let (first_row, mut skipped, mut invalid, mut is_last) = (self.next_row, 0, 0, false);
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
            let bad = match row.email {
                _ if self.place.deadly.contains(&self.next_row) => Some(DEADLY),
                Err(RowFault::Sendable) => {
                    skipped += 1;
                    None
                }
                Err(fault) => Some((fault.code(), fault.text())),
                Ok(text) => match parse(text) {
                    Ok(email) => {
                        take(&mut lines, &row, &email, &self.place);
                        None
                    }
                    Err(_) => Some(NO_ADDRESS),
                },
            };
            if let Some((code, text)) = bad {
                invalid += 1;
                if until.is_none() && self.errors.bytes < MAX_ERROR_BYTES {
                    self.errors.write(&row, code, text).map_err(unwritable)?;
                }
            }
            self.next_row += 1;
            self.look()?;
        }
        lines.sort();
        let error_bytes = self.errors.settle().map_err(unwritable)?;
        let (end_row, total) = (self.next_row, self.total(is_last));
        Ok(Batch { lines, first_row, end_row, skipped, invalid, error_bytes, total, is_last })
    }

    fn total(&self, is_last: bool) -> u64 {
        let read = self.reader.bytes_read().clamp(1, self.file_bytes.max(1));
        let estimate = u128::from(self.next_row) * u128::from(self.file_bytes) / u128::from(read);
        let estimate = u64::try_from(estimate).unwrap_or(u64::MAX).max(self.next_row);
        if is_last { self.next_row } else { estimate }
    }

    fn look(&self) -> Result<(), Fail> {
        if self.next_row.is_multiple_of(LOOK) && self.place.halt.load(Relaxed) {
            return Err(Fail::Stopping);
        }
        Ok(())
    }
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

fn take(lines: &mut Lines, row: &Row<'_>, email: &Email, place: &Place) {
    lines.push(Line {
        key: email.key(),
        email: Some(email.as_str()).filter(|text| *text != email.key()),
        strength: row.reason.map_or(place.reason, Reason::from).strength(),
        source: row.source.map(|text| cut(text, WORD)),
        note: row.note.map(|text| cut(text, NOTE)),
        vendor_code: row.vendor_code.map(|text| cut(text, WORD)),
        first_seen: row.first_seen.and_then(moment).filter(|seen| *seen < place.now.micros()),
        n: 1,
    });
}

/// The first characters of a text.
fn cut(text: &str, characters: usize) -> &str {
    if text.len() <= characters {
        return text;
    }
    text.char_indices().nth(characters).map_or(text, |(at, _)| &text[..at])
}

/// A time as files have it: RFC 3339, RFC 2822, `2026-11-22 13:00:00`, `2026-11-22`, or seconds or milliseconds since
/// 1970. What stands for another day in another country, such as 03/04/2026, is not guessed.
pub(super) fn moment(text: &str) -> Option<i64> {
    const SECONDS: std::ops::Range<i64> = 100_000_000..10_000_000_000;
    const MILLIS: std::ops::Range<i64> = 100_000_000_000..10_000_000_000_000;
    let is_fraction = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
    let whole = text.split_once('.').filter(|(_, rest)| is_fraction(rest)).map_or(text, |(whole, _)| whole);
    if let Ok(number) = whole.parse::<i64>() {
        return match number {
            seconds if SECONDS.contains(&seconds) => Some(seconds * 1_000_000),
            millis if MILLIS.contains(&millis) => Some(millis * 1000),
            _ => None,
        };
    }
    let micros = if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        time.timestamp_micros()
    } else if let Ok(time) = DateTime::parse_from_rfc2822(&text.replace(" UTC", " +0000")) {
        time.timestamp_micros()
    } else if let Some(time) = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text.trim_end_matches(" UTC"), form).ok())
    {
        time.and_utc().timestamp_micros()
    } else {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros()
    };
    (micros > 0).then_some(micros)
}

/// The error file, opened when the first row goes into it.
struct Errors {
    path: PathBuf,
    mapping: Mapping,
    bytes: u64,
    open: Option<(ErrorFile<File>, File)>,
    is_dirty: bool,
}

impl Errors {
    fn new(path: PathBuf, mapping: Mapping, bytes: u64) -> Self {
        Self { path, mapping, bytes, open: None, is_dirty: false }
    }

    fn write(&mut self, row: &Row<'_>, code: &str, text: &str) -> io::Result<()> {
        if self.open.is_none() {
            self.open = Some(self.begin()?);
        }
        self.is_dirty = true;
        self.open.as_mut().expect("it was opened").0.write(row, code, text)
    }

    /// A new file with the bytes that are true, in the place of the old one: an attempt that has lost the job and does
    /// not know it yet writes to the old one, which nobody sees.
    fn begin(&self) -> io::Result<(ErrorFile<File>, File)> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        let kept = match File::open(&self.path) {
            Ok(old) if self.bytes > 0 => io::copy(&mut old.take(self.bytes), &mut file)?,
            Ok(_) => 0,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        let out = file.try_clone()?;
        let writer =
            if kept > 0 { ErrorFile::resume(out, &self.mapping) } else { ErrorFile::begin(out, &self.mapping)? };
        Ok((writer, file))
    }

    /// Brings what was written to the disk, and gives the file's length.
    fn settle(&mut self) -> io::Result<u64> {
        if let (Some((writer, file)), true) = (&mut self.open, self.is_dirty) {
            writer.flush()?;
            file.sync_data()?;
            self.bytes = file.metadata()?.len();
            self.is_dirty = false;
        }
        Ok(self.bytes)
    }
}

fn unreadable(error: FileError) -> Fail {
    match error {
        FileError::Io { .. } => Fail::retry(error.code(), error.to_string()).because(error),
        _ => Fail::fatal(error.code(), error.to_string()),
    }
}

fn unwritable(error: io::Error) -> Fail {
    let text = match error.kind() {
        io::ErrorKind::StorageFull => "The server's disk is full. Free some space; Usher will try again.",
        _ => "The rows that could not be taken cannot be written to the data folder. Usher will try again.",
    };
    Fail::retry("unavailable", text).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_files_have_them() {
        for text in [
            "2026-11-22T13:00:00Z",
            "2026-11-22T14:00:00+01:00",
            "2026-11-22 13:00:00",
            "2026-11-22 13:00",
            "1795352400",
            "1795352400000",
            "1795352400.0",
            "1795352400.077",
            "Sun, 22 Nov 2026 13:00:00 GMT",
            "Sun, 22 Nov 2026 13:00:00 UTC",
            "2026-11-22 13:00:00 UTC",
            "2026-11-22T08:00:00-05:00",
        ] {
            assert_eq!(moment(text), Some(1_795_352_400_000_000), "{text}");
        }
        assert_eq!(moment("2026-11-22"), Some(1_795_305_600_000_000));
        for text in ["yesterday", "", "550", "0000-00-00 00:00:00", "03/04/2026"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!((cut("ééé", 2), cut("ab", 2), cut("abc", 2)), ("éé", "ab", "ab"));
    }
}
