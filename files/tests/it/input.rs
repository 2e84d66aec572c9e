//! What is no list, gzip, and the size limit.

use std::io::{self, Cursor, Read, Write};

use flate2::write::GzEncoder;
use usher_files::{Compression, FileError, Kind, Reader};
use zip::write::SimpleFileOptions;

use crate::{Stream, lines, open, read, refused};

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip_as(files, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated))
}

fn zip_as(files: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        match name.strip_suffix('/') {
            Some(folder) => writer.add_directory(folder, options).unwrap(),
            None => writer.start_file(*name, options).unwrap(),
        }
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[track_caller]
fn last_error<R: Read + io::Seek>(reader: &mut Reader<R>) -> FileError {
    loop {
        if let Err(error) = reader.next_row().expect("an error before the end") {
            assert!(reader.next_row().is_none(), "nothing comes after an error");
            return error;
        }
    }
}

#[test]
fn files_that_are_no_lists_are_named() {
    for (file, kind) in [
        (b"%PDF-1.7\n%\xe2\xe3".to_vec(), Kind::Pdf),
        (b"\x89PNG\r\n\x1a\n\0\0".to_vec(), Kind::Picture),
        (b"\x7fELF\x02\x01\x01\0".to_vec(), Kind::Program),
        (b"MZ\x90\0\x03\0".to_vec(), Kind::Program),
        (zip(&[("[Content_Types].xml", b"<xml/>"), ("xl/sheet1.xml", b"<xml/>")]), Kind::Workbook),
        (
            zip(&[("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", b"<xml/>")]),
            Kind::Workbook,
        ),
        (zip(&[("a.zip", &zip(&[("a.csv", b"a@example.com")]))]), Kind::Archive),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0".to_vec(), Kind::OldOffice),
        (gzip(&gzip(b"a@example.com")), Kind::Archive),
        (b"\xef\xbb\xbf<!DOCTYPE html>".to_vec(), Kind::Markup),
        (b"a@example.com\0\0\0\x01\x02".to_vec(), Kind::Binary),
        (b"\x01\x02\x03\x04\x05".to_vec(), Kind::Binary),
    ] {
        let error = refused(&file);
        assert!(matches!(error, FileError::NotAList { kind: found } if found == kind), "{error}");
    }
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
    assert_eq!((mapping.compression, plain.compression), (Compression::Gzip, Compression::None));
    assert_eq!(rows, rows_of_gzip);
    // Two gzip files one after the other are one file.
    let parts = [gzip(b"a@example.com\nb@exam"), gzip(b"ple.com\n")].concat();
    assert_eq!(lines(parts), lines("a@example.com\nb@example.com"));
}

#[test]
fn a_zip_of_one_file_is_read_like_the_text_in_it() {
    let text = "email,note\n".to_owned() + &"a@example.com,\"x\ny\"\n".repeat(20_000);
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let (_, rows) = read(&text);
    for file in [
        zip(&[("list.csv", text.as_bytes())]),
        zip_as(&[("list.csv", text.as_bytes())], stored),
        zip(&[
            ("out/", b""),
            ("out/list.csv", text.as_bytes()),
            ("__MACOSX/out/._list.csv", b"x"),
            (".DS_Store", b"x"),
        ]),
    ] {
        let (mapping, rows_of_zip) = read(&file);
        assert_eq!(mapping.compression, Compression::Zip);
        assert_eq!(rows, rows_of_zip);
    }
}

#[test]
fn a_zip_of_no_file_or_too_many_says_so() {
    assert_eq!(refused(zip(&[])).to_string(), "The zip archive holds 0 files. Send one with 1 to 100.");
    assert_eq!(refused(zip(&[("__MACOSX/._a.csv", b"x"), (".DS_Store", b"x"), ("out/", b"")])).code(), "zip_files");
    let many: Vec<_> = (0..1000).map(|n| format!("{n}.csv")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    assert!(refused(zip(&many)).to_string().contains("1000 files"));
}

#[test]
fn a_zip_with_a_password_or_an_unusual_method_says_so() {
    let text = b"a@example.com\n".repeat(100);
    let mut file = zip(&[("a.csv", &text)]);
    let entry = file.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    file[6] |= 1;
    file[entry + 8] |= 1;
    assert_eq!(refused(&file).code(), "zip_encrypted");
    let mut file = zip(&[("a.csv", &text)]);
    file[8] = 12;
    file[entry + 10] = 12; // bzip2
    assert_eq!(refused(&file).code(), "zip_method");
}

#[test]
fn a_damaged_zip_is_an_error() {
    let text: String = (0..100_000).map(|i| format!("m{i}@example.com\n")).collect();
    let whole = zip(&[("a.csv", text.as_bytes())]);
    assert_eq!(refused(&whole[..whole.len() / 2]).code(), "file_damaged");
    let mut broken = whole.clone();
    broken[whole.len() / 2..][..64].fill(0xff);
    assert_eq!(last_error(&mut open(&broken).unwrap()).code(), "file_damaged");
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut other = zip_as(&[("a.csv", text.as_bytes())], stored);
    let at = other.len() / 2;
    other[at] ^= 1;
    assert_eq!(last_error(&mut open(&other).unwrap()).code(), "file_damaged");
    assert_eq!(refused(b"PK\x03\x04\x14\0").code(), "file_damaged");
}

#[test]
fn bytes_read_counts_the_file_as_it_lies_there() {
    for file in [b"a@example.com\n".repeat(100_000), gzip(&b"a@example.com\n".repeat(100_000))] {
        let mut reader = Reader::open(Cursor::new(&file[..]), 1 << 30).unwrap();
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
    let mut reader = open(&whole[..whole.len() / 2]).unwrap();
    assert_eq!(last_error(&mut reader).code(), "file_damaged");
    let mut broken = whole.clone();
    broken[whole.len() / 2..][..64].fill(0xff);
    let mut reader = open(&broken).unwrap();
    assert_eq!(last_error(&mut reader).code(), "file_damaged");
    assert_eq!(refused(b"\x1f\x8b").code(), "file_damaged");
}

#[test]
fn a_file_over_the_limit_is_an_error() {
    let text = b"a@example.com\n".repeat(100_000);
    let n_bytes = text.len() as u64;
    for file in [&text, &gzip(&text)] {
        let mut reader = Reader::open(Cursor::new(&file[..]), n_bytes).unwrap();
        while let Some(row) = reader.next_row() {
            row.expect("as many bytes as are allowed");
        }
        let mut reader = Reader::open(Cursor::new(&file[..]), n_bytes - 1).unwrap();
        let error = last_error(&mut reader);
        assert!(matches!(error, FileError::TooLarge { limit_bytes } if limit_bytes == n_bytes - 1));
    }
    assert_eq!(Reader::open(Cursor::new(&text[..]), 100).err().unwrap().code(), "file_too_large");
}

#[test]
fn an_error_of_the_disk_is_passed_on() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk"))
        }
    }
    assert_eq!(Reader::open(Stream(Broken), 100).err().unwrap().code(), "file_unreadable");
    let text = b"a@example.com\n".repeat(100_000);
    let mut reader = Reader::open(Stream(text.chain(Broken)), 1 << 30).unwrap();
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
        let mut slow = Reader::open(Stream(Slowly(file)), 1 << 30).unwrap();
        let mut fast = Reader::open(Cursor::new(&file[..]), 1 << 30).unwrap();
        while let Some(row) = fast.next_row() {
            let (row, same) = (row.unwrap(), slow.next_row().unwrap().unwrap());
            assert_eq!((row.line, row.raw, row.email), (same.line, same.raw, same.email));
        }
        assert!(slow.next_row().is_none());
    }
}
