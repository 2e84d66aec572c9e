//! Files of people that become members.

mod mail;
mod other_sites;
mod values;
mod vocabulary;

use serde_json::{Value, json};

use crate::{
    blocklist::archives::{workbook, zip},
    harness::{Backend, TestKey, World},
    uploads::upload,
};

const GROUP: &str = "grp_01kan8v3t0e0rt8nfkzk1s7p4qe";

/// Sends a file, imports it with more arguments, and gives the job once it has ended.
pub async fn import(world: &World, file: impl Into<reqwest::Body>, mut args: Value) -> Value {
    args["upload"] = upload(world, file).await["id"].clone();
    world.job(&world.ok("members.import", args).await["job"]["id"]).await
}

/// total, done, created, updated, unchanged and invalid.
#[track_caller]
pub fn counts(job: &Value) -> [u64; 6] {
    assert_eq!(job["status"], "succeeded", "{job}");
    let names = ["total", "done", "created", "updated", "unchanged", "invalid"];
    let counts = names.map(|name| job["result"][name].as_u64().unwrap_or_else(|| panic!("no {name}: {job}")));
    assert_eq!(names.map(|name| job["progress"][name].as_u64().unwrap()), counts, "{job}");
    counts
}

pub async fn member(world: &World, email: &str) -> Value {
    world.one("members.get", json!({ "member": { "email": email } })).await
}

pub async fn errors(world: &World, key: &TestKey, job: &Value) -> String {
    let headers = [("authorization", format!("Bearer {}", key.text))];
    let path = format!("/api/v1/jobs/{}/errors", job["id"].as_str().unwrap());
    world.send("GET", &path, &headers, "").await.text
}

/// Makes the group `Friends, old`.
pub async fn group(world: &World) {
    let text = "INSERT INTO member_group (site, id, name, name_key, created_at, updated_at)
                VALUES (1, 'grp_01kan8v3t0e0rt8nfkzk1s7p4qe', 'Friends, old', 'friends, old', 1, 1) RETURNING id";
    assert_eq!(world.rows(text).await, [GROUP]);
}

both!(members_come_from_every_format, async |world| {
    world.without_budgets().await;
    let table = "E-Mail;Full Name;Labels;Comped;created_at\n\
                 Anna@example.com;Anna Lind;VIP,early bird;yes;2020-01-01\nben@example.com;Ben;;no;\n";
    let quoted = table.replace("VIP,early bird", "VIP|early bird").replace(';', ",");
    let lines = "{\"email\":\"Anna@example.com\",\"first_name\":\"Anna\",\"last_name\":\"Lind\",\
                  \"tags\":[\"VIP\",\"early bird\"],\"free_access\":true}\n\
                 {\"email\":\"ben@example.com\",\"first_name\":\"Ben\",\"tags\":[]}\n";
    let array = format!("[{}]", lines.trim_end().replace('\n', ","));
    for (n, file) in
        [table.to_owned(), table.replace(';', "\t"), quoted, lines.to_owned(), array].into_iter().enumerate()
    {
        let expected = if n == 0 { [2, 2, 2, 0, 0, 0] } else { [2, 2, 0, 0, 2, 0] };
        let job = import(world, file.clone(), json!({})).await;
        assert_eq!(counts(&job), expected, "{file}");
        let ignored = if n < 3 { json!(["created_at"]) } else { Value::Null };
        assert_eq!(job["result"]["ignoredColumns"], ignored);
    }
    let anna = member(world, "anna@example.com").await;
    assert_eq!((&anna["email"], &anna["name"]), (&json!("Anna@example.com"), &json!("Anna Lind")));
    assert_eq!((&anna["tags"], &anna["status"]), (&json!(["early-bird", "vip"]), &json!("comped")));
    assert!(anna["freeAccess"].is_object() && anna["freeAccess"].get("expiresAt").is_none(), "{anna}");
    let ben = member(world, "ben@example.com").await;
    assert_eq!((&ben["name"], &ben["status"], &ben["tags"]), (&json!("Ben"), &json!("free"), &json!([])));
});

