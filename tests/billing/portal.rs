//! Links to Stripe's billing portal.

use serde_json::{Value, json};
use stripe_fake::{Fault, Rule};

use super::{
    Shop,
    shop::{member, subscription},
};
use crate::harness::{Reply, World};

async fn ask(world: &World, member: &Value, url: &str) -> Reply {
    let args = json!({ "member": { "id": member }, "returnUrl": url });
    world.call(&world.key, "subscriptions.createPortalLink", args).await
}

const BACK: &str = "https://example.com/account";

both!(a_member_who_pays_gets_a_link_to_the_portal, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let anna = member(world, "anna@example.com").await;
    let price = shop.price(900).await;
    shop.sells(&anna, &price).await;
    shop.settle(world).await;
    let paying = subscription(world, &anna).await["customerId"].clone();
    // A customer that came later and pays nothing is not the one.
    let (later, _) =
        shop.checkout(&anna, &price, usher_stripe::requests::checkout::Sells::Subscription { trial_days: 0 }).await;
    let (site, id, now) = (world.site.id, anna.as_str().expect("an id"), world.clock.now().micros() + 1);
    let row = format!("({site}, '{later}', '{id}', {now})");
    world.execute(&format!("INSERT INTO stripe_customer (site, id, member_id, created_at) VALUES {row}")).await;

    let dry = json!({ "args": { "member": { "id": anna }, "returnUrl": BACK }, "dryRun": true });
    let dry = world.call_with(&world.key, "subscriptions.createPortalLink", dry, &[]).await.json();
    let calls = dry["changes"].as_array().expect("changes").iter().filter(|one| one["kind"] == "stripeCall");
    let calls: Vec<_> = calls.map(|one| one["after"]["call"].as_str().expect("a call")).collect();
    assert_eq!(calls, ["POST /v1/billing_portal/sessions"], "{dry}");

    // Also where the first response is lost.
    shop.fake.fault(Rule::next([Fault::ServerErrorAfter]).on("POST", "/v1/billing_portal/sessions"));
    let made = ask(world, &anna, BACK).await.result();
    assert_eq!(made["job"]["status"], "succeeded", "the call has waited: {made}");
    assert_eq!(made["url"], made["job"]["result"]["url"]);
    assert!(made["url"].as_str().is_some_and(|url| url.starts_with("https://billing.stripe.com/")), "{made}");
    let sent: Vec<_> = shop.fake.log().into_iter().filter(|one| one.path == "/v1/billing_portal/sessions").collect();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert_ne!(sent[0].idempotency_key, sent[1].idempotency_key);
    assert_eq!(shop.fake.portal_customers(), [paying.clone(), paying]);
});

both!(a_link_to_the_portal_is_refused_at_once_where_there_can_be_none, async |world| {
    world.without_budgets().await;
    let anna = member(world, "anna@example.com").await;
    assert_eq!(ask(world, &anna, BACK).await.code(), "stripe_not_connected");
    let shop = Shop::open(world).await;
    let none = ask(world, &anna, BACK).await;
    assert_eq!(none.code(), "customer_not_found", "{}", none.text);
    assert_eq!(none.json()["fix"]["tool"], "subscriptions.resync");
    let price = shop.price(900).await;
    shop.sells(&anna, &price).await;
    shop.settle(world).await;
    assert_eq!(ask(world, &anna, "http://example.com/").await.code(), "arguments_refused");
    world.settings(|settings| settings.stripe_writes = false).await;
    assert_eq!(ask(world, &anna, BACK).await.code(), "stripe_writes_locked");
    world.settings(|settings| settings.stripe_writes = true).await;
    // The customer was deleted at Stripe.
    let customer = subscription(world, &anna).await["customerId"].as_str().expect("an id").to_owned();
    shop.delete_customer(world, &customer).await;
    let gone = ask(world, &anna, BACK).await.result();
    assert_eq!(gone["job"]["error"]["code"], "stripe_refused", "{gone}");
    shop.settle(world).await;
    world.leaves_traces = true;
});
