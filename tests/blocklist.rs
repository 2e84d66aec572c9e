//! The block list: added to, looked at, and imported.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::{
    harness::{Reply, TestKey, World},
    uploads::upload,
};

async fn add(world: &World, email: &str, reason: &str) -> Value {
    world.ok("blocklist.add", json!({ "emails": [email], "reason": reason })).await
}

async fn entry(world: &World, email: &str) -> Value {
    let page = world.ok("blocklist.list", json!({ "text": email })).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "{page}");
    page["items"][0].clone()
}

/// Sends a file, imports it for a reason, and gives the job once it has ended.
async fn import(world: &World, file: impl Into<reqwest::Body>, reason: &str) -> Value {
    let args = json!({ "upload": upload(world, file).await["id"], "reason": reason });
    world.job(&world.ok("blocklist.import", args).await["job"]["id"]).await
}

async fn errors(world: &World, key: &TestKey, job: &Value) -> Reply {
    let headers = [("authorization", format!("Bearer {}", key.text))];
    world.send("GET", &format!("/api/v1/jobs/{}/errors", job["id"].as_str().unwrap()), &headers, "").await
}

/// total, done, added, already, strengthened, skipped and invalid.
fn counts(job: &Value) -> [u64; 7] {
    assert_eq!(job["status"], "succeeded", "{job}");
    let names = ["total", "done", "added", "already", "strengthened", "skipped", "invalid"];
    let counts = names.map(|name| job["result"][name].as_u64().unwrap_or_else(|| panic!("no {name}: {job}")));
    assert_eq!(names.map(|name| job["progress"][name].as_u64().unwrap()), counts, "{job}");
    counts
}

/// A gzip file that stores its text as it is (RFC 1952, RFC 1951).
fn gzip(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("one stored block");
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    file.extend(length.to_le_bytes());
    file.extend((!length).to_le_bytes());
    file.write_all(text.as_bytes()).expect("memory");
    file.extend(crc32fast::hash(text.as_bytes()).to_le_bytes());
    file.extend(u32::from(length).to_le_bytes());
    file
}

both!(the_strongest_reason_wins, async |world| {
    world.without_budgets().await;
    for (email, reason, changed, stands) in [
        ("Anna@example.com", "unsubscribe", true, "unsubscribe"),
        ("anna@example.com", "unsubscribe", false, "unsubscribe"),
        ("ANNA@example.com", "manual", false, "unsubscribe"),
        ("anna@example.com", "hard_bounce", true, "hard_bounce"),
        ("anna@example.com", "invalid", false, "hard_bounce"),
        ("anna@example.com", "complaint", true, "complaint"),
        ("anna@example.com", "hard_bounce", false, "complaint"),
    ] {
        let added = add(world, email, reason).await;
        let result = json!([{ "email": email, "blocked": true, "changed": changed, "reason": stands }]);
        assert_eq!(added["results"], result, "{reason}");
        let entry = entry(world, "anna@").await;
        assert_eq!((&entry["email"], &entry["reason"]), (&json!("Anna@example.com"), &json!(stands)));
    }
});

