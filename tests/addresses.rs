//! What holds for every address that is no tool's, over the whole list.

use std::collections::BTreeSet;

use serde_json::json;
use usher::tools::{
    CATALOG,
    addresses::{ADDRESSES, Address, Opens},
    openapi,
};

use crate::harness::{Reply, TestKey, World};

/// Asks at an address about a job.
async fn ask(world: &World, address: &Address, job: &str, query: &str, key: Option<&TestKey>) -> Reply {
    let method = if address.is_post() { "POST" } else { "GET" };
    let path = format!("{}{query}", address.path.replace("{job}", job));
    let bearer: Vec<_> = key.iter().map(|key| ("authorization", format!("Bearer {}", key.text))).collect();
    world.send(method, &path, &bearer, if address.is_post() { "a file" } else { "" }).await
}

/// A job of the world's key whose import has one bad row, and which has a file too.
async fn job(world: &World) -> String {
    let rows = json!({ "emails": ["b@example.com", "no address"] });
    let import = world.ok("blocklist.import", rows).await["job"]["id"].clone();
    world.job(&import).await;
    import.as_str().expect("an id").to_owned()
}

#[test]
fn the_document_has_each_address_once() {
    let document = openapi::document();
    let paths = document["paths"].as_object().expect("paths");
    let names: Vec<_> = paths.values().flat_map(|path| path.as_object().expect("operations").values()).collect();
    let ids: BTreeSet<_> = names.iter().map(|operation| operation["operationId"].as_str().expect("an id")).collect();
    assert_eq!((paths.len(), ids.len()), (CATALOG.tools.len() + ADDRESSES.len(), paths.len()));
    let tags = document["tags"].as_array().expect("tags").iter();
    let tags: BTreeSet<_> = tags.map(|tag| tag["name"].as_str().expect("a name")).collect();
    for address in ADDRESSES {
        assert!(!address.summary.is_empty() && address.description.ends_with('.'), "{}", address.name);
        assert!(tags.contains(address.tag()), "{} has no tag of the document", address.name);
        assert_eq!(address.is_post(), paths[address.path].get("post").is_some(), "{}", address.name);
        let operation = &paths[address.path][if address.is_post() { "post" } else { "get" }];
        for refusal in ["400", "401", "403", "429"] {
            let said = operation["responses"].get(refusal).is_some();
            assert_eq!(said, matches!(address.opens, Opens::Keys(..)), "{}: {refusal}", address.name);
        }
    }
}

both!(each_address_answers_what_the_document_says, async |world| {
    world.without_budgets().await;
    let id = job(world).await;
    let export = world.ok("members.export", json!({})).await["job"]["id"].clone();
    world.job(&export).await;
    for address in ADDRESSES {
        let id = if address.name == "jobs.file" { export.as_str().expect("an id") } else { &id };
        let reply = ask(world, address, id, "", Some(&world.key)).await;
        assert_eq!(reply.status, 200, "{}: {}", address.name, reply.text);
        let media = reply.header("content-type").split(';').next().expect("a type").to_owned();
        assert!(address.media.contains(&&*media), "{}: {media}", address.name);
        assert!(reply.header("x-request-id").starts_with("req_"), "{}", address.name);
        let counted = matches!(address.opens, Opens::Keys(..));
        assert_eq!(reply.headers.contains_key("x-ratelimit-remaining"), counted, "{}", address.name);
        let other = if address.is_post() { "GET" } else { "POST" };
        let refused = world.send(other, &address.path.replace("{job}", id), &[], "").await;
        assert_eq!(refused.status, 405, "{}: {}", address.name, refused.text);
    }
});

both!(no_address_opens_without_its_scope, async |world| {
    world.without_budgets().await;
    let id = job(world).await;
    let bare = world.key_with(&[]).await;
    let (_, stranger) = world.other_site("Second", None).await;
    for address in ADDRESSES {
        let reply = ask(world, address, &id, "", Some(&bare)).await;
        let nobody = ask(world, address, &id, "", None).await;
        let other = ask(world, address, &id, "", Some(&stranger)).await;
        match address.opens {
            // The two sites share a host name here, so neither has a key set at it.
            Opens::Anybody => {
                let expected = if address.name == "server.keySet" { 404 } else { 200 };
                let statuses = [reply.status, nobody.status, other.status];
                assert_eq!(statuses, [expected; 3], "{}", address.name);
            }
            Opens::Keys(scope, _) => {
                assert_eq!(nobody.failure(), (401, "invalid_key".into()), "{}", address.name);
                if let Some(scope) = scope {
                    assert_eq!(reply.failure(), (403, "missing_scope".into()), "{}", address.name);
                    assert_eq!(reply.json()["scope"], scope.name(), "{}", address.name);
                }
            }
        }
        if address.parameters().next().is_some() {
            assert_eq!(other.failure(), (404, "job_not_found".into()), "{}", address.name);
        }
    }
    world.leaves_traces = true;
});

both!(exports_take_the_filters_of_their_lists_and_no_others, async |world| {
    world.without_budgets().await;
    job(world).await;
    for address in ADDRESSES.iter().filter(|address| address.filters.is_some()) {
        let refused = async |query: &str| {
            let reply = ask(world, address, "", query, Some(&world.key)).await;
            assert_eq!(reply.failure(), (400, "invalid_arguments".into()), "{}: {query}", address.name);
            reply.json()["fields"][0]["path"].as_str().expect("a path").to_owned()
        };
        assert_eq!(refused("?limit=5").await, "query.limit");
        assert_eq!(refused("?cursor=x").await, "query.cursor");
        assert_eq!(refused("?noSuchField=1").await, "query.noSuchField");
        assert_eq!(refused("?text=a&text=b").await, "query.text");
        assert_eq!(refused("?text=").await, "query.text");
        let all = ask(world, address, "", "", Some(&world.key)).await.text;
        let one = ask(world, address, "", "?text=b@example.com", Some(&world.key)).await.text;
        let none = ask(world, address, "", "?text=nothing+like+this", Some(&world.key)).await.text;
        assert!(all.contains("b@example.com") || address.name == "activity.export", "{all}");
        assert!(none.len() < all.len() && one.len() <= all.len(), "{}: {one}", address.name);
    }
});

both!(a_nul_is_refused_everywhere_and_told_in_the_log, async |world| {
    world.without_budgets().await;
    let id = job(world).await;
    for address in ADDRESSES.iter().filter(|address| matches!(address.opens, Opens::Keys(..))) {
        let reply = ask(world, address, &id, "?%00=%00", Some(&world.key)).await;
        let is_told = address.filters.is_none() || reply.failure() == (400, "invalid_arguments".into());
        assert!(is_told && reply.status < 500, "{}: {} {}", address.name, reply.status, reply.text);
    }
    for tool in CATALOG.tools.iter() {
        let reply = world.call(&world.key, tool.definition.name, json!({ "\0": "\0" })).await;
        assert_eq!(reply.failure(), (400, "invalid_arguments".into()), "{}", tool.definition.name);
        let row = world.one("activity.get", json!({ "entry": reply.header("x-request-id") })).await;
        assert_eq!(row["code"], "invalid_arguments", "{}", tool.definition.name);
    }
});
