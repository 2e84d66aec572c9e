//! What is no list, gzip, and the size limit.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use usher_files::{FileError, Kind, Reader};

use crate::{lines, read, refused};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[track_caller]
fn last_error<R: Read>(reader: &mut Reader<R>) -> FileError {
    loop {
        if let Err(error) = reader.next_row().expect("an error before the end") {
            assert!(reader.next_row().is_none(), "nothing comes after an error");
            return error;
        }
    }
}

#[test]
fn files_that_are_no_lists_are_named() {
    let utf16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        [mark, &"a@example.com\n".encode_utf16().flat_map(bytes).collect::<Vec<u8>>()].concat()
    };
    for (file, kind) in [
        (b"%PDF-1.7\n%\xe2\xe3".to_vec(), Kind::Pdf),
        (b"\x89PNG\r\n\x1a\n\0\0".to_vec(), Kind::Picture),
        (b"\x7fELF\x02\x01\x01\0".to_vec(), Kind::Program),
        (b"MZ\x90\0\x03\0".to_vec(), Kind::Program),
        (b"PK\x03\x04\x14\0".to_vec(), Kind::Zip),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0".to_vec(), Kind::OldOffice),
        (gzip(&gzip(b"a@example.com")), Kind::Archive),
        (utf16(b"\xff\xfe", u16::to_le_bytes), Kind::Utf16),
        (utf16(b"\xfe\xff", u16::to_be_bytes), Kind::Utf16),
        (utf16(b"", u16::to_be_bytes), Kind::Utf16),
        (b"[{\"email\":\"a@example.com\"}]".to_vec(), Kind::Json),
        (b"{\"email\":\"a@example.com\"}\n{".to_vec(), Kind::Json),
        (b"\xef\xbb\xbf<!DOCTYPE html>".to_vec(), Kind::Markup),
        (b"a@example.com\0\0\0\x01\x02".to_vec(), Kind::Binary),
        (b"\x01\x02\x03\x04\x05".to_vec(), Kind::Binary),
    ] {
        let error = refused(&file);
        assert!(matches!(error, FileError::NotAList { kind: found } if found == kind), "{error}");
    }
    assert_eq!(
        refused(b"\xff\xfea\0").to_string(),
        "The file is UTF-16 text, not a list of addresses. Save it as UTF-8."
    );
}

#[test]
fn an_empty_file_is_refused() {
    for file in [&b""[..], b"\n", b"  \r\n\t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", &gzip(b"")] {
        assert_eq!(refused(file).code(), "file_empty", "{file:?}");
    }
}

#[test]
fn gzip_is_read_like_the_text_in_it() {
    let text = "email,note\n".to_owned() + &"a@example.com,\"x\ny\"\n".repeat(20_000);
    let (plain, rows) = read(&text);
    let (mapping, rows_of_gzip) = read(gzip(text.as_bytes()));
    assert!(mapping.is_gzip && !plain.is_gzip);
    assert_eq!(rows, rows_of_gzip);
    // Two gzip files one after the other are one file.
    let parts = [gzip(b"a@example.com\nb@exam"), gzip(b"ple.com\n")].concat();
    assert_eq!(lines(parts), lines("a@example.com\nb@example.com"));
}

#[test]
fn bytes_read_counts_the_file_as_it_lies_there() {
    for file in [b"a@example.com\n".repeat(100_000), gzip(&b"a@example.com\n".repeat(100_000))] {
        let mut reader = Reader::open(&file[..], 1 << 30).unwrap();
        let mut last = reader.bytes_read();
        while reader.next_row().is_some() {
            assert!(reader.bytes_read() >= last);
            last = reader.bytes_read();
        }
        assert_eq!(last, file.len() as u64);
    }
}

#[test]
fn damaged_gzip_is_an_error() {
    let text: String = (0..100_000).map(|i| format!("m{i}@example.com\n")).collect();
    let whole = gzip(text.as_bytes());
    let mut reader = Reader::open(&whole[..whole.len() / 2], 1 << 30).unwrap();
    assert_eq!(last_error(&mut reader).code(), "gzip_damaged");
    let mut broken = whole.clone();
    broken[whole.len() / 2..][..64].fill(0xff);
    let mut reader = Reader::open(&broken[..], 1 << 30).unwrap();
    assert_eq!(last_error(&mut reader).code(), "gzip_damaged");
    assert_eq!(refused(b"\x1f\x8b").code(), "gzip_damaged");
}

#[test]
fn a_file_over_the_limit_is_an_error() {
    let text = b"a@example.com\n".repeat(100_000);
    let n_bytes = text.len() as u64;
    for file in [&text, &gzip(&text)] {
        let mut reader = Reader::open(&file[..], n_bytes).unwrap();
        while let Some(row) = reader.next_row() {
            row.expect("as many bytes as are allowed");
        }
        let mut reader = Reader::open(&file[..], n_bytes - 1).unwrap();
        let error = last_error(&mut reader);
        assert!(matches!(error, FileError::TooLarge { limit_bytes } if limit_bytes == n_bytes - 1));
    }
    assert_eq!(Reader::open(&text[..], 100).err().unwrap().code(), "file_too_large");
}

#[test]
fn an_error_of_the_disk_is_passed_on() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk"))
        }
    }
    assert_eq!(Reader::open(Broken, 100).err().unwrap().code(), "file_unreadable");
    let text = b"a@example.com\n".repeat(100_000);
    let mut reader = Reader::open(text.chain(Broken), 1 << 30).unwrap();
    assert_eq!(last_error(&mut reader).code(), "file_unreadable");
}

#[test]
fn a_file_that_comes_in_small_pieces_is_read_the_same() {
    struct Slowly<'a>(&'a [u8]);
    impl Read for Slowly<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = buf.len().min(3);
            self.0.read(&mut buf[..n])
        }
    }
    let text = b"email,note\r\na@example.com,\"x\r\ny\"\r\n".repeat(1_000);
    for file in [&text, &gzip(&text)] {
        let mut slow = Reader::open(Slowly(file), 1 << 30).unwrap();
        let mut fast = Reader::open(&file[..], 1 << 30).unwrap();
        while let Some(row) = fast.next_row() {
            let (row, same) = (row.unwrap(), slow.next_row().unwrap().unwrap());
            assert_eq!((row.line, row.raw, row.email), (same.line, same.raw, same.email));
        }
        assert!(slow.next_row().is_none());
    }
}
