//! Separators, line endings, marks and quotes.

use usher_files::{Format, Reason};

use crate::{at, lines, read, refused};

const TABLE: &str = "email,reason,note\na@example.com,bounce,first\nb@example.com,complaint,second\n";

#[test]
fn each_separator_is_found() {
    for (format, separator) in [(Format::Csv, ","), (Format::Tsv, "\t"), (Format::Semicolon, ";"), (Format::Pipe, "|")]
    {
        let (mapping, rows) = read(TABLE.replace(',', separator));
        assert_eq!(mapping.format, format);
        assert!(mapping.has_header);
        assert_eq!(rows[1].email.as_deref(), Ok("b@example.com"));
        assert_eq!(rows[1].reason, Some(Reason::Complaint));
        assert_eq!(rows[1].note.as_deref(), Some("second"));
        assert_eq!((rows[1].number, rows[1].line), (1, 3));
    }
}

#[test]
fn a_plain_list_is_found() {
    for file in [
        "a@example.com\nb@example.com\n",
        "\"a@example.com\"\n\"b@example.com\"",
        "Email\na@example.com\nb@example.com",
    ] {
        let (mapping, rows) = read(file);
        assert_eq!(mapping.format, Format::List, "{file}");
        let emails: Vec<_> = rows.into_iter().map(|row| row.email.unwrap()).collect();
        assert_eq!(emails, ["a@example.com", "b@example.com"], "{file}");
    }
}

#[test]
fn a_list_keeps_its_lines_whole() {
    let file = "Ann Lee <a@example.com>\n\"b c\"@example.com\nx, y\n\"\nd@example.com";
    let expected =
        at(&[(1, "a@example.com"), (2, "\"b c\"@example.com"), (3, "x, y"), (4, "no_address"), (5, "d@example.com")]);
    assert_eq!(lines(file), expected);
}

#[test]
fn addresses_in_one_line_are_a_row_each() {
    for file in [
        "a@example.com, b@example.com,c@example.com",
        "a@example.com;b@example.com; c@example.com;\n",
        "Ann <a@example.com>, \"Lind, Ben\" <b@example.com>, <c@example.com>,\n",
        "a@example.com,b@example.com,\r\nc@example.com\r\n",
        "\"a@example.com\";\"b@example.com\";\"c@example.com\"",
        "Ann <a@example.com>; Lind, Ben <b@example.com>; c@example.com",
    ] {
        let (mapping, rows) = read(file);
        assert_eq!(mapping.format, Format::List, "{file}");
        let emails: Vec<_> = rows.iter().map(|row| row.email.as_deref()).collect();
        assert_eq!(emails, [Ok("a@example.com"), Ok("b@example.com"), Ok("c@example.com")], "{file}");
        assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [0, 1, 2]);
        let raw: usize = rows.iter().map(|row| row.raw.len()).sum();
        assert_eq!(raw, file.trim_end().replace("\r\n", "").len(), "{file}");
    }
    let file = "a@example.com\nb@example.com,c@example.com\n";
    assert_eq!(lines(file), at(&[(1, "a@example.com"), (2, "b@example.com"), (2, "c@example.com")]));
}

#[test]
fn a_line_of_addresses_may_be_long() {
    let file: String = (0..20_000).map(|i| format!("m{i}@example.com, ")).collect();
    let (_, rows) = read(&file);
    assert_eq!(rows.len(), 20_000);
    assert_eq!((rows[19_999].line, rows[19_999].email.as_deref()), (1, Ok("m19999@example.com")));
}

#[test]
fn two_columns_of_addresses_are_not_taken_for_one() {
    let file = "a@example.com,owner@example.com\nb@example.com,owner@example.com\n";
    assert_eq!(refused(file).code(), "several_address_columns");
    let file = "a@example.com;owner@example.com\nb@example.com;\n";
    assert_eq!(lines(file), at(&[(1, "several_addresses"), (2, "b@example.com")]));
}

#[test]
fn other_signs_in_the_cells_do_not_mislead() {
    let file = "email;note\na@example.com;hello, you, there\nb@example.com;1,5|2,5|3\n";
    assert_eq!(read(file).0.format, Format::Semicolon);
    let file = "email\tdate\na@example.com\t2024-01-01, 10:00\nb@example.com\t2024-01-02, 11:00\n";
    assert_eq!(read(file).0.format, Format::Tsv);
    let file = "a@example.com\nb@example.com,left\nc@example.com\n";
    let (mapping, rows) = read(file);
    assert_eq!(mapping.format, Format::Csv);
    assert_eq!(rows[1].email.as_deref(), Ok("b@example.com"));
    assert_eq!(read("a@example.com|x,y\n").0.format, Format::Pipe);
}

#[test]
fn each_line_ending_is_read() {
    let (_, expected) = read(TABLE);
    for ending in ["\r\n", "\r", "\n\n"] {
        let (_, rows) = read(TABLE.replace('\n', ending));
        let step = if ending == "\n\n" { 2 } else { 1 };
        for (row, expected) in rows.iter().zip(&expected) {
            assert_eq!(row.email, expected.email, "{ending:?}");
            assert_eq!(row.raw, expected.raw, "{ending:?}");
            assert_eq!(row.line, (expected.line - 1) * step + 1, "{ending:?}");
        }
        assert_eq!(rows.len(), 2);
    }
}

