//! Members who pay at Stripe and are deleted, or merged.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stripe_fake::{Fault, Rule};
use usher_stripe::{
    requests::{checkout, customers, subscriptions as ask},
    views::CheckoutStatus,
};

use super::{
    Shop,
    people::{member, refused, waited, why},
    shop::subscription,
};
use crate::harness::{PATIENCE, World};

async fn subscriber(world: &World, shop: &Shop, email: &str) -> (Value, String) {
    let anna = member(world, email).await;
    let price = shop.price(900).await;
    let external = shop.sells(&anna, &price).await;
    shop.settle(world).await;
    (anna, external)
}

async fn is_over(shop: &Shop, external: &str) -> bool {
    shop.read(ask::get(external)).await.status.is_terminal()
}

both!(who_is_deleted_is_charged_no_more, async |world| {
    let shop = Shop::open(world).await;
    let (anna, external) = subscriber(world, &shop, "anna@example.com").await;
    // A checkout that is still open, and a subscription that nobody has heard of yet.
    let price = shop.price(500).await;
    let customer = shop.read(ask::get(&external)).await.customer_id().expect("a customer").to_owned();
    let none = BTreeMap::new();
    let new = checkout::NewCheckout {
        customer: &customer,
        price: &price,
        sells: checkout::Sells::Subscription { trial_days: 0 },
        reference: "r",
        metadata: &none,
        success_url: "https://example.com/",
        cancel_url: None,
        coupon: None,
        expires_at: None,
    };
    let open = shop.write(checkout::create(&new)).await.id;
    let who = json!({ "id": anna });
    let keep = json!({ "member": who, "cancelSubscription": false });
    assert_eq!(refused(world, "members.delete", keep).await, "subscription_active");
    let away = Rule { chances: [(Fault::Unavailable, 1.0)].into(), ..Rule::default() };
    shop.fake.fault(away.on("DELETE", "/v1/subscriptions/*"));
    let job = world.ok("members.delete", json!({ "member": who })).await["job"]["id"].clone();
    let begun = std::time::Instant::now();
    let id = job.as_str().unwrap();
    while world.app.jobs.get(world.app.db.read(), 1, id).await.unwrap().unwrap().attempt < 2 {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // Nothing of it is gone before Stripe says so.
    assert!(!is_over(&shop, &external).await);
    assert_eq!(world.rows("SELECT id FROM subscription").await.len(), 1);
    shop.fake.clear_faults();
    let done = world.job(&job).await;
    assert_eq!((&done["status"], &done["result"]["endedAtStripe"]), (&json!("succeeded"), &json!(1)), "{done}");
    assert!(is_over(&shop, &external).await);
    assert_eq!(shop.read(checkout::get(&open)).await.status, Some(CheckoutStatus::Expired));
    shop.settle(world).await;
    // What is heard of it later brings nothing back.
    for table in ["SELECT id FROM member", "SELECT id FROM subscription", "SELECT id FROM stripe_stray"] {
        assert!(world.rows(table).await.is_empty(), "{table}");
    }
    assert!(!world.rows("SELECT id FROM invoice").await.is_empty());
});

both!(nobody_is_deleted_where_stripe_cannot_be_told, async |world| {
    let shop = Shop::open(world).await;
    let (anna, external) = subscriber(world, &shop, "anna@example.com").await;
    let args = json!({ "member": { "id": anna } });
    world.settings(|settings| settings.stripe_writes = false).await;
    assert_eq!(refused(world, "members.delete", args.clone()).await, "stripe_writes_locked");
    world.settings(|settings| settings.stripe_writes = true).await;
    let shown = world.one("members.get", args.clone()).await;
    assert!(shown.get("deletingSince").is_none() && !is_over(&shop, &external).await, "{shown}");
    let done = waited(world, "members.delete", args).await;
    assert_eq!(done["job"]["status"], "succeeded", "{done}");
    assert!(is_over(&shop, &external).await);
    shop.settle(world).await;
});

both!(two_who_pay_become_one_who_pays_twice_and_somebody_is_told, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, first) = subscriber(world, &shop, "anna@example.com").await;
    let (annie, second) = subscriber(world, &shop, "annie@example.com").await;
    let pair = json!({ "winner": { "email": "anna@example.com" }, "loser": { "email": "annie@example.com" } });
    let merged = waited(world, "members.merge", pair).await;
    assert_eq!(
        (&merged["job"]["status"], &merged["winner"]["status"]),
        (&json!("succeeded"), &json!("paid")),
        "{merged}"
    );
    assert_eq!(merged["job"]["result"]["customers"], 1, "{merged}");
    assert_eq!(merged["liveSubscriptions"].as_array().map(Vec::len), Some(2), "{merged}");
    let listed = world.ok("subscriptions.list", json!({ "member": { "id": anna }, "live": true })).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed}");
    let log = world.ok("activity.list", json!({ "tool": "members.merge" })).await;
    let changes = log["items"].as_array().unwrap().iter().map(Value::to_string).collect::<String>();
    assert!(changes.contains("liveSubscriptions"), "{log}");
    // What happens to the loser's at Stripe is the winner's.
    let customer = shop.read(ask::get(&second)).await.customer_id().expect("a customer").to_owned();
    let change = customers::CustomerChange { name: Some("Annie"), ..Default::default() };
    shop.write(customers::update(&customer, &change)).await;
    shop.write(ask::cancel_now(&second)).await;
    shop.settle(world).await;
    let over = world.one("subscriptions.get", json!({ "subscription": { "externalId": second } })).await;
    assert_eq!((&over["member"], &over["status"]), (&anna, &json!("canceled")), "{over} {annie}");
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    shop.write(ask::cancel_now(&first)).await;
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await, "subscription_ended");
    assert_eq!(subscription(world, &anna).await["member"], anna);
});
