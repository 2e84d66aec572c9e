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
    let found = Found::read(place).await;
    let made = found.makers();
    let answered = ledger.answered.iter().map(|one| (&one.request, one.write.tool, one.replayed));
    let reads = ledger.reads.iter().map(|(request, tool)| (request, *tool, false));
    for (request, tool, replayed) in answered.chain(reads) {
        let row = found.log.get(request).unwrap_or_else(|| panic!("no row of the log: {tool} {request}"));
        let (status, count) = (row.status.as_str(), row.count.as_str());
        assert_eq!((row.tool.as_str(), status, row.is_replay, count), (tool, "ok", replayed, "1"), "{request}");
    }
    let failed: Vec<_> = found.log.values().filter(|row| ["failed", "rejected"].contains(&&*row.status)).collect();
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

/// Members and the log, as they were at one moment.
struct Found {
    /// Ids and addresses.
    members: Vec<(String, String)>,
    log: HashMap<String, Row>,
}

#[derive(Debug)]
struct Row {
    tool: String,
    member: String,
    status: String,
    is_replay: bool,
    count: String,
    /// Whether its changes name the member.
    changes_member: bool,
}

impl Found {
    /// In one statement, since a transaction of a process that is dead may still end on PostgreSQL.
    async fn read(place: &Installation) -> Self {
        let rows = place.rows::<7>(
            "SELECT 'member', id, email_key, '', '', '', '' FROM member
             UNION ALL
             SELECT tool, id, COALESCE(member_id, ''), status, CASE WHEN replayed THEN 'yes' ELSE 'no' END,
                    CAST(count AS TEXT), CASE WHEN changes LIKE '%' || member_id || '%' THEN 'yes' ELSE 'no' END
             FROM activity WHERE actor = 'key'",
        );
        let mut found = Self { members: Vec::new(), log: HashMap::new() };
        for [tool, id, member, status, replayed, count, changes] in rows.await {
            if tool == "member" {
                found.members.push((id, member));
                continue;
            }
            let (is_replay, changes_member) = (replayed == "yes", changes == "yes");
            found.log.insert(id, Row { tool, member, status, is_replay, count, changes_member });
        }
        found
    }

    /// By address, the request that made each member. Asserts that each has one, and that none is without its member.
    fn makers(&self) -> BTreeMap<String, String> {
        let mut makers = HashMap::new();
        for (request, row) in &self.log {
            if row.tool == "members.create" && row.status == "ok" && !row.is_replay {
                assert!(row.changes_member, "{request} has not written what it made");
                assert!(makers.insert(row.member.as_str(), request).is_none(), "two calls made {}", row.member);
            }
        }
        let maker = |(id, email): &(String, String)| {
            let request = makers.remove(id.as_str()).unwrap_or_else(|| panic!("no row of the log made {email}"));
            (email.clone(), request.clone())
        };
        let by_address: BTreeMap<_, _> = self.members.iter().map(maker).collect();
        assert!(makers.is_empty(), "rows of the log without their members: {makers:?}");
        assert_eq!(by_address.len(), self.members.len(), "two members with one address");
        by_address
    }
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
    let job = client.call("jobs.get", json!({ "job": id })).await.result()["job"].clone();
    assert_eq!(job["status"], "succeeded", "{job}");
    let errors = client.get(&text(&job["result"]["errorFile"])).await;
    assert_eq!(errors.status, 200, "{}", errors.text);
    let bad: Vec<_> = errors.text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(bad.len(), list.bad.len(), "list {}", list.number);
    assert_eq!(bad.iter().copied().collect::<BTreeSet<_>>(), list.bad.iter().map(String::as_str).collect());
    job["progress"].clone()
}
