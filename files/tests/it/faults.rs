//! Rows that cannot be read, among rows that can.

use usher_files::{MAX_COLUMNS, MAX_RECORD_BYTES, RowFault};

use crate::{at, lines, read};

#[test]
fn a_row_without_an_address_is_a_fault() {
    let file = "name,email\nAnn,\nBea\nCy,c@example.com\n";
    assert_eq!(lines(file), at(&[(2, "no_address"), (3, "no_address"), (4, "c@example.com")]));
}

#[test]
fn several_addresses_in_a_row_are_a_fault() {
    let list = "a@example.com\nb@example.com c@example.com\nd@example.com\n";
    assert_eq!(lines(list), at(&[(1, "a@example.com"), (2, "several_addresses"), (3, "d@example.com")]));
    let table = "a@example.com;b@example.com\nc@example.com;\n";
    assert_eq!(lines(table), at(&[(1, "several_addresses"), (2, "c@example.com")]));
    let quoted = "name,email\nAnn,\"a@example.com, b@example.com\"\n";
    assert_eq!(lines(quoted), at(&[(2, "several_addresses")]));
}

#[test]
fn an_address_that_may_get_mail_is_left_out() {
    let file = "email,status\na@example.com,Active\nb@example.com,Unsubscribed\nc@example.com,soft_bounce\n";
    assert_eq!(lines(file), at(&[(2, "sendable"), (3, "b@example.com"), (4, "sendable")]));
}

#[test]
fn a_nul_byte_after_the_sample_is_a_fault() {
    let mut file = "a@example.com,x\n".repeat(5_000);
    file.push_str("b\0@example.com,x\nc@example.com,x\0y\nd@example.com,z\n");
    let rows = lines(&file);
    let expected = at(&[(5_001, "nul_byte"), (5_002, "nul_byte"), (5_003, "d@example.com")]);
    assert_eq!(rows[5_000..], expected);
}

#[test]
fn a_nul_byte_costs_its_row_and_no_other() {
    for (file, expected) in [
        ("email,note\na\0@example.com,x\nb@example.com,y\n", &[(2, "nul_byte"), (3, "b@example.com")][..]),
        (
            "email,note\na@example.com,x\0\nb@example.com,y\0\nc@example.com,z\n",
            &[(2, "nul_byte"), (3, "nul_byte"), (4, "c@example.com")],
        ),
        ("email\0,note\na@example.com,x\n", &[(2, "a@example.com")]),
        ("e\0mail,no\0te\na@example.com,x\nb@example.com,\0\n", &[(2, "a@example.com"), (3, "nul_byte")]),
        (
            "a@example.com\n\0\nb@example.com\0\nc@example.com",
            &[(1, "a@example.com"), (2, "nul_byte"), (3, "nul_byte"), (4, "c@example.com")],
        ),
        ("Name;E-Mail\nAnn;a@example.com\nB\0b;b@example.com\n", &[(2, "a@example.com"), (3, "nul_byte")]),
        (
            "{\"email\":\"a\0@example.com\"}\n{\"email\":\"b\\u0000@example.com\"}\n{\"email\":\"c@example.com\"}\n",
            &[(1, "nul_byte"), (2, "nul_byte"), (3, "c@example.com")],
        ),
        (
            "[{\"email\":\"a@example.com\"},\0\n{\"email\":\"b@example.com\"}]",
            &[(1, "a@example.com"), (1, "nul_byte"), (2, "b@example.com")],
        ),
        (
            "{\"em\\u0000ail\":\"a@example.com\"}\n{\"em\\u0000ail\":\"b@example.com\"}\n",
            &[(1, "a@example.com"), (2, "b@example.com")],
        ),
    ] {
        assert_eq!(lines(file), at(expected), "{file:?}");
        let (mapping, _) = read(file);
        assert!(mapping.columns.iter().all(|column| !column.name.contains('\0')), "{mapping:?}");
    }
    let text = "email,note\na\0@example.com,x\nb@example.com,y\n".to_owned() + &"c@example.com,z\n".repeat(20);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(lines(utf16)[..2], at(&[(2, "nul_byte"), (3, "b@example.com")]));
}

