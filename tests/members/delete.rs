//! A member that is deleted: what goes, what is rewritten, what stays.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use usher::{
    areas::members::erase::{Fate, TABLES},
    values::{PlanId, SubscriptionId},
};

use crate::harness::{Backend, Reply, World};

/// What the person is called, nowhere else used.
const NAME: &str = "Annika Perlmutter";

pub fn id(value: &Value) -> &str {
    value["id"].as_str().expect("an id")
}

/// A member with one of everything.
pub async fn with_everything(world: &World, email: &str, name: &str) -> Value {
    let args = json!({ "email": email, "name": name, "note": format!("{name} paints"), "tags": ["vip", "early"] });
    let member = world.one("members.create", args).await;
    let who = json!({ "id": member["id"] });
    for n in 0..3 {
        let video = world.one("videos.create", json!({ "title": format!("{name} {n}") })).await;
        let watch = json!({ "member": who, "video": video["id"], "positionS": 60 + n });
        world.one("videos.recordWatch", watch).await;
        let comment = json!({ "member": who, "video": video["id"], "text": format!("{name} says hello") });
        world.one("comments.create", comment).await;
    }
    let bundle = world.one("bundles.create", json!({ "name": format!("Of {}", id(&member)) })).await;
    let (id, bundle) = (id(&member), id(&bundle));
    let bytes = if world.app.db.postgres().is_some() { "BYTEA" } else { "BLOB" };
    for text in [
        format!(
            "INSERT INTO entitlement (site, id, member_id, bundle_id, source, granted_at, direct_since, created_at,
                                          updated_at)
                 VALUES (1, 'ent_{id}', '{id}', '{bundle}', 'api', 1, 1, 1, 1)"
        ),
        format!(
            "INSERT INTO granted_order (site, order_id, member_id, bundle_id, granted_at)
                 VALUES (1, 'order-{id}', '{id}', '{bundle}', 1)"
        ),
        format!(
            "INSERT INTO member_group (site, id, name, name_key, created_at, updated_at)
                 VALUES (1, 'grp_{id}', 'Of {id}', 'of {id}', 1, 1)"
        ),
        format!("INSERT INTO group_place (site, group_id, member_id, added_at) VALUES (1, 'grp_{id}', '{id}', 1)"),
        format!(
            "INSERT INTO login_link (site, id, member_id, hash, created_at, expires_at, used_at)
                 VALUES (1, 'lnk_{id}', '{id}', CAST('{id}' AS {bytes}), 1, 4102444800000000, 1)"
        ),
    ] {
        world.execute(&text).await;
    }
    member
}

async fn subscribe(world: &World, member: &Value, status: &str, external: &str) {
    let id = id(member);
    let (own, plan): (SubscriptionId, PlanId) = (world.app.clock.id(), world.app.clock.id());
    // Each is another one at Stripe.
    let external = external.replace("sub_stripe", &format!("sub_stripe_{id}"));
    world
        .execute(&format!(
            "INSERT INTO subscription (site, id, member_id, plan_id, status, started_at, external_id, created_at, updated_at,
                                       source, ticket)
             VALUES (1, '{own}', '{id}', '{plan}', '{status}', 1, {external}, 1, 1, 'x', 0)"
        ))
        .await;
}

pub async fn job(world: &World, reply: &Reply) -> Value {
    let job = world.job(&reply.result()["job"]["id"]).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    job["result"].clone()
}

/// Every row of every table, as text.
pub async fn everything(world: &World) -> Vec<String> {
    let mut all = Vec::new();
    for (table, columns) in columns(world).await {
        let texts: Vec<_> = columns.iter().map(|column| format!("COALESCE(CAST(\"{column}\" AS TEXT), '')")).collect();
        let text = format!("SELECT '{table}: ' || {} FROM \"{table}\"", texts.join(" || ' ' || "));
        all.extend(world.rows(Box::leak(text.into_boxed_str())).await);
    }
    all
}

