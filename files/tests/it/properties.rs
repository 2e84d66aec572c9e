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

/// A way to write a list down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Table(Format),
    List,
    Array,
    Wrapped,
    Lines,
}

impl Shape {
    const ALL: [Self; 8] = [
        Self::Table(Format::Csv),
        Self::Table(Format::Tsv),
        Self::Table(Format::Semicolon),
        Self::Table(Format::Pipe),
        Self::List,
        Self::Array,
        Self::Wrapped,
        Self::Lines,
    ];

    fn write(self, rows: &[(String, String, String)], ending: &str) -> String {
        let objects: Vec<_> = rows
            .iter()
            .map(|(id, email, note)| serde_json::json!({ "id": id, "email": email, "note": note }).to_string())
            .collect();
        match self {
            Self::Table(format) => {
                let end = match ending {
                    "\r\n" => csv::Terminator::CRLF,
                    other => csv::Terminator::Any(other.as_bytes()[0]),
                };
                String::from_utf8(write(rows, format.separator().unwrap(), end)).unwrap()
            }
            Self::List => rows.iter().map(|(_, email, _)| format!("{email}{ending}")).collect(),
            Self::Array => format!("[{}]", objects.join(&format!(",{ending}"))),
            Self::Wrapped => format!("{{\"n\":1,{ending}\"list\":[{}],\"end\":true}}", objects.join(",")),
            Self::Lines => objects.iter().map(|object| format!("{object}{ending}")).collect(),
        }
    }
}

/// A way to write characters as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Utf8,
    Utf8WithMark,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

impl Written {
    const ALL: [Self; 5] = [Self::Utf8, Self::Utf8WithMark, Self::Utf16Le, Self::Utf16Be, Self::Windows1252];

    fn bytes(self, text: &str) -> Vec<u8> {
        let marked = format!("\u{feff}{text}");
        match self {
            Self::Utf8 => text.into(),
            Self::Utf8WithMark => marked.into(),
            Self::Utf16Le => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Windows1252 => text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect(),
        }
    }
}

/// The bytes as they are, in gzip, or in a zip archive.
fn pack(bytes: &[u8], how: i32) -> Vec<u8> {
    match how {
        0 => bytes.to_vec(),
        1 => crate::input::gzip(bytes),
        _ => crate::input::zip(&[("list", bytes)]),
    }
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
    fn any_list_is_read_back_in_any_format_encoding_and_compression(
        rows in table(),
        shape in prop::sample::select(&Shape::ALL[..]),
        encoding in prop::sample::select(&Written::ALL[..]),
        packing in 0..3,
        ending in prop::sample::select(&["\n", "\r\n", "\r"][..]),
    ) {
        let writable = |cell: &String| match encoding {
            Written::Windows1252 => cell.replace('\u{1f600}', "x"),
            _ => cell.clone(),
        };
        let rows: Vec<_> =
            rows.iter().map(|(id, email, note)| (writable(id), email.clone(), writable(note))).collect();
        let text = shape.write(&rows, ending);
        let file = pack(&encoding.bytes(&text), packing);
        let (mapping, read) = read(&file);
        prop_assert_eq!(read.len(), rows.len(), "{}", mapping);
        for (read, (_, email, note)) in read.iter().zip(&rows) {
            prop_assert_eq!(read.email.clone().ok(), meant(email), "{}", mapping);
            if shape != Shape::List {
                prop_assert_eq!(&read.note, &meant(note), "{}", mapping);
            }
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
        // Every byte that is no white space is in a row.
        let n_solid = bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).count();
        prop_assert!(n_bytes >= n_solid && n_bytes <= bytes.len());
    }
}
