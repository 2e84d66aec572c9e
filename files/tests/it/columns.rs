//! Headers, and which column holds what.

use std::io::Cursor;

use usher_files::{Field, FileError, Format, Reader, Reason, Wanted};

use crate::{Read, at, lines, open, read, refused};

fn email_column(file: &str) -> (bool, usize) {
    let reader = open(file.as_bytes()).expect("a file that can be read");
    let mapping = reader.mapping();
    (mapping.has_header, mapping.index_of(Field::Email).expect("a column of addresses"))
}

#[test]
fn the_address_column_is_found_by_its_name() {
    for name in ["email", "E-mail", "EMAIL_ADDRESS", "\"Email Address\"", "recipient", "Address"] {
        let file = format!("id,{name},note\n1,a@example.com,wrote to x@example.com and y@example.com\n");
        assert_eq!(email_column(&file), (true, 1), "{name}");
    }
}

#[test]
fn the_address_column_is_found_by_its_values() {
    assert_eq!(email_column("Nr;Wer;Wo\n1;a@example.com;Ulm\n2;b@example.com;Bonn\n"), (true, 1));
    assert_eq!(email_column("1,a@example.com,x@y\n2,b@example.com,\n"), (false, 1));
    assert_eq!(email_column("Address,Write to\n1 Elm Street,a@example.com\n"), (true, 1));
}

#[test]
fn a_certain_name_wins_over_values() {
    assert_eq!(email_column("note,email\nsee x@example.com,nobody\n"), (true, 1));
    assert_eq!(email_column("email,e-mail address\n,a@example.com\n"), (true, 1));
}

#[test]
fn a_first_row_with_an_address_is_no_header() {
    assert_eq!(email_column("a@example.com,email\nb@example.com,email\n"), (false, 0));
    assert_eq!(lines("a@example.com"), at(&[(1, "a@example.com")]));
}

#[test]
fn a_header_alone_is_a_file_without_rows() {
    let (mapping, rows) = read("Email,Reason\n");
    assert!(mapping.has_header);
    assert_eq!(rows, []);
}

#[test]
fn the_other_columns_are_found_by_their_names() {
    let file = "Created At,Source,Reason,Note,Email,Code\n2024-01-02,web,bounce,hi,a@example.com,5.1.1\n";
    let mut reader = open(file.as_bytes()).unwrap();
    let row = reader.next_row().unwrap().unwrap();
    assert_eq!(row.email, Ok("a@example.com"));
    assert_eq!(row.first_seen, Some("2024-01-02"));
    assert_eq!(row.source, Some("web"));
    assert_eq!(row.reason, Some(Reason::HardBounce));
    assert_eq!(row.note, Some("hi"));
    assert_eq!(row.vendor_code, Some("5.1.1"));
}

#[test]
fn values_are_trimmed_and_empty_ones_are_none() {
    let (_, rows) = read("email,reason,note\n  a@example.com\u{a0}, ,\" x \"\n");
    assert_eq!(rows[0].email.as_deref(), Ok("a@example.com"));
    assert_eq!(rows[0].reason, None);
    assert_eq!(rows[0].note.as_deref(), Some("x"));
}

#[test]
fn a_mapping_is_printed_as_a_sentence() {
    let (mapping, _) = read("Nr;E-Mail;Reason\n1;a@example.com;x\n");
    assert_eq!(
        mapping.to_string(),
        "table separated by semicolons in UTF-8, with a header: email is column 2 \"E-Mail\", reason is column 3 \"Reason\""
    );
    let (mapping, _) = read("a@example.com\n");
    assert_eq!(mapping.to_string(), "list with one value a line in UTF-8, without a header: email is column 1");
}

#[test]
fn a_table_without_addresses_says_what_it_saw() {
    let error = refused("Name,City\nAnn,Ulm\nBea,Bonn\n");
    assert!(matches!(&error, FileError::NoAddressColumn { columns } if columns == &["Name", "City"]));
    assert_eq!(
        error.to_string(),
        "No column of addresses was found. Name one of the columns \"email\". Seen: \"Name\", \"City\"."
    );
}

#[test]
fn what_is_wanted_overrules_what_would_be_found() {
    let file = "email,other,why\nx@example.com,a@example.com,moved\n";
    let wanted = |columns: &[(Field, &str)]| Wanted {
        columns: columns.iter().map(|(field, column)| (*field, (*column).to_owned())).collect(),
        takes_all: true,
        ..Wanted::default()
    };
    let open = |wanted: &Wanted| Reader::open_as(Cursor::new(file), 1000, wanted);
    for column in ["other", "OTHER", "2"] {
        let mut reader = open(&wanted(&[(Field::Email, column), (Field::Note, "why")])).unwrap();
        let row = reader.next_row().unwrap().unwrap();
        assert_eq!((row.email, row.note), (Ok("a@example.com"), Some("moved")));
    }
    for column in ["where", "0", "4"] {
        let error = open(&wanted(&[(Field::Email, column)])).err().unwrap();
        let expected = format!("There is no column \"{column}\". The file has: \"email\", \"other\", \"why\".");
        assert_eq!((error.code(), error.to_string()), ("no_such_column", expected));
    }
    let wanted = Wanted { format: Some(Format::List), has_header: Some(false), ..Wanted::default() };
    let mut reader = open(&wanted).unwrap();
    assert_eq!(reader.next_row().unwrap().unwrap().line, 1);
    assert_eq!(reader.mapping().format, Format::List);
}

