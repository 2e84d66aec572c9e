//! Excel workbooks, as the CSV that is made of their first sheet.

use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use usher_files::{ErrorFile, FileError, Format, Reader, Sheet, Wanted, sheet_as_csv};
use zip::write::SimpleFileOptions;

use crate::input::zip;

const LIMIT: u64 = 1 << 30;

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The parts of a workbook with two sheets, of which `hidden` says whether the first is hidden; the rows of both, and the
/// texts that they share.
fn parts(hidden: bool, first: &str, second: &str, texts: &str) -> Vec<(String, String)> {
    let state = if hidden { " state=\"hidden\"" } else { "" };
    let relation = |n: u32, kind: &str, target: &str| {
        format!("<Relationship Id=\"rId{n}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/>")
    };
    let of = |name: &str, text: String| (name.to_owned(), text);
    vec![
        of("[Content_Types].xml", "<Types/>".to_owned()),
        of(
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{RELATIONS}\">{}</Relationships>",
                relation(1, "officeDocument", "xl/workbook.xml")
            ),
        ),
        of(
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>\
                 <sheet name=\"People\" sheetId=\"1\"{state} r:id=\"rId1\"/><sheet name=\"Other\" sheetId=\"2\" r:id=\"rId2\"/>\
                 </sheets></workbook>"
            ),
        ),
        of(
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{RELATIONS}\">{}{}{}{}</Relationships>",
                relation(1, "worksheet", "worksheets/sheet1.xml"),
                relation(2, "worksheet", "worksheets/sheet2.xml"),
                relation(3, "styles", "styles.xml"),
                relation(4, "sharedStrings", "sharedStrings.xml"),
            ),
        ),
        of(
            "xl/styles.xml",
            format!(
                "<styleSheet xmlns=\"{MAIN}\"><numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"dd/mm/yyyy hh:mm\"/></numFmts>\
                 <cellXfs count=\"3\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>"
            ),
        ),
        of("xl/sharedStrings.xml", format!("<sst xmlns=\"{MAIN}\">{texts}</sst>")),
        of(
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{first}</sheetData></worksheet>"),
        ),
        of(
            "xl/worksheets/sheet2.xml",
            format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{second}</sheetData></worksheet>"),
        ),
    ]
}

fn pack(parts: &[(String, String)]) -> Vec<u8> {
    let parts: Vec<_> = parts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    zip(&parts)
}

fn text(at: &str, text: &str) -> String {
    format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

/// The sheet of a workbook, and the CSV that is made of it.
fn csv(file: &[u8]) -> Result<Option<(Sheet, String)>, FileError> {
    let mut out = tempfile::tempfile().unwrap();
    let made = out.try_clone().unwrap();
    let sheet = sheet_as_csv(&mut Cursor::new(file), LIMIT, || Ok(made))?;
    let mut csv = String::new();
    out.seek(SeekFrom::Start(0)).unwrap();
    out.read_to_string(&mut csv).unwrap();
    Ok(sheet.map(|sheet| (sheet, csv)))
}

#[track_caller]
fn refused(parts: &[(String, String)]) -> &'static str {
    csv(&pack(parts)).expect_err("a workbook that cannot be read").code()
}

/// Titles, an empty row, each kind of cell, and a row of nothing.
fn people() -> Vec<(String, String)> {
    let first = [
        format!("<row r=\"1\">{}<c r=\"B1\" t=\"s\"><v>0</v></c>{}{}</row>", text("A1", "Email"), text("C1", "Joined"), text("D1", "Number")),
        format!(
            "<row r=\"3\"><c r=\"A3\" t=\"s\"><v>1</v></c>{}<c r=\"C3\" s=\"1\"><v>45352</v></c><c r=\"D3\"><v>4.9170123456E10</v></c></row>",
            text("B3", "Ann, \"A\"&#10;Lind")
        ),
        "<row r=\"4\"><c r=\"A4\" t=\"str\"><f>A1</f><v>b@example.com</v></c><c r=\"C4\" s=\"2\"><v>45352.5</v></c><c r=\"D4\"><v>0.5</v></c></row>".to_owned(),
        format!("<row r=\"5\">{}<c r=\"B5\"/></row>", text("A5", " ")),
        "<row r=\"6\"><c r=\"B6\" t=\"b\"><v>1</v></c><c r=\"D6\" t=\"e\"><v>#N/A</v></c></row>".to_owned(),
    ];
    let texts = "<si><t>Name</t></si><si><r><t>a@</t></r><r><t>example.com</t></r></si>";
    parts(false, &first.concat(), &format!("<row r=\"1\">{}</row>", text("A1", "z@example.com")), texts)
}

