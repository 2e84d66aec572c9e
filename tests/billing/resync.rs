//! Reading anew what Stripe has of a member.

use std::collections::BTreeMap;

use serde_json::json;
use stripe_fake::{Fault, Payer, Plan, Rule};
use usher::areas::billing::sweep::Sweep;
use usher_stripe::requests::{checkout, customers, subscriptions as ask};

use super::{
    Shop,
    people::{member, refused, waited, why},
    shop::{subscription, work},
};

/// Somebody buys with an address and nothing that says whose it is; gives the customer and the subscription.
async fn sells_to(shop: &Shop, email: &str, metadata: &BTreeMap<String, String>) -> (String, String) {
    let price = shop.price(900).await;
    let new = customers::NewCustomer { email, name: None, metadata };
    let customer = shop.write(customers::create(&new)).await.id;
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
    let session = shop.write(checkout::create(&new)).await.id;
    shop.fake.complete_checkout(&session, &Payer::default()).expect("it is paid");
    let session = shop.read(checkout::get(&session)).await;
    (customer, session.subscription_id().expect("a subscription").to_owned())
}

both!(who_paid_with_the_same_address_is_found, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, ben) = (member(world, "Anna@example.com").await, member(world, "ben@example.com").await);
    let (customer, external) = sells_to(&shop, "anna@example.com", &BTreeMap::new()).await;
    // With the same address and somebody else's name on it.
    let bens = [("usher_member".to_owned(), ben.as_str().unwrap().to_owned())].into();
    let (other, _) = sells_to(&shop, "Anna@example.com", &bens).await;
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await, "no_subscription");
    assert_eq!(world.rows("SELECT id FROM stripe_stray").await, std::slice::from_ref(&external));
    let done = waited(world, "subscriptions.resync", json!({ "member": { "id": anna } })).await;
    let result = &done["job"]["result"];
    assert_eq!(result["linkedCustomers"], json!([customer]), "{done}");
    assert_eq!(result["customersOfOthers"], json!([other]), "{done}");
    let mirrored = subscription(world, &anna).await;
    assert_eq!((&mirrored["externalId"], &result["new"]), (&json!(external), &json!([mirrored["id"]])), "{done}");
    assert_eq!((&result["subscriptions"], &result["checkouts"]), (&json!(1), &json!(1)), "{done}");
    assert!(result["invoices"].as_u64().unwrap() >= 1, "{done}");
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    assert!(world.rows("SELECT id FROM stripe_stray").await.is_empty());
    let log = world.ok("activity.list", json!({ "actor": "stripe", "tool": "stripe.subscription" })).await;
    assert!(log["items"][0]["args"].to_string().contains("resync"), "{log}");
    // Nothing more is found.
    let again = waited(world, "subscriptions.resync", json!({ "subscription": mirrored["id"] })).await;
    let result = &again["job"]["result"];
    assert_eq!((&result["new"], &result["changed"], &result["linkedCustomers"]), (&json!([]), &json!([]), &json!([])));
    shop.settle(world).await;
});

both!(the_paywall_says_who_pays_with_the_address_however_it_is_written, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let anna = member(world, "anna@example.com").await;
    let ask = json!({ "member": { "id": anna } });
    let (_, external) = sells_to(&shop, "Anna@Example.COM", &BTreeMap::new()).await;
    shop.settle(world).await;
    let report = world.ok("billing.reconcile", json!({})).await;
    let found = &report["items"][0];
    assert_eq!((&found["kind"], &found["member"]), (&json!("unknown_here"), &anna), "{report}");
    let link = json!({ "member": { "id": anna }, "externalId": external });
    assert_eq!((&found["fix"]["tool"], &found["fix"]["args"]), (&json!("subscriptions.link"), &link), "{report}");
    let explained = world.ok("members.whyPaywall", ask.clone()).await;
    assert!(explained["checks"].to_string().contains(&external), "{explained}");
    assert!(!explained["summary"].as_str().expect("a text").contains(&external), "{explained}");
    let fix = &explained["fixes"][0];
    assert_eq!((&fix["tool"], &fix["args"]), (&json!("subscriptions.link"), &link), "{explained}");
    let done = waited(world, "subscriptions.link", fix["args"].clone()).await;
    assert_eq!(
        (&done["job"]["result"]["customers"], &done["job"]["result"]["subscriptions"]),
        (&json!(1), &json!(1)),
        "{done}"
    );
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    let explained = world.ok("members.whyPaywall", ask).await;
    assert_eq!((&explained["fixes"], explained["summary"].to_string().contains("nothing says")), (&json!([]), false));
    // Of who goes, the address does too.
    let ben = member(world, "ben@example.com").await;
    sells_to(&shop, "ben@example.com", &BTreeMap::new()).await;
    shop.settle(world).await;
    assert_eq!(world.rows("SELECT email_key FROM stripe_stray").await, ["ben@example.com"]);
    waited(world, "members.delete", json!({ "member": { "id": ben } })).await;
    assert_eq!(world.rows("SELECT email_key FROM stripe_stray").await, [""]);
    // One that was not asked for its address yet is, by the next sweep.
    world.execute("UPDATE stripe_stray SET email_key = NULL").await;
    work(world, &Sweep { site: world.site.id.number() }).await;
    shop.settle(world).await;
    assert_eq!(world.rows("SELECT email_key FROM stripe_stray").await, ["ben@example.com"]);
});

both!(what_was_missed_is_repaired_through_faults, async |world| {
    let shop = Shop::open(world).await;
    let anna = member(world, "anna@example.com").await;
    let price = shop.price(900).await;
    let external = shop.sells(&anna, &price).await;
    shop.settle(world).await;
    // Nothing is heard of it.
    shop.fake.set_plan(Plan { held: true, ..Plan::default() });
    shop.write(ask::cancel_now(&external)).await;
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    shop.fake.fault(Rule::next([Fault::None, Fault::RateLimited, Fault::ResetBefore]).on("GET", ""));
    let done = waited(world, "subscriptions.resync", json!({ "member": { "id": anna } })).await;
    let id = subscription(world, &anna).await["id"].clone();
    assert_eq!(done["job"]["result"]["changed"], json!([id]), "{done}");
    assert_eq!(why(world, &anna).await, "subscription_ended");
    shop.fake.clear_faults();
    shop.settle(world).await;
    assert_eq!(refused(world, "subscriptions.resync", json!({})).await, "arguments_refused");
});
