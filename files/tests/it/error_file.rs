//! The error file, and that it can be sent in again.

use usher_files::ErrorFile;

use crate::{Read, open, read};

/// The error file of all rows, whatever is wrong with them, and the rows themselves.
fn refuse_all(file: &[u8]) -> (Vec<u8>, Vec<Read>) {
    let mut reader = open(file).expect("a file that can be read");
    let mut errors = ErrorFile::begin(Vec::new(), reader.mapping()).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row() {
        let row = row.unwrap();
        match row.email {
            Ok(_) => errors.write(&row, "invalid_email", "This is no address.").unwrap(),
            Err(fault) => errors.write(&row, fault.code(), fault.text()).unwrap(),
        }
        rows.push(Read::of(&row));
    }
    (errors.finish().unwrap(), rows)
}

#[test]
fn it_holds_the_rows_as_they_came() {
    let file = "Nr;E-Mail;Note\n1;nobody;\"x, \"\"y\"\"\"\n\n2;;\n3\n4;b@;x;more;\n";
    let (errors, _) = refuse_all(file.as_bytes());
    let expected = "\
Nr,E-Mail,Note,line,error_code,error
1,nobody,\"x, \"\"y\"\"\",2,invalid_email,This is no address.
2,,,4,no_address,There is no address in this row.
3,,,5,no_address,There is no address in this row.
4,b@,x,6,invalid_email,This is no address.,more,
";
    assert_eq!(String::from_utf8(errors).unwrap(), expected);
}

#[test]
fn it_is_imported_again_after_mending() {
    let file = "Wer;Note\na@example.com;x\nnobody;y\nb@example;z\n";
    let (errors, _) = refuse_all(file.as_bytes());
    let mended = String::from_utf8(errors).unwrap().replace("nobody", "c@example.com");
    let (mapping, rows) = read(&mended);
    assert_eq!(mapping.error_columns_at, Some(2));
    assert_eq!(mapping.columns.len(), 2);
    assert_eq!(rows[1].email.as_deref(), Ok("c@example.com"));
    assert_eq!(rows[1].note.as_deref(), Some("y"));
}

#[test]
fn it_is_read_even_when_no_row_has_an_address() {
    for file in ["a@example.com\nnobody\n", "Wer,Was\nx@y.example,1\nnobody,see z@example.com\n"] {
        let (errors, _) = refuse_all(file.as_bytes());
        let text = String::from_utf8(errors).unwrap();
        let rows: Vec<_> = text.lines().filter(|line| !line.contains("x@y")).collect();
        let (_, rows) = read(rows.join("\n"));
        assert_eq!(rows.last().unwrap().email.as_deref(), Ok("nobody"), "{text}");
    }
}

#[test]
fn its_columns_are_not_doubled() {
    let (once, _) = refuse_all(b"email,note\nnobody,x,more\n\"=1\",y\n");
    let (twice, _) = refuse_all(&once);
    assert_eq!(String::from_utf8(once).unwrap(), String::from_utf8(twice).unwrap());
}

#[test]
fn formulas_are_harmless_in_it_and_read_back() {
    let file = "email,note\n+news@example.com,=1+1\n'-x@example.com,@me\n=a@example.com,\"\tx\"\n";
    let (errors, rows) = refuse_all(file.as_bytes());
    for line in String::from_utf8(errors.clone()).unwrap().lines().skip(1) {
        for cell in line.split(',').take(2) {
            let first = cell.trim_matches('"').chars().next();
            assert!(!matches!(first, Some('=' | '+' | '-' | '@' | '\t')), "{line:?}");
        }
    }
    let (_, again) = read(&errors);
    let values = |rows: &[Read]| -> Vec<_> { rows.iter().map(|row| (row.email.clone(), row.note.clone())).collect() };
    assert_eq!(values(&again), values(&rows));
    assert_eq!(again[0].email.as_deref(), Ok("+news@example.com"));
    assert_eq!(again[1].email.as_deref(), Ok("-x@example.com"));
}

#[test]
fn it_is_utf8_whatever_the_file_was() {
    let text = "email,note\nnobody,café\n";
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for file in [text.as_bytes(), &latin, &utf16] {
        let (errors, _) = refuse_all(file);
        assert!(String::from_utf8(errors).unwrap().contains("nobody,café,2,"));
    }
    // Bytes of no encoding at all.
    let (errors, _) = refuse_all(b"email,note\n\xc3\xa4@example.com,\xc3\xb6\nb\xc3@example.com,x\xe9\n");
    assert!(String::from_utf8(errors.clone()).unwrap().contains("b\u{fffd}@example.com,xé,3,not_utf8,"));
    // Nothing was mended, so it is wrong still.
    assert_eq!(read(&errors).1[1].email, Err("not_utf8"));
}

#[test]
fn a_row_that_is_too_long_is_shown_by_its_beginning() {
    let file = format!("email,note\na@example.com,x\nb@example.com,{}\n", "é".repeat(100_000));
    let (errors, _) = refuse_all(file.as_bytes());
    let text = String::from_utf8(errors).unwrap();
    assert!(text.lines().last().unwrap().starts_with("b@example.com,,3,row_too_long,"));
}

#[test]
fn it_can_be_gone_on_with() {
    let mut reader = open(b"email\nnobody\nnoone\n").unwrap();
    let mut errors = ErrorFile::begin(Vec::new(), reader.mapping()).unwrap();
    errors.write(&reader.next_row().unwrap().unwrap(), "a", "A").unwrap();
    let mut errors = ErrorFile::resume(errors.finish().unwrap(), reader.mapping());
    errors.write(&reader.next_row().unwrap().unwrap(), "b", "B").unwrap();
    let text = String::from_utf8(errors.finish().unwrap()).unwrap();
    assert_eq!(text, "email,line,error_code,error\nnobody,2,a,A\nnoone,3,b,B\n");
}
