//! Lists that come in files, and go out in them.

use serde_json::{Value, json};

use super::{add, counts, entry, errors, gzip, import, preview};
use crate::uploads::upload;

both!(a_file_is_imported_and_its_bad_rows_can_be_mended, async |world| {
    world.without_budgets().await;
    add(world, "cat@example.com", "complaint").await;
    add(world, "dan@example.com", "manual").await;
    let file = "\
Email,Reason,Note
Anna@example.com,Hard Bounce,one
anna@example.com,complaint,two
not-an-address,spam,\"three, four\"
ben@example.com,unsubscribed,
,manual,five
cat@example.com,manual,
dan@example.com,bounced,
eve@example.com,moved to Rome,
fay@example.com,Active,
";
    let job = import(world, file, "invalid").await;
    assert_eq!(counts(&job), [9, 9, 3, 2, 1, 1, 0, 2]);
    assert_eq!(job["result"]["errorFile"], format!("/api/v1/jobs/{}/errors", job["id"].as_str().unwrap()));
    for (email, reason, source) in [
        ("anna@", "complaint", "import"),
        ("ben@", "unsubscribe", "import"),
        ("cat@", "complaint", "api"),
        ("dan@", "hard_bounce", "import"),
        ("eve@", "invalid", "import"),
    ] {
        let entry = entry(world, email).await;
        assert_eq!((&entry["reason"], &entry["source"]), (&json!(reason), &json!(source)), "{email}");
    }
    assert_eq!(entry(world, "anna@").await["note"], "two");
    assert_eq!(entry(world, "eve@").await["vendorCode"], "moved to Rome");

    let other = world.key_with(&[usher::tools::Scope::MembersManage]).await;
    assert_eq!(errors(world, &other, &job).await.failure(), (404, "job_not_found".into()));
    let bad = errors(world, &world.key, &job).await;
    assert_eq!((bad.status, bad.header("content-type")), (200, "text/csv; charset=utf-8"));
    let lines: Vec<_> = bad.text.lines().collect();
    assert_eq!(lines.len(), 3, "{}", bad.text);
    assert_eq!(lines[0], "Email,Reason,Note,line,error_code,error");
    assert!(lines[1].starts_with("not-an-address,spam,\"three, four\",4,invalid_address,"), "{}", bad.text);
    assert!(lines[2].starts_with(",manual,five,6,no_address,"), "{}", bad.text);

    let mended = bad.text.replace("not-an-address", "fay@example.com").replace("\n,manual", "\ngil@example.com,manual");
    let job = import(world, mended, "invalid").await;
    assert_eq!(counts(&job), [2, 2, 2, 0, 0, 0, 0, 0]);
    assert!(job["result"].get("errorFile").is_none(), "{job}");
    let fay = entry(world, "fay@").await;
    assert_eq!((&fay["reason"], &fay["note"]), (&json!("complaint"), &json!("three, four")));
    assert_eq!(entry(world, "gil@").await["reason"], "manual");
    assert_eq!(errors(world, &world.key, &job).await.failure(), (404, "job_not_found".into()));
});

both!(a_compressed_file_is_imported_and_twice_changes_nothing, async |world| {
    let file = gzip("anna@example.com\nben@example.com\n");
    assert_eq!(counts(&import(world, file.clone(), "hard_bounce").await), [2, 2, 2, 0, 0, 0, 0, 0]);
    let before = world.ok("blocklist.list", json!({})).await;
    world.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(counts(&import(world, file.clone(), "hard_bounce").await), [2, 2, 0, 2, 0, 0, 0, 0]);
    assert_eq!(counts(&import(world, file, "manual").await), [2, 2, 0, 2, 0, 0, 0, 0]);
    assert_eq!(world.ok("blocklist.list", json!({})).await, before);
});

