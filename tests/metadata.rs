//! What an integrator keeps with members: an id of its own, and texts by key.

use serde_json::{Value, json};

use crate::{
    harness::World,
    imports::{counts, errors, import},
};

async fn member(world: &World, who: Value) -> Value {
    world.ok("members.get", json!({ "member": who })).await["member"].clone()
}

both!(members_have_an_external_id_and_metadata, async |world| {
    world.without_budgets().await;
    let args = json!({
        "email": "anna@example.com", "externalId": " wp_1 ", "metadata": { "plan": "founder", "none": null },
    });
    let anna = world.ok("members.create", args).await["member"].clone();
    assert_eq!((&anna["externalId"], &anna["metadata"]), (&json!("wp_1"), &json!({ "plan": "founder" })));
    let who = json!({ "id": anna["id"] });
    assert_eq!(member(world, who.clone()).await, anna);

    // What is given is put in its place, null removes a key, and the rest stays.
    let change = json!({ "member": who, "metadata": { "city": "Rome", "plan": null } });
    let body = json!({ "args": change, "dryRun": true });
    let dry = world.call_with(&world.key, "members.update", body, &[]).await.json();
    assert!(dry["changes"].to_string().contains("Rome"), "{dry}");
    assert_eq!(member(world, who.clone()).await["metadata"], json!({ "plan": "founder" }));
    let saved = world.ok("members.update", change).await["member"].clone();
    assert_eq!((&saved["externalId"], &saved["metadata"]), (&json!("wp_1"), &json!({ "city": "Rome" })));
    let same = world.ok("members.update", json!({ "member": who, "metadata": { "city": "Rome", "x": null } })).await;
    assert_eq!(same["changed"], false);

    // The external id is one member's, and may be taken away.
    world.ok("members.create", json!({ "email": "ben@example.com", "metadata": {} })).await;
    let ben = json!({ "email": "ben@example.com" });
    assert_eq!(member(world, ben.clone()).await["metadata"], Value::Null);
    for (tool, args) in [
        ("members.create", json!({ "email": "carl@example.com", "externalId": "wp_1" })),
        ("members.update", json!({ "member": ben, "externalId": "wp_1" })),
    ] {
        let reply = world.call(&world.key, tool, args).await;
        assert_eq!(reply.failure(), (200, "external_id_taken".into()), "{tool}");
        assert!(reply.json()["error"].as_str().unwrap().contains(anna["id"].as_str().unwrap()));
    }
    let same = json!({ "email": "anna@example.com", "externalId": "wp_1" });
    assert_eq!(world.call(&world.key, "members.create", same).await.code(), "member_exists");
    let (_, stranger) = world.other_site("Second", None).await;
    let args = json!({ "email": "anna@example.com", "externalId": "wp_1" });
    assert_eq!(world.call(&stranger, "members.create", args).await.result()["member"]["externalId"], "wp_1");

    let list = async |args: Value| {
        let page = world.ok("members.list", args).await;
        page["items"].as_array().unwrap().iter().map(|one| one["email"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(list(json!({ "externalId": "wp_1" })).await, ["anna@example.com"]);
    assert_eq!(list(json!({ "externalId": "WP_1" })).await, Vec::<Value>::new());
    assert_eq!(list(json!({ "externalId": "wp_1", "status": "comped" })).await, Vec::<Value>::new());
    world.ok("members.update", json!({ "member": who, "externalId": "" })).await;
    assert_eq!(list(json!({ "externalId": "wp_1" })).await, Vec::<Value>::new());
    world.ok("members.update", json!({ "member": ben, "externalId": "wp_1" })).await;

    for metadata in
        [json!({ "k".repeat(41): "x" }), json!({ "k": "x".repeat(501) }), json!({ "": "x" }), json!({ "k": 7 })]
    {
        let args = json!({ "member": who, "metadata": metadata });
        world.call(&world.key, "members.update", args).await.is_refused_for_arguments();
    }
    let full: serde_json::Map<_, _> = (0..50).map(|n| (format!("k{n:02}"), json!("x"))).collect();
    let reply = world.call(&world.key, "members.update", json!({ "member": who, "metadata": full })).await;
    assert_eq!(reply.failure(), (200, "arguments_refused".into()));
});

both!(a_merge_keeps_the_winners_and_adds_the_losers, async |world| {
    world.without_budgets().await;
    let winner = json!({ "email": "a@example.com", "metadata": { "plan": "a", "city": "Rome" } });
    world.ok("members.create", winner).await;
    let loser = json!({ "email": "b@example.com", "externalId": "x", "metadata": { "plan": "b", "shoe": "44" } });
    world.ok("members.create", loser).await;
    let args = json!({ "winner": { "email": "a@example.com" }, "loser": { "email": "b@example.com" } });
    let merged = world.ok("members.merge", args).await;
    world.job(&merged["job"]["id"]).await;
    let winner = member(world, json!({ "email": "a@example.com" })).await;
    assert_eq!(winner["externalId"], "x");
    assert_eq!(winner["metadata"], json!({ "plan": "a", "city": "Rome", "shoe": "44" }));
});

both!(who_is_erased_leaves_none_of_it, async |world| {
    world.without_budgets().await;
    let args = json!({ "email": "a@example.com", "externalId": "secret-id", "metadata": { "shoe": "secret-shoe" } });
    let id = world.ok("members.create", args).await["member"]["id"].clone();
    let change = json!({ "member": { "id": id }, "metadata": { "shoe": "secret-size" } });
    world.ok("members.update", change).await;
    let deleted = world.ok("members.delete", json!({ "member": { "id": id } })).await;
    world.job(&deleted["job"]["id"]).await;
    let log = world.rows("SELECT COALESCE(args, '') || COALESCE(changes, '') FROM activity").await.join("\n");
    assert!(log.contains("members.delete") || !log.is_empty());
    for secret in ["secret-id", "secret-shoe", "secret-size"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
});

both!(both_are_imported_and_exported_unchanged, async |world| {
    world.without_budgets().await;
    let file = "email,external_id,metadata.plan,metadata.Shoe size\na@example.com,1,gold,44\nb@example.com,2,,\n\
                c@example.com,1,,\nd@example.com,,x,\n";
    let job = import(world, file, json!({})).await;
    // An external id that another has is a row that is refused.
    assert_eq!(counts(&job), [4, 4, 3, 0, 0, 1]);
    let bad = errors(world, &world.key, &job).await;
    assert!(bad.contains("c@example.com,1,,,4,external_id_taken,"), "{bad}");
    assert_eq!(job["result"]["ignoredColumns"], Value::Null);
    let a = member(world, json!({ "email": "a@example.com" })).await;
    assert_eq!((&a["externalId"], &a["metadata"]), (&json!("1"), &json!({ "plan": "gold", "Shoe size": "44" })));
    // What is empty stays, and nothing new changes nothing.
    let again = "email,external_id,metadata.plan\na@example.com,,\nb@example.com,2,\n";
    assert_eq!(counts(&import(world, again, json!({})).await), [2, 2, 0, 0, 2, 0]);
    world
        .ok(
            "members.update",
            json!({ "member": { "email": "d@example.com" }, "metadata": { "odd, \"key\"": "=1+1\n'x" } }),
        )
        .await;
    for format in ["csv", "jsonl"] {
        let job = world.ok("members.export", json!({ "format": format })).await["job"].clone();
        let done = world.job(&job["id"]).await;
        let headers = [("authorization", format!("Bearer {}", world.key.text))];
        let text = world.send("GET", done["result"]["file"].as_str().unwrap(), &headers, "").await.text;
        assert_eq!(counts(&import(world, text.clone(), json!({})).await), [3, 3, 0, 0, 3, 0], "{text}");
        let (_, stranger) = world.other_site(format, None).await;
        let upload = crate::uploads::send(world, &stranger, "", text.clone()).await.json();
        let upload = upload["result"]["upload"]["id"].clone();
        let body = json!({ "args": { "upload": upload } });
        let headers = [("prefer", "wait=20")];
        world.call_with(&stranger, "members.import", body, &headers).await.result();
        for email in ["a@example.com", "d@example.com"] {
            let args = json!({ "member": { "email": email } });
            let there = world.call(&stranger, "members.get", args.clone()).await.result()["member"].clone();
            let here = world.ok("members.get", args).await["member"].clone();
            let kept = |one: &Value| (one["externalId"].clone(), one["metadata"].clone());
            assert_eq!(kept(&there), kept(&here), "{format} {email}");
        }
    }
    world.leaves_traces = true;
});
