//! Files that are compressed, damaged, large, or several in one.

use std::io::{Cursor, Write as _};

use serde_json::json;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{counts, entry, errors, import, preview};
use crate::{
    harness::{Backend, World},
    uploads::upload,
};

pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// What Mailchimp sends when somebody exports an audience.
fn mailchimp() -> Vec<u8> {
    let header = "Email Address,First Name,MEMBER_RATING";
    zip(&[
        ("subscribed_email_audience_export_4f.csv", format!("{header}\nin@example.com,Ann,4\n").as_bytes()),
        ("nonsubscribed_email_audience_export_4f.csv", format!("{header}\nnon@example.com,Flo,2\n").as_bytes()),
        ("unsubscribed_email_audience_export_4f.csv", format!("{header}\nout@example.com,Bea,1\n,,\n").as_bytes()),
        ("cleaned_email_audience_export_4f.csv", format!("{header}\nnobody,Cy,1\ngone@example.com,Dan,1\n").as_bytes()),
        ("__MACOSX/._cleaned_email_audience_export_4f.csv", b"\0\x05\x16\x07"),
        (".DS_Store", b"\0\0\0\x01Bud1"),
    ])
}

both!(each_file_of_an_archive_is_understood_by_its_name_and_header, async |world| {
    world.without_budgets().await;
    let seen = preview(world, json!({ "upload": upload(world, mailchimp()).await["id"] })).await;
    let counted = json!({ "total": 5, "exact": true, "added": 2, "skipped": 2, "invalid": 1 });
    for (name, n) in counted.as_object().unwrap() {
        assert_eq!(&seen["counts"][name], n, "{name}: {seen}");
    }
    let summary = seen["summary"].as_str().unwrap();
    assert_eq!(summary.lines().count(), 4, "{summary}");
    assert!(summary.contains("cleaned_email_audience_export_4f.csv: table separated by commas"), "{summary}");
    assert!(summary.ends_with("; by its name: hard_bounce"), "{summary}");
    assert_eq!(seen["rows"][2]["file"], "unsubscribed_email_audience_export_4f.csv");

    let job = import(world, mailchimp(), "manual").await;
    assert_eq!(counts(&job), [5, 5, 2, 0, 0, 2, 0, 1]);
    assert_eq!(entry(world, "out@").await["reason"], "unsubscribe");
    assert_eq!(entry(world, "gone@").await["reason"], "hard_bounce");
    for email in ["in@", "non@"] {
        assert_eq!(world.ok("blocklist.list", json!({ "text": email })).await["items"], json!([]), "{email}");
    }
    let bad = errors(world, &world.key, &job).await.text;
    let lines: Vec<_> = bad.lines().collect();
    assert_eq!(lines[0], "Email Address,First Name,MEMBER_RATING,reason,line,error_code,error");
    let named = "nobody,Cy,1,hard_bounce,cleaned_email_audience_export_4f.csv:2,invalid_address,";
    assert!(lines[1].starts_with(named) && lines.len() == 2, "{bad}");
    let job = import(world, bad.replace("nobody", "cy@example.com"), "manual").await;
    assert_eq!(counts(&job), [1, 1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(entry(world, "cy@").await["reason"], "hard_bounce");
});

both!(what_is_damaged_changes_nothing, async |world| {
    world.without_budgets().await;
    world.leaves_traces = true;
    let text: String = (0..20_000).map(|n| format!("r{n:05}@rows.example\n")).collect();
    let (packed, archive) = (gzip(text.as_bytes()), zip(&[("a.csv", b"a@rows.example"), ("b.csv", text.as_bytes())]));
    let mut broken = archive.clone();
    let at = broken.len() / 2;
    broken[at..at + 64].fill(0xff);
    let json = format!("[{}", text.lines().map(|email| format!("{{\"email\":\"{email}\"}},\n")).collect::<String>());
    for (file, code) in [
        (packed[..packed.len() / 2].to_vec(), "file_damaged"),
        (packed[..packed.len() - 1].to_vec(), "file_damaged"),
        (archive[..archive.len() / 2].to_vec(), "file_damaged"),
        (broken, "file_damaged"),
        (json.into_bytes(), "file_cut_short"),
    ] {
        let seen = preview(world, json!({ "upload": upload(world, file.clone()).await["id"] })).await;
        assert_eq!(seen["problem"]["code"], code, "{seen}");
        let job = import(world, file, "manual").await;
        assert_eq!((&job["status"], &job["error"]["code"]), (&json!("failed"), &json!(code)), "{job}");
        assert_eq!(job["progress"]["done"], 0, "{job}");
    }
    assert_eq!(world.rows("SELECT email FROM block").await, Vec::<String>::new());
});

both!(what_fails_later_says_what_was_done_and_what_takes_it_back, async |world| {
    world.without_budgets().await;
    world.leaves_traces = true;
    // A bracket in the middle is never closed, and the end looks as it should.
    let rows = "{\"email\":\"a@example.com\"},\n{\"email\":\"b@example.com\"},\n{\"email\":\"nobody\"},\n";
    let job = import(world, format!("[{rows}  {{\"email\":\"c@example.com\",\"tags\":[1,2}}\n]\n"), "manual").await;
    assert_eq!((&job["status"], &job["error"]["code"]), (&json!("failed"), &json!("file_cut_short")), "{job}");
    let (said, id) = (job["error"]["message"].as_str().unwrap(), job["id"].as_str().unwrap());
    let says = format!("2 rows were applied before that. `blocklist.undoImport` with job {id} takes them back.");
    assert!(said.ends_with(&says), "{said}");
    assert_eq!(job["progress"]["added"], 2);
    let undo = world.ok("blocklist.undoImport", json!({ "job": id })).await;
    assert_eq!(world.job(&undo["job"]["id"]).await["status"], "succeeded");
    assert_eq!(world.ok("blocklist.list", json!({})).await["items"], json!([]));
});

/// An Excel workbook with one sheet: its rows, by their numbers.
pub fn workbook(rows: &[(usize, &[&str])]) -> Vec<u8> {
    let row = |(number, cells): &(usize, &[&str])| {
        let cells = cells.iter().map(|cell| format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>"));
        format!("<row r=\"{number}\">{}</row>", cells.collect::<String>())
    };
    let rows: String = rows.iter().map(row).collect();
    let main = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relations = |kind: &str, target: &str| {
        let namespace = "http://schemas.openxmlformats.org/package/2006/relationships";
        let relation = format!("<Relationship Id=\"rId1\" Type=\"{office}/{kind}\" Target=\"{target}\"/>");
        format!("<Relationships xmlns=\"{namespace}\">{relation}</Relationships>")
    };
    let book = format!(
        "<workbook {main} xmlns:r=\"{office}\"><sheets><sheet name=\"People\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", relations("officeDocument", "xl/workbook.xml").as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations("worksheet", "worksheets/sheet1.xml").as_bytes()),
        ("xl/worksheets/sheet1.xml", format!("<worksheet {main}><sheetData>{rows}</sheetData></worksheet>").as_bytes()),
    ])
}

both!(a_workbook_is_imported_and_its_bad_rows_can_be_mended, async |world| {
    world.without_budgets().await;
    world.leaves_traces = true;
    let file = workbook(&[
        (1, &["Email", "Reason", "Note"]),
        (2, &["anna@example.com", "unsubscribed", "one, \"two\""]),
        (3, &["", " ", ""]),
        (7, &["nobody", "bounced", ""]),
        (9, &["ben@example.com", "spam", ""]),
        (1_000, &[""]),
    ]);
    let id = upload(world, file.clone()).await["id"].clone();
    let seen = preview(world, json!({ "upload": id })).await;
    assert_eq!((&seen["format"], &seen["counts"]["total"]), (&json!("xlsx"), &json!(3)), "{seen}");
    assert!(seen["summary"].as_str().unwrap().starts_with("Excel workbook, sheet \"People\""), "{seen}");
    assert_eq!((&seen["rows"][1]["line"], &seen["rows"][1]["verdict"]), (&json!(7), &json!("invalid")));
    let job = import(world, file, "manual").await;
    assert_eq!(counts(&job), [3, 3, 2, 0, 0, 0, 0, 1]);
    assert_eq!(entry(world, "anna@").await["note"], "one, \"two\"");
    assert_eq!(entry(world, "ben@").await["reason"], "complaint");
    let bad = errors(world, &world.key, &job).await.text;
    assert!(bad.starts_with("Email,Reason,Note,line,error_code,error\nnobody,bounced,,7,invalid_address,"), "{bad}");
    assert_eq!(
        counts(&import(world, bad.replace("nobody", "cat@example.com"), "manual").await),
        [1, 1, 1, 0, 0, 0, 0, 0]
    );
    assert_eq!(entry(world, "cat@").await["reason"], "hard_bounce");

    let bomb = format!("<worksheet><sheetData>{}", "x".repeat(3 << 20));
    let bomb = zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", b"<workbook/>"),
        ("xl/worksheets/sheet1.xml", bomb.as_bytes()),
    ]);
    let plain = upload(world, "dan@example.com\n").await["id"].clone();
    let said = json!({ "upload": plain, "mapping": { "format": "xlsx" } });
    assert_eq!(preview(world, said).await["problem"]["code"], "file_not_xlsx");
    let job = import(world, bomb, "manual").await;
    assert_eq!((&job["status"], &job["error"]["code"]), (&json!("failed"), &json!("workbook_too_large")), "{job}");
});

