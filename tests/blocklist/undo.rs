//! Taking an import back.

use serde_json::{Value, json};

use super::{add, counts, entry, import};
use crate::harness::World;

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
    assert_eq!(counts(&second), [4, 4, 2, 0, 2, 0, 0, 0]);
    add(world, "after@example.com", "manual").await;
    assert_eq!(entry(world, "both@").await["firstSeen"], "2020-02-01T00:00:00.000Z");

    // Each entry names its import, and a dry run counts.
    assert_eq!(entry(world, "alone2@").await["job"], second["id"]);
    assert!(entry(world, "after@").await["job"].is_string());
    let dry = json!({ "args": { "job": second["id"] }, "dryRun": true });
    let would = world.call_with(&world.key, "blocklist.undoImport", dry, &[]).await.result();
    assert_eq!(would["preview"], json!({ "removed": 1, "kept": 3 }));
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
    assert_eq!((&both["note"], &both["firstSeen"]), (&json!("first"), &json!("2020-05-01T00:00:00.000Z")));
    assert!(entry(world, "before@").await.get("note").is_none());

    let again = world.call(&world.key, "blocklist.undoImport", json!({ "job": second["id"] })).await;
    assert_eq!(again.code(), "import_undone");
    assert_eq!(world.call(&world.key, "jobs.retry", json!({ "job": second["id"] })).await.code(), "job_not_retryable");
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
