//! Reads files as people have them, through the front door.

mod archives;
mod columns;
mod encodings;
mod error_file;
mod exporters;
mod faults;
mod formats;
mod fuzzed;
mod input;
mod json;
mod mail_columns;
mod own;
mod properties;
mod shapes;
mod workbooks;

use std::io::{self, Cursor, Seek, SeekFrom};

use usher_files::{FileError, Mapping, Reader, Reason, Row, Wanted};

/// More than any file here needs.
const ENOUGH_BYTES: u64 = 1 << 30;

/// A row that outlives the reader's buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Read {
    number: u64,
    line: u64,
    email: Result<String, &'static str>,
    reason: Option<Reason>,
    note: Option<String>,
    raw: Vec<u8>,
}

impl Read {
    fn of(row: &Row<'_>) -> Self {
        Self {
            number: row.number,
            line: row.line,
            email: row.email.map(str::to_owned).map_err(|fault| fault.code()),
            reason: row.reason,
            note: row.note.map(str::to_owned),
            raw: row.raw.to_vec(),
        }
    }
}

/// Opens a file for how it is cut into rows and cells: as one whose caller has a reason for every row that gives none.
fn open(file: &[u8]) -> Result<Reader<Cursor<&[u8]>>, FileError> {
    Reader::open_as(Cursor::new(file), ENOUGH_BYTES, &Wanted { takes_all: true, ..Wanted::default() })
}

/// A stream in the place of a file: only zip needs to go back in it.
struct Stream<R>(R);

impl<R: io::Read> io::Read for Stream<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<R> Seek for Stream<R> {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::NotSeekable.into())
    }
}

/// The mapping and all rows of a file that can be read.
#[track_caller]
fn read(file: impl AsRef<[u8]>) -> (Mapping, Vec<Read>) {
    read_as(file, &Wanted::default())
}

/// The same, with what a caller knows of it.
#[track_caller]
fn read_as(file: impl AsRef<[u8]>, wanted: &Wanted) -> (Mapping, Vec<Read>) {
    let wanted = Wanted { takes_all: true, ..wanted.clone() };
    let reader = Reader::open_as(Cursor::new(file.as_ref()), ENOUGH_BYTES, &wanted);
    let mut reader = reader.expect("a file that can be read");
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row() {
        rows.push(Read::of(&row.expect("no error in the middle")));
    }
    (reader.mapping().clone(), rows)
}

/// Line and address, or code, of every row.
#[track_caller]
fn lines(file: impl AsRef<[u8]>) -> Vec<(u64, String)> {
    let (_, rows) = read(file);
    rows.into_iter().map(|row| (row.line, row.email.unwrap_or_else(str::to_owned))).collect()
}

/// What [`lines`] gives, written down.
fn at(rows: &[(u64, &str)]) -> Vec<(u64, String)> {
    rows.iter().map(|(line, email)| (*line, (*email).to_owned())).collect()
}

/// The error that a file cannot be opened with.
#[track_caller]
fn refused(file: impl AsRef<[u8]>) -> FileError {
    open(file.as_ref()).err().expect("a file that cannot be read")
}
