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
    assert_eq!(counts(&job), [5, 5, 2, 0, 0, 2, 1]);
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
    assert_eq!(counts(&job), [1, 1, 1, 0, 0, 0, 0]);
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
