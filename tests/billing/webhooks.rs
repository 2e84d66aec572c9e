//! What Stripe's events lead to.

use serde_json::{Value, json};
use stripe_fake::Dress;

use super::{Shop, shop::subscription};
use crate::harness::World;

const DAY: u64 = 86_400;

async fn member(world: &World, email: &str) -> Value {
    world.one("members.create", json!({ "email": email })).await["id"].clone()
}

async fn why(world: &World, member: &Value) -> String {
    let why = world.ok("members.whyPaywall", json!({ "member": { "id": member } })).await;
    why["reason"].as_str().expect("a reason").to_owned()
}

both!(who_pays_at_stripe_gets_in_and_who_stops_is_let_out_when_the_period_ends, async |world| {
    let shop = Shop::open(world).await;
    let anna = member(world, "anna@example.com").await;
    assert_eq!(why(world, &anna).await, "no_subscription");
    let price = shop.price(900).await;
    let external = shop.sells(&anna, &price).await;
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    let mirrored = subscription(world, &anna).await;
    assert_eq!((&mirrored["externalId"], &mirrored["status"]), (&json!(external), &json!("active")), "{mirrored}");
    let shown = world.one("members.get", json!({ "member": { "id": anna } })).await;
    assert_eq!(shown["status"], "paid");
    // What changed is in the log, with the event.
    let log = world.ok("activity.list", json!({ "actor": "stripe", "tool": "stripe.subscription" })).await;
    let row = &log["items"][0];
    assert_eq!(row["member"], anna, "{log}");
    // Ending with the period: the member stays in until then.
    shop.write(usher_stripe::requests::subscriptions::cancel_at_period_end(&external, true)).await;
    shop.settle(world).await;
    assert!(subscription(world, &anna).await["cancelAt"].is_string());
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    shop.advance(world, 32 * DAY).await;
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await, "subscription_ended");
    assert_eq!(world.one("members.get", json!({ "member": { "id": anna } })).await["status"], "free");
});

both!(an_event_is_taken_once_and_only_with_a_good_signature, async |world| {
    let shop = Shop::open(world).await;
    let anna = member(world, "anna@example.com").await;
    let price = shop.price(900).await;
    shop.sells(&anna, &price).await;
    shop.settle(world).await;
    let (event, _) = shop.fake.events(None).expect("events").pop().expect("an event");
    let post = async |body: &str, headers: &[(String, String)]| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        world.send("POST", &format!("/webhooks/stripe/{}", world.site.id), &headers, body.to_owned()).await
    };
    let signed = shop.fake.signed(&event, &Dress::default()).expect("an event").remove(0);
    let reply = post(&signed.body, &signed.headers).await;
    assert_eq!((reply.status, reply.json()["event"].clone()), (200, json!("again")), "{}", reply.text);
    let mut changed = signed.body.clone();
    changed.push(' ');
    assert_eq!(post(&changed, &signed.headers).await.failure(), (400, "webhook_refused".into()));
    assert_eq!(post(&signed.body, &[]).await.failure(), (400, "webhook_refused".into()));
    let old = Dress { age_seconds: 301, ..Dress::default() };
    let old = shop.fake.signed(&event, &old).expect("an event").remove(0);
    assert_eq!(post(&old.body, &old.headers).await.failure(), (400, "webhook_refused".into()));
});
