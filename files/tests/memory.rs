//! Memory stays flat whatever the file. It is its own binary, since what is measured is the process.
#![cfg(target_os = "linux")]

use std::io::{self, Read};

use flate2::Compression;
use flate2::read::GzEncoder;
use usher_files::{FileError, Reader};

/// What the whole process may hold at its fullest.
const MAX_PEAK_KIB: u64 = 24 * 1024;

const LONG_BYTES: u64 = 100_000_000;

/// A stream in the place of a file: only zip needs to go back in it.
struct Stream<R>(R);

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<R> io::Seek for Stream<R> {
    fn seek(&mut self, _: io::SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::NotSeekable.into())
    }
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

#[test]
fn memory_stays_flat() {
    // A line of 100 MB between two rows.
    let long = (&b"email,note\na@example.com,x\nb@example.com,"[..])
        .chain(io::repeat(b'x').take(LONG_BYTES))
        .chain(&b"\nc@example.com,y\n"[..]);
    let mut reader = Reader::open(Stream(long), u64::MAX).expect("a table");
    let mut emails = Vec::new();
    while let Some(row) = reader.next_row() {
        let row = row.expect("a row");
        emails.push(row.email.map(str::to_owned).map_err(|fault| fault.code()));
    }
    assert_eq!(emails, [Ok("a@example.com".to_owned()), Err("row_too_long"), Ok("c@example.com".to_owned())]);

    // A gzip bomb, made while it is read: 100 KB that would become 100 MB.
    let bomb = (&b"email\na@example.com\n"[..]).chain(io::repeat(b'x').take(LONG_BYTES));
    let bomb = GzEncoder::new(bomb, Compression::fast());
    let mut reader = Reader::open(Stream(bomb), LONG_BYTES / 2).expect("a list");
    let error = loop {
        match reader.next_row().expect("an error before the end") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, FileError::TooLarge { .. }), "{error}");
    assert!(reader.bytes_read() < 1_000_000);

    assert!(peak_kib() < MAX_PEAK_KIB, "{} KiB", peak_kib());
}