both!(members_come_from_workbooks_and_archives, async |world| {
    world.without_budgets().await;
    let people = workbook(&[
        (2, &["Full Name", "E-Mail", "Labels"]),
        (3, &["Zoë Lind", "zoe@example.com", "vip"]),
        (4, &["", "", ""]),
        (5, &["Nobody", "", ""]),
    ]);
    let job = import(world, people, json!({})).await;
    assert_eq!(counts(&job), [2, 2, 1, 0, 0, 1]);
    let bad = errors(world, &world.key, &job).await;
    assert!(bad.contains("\nNobody,,,5,no_address,"), "{bad}");
    let mended = bad.replace("Nobody,,", "Ben,ben@example.com,");
    assert_eq!(counts(&import(world, mended, json!({})).await), [1, 1, 1, 0, 0, 0]);
    // Each file has its columns elsewhere.
    let both = zip(&[
        ("a.csv", b"email,name,town\nzoe@example.com,Zo,Ulm\ncat@example.com,Cat,Ulm\n"),
        ("b.csv", b"shoe;name;mail\n42;Dan;dan@example.com\n43;Eve;\n"),
    ]);
    let job = import(world, both, json!({})).await;
    assert_eq!(counts(&job), [4, 4, 2, 1, 0, 1]);
    assert_eq!(job["result"]["ignoredColumns"], json!(["town", "shoe"]));
    for (email, name) in [("zoe@", "Zo"), ("ben@", "Ben"), ("cat@", "Cat"), ("dan@", "Dan")] {
        assert_eq!(member(world, &format!("{email}example.com")).await["name"], name);
    }
    let bad = errors(world, &world.key, &job).await;
    assert!(bad.starts_with("shoe,name,mail,line,error_code,error\n43,Eve,,b.csv:3,no_address,"), "{bad}");
});

both!(a_given_mapping_counts_more_than_names, async |world| {
    world.without_budgets().await;
    let file = "name,email,handle,kind\nx@example.com,y@example.com,Xaver,vip\n";
    let mapping = json!({ "email": "name", "name": "Handle", "tags": "4" });
    assert_eq!(counts(&import(world, file, json!({ "mapping": mapping })).await), [1, 1, 1, 0, 0, 0]);
    let made = member(world, "x@example.com").await;
    assert_eq!((&made["name"], &made["tags"]), (&json!("Xaver"), &json!(["vip"])));
    world.leaves_traces = true;
    let job = import(world, file, json!({ "mapping": { "note": "remarks" } })).await;
    assert_eq!(job["error"]["code"], "no_such_column", "{job}");
    let reply = world.call(
        &world.key,
        "members.import",
        json!({
            "upload": upload(world, file).await["id"], "mapping": { "encoding": "utf-7" },
        }),
    );
    assert_eq!(reply.await.failure(), (400, "invalid_arguments".into()));
});

both!(a_row_changes_what_it_says_and_leaves_the_rest, async |world| {
    world.without_budgets().await;
    world
        .one("members.create", json!({ "email": "Anna@example.com", "name": "Anna", "note": "old", "tags": ["a"] }))
        .await;
    world.one("members.create", json!({ "email": "ben@example.com", "name": "Ben" })).await;
    world.clock.advance(std::time::Duration::from_secs(60));
    let before = member(world, "ben@example.com").await;
    let file = "email,name,note,tags\nANNA@example.com,,new,\"a,b\"\nben@example.com,Ben,,\ncat@example.com,Cat,,b\n";
    let only_new = import(world, file, json!({ "update": false })).await;
    assert_eq!(counts(&only_new), [3, 3, 1, 0, 2, 0]);
    assert_eq!(member(world, "anna@example.com").await["note"], "old");
    let job = import(world, file, json!({ "tags": ["c"] })).await;
    assert_eq!(counts(&job), [3, 3, 0, 3, 0, 0]);
    let anna = member(world, "anna@example.com").await;
    assert_eq!(
        (&anna["email"], &anna["name"], &anna["note"]),
        (&json!("Anna@example.com"), &json!("Anna"), &json!("new"))
    );
    assert_eq!((&anna["tags"], &anna["updatedAt"]), (&json!(["a", "b", "c"]), &json!("2025-01-01T12:01:00.000Z")));
    assert_eq!(member(world, "ben@example.com").await["createdAt"], before["createdAt"]);
    assert_eq!(counts(&import(world, file, json!({ "tags": ["c"] })).await), [3, 3, 0, 0, 3, 0]);
    assert_eq!(member(world, "anna@example.com").await, anna);
});

