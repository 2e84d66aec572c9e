//! Tables that are no block lists: their reader names the columns.

use std::io::Cursor;

use proptest::prelude::*;
use usher_files::{Field, OwnColumn, Reader, TableFile, Wanted};

const OWN: &[OwnColumn] = &[
    OwnColumn { code: "name", names: &["name", "full name"] },
    OwnColumn { code: "tags", names: &["tags", "labels"] },
];

/// Each row's address or fault, name and tags.
fn read(file: &str, wanted: &[(Field, &str)]) -> Vec<(String, Option<String>, Option<String>)> {
    let columns = wanted.iter().map(|(field, name)| (*field, (*name).to_owned())).collect();
    let wanted = Wanted { columns, own: OWN, ..Wanted::default() };
    let mut reader = Reader::open_as(Cursor::new(file), 1 << 20, &wanted).unwrap();
    let at = |code| reader.mapping().index_of(Field::Own(code));
    let (name, tags) = (at("name"), at("tags"));
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row() {
        let row = row.unwrap();
        let value = |column: Option<usize>| column.and_then(|column| row.value(column)).map(str::to_owned);
        let email = row.email.map_or_else(|fault| fault.code().to_owned(), str::to_owned);
        rows.push((email, value(name), value(tags)));
    }
    rows
}

fn row(email: &str, name: Option<&str>, tags: Option<&str>) -> (String, Option<String>, Option<String>) {
    (email.into(), name.map(Into::into), tags.map(Into::into))
}

#[test]
fn columns_are_found_by_the_names_that_the_reader_knows() {
    let file = "E-Mail,Status,Full_Name,Labels,Bounce Type\n\
                a@example.com,active,'=Anna,\"x, y\",hard\nb@example.com,unsubscribed,,,\n,x,Ben,,\n";
    let expected = [
        row("a@example.com", Some("=Anna"), Some("x, y")),
        row("b@example.com", None, None),
        row("no_address", None, None),
    ];
    assert_eq!(read(file, &[]), expected);
}

#[test]
fn json_is_taken_as_it_is_and_what_is_wanted_counts_more() {
    let file = "{\"mail\":\"a@example.com\",\"name\":\"'=Anna\",\"title\":\"Dr.\",\"labels\":[\"x\",\"y\"]}\n\
                {\"mail\":\"b@example.com\",\"name\":null}\n";
    let tags = Some("[\"x\",\"y\"]");
    assert_eq!(read(file, &[]), [row("a@example.com", Some("'=Anna"), tags), row("b@example.com", None, None)]);
    assert_eq!(read(file, &[(Field::Own("name"), "Title")])[0], row("a@example.com", Some("Dr."), tags));
}

#[test]
fn how_it_is_understood_names_the_columns() {
    let wanted = Wanted { own: OWN, ..Wanted::default() };
    let reader = Reader::open_as(Cursor::new("labels,email\nx,a@example.com\n"), 1 << 20, &wanted).unwrap();
    let said = reader.mapping().to_string();
    assert!(said.ends_with("email is column 2 \"email\", tags is column 1 \"labels\""), "{said}");
}

proptest! {
    #[test]
    fn a_table_is_read_back(cells in prop::collection::vec(("['=+@a -]{0,6}", "[',;\"\na|-]{0,6}"), 1..8)) {
        let mut file = TableFile::begin(Vec::new(), &["email", "name", "tags"]).unwrap();
        for (n, (name, tags)) in cells.iter().enumerate() {
            file.write([format!("{n}@example.com").as_str(), name.trim(), tags.trim()]).unwrap();
        }
        let text = String::from_utf8(file.finish().unwrap()).unwrap();
        let kept = |cell: &String| Some(cell.trim().to_owned()).filter(|cell| !cell.is_empty());
        let expected: Vec<_> = cells
            .iter()
            .enumerate()
            .map(|(n, (name, tags))| (format!("{n}@example.com"), kept(name), kept(tags)))
            .collect();
        prop_assert_eq!(read(&text, &[]), expected);
    }
}
