//! Subscriptions that are listed, cancelled, paused and resumed.

use serde_json::{Value, json};
use usher::{
    areas::billing::store,
    values::{MemberId, PlanId, SubscriptionId},
};
use usher_stripe::{requests::subscriptions as ask, views};

use super::{
    Shop,
    people::{member, refused, waited, why},
    shop::subscription,
};
use crate::harness::World;

const DAY: u64 = 86_400;

/// How a subscription stands at Stripe.
pub async fn at_stripe(shop: &Shop, external: &str) -> views::Subscription {
    shop.read(ask::get(external)).await
}

/// A member who has bought a subscription; the member's id, ours of the subscription and Stripe's.
pub async fn subscriber(world: &World, shop: &Shop, email: &str) -> (Value, Value, String) {
    let anna = member(world, email).await;
    let price = shop.price(900).await;
    let external = shop.sells(&anna, &price).await;
    shop.settle(world).await;
    let id = subscription(world, &anna).await["id"].clone();
    (anna, id, external)
}

/// How a subscription stands here, of which nothing is wanted any more.
pub async fn status(world: &World, id: &Value) -> String {
    let one = world.one("subscriptions.get", json!({ "subscription": id })).await;
    assert!(one.get("wanted").is_none(), "{one}");
    one["status"].as_str().expect("a status").to_owned()
}

both!(they_are_listed_by_what_they_are, async |world| {
    world.without_budgets().await;
    let (anna, ben) = (member(world, "anna@example.com").await, member(world, "ben@example.com").await);
    let (gold, silver): (PlanId, PlanId) = (world.app.clock.id(), world.app.clock.id());
    let mut ids = Vec::new();
    for n in 0..6 {
        let id: SubscriptionId = world.app.clock.id();
        let (member, plan) = if n % 2 == 0 { (&anna, &gold) } else { (&ben, &silver) };
        let member = MemberId::parse(member.as_str().unwrap()).unwrap();
        let status = ["active", "canceled", "past_due"][n % 3];
        let source = if n < 4 { "stripe" } else { "shop" };
        let external = if n < 4 { format!("'sub_x{n}'") } else { "NULL".into() };
        world
            .execute(&format!(
                "INSERT INTO subscription (site, id, member_id, plan_id, status, source, external_id, started_at, created_at,
                                           updated_at, ticket)
                 VALUES (1, '{id}', '{member}', '{plan}', '{status}', '{source}', {external}, 1, 1, 1, 0)"
            ))
            .await;
        ids.push(id.to_string());
    }
    for (args, found) in [
        (json!({}), vec![5, 4, 3, 2, 1, 0]),
        (json!({ "member": { "id": anna } }), vec![4, 2, 0]),
        (json!({ "member": { "email": "ben@example.com" }, "live": true }), vec![5, 3]),
        (json!({ "member": { "id": anna }, "live": false }), vec![4]),
        (json!({ "plan": silver }), vec![5, 3, 1]),
        (json!({ "status": "canceled" }), vec![4, 1]),
        (json!({ "source": "shop" }), vec![5, 4]),
        (json!({ "live": true }), vec![5, 3, 2, 0]),
        (json!({ "live": false }), vec![4, 1]),
        (json!({ "plan": gold, "live": true, "source": "stripe", "status": "past_due" }), vec![2]),
    ] {
        for limit in [1, 2, 50] {
            let (mut seen, mut cursor) = (Vec::new(), Value::Null);
            loop {
                let mut args = args.clone();
                args["limit"] = json!(limit);
                if cursor.is_string() {
                    args["cursor"] = cursor;
                }
                let page = world.ok("subscriptions.list", args).await;
                seen.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
                cursor = page["nextCursor"].clone();
                if cursor.is_null() {
                    break;
                }
            }
            let found: Vec<_> = found.iter().map(|n| ids[*n].clone()).collect();
            assert_eq!(seen, found, "{args}");
        }
    }
    let one = world.one("subscriptions.get", json!({ "subscription": { "externalId": "sub_x3" } })).await;
    assert_eq!(one, world.one("subscriptions.get", json!({ "subscription": ids[3] })).await);
    assert_eq!(refused(world, "subscriptions.get", json!({})).await, "invalid_arguments");
    assert_eq!(
        refused(world, "subscriptions.get", json!({ "subscription": { "externalId": "sub_none" } })).await,
        "subscription_not_found"
    );
});

