//! What must hold for every file, however hostile. The fuzz targets and the ordinary tests share it.

use std::io::Cursor;

use usher_files::{ErrorFile, Format, Reader, Wanted};

/// More text than a fuzzer's file should hold; a bomb ends there.
const LIMIT_BYTES: u64 = 1 << 20;

/// Whatever is found by a look at it.
pub fn any_file(bytes: &[u8]) {
    check(bytes, &Wanted::default());
}

/// A table, in the format that the first byte chooses, with a header or without.
pub fn table(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let formats = [Format::Csv, Format::Tsv, Format::Semicolon, Format::Pipe, Format::List];
    let format = formats[usize::from(first >> 2) % formats.len()];
    let has_header = [None, Some(false), Some(true), None][usize::from(first & 3)];
    check(rest, &Wanted { format: Some(format), has_header, ..Wanted::default() });
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
    let Ok(mut reader) = Reader::open_as(Cursor::new(bytes), LIMIT_BYTES, wanted) else { return };
    let mapping = reader.mapping().clone();
    let _ = mapping.to_string();
    let mut errors = ErrorFile::begin(Vec::new(), &mapping).expect("memory");
    let (mut n_rows, mut last_line) = (0, 0);
    let mut is_whole = true;
    while let Some(row) = reader.next_row() {
        let Ok(row) = row else {
            is_whole = false;
            break;
        };
        assert_eq!(row.number, n_rows, "rows are counted one by one");
        assert!(row.line >= last_line.max(1), "lines go on");
        for text in [row.email.ok(), row.source, row.note, row.first_seen, row.vendor_code].into_iter().flatten() {
            assert!(!text.is_empty() && !text.contains('\0'));
        }
        errors.write(&row, "code", "text").expect("memory");
        (n_rows, last_line) = (n_rows + 1, row.line);
    }
    assert!(reader.next_row().is_none(), "the end is the end");

    // The same bytes give the same rows: an import that was interrupted goes on by counting.
    let mut again = Reader::open_as(Cursor::new(bytes), LIMIT_BYTES, wanted).expect("it could be read before");
    let mut n_again = 0;
    while let Some(Ok(_)) = again.next_row() {
        n_again += 1;
    }
    assert_eq!(n_again, n_rows);

    // And the error file of all rows has as many.
    if is_whole && n_rows > 0 {
        let errors = errors.finish().expect("memory");
        if let Ok(mut errors) = Reader::open(Cursor::new(errors), u64::MAX) {
            let mut n_errors = 0;
            while let Some(row) = errors.next_row() {
                row.expect("memory");
                n_errors += 1;
            }
            assert_eq!(n_errors, n_rows, "each row is in the error file once");
        }
    }
}
