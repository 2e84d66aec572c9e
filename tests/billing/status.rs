//! What is said of how a member compares with Stripe.

use serde_json::json;
use stripe_fake::{Fault, Rule};
use usher::areas::billing::sweep::Sweep;

use super::{
    Shop,
    shop::{member, why, work},
};

both!(each_status_is_told_with_what_is_behind_it, async |world| {
    let shop = Shop::open(world).await;
    let anna = member(world, "anna@example.com").await;
    let ask = json!({ "member": { "id": anna } });
    assert_eq!(world.ok("members.syncStatus", ask.clone()).await["status"], "not_linked");
    let price = shop.price(900).await;
    let external = shop.sells(&anna, &price).await;
    shop.settle(world).await;

    let synced = world.ok("members.syncStatus", ask.clone()).await;
    assert_eq!(synced["status"], "synced", "{synced}");
    assert_eq!(synced["lastSyncAt"], json!(world.clock.now()));
    assert_eq!(synced["subscriptions"][0]["externalId"], json!(external));
    assert!(synced["customers"][0].as_str().is_some_and(|id| id.starts_with("cus_")), "{synced}");
    let changes = synced["changes"].as_array().expect("changes");
    let made = changes.iter().find(|one| one["kind"] == "subscription").expect("it was made");
    assert_eq!((&made["source"], &made["after"]["externalId"]), (&json!("webhook"), &json!(external)), "{made}");
    assert!(made["event"].as_str().is_some_and(|id| id.starts_with("evt_")), "{made}");

    shop.advance(world, 86_401).await;
    assert_eq!(world.ok("members.syncStatus", ask.clone()).await["status"], "stale");
    assert_eq!(why(world, &anna).await["syncStatus"], "stale");
    work(world, &Sweep { site: world.site.id.number() }).await;
    assert_eq!(world.ok("members.syncStatus", ask.clone()).await["status"], "synced");

    // What a sweep has marked and nobody has read yet, as nobody was woken.
    let mark = "INSERT INTO stripe_dirty (site, kind, object_id, marks, source, since, not_before, tries) VALUES";
    let now = world.clock.now().micros();
    world.execute(&format!("{mark} (1, 'subscription', '{external}', 1, 'sweep', {now}, {}, 0)", now + 1)).await;
    let drifted = world.ok("members.syncStatus", ask.clone()).await;
    assert_eq!((&drifted["status"], &drifted["pending"][0]["source"]), (&json!("drifted"), &json!("sweep")));
    assert_eq!(why(world, &anna).await["syncStatus"], "drifted");
    world.execute("DELETE FROM stripe_dirty").await;

    // Reading fails.
    shop.fake.fault(Rule::next([Fault::Unavailable]).on("GET", "/v1/subscriptions/*"));
    shop.write(usher_stripe::requests::subscriptions::cancel_at_period_end(&external, true)).await;
    shop.settle(world).await;
    let failing = world.ok("members.syncStatus", ask.clone()).await;
    assert_eq!((&failing["status"], &failing["pending"][0]["tries"]), (&json!("failing"), &json!(1)), "{failing}");
    assert!(failing["lastError"].as_str().is_some_and(|text| text.contains("503")), "{failing}");
    assert_eq!(why(world, &anna).await["syncStatus"], "failing");
    shop.advance(world, 60).await;
    work(world, &usher::areas::billing::Tick).await;
    shop.settle(world).await;
    assert_eq!(world.ok("members.syncStatus", ask.clone()).await["status"], "synced");
    world.execute("UPDATE stripe_connection SET parked_at = 1, parked_why = 'Stripe answered 403'").await;
    let parked = world.ok("members.syncStatus", ask.clone()).await;
    assert_eq!((&parked["status"], &parked["lastError"]), (&json!("failing"), &json!("Stripe answered 403")));
    // Of a site that is not connected any more nothing is compared.
    world.execute("DELETE FROM stripe_connection").await;
    assert_eq!(world.ok("members.syncStatus", ask).await["status"], "stale");
});