both!(one_that_is_cancelled_ends_with_its_period_and_can_be_taken_back, async |world| {
    let shop = Shop::open(world).await;
    let (anna, id, external) = subscriber(world, &shop, "anna@example.com").await;
    let done = waited(world, "subscriptions.cancel", json!({ "subscription": id })).await;
    assert_eq!((&done["job"]["result"]["outcome"], &done["atStripe"]), (&json!("done"), &json!(true)), "{done}");
    assert_eq!(done["subscription"]["status"], "active");
    assert!(done["subscription"].get("wanted").is_none() && done["subscription"]["cancelAt"].is_string(), "{done}");
    assert!(at_stripe(&shop, &external).await.cancel_at_period_end);
    assert_eq!(status(world, &id).await, "active");
    assert_eq!(refused(world, "subscriptions.pause", json!({ "subscription": id })).await, "subscription_ending");
    let back = waited(world, "subscriptions.resume", json!({ "subscription": id })).await;
    assert_eq!(back["job"]["result"]["outcome"], "done", "{back}");
    assert!(!at_stripe(&shop, &external).await.cancel_at_period_end);
    let one = world.one("subscriptions.get", json!({ "subscription": id })).await;
    assert!(one.get("cancelAt").is_none(), "{one}");
    // Again, and this time it ends: the member is in until then.
    waited(world, "subscriptions.cancel", json!({ "subscription": id, "when": "periodEnd" })).await;
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    shop.advance(world, 32 * DAY).await;
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await, "subscription_ended");
    for tool in ["subscriptions.cancel", "subscriptions.pause", "subscriptions.resume"] {
        assert_eq!(refused(world, tool, json!({ "subscription": id })).await, "subscription_ended");
    }
});

both!(one_that_is_cancelled_now_is_over_at_once, async |world| {
    let shop = Shop::open(world).await;
    let (anna, id, external) = subscriber(world, &shop, "anna@example.com").await;
    let args = json!({ "subscription": id, "when": "now" });
    let dry = json!({ "args": args, "dryRun": true });
    let dry = world.call_with(&world.key, "subscriptions.cancel", dry, &[]).await;
    assert!(dry.text.contains(&format!("DELETE /v1/subscriptions/{external}")), "{}", dry.text);
    let gone = json!({ "args": { "member": { "id": anna } }, "dryRun": true });
    let gone = world.call_with(&world.key, "members.delete", gone, &[]).await;
    assert!(gone.text.contains(&format!("DELETE /v1/subscriptions/{external}")), "{}", gone.text);
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    let done = waited(world, "subscriptions.cancel", args).await;
    assert_eq!(done["job"]["result"]["status"], "canceled", "{done}");
    // Nothing more has to come from Stripe.
    assert_eq!(
        (status(world, &id).await.as_str(), why(world, &anna).await.as_str()),
        ("canceled", "subscription_ended")
    );
    assert!(at_stripe(&shop, &external).await.status.is_terminal());
    assert_eq!(world.one("members.get", json!({ "member": { "id": anna } })).await["status"], "free");
    shop.settle(world).await;
});

