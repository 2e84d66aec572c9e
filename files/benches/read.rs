//! How fast a million rows are read in each format, encoding and compression: `cargo bench -p usher-files`.
#![allow(clippy::print_stdout)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{Cursor, Write as _};
use std::time::Instant;

use usher_files::Reader;
use zip::write::SimpleFileOptions;

const N_ROWS: u64 = 1_000_000;

/// The best of so many runs counts: the others were disturbed.
const N_RUNS: usize = 3;

fn main() {
    let csv = rows("email,reason,note\n", |text, i| {
        writeln!(text, "member{i}@example.com,hard_bounce,\"left on day {}\"", i % 365)
    });
    let accented = csv.replace("left on day", "geht am Tag für");
    let json = rows("[\n", |text, i| {
        let comma = if i + 1 < N_ROWS { ",\n" } else { "]\n" };
        write!(
            text,
            "{{\"email\":\"member{i}@example.com\",\"reason\":\"hard_bounce\",\"note\":\"left on day {}\"}}{comma}",
            i % 365
        )
    });
    let json_lines = json[2..].replace("},\n", "}\n").replace("}]", "}");
    let texts =
        rows("[", |text, i| write!(text, "\"member{i}@example.com\"{}", if i + 1 < N_ROWS { "," } else { "]" }));
    let postmark = rows("EmailAddress,SuppressionReason,Origin,CreatedAt\n", |text, i| {
        writeln!(text, "member{i}@example.com,HardBounce,Recipient,2019-12-17T08:58:33-05:00")
    });
    let list = rows("", |text, i| writeln!(text, "member{i}@example.com"));

    measure("CSV", csv.as_bytes());
    measure("TSV", csv.replace(',', "\t").as_bytes());
    measure("CSV, not ASCII", accented.as_bytes());
    measure("CSV, gzip", &gzip(csv.as_bytes()));
    measure("CSV, zip", &zip(csv.as_bytes()));
    measure("CSV, UTF-16", &csv.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    measure("CSV, Latin-1", &accented.chars().map(|c| c as u8).collect::<Vec<_>>());
    measure("CSV of Postmark", postmark.as_bytes());
    measure("list", list.as_bytes());
    measure("list in one line", list.replace('\n', ", ").as_bytes());
    measure("JSON array of objects", json.as_bytes());
    measure("JSON array of texts", texts.as_bytes());
    measure("JSON Lines", json_lines.as_bytes());
}

/// A text of a million rows.
fn rows(head: &str, row: impl Fn(&mut String, u64) -> std::fmt::Result) -> String {
    let mut text = head.to_owned();
    for i in 0..N_ROWS {
        row(&mut text, i).expect("memory");
    }
    text
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn zip(text: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("list.csv", SimpleFileOptions::default()).expect("memory");
    archive.write_all(text).expect("memory");
    archive.finish().expect("memory").into_inner()
}

fn measure(name: &str, file: &[u8]) {
    let seconds = (0..N_RUNS).map(|_| read(file)).fold(f64::INFINITY, f64::min);
    let (n_rows, megabytes) = (N_ROWS as f64 / seconds / 1e6, file.len() as f64 / 1e6);
    println!("{name:22} {n_rows:5.2} M rows/s, {:4.0} MB/s of file", megabytes / seconds);
}

/// The seconds that it takes to read a file.
fn read(file: &[u8]) -> f64 {
    let start = Instant::now();
    let mut reader = Reader::open(Cursor::new(file), u64::MAX).expect("a list");
    let mut n_rows = 0;
    while let Some(row) = reader.next_row() {
        let row = row.expect("a row");
        black_box((row.email.expect("an address"), row.reason, row.note));
        n_rows += 1;
    }
    assert_eq!(n_rows, N_ROWS);
    start.elapsed().as_secs_f64()
}
