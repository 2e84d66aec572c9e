//! Headers, and which column holds what.

use usher_files::{Field, FileError};

use crate::{at, lines, open, read, refused};

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
    assert_eq!(row.reason, Some("bounce"));
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
        "table separated by semicolons, with a header: email is column 2 \"E-Mail\", reason is column 3 \"Reason\""
    );
    let (mapping, _) = read("a@example.com\n");
    assert_eq!(mapping.to_string(), "list with one value a line, without a header: email is column 1");
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