both!(each_address_of_a_call_is_in_one_count, async |world| {
    add(world, "ben@example.com", "manual").await;
    add(world, "cat@example.com", "complaint").await;
    let emails = ["Anna@example.com", "nonsense", "ben@example.com", "anna@example.com", "cat@example.com"];
    let args = json!({ "emails": emails, "reason": "unsubscribe", "note": "by phone" });
    let reply = world.call(&world.key, "blocklist.add", args).await;
    let added = reply.result();
    let counts = ["added", "strengthened", "already", "invalid"].map(|name| added[name].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 2, 1]);
    let results: Vec<_> = added["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| (result["email"].as_str().unwrap(), result["blocked"] == true, result["changed"] == true))
        .collect();
    let [anna, nonsense, ben, again, cat] = emails;
    assert_eq!(
        results,
        [(anna, true, true), (nonsense, false, false), (ben, true, true), (again, true, false), (cat, true, false)]
    );
    let entry = entry(world, "anna@").await;
    assert_eq!((&entry["note"], &entry["source"]), (&json!("by phone"), &json!("api")));
    let row = world.ok("activity.get", json!({ "id": reply.header("x-request-id") })).await;
    let mut changed: Vec<_> = row["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (change["before"]["reason"].as_str(), change["after"]["reason"].as_str()))
        .collect();
    changed.sort_unstable();
    assert_eq!(changed, [(None, Some("unsubscribe")), (Some("manual"), Some("unsubscribe"))]);
});

both!(a_check_answers_in_the_order_asked, async |world| {
    add(world, "Anna@example.com", "complaint").await;
    add(world, "ben@example.com", "manual").await;
    let (_, stranger) = world.other_site("Second", None).await;
    let emails = ["ben@example.com", "nobody@example.com", "no address", "ANNA@EXAMPLE.COM", "ben@example.com"];
    let results = world.ok("blocklist.check", json!({ "emails": emails })).await["results"].clone();
    let results: Vec<_> = results.as_array().unwrap().clone();
    let asked: Vec<_> = results.iter().map(|result| result["email"].as_str().unwrap()).collect();
    assert_eq!(asked, emails);
    let reasons: Vec<_> = results.iter().map(|result| result["reason"].as_str()).collect();
    assert_eq!(reasons, [Some("manual"), None, None, Some("complaint"), Some("manual")]);
    assert!(results.iter().all(|result| result["blocked"] == result["reason"].is_string()), "{results:?}");
    let faulty: Vec<_> = results.iter().map(|result| result["error"].is_string()).collect();
    assert_eq!(faulty, [false, false, true, false, false]);
    assert_eq!(results[3]["id"], entry(world, "anna@").await["id"]);
    let elsewhere = world.call(&stranger, "blocklist.check", json!({ "emails": emails })).await.result();
    assert!(elsewhere["results"].as_array().unwrap().iter().all(|result| result["blocked"] == false));
});

both!(the_list_is_filtered_and_paged, async |world| {
    world.without_budgets().await;
    for n in 0..8 {
        let reason = if n % 2 == 0 { "manual" } else { "complaint" };
        add(world, &format!("M{n}@example.{}", if n < 4 { "com" } else { "org" }), reason).await;
    }
    world
        .job(
            &world.ok("blocklist.import", json!({ "emails": ["x_y@example.net"], "source": "old" })).await["job"]["id"],
        )
        .await;
    for (filter, found) in [
        (json!({}), "xM7M6M5M4M3M2M1M0"),
        (json!({ "reason": "complaint" }), "M7M5M3M1"),
        (json!({ "text": "@EXAMPLE.com" }), "M3M2M1M0"),
        (json!({ "text": "m5@" }), "M5"),
        (json!({ "text": "_" }), "x"),
        (json!({ "text": "%" }), ""),
        (json!({ "source": "old" }), "x"),
        (json!({ "source": "api", "reason": "manual", "text": ".org" }), "M6M4"),
    ] {
        let (mut seen, mut args) = (String::new(), filter.clone());
        args["limit"] = json!(3);
        loop {
            let page = world.ok("blocklist.list", args.clone()).await;
            for item in page["items"].as_array().unwrap() {
                let email = item["email"].as_str().unwrap();
                seen.push_str(email.split(['@', '_']).next().unwrap());
            }
            args["cursor"] = page["nextCursor"].clone();
            if args["cursor"].is_null() {
                break;
            }
        }
        assert_eq!(seen, found, "{filter}");
    }
    assert_eq!(
        world.call(&world.key, "blocklist.list", json!({ "cursor": "nonsense" })).await.code(),
        "invalid_cursor"
    );
});

both!(what_is_removed_is_blocked_no_more, async |world| {
    add(world, "Anna@example.com", "complaint").await;
    add(world, "ben@example.com", "manual").await;
    let args = json!({ "emails": ["ANNA@example.com", "nobody@example.com", "nonsense"] });
    let removed = world.ok("blocklist.remove", args).await;
    assert_eq!(removed, json!({ "removed": 1, "notFound": ["nobody@example.com", "nonsense"] }));
    let checked = world.ok("blocklist.check", json!({ "emails": ["anna@example.com", "ben@example.com"] })).await;
    assert_eq!((&checked["results"][0]["blocked"], &checked["results"][1]["blocked"]), (&json!(false), &json!(true)));
});

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
    assert_eq!(counts(&job), [9, 9, 3, 2, 1, 1, 2]);
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
    assert_eq!(counts(&job), [2, 2, 2, 0, 0, 0, 0]);
    assert!(job["result"].get("errorFile").is_none(), "{job}");
    let fay = entry(world, "fay@").await;
    assert_eq!((&fay["reason"], &fay["note"]), (&json!("complaint"), &json!("three, four")));
    assert_eq!(entry(world, "gil@").await["reason"], "manual");
    assert_eq!(errors(world, &world.key, &job).await.failure(), (404, "job_not_found".into()));
});