both!(a_code_page_is_recognised_or_named, async |world| {
    world.without_budgets().await;
    let rows =
        "email,note\na@example.com,Łukasz Wójcik\nb@example.com,Małgorzata Dąbrowska\nc@example.com,Świętosława Żak\n";
    // Windows-1250, by hand.
    let letters = [('Ł', 0xa3), ('ó', 0xf3), ('ł', 0xb3), ('ą', 0xb9), ('Ś', 0x8c), ('ę', 0xea), ('Ż', 0xaf)];
    let byte = |c: char| letters.iter().find(|(letter, _)| *letter == c).map_or(c as u8, |(_, byte)| *byte);
    let file: Vec<u8> = rows.chars().map(byte).collect();
    let id = upload(world, file.clone()).await["id"].clone();
    let seen = preview(world, json!({ "upload": id })).await;
    assert_eq!((&seen["encoding"], &seen["rows"][1]["note"]), (&json!("windows-1250"), &json!("Małgorzata Dąbrowska")));
    assert!(seen["summary"].as_str().unwrap().contains("in Windows-1250, which is a guess"), "{seen}");
    let seen = preview(world, json!({ "upload": id, "mapping": { "encoding": "CP1252" } })).await;
    assert_eq!((&seen["encoding"], &seen["rows"][0]["note"]), (&json!("windows-1252"), &json!("£ukasz Wójcik")));
    assert!(!seen["summary"].as_str().unwrap().contains("guess"), "{seen}");
    assert_eq!(counts(&import(world, file, "manual").await), [3, 3, 3, 0, 0, 0, 0, 0]);
    assert_eq!(entry(world, "c@").await["note"], "Świętosława Żak");
});

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_each_row_of_a_large_file() {
    let mut world = World::start(Backend::Sqlite).await;
    world.without_budgets().await;
    let rows = |from: u64, to: u64, word: &str| -> String {
        (from..to).map(|row| format!("r{row:07}@rows.example,{word}\n")).collect()
    };
    // The first rows are not like the others.
    let file = format!("email,status\n{}{}", rows(0, 250_000, "active"), rows(250_000, 1_000_001, "unsubscribed"));
    for file in [gzip(file.as_bytes()), zip(&[("a.csv", file.as_bytes())]), file.into_bytes()] {
        let seen = preview(&world, json!({ "upload": upload(&world, file).await["id"] })).await;
        let counts = &seen["counts"];
        assert_eq!((&counts["total"], &counts["exact"]), (&json!(1_000_001), &json!(false)), "{seen}");
        let near = |name: &str, n: u64| counts[name].as_u64().unwrap().abs_diff(n) < 10_000;
        assert!(near("skipped", 250_000) && near("added", 750_001), "{counts}");
    }
    world.end().await;
}