/// How many rows there are, but for those of work that comes round by itself.
async fn kept(world: &World) -> usize {
    let comes_round = ["job: 0 ", "ticket: ", "Jobs: ", "Workers: ", "jobs: ", "workers: "];
    everything(world).await.iter().filter(|row| !comes_round.iter().any(|start| row.starts_with(start))).count()
}

/// The tables of the schema with their columns, but for those that hold bytes.
pub async fn columns(world: &World) -> Vec<(String, Vec<String>)> {
    let lines = match world.app.db.postgres() {
        None => {
            world
                .rows(
                    "SELECT m.name || '|' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
                     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND c.type <> 'BLOB'",
                )
                .await
        }
        Some(_) => {
            world
                .rows(
                    "SELECT table_name || '|' || column_name FROM information_schema.columns
                     WHERE table_schema = 'public' AND data_type <> 'bytea'",
                )
                .await
        }
    };
    let mut tables: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    for line in lines {
        let (table, column) = line.split_once('|').expect("two names");
        tables.entry(table.to_owned()).or_default().push(column.to_owned());
    }
    tables.into_iter().collect()
}

both!(nothing_of_the_person_is_left_and_each_row_is_counted, async |world| {
    world.without_budgets().await;
    let anna = with_everything(world, "Annika@Example.com", NAME).await;
    let ben = with_everything(world, "ben@example.com", "Ben").await;
    subscribe(world, &anna, "active", "NULL").await;
    let who = json!({ "email": "ANNIKA@example.com" });
    let kept = json!({ "args": { "member": who, "name": NAME, "note": "moved" } });
    world.call_with(&world.key, "members.update", kept.clone(), &[("idempotency-key", "first")]).await.one();
    // In the log without being about the member.
    world.ok("blocklist.add", json!({ "emails": ["annika@example.com"], "note": NAME })).await;
    world.ok("blocklist.add", json!({ "emails": ["annika@example.com", "ben@example.com"], "note": "both" })).await;
    world.ok("blocklist.check", json!({ "emails": ["annika@EXAMPLE.com"] })).await;
    let refused =
        world.call(&world.key, "members.create", json!({ "email": "annika@example.com", "name": NAME })).await;
    assert_eq!(refused.code(), "member_exists");
    assert_eq!(world.call(&world.key, "annika@example.com", json!({})).await.status, 404);
    // An address that the member had before.
    world.one("members.update", json!({ "member": who, "email": "former@example.com" })).await;
    world.one("members.get", json!({ "member": { "email": "Former@example.com" } })).await;
    world
        .one("members.update", json!({ "member": { "email": "former@example.com" }, "email": "annika@example.com" }))
        .await;
    let others = |rows: Vec<String>| -> BTreeSet<String> {
        rows.into_iter().filter(|row| row.contains(id(&ben)) && !row.starts_with("activity")).collect()
    };
    let before = others(everything(world).await);

    let reply = world.call(&world.key, "members.delete", json!({ "member": who })).await;
    assert_eq!((&reply.result()["member"], &reply.result()["changed"]), (&anna["id"], &json!(true)));
    let result = job(world, &reply).await;
    for (kind, n) in [
        ("watch", 3),
        ("comments", 3),
        ("entitlements", 1),
        ("orders", 1),
        ("tags", 2),
        ("groups", 1),
        ("subscriptions", 1),
        ("links", 1),
        ("blocks", 1),
        ("answers", 1),
        ("jobs", 0),
    ] {
        assert_eq!(result[kind], n, "{kind}: {result}");
    }
    let after = everything(world).await;
    for trace in ["annika", "perlmutter", "former@"] {
        let left: Vec<_> = after
            .iter()
            .filter(|row| row.to_lowercase().contains(trace))
            // What videos and the site's own words are called is not the member's.
            .filter(|row| {
                !row.starts_with("video:") && !row.contains("\"videos.create") && !row.contains("videos.create")
            })
            .collect();
        assert!(left.is_empty(), "{trace}: {left:#?}");
    }
    let rewritten = after.iter().filter(|row| row.starts_with("activity") && row.contains("erased")).count();
    assert_eq!(result["activity"], rewritten, "{result}");
    assert_eq!(others(after), before);
    let gone = world.call(&world.key, "members.get", json!({ "member": { "id": anna["id"] } })).await;
    assert_eq!(gone.code(), "member_not_found");
    // A replay does not tell either.
    let replay = world.call_with(&world.key, "members.update", kept, &[("idempotency-key", "first")]).await;
    assert_eq!(replay.header("idempotent-replayed"), "true");
    assert_eq!(replay.one()["email"], format!("erased:{}", id(&anna)));
    assert!(!replay.text.contains(NAME) && !replay.text.contains("moved"), "{}", replay.text);
    // The address is free.
    world.one("members.create", json!({ "email": "annika@example.com" })).await;
});