both!(an_address_that_comes_twice_is_one_member, async |world| {
    let file = "email,name,note,tags\na@example.com,One,first,x\nb@example.com,B,,\nA@example.com,Two,,y\n\
                a@example.com,,,\na@example.com,Two,,x\n";
    assert_eq!(counts(&import(world, file, json!({})).await), [5, 5, 2, 1, 2, 0]);
    let made = member(world, "a@example.com").await;
    assert_eq!((&made["name"], &made["note"]), (&json!("Two"), &json!("first")));
    assert_eq!((&made["email"], &made["tags"]), (&json!("a@example.com"), &json!(["x", "y"])));
});

both!(bad_rows_can_be_mended_and_imported_again, async |world| {
    world.without_budgets().await;
    let many: Vec<_> = (0..99).map(|n| format!("t{n}")).collect();
    world.one("members.create", json!({ "email": "full@example.com", "tags": many })).await;
    world.one("members.create", json!({ "email": "going@example.com" })).await;
    world.rows("UPDATE member SET deleting_since = 1 WHERE email_key = 'going@example.com' RETURNING id").await;
    let file = "\
Email,Name,Tags,Group,Free access until,City
full@example.com,Full,\"u,v\",,,Rome
nobody,N,,,,
going@example.com,G,x,,,
ok@example.com,=Ok,x,,,Oslo
b@example.com,B,!,,,
c@example.com,C,,No such,,
d@example.com,D,,,soon,
full@example.com,F,u,,,
";
    let job = import(world, file, json!({})).await;
    assert_eq!(counts(&job), [8, 8, 1, 1, 0, 6]);
    assert_eq!(job["result"]["ignoredColumns"], json!(["City"]));
    assert_eq!(member(world, "full@example.com").await["name"], "F");
    let bad = errors(world, &world.key, &job).await;
    assert_eq!(bad.lines().count(), 7, "{bad}");
    for (row, code) in [
        ("nobody", "3,invalid_address"),
        ("b@", "6,invalid_tag"),
        ("c@", "7,group_not_found"),
        ("d@", "8,invalid_free_access"),
        ("full@", "2,too_many_tags"),
        ("going@", "4,member_deleting"),
    ] {
        let has = |line: &str| line.starts_with(row) && line.contains(&format!(",{code},"));
        assert!(bad.lines().any(has), "{row} {code}: {bad}");
    }
    assert!(bad.starts_with("Email,Name,Tags,Group,Free access until,City,line,error_code,error\n"), "{bad}");
    assert!(bad.contains("full@example.com,Full,\"u,v\",,,Rome,2,too_many_tags,"), "{bad}");
    assert_eq!(world.rows("SELECT code FROM import_refusal").await, Vec::<String>::new());

    let mended = bad
        .replace("\"u,v\"", "u")
        .replace("nobody", "nobody@example.com")
        .replace(",!,", ",z,")
        .replace("No such", "")
        .replace("soon", "2027-01-01")
        .replace("going@", "gone@");
    assert_eq!(counts(&import(world, mended, json!({})).await), [6, 6, 5, 1, 0, 0]);
    assert_eq!(member(world, "d@example.com").await["freeAccess"]["expiresAt"], "2027-01-01T23:59:59.999Z");
    assert_eq!(member(world, "ok@example.com").await["name"], "=Ok");
});