both!(a_picture_is_no_list, async |world| {
    world.leaves_traces = true;
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0".to_vec();
    let job = import(world, picture, "manual").await;
    assert_eq!((&job["status"], &job["error"]["code"]), (&json!("failed"), &json!("not_a_list")), "{job}");
    assert_eq!(world.ok("blocklist.list", json!({})).await["items"], json!([]));
});

both!(an_import_takes_one_source, async |world| {
    let upload = upload(world, "anna@example.com\n").await;
    for args in [json!({}), json!({ "upload": upload["id"], "emails": ["ben@example.com"] })] {
        assert_eq!(world.call(&world.key, "blocklist.import", args).await.code(), "import_source_missing");
    }
});

both!(a_dry_run_says_that_the_file_is_gone, async |world| {
    let id = upload(world, "anna@example.com\n").await["id"].clone();
    let folder = world.app.config.data.join("uploads").join(world.site.id.to_string());
    std::fs::remove_file(folder.join(id.as_str().unwrap())).expect("the upload's file");
    let body = json!({ "args": { "upload": id }, "dryRun": true });
    assert_eq!(world.call_with(&world.key, "blocklist.import", body, &[]).await.code(), "upload_not_found");
});

both!(a_cancelled_import_keeps_what_it_did_and_can_go_on, async |world| {
    world.without_budgets().await;
    const ROWS: usize = 100_000;
    let file: String = (0..ROWS).map(|n| format!("member{n:06}@example.com\n")).collect();
    let args = json!({ "upload": upload(world, file).await["id"] });
    let id = world.ok("blocklist.import", args).await["job"]["id"].clone();
    while world.ok("jobs.get", json!({ "job": id })).await["job"]["progress"]["added"].as_u64().unwrap_or(0) == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    world.ok("jobs.cancel", json!({ "job": id })).await;
    let job = world.job(&id).await;
    assert_eq!(job["status"], "cancelled", "{job}");
    let done = job["progress"]["added"].as_u64().unwrap();
    assert!(0 < done && done < ROWS as u64, "{done}");
    assert_eq!(world.rows("SELECT email FROM block").await.len() as u64, done);
    world.ok("jobs.retry", json!({ "job": id })).await;
    let rows = ROWS as u64;
    assert_eq!(counts(&world.job(&id).await), [rows, rows, rows, 0, 0, 0, 0, 0]);
    assert_eq!(world.rows("SELECT email FROM block").await.len(), ROWS);
});