both!(an_address_with_letters_is_erased_however_it_was_written, async |world| {
    world.without_budgets().await;
    let member = world.one("members.create", json!({ "email": "jos\u{e9}@b\u{fc}cher.example" })).await;
    for text in
        ["JOSE\u{301}@B\u{fc}cher.example", "jos\u{e9}@xn--bcher-kva.example", "JOS\u{c9}@BU\u{308}CHER.EXAMPLE"]
    {
        world.one("members.get", json!({ "member": { "email": text } })).await;
        world.ok("blocklist.check", json!({ "emails": ["other@example.com", text] })).await;
    }
    let reply = world.call(&world.key, "members.delete", json!({ "member": { "id": member["id"] } })).await;
    assert_eq!(job(world, &reply).await["activity"], 8);
    let rows = world.rows("SELECT COALESCE(args, '') || COALESCE(changes, '') FROM activity").await;
    assert!(rows.iter().all(|row| !row.contains("cher") && !row.to_lowercase().contains("jos")), "{rows:#?}");
    assert_eq!(rows.iter().filter(|row| row.contains("other@example.com")).count(), 3);
});

both!(a_long_log_is_read_to_its_end, async |world| {
    world.without_budgets().await;
    let (other, _) = world.other_site("Second", None).await;
    let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let now = world.clock.now().micros();
    let email = "CASE WHEN i % 1000 = 0 THEN 'Anna@example.com' ELSE 'joanna@example.com' END";
    for site in [1, other.id.number()] {
        world
            .execute(&format!(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
                 INSERT INTO activity (site, id, at, actor, surface, tool, args, status, duration_us, dry_run, replayed, count)
                 SELECT {site}, 'req_00' || i, {now}, 'key', 'http', 'members.get', '{{\"member\":{{\"email\":\"' || {email} || '\"}}}}',
                        'ok', 1, FALSE, FALSE, 1 FROM n"
            ))
            .await;
    }
    let reply = world.call(&world.key, "members.delete", json!({ "member": { "id": anna["id"] } })).await;
    // Those twelve, and the two calls about the member.
    assert_eq!(job(world, &reply).await["activity"], 14);
    let rows = world.rows("SELECT site || args FROM activity WHERE lower(args) LIKE '%\"anna@%' ORDER BY site").await;
    assert_eq!(rows.len(), 12);
    assert!(rows.iter().all(|row| row.starts_with(&other.id.number().to_string())), "{rows:?}");
});

