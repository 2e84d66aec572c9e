//! Rules that hold for every file.

use proptest::collection::vec;
use proptest::prelude::*;
use usher_files::{Compression, Encoding, ErrorFile, Format, Wanted};

use crate::input::{gzip, zip};
use crate::{ENOUGH_BYTES, Read, read, read_as};

/// A table as somebody may write it, with an address in its second column.
fn table() -> impl Strategy<Value = Vec<(String, String, String)>> {
    let cell = "[ a-z0-9,;|'\"=+@\t\u{e9}\u{1f600}\n\r-]{0,12}";
    vec((cell, "[a-z+=]{1,8}@[a-z]{1,8}\\.com", cell), 1..20)
}

fn write(rows: &[(String, String, String)], separator: u8, ending: csv::Terminator) -> Vec<u8> {
    write_quoted(rows, separator, ending, csv::QuoteStyle::Necessary)
}

fn write_quoted(
    rows: &[(String, String, String)],
    separator: u8,
    ending: csv::Terminator,
    quotes: csv::QuoteStyle,
) -> Vec<u8> {
    let mut builder = csv::WriterBuilder::new();
    let mut writer = builder.delimiter(separator).terminator(ending).quote_style(quotes).from_writer(Vec::new());
    writer.write_record(["id", "email", "note"]).unwrap();
    for (id, email, note) in rows {
        writer.write_record([id, email, note]).unwrap();
    }
    writer.into_inner().unwrap()
}

/// The same table as JSON, its elements in lines of their own.
fn write_json(rows: &[(String, String, String)], head: &str, between: &str, tail: &str) -> String {
    let object = |(id, email, note): &(String, String, String)| {
        serde_json::json!({ "id": id, "email": email, "note": note }).to_string()
    };
    format!("{head}{}{tail}", rows.iter().map(object).collect::<Vec<_>>().join(between))
}

/// How a text becomes the bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bytes {
    Utf8,
    Utf8Marked,
    Utf16Le,
    Utf16LeMarked,
    Utf16Be,
    Utf16BeMarked,
    Windows1252,
}

impl Bytes {
    const ALL: [Self; 7] = [
        Self::Utf8,
        Self::Utf8Marked,
        Self::Utf16Le,
        Self::Utf16LeMarked,
        Self::Utf16Be,
        Self::Utf16BeMarked,
        Self::Windows1252,
    ];

    fn of(self, text: &str) -> Vec<u8> {
        let marked = format!("\u{feff}{text}");
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
        match self {
            Self::Utf8 => text.into(),
            Self::Utf8Marked => marked.into(),
            Self::Utf16Le => utf16(text, u16::to_le_bytes),
            Self::Utf16LeMarked => utf16(&marked, u16::to_le_bytes),
            Self::Utf16Be => utf16(text, u16::to_be_bytes),
            Self::Utf16BeMarked => utf16(&marked, u16::to_be_bytes),
            Self::Windows1252 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect(),
        }
    }
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
    fn any_table_is_read_back_from_any_format_encoding_and_compression(
        mut rows in table(),
        format in prop::sample::select(&Format::ALL[..]),
        bytes in prop::sample::select(&Bytes::ALL[..]),
        compression in prop::sample::select(&[Compression::None, Compression::Gzip, Compression::Zip][..]),
        ending in prop::sample::select(&["\n", "\r\n", "\r"][..]),
        quotes in prop::sample::select(&[csv::QuoteStyle::Necessary, csv::QuoteStyle::Always][..]),
        is_wrapped in any::<bool>(),
    ) {
        for (id, _, note) in &mut rows {
            if bytes == Bytes::Windows1252 {
                (*id, *note) = (id.replace('\u{1f600}', "\u{e8}"), note.replace('\u{1f600}', "\u{e8}"));
            }
        }
        let text = match format.separator() {
            Some(separator) => {
                let ending = match ending {
                    "\r\n" => csv::Terminator::CRLF,
                    ending => csv::Terminator::Any(ending.as_bytes()[0]),
                };
                String::from_utf8(write_quoted(&rows, separator, ending, quotes)).unwrap()
            }
            None if format == Format::List => rows.iter().map(|(_, email, _)| format!("{email}{ending}")).collect(),
            None if format == Format::JsonLines => write_json(&rows, "", ending, ending),
            None if is_wrapped => write_json(&rows, "{\"total\":1,\"items\":[", &format!(",{ending}"), "],\"next\":null}"),
            None => write_json(&rows, "[", &format!("{ending},"), "]"),
        };
        let file = bytes.of(&text);
        let file = match compression {
            Compression::None => file,
            Compression::Gzip => gzip(&file),
            Compression::Zip => zip(&[("list.txt", &file)]),
        };
        // A code page is a guess from a few letters, unless it is named.
        let encoding = (bytes == Bytes::Windows1252).then_some(Encoding::Windows1252);
        let (mapping, read) = read_as(&file, &Wanted { encoding, ..Wanted::default() });
        prop_assert_eq!((mapping.format, mapping.compression), (format, compression));
        prop_assert_eq!(read.len(), rows.len());
        for (read, (_, email, note)) in read.iter().zip(&rows) {
            prop_assert_eq!(read.email.clone().ok(), meant(email));
            prop_assert_eq!(&read.note, &meant(note).filter(|_| format != Format::List));
        }
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
        // Every byte that is no white space and no separator is in a row.
        let is_solid = |byte: &u8| !byte.is_ascii_whitespace() && !b",;|\"".contains(byte);
        let n_solid = bytes.iter().filter(|byte| is_solid(byte)).count();
        prop_assert!(n_bytes >= n_solid);
        // A byte of Windows-1252 is up to three of UTF-8.
        let growth = if reader.mapping().encoding == Encoding::Utf8 { 1 } else { 3 };
        prop_assert!(n_bytes <= bytes.len() * growth);
    }
}
