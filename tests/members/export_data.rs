//! Everything that is stored about one person, and nothing about another.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use usher::{
    areas::members::{
        erase::TABLES,
        export_data::{LEFT_OUT, SECTIONS},
    },
    tools::Scope,
};

use super::delete::{columns, with_everything};
use crate::harness::{Backend, World};

/// Tables whose rows are not given as rows: what is made of the name and the address, and texts that mention people.
const NO_SECTION: [&str; 3] = ["member_word", "idempotency", "job"];

/// Columns that say of which subscription or invoice of a person a row is.
const OF_WHAT: [&str; 3] = ["subscription_id", "invoice_id", "paid_for"];

#[tokio::test(flavor = "multi_thread")]
async fn no_table_and_no_column_about_a_person_is_forgotten() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let world = World::start(backend).await;
        let given: BTreeSet<_> = SECTIONS.iter().map(|section| section.table).chain(NO_SECTION).collect();
        let known: BTreeSet<_> = TABLES.iter().map(|(table, _)| *table).collect();
        let schema: BTreeMap<_, _> = columns(&world).await.into_iter().collect();
        let hang = |columns: &&Vec<String>| OF_WHAT.iter().any(|of| columns.iter().any(|column| column == of));
        let of_theirs = schema.iter().filter(|(_, columns)| hang(columns)).map(|(table, _)| table.as_str());
        let known: BTreeSet<_> = known.into_iter().chain(of_theirs).collect();
        assert_eq!(given, known);
        for section in SECTIONS {
            for column in &schema[section.table] {
                let is_left_out = LEFT_OUT.iter().any(|(_, columns)| columns.contains(&column.as_str()));
                assert!(
                    section.columns.contains(&column.as_str()) || is_left_out,
                    "{}.{column}: give it in members.exportData, or say why not in LEFT_OUT",
                    section.table
                );
            }
        }
        world.end().await;
    }
}

async fn file(world: &World, member: &Value) -> (Value, Value) {
    let accepted = world.ok("members.exportData", json!({ "member": { "id": member["id"] } })).await;
    let job = world.job(&accepted["job"]["id"]).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    let headers = [("authorization", format!("Bearer {}", world.key.text))];
    let reply = world.send("GET", job["result"]["file"].as_str().unwrap(), &headers, "").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"), "{}", reply.text);
    (reply.json(), job["result"].clone())
}

