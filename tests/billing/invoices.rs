//! The list of invoices, and one of them by each of its names.

use serde_json::json;
use usher_stripe::requests::subscriptions as change;

use super::{
    Shop,
    oracle::Told,
    people::why,
    shop::{member, subscription},
};
use crate::harness::World;

async fn ids(world: &World, args: serde_json::Value) -> Vec<String> {
    let page = world.ok("invoices.list", args).await;
    page["items"].as_array().expect("items").iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

both!(invoices_are_listed_newest_first_and_found_by_each_of_their_names, async |world| {
    let shop = Shop::open(world).await;
    let (anna, ben) = (member(world, "anna@example.com").await, member(world, "ben@example.com").await);
    let price = shop.price(900).await;
    shop.sells(&anna, &price).await;
    shop.advance(world, 3600).await;
    shop.sells(&ben, &price).await;
    shop.settle(world).await;
    let all = world.ok("invoices.list", json!({})).await;
    let (newer, older) = (&all["items"][0], &all["items"][1]);
    assert_eq!(all["items"].as_array().map(Vec::len), Some(2), "{all}");
    assert_eq!((&newer["member"], &older["member"]), (&ben, &anna));
    assert_eq!(
        (&older["amountPaid"], &older["currency"], &older["status"]),
        (&json!(900), &json!("EUR"), &json!("paid"))
    );
    assert_eq!(older["lines"].as_array().map(Vec::len), Some(1), "{older}");
    assert!(older["hostedUrl"].is_string() && older["pdfUrl"].is_string(), "{older}");
    let [newest, oldest] = [newer, older].map(|one| [one["id"].as_str().expect("an id").to_owned()]);
    // A page, and the next.
    let page = world.ok("invoices.list", json!({ "limit": 1 })).await;
    assert_eq!(page["items"][0]["id"], newer["id"]);
    assert_eq!(ids(world, json!({ "limit": 1, "cursor": page["nextCursor"] })).await, oldest);
    // Filters, alone and together.
    let of_anna = subscription(world, &anna).await["id"].clone();
    let by_anna = json!({ "member": { "id": anna }, "status": "paid", "subscription": of_anna });
    for args in [json!({ "member": { "email": "anna@example.com" } }), json!({ "subscription": of_anna }), by_anna] {
        assert_eq!(ids(world, args).await, oldest);
    }
    assert_eq!(ids(world, json!({ "status": "open" })).await, Vec::<String>::new());
    assert_eq!(ids(world, json!({ "status": "paid", "member": { "id": ben } })).await, newest);
    assert_eq!(ids(world, json!({ "createdFrom": newer["createdAt"] })).await, newest);
    assert_eq!(ids(world, json!({ "createdUntil": newer["createdAt"] })).await, oldest);
    // Each of its names.
    for args in [
        json!({ "invoice": older["id"] }),
        json!({ "invoice": { "number": older["number"] } }),
        json!({ "invoice": { "externalId": older["externalId"] } }),
    ] {
        assert_eq!(&world.one("invoices.get", args).await, older);
    }
    let none = world.call(&world.key, "invoices.get", json!({ "invoice": { "number": "NO-1" } })).await;
    assert_eq!(none.code(), "invoice_not_found");
    let both = json!({ "invoice": { "number": older["number"], "externalId": older["externalId"] } });
    assert_eq!(world.call(&world.key, "invoices.get", both).await.code(), "invalid_arguments");
    // Another site has none of them.
    let (_, stranger) = world.other_site("Second", None).await;
    let theirs = world.call(&stranger, "invoices.list", json!({})).await.result();
    assert_eq!(theirs["items"], json!([]));
    let theirs =
        world.call(&stranger, "invoices.get", json!({ "invoice": { "externalId": older["externalId"] } })).await;
    assert_eq!(theirs.code(), "invoice_not_found");
});

both!(an_invoice_of_many_lines_is_kept_whole_and_pays_for_what_is_on_the_last, async |world| {
    let shop = Shop::open(world).await;
    let anna = member(world, "anna@example.com").await;
    let price = shop.price(900).await;
    let external = shop.sells(&anna, &price).await;
    shop.settle(world).await;
    // Six changes wait for the next invoice, and stand on it before what it is for.
    let told = Told::of(&shop.fake, &external);
    for n in 2..8 {
        shop.advance(world, 86_400).await;
        let form = format!("items[0][id]={}&items[0][quantity]={n}", told.items[0].id);
        let form = format!("{form}&proration_behavior=create_prorations");
        shop.fake.owner("POST", &format!("subscriptions/{external}"), &form).expect("a change");
    }
    shop.advance(world, 28 * 86_400).await;
    shop.settle(world).await;
    let listed = world.ok("invoices.list", json!({ "member": { "id": anna } })).await;
    assert_eq!(listed["items"][0]["lines"].as_array().map(Vec::len), Some(13), "{listed}");
    // What is paid ends with the period of the last line, also while nothing is collected.
    let paid_until = subscription(world, &anna).await["periodEnd"].clone();
    shop.write(change::pause_collection(&external, None)).await;
    shop.settle(world).await;
    let paused = subscription(world, &anna).await;
    assert_eq!((&paused["status"], &paused["periodEnd"]), (&json!("paused"), &paid_until));
    assert_eq!(why(world, &anna).await, "allowed_subscription");
});
