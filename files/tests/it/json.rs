//! JSON in its shapes.

use usher_files::{Format, Reason};

use crate::{at, lines, open, read, refused};

#[test]
fn each_shape_is_found() {
    let one = r#"{"email":"a@example.com","reason":"bounce","note":null}"#;
    let other = r#"{"reason":"complaint","email":"b@example.com","more":{"x":[1,"]"]}}"#;
    for (file, format, first_line) in [
        (format!("[{one},{other}]"), Format::Json, 1),
        (format!("[\n  {one},\n  {other}\n]\n"), Format::Json, 2),
        (format!("{{\"total\":2,\"items\":[{one},{other}],\"next\":null}}"), Format::Json, 1),
        (format!("{one}\n{other}\n"), Format::JsonLines, 1),
        (format!("{one}\r\n\r\n{other}"), Format::JsonLines, 1),
        (format!("{one}\n{other}\n").replace(",\"", ",\n\""), Format::JsonLines, 1),
        (format!("\u{feff}[{one},{other}]"), Format::Json, 1),
    ] {
        let (mapping, rows) = read(&file);
        assert_eq!((mapping.format, mapping.has_header), (format, true), "{file}");
        let emails: Vec<_> = rows.iter().map(|row| row.email.as_deref()).collect();
        assert_eq!(emails, [Ok("a@example.com"), Ok("b@example.com")], "{file}");
        assert_eq!(rows[1].reason, Some(Reason::Complaint), "{file}");
        assert_eq!((rows[0].line, rows[0].note.as_deref()), (first_line, None), "{file}");
    }
}

#[test]
fn texts_alone_are_addresses() {
    let (mapping, rows) = read("[\"a@example.com\",\n \"Ben <b@example.com>\", 3, null]");
    assert_eq!((mapping.format, mapping.has_header), (Format::Json, false));
    let emails: Vec<_> = rows.iter().map(|row| (row.line, row.email.clone())).collect();
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(emails, [(1, ok("a@example.com")), (2, ok("b@example.com")), (2, ok("3")), (2, Err("no_address"))]);
}

#[test]
fn a_bad_element_costs_itself() {
    let file = "{\"email\":\"a@example.com\"}\n{\"email\":\n{\"email\":\"b@example.com\"}\nx\n";
    assert_eq!(lines(file), at(&[(1, "a@example.com"), (2, "not_json"), (3, "b@example.com"), (4, "not_json")]));
    let file = "[{\"email\":\"a@example.com\"},\n{\"email\" \"b@example.com\"},\n{\"email\":\"c@example.com\"}]";
    assert_eq!(lines(file), at(&[(1, "a@example.com"), (2, "not_json"), (3, "c@example.com")]));
    assert_eq!(lines("[{\"email\":\"a\\u0000@example.com\"}]"), at(&[(1, "nul_byte")]));
}

#[test]
fn a_long_element_is_passed_over() {
    let long = "x".repeat(1_000_000);
    for (open, close) in [("[", "]"), ("", "")] {
        let file = format!(
            "{open}{{\"email\":\"a@example.com\"}}\n{{\"email\":\"b@example.com\",\"note\":\"{long}\"}}\n{{\"email\":\"c@example.com\"}}{close}"
        );
        assert_eq!(lines(&file), at(&[(1, "a@example.com"), (2, "row_too_long"), (3, "c@example.com")]));
        assert_eq!(read(&file).1[1].raw.len(), 1024);
    }
}

#[test]
fn json_without_addresses_says_what_it_saw() {
    let error = refused("[{\"name\":\"Ann\",\"city\":\"Ulm\"}]");
    assert!(error.to_string().ends_with("Seen: \"name\", \"city\"."), "{error}");
    assert_eq!(refused("{}").code(), "no_address_column");
}

/// Address or code of every row, and then of the error that ends the file.
fn rows_and_error(file: &str) -> Vec<String> {
    let mut reader = open(file.as_bytes()).unwrap();
    let mut found = Vec::new();
    while let Some(row) = reader.next_row() {
        found.push(match row {
            Ok(row) => row.email.map_or_else(|fault| fault.code().to_owned(), str::to_owned),
            Err(error) => error.to_string(),
        });
    }
    found
}

