//! What must hold for every file, however hostile. The fuzz targets and the ordinary tests share it.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use usher_files::{Encoding, ErrorFile, Format, MAX_RECORD_BYTES, Reader, Wanted};

/// More text than a fuzzer's file should hold; a bomb ends there.
const LIMIT_BYTES: u64 = 1 << 20;

/// Whatever is found by a look at it.
pub fn any_file(bytes: &[u8]) {
    check(bytes, &Wanted::default());
}

/// A table, in the format and encoding that the first byte chooses, with a header or without.
pub fn table(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let formats = [Format::Csv, Format::Tsv, Format::Semicolon, Format::Pipe, Format::List];
    let format = formats[usize::from(first >> 2) % formats.len()];
    let has_header = [None, Some(false), Some(true), None][usize::from(first & 3)];
    let encoding = Encoding::all().nth(usize::from(first >> 5));
    check(rest, &Wanted { format: Some(format), encoding, has_header, ..Wanted::default() });
}

/// JSON, in the layout that the first byte chooses.
pub fn json(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let opening: &[u8] = match first % 4 {
        0 => b"[{\"email\":\"a@example.com\"},",
        1 => b"{\"email\":\"a@example.com\"}\n",
        2 => b"{\"list\":[\"a@example.com\",",
        _ => b"",
    };
    check(&[opening, rest].concat(), &Wanted::default());
}

/// The bytes behind the beginning of gzip, or of zip.
pub fn compressed(bytes: &[u8]) {
    check(&[b"\x1f\x8b\x08", bytes].concat(), &Wanted::default());
    check(&[b"PK\x03\x04", bytes].concat(), &Wanted::default());
    check(bytes, &Wanted::default());
}

fn check(bytes: &[u8], wanted: &Wanted) {
    let rows = read(Cursor::new(bytes), wanted);
    // The same bytes give the same rows, however they come: an import that was interrupted goes on by counting.
    assert_eq!(rows, read(Slowly(Cursor::new(bytes)), wanted), "the same in small pieces");
}

/// The line of each row, and its address or code; at the end perhaps the code of an error.
fn read(file: impl Read + Seek, wanted: &Wanted) -> Vec<(u64, String)> {
    let mut reader = match Reader::open_as(file, LIMIT_BYTES, wanted) {
        Ok(reader) => reader,
        Err(error) => return vec![(0, error.code().to_owned())],
    };
    assert!(!reader.mapping().to_string().is_empty());
    let mut errors = ErrorFile::begin(Vec::new(), reader.mapping()).expect("memory");
    let (mut rows, mut n_rows, mut last_line, mut last_file) = (Vec::new(), 0, 1, None);
    while let Some(row) = reader.next_row() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                rows.push((last_line, error.code().to_owned()));
                break;
            }
        };
        assert_eq!(row.number, n_rows, "rows are counted one by one");
        assert!(row.line >= last_line || row.file != last_file.as_deref(), "lines go on");
        assert!(row.raw.len() <= MAX_RECORD_BYTES && row.cells().count() <= row.mapping.columns.len());
        for text in [row.email.ok(), row.source, row.note, row.first_seen, row.vendor_code].into_iter().flatten() {
            assert!(!text.is_empty() && !text.contains('\0'));
        }
        assert!(!row.email.is_ok_and(|email| email.contains('\u{fffd}')), "no address is guessed");
        errors.write(&row, "code", "text").expect("memory");
        rows.push((row.line, row.email.map_or_else(|fault| fault.code().to_owned(), str::to_owned)));
        (n_rows, last_line, last_file) = (n_rows + 1, row.line, row.file.map(str::to_owned));
    }
    assert!(reader.next_row().is_none(), "the end is the end");
    reopen(&errors.finish().expect("memory"), n_rows);
    rows
}

/// The error file of all rows is UTF-8, is known as one if it can be read, and has as many rows.
fn reopen(errors: &[u8], n_rows: u64) {
    assert!(str::from_utf8(errors).is_ok());
    let Ok(mut reader) = Reader::open(Cursor::new(errors), u64::MAX) else { return };
    assert!(reader.mapping().error_columns_at.is_some(), "{}", reader.mapping());
    let mut n_again = 0;
    while let Some(row) = reader.next_row() {
        row.expect("memory");
        n_again += 1;
    }
    assert_eq!(n_again, n_rows, "each row is in the error file once");
}

/// A file that comes in small pieces.
struct Slowly<R>(R);

impl<R: Read> Read for Slowly<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = buf.len().min(3);
        self.0.read(&mut buf[..n])
    }
}

impl<R: Seek> Seek for Slowly<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}
