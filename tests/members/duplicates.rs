//! Members who may be the same person.

use serde_json::{Value, json};

fn emails(group: &Value) -> Vec<&str> {
    group["members"].as_array().unwrap().iter().map(|member| member["email"].as_str().unwrap()).collect()
}

both!(those_alike_by_address_or_name_are_found, async |world| {
    world.without_budgets().await;
    for (email, name) in [
        ("anna@example.com", "Anna"),
        ("Anna+shop@Example.com", ""),
        ("ben+a@example.com", "Ben"),
        ("ben+b@example.com", ""),
        ("only+one@example.com", ""),
        ("d.ora@gmail.com", "Dora"),
        ("DORA+x@googlemail.com", "dora"),
        ("an.na@example.com", "ANNA"),
        ("emil@example.com", "Emil"),
    ] {
        world.one("members.create", json!({ "email": email, "name": name })).await;
    }
    let all = [
        ("address", vec!["anna@example.com", "Anna+shop@Example.com"]),
        ("address", vec!["ben+a@example.com", "ben+b@example.com"]),
        ("address", vec!["d.ora@gmail.com", "DORA+x@googlemail.com"]),
        ("name", vec!["anna@example.com", "an.na@example.com"]),
        ("name", vec!["d.ora@gmail.com", "DORA+x@googlemail.com"]),
    ];
    for limit in 1..=6 {
        let (mut found, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let page = world.ok("members.findDuplicates", json!({ "limit": limit, "cursor": cursor })).await;
            let items = page["items"].as_array().unwrap().clone();
            assert!(items.len() <= limit);
            found.extend(items);
            cursor = page["nextCursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        let found: Vec<_> = found.iter().map(|group| (group["reason"].as_str().unwrap(), emails(group))).collect();
        assert_eq!(found, all, "{limit}");
    }
    // A change of address counts.
    world.one("members.update", json!({ "member": { "email": "ben+b@example.com" }, "email": "b@example.com" })).await;
    let page = world.ok("members.findDuplicates", json!({})).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 4);
});