both!(free_access_is_only_extended, async |world| {
    world.without_budgets().await;
    let dates = ["", "never", "2024-01-01", "2026-01-01", "2027-01-01"];
    let file = |column: usize| {
        let rows = (0..25).map(|n| format!("m{n}@example.com,{}\n", dates[if column == 0 { n / 5 } else { n % 5 }]));
        format!("email,free_access_until\n{}", rows.collect::<String>())
    };
    assert_eq!(counts(&import(world, file(0), json!({})).await), [25, 25, 25, 0, 0, 0]);
    world.clock.advance(std::time::Duration::from_secs(60));
    import(world, file(1), json!({})).await;
    // A year or `never`; what is over gives nothing.
    let rank = |date: &str| match date {
        "never" => 3,
        "2027-01-01" => 2,
        "2026-01-01" => 1,
        _ => 0,
    };
    for n in 0..25 {
        let (first, second) = (dates[n / 5], dates[n % 5]);
        let best = if rank(first) >= rank(second) { first } else { second };
        let made = member(world, &format!("m{n}@example.com")).await;
        let (free, status) = (&made["freeAccess"], made["status"].as_str().unwrap());
        match rank(best) {
            0 => assert_eq!((free, status), (&Value::Null, "free"), "{first} then {second}"),
            _ => {
                let end = if best == "never" { Value::Null } else { json!(format!("{best}T23:59:59.999Z")) };
                assert_eq!((&free["expiresAt"], status), (&end, "comped"), "{first} then {second}");
                let since = if rank(first) > 0 { "2025-01-01T12:00:00.000Z" } else { "2025-01-01T12:01:00.000Z" };
                assert_eq!(free["since"], since, "{first} then {second}");
            }
        }
    }
    let job = import(world, file(0), json!({ "freeAccess": { "expiresAt": "2028-01-01T00:00:00Z" } })).await;
    let never = (0..25).filter(|n| dates[n / 5] == "never" || dates[n % 5] == "never").count() as u64;
    assert_eq!(counts(&job), [25, 25, 0, 25 - never, never, 0]);
    let reply = world.call(
        &world.key,
        "members.import",
        json!({
            "upload": upload(world, "x").await["id"], "freeAccess": { "expiresAt": "2024-01-01T00:00:00Z" },
        }),
    );
    assert_eq!(reply.await.failure(), (200, "arguments_refused".into()));
});

both!(groups_and_bundles_are_given, async |world| {
    world.without_budgets().await;
    group(world).await;
    let bundle = world.one("bundles.create", json!({ "name": "All lessons" })).await["id"].clone();
    let file =
        "email,groups\na@example.com,\"Friends, old\"\nb@example.com,grp_01kan8v3t0e0rt8nfkzk1s7p4qe\nc@example.com,\n";
    assert_eq!(counts(&import(world, file, json!({})).await), [3, 3, 3, 0, 0, 0]);
    let places = "SELECT m.email FROM group_place p JOIN member m ON m.site = p.site AND m.id = p.member_id ORDER BY 1";
    assert_eq!(world.rows(places).await, ["a@example.com", "b@example.com"]);
    let args = json!({ "groups": [GROUP], "bundle": bundle });
    assert_eq!(counts(&import(world, file, args.clone()).await), [3, 3, 0, 3, 0, 0]);
    assert_eq!(counts(&import(world, file, args.clone()).await), [3, 3, 0, 0, 3, 0]);
    assert_eq!(world.rows(places).await.len(), 3);
    let owned = "SELECT id FROM entitlement WHERE source = 'import' AND expires_at IS NULL AND revoked_at IS NULL
                 AND granted_at <= 1735732860000000 ORDER BY id";
    let before = world.rows(owned).await;
    assert_eq!(before.len(), 3);
    // One was revoked and one is to end: both come back as they were, for life.
    world
        .rows(
            "UPDATE entitlement SET revoked_at = 1 WHERE member_id IN
                (SELECT id FROM member WHERE email_key = 'a@example.com') RETURNING id",
        )
        .await;
    world
        .rows(
            "UPDATE entitlement SET expires_at = 1935732800000000 WHERE member_id IN
                (SELECT id FROM member WHERE email_key = 'b@example.com') RETURNING id",
        )
        .await;
    assert_eq!(
        counts(&import(world, "email,bundle\na@example.com,all LESSONS\nb@example.com,All lessons\n", json!({})).await),
        [2, 2, 0, 2, 0, 0]
    );
    assert_eq!(world.rows(owned).await, before);
    for (args, code) in [
        (json!({ "groups": ["grp_01kan8v3t0e0rt8nfkzk1s7p4qe"] }), "group_not_found"),
        (json!({ "bundle": bundle }), "bundle_not_found"),
    ] {
        let (_, stranger) = world.other_site("Second", None).await;
        let mut args = args;
        args["upload"] = crate::uploads::send(world, &stranger, "", "a@example.com\n").await.json()["result"]["upload"]
            ["id"]
            .clone();
        assert_eq!(world.call(&stranger, "members.import", args).await.code(), code);
    }
    world.leaves_traces = true;
});