#[test]
fn the_first_sheet_is_a_table_with_the_lines_of_excel() {
    let (sheet, text) = csv(&pack(&people())).unwrap().unwrap();
    assert_eq!(sheet, Sheet { name: "People".to_owned(), n_sheets: 2 });
    assert_eq!(
        text,
        "Email,Name,Joined,Number\n\n\
         a@example.com,\"Ann, \"\"A\"\" Lind\",2024-03-01,49170123456\n\
         b@example.com,,2024-03-01T12:00:00,0.5\n\n\
         ,true,,#N/A\n"
    );
    let wanted = Wanted { format: Some(Format::Xlsx), sheet: Some(sheet), takes_all: true, ..Wanted::default() };
    let mut reader = Reader::open_as(Cursor::new(text.as_bytes()), LIMIT, &wanted).unwrap();
    let said = reader.mapping().to_string();
    assert!(
        said.starts_with("Excel workbook, sheet \"People\" (the only one of 2 that is read), with a header: email is"),
        "{said}"
    );
    let mut errors = ErrorFile::append(Vec::new());
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row() {
        let row = row.unwrap();
        rows.push((row.line, row.email.map_or_else(|fault| fault.code().to_owned(), str::to_owned)));
        if let Err(fault) = row.email {
            errors.write(&row, fault.code(), "Mend it.").unwrap();
        }
    }
    assert_eq!(rows, crate::at(&[(3, "a@example.com"), (4, "b@example.com"), (6, "no_address")]));
    let errors = String::from_utf8(errors.finish().unwrap()).unwrap();
    assert_eq!(errors, "Email,Name,Joined,Number,line,error_code,error\n,true,,#N/A,6,no_address,Mend it.\n");
    assert_eq!(crate::lines(errors.replace("\n,true", "\nc@example.com,true")), crate::at(&[(2, "c@example.com")]));
}

/// A text that is empty has its number too, however it is written.
#[test]
fn empty_shared_texts_are_counted() {
    let shared = |at: &str, n: u32| format!("<c r=\"{at}\" t=\"s\"><v>{n}</v></c>");
    for empty in ["<si/>", "<si />", "<si></si>", "<si><t/></si>", "<si><t></t></si>", "<si><r><t/></r></si>"] {
        let texts = format!("<si><t>a@example.com</t></si>{empty}<si><t>b@example.com</t></si>");
        let row = format!("<row r=\"1\">{}{}{}</row>", shared("A1", 0), shared("B1", 1), shared("C1", 2));
        let (_, csv) = csv(&pack(&parts(false, &row, "", &texts))).unwrap().unwrap();
        assert_eq!(csv, "a@example.com,,b@example.com\n", "{empty}");
    }
}

#[test]
fn a_hidden_sheet_is_passed_over() {
    let row = |email: &str| format!("<row r=\"1\">{}</row>", text("A1", email));
    let (sheet, csv) = csv(&pack(&parts(true, &row("a@example.com"), &row("b@example.com"), ""))).unwrap().unwrap();
    assert_eq!((sheet.name.as_str(), csv.as_str()), ("Other", "b@example.com\n"));
}

#[test]
fn what_is_no_workbook_is_left_as_it_was() {
    let document = zip(&[("[Content_Types].xml", b"<xml/>"), ("word/document.xml", b"<xml/>")]);
    for file in [&b"a@example.com\n"[..], b"", b"PK\x03\x04", &zip(&[("a.csv", b"a@example.com")]), &document] {
        let mut cursor = Cursor::new(file);
        assert_eq!(sheet_as_csv(&mut cursor, LIMIT, || Ok(Vec::new())).unwrap(), None);
        assert_eq!(cursor.position(), 0);
    }
}