both!(a_block_outlasts_the_member_as_a_hash, async |world| {
    world.without_budgets().await;
    let check = json!({ "emails": ["Anna@example.com", "ben@example.com"] });
    let blocked = async |world: &World| {
        let checked = world.ok("blocklist.check", check.clone()).await;
        (checked["results"][0]["blocked"].clone(), checked["results"][0]["reason"].clone())
    };
    for round in 0..2 {
        let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await;
        let reason = ["unsubscribe", "complaint"][round];
        let block = json!({ "emails": ["anna@example.com"], "reason": reason, "note": "Anna asked" });
        assert_eq!(world.ok("blocklist.add", block).await["added"], 1);
        let reply = world.call(&world.key, "members.delete", json!({ "member": { "id": anna["id"] } })).await;
        assert_eq!(job(world, &reply).await["blocks"], 1);
        assert_eq!(blocked(world).await, (json!(true), json!(reason)));
        let list = world.ok("blocklist.list", json!({})).await;
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
        assert!(id_like(&list["items"][0]["email"]) && list["items"][0].get("note").is_none(), "{list}");
    }
    let stored = world.rows("SELECT email_key FROM block").await;
    assert!(stored.len() == 1 && stored[0].starts_with("hash:") && stored[0].len() == 69, "{stored:?}");
    let headers = [("authorization", format!("Bearer {}", world.key.text))];
    let export = world.send("GET", "/api/v1/blocklist/export", &headers, "").await;
    assert_eq!(export.text.lines().count(), 1, "{}", export.text);
    // In the open beside it: the stronger counts, and both go with one call.
    world.ok("blocklist.add", json!({ "emails": ["anna@example.com"] })).await;
    assert_eq!(blocked(world).await, (json!(true), json!("complaint")));
    let removed = world.ok("blocklist.remove", json!({ "emails": ["ANNA@example.com", "ben@example.com"] })).await;
    assert_eq!((&removed["removed"], &removed["notFound"]), (&json!(1), &json!(["ben@example.com"])));
    assert_eq!(blocked(world).await.0, false);
    assert!(world.rows("SELECT id FROM block").await.is_empty());
    // Another site's hashes are others.
    assert_eq!(world.rows("SELECT CAST(count(*) AS TEXT) FROM setting WHERE name = 'block_hash_key'").await, ["1"]);
});

fn id_like(email: &Value) -> bool {
    email.as_str().is_some_and(|email| email.starts_with("erased:mem_"))
}

both!(an_import_can_be_taken_back_though_a_member_of_it_is_gone, async |world| {
    world.without_budgets().await;
    let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let import = async |reason: &str| {
        let args = json!({ "emails": ["anna@example.com", "ben@example.com"], "reason": reason });
        let job = world.ok("blocklist.import", args).await["job"].clone();
        world.job(&job["id"]).await
    };
    let (first, second) = (import("manual").await, import("complaint").await);
    let reply = world.call(&world.key, "members.delete", json!({ "member": { "id": anna["id"] } })).await;
    job(world, &reply).await;
    let check =
        async || world.ok("blocklist.check", json!({ "emails": ["anna@example.com"] })).await["results"][0].clone();
    assert_eq!(check().await["reason"], "complaint");
    let undo = world.call(&world.key, "blocklist.undoImport", json!({ "job": second["id"] })).await;
    job(world, &undo).await;
    assert_eq!(check().await["reason"], "manual");
    let undo = world.call(&world.key, "blocklist.undoImport", json!({ "job": first["id"] })).await;
    job(world, &undo).await;
    assert_eq!(check().await["blocked"], false);
});

both!(a_live_subscription_is_cancelled_or_refuses, async |world| {
    world.without_budgets().await;
    for (status, external, cancel, refused) in [
        ("active", "NULL", false, true),
        ("paused", "NULL", false, true),
        ("canceled", "NULL", false, false),
        ("past_due", "NULL", true, false),
        ("trialing", "'sub_stripe'", false, true),
        ("canceled", "'sub_stripe'", true, false),
    ] {
        let email = format!("{status}-{cancel}@example.com");
        let member = world.one("members.create", json!({ "email": email })).await;
        subscribe(world, &member, status, external).await;
        let args = json!({ "member": { "email": email }, "cancelSubscription": cancel });
        let reply = world.call(&world.key, "members.delete", args).await;
        if refused {
            assert_eq!(reply.code(), "subscription_active", "{status} {external} {cancel}");
            let member = world.one("members.get", json!({ "member": { "email": email } })).await;
            assert!(member.get("deletingSince").is_none(), "{member}");
        } else {
            assert_eq!(job(world, &reply).await["subscriptions"], 1, "{status} {external} {cancel}");
        }
    }
});