both!(a_dry_run_shows_what_would_become_of_each_row, async |world| {
    world.without_budgets().await;
    world.one("members.create", json!({ "email": "anna@example.com", "name": "Anna" })).await;
    let file = "email,name,tags,free_access_until,city\nanna@example.com,Anna,,,\nben@example.com,Ben,x,2027-01-01,Rome\n\
                ben@example.com,,y,,\nnobody,,,,\n";
    let args = json!({ "upload": upload(world, file).await["id"] });
    let body = json!({ "args": args, "dryRun": true });
    let dry = world.call_with(&world.key, "members.import", body, &[]).await.json();
    let preview = dry["result"]["preview"].clone();
    let access = dry["changes"].as_array().unwrap().iter().find(|one| one["kind"] == "membersAccess").unwrap();
    assert_eq!(access["after"], json!({ "exact": true, "freeAccess": 1, "bundlesGranted": 0 }));
    let verdicts: Vec<_> =
        preview["rows"].as_array().unwrap().iter().map(|row| row["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["unchanged", "created", "updated", "invalid"]);
    assert_eq!(
        preview["counts"],
        json!({ "total": 4, "exact": true, "created": 1, "updated": 1, "unchanged": 1, "invalid": 1, "freeAccess": 1,
                "bundlesGranted": 0 })
    );
    assert_eq!(preview["ignoredColumns"], json!(["city"]));
    let ben = &preview["rows"][1];
    assert_eq!((&ben["freeAccessExpiresAt"], &ben["tags"]), (&json!("2027-01-01T23:59:59.999Z"), &json!(["x"])));
    assert_eq!(preview["rows"][3]["code"], "invalid_address");
    assert_eq!(world.rows("SELECT email FROM member").await, ["anna@example.com"]);
});

both!(an_upload_of_another_site_is_none, async |world| {
    let (_, stranger) = world.other_site("Second", None).await;
    let args = json!({ "upload": upload(world, "a@example.com\n").await["id"] });
    assert_eq!(world.call(&stranger, "members.import", args).await.code(), "upload_not_found");
});

both!(two_imports_at_once_make_each_member_once, async |world| {
    world.without_budgets().await;
    const ROWS: usize = 3000;
    let file = |tag: &str| {
        let rows = (0..ROWS).map(|n| format!("{}@example.com,{tag}\n", n * 7919 % 100_003));
        format!("email,tags\n{}", rows.collect::<String>())
    };
    let mut jobs = Vec::new();
    for tag in ["a", "b", "c"] {
        let args = json!({ "upload": upload(world, file(tag)).await["id"] });
        jobs.push(world.ok("members.import", args).await["job"]["id"].clone());
    }
    let mut created = 0;
    for id in jobs {
        let [_, done, made, updated, unchanged, invalid] = counts(&world.job(&id).await);
        assert_eq!((done, made + updated, unchanged, invalid), (ROWS as u64, ROWS as u64, 0, 0));
        created += made;
    }
    assert_eq!(created, ROWS as u64);
    assert_eq!(world.rows("SELECT email FROM member").await.len(), ROWS);
    assert_eq!(world.rows("SELECT tag FROM member_tag").await.len(), 3 * ROWS);
});

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_too_many_rows_makes_no_member() {
    let mut world = World::start(Backend::Sqlite).await;
    let file = "a@b.de\n".repeat(1_000_001);
    let job = import(&world, file, json!({})).await;
    assert_eq!((&job["status"], &job["error"]["code"]), (&json!("failed"), &json!("too_many_rows")), "{job}");
    assert_eq!(world.rows("SELECT email FROM member").await, Vec::<String>::new());
    world.leaves_traces = true;
    world.end().await;
}