#[test]
fn a_workbook_that_would_take_too_much_is_refused() {
    let part = |name: &str, text: String| {
        let mut parts = people();
        parts.iter_mut().find(|part| part.0 == name).expect("a part").1 = text;
        parts
    };
    let sheet = |rows: &str| format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>");
    for (what, parts, code) in [
        (
            "many texts",
            part("xl/sharedStrings.xml", format!("<sst>{}</sst>", "<si><t>x</t></si>".repeat(2_000_000))),
            "workbook_too_large",
        ),
        (
            "a long text",
            part("xl/sharedStrings.xml", format!("<sst><si><t>{}</t></si></sst>", "x".repeat(2_000_000))),
            "workbook_too_large",
        ),
        (
            "many texts claimed",
            part("xl/sharedStrings.xml", "<sst uniqueCount=\"9999999999999\"><si><t>x</t></si></sst>".to_owned()),
            "workbook_damaged",
        ),
        (
            "a long cell",
            part("xl/worksheets/sheet1.xml", sheet(&text("A1", &"x".repeat(2_000_000)))),
            "workbook_too_large",
        ),
        (
            "a long tag",
            part("xl/worksheets/sheet1.xml", format!("<worksheet {}", "x".repeat(2_000_000))),
            "workbook_too_large",
        ),
        (
            "many styles",
            part("xl/styles.xml", format!("<styleSheet>{}</styleSheet>", "<xf/>".repeat(5_000_000))),
            "workbook_too_large",
        ),
        (
            "a row beyond the last",
            part(
                "xl/worksheets/sheet1.xml",
                sheet(&format!("<row r=\"4000000000\">{}</row>", text("A4000000000", "x"))),
            ),
            "workbook_damaged",
        ),
        (
            "rows in no order",
            part(
                "xl/worksheets/sheet1.xml",
                sheet(&format!("<row r=\"2\">{}</row><row r=\"1\">{}</row>", text("A2", "x"), text("A1", "y"))),
            ),
            "workbook_damaged",
        ),
        (
            "a text that is not there",
            part("xl/worksheets/sheet1.xml", sheet("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>77</v></c></row>")),
            "workbook_damaged",
        ),
        (
            "half a sheet",
            part("xl/worksheets/sheet1.xml", sheet("<row r=\"1\"><c")[..90].to_owned()),
            "workbook_damaged",
        ),
        (
            "no sheet",
            part("xl/workbook.xml", format!("<workbook xmlns=\"{MAIN}\"><sheets/></workbook>")),
            "workbook_damaged",
        ),
    ] {
        assert_eq!(refused(&parts), code, "{what}");
    }
    let whole = pack(&people());
    let at = whole.windows(10).position(|bytes| bytes == b"sheet1.xml").unwrap() + 40;
    let mut broken = whole;
    broken[at..at + 32].fill(0xff);
    assert!(csv(&broken).is_err());
    // A sheet of nothing but far cells is written no wider than a row may be.
    let far = sheet(
        &(1..2_000)
            .map(|row| format!("<row r=\"{row}\">{}</row>", text(&format!("XFD{row}"), "x")))
            .collect::<String>(),
    );
    let (_, wide) = csv(&pack(&part("xl/worksheets/sheet1.xml", far))).unwrap().unwrap();
    assert!(wide.len() < 2_000 * 1_100, "{}", wide.len());
    let mut bomb = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in people() {
        bomb.start_file(&name, SimpleFileOptions::default()).unwrap();
        let n = if name.ends_with("sheet1.xml") { 100 } else { 0 };
        bomb.write_all(text.as_bytes()).unwrap();
        (0..n).for_each(|_| bomb.write_all(&b"<row/>".repeat(20_000)).unwrap());
    }
    let bomb = bomb.finish().unwrap().into_inner();
    let refused =
        sheet_as_csv(&mut Cursor::new(&bomb), 10_000_000, || Ok(Vec::new())).expect_err("more than the limit");
    assert_eq!(refused.code(), "workbook_too_large");
}
