//! How fast a table of a million rows is read: `cargo bench -p usher-files`.
#![allow(clippy::print_stdout)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use usher_files::Reader;

const N_ROWS: u64 = 1_000_000;

fn main() {
    let mut table = String::from("email,reason,note\n");
    for i in 0..N_ROWS {
        writeln!(table, "member{i}@example.com,hard_bounce,\"left on day {}\"", i % 365).expect("memory");
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(table.as_bytes()).expect("memory");
    let gzip = gzip.finish().expect("memory");

    for (name, file) in [("plain", table.as_bytes()), ("gzip", &gzip[..])] {
        for _ in 0..3 {
            let start = Instant::now();
            assert_eq!(read(file), N_ROWS);
            let seconds = start.elapsed().as_secs_f64();
            let megabytes = table.len() as f64 / 1e6;
            println!("{name}: {N_ROWS} rows, {megabytes:.0} MB in {seconds:.3} s");
        }
    }
}

fn read(file: &[u8]) -> u64 {
    let mut reader = Reader::open(std::io::Cursor::new(file), u64::MAX).expect("a table");
    let mut n_rows = 0;
    while let Some(row) = reader.next_row() {
        let row = row.expect("a row");
        black_box((row.email.expect("an address"), row.reason, row.note));
        n_rows += 1;
    }
    n_rows
}
