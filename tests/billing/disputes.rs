//! What customers have their banks take back, heard of in any order.

use serde_json::{Value, json};
use stripe_fake::{Dress, Payer, Plan};
use usher_stripe::requests::checkout::Sells;

use super::{
    Shop,
    people::why,
    shop::{member, read_all},
};
use crate::harness::World;

/// The charge that a customer paid last.
async fn charge(shop: &Shop, customer: &str) -> String {
    let charges = shop.fake.owner("GET", &format!("charges?customer={customer}"), "").expect("charges");
    charges["data"][0]["id"].as_str().expect("a charge").to_owned()
}

/// The bank takes all of it back for good, which is heard of before anything else.
async fn lose(world: &World, shop: &Shop, charge: &str) {
    let dispute = shop.fake.dispute(charge, None).expect("a dispute");
    shop.fake.decide_dispute(dispute["id"].as_str().expect("an id"), false).expect("it is lost");
    let events = shop.fake.events(None).expect("an account");
    for (event, _) in events.iter().filter(|(_, kind)| kind == "charge.dispute.closed") {
        shop.fake.deliver(event, &Dress::default()).await.expect("an event");
        read_all(world, world.site.id).await;
    }
}

/// The lost disputes that somebody has to look at, by their members.
async fn lost(world: &World) -> Vec<Value> {
    let report = world.ok("billing.reconcile", json!({})).await;
    let items = report["items"].as_array().expect("items").iter().filter(|item| item["kind"] == "lost_dispute");
    items.map(|item| item["member"].clone()).collect()
}

both!(a_dispute_may_be_heard_of_before_what_it_is_of, async |world| {
    let shop = Shop::open(world).await;
    shop.fake.set_plan(Plan::held());
    let anna = member(world, "anna@example.com").await;
    let price = shop.price(900).await;
    shop.sells(&anna, &price).await;
    let charge = charge(&shop, &shop.customer().await).await;
    lose(world, &shop, &charge).await;
    assert_eq!(lost(world).await, [anna.clone()]);
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    // Whatever comes later says the same.
    shop.settle(world).await;
    assert_eq!(lost(world).await, [anna]);
});

both!(what_was_paid_once_may_be_disputed_before_it_is_heard_of, async |world| {
    let shop = Shop::open(world).await;
    shop.fake.set_plan(Plan::held());
    let anna = member(world, "anna@example.com").await;
    let price = shop.once(5000).await;
    let (customer, session) = shop.checkout(&anna, &price, Sells::Payment).await;
    shop.knows(world, &anna, &session).await;
    shop.fake.complete_checkout(&session, &Payer::default()).expect("it is paid");
    let charge = charge(&shop, &customer).await;
    lose(world, &shop, &charge).await;
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    assert_eq!(lost(world).await, [anna]);
});