both!(a_compressed_file_is_imported_and_twice_changes_nothing, async |world| {
    let file = gzip("anna@example.com\nben@example.com\n");
    assert_eq!(counts(&import(world, file.clone(), "hard_bounce").await), [2, 2, 2, 0, 0, 0, 0]);
    let before = world.ok("blocklist.list", json!({})).await;
    world.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(counts(&import(world, file.clone(), "hard_bounce").await), [2, 2, 0, 2, 0, 0, 0]);
    assert_eq!(counts(&import(world, file, "manual").await), [2, 2, 0, 2, 0, 0, 0]);
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
    while world.ok("jobs.get", json!({ "id": id })).await["job"]["progress"]["added"].as_u64().unwrap_or(0) == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    world.ok("jobs.cancel", json!({ "id": id })).await;
    let job = world.job(&id).await;
    assert_eq!(job["status"], "cancelled", "{job}");
    let done = job["progress"]["added"].as_u64().unwrap();
    assert!(0 < done && done < ROWS as u64, "{done}");
    assert_eq!(world.rows("SELECT email FROM block").await.len() as u64, done);
    world.ok("jobs.retry", json!({ "id": id })).await;
    let rows = ROWS as u64;
    assert_eq!(counts(&world.job(&id).await), [rows, rows, rows, 0, 0, 0, 0]);
    assert_eq!(world.rows("SELECT email FROM block").await.len(), ROWS);
});

/// Takes an import back and gives the job once it has ended.
async fn undo(world: &World, import: &Value) -> Value {
    world.job(&world.ok("blocklist.undoImport", json!({ "job": import["id"] })).await["job"]["id"]).await
}

both!(an_import_is_taken_back_and_what_others_said_stays, async |world| {
    world.without_budgets().await;
    add(world, "before@example.com", "unsubscribe").await;
    let first =
        import(world, "email,note,date\nalone@example.com,a,\nboth@example.com,first,2020-05-01\n", "manual").await;
    let file = "email,reason,note,date\nalone2@example.com,manual,,\nbefore@example.com,complaint,loud,2020-01-01\n\
                both@example.com,bounce,second,2020-02-01\nafter@example.com,invalid,,2020-03-01\n";
    let second = import(world, file, "manual").await;
    assert_eq!(counts(&second), [4, 4, 2, 0, 2, 0, 0]);
    add(world, "after@example.com", "manual").await;
    assert_eq!(entry(world, "both@").await["firstSeen"], "2020-02-01T00:00:00Z");

    let job = undo(world, &second).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    assert_eq!(job["result"], json!({ "done": 4, "total": 4, "removed": 1, "kept": 3 }));
    let page = world.ok("blocklist.list", json!({ "limit": 200 })).await;
    let mut left: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (entry["email"].as_str().unwrap(), entry["reason"].as_str().unwrap(), entry["source"].as_str().unwrap())
        })
        .collect();
    left.sort_unstable();
    assert_eq!(
        left,
        [
            ("after@example.com", "manual", "api"),
            ("alone@example.com", "manual", "import"),
            ("before@example.com", "unsubscribe", "api"),
            ("both@example.com", "manual", "import"),
        ]
    );
    let both = entry(world, "both@").await;
    assert_eq!((&both["note"], &both["firstSeen"]), (&json!("first"), &json!("2020-05-01T00:00:00Z")));
    assert!(entry(world, "before@").await.get("note").is_none());

    let again = world.call(&world.key, "blocklist.undoImport", json!({ "job": second["id"] })).await;
    assert_eq!(again.code(), "import_undone");
    assert_eq!(world.call(&world.key, "jobs.retry", json!({ "id": second["id"] })).await.code(), "job_not_retryable");
    let (_, stranger) = world.other_site("Second", None).await;
    let other = world.call(&stranger, "blocklist.undoImport", json!({ "job": first["id"] })).await;
    assert_eq!(other.code(), "import_not_found");

    world.clock.advance(std::time::Duration::from_secs(30 * 86_400 + 1));
    let late = world.call(&world.key, "blocklist.undoImport", json!({ "job": first["id"] })).await;
    assert_eq!(late.code(), "import_not_found");
});

both!(whatever_happens_an_address_is_blocked_for_the_strongest_reason_that_is_left, async |world| {
    const REASONS: [&str; 5] = ["manual", "unsubscribe", "invalid", "hard_bounce", "complaint"];
    world.without_budgets().await;
    let mut random = 7_u64;
    let mut below = |n: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % n
    };
    // What each source says of each of five addresses: the import's number, or 0 for direct calls.
    let mut model: Vec<std::collections::BTreeMap<usize, usize>> = vec![Default::default(); 5];
    let mut imports: Vec<Option<Value>> = vec![None];
    for step in 0..60 {
        let at = below(5) as usize;
        let email = format!("m{at}@example.com");
        match below(6) {
            0 => {
                world.ok("blocklist.remove", json!({ "emails": [email] })).await;
                model[at].clear();
            }
            1 => {
                let reason = below(5) as usize;
                add(world, &email, REASONS[reason]).await;
                let said = model[at].entry(0).or_default();
                *said = (*said).max(reason);
            }
            2 if imports.iter().any(Option::is_some) => {
                let which = loop {
                    let which = below(imports.len() as u64) as usize;
                    if imports[which].is_some() {
                        break which;
                    }
                };
                let job = undo(world, &imports[which].take().unwrap()).await;
                assert_eq!(job["status"], "succeeded", "{job}");
                model.iter_mut().for_each(|said| _ = said.remove(&which));
            }
            _ => {
                let rows: Vec<_> = (0..1 + below(6)).map(|_| (below(5) as usize, below(5) as usize)).collect();
                let lines = rows.iter().map(|(at, reason)| format!("m{at}@example.com,{}\n", REASONS[*reason]));
                let file = format!("email,reason\n{}", lines.collect::<String>());
                let job = import(world, file, "manual").await;
                counts(&job);
                for (at, reason) in rows {
                    let said = model[at].entry(imports.len()).or_default();
                    *said = (*said).max(reason);
                }
                imports.push(Some(job));
            }
        }
        let emails: Vec<_> = (0..5).map(|at| format!("m{at}@example.com")).collect();
        let checked = world.ok("blocklist.check", json!({ "emails": emails })).await;
        let stands: Vec<_> =
            checked["results"].as_array().unwrap().iter().map(|result| result["reason"].as_str()).collect();
        let expected: Vec<_> = model.iter().map(|said| said.values().max().map(|reason| REASONS[*reason])).collect();
        assert_eq!(stands, expected, "step {step}: {model:?}");
    }
});