both!(a_pause_bills_nothing_until_it_is_over, async |world| {
    let shop = Shop::open(world).await;
    let (anna, id, external) = subscriber(world, &shop, "anna@example.com").await;
    let until = "2025-03-15T12:00:00.5Z";
    let done = waited(world, "subscriptions.pause", json!({ "subscription": id, "resumesAt": until })).await;
    assert_eq!(done["job"]["result"]["outcome"], "done", "{done}");
    // Who has waited sees what has come of it.
    let seen = &done["subscription"];
    assert_eq!((&seen["status"], &seen["resumesAt"]), (&json!("paused"), &json!("2025-03-15T12:00:00.000Z")), "{done}");
    assert!(seen.get("wanted").is_none(), "{done}");
    let pause = at_stripe(&shop, &external).await.pause_collection.expect("a pause");
    assert_eq!((pause.behavior.as_deref(), pause.resumes_at), (Some("void"), Some(1_742_040_000)));
    assert_eq!(status(world, &id).await, "paused");
    let one = world.one("subscriptions.get", json!({ "subscription": id })).await;
    assert_eq!(one["resumesAt"], "2025-03-15T12:00:00.000Z", "{one}");
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    // Another end, and none.
    waited(world, "subscriptions.pause", json!({ "subscription": id })).await;
    assert_eq!(at_stripe(&shop, &external).await.pause_collection.expect("a pause").resumes_at, None);
    shop.advance(world, 32 * DAY).await;
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await, "subscription_paused");
    let explained = world.ok("members.whyPaywall", json!({ "member": { "id": anna } })).await;
    let fix = &explained["fixes"][0];
    assert_eq!((&fix["tool"], &fix["args"]), (&json!("subscriptions.resume"), &json!({ "subscription": id })));
    waited(world, "subscriptions.resume", fix["args"].clone()).await;
    assert_eq!(
        (status(world, &id).await.as_str(), why(world, &anna).await.as_str()),
        ("active", "allowed_subscription")
    );
    let past = json!({ "subscription": id, "resumesAt": "2025-01-01T00:00:00Z" });
    assert_eq!(refused(world, "subscriptions.pause", past).await, "arguments_refused");
});

both!(one_that_stripe_has_paused_is_taken_up, async |world| {
    let shop = Shop::open(world).await;
    let (_, id, external) = subscriber(world, &shop, "anna@example.com").await;
    shop.write(ask::pause(&external)).await;
    shop.settle(world).await;
    assert_eq!(status(world, &id).await, "paused");
    waited(world, "subscriptions.resume", json!({ "subscription": id })).await;
    assert_eq!(status(world, &id).await, "active");
    // Not if that is not paid.
    shop.write(ask::pause(&external)).await;
    shop.settle(world).await;
    let customer = at_stripe(&shop, &external).await.customer_id().expect("a customer").to_owned();
    shop.fake.set_card(&customer, true).expect("a customer");
    let failed = waited(world, "subscriptions.resume", json!({ "subscription": id })).await;
    assert_eq!(failed["job"]["error"]["code"], "stripe_refused", "{failed}");
    assert_eq!(status(world, &id).await, "paused");
    world.leaves_traces = true;
});

both!(nothing_is_written_at_stripe_until_the_owner_says_so, async |world| {
    let shop = Shop::open(world).await;
    let (_, id, external) = subscriber(world, &shop, "anna@example.com").await;
    world.settings(|settings| settings.stripe_writes = false).await;
    for tool in ["subscriptions.cancel", "subscriptions.pause", "subscriptions.resume"] {
        assert_eq!(refused(world, tool, json!({ "subscription": id })).await, "stripe_writes_locked");
    }
    assert!(world.rows("SELECT id FROM job WHERE site <> 0").await.is_empty());
    assert_eq!(at_stripe(&shop, &external).await.status, views::SubscriptionStatus::Active);
    let mut tx = world.app.db.begin().await.unwrap();
    store::disconnect(&mut tx, world.site.id).await.unwrap();
    tx.commit().await.unwrap();
    let args = json!({ "subscription": id });
    assert_eq!(refused(world, "subscriptions.cancel", args.clone()).await, "stripe_not_connected");
    // What is paid once has nothing to cancel.
    world.execute("UPDATE subscription SET external_id = 'cs_test_1'").await;
    assert_eq!(refused(world, "subscriptions.cancel", args).await, "subscription_once");
});
