//! Memory stays flat whatever the file. It is its own binary, since what is measured is the process.
#![cfg(target_os = "linux")]

use std::io::{self, Cursor, Read, Seek};

use flate2::Compression;
use flate2::read::GzEncoder;
use usher_files::{Reader, Wanted};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

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

impl<R> Seek for Stream<R> {
    fn seek(&mut self, _: io::SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::NotSeekable.into())
    }
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

/// Address or code of each row, and the code of the error if one ends the file.
fn read<R: Read + Seek>(mut reader: Reader<R>) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(row) = reader.next_row() {
        found.push(match row {
            Ok(row) => row.email.map_or_else(|fault| fault.code().to_owned(), str::to_owned),
            Err(error) => error.code().to_owned(),
        });
    }
    assert!(peak_kib() < MAX_PEAK_KIB, "{} KiB", peak_kib());
    found
}

/// `head`, a hundred million times `byte`, and `tail`.
fn long(head: &'static str, byte: u8, tail: &'static str) -> impl Read {
    head.as_bytes().chain(io::repeat(byte).take(LONG_BYTES)).chain(tail.as_bytes())
}

/// The same, but ten million: for what is looked at byte by byte.
fn longish(head: &'static str, byte: u8, tail: &'static str) -> impl Read {
    head.as_bytes().chain(io::repeat(byte).take(LONG_BYTES / 10)).chain(tail.as_bytes())
}

fn open<R: Read>(file: R) -> Reader<Stream<R>> {
    Reader::open(Stream(file), u64::MAX).expect("a list")
}

/// A text of ASCII as UTF-16, made while it is read.
struct Utf16<R>(R);

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut text = [0; 4096];
        let n = self.0.read(&mut text[..buf.len().div_ceil(2).min(4096)])?;
        assert!(buf.len() >= 2 * n, "an even number of bytes");
        for (unit, byte) in buf.chunks_exact_mut(2).zip(&text[..n]) {
            unit.copy_from_slice(&[*byte, 0]);
        }
        Ok(2 * n)
    }
}

#[test]
fn memory_stays_flat() {
    let expected = ["a@example.com", "row_too_long", "c@example.com"];
    let table = long("email,note\na@example.com,x\nb@example.com,", b'x', "\nc@example.com,y\n");
    assert_eq!(read(open(table)), expected);
    let table = longish("email,note\na@example.com,x\nb@example.com,", b'x', "\nc@example.com,y\n");
    assert_eq!(read(open(Utf16(table))), expected);
    assert_eq!(read(open(long("a@example.com\nb@example.com", b'x', "\nc@example.com\n"))), expected);
    let json = "[{\"email\":\"a@example.com\"},\n{\"email\":\"b@example.com\",\"note\":\"";
    assert_eq!(read(open(longish(json, b'x', "\"},\n{\"email\":\"c@example.com\"}]"))), expected);
    // Nothing but brackets, commas, line breaks and quotes.
    assert_eq!(read(open(longish("[{\"email\":\"a@example.com\"},", b'[', ""))).last().unwrap(), "file_cut_short");
    assert_eq!(
        read(open(longish("email,note\na@example.com,x\n", b'\n', "b@example.com,x"))),
        ["a@example.com", "b@example.com"]
    );
    assert_eq!(
        read(open(long("email,note\na@example.com,x\n", b',', "\nb@example.com,x"))),
        ["a@example.com", "row_too_long", "b@example.com"]
    );
    assert_eq!(
        read(open(long("a@example.com\n", b';', "\nb@example.com"))),
        ["a@example.com", "row_too_long", "b@example.com"]
    );

    // One object of many keys, and many of none.
    let keys: Vec<_> = (0..999).map(|i| format!("\"k{i}\":1")).collect();
    let file = format!("[{{\"email\":\"a@example.com\",{}}}{}]", keys.join(","), ",{}".repeat(20_000));
    let wanted = Wanted { takes_all: true, ..Wanted::default() };
    assert_eq!(read(Reader::open_as(Cursor::new(file), u64::MAX, &wanted).expect("a list")).len(), 20_001);

    // Bombs: 100 KB that would become 100 MB.
    let bomb = GzEncoder::new(long("email\na@example.com\n", b'x', ""), Compression::fast());
    let gzip = Reader::open(Stream(bomb), LONG_BYTES / 2).expect("a list");
    assert_eq!(read(gzip), ["a@example.com", "row_too_long", "file_too_large"]);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("list.csv", SimpleFileOptions::default()).expect("memory");
    io::copy(&mut long("email\na@example.com\n", b'x', ""), &mut zip).expect("memory");
    let mut zip = zip.finish().expect("memory");
    zip.set_position(0);
    let zip = Reader::open(zip, LONG_BYTES / 2).expect("a list");
    assert_eq!(read(zip), ["a@example.com", "row_too_long", "file_too_large"]);
}