async fn preview(world: &World, args: Value) -> Value {
    let reply = world.call_with(&world.key, "blocklist.import", json!({ "args": args, "dryRun": true }), &[]).await;
    reply.result()["preview"].clone()
}

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
    assert_eq!(seen["columns"][0], json!({ "name": "address", "field": "email" }));
    let counts =
        json!({ "total": 5, "exact": true, "added": 1, "strengthened": 1, "already": 2, "skipped": 0, "invalid": 1 });
    assert_eq!(seen["counts"], counts);
    assert_eq!(
        seen["rows"][0],
        json!({
            "line": 2, "email": "anna@example.com", "verdict": "added", "reason": "hard_bounce", "note": "gone",
            "firstSeen": "2024-05-06T18:11:58Z", "vendorCode": "550",
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
    assert!(seen["summary"].as_str().unwrap().ends_with("column 3 \"BLOCKLISTED\" says yes or no"), "{seen}");
    assert_eq!((&seen["rows"][0]["verdict"], &seen["rows"][1]["verdict"]), (&json!("added"), &json!("skipped")));
    assert_eq!(seen["rows"][1]["email"], "ben@example.com");
    assert_eq!(counts(&import(world, file, "manual").await), [2, 2, 1, 0, 0, 1, 0]);
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
        whole.text.contains("\n'=cmd@example.com,manual,import,'=1+1,2021-01-01T00:00:00Z,'@x\n"),
        "{}",
        whole.text
    );
    let some = export("?reason=complaint").await.text;
    let line = "Anna@example.com,complaint,web,\"one, \"\"two\"\"\",2020-05-01T00:00:00Z,5.1.1\n";
    assert_eq!(some, format!("email,reason,source,note,first_seen,vendor_code\n{line}"));
    assert_eq!(export("?raeson=x").await.code(), "invalid_arguments");

    let before = world.ok("blocklist.list", json!({})).await;
    let emails: Vec<_> = before["items"].as_array().unwrap().iter().map(|entry| entry["email"].clone()).collect();
    world.ok("blocklist.remove", json!({ "emails": emails })).await;
    assert_eq!(counts(&import(world, whole.text.clone(), "invalid").await), [3, 3, 3, 0, 0, 0, 0]);
    let after = world.ok("blocklist.list", json!({})).await;
    let plain = |page: &Value| {
        let mut entries = page["items"].as_array().unwrap().clone();
        entries.iter_mut().for_each(|entry| {
            entry.as_object_mut().unwrap().shift_remove("id");
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
        (b"email\ngil@example.com\nx\0@example.com\n".to_vec(), 0, 0),
        (wide.into_bytes(), 1, 1),
        (long.into_bytes(), 2, 1),
        (b"{\"email\":\"hal@example.com\"}\n{\"email\":\n".to_vec(), 1, 1),
    ] {
        let nul = file.contains(&0) && !file.starts_with(b"\xff\xfe");
        let job = import(world, file, "invalid").await;
        if nul {
            assert_eq!((&job["status"], &job["error"]["code"]), (&json!("failed"), &json!("not_a_list")), "{job}");
            continue;
        }
        let counts = counts(&job);
        assert_eq!((counts[2] + counts[3], counts[6]), (added, invalid), "{job}");
    }
    let cut = import(world, "[{\"email\":\"ida@example.com\"},\n{\"email\":\"jo@example.com\"}", "invalid").await;
    assert_eq!((&cut["status"], &cut["error"]["code"]), (&json!("failed"), &json!("file_cut_short")), "{cut}");
    assert_eq!(cut["progress"]["added"], 2, "what comes before the end is applied");
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
