//! All about one member in one answer, as far as the key may read it.

use serde_json::{Value, json};
use usher::tools::Scope;

use super::delete::with_everything;
use crate::harness::World;

/// A part of the overview, the scope that opens it, and the tool that lists it.
const PARTS: [(&str, Scope); 7] = [
    ("groups", Scope::GroupsRead),
    ("subscriptions", Scope::SubscriptionsRead),
    ("invoices", Scope::InvoicesRead),
    ("watched", Scope::VideosRead),
    ("comments", Scope::VideosRead),
    ("emails", Scope::MembersEmail),
    ("activity", Scope::ActivityRead),
];

async fn overview(world: &World, scopes: &[Scope], who: &Value) -> Value {
    let key = world.key_with(scopes).await;
    world.call(&key, "members.overview", json!({ "member": who })).await.result()
}

both!(a_key_sees_the_parts_that_it_may_read_and_is_told_of_the_others, async |world| {
    world.without_budgets().await;
    let anna =
        world.one("members.create", json!({ "email": "anna@example.com", "name": "Anna", "tags": ["vip"] })).await;
    let who = json!({ "id": anna["id"] });
    world.one("members.update", json!({ "member": who, "email": "anna@example.org" })).await;
    let video = world.one("videos.create", json!({ "title": "Lesson 1", "visibility": "published" })).await;
    world.one("videos.recordWatch", json!({ "member": who, "video": video["id"], "positionS": 60 })).await;
    world.one("comments.create", json!({ "member": who, "video": video["id"], "text": "Which paper?" })).await;
    let bundle = world.one("bundles.create", json!({ "name": "All lessons" })).await;
    world.ok("access.grantBundle", json!({ "member": who, "bundle": bundle["id"], "orderId": "A-1" })).await;
    let group = world.one("groups.create", json!({ "name": "First" })).await;
    world.ok("groups.addMembers", json!({ "group": group["id"], "members": [who] })).await;
    world.ok("access.grantFree", json!({ "member": who, "expiresAt": "2026-01-01" })).await;
    world.ok("blocklist.add", json!({ "emails": ["anna@example.org"], "reason": "unsubscribe" })).await;
    let plan = json!({ "name": "Gold", "amount": 900, "currency": "EUR", "every": "month" });
    let plan = world.ok("plans.create", plan).await["plan"]["id"].clone();
    let sale = json!({ "member": who, "plan": plan, "source": "shop", "reference": "S-1", "expiresAt": "2025-02-01" });
    world.ok("subscriptions.recordExternal", sale).await;

    for _ in 0..10 {
        world.one("members.get", json!({ "member": who })).await;
    }

    let all = overview(world, Scope::ALL, &who).await;
    assert_eq!(all["member"], world.one("members.get", json!({ "member": who })).await);
    assert_eq!(all["formerEmails"], json!(["anna@example.com"]));
    assert_eq!((&all["access"]["reason"], &all["access"]["allowed"]), (&json!("allowed_free_access"), &json!(true)));
    assert_eq!((&all["block"]["reason"], &all["syncStatus"]), (&json!("unsubscribe"), &json!("not_linked")));
    let owned = world.ok("members.listEntitlements", json!({ "member": who })).await;
    assert_eq!(all["entitlements"], owned["items"]);
    assert_eq!((&all["groups"][0]["id"], &all["watched"][0]["video"]), (&group["id"], &video["id"]));
    assert_eq!(
        (&all["comments"][0]["text"], &all["emails"], &all["invoices"]),
        (&json!("Which paper?"), &json!([]), &json!([]))
    );
    assert_eq!(all["subscriptions"][0]["reference"], "S-1");
    assert_eq!(all["activity"].as_array().unwrap().len(), 10);
    assert_eq!((&all["more"], &all["leftOut"]), (&json!(["activity"]), &json!([])));

    // Each part by itself, and the others named.
    for (_, scope) in PARTS {
        let some = overview(world, &[Scope::MembersRead, scope], &who).await;
        let left_out: Vec<_> =
            some["leftOut"].as_array().unwrap().iter().map(|one| one["part"].as_str().unwrap()).collect();
        for (part, needs) in PARTS {
            assert_eq!(some.get(part).is_some(), needs == scope, "{part} with {}", scope.name());
            assert_eq!(left_out.contains(&part), needs != scope, "{part} with {}", scope.name());
            if needs == scope && part != "activity" {
                assert_eq!(some[part], all[part], "{part}");
            }
        }
    }
    let few = overview(world, &[Scope::MembersRead], &who).await;
    let expected: Vec<_> = PARTS.iter().map(|(part, scope)| json!({ "part": part, "scope": scope.name() })).collect();
    assert_eq!(few["leftOut"], json!(expected));
});

both!(what_is_more_than_ten_is_said, async |world| {
    world.without_budgets().await;
    let anna = with_everything(world, "anna@example.com", "Anna").await;
    let who = json!({ "id": anna["id"] });
    for n in 0..11 {
        let video = world.one("videos.create", json!({ "title": format!("More {n}") })).await;
        world.one("videos.recordWatch", json!({ "member": who, "video": video["id"], "positionS": 1 })).await;
    }
    let some = overview(world, &[Scope::MembersRead, Scope::VideosRead], &who).await;
    assert_eq!((some["watched"].as_array().unwrap().len(), &some["more"]), (10, &json!(["watched"])));
});