both!(a_dry_run_says_what_an_import_would_do, async |world| {
    world.without_budgets().await;
    add(world, "ben@example.com", "manual").await;
    add(world, "cat@example.com", "complaint").await;
    let file = "address;code;error;created_at\nAnna <anna@example.com>;550;gone;Mon, 06 May 2024 18:11:58 UTC\n\
                ben@example.com;;;\ncat@example.com;;;\nanna@example.com;;;\nnobody;;;\n";
    let id = upload(world, file).await["id"].clone();
    let seen = preview(world, json!({ "upload": id })).await;
    assert_eq!(
        seen["summary"],
        "Mailgun bounces: table separated by semicolons in UTF-8, with a header: email is column 1 \
        \"address\", note is column 3 \"error\", first_seen is column 4 \"created_at\", vendor_code is column 2 \"code\""
    );
    let names = ["format", "encoding", "compression", "header", "exporter"];
    assert_eq!(json!(names.map(|name| &seen[name])), json!(["semicolon", "utf-8", "none", true, "mailgun_bounces"]));
    assert_eq!(seen["columns"][0], json!({ "name": "address", "field": "email", "meaning": "the address" }));
    let counts = json!({ "total": 5, "exact": true, "added": 1, "strengthened": 1, "already": 2, "skipped": 0, "unclear": 0, "invalid": 1 });
    assert_eq!(seen["counts"], counts);
    assert_eq!(
        seen["rows"][0],
        json!({
            "line": 2, "email": "anna@example.com", "verdict": "added", "reason": "hard_bounce", "note": "gone",
            "firstSeen": "2024-05-06T18:11:58.000Z", "vendorCode": "550",
        })
    );
    let verdicts: Vec<_> = (0..5).map(|at| seen["rows"][at]["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["added", "strengthened", "already", "already", "invalid"]);
    assert_eq!(seen["rows"][4]["code"], "invalid_address");
    // Nothing has happened, and the mapping overrules.
    assert_eq!(world.ok("blocklist.list", json!({})).await["items"].as_array().unwrap().len(), 2);
    let mapping = json!({ "email": "address", "note": "4" });
    let seen = preview(world, json!({ "upload": id, "mapping": mapping, "reason": "invalid" })).await;
    assert_eq!((&seen["exporter"], &seen["rows"][0]["reason"]), (&json!("mailgun_bounces"), &json!("hard_bounce")));
    assert_eq!(seen["rows"][0]["note"], "Mon, 06 May 2024 18:11:58 UTC");
    let job = world.ok("blocklist.import", json!({ "upload": id, "mapping": mapping })).await;
    assert_eq!(world.job(&job["job"]["id"]).await["status"], "succeeded");
    assert_eq!(entry(world, "anna@").await["note"], "Mon, 06 May 2024 18:11:58 UTC");

    let asked = json!({ "email": "address", "reason": "code" });
    let seen = preview(world, json!({ "upload": id, "mapping": asked, "reason": "invalid" })).await;
    assert_eq!(seen["rows"][1]["reason"], "invalid", "{seen}");
    let seen = preview(world, json!({ "upload": id, "mapping": { "exporter": "mailgun_complaints" } })).await;
    assert_eq!(seen["rows"][0]["reason"], "complaint", "{seen}");
    for wrong in [json!({ "exporter": "nobody" }), json!({ "encoding": "ebcdic" })] {
        let reply = world.call(&world.key, "blocklist.import", json!({ "upload": id, "mapping": wrong })).await;
        assert_eq!(reply.code(), "invalid_arguments", "{}", reply.text);
    }
    let problem = &preview(world, json!({ "upload": id, "mapping": { "email": "mail" } })).await["problem"];
    assert_eq!(problem["code"], "no_such_column");
    let inline = preview(world, json!({ "emails": ["dan@example.com", "nobody"] })).await;
    assert_eq!((&inline["counts"]["added"], &inline["counts"]["invalid"]), (&json!(1), &json!(1)));
});

both!(who_may_get_mail_by_a_column_of_yes_and_no_is_skipped, async |world| {
    let file = "EMAIL;FIRSTNAME;BLOCKLISTED\nanna@example.com;Anna;yes\nben@example.com;Ben;no\n";
    let id = upload(world, file).await["id"].clone();
    let seen = preview(world, json!({ "upload": id })).await;
    assert!(seen["summary"].as_str().unwrap().ends_with("column 3 \"BLOCKLISTED\" says who gets no mail"), "{seen}");
    assert_eq!((&seen["rows"][0]["verdict"], &seen["rows"][1]["verdict"]), (&json!("added"), &json!("skipped")));
    assert_eq!(seen["rows"][1]["email"], "ben@example.com");
    assert_eq!(counts(&import(world, file, "manual").await), [2, 2, 1, 0, 0, 1, 0, 0]);
    assert_eq!(world.ok("blocklist.list", json!({ "text": "ben@" })).await["items"], json!([]));
});

both!(what_is_exported_imports_again, async |world| {
    world.without_budgets().await;
    let file = "email,reason,source,note,first_seen,vendor_code\n\
                Anna@example.com,complaint,web,\"one, \"\"two\"\"\",2020-05-01,5.1.1\n\
                =cmd@example.com,manual,,=1+1,2021-01-01,@x\nzoë@bücher.example,unsubscribe,,\"a\nb\",,\n";
    counts(&import(world, file, "invalid").await);
    let export = async |query: &str| {
        let headers = [("authorization", format!("Bearer {}", world.key.text))];
        world.send("GET", &format!("/api/v1/blocklist/export{query}"), &headers, "").await
    };
    let whole = export("").await;
    assert_eq!((whole.status, whole.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert!(
        whole.text.contains("\n'=cmd@example.com,manual,import,'=1+1,2021-01-01T00:00:00.000Z,'@x\n"),
        "{}",
        whole.text
    );
    let some = export("?reason=complaint").await.text;
    let line = "Anna@example.com,complaint,web,\"one, \"\"two\"\"\",2020-05-01T00:00:00.000Z,5.1.1\n";
    assert_eq!(some, format!("email,reason,source,note,first_seen,vendor_code\n{line}"));
    assert_eq!(export("?raeson=x").await.code(), "invalid_arguments");

    let before = world.ok("blocklist.list", json!({})).await;
    let emails: Vec<_> = before["items"].as_array().unwrap().iter().map(|entry| entry["email"].clone()).collect();
    world.ok("blocklist.remove", json!({ "emails": emails })).await;
    assert_eq!(counts(&import(world, whole.text.clone(), "invalid").await), [3, 3, 3, 0, 0, 0, 0, 0]);
    let after = world.ok("blocklist.list", json!({})).await;
    let plain = |page: &Value| {
        let mut entries = page["items"].as_array().unwrap().clone();
        entries.iter_mut().for_each(|entry| {
            // Nor the import that it is from now.
            for field in ["id", "job"] {
                entry.as_object_mut().unwrap().shift_remove(field);
            }
        });
        entries.sort_by_key(|entry| entry["email"].to_string());
        entries
    };
    assert_eq!(plain(&after), plain(&before));
});

both!(whatever_is_sent_ends_in_a_clear_state, async |world| {
    world.without_budgets().await;
    world.leaves_traces = true;
    let utf16: Vec<u8> = "\u{feff}Empfänger;Grund\r\nanna@example.com;HardBounce\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let wide = format!("a@example.com{}\nb@example.com\n", ",x".repeat(9_999));
    let long = format!("a@example.com\n{}\nb@example.com\n", "x".repeat(1_000_000));
    for (file, added, invalid) in [
        (utf16, 1, 0),
        (br#"{"items":[{"address":"ben@example.com","code":550,"error":"x","created_at":"y"}]}"#.to_vec(), 1, 0),
        (b"\"cat@example.com\"\r\"dan@example.com\"\r".to_vec(), 2, 0),
        (b"email,note\neve@example.com,\"open\nfay@example.com,caf\xe9\n".to_vec(), 1, 1),
        (b"email\ngil@example.com\nx\0@example.com\n".to_vec(), 1, 1),
        (wide.into_bytes(), 1, 1),
        (long.into_bytes(), 2, 1),
        (b"{\"email\":\"hal@example.com\"}\n{\"email\":\n".to_vec(), 1, 1),
    ] {
        let job = import(world, file, "invalid").await;
        let counts = counts(&job);
        assert_eq!((counts[2] + counts[3], counts[7]), (added, invalid), "{job}");
    }
    for (file, code) in [
        (&b"%PDF-1.7 \xe2\xe3"[..], "not_a_list"),
        (b"\x7fELF\x02\x01\x01\0", "not_a_list"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "file_damaged"),
        (b"PK\x03\x04\x14\0\0\0", "file_damaged"),
        (b"name,city\nAnn,Ulm\n", "no_address_column"),
        (b"  \n \n", "file_empty"),
    ] {
        let job = import(world, file.to_vec(), "invalid").await;
        assert_eq!((&job["status"], &job["error"]["code"]), (&json!("failed"), &json!(code)), "{job}");
        assert!(job["error"]["message"].as_str().unwrap().len() > 20, "{job}");
    }
});