#[test]
fn what_no_name_explains_becomes_the_note() {
    let (mapping, rows) = read("Wer;Wo;Wann\na@example.com;Ulm;\nb@example.com;Bonn;gestern\n");
    assert!(mapping.rest_is_note);
    assert_eq!(rows[0].note.as_deref(), Some("Wo: Ulm"));
    assert_eq!(rows[1].note.as_deref(), Some("Wo: Bonn; Wann: gestern"));
    assert_eq!(read("a@example.com,Ulm,\n").1[0].note.as_deref(), Some("Ulm"));
    // A known name means that the others are not meant for us.
    assert_eq!(read("email,phone\na@example.com,123\n").1[0].note, None);
}

#[test]
fn a_column_of_reasons_needs_no_name() {
    let (_, rows) = read("a@example.com,BOUNCE\nb@example.com, COMPLAINT\n");
    assert_eq!((rows[0].reason, rows[1].reason), (Some(Reason::HardBounce), Some(Reason::Complaint)));
}

#[test]
fn the_reason_is_in_the_column_that_says_it() {
    let file = "email,reason,status\na@example.com,550 unknown,Bounced\nb@example.com,,Active\n";
    let (_, rows) = read(file);
    assert_eq!(rows[0].reason, Some(Reason::HardBounce));
    assert_eq!(rows[1].email, Err("sendable"));
}

#[test]
fn a_column_of_yes_and_no_says_who_may_get_mail() {
    for (name, yes, no) in [
        ("unsubscribed", Ok(Some(Reason::Unsubscribe)), Err("sendable")),
        ("Opt-Out", Ok(Some(Reason::Unsubscribe)), Err("sendable")),
        ("BLOCKLISTED", Ok(Some(Reason::Manual)), Err("sendable")),
        ("subscribed", Err("sendable"), Ok(Some(Reason::Unsubscribe))),
        ("Accepts Email Marketing", Err("sendable"), Ok(Some(Reason::Unsubscribe))),
    ] {
        let said = |row: &Read| row.email.as_ref().map(|_| row.reason).map_err(|code| *code);
        for (true_, false_) in [("yes", "no"), ("TRUE", "FALSE"), ("1", "0")] {
            let (_, rows) =
                read(format!("email,{name}\na@example.com,{true_}\nb@example.com,{false_}\nc@example.com,\n"));
            assert_eq!(rows.iter().map(said).collect::<Vec<_>>(), [yes, no, Err("sendable")], "{name}");
        }
    }
    let (mapping, _) = read("email,unsubscribed\na@example.com,no\n");
    assert!(
        mapping.to_string().ends_with("email is column 1 \"email\", column 2 \"unsubscribed\" says who gets no mail")
    );
}

#[test]
fn of_several_columns_of_yes_and_no_the_one_against_mail_counts() {
    let (_, rows) = read("email,status,opt in,blocklisted\na@example.com,active,yes,yes\nb@example.com,,yes,no\n");
    assert_eq!((rows[0].reason, rows[1].email.as_deref()), (Some(Reason::Manual), Err(&"sendable")));
}

#[test]
fn dates_and_numbers_are_no_yes_or_no() {
    for file in ["email,subscribed\na@example.com,2024-01-02\n", "email,bounces\na@example.com,0\n"] {
        assert_eq!(Reader::open(Cursor::new(file), 1000).err().unwrap().code(), "reason_needed", "{file}");
    }
}

#[test]
fn consent_is_read_as_the_reason() {
    let file = "Email,Email Marketing Consent\na@example.com,SUBSCRIBED\nb@example.com,UNSUBSCRIBED\nc@example.com,NEVER_SUBSCRIBED\n";
    let (_, rows) = read(file);
    assert_eq!((rows[0].email.as_deref(), rows[2].email.as_deref()), (Err(&"sendable"), Err(&"sendable")));
    assert_eq!(rows[1].reason, Some(Reason::Unsubscribe));
}

#[test]
fn a_reason_in_other_words_is_kept_beside_a_code() {
    let file = "email,reason,code\na@example.com,550 user unknown,5.1.1\nb@example.com,moved,\n";
    let mut reader = open(file.as_bytes()).unwrap();
    let row = reader.next_row().unwrap().unwrap();
    assert_eq!((row.vendor_code, row.note), (Some("5.1.1"), Some("550 user unknown")));
    let row = reader.next_row().unwrap().unwrap();
    assert_eq!((row.vendor_code, row.note), (Some("moved"), None));
}

#[test]
fn a_format_that_is_not_the_files_is_an_error() {
    let wanted = Wanted { format: Some(Format::Json), ..Wanted::default() };
    let error = Reader::open_as(Cursor::new("a@example.com\n"), 1000, &wanted).err().unwrap();
    assert_eq!(error.code(), "file_not_json");
}
