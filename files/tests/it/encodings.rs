//! Text in other encodings than UTF-8.

use std::io::Cursor;

use usher_files::{Encoding, Reader, Wanted};

use crate::{at, lines, read};

const TABLE: &str = "email,note\nanna@example.com,Zoë\nben@example.com,Łódź 😀\n";

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn utf16_is_read_with_and_without_its_mark() {
    let marked = format!("\u{feff}{TABLE}");
    for (file, encoding) in [
        (utf16(&marked, u16::to_le_bytes), Encoding::Utf16Le),
        (utf16(&marked, u16::to_be_bytes), Encoding::Utf16Be),
        (utf16(TABLE, u16::to_le_bytes), Encoding::Utf16Le),
        (utf16(TABLE, u16::to_be_bytes), Encoding::Utf16Be),
    ] {
        let (mapping, rows) = read(&file);
        assert_eq!(mapping.encoding, encoding);
        assert_eq!(rows, read(TABLE).1);
    }
}

#[test]
fn windows_1252_is_read() {
    let (mapping, rows) = read(b"email,note\nanna@example.com,Zo\xeb\nb@example.com,\x80 5 \x96 ok\n");
    assert_eq!(mapping.encoding, Encoding::Windows1252);
    assert_eq!(rows[0].note.as_deref(), Some("Zoë"));
    assert_eq!(rows[1].note.as_deref(), Some("€ 5 – ok"));
    // Half a character in each of two cells makes a whole one between them.
    assert_eq!(read(b"email,note,x\nb@example.com,\xc3,\xa9\n").1[0].note.as_deref(), Some("Ã"));
}

#[test]
fn an_odd_cell_in_a_file_of_utf8_is_not_lost() {
    let (mapping, rows) = read(b"email,note\na@example.com,Zo\xc3\xab and Chlo\xc3\xa9\nb@example.com,caf\xe9\n");
    assert_eq!(mapping.encoding, Encoding::Utf8);
    assert_eq!(rows[0].note.as_deref(), Some("Zoë and Chloé"));
    assert_eq!(rows[1].note.as_deref(), Some("café"));
    // Nor is it when it comes long after the beginning.
    let mut file = "a@example.com,x\n".repeat(10_000).into_bytes();
    file.extend_from_slice(b"b@example.com,caf\xe9\nJos\xe9 <c@example.com>,\n");
    let rows = &read(&file).1[10_000..];
    assert_eq!(rows[0].note.as_deref(), Some("café"));
    assert_eq!(rows[1].email.as_deref(), Ok("c@example.com"));
}

#[test]
fn an_address_that_is_not_utf8_is_a_fault() {
    let file = b"email,note\na@example.com,Zo\xc3\xab\nb\xe9@example.com,\nc@example.com,\n";
    assert_eq!(lines(file), at(&[(2, "a@example.com"), (3, "not_utf8"), (4, "c@example.com")]));
}

#[test]
fn a_file_that_ends_in_a_character_is_read_to_its_end() {
    assert_eq!(lines(b"a@example.com\nb@example.com\xc3"), at(&[(1, "a@example.com"), (2, "not_utf8")]));
    assert_eq!(read(b"email,note\na@example.com,Zo\xc3").1[0].note.as_deref(), Some("ZoÃ"));
    let mut file = utf16("a@example.com\nb@example.com", u16::to_le_bytes);
    file.push(b'x');
    assert_eq!(lines(&file), at(&[(1, "a@example.com"), (2, "not_utf8")]));
}

#[test]
fn the_encoding_can_be_said() {
    let file = b"email,note\na@example.com,\xc3\xa9\n";
    for (encoding, note) in [(None, "é"), (Some(Encoding::Windows1252), "Ã©")] {
        let wanted = Wanted { encoding, ..Wanted::default() };
        let mut reader = Reader::open_as(Cursor::new(&file[..]), 1000, &wanted).unwrap();
        assert_eq!(reader.next_row().unwrap().unwrap().note, Some(note));
    }
}
