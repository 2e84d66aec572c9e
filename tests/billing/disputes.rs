//! What customers have their banks take back, heard of in any order.

use serde_json::{Value, json};
use stripe_fake::{Dress, Fault, Payer, Plan, Rule};
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

/// The bank takes it back for good, all or a part, which is heard of before anything else.
async fn lose(world: &World, shop: &Shop, charge: &str, amount: Option<i64>) {
    let dispute = shop.fake.dispute(charge, amount).expect("a dispute");
    shop.fake.decide_dispute(dispute["id"].as_str().expect("an id"), false).expect("it is lost");
    hear(world, shop, "charge.dispute.closed").await;
}

/// Events of a kind come, and what they are about is read.
async fn hear(world: &World, shop: &Shop, wanted: &str) {
    let events = shop.fake.events(None).expect("an account");
    for (event, _) in events.iter().filter(|(_, kind)| kind == wanted) {
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
    lose(world, &shop, &charge, None).await;
    assert_eq!(lost(world).await, std::slice::from_ref(&anna));
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
    lose(world, &shop, &charge, None).await;
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    assert_eq!(lost(world).await, [anna]);
});

both!(half_given_back_and_half_taken_back_is_all_of_it, async |world| {
    let shop = Shop::open(world).await;
    world.settings(|settings| settings.lost_disputes_end_access = true).await;
    let anna = member(world, "anna@example.com").await;
    let price = shop.price(900).await;
    shop.sells(&anna, &price).await;
    shop.settle(world).await;
    shop.fake.set_plan(Plan::held());
    let customer = shop.customer().await;
    let charge = charge(&shop, &customer).await;
    shop.refund(world, &customer, Some(450)).await;
    // What was lost is known before the invoice says what was given back, which is as much.
    shop.fake
        .fault(Rule { chances: [(Fault::Unavailable, 1.0)].into(), ..Rule::default().on("GET", "/v1/invoices/*") });
    lose(world, &shop, &charge, Some(450)).await;
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    shop.fake.clear_faults();
    hear(world, &shop, "charge.refunded").await;
    assert_eq!(why(world, &anna).await, "subscription_ended");
    shop.settle(world).await;
});
