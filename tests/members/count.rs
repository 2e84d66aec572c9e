//! How many members there are: counted without counting, and the same as the rows say.

use std::{collections::HashMap, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use usher::areas::members::fold_some;

use super::delete::job;
use crate::{
    harness::{Backend, World},
    imports::import,
};

/// What the rows say: by status, and how many have an address on the list.
async fn by_rows(world: &World) -> Value {
    let (mut statuses, mut count) = (HashMap::<String, u64>::new(), 0);
    let mut args = json!({ "limit": 200 });
    loop {
        let page = world.ok("members.list", args.clone()).await;
        let members = page["items"].as_array().unwrap();
        for member in members {
            *statuses.entry(member["status"].as_str().unwrap().to_owned()).or_default() += 1;
            count += 1;
        }
        match page.get("nextCursor") {
            Some(cursor) => args["cursor"] = cursor.clone(),
            None => break,
        }
    }
    // A block that is kept as the hash of an address is not counted.
    let blocked =
        "SELECT CAST(count(*) AS TEXT) FROM member m JOIN block b ON b.site = m.site AND b.email_key = m.email_key
                   WHERE m.site = 1";
    let blocked: u64 = world.rows(blocked).await[0].parse().unwrap();
    let of = |status: &str| statuses.get(status).copied().unwrap_or(0);
    let by_status = json!({ "free": of("free"), "paid": of("paid"), "comped": of("comped") });
    json!({ "count": count, "byStatus": by_status, "blocked": blocked })
}

/// The counters agree with the rows, in whatever way they are asked.
async fn agree(world: &World, when: &str) {
    let rows = by_rows(world).await;
    assert_eq!(world.ok("members.count", json!({})).await, rows, "{when}");
    for status in ["free", "paid", "comped"] {
        let counted = world.ok("members.count", json!({ "status": status })).await;
        assert_eq!(counted, json!({ "count": rows["byStatus"][status] }), "{when}: {status}");
    }
    let blocked = world.ok("members.count", json!({ "blocked": true })).await;
    let others = world.ok("members.count", json!({ "blocked": false })).await;
    assert_eq!(blocked["count"], rows["blocked"], "{when}");
    assert_eq!(others["count"].as_u64(), Some(rows["count"].as_u64().unwrap() - rows["blocked"].as_u64().unwrap()));
}

async fn fold_all(world: &World) {
    while fold_some(&world.app).await.expect("it folds") > 0 {}
}

/// Changes of one history.
const STEPS: usize = 160;

both!(the_counters_agree_with_the_rows_whatever_happens, async |world| {
    world.without_budgets().await;
    world.settings(|settings| settings.destructive_per_day = 1_000_000).await;
    let plan = json!({ "name": "Gold", "amount": 900, "currency": "EUR", "every": "month" });
    let plan = world.ok("plans.create", plan).await["plan"]["id"].clone();
    let mut random = StdRng::seed_from_u64(22);
    agree(world, "nobody").await;
    for step in 0..STEPS {
        let address = |n: u32| format!("m{n}@example.com");
        let email = address(random.random_range(0..25));
        let other = address(random.random_range(0..25));
        let member = json!({ "email": email });
        let until = (world.clock.now() + Duration::from_secs(random.random_range(60..200_000))).to_string();
        let act = random.random_range(0..15);
        let (tool, args) = match act {
            0..=3 => ("members.create", json!({ "email": email })),
            4 => ("members.create", json!({ "email": email, "freeAccess": { "expiresAt": until } })),
            5 => ("members.update", json!({ "member": member, "email": other })),
            6 => ("access.grantFree", json!({ "member": member, "expiresAt": until })),
            7 => ("access.removeFree", json!({ "member": member })),
            8 | 9 => ("blocklist.add", json!({ "emails": [email, other] })),
            10 => ("blocklist.remove", json!({ "emails": [email] })),
            11 => (
                "subscriptions.recordExternal",
                json!({ "member": member, "plan": plan, "source": "shop", "reference": format!("S-{step}"), "expiresAt": until }),
            ),
            12 => ("members.delete", json!({ "member": member })),
            13 => ("members.merge", json!({ "winner": member, "loser": { "email": other } })),
            _ => {
                world.clock.advance(Duration::from_secs(random.random_range(1..100_000)));
                continue;
            }
        };
        let reply = world.call(&world.key, tool, args.clone()).await;
        let answer = reply.json();
        assert!([200, 400].contains(&reply.status), "{tool} {args}: {answer}");
        if let (true, true) =
            (answer["ok"] == true, answer["result"].get("job").is_some_and(|job| job["id"].is_string()))
        {
            world.job(&answer["result"]["job"]["id"]).await;
        }
        if random.random_ratio(1, 8) {
            _ = fold_some(&world.app).await.expect("it folds");
        }
        if random.random_ratio(1, 6) {
            agree(world, &format!("after step {step}, {tool} {args}")).await;
        }
    }
    agree(world, "at the end").await;
    fold_all(world).await;
    agree(world, "folded").await;
    // What is paid elsewhere and what is given ends by the passing of time alone.
    world.clock.advance(Duration::from_secs(400 * 86_400));
    agree(world, "a year later").await;
    world.leaves_traces = true;
});

both!(an_import_of_members_and_of_blocks_is_counted, async |world| {
    world.without_budgets().await;
    let file: String = (0..700).map(|n| format!("m{n}@example.com,N{n}\n")).collect();
    let done = import(world, format!("email,name\n{file}"), json!({})).await;
    assert_eq!(done["result"]["created"], 700, "{done}");
    let emails: Vec<_> = (600..900).map(|n| format!("M{n}@example.com")).collect();
    let blocks = world.call(&world.key, "blocklist.import", json!({ "emails": emails, "reason": "unsubscribe" })).await;
    job(world, &blocks).await;
    agree(world, "imported").await;
    let counted = world.ok("members.count", json!({})).await;
    assert_eq!((&counted["count"], &counted["blocked"]), (&json!(700), &json!(100)));
    fold_all(world).await;
    agree(world, "folded").await;
    let undone = world.call(&world.key, "blocklist.undoImport", json!({ "job": blocks.result()["job"]["id"] })).await;
    job(world, &undone).await;
    assert_eq!(world.ok("members.count", json!({})).await["blocked"], 0);
    // Another site has counters of its own.
    let (_, stranger) = world.other_site("Second", None).await;
    let nobody = world.call(&stranger, "members.count", json!({})).await.result();
    let none = json!({ "free": 0, "paid": 0, "comped": 0 });
    assert_eq!(nobody, json!({ "count": 0, "byStatus": none, "blocked": 0 }));
});

both!(who_is_made_and_blocked_at_the_same_moment_is_counted_once, async |world| {
    world.without_budgets().await;
    let world = &*world;
    for round in 0..4 {
        let calls = (0..24).map(async |n| {
            let email = format!("m{}@example.com", n / 2);
            let (tool, args) = match (n % 2, round % 2) {
                (0, 0) => ("members.create", json!({ "email": email })),
                (0, _) => {
                    ("members.update", json!({ "member": { "email": email }, "email": format!("x{round}.{email}") }))
                }
                (_, 0) => ("blocklist.add", json!({ "emails": [email] })),
                _ => ("blocklist.remove", json!({ "emails": [email] })),
            };
            world.call(&world.key, tool, args).await.result();
            if n % 7 == 0 {
                fold_some(&world.app).await.expect("it folds");
            }
        });
        futures_util::future::join_all(calls).await;
        agree(world, &format!("round {round}")).await;
        fold_all(world).await;
        agree(world, &format!("round {round}, folded")).await;
    }
});

both!(other_filters_are_counted_one_by_one, async |world| {
    world.without_budgets().await;
    for n in 0..5 {
        let tags = if n % 2 == 0 { json!(["even"]) } else { json!([]) };
        world.one("members.create", json!({ "email": format!("m{n}@example.com"), "tags": tags })).await;
    }
    world.clock.advance(Duration::from_secs(10));
    world.one("members.create", json!({ "email": "late@example.org", "tags": ["even"] })).await;
    let since = world.clock.now().to_string();
    for (filter, n) in [
        (json!({ "tag": "even" }), 4),
        (json!({ "tag": "even", "status": "free" }), 4),
        (json!({ "tag": "even", "status": "comped" }), 0),
        (json!({ "text": "late" }), 1),
        (json!({ "createdFrom": since }), 1),
        (json!({ "createdUntil": since }), 5),
        (json!({ "updatedFrom": since }), 1),
    ] {
        assert_eq!(world.ok("members.count", filter.clone()).await, json!({ "count": n }), "{filter}");
    }
    let both = json!({ "blocked": true, "tag": "even" });
    world.call(&world.key, "members.count", both).await.is_refused_for_arguments();
});

/// A million members are counted in under 50 ms; run it with `--ignored`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
#[expect(clippy::print_stderr, reason = "what it measures")]
async fn a_million_members_are_counted_at_once() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let mut world = World::start(backend).await;
        world.without_budgets().await;
        let series = match backend {
            Backend::Sqlite => {
                "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000000) SELECT n FROM n"
            }
            Backend::Postgres => "SELECT generate_series(1, 1000000) AS n",
        };
        world
            .execute(&format!(
                "INSERT INTO member (site, id, email, email_key, name_key, status, free_since, created_at, updated_at, words)
                 SELECT 1, 'mem_' || n, n || '@example.com', n || '@example.com', '',
                        CASE WHEN n % 3 = 0 THEN 'comped' ELSE 'free' END, CASE WHEN n % 3 = 0 THEN 1 END, 1, 1, ''
                 FROM ({series}) s"
            ))
            .await;
        world
            .execute(&format!(
                "INSERT INTO block (site, email_key, id, email, strength, source, first_seen, updated_at)
                 SELECT 1, (n * 10) || '@example.com', 'blk_' || n, (n * 10) || '@example.com', 1, 'api', 1, 1
                 FROM ({series}) s"
            ))
            .await;
        let began = std::time::Instant::now();
        fold_all(&world).await;
        eprintln!("{backend:?}: folded in {:?}", began.elapsed());
        let mut best = Duration::MAX;
        for _ in 0..10 {
            let began = std::time::Instant::now();
            let counted = world.ok("members.count", json!({})).await;
            best = best.min(began.elapsed());
            assert_eq!((&counted["count"], &counted["blocked"]), (&json!(1_000_000), &json!(100_000)));
        }
        eprintln!("{backend:?}: counted in {best:?}");
        assert!(best < Duration::from_millis(50), "{best:?}");
        world.end().await;
    }
}

both!(members_are_listed_and_counted_where_no_status_can_be_written, async |world| {
    let end = (world.clock.now() + Duration::from_secs(3600)).to_string();
    world.one("members.create", json!({ "email": "anna@example.com", "freeAccess": { "expiresAt": end } })).await;
    world.clock.advance(Duration::from_secs(7200));
    // As on a full disk: nothing about members can be written.
    if world.app.db.postgres().is_some() {
        world
            .execute(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk full'; END $$",
            )
            .await;
        world.execute("CREATE TRIGGER full_disk BEFORE UPDATE ON member EXECUTE FUNCTION full_disk()").await;
    } else {
        world
            .execute("CREATE TRIGGER full_disk BEFORE UPDATE ON member BEGIN SELECT RAISE(ABORT, 'disk full'); END")
            .await;
    }
    let listed = world.ok("members.list", json!({ "status": "comped" })).await;
    let counted = world.ok("members.count", json!({ "status": "free" })).await;
    // The list goes by what could be written last; what is counted and shown is what holds now.
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!((&listed["items"][0]["status"], &counted["count"]), (&json!("free"), &json!(1)));
});
