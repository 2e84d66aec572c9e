//! JSON in its shapes.

use usher_files::{Format, Reason};

use crate::{at, lines, read, refused};

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
    let unfinished = "[{\"email\":\"a@example.com\"},\n{\"email\":\"b@exam";
    assert_eq!(lines(unfinished), at(&[(1, "a@example.com"), (2, "not_json")]));
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
