//! What must hold after each restart, and at the end.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::{
    clients::{Client, Ledger},
    lists::List,
    server::{Installation, text},
};

/// Each answered call is there once, each other one wholly or not at all.
pub async fn calls(place: &Installation, ledger: &Ledger) {
    let made = members(place).await;
    let log = log(place).await;
    for one in &ledger.answered {
        let row = log.get(&one.request).unwrap_or_else(|| panic!("no row of the log: {one:?}"));
        let expected =
            Row { tool: one.write.tool.into(), status: "ok".into(), replayed: one.replayed, count: "1".into() };
        assert_eq!(*row, expected, "{one:?}");
    }
    for (request, tool) in &ledger.reads {
        let row = log.get(request).unwrap_or_else(|| panic!("no row of the log: {tool} {request}"));
        let expected = Row { tool: (*tool).into(), status: "ok".into(), replayed: false, count: "1".into() };
        assert_eq!(*row, expected, "{tool} {request}");
    }
    let failed: Vec<_> = log.iter().filter(|(_, row)| row.status == "failed" || row.status == "rejected").collect();
    assert!(failed.is_empty(), "calls failed: {failed:?}");

    let mut known = BTreeSet::new();
    for one in ledger.answered.iter().filter(|one| one.write.tool == "members.create") {
        let email = text(&one.write.args["email"]);
        let request = made.get(&email).unwrap_or_else(|| panic!("no member: {one:?}"));
        assert!(one.replayed || *request == one.request, "made by {request}: {one:?}");
        assert!(known.insert(email), "answered twice: {one:?}");
    }
    known.extend(ledger.unanswered.iter().filter_map(|one| Some(one.args["email"].as_str()?.to_owned())));
    let strange: Vec<_> = made.keys().filter(|email| !known.contains(*email)).collect();
    assert!(strange.is_empty(), "members that nobody made: {strange:?}");
}

/// The members, each with the request that made it. Asserts that there is one for each, with its change, and that no
/// such request is without its member.
async fn members(place: &Installation) -> BTreeMap<String, String> {
    let rows: Vec<[String; 3]> = place
        .rows(
            "SELECT m.email_key, CAST(count(a.id) AS TEXT), COALESCE(min(a.id), '') FROM member m
             LEFT JOIN activity a ON a.site = m.site AND a.member_id = m.id AND a.tool = 'members.create'
               AND a.status = 'ok' AND NOT a.replayed AND a.changes LIKE '%' || m.id || '%'
             GROUP BY m.site, m.id, m.email_key",
        )
        .await;
    let n_rows = rows.len();
    let members: BTreeMap<_, _> = rows
        .into_iter()
        .map(|[email, n, request]| {
            assert_eq!(n, "1", "rows of the log that make {email}");
            (email, request)
        })
        .collect();
    assert_eq!(members.len(), n_rows, "two members with one address");
    let orphans: Vec<[String; 1]> = place
        .rows(
            "SELECT a.id FROM activity a WHERE a.tool = 'members.create' AND a.status = 'ok' AND NOT a.replayed
             AND NOT EXISTS (SELECT 1 FROM member m WHERE m.site = a.site AND m.id = a.member_id)",
        )
        .await;
    assert!(orphans.is_empty(), "rows of the log without their members: {orphans:?}");
    members
}

#[derive(Debug, PartialEq)]
struct Row {
    tool: String,
    status: String,
    replayed: bool,
    count: String,
}

async fn log(place: &Installation) -> HashMap<String, Row> {
    let rows: Vec<[String; 5]> = place
        .rows(
            "SELECT id, tool, status, CASE WHEN replayed THEN 'yes' ELSE 'no' END, CAST(count AS TEXT) FROM activity
             WHERE actor = 'key'",
        )
        .await;
    let row = |[id, tool, status, replayed, count]: [String; 5]| {
        (id, Row { tool, status, replayed: replayed == "yes", count })
    };
    rows.into_iter().map(row).collect()
}

/// Each list was imported once and whole.
pub async fn lists(place: &Installation, client: &Client, ledger: &Ledger, lists: &[List]) {
    let ended: Vec<[String; 2]> = place
        .rows("SELECT COALESCE(job_id, ''), status FROM activity WHERE tool = 'jobs.blocklist.import' ORDER BY job_id")
        .await;
    let jobs: Vec<[String; 2]> = place
        .rows("SELECT id, 'ok' FROM job WHERE kind = 'blocklist.import' AND state = 'succeeded' ORDER BY id")
        .await;
    assert_eq!(jobs.len(), lists.len(), "a job for each list");
    assert_eq!(ended, jobs, "an end in the log for each job");

    let (mut n_added, mut addresses) = (0, BTreeSet::new());
    for list in lists {
        let progress = job(client, ledger, list).await;
        let count = |name: &str| progress[name].as_u64().unwrap_or_else(|| panic!("no {name}: {progress}")) as usize;
        assert_eq!((count("done"), count("total"), count("invalid")), (list.n_rows, list.n_rows, list.bad.len()));
        let sum = count("added") + count("already") + count("strengthened") + count("invalid");
        assert_eq!(sum, list.n_rows, "list {}: {progress}", list.number);
        n_added += count("added");
        addresses.extend(list.addresses.iter().cloned());
    }
    let blocked: Vec<[String; 2]> = place.rows("SELECT email_key, CAST(strength AS TEXT) FROM block").await;
    assert_eq!((blocked.len(), n_added), (addresses.len(), addresses.len()));
    let strongest = if lists.len() > 1 { "5" } else { "2" };
    for [email, strength] in &blocked {
        assert!(addresses.contains(email), "{email} is in no list");
        assert!(!email.starts_with("shared") || strength == strongest, "{email}: {strength}");
    }
}

/// The counts of a list's job, whose error file has each bad row once.
async fn job(client: &Client, ledger: &Ledger, list: &List) -> Value {
    let answers = ledger.answered.iter().filter(|one| one.write.args["upload"] == json!(list.upload));
    let jobs: BTreeSet<_> = answers.filter_map(|one| one.job.as_deref()).collect();
    assert_eq!(jobs.len(), 1, "list {}: {jobs:?}", list.number);
    let id = jobs.first().expect("one job");
    let job = client.call("jobs.get", json!({ "id": id })).await.result()["job"].clone();
    assert_eq!(job["status"], "succeeded", "{job}");
    let errors = client.get(&text(&job["result"]["errorFile"])).await;
    assert_eq!(errors.status, 200, "{}", errors.text);
    let bad: Vec<_> = errors.text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(bad.len(), list.bad.len(), "list {}", list.number);
    assert_eq!(bad.iter().copied().collect::<BTreeSet<_>>(), list.bad.iter().map(String::as_str).collect());
    job["progress"].clone()
}
