//! The block list: added to, looked at and taken from by calls.

pub mod archives;
mod imports;
mod understood;
mod undo;

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

/// What a dry run of an import says.
async fn preview(world: &World, args: Value) -> Value {
    let reply = world.call_with(&world.key, "blocklist.import", json!({ "args": args, "dryRun": true }), &[]).await;
    reply.result()["preview"].clone()
}

/// total, done, added, already, strengthened, skipped, unclear and invalid.
fn counts(job: &Value) -> [u64; 8] {
    assert_eq!(job["status"], "succeeded", "{job}");
    let names = ["total", "done", "added", "already", "strengthened", "skipped", "unclear", "invalid"];
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
    let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
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
    assert_eq!(results[3]["block"], entry(world, "anna@").await["id"]);
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