#[test]
fn a_row_with_too_many_columns_is_a_fault() {
    let wide = |n: usize| format!("b@example.com{}", ",x".repeat(n - 1));
    let file = format!("email,note\na@example.com,x\n{}\n{}\nc@example.com,x", wide(MAX_COLUMNS), wide(10_000));
    let (_, rows) = read(&file);
    assert_eq!(rows[1].email.as_deref(), Ok("b@example.com"));
    assert_eq!(rows[2].email, Err("too_many_columns"));
    assert_eq!(rows[2].raw, wide(10_000).as_bytes());
    assert_eq!((rows[3].line, rows[3].email.as_deref()), (5, Ok("c@example.com")));
    // And when the whole file is like that.
    assert_eq!(lines(format!("{}\n", wide(10_000))), at(&[(1, "too_many_columns")]));
}

#[test]
fn a_row_that_is_too_long_is_passed_over() {
    for ending in ["\n", "\r", "\r\n"] {
        let long = "x".repeat(1_000_000);
        let file = format!("email,note\na@example.com,1\nb@example.com,{long}\nc@example.com,2\n");
        let (_, rows) = read(file.replace('\n', ending));
        assert_eq!(rows[1].email, Err("row_too_long"));
        assert!(rows[1].raw.starts_with(b"b@example.com,xxx"));
        assert_eq!(rows[1].raw.len(), 1024);
        assert_eq!((rows[2].line, rows[2].email.as_deref()), (4, Ok("c@example.com")));
        assert_eq!(rows.len(), 3);
    }
}

#[test]
fn the_longest_row_is_read() {
    for (n, code) in [(MAX_RECORD_BYTES, None), (MAX_RECORD_BYTES + 1, Some("row_too_long"))] {
        for ending in ["", "\n", "\r\n"] {
            let mut row = "b@example.com,".to_owned();
            row.push_str(&"x".repeat(n - row.len()));
            let (_, rows) = read(format!("email,note\na@example.com,\n{row}{ending}"));
            assert_eq!(rows[1].email.as_ref().err().copied(), code, "{n} {ending:?}");
        }
    }
}

#[test]
fn a_file_of_one_endless_line_has_one_row() {
    assert_eq!(lines(format!("a@example.com {}", "x".repeat(1_000_000))), at(&[(1, "row_too_long")]));
}

#[test]
fn an_unclosed_quote_costs_one_line() {
    let mut file = "email,note\na@example.com,\"oops\nb@example.com,x\n".to_owned();
    let expected = [(2, "unclosed_quote"), (3, "b@example.com")];
    assert_eq!(lines(&file), at(&expected));
    // The next quote is taken for its end, and is none.
    assert_eq!(
        lines(format!("{file}c@example.com,\"fine\"\n")),
        at(&[(2, "unclosed_quote"), (3, "b@example.com"), (4, "c@example.com")])
    );
    // It is longer than a record may be.
    file.push_str(&"c@example.com,x\n".repeat(10_000));
    let rows = lines(&file);
    assert_eq!(rows[..2], at(&expected));
    assert_eq!(rows.len(), 10_002);
    assert_eq!(rows[10_001], (10_003, "c@example.com".to_owned()));
}

#[test]
fn a_quote_unclosed_in_the_last_line_is_a_fault() {
    // It may be a piece of an address only.
    assert_eq!(
        lines("email,note\na@example.com,x\n\"b@example.co"),
        at(&[(2, "a@example.com"), (3, "unclosed_quote")])
    );
}

#[test]
fn a_file_of_nothing_but_unclosed_quotes_ends() {
    // Each line opens a quote that is still open 64 KiB later, wherever the reading begins.
    let file = format!("email,note\n{}", "\"x\"y,\"z\n".repeat(100_000));
    let (_, rows) = read(&file);
    assert!(rows.iter().all(|row| row.email == Err("unclosed_quote")));
    assert!(rows.len() > 1_000);
    assert!(rows.is_sorted_by_key(|row| row.line));
}

#[test]
fn codes_and_texts_differ() {
    for (i, fault) in RowFault::ALL.iter().enumerate() {
        assert!(fault.text().ends_with('.'));
        for other in &RowFault::ALL[..i] {
            assert_ne!(fault.code(), other.code());
            assert_ne!(fault.text(), other.text());
        }
    }
}

#[test]
fn rows_before_an_error_are_given() {
    use std::io::Read;
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk"))
        }
    }
    let text = b"a@example.com\n".repeat(10_000);
    let mut reader = usher_files::Reader::open(crate::Stream(text.chain(Broken)), 1 << 30).unwrap();
    let mut n_rows = 0;
    while let Some(Ok(_)) = reader.next_row() {
        n_rows += 1;
    }
    assert_eq!(n_rows, 10_000);
}