both!(all_that_is_stored_about_a_person_is_in_the_file_and_nothing_about_another, async |world| {
    world.without_budgets().await;
    world.settings(|settings| settings.email_members = true).await;
    let anna = with_everything(world, "Anna@Example.com", "Anna Lind").await;
    let ben = with_everything(world, "ben@example.com", "Ben Berg").await;
    let (id, who) = (anna["id"].as_str().unwrap(), json!({ "id": anna["id"] }));
    let change = json!({ "member": who, "email": "anna@example.org", "metadata": { "shop": "A-77" } });
    world.call_with(&world.key, "members.update", json!({ "args": change }), &[("idempotency-key", "one")]).await.one();
    world.ok("access.grantFree", json!({ "member": who, "expiresAt": "2026-01-01" })).await;
    world
        .ok(
            "blocklist.add",
            json!({ "emails": ["anna@example.com", "anna@example.org", "ben@example.com"], "note": "both" }),
        )
        .await;
    for text in [
        format!(
            "INSERT INTO subscription (site, id, member_id, plan_id, status, started_at, external_id, created_at, updated_at,
                                       source, ticket)
             VALUES (1, 'sub_1', '{id}', 'pln_1', 'canceled', 1, 'sub_stripe', 1, 1, 'stripe', 0)"
        ),
        format!(
            "INSERT INTO checkout (site, id, member_id, plan_id, status, created_at, updated_at)
             VALUES (1, 'job_1', '{id}', 'pln_1', 'expired', 1, 1)"
        ),
        "INSERT INTO subscription_item (site, subscription_id, position, plan_id, quantity) VALUES (1, 'sub_1', 0, 'pln_1', 1)"
            .to_owned(),
        "INSERT INTO paid_span (site, subscription_id, position, plan_id, starts_at, ends_at, invoice, paid, refunded)
         VALUES (1, 'sub_1', 0, 'pln_1', 1, 2, 'in_1', 900, 0)"
            .to_owned(),
        "INSERT INTO sale_payment (site, subscription_id, intent_id, amount, amount_refunded, currency, paid_at, ticket)
         VALUES (1, 'sub_1', 'pi_1', 900, 0, 'eur', 1, 0)"
            .to_owned(),
        "INSERT INTO stripe_dispute (site, id, status, amount, currency, paid_for, created_at)
         VALUES (1, 'dp_1', 'lost', 900, 'eur', 'sub_stripe', 1)"
            .to_owned(),
        format!("INSERT INTO stripe_customer (site, id, member_id, created_at) VALUES (1, 'cus_1', '{id}', 1)"),
        format!("INSERT INTO stripe_claim (site, external_id, member_id, created_at) VALUES (1, 'sub_3', '{id}', 1)"),
        format!(
            "INSERT INTO invoice (site, id, external_id, member_id, status, currency, subtotal, tax, total, amount_due,
                                  amount_paid, amount_refunded, lines, created_at, ticket, synced_at)
             VALUES (1, 'inv_1', 'in_1', '{id}', 'paid', 'eur', 900, 0, 900, 900, 900, 0, '[]', 1, 0, 1)"
        ),
        "INSERT INTO invoice_refund (site, id, invoice_id, amount, created_at) VALUES (1, 'job_2', 'inv_1', 100, 1)"
            .to_owned(),
        format!(
            "INSERT INTO email (site, id, request_id, member_id, address, kind, subject, status, attempts, in_doubt,
                                created_at, updated_at)
             VALUES (1, 'eml_1', 'req_1', '{id}', 'anna@example.com', 'message', 'Hello', 'sent', 1, FALSE, 1, 1)"
        ),
        "INSERT INTO stripe_stray (site, id, status, seen_at, email_key) VALUES (1, 'sub_2', 'active', 1, 'anna@example.com')"
            .to_owned(),
        "INSERT INTO block_claim (site, email_key, import, strength, source, first_seen)
         VALUES (1, 'anna@example.org', 7, 1, 'shop', 1)"
            .to_owned(),
    ] {
        world.execute(&text).await;
    }
    // A row that is about both of them is no row about her.
    world.ok("blocklist.check", json!({ "emails": ["anna@example.org", "ben@example.com"] })).await;

    let (file, result) = file(world, &anna).await;
    for section in SECTIONS {
        let rows = file[section.name].as_array().unwrap_or_else(|| panic!("no {}: {file}", section.name));
        assert!(!rows.is_empty(), "{}: nothing is given", section.name);
        let is_of_the_member =
            !section.columns.iter().any(|column| OF_WHAT.contains(column)) || section.table == "invoice";
        if !section.by_address && is_of_the_member {
            let whose = if section.table == "member" { "id" } else { "member_id" };
            let text = format!("SELECT CAST(count(*) AS TEXT) FROM {} WHERE {whose} = '{id}'", section.table);
            let stored = world.rows(Box::leak(text.into_boxed_str())).await;
            // What was written since is the export's own.
            let n: usize = stored[0].parse().unwrap();
            let since = if section.table == "activity" { 2 } else { 0 };
            assert!((n - since..=n).contains(&rows.len()), "{}: {} of {n}", section.name, rows.len());
        }
        assert_eq!(result["rows"][section.name], rows.len(), "{}", section.name);
    }
    let member = &file["member"][0];
    assert_eq!((&member["email"], &member["metadata"]), (&json!("anna@example.org"), &json!({ "shop": "A-77" })));
    assert_eq!((&member["isPaid"], &member["createdAt"]), (&json!(false), &anna["createdAt"]));
    assert_eq!(file["formerAddresses"][0]["email"], "Anna@Example.com");
    assert_eq!((file["tags"].as_array().unwrap().len(), file["comments"].as_array().unwrap().len()), (2, 3));
    assert_eq!(file["comments"][0]["videoTitle"], "Anna Lind 0");
    assert_eq!((file["blocks"].as_array().unwrap().len(), &file["emails"][0]["inDoubt"]), (2, &json!(false)));
    assert!(!file["mentionedInActivity"].as_array().unwrap().is_empty(), "{file}");
    assert_eq!(file["mentionedInAnswers"], json!([{ "key": world.key.id.to_string(), "idempotencyKey": "one" }]));

    let text = file.to_string();
    for other in ["ben@example.com", "Ben Berg", ben["id"].as_str().unwrap()] {
        assert!(!text.contains(other), "{other}: {text}");
    }
    for secret in ["\"hash\":", "\"content\":", "contentHash", "\"ticket\":"] {
        assert!(!text.contains(secret), "{secret}");
    }
});

both!(the_file_is_only_for_a_key_that_may_read_all_of_it, async |world| {
    world.without_budgets().await;
    let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let args = json!({ "member": { "id": anna["id"] } });
    let few = world.key_with(&[Scope::MembersRead, Scope::GroupsRead]).await;
    let reply = world.call(&few, "members.exportData", args.clone()).await;
    assert_eq!(reply.failure(), (403, "missing_scope".into()));
    // Of somebody with nothing else, every list is there and empty.
    let (file, _) = file(world, &anna).await;
    assert_eq!(
        (&file["subscriptions"], &file["invoices"], file["member"].as_array().unwrap().len()),
        (&json!([]), &json!([]), 1)
    );
    let accepted = world.ok("members.exportData", args).await;
    let job = world.job(&accepted["job"]["id"]).await;
    let headers = [("authorization", format!("Bearer {}", few.text))];
    let reply = world.send("GET", job["result"]["file"].as_str().unwrap(), &headers, "").await;
    assert_eq!(reply.code(), "job_not_found");
});

both!(the_file_about_a_person_goes_with_the_person, async |world| {
    let anna = world.one("members.create", json!({ "email": "anna@example.com" })).await;
    let ben = world.one("members.create", json!({ "email": "ben@example.com" })).await;
    let (_, of_anna) = file(world, &anna).await;
    let (_, of_ben) = file(world, &ben).await;
    let accepted = world.ok("members.delete", json!({ "member": { "id": anna["id"] } })).await;
    assert_eq!(world.job(&accepted["job"]["id"]).await["status"], "succeeded");
    let headers = [("authorization", format!("Bearer {}", world.key.text))];
    for (result, status) in [(of_anna, 404), (of_ben, 200)] {
        let reply = world.send("GET", result["file"].as_str().unwrap(), &headers, "").await;
        assert_eq!(reply.status, status, "{}", reply.text);
    }
});