#[test]
fn json_that_was_cut_short_says_where() {
    let cut_short = "The JSON ends in line 2 before its brackets are closed: the file was cut short. Export it again.";
    for (file, expected) in [
        ("[{\"email\":\"a@example.com\"},\n{\"email\":\"b@exam", &["a@example.com", "not_json", cut_short][..]),
        ("[{\"email\":\"a@example.com\"},\n", &["a@example.com", cut_short]),
        ("{\"items\":[{\"email\":\"a@example.com\"}]\n", &["a@example.com", cut_short]),
        ("{\"email\":\"a@example.com\"}\n{\"email\":\"b@exam", &["a@example.com", "not_json"]),
    ] {
        assert_eq!(rows_and_error(file), expected, "{file}");
    }
}

#[test]
fn pages_saved_one_after_the_other_are_one_file() {
    let page = |email: &str| format!("{{\"items\":[{{\"address\":\"{email}\"}}],\"paging\":{{\"next\":\"[x]\"}}}}");
    let (one, two) = (page("a@example.com"), page("b@example.com"));
    let empty = "{\"ids\":[1],\"items\":[],\"paging\":{}}";
    for file in [
        format!("{one}{two}"),
        format!("{one}\n{empty}\n{two}\n{empty}"),
        "[\"a@example.com\"]\n[\"b@example.com\"]".to_owned(),
    ] {
        assert_eq!(rows_and_error(&file), ["a@example.com", "b@example.com"], "{file}");
    }
    assert_eq!(rows_and_error("[\"a@example.com\"] x"), ["a@example.com", "not_json"]);
}

#[test]
fn a_forgotten_bracket_costs_its_element() {
    let file = "[\n  {\n    \"email\": \"a@example.com\",\n    \"tags\": {\"x\": 1\n  },\n  {\n    \"email\": \"b@example.com\"\n  }\n]";
    assert_eq!(lines(file), at(&[(2, "not_json"), (6, "b@example.com")]));
    let many = file.replace("\n]", &",\n  {\"email\": \"c@example.com\"}".repeat(5_000)) + "\n]";
    let rows = lines(&many);
    assert_eq!(rows[..2], at(&[(2, "not_json"), (6, "b@example.com")]));
    assert_eq!(rows.len(), 5_002);
}

#[test]
fn a_piece_of_a_broken_object_is_no_address() {
    let file = "[{\"email\":\"a@example.com\",\"owner\":\n\"o@example.com\"},\n{\"email\":\"b@example.com,\n\"owner\":\"o@example.com\"}]";
    let rows = lines(file);
    assert_eq!(rows[..2], at(&[(1, "a@example.com"), (3, "not_json")]));
    assert!(rows[2..].iter().all(|(_, said)| said == "not_json"), "{rows:?}");
}

#[test]
fn many_empty_pages_are_passed_over() {
    let file = format!("[\"a@example.com\"]{}[\"b@example.com\"]", "[]".repeat(200_000));
    assert_eq!(rows_and_error(&file), ["a@example.com", "b@example.com"]);
    let file = format!("{{\"items\":[\"a@example.com\"]}}{} x", "{\"items\":[ ]}".repeat(50_000));
    assert_eq!(rows_and_error(&file), ["a@example.com", "not_json"]);
}

#[test]
fn an_odd_element_is_read_as_windows_1252_but_for_its_address() {
    let file = b"[{\"email\":\"a@example.com\",\"note\":\"Zo\xc3\xab \xc3\xab \xc3\xab \xc3\xab\"},\n{\"email\":\"Jos\xe9 <b@example.com>\",\"note\":\"caf\xe9\"},\n{\"email\":\"c\xe9@example.com\"}]";
    let (_, rows) = read(file);
    assert_eq!(rows[1].note.as_deref(), Some("café"));
    assert_eq!(lines(file), at(&[(1, "a@example.com"), (2, "b@example.com"), (3, "not_utf8")]));
}
