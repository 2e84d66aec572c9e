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

/// Rows of names and notes in the letters of somebody's own language.
const NAMES: [(&str, &str, &[&str]); 13] = [
    (
        "windows-1250",
        "windows-1250",
        &["Łukasz Wójcik", "Małgorzata Dąbrowska", "Świętosława Żak", "Zażółć gęślą jaźń"],
    ),
    ("windows-1250", "windows-1250", &["Jiří Dvořák", "Růžena Nováčková", "Tomáš Šťastný", "Žofie Krásná"]),
    ("windows-1251", "windows-1251", &["Иван Петров", "Мария Кузнецова", "Алексей Соколов", "Жанна Щербакова"]),
    ("koi8-r", "koi8-u", &["Иван Петров", "Мария Кузнецова", "Алексей Соколов", "Татьяна Михайлова"]),
    ("windows-1252", "windows-1252", &["Zoë Müller", "José Muñoz", "François Lefèvre", "Jörg Weiß"]),
    ("windows-1253", "windows-1253", &["Γιώργος Παπαδόπουλος", "Μαρία Νικολάου", "Ελένη Γεωργίου"]),
    ("windows-1254", "windows-1254", &["Şükrü Yılmaz", "Gülşah Öztürk", "İbrahim Çağlar", "Ayşe Doğan"]),
    ("shift_jis", "shift_jis", &["山田太郎", "佐藤花子", "高橋一郎", "カタカナ・テスト"]),
    ("gbk", "gbk", &["王小明", "李娜", "张伟的备注", "北京市朝阳区"]),
    ("big5", "big5", &["陳大文", "林美玲", "臺北市信義區", "黃志明"]),
    ("euc-kr", "euc-kr", &["김철수", "이영희", "박지성", "서울특별시"]),
    ("macintosh", "macintosh", &["Zoë Müller", "José Muñoz", "François Lefèvre", "Jörg Weiß", "Hélène Àlvarez"]),
    ("macintosh", "macintosh", &["André"]),
];

fn encoded(name: &str, text: &str) -> Vec<u8> {
    let encoding = encoding_rs::Encoding::for_label(name.as_bytes()).expect("an encoding");
    let (bytes, _, is_lossy) = encoding.encode(text);
    assert!(!is_lossy, "{name} has all letters of {text}");
    bytes.into_owned()
}

#[test]
fn code_pages_are_recognised_by_their_letters() {
    for (name, code, names) in NAMES {
        let rows: String = names.iter().enumerate().map(|(n, name)| format!("p{n}@mail.example,{name}\n")).collect();
        for ascii_rows in [0, 5_000] {
            let ascii: String = (0..ascii_rows).map(|n| format!("a{n}@mail.example,Ann\n")).collect();
            let (mapping, read) = read(encoded(name, &format!("email,note\n{ascii}{rows}")));
            assert_eq!(mapping.encoding.code(), code, "{names:?}, {mapping}");
            assert!(mapping.is_encoding_guessed && mapping.to_string().contains("which is a guess"), "{mapping}");
            let notes: Vec<_> = read[ascii_rows..].iter().filter_map(|row| row.note.as_deref()).collect();
            assert_eq!(notes, names, "{name}");
        }
    }
    for text in ["email,note\na@mail.example,Zoë\n", "email,note\na@mail.example,Ann\n"] {
        let (mapping, _) = read(text);
        assert_eq!((mapping.encoding, mapping.is_encoding_guessed), (Encoding::Utf8, false));
    }
}

#[test]
fn what_looks_like_another_code_page_is_not_taken_for_it() {
    for (name, code, notes) in [
        // Quotes, dashes and signs of Windows, which Mac has letters for.
        ("windows-1252", "windows-1252", &["It’s “great” – really", "5 € … ok", "Miles O’Brien"][..]),
        ("windows-1252", "windows-1252", &["d’Artagnan", "Zoë"]),
        ("windows-1250", "windows-1250", &["Dušan Kovačević", "Saša Živković", "Đorđe Šarić"]),
    ] {
        let rows: String = notes.iter().map(|note| format!("a@mail.example,\"{note}\"\n")).collect();
        let (mapping, read) = read(encoded(name, &format!("email,note\n{rows}")));
        assert_eq!(mapping.encoding.code(), code, "{notes:?}");
        assert_eq!(read.iter().filter_map(|row| row.note.as_deref()).collect::<Vec<_>>(), notes);
    }
}

#[test]
fn each_encoding_can_be_named_in_several_ways() {
    for (name, code) in [
        ("Windows-1250", "windows-1250"),
        ("cp1251", "windows-1251"),
        ("latin1", "windows-1252"),
        ("ISO-8859-2", "iso-8859-2"),
        ("mac", "macintosh"),
        ("sjis", "shift_jis"),
        ("GB2312", "gbk"),
        ("utf-16", "utf-16le"),
        ("UTF8", "utf-8"),
    ] {
        assert_eq!(Encoding::of_name(name).map(Encoding::code), Some(code), "{name}");
    }
    for encoding in Encoding::all() {
        assert_eq!(Encoding::of_name(encoding.code()), Some(encoding));
    }
    assert_eq!(Encoding::of_name("ebcdic"), None);
    let file = encoded("macintosh", "email,note\na@mail.example,Zoë\n");
    let wanted = Wanted { encoding: Encoding::of_name("macintosh"), ..Wanted::default() };
    let mut reader = Reader::open_as(Cursor::new(&file[..]), 1000, &wanted).unwrap();
    assert!(!reader.mapping().is_encoding_guessed);
    assert_eq!(reader.next_row().unwrap().unwrap().note, Some("Zoë"));
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