#[test]
fn a_line_for_excel_names_the_separator() {
    for ending in ["\n", "\r\n", "\r"] {
        let file = format!("sep=;{ending}email;note{ending}a@example.com;x,y{ending}");
        let (mapping, rows) = read(&file);
        assert_eq!(mapping.format, Format::Semicolon);
        assert_eq!((rows[0].line, rows[0].email.as_deref()), (3, Ok("a@example.com")));
        assert_eq!(rows[0].note.as_deref(), Some("x,y"));
    }
}

#[test]
fn the_last_line_needs_no_ending() {
    assert_eq!(read(TABLE).1, read(TABLE.trim_end()).1);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(read(format!("\u{feff}{TABLE}")), read(TABLE));
    assert_eq!(lines("\u{feff}a@example.com"), at(&[(1, "a@example.com")]));
    assert_eq!(read("\u{feff}a@example.com\n").1[0].raw, b"a@example.com");
}

#[test]
fn quoted_line_breaks_keep_the_line_numbers_right() {
    for ending in ["\n", "\r\n", "\r"] {
        let file =
            "note,email\n\"one\ntwo \"\"and\"\" three\",a@example.com\n\n\"x\n\n\",b@example.com\nc,c@example.com";
        let (_, rows) = read(file.replace('\n', ending));
        let at: Vec<_> = rows.iter().map(|row| (row.number, row.line)).collect();
        assert_eq!(at, [(0, 2), (1, 5), (2, 8)], "{ending:?}");
        let note = "one\ntwo \"and\" three".replace('\n', ending);
        assert_eq!(rows[0].note.as_deref(), Some(&*note));
        assert_eq!(rows[2].email.as_deref(), Ok("c@example.com"));
    }
}

#[test]
fn blank_lines_are_no_rows() {
    let file = "\n  \na@example.com\n\t\n\r\nb@example.com\n   ";
    assert_eq!(lines(file), at(&[(3, "a@example.com"), (6, "b@example.com")]));
}

#[test]
fn rows_in_which_nothing_stands_are_nothing() {
    let tail = ",\n".repeat(5_000);
    let wide = ",".repeat(3_000);
    for (file, expected) in [
        (format!("email,note\na@example.com,x\n{tail}"), &[(2, "a@example.com")][..]),
        (format!("email,note\n{tail}a@example.com,x\n"), &[(5_002, "a@example.com")]),
        (",\n,\nemail,note\n,\na@example.com,x\n".to_string(), &[(5, "a@example.com")]),
        ("email,note\n\"\",\"\"\na@example.com,\"\"\n\" \", \n".to_string(), &[(3, "a@example.com")]),
        ("email;note\n ;\t\n;;;;\na@example.com;x\n\u{a0};\u{feff}\n".to_string(), &[(4, "a@example.com")]),
        ("email\tnote\n\t\n\t\t\na@example.com\t\n\t".to_string(), &[(4, "a@example.com")]),
        (
            format!("email,note\na@example.com,\n{wide}\nb@example.com,\n"),
            &[(2, "a@example.com"), (4, "b@example.com")],
        ),
        (
            "a@example.com\n,\n;\n\"\"\n , ,\nb@example.com\n\"\",\"\"".to_string(),
            &[(1, "a@example.com"), (6, "b@example.com")],
        ),
        (
            "{\"email\":\"\",\"note\":null}\n{\"email\":\"a@example.com\",\"note\":\"\"}\n\n".to_string(),
            &[(2, "a@example.com")],
        ),
        (
            "[\"a@example.com\",\"\",\n\" \",\"b@example.com\"]".to_string(),
            &[(1, "a@example.com"), (2, "b@example.com")],
        ),
        // Where anything stands, somebody is told.
        ("email,note\n,x\na@example.com,\n".to_string(), &[(2, "no_address"), (3, "a@example.com")]),
        (
            "{\"email\":null,\"n\":0}\n{\"email\":\"a@example.com\",\"n\":1}\n".to_string(),
            &[(1, "no_address"), (2, "a@example.com")],
        ),
    ] {
        assert_eq!(lines(&file), at(expected), "{file:.80}");
        let numbers: Vec<_> = read(&file).1.iter().map(|row| row.number).collect();
        assert_eq!(numbers, (0..expected.len() as u64).collect::<Vec<_>>());
    }
}

#[test]
fn rows_of_any_width_are_read() {
    let file = "email,note\na@example.com\nb@example.com,x,y,z\n,,x\n";
    assert_eq!(lines(file), at(&[(2, "a@example.com"), (3, "b@example.com"), (4, "no_address")]));
}

#[test]
fn a_file_longer_than_the_sample_is_read_to_its_end() {
    let n_rows: u64 = 50_000;
    let file: String = (0..n_rows).map(|i| format!("m{i}@example.com;\"note\n{i}\"\r\n")).collect();
    let (mapping, rows) = read(&file);
    assert_eq!(mapping.format, Format::Semicolon);
    assert_eq!(rows.len() as u64, n_rows);
    for (i, row) in (0..).zip(&rows) {
        assert_eq!((row.number, row.line), (i, 2 * i + 1));
        assert_eq!(row.email.as_deref(), Ok(&*format!("m{i}@example.com")));
        assert_eq!(row.raw, format!("m{i}@example.com;\"note\n{i}\"").as_bytes());
    }
}
