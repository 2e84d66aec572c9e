//! A member's address here, and that of the customer at Stripe.

use serde_json::{Value, json};
use stripe_fake::{Fault, Rule};
use usher_stripe::requests::customers::{self, CustomerChange};

use super::{
    Shop,
    people::waited,
    shop::{member, subscription},
};
use crate::harness::World;

async fn at_stripe(shop: &Shop, customer: &str) -> Option<String> {
    shop.read(customers::get(customer)).await.email.map(|email| email.to_string())
}

async fn paid_with(world: &World) -> Vec<String> {
    world.rows("SELECT email_key FROM stripe_customer ORDER BY id").await
}

/// A member who pays; the customer.
async fn payer(world: &World, shop: &Shop) -> (Value, String) {
    let anna = member(world, "anna@example.com").await;
    let price = shop.price(900).await;
    shop.sells(&anna, &price).await;
    shop.settle(world).await;
    let customer = subscription(world, &anna).await["customerId"].as_str().expect("an id").to_owned();
    (anna, customer)
}

both!(a_new_address_is_passed_on_to_the_customer, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, customer) = payer(world, &shop).await;
    let args = json!({ "member": { "id": anna }, "email": "Anna@new.example" });
    let dry = json!({ "args": args, "dryRun": true });
    let dry = world.call_with(&world.key, "members.update", dry, &[]).await.json();
    let calls: Vec<_> =
        dry["changes"].as_array().expect("changes").iter().filter(|one| one["kind"] == "stripeCall").collect();
    assert_eq!(calls.len(), 1, "{dry}");
    assert_eq!(calls[0]["after"]["call"], format!("POST /v1/customers/{customer}"));
    shop.fake.fault(Rule::next([Fault::ResetAfter]).on("POST", "/v1/customers/*"));
    let updated = waited(world, "members.update", args).await;
    let job = world.job(&updated["job"]["id"]).await;
    assert_eq!((&job["status"], &job["kind"]), (&json!("succeeded"), &json!("members.update")), "{job}");
    assert_eq!(at_stripe(&shop, &customer).await.as_deref(), Some("Anna@new.example"));
    shop.settle(world).await;
    assert_eq!(paid_with(world).await, ["anna@new.example"]);
    // Nothing else of the member goes there, and no job where nothing is different.
    let named = world.ok("members.update", json!({ "member": { "id": anna }, "name": "Anna" })).await;
    assert!(named.get("job").is_none(), "{named}");
    // While writes are off it is changed here only.
    world.settings(|settings| settings.stripe_writes = false).await;
    let here = world.ok("members.update", json!({ "member": { "id": anna }, "email": "anna@here.example" })).await;
    assert_eq!((&here["changed"], here.get("job")), (&json!(true), None));
    assert_eq!(at_stripe(&shop, &customer).await.as_deref(), Some("Anna@new.example"));
});

both!(a_customer_with_an_address_of_its_own_keeps_it, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, customer) = payer(world, &shop).await;
    let strange = customers::NewCustomer { email: "accounts@corp.example", name: None, metadata: &Default::default() };
    let own = shop.write(customers::create(&strange)).await.id;
    let (site, id, now) = (world.site.id, anna.as_str().expect("an id"), world.clock.now().micros());
    let row = format!("({site}, '{own}', '{id}', {now})");
    world.execute(&format!("INSERT INTO stripe_customer (site, id, member_id, created_at) VALUES {row}")).await;
    let args = json!({ "member": { "id": anna }, "email": "anna@new.example" });
    let updated = waited(world, "members.update", args).await;
    assert_eq!(updated["job"]["result"]["customersUpdated"], 1, "{updated}");
    assert_eq!(at_stripe(&shop, &customer).await.as_deref(), Some("anna@new.example"));
    assert_eq!(at_stripe(&shop, &own).await.as_deref(), Some("accounts@corp.example"));
    shop.settle(world).await;
});

both!(an_address_that_was_changed_at_stripe_is_heard_and_signs_nobody_in, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, customer) = payer(world, &shop).await;
    assert_eq!(paid_with(world).await, ["x@example.com"]);
    let change = CustomerChange { email: Some("Accounts@corp.example"), ..Default::default() };
    shop.write(customers::update(&customer, &change)).await;
    shop.settle(world).await;
    assert_eq!(paid_with(world).await, ["accounts@corp.example"]);
    assert_eq!(world.one("members.get", json!({ "member": { "id": anna } })).await["email"], "anna@example.com");
    let log = world.ok("activity.list", json!({ "tool": "stripe.customer" })).await;
    assert_eq!(log["items"].as_array().map(Vec::len), Some(1), "{log}");
    assert!(!log.to_string().contains("corp.example"), "{log}");
    // An old invoice that is read again has the address of its day.
    waited(world, "subscriptions.resync", json!({ "member": { "id": anna } })).await;
    shop.settle(world).await;
    assert_eq!(paid_with(world).await, ["accounts@corp.example"]);
});