both!(a_dry_run_says_what_would_go, async |world| {
    world.without_budgets().await;
    let anna = with_everything(world, "anna@example.com", NAME).await;
    let before = kept(world).await;
    let body = json!({ "args": { "member": { "id": anna["id"] } }, "dryRun": true });
    let reply = world.call_with(&world.key, "members.delete", body, &[]).await;
    let would = &reply.json()["result"]["wouldRemove"];
    assert_eq!((&would["watch"], &would["tags"], &would["subscriptions"]), (&json!(3), &json!(2), &json!(0)));
    let changes = reply.json()["changes"].clone();
    let watch = changes.as_array().unwrap().iter().find(|change| change["kind"] == "watch").expect("watch data");
    assert_eq!(watch["before"]["rows"], 3);
    // A row of the log is all that it left.
    assert_eq!(kept(world).await, before + 1);
    world.ok("members.addTags", json!({ "member": { "id": anna["id"] }, "tags": ["still-there"] })).await;
});

both!(a_day_has_so_many_deletions, async |world| {
    world.without_budgets().await;
    world.settings(|settings| settings.destructive_per_day = 2).await;
    let mut replies = Vec::new();
    for n in 0..3 {
        let member = world.one("members.create", json!({ "email": format!("m{n}@example.com") })).await;
        let reply = world.call(&world.key, "members.delete", json!({ "member": { "id": member["id"] } })).await;
        if n < 2 {
            job(world, &reply).await;
        }
        replies.push(reply);
    }
    assert_eq!(replies[2].code(), "daily_cap_reached");
    assert_eq!(world.rows("SELECT email FROM member").await, ["m2@example.com"]);
});

both!(what_is_written_while_a_member_goes_is_refused_or_goes_too, async |world| {
    world.without_budgets().await;
    let world = &*world;
    let video = world.one("videos.create", json!({ "title": "Lesson" })).await;
    for round in 0..8 {
        let email = format!("m{round}@example.com");
        let member = world.one("members.create", json!({ "email": email })).await;
        let who = json!({ "id": member["id"] });
        let write = async |n: usize| {
            let (tool, args) = match n % 3 {
                0 => ("videos.recordWatch", json!({ "member": who, "video": video["id"], "positionS": n })),
                1 => ("comments.create", json!({ "member": who, "video": video["id"], "text": email })),
                _ => ("members.addTags", json!({ "member": { "email": email }, "tags": [format!("t{n}")] })),
            };
            world.call(&world.key, tool, args).await
        };
        let writes = futures_util::future::join_all((0..24).map(write));
        let deletion = async {
            tokio::time::sleep(std::time::Duration::from_millis(round * 3)).await;
            let reply = world.call(&world.key, "members.delete", json!({ "member": who })).await;
            job(world, &reply).await
        };
        let (replies, counts) = futures_util::future::join(writes, deletion).await;
        let (mut done, mut refused) = (0, 0);
        for reply in &replies {
            match reply.json()["ok"] == true {
                true => done += 1,
                false => {
                    assert!(["member_deleting", "member_not_found"].contains(&&*reply.code()), "{}", reply.text);
                    refused += 1;
                }
            }
        }
        assert_eq!(done + refused, 24);
        assert!(counts["comments"].as_u64().unwrap() <= 8 && counts["tags"].as_u64().unwrap() <= 8, "{counts}");
    }
    for table in ["watch", "comment", "member_tag", "member"] {
        let left = world.rows(Box::leak(format!("SELECT CAST(count(*) AS TEXT) FROM {table}").into_boxed_str())).await;
        assert_eq!(left, ["0"], "{table}");
    }
});

#[tokio::test(flavor = "multi_thread")]
async fn no_table_with_a_member_is_forgotten() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let world = World::start(backend).await;
        let known: BTreeSet<_> = TABLES.iter().map(|(table, _)| *table).collect();
        assert_eq!(known.len(), TABLES.len(), "a table stands twice");
        let mut found = BTreeSet::new();
        for (table, columns) in columns(&world).await {
            let holds = |column: &String| column == "member_id" || column.contains("email") || column == "merge_into";
            if columns.iter().any(holds) {
                assert!(known.contains(&*table), "{table} holds members; say in erase::TABLES what becomes of it");
                found.insert(table);
            }
        }
        // The others have members in their texts.
        for (table, fate) in TABLES {
            assert!(*fate == Fate::Texts || found.contains(*table), "{table} holds no member");
        }
        world.end().await;
    }
}
