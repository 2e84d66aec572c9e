//! Rules that hold for every file.

use proptest::collection::vec;
use proptest::prelude::*;
use usher_files::{ErrorFile, Format};

use crate::{ENOUGH_BYTES, Read, read};

/// A table as somebody may write it, with an address in its second column.
fn table() -> impl Strategy<Value = Vec<(String, String, String)>> {
    let cell = "[ a-z0-9,;|'\"=+@\t\u{e9}\u{1f600}\n\r-]{0,12}";
    vec((cell, "[a-z+=]{1,8}@[a-z]{1,8}\\.com", cell), 1..20)
}

fn write(rows: &[(String, String, String)], separator: u8, ending: csv::Terminator) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(separator).terminator(ending).from_writer(Vec::new());
    writer.write_record(["id", "email", "note"]).unwrap();
    for (id, email, note) in rows {
        writer.write_record([id, email, note]).unwrap();
    }
    writer.into_inner().unwrap()
}

/// What a cell means, said once more.
fn meant(cell: &str) -> Option<String> {
    let cell = cell.trim();
    let value = match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(['=', '+', '-', '@']) => rest.trim(),
        _ => cell,
    };
    (!value.is_empty()).then(|| value.to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_table_is_read_back(
        rows in table(),
        format in prop::sample::select(&Format::TABLES[..]),
        has_crlf in any::<bool>(),
    ) {
        let ending = if has_crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let file = write(&rows, format.separator().unwrap(), ending);
        let (mapping, read) = read(&file);
        prop_assert_eq!(mapping.format, format);
        prop_assert_eq!(read.len(), rows.len());
        for (read, (_, email, note)) in read.iter().zip(&rows) {
            prop_assert_eq!(read.email.clone().ok(), meant(email));
            prop_assert_eq!(&read.note, &meant(note));
        }
        // What the rows looked like, and the blank lines and breaks between them, is the file.
        let raw: usize = read.iter().map(|row| row.raw.len()).sum();
        let header = "id,email,note".len();
        prop_assert_eq!(raw + header + (rows.len() + 1) * if has_crlf { 2 } else { 1 }, file.len());
    }

    #[test]
    fn an_error_file_means_what_the_file_meant(rows in table(), separator in prop::sample::select(&b",;\t|"[..])) {
        let file = write(&rows, separator, csv::Terminator::CRLF);
        let mut reader = crate::open(&file).unwrap();
        let mut errors = ErrorFile::begin(Vec::new(), reader.mapping()).unwrap();
        let mut first = Vec::new();
        while let Some(row) = reader.next_row() {
            let row = row.unwrap();
            errors.write(&row, "code", "=text").unwrap();
            first.push(Read::of(&row));
        }
        let (_, again) = read(errors.finish().unwrap());
        prop_assert_eq!(again.len(), first.len());
        for (again, first) in again.into_iter().zip(first) {
            prop_assert_eq!((again.email, again.reason, again.note), (first.email, first.reason, first.note));
        }
    }

    #[test]
    fn any_bytes_end_in_rows_or_an_error(bytes in vec(prop::sample::select(&b"a@.,;\t|\"\r\n '=\xc3\xa9\xff\0"[..]), 0..300)) {
        let file = [b"email,note\n", &bytes[..]].concat();
        let Ok(mut reader) = usher_files::Reader::open(std::io::Cursor::new(&file[..]), ENOUGH_BYTES) else { return Ok(()) };
        let (mut last_line, mut n_rows, mut n_bytes) = (0, 0, 0);
        while let Some(row) = reader.next_row() {
            let row = row.unwrap();
            prop_assert!(row.line > last_line);
            prop_assert_eq!(row.number, n_rows);
            last_line = row.line;
            n_rows += 1;
            n_bytes += row.raw.len();
        }
        // Every byte that is no white space is in a row.
        let n_solid = bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).count();
        prop_assert!(n_bytes >= n_solid && n_bytes <= bytes.len());
    }
}
