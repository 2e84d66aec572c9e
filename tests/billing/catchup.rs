//! What is heard of though no webhook came.

use std::time::Duration;

use serde_json::json;
use stripe_fake::{Dress, Plan};
use usher::areas::billing::{
    catchup::{CatchUp, Listen},
    store,
};

use super::{
    Shop,
    shop::{member, why, work},
};

const DAY: u64 = 86_400;

both!(what_lost_webhooks_would_have_told_is_caught_up_with, async |world| {
    let shop = Shop::open(world).await;
    shop.fake.set_plan(Plan { dropped: 1.0, ..Plan::default() });
    let anna = member(world, "anna@example.com").await;
    let price = shop.price(900).await;
    shop.sells(&anna, &price).await;
    // More than a page of them.
    for _ in 0..60 {
        shop.unheard_of(100, usher_stripe::requests::prices::Every::Months(1)).await;
    }
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await["reason"], "no_subscription");
    let listen = Listen { site: world.site.id.number() };
    work(world, &listen).await;
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await["reason"], "allowed_subscription");
    let log = world.ok("activity.list", json!({ "actor": "stripe", "tool": "stripe.subscription" })).await;
    assert_eq!(log["items"][0]["args"]["source"], "events", "{log}");
    let connection = store::connection(world.app.db.read(), world.site.id).await.unwrap().unwrap();
    assert_eq!(connection.events_until, Some(world.clock.now()));
    // A webhook that comes after all tells nothing new.
    shop.fake.set_plan(Plan::default());
    let events = shop.fake.events(None).expect("events");
    let (paid, _) = events.iter().find(|(_, kind)| kind == "customer.subscription.created").expect("it was made");
    assert_eq!(shop.fake.deliver(paid, &Dress::default()).await.expect("it is sent"), [200]);
    let n = world.rows("SELECT id FROM stripe_event").await.len();
    assert_eq!(n, events.len());
    // Nor does another listing: it asks for the overlap alone.
    shop.fake.clear_log();
    shop.advance(world, 300).await;
    work(world, &listen).await;
    let asked = shop.fake.log();
    assert!(asked.iter().all(|entry| entry.path == "/v1/events") && asked.len() <= 2, "{asked:?}");
});

both!(a_long_outage_is_caught_up_with_and_old_events_are_forgotten, async |world| {
    let shop = Shop::open(world).await;
    shop.fake.set_plan(Plan { dropped: 1.0, ..Plan::default() });
    let (anna, price) = (member(world, "anna@example.com").await, shop.price(900).await);
    let external = shop.sells(&anna, &price).await;
    let listen = Listen { site: world.site.id.number() };
    work(world, &listen).await;
    shop.settle(world).await;
    shop.write(usher_stripe::requests::subscriptions::cancel_now(&external)).await;
    shop.advance(world, 20 * DAY).await;
    assert_eq!(why(world, &anna).await["reason"], "allowed_subscription");
    work(world, &listen).await;
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await["reason"], "subscription_ended");
    world.clock.advance(Duration::from_secs(21 * DAY));
    let before = world.rows("SELECT id FROM stripe_event").await.len();
    work(world, &CatchUp).await;
    // What was heard of 41 days ago is gone, what was heard of 21 days ago is not.
    let after = world.rows("SELECT id FROM stripe_event").await.len();
    assert!(after < before && after > 0, "{after} of {before}");
});
