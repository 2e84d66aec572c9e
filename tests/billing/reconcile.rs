//! The report of where access and money do not agree.

use serde_json::{Value, json};
use stripe_fake::Seed;
use usher::areas::billing::sweep::Sweep;

use super::{
    Shop,
    shop::{member, subscription, work},
};

both!(what_does_not_agree_is_reported_with_what_would_mend_it, async |world| {
    let shop = Shop::open(world).await;
    let price = shop.price(900).await;
    let mut members = Vec::new();
    for name in ["fine", "locked", "twice", "undone"] {
        let member = member(world, &format!("{name}@example.com")).await;
        shop.sells(&member, &price).await;
        members.push(member);
    }
    shop.sells(&members[2], &price).await;
    let free = member(world, "free@example.com").await;
    shop.fake.seed(&Seed { subscriptions: 1, ..Seed::default() }).expect("it is made");
    shop.settle(world).await;
    work(world, &Sweep { site: world.site.id.number() }).await;
    let mut report = world.ok("billing.reconcile", json!({})).await;
    let kinds = |report: &Value| -> Vec<String> {
        let items = report["items"].as_array().expect("items").iter();
        items.map(|item| item["kind"].as_str().expect("a kind").to_owned()).collect()
    };
    assert_eq!(kinds(&report), ["two_live", "unknown_here"], "{report}");
    assert_eq!(report["nextCursor"], Value::Null);

    let id = |member: &Value| member.as_str().expect("an id").to_owned();
    world
        .execute(&format!("UPDATE member SET is_paid = FALSE, status = 'free' WHERE id = '{}'", id(&members[1])))
        .await;
    world.execute(&format!("UPDATE member SET is_paid = TRUE, status = 'paid' WHERE id = '{}'", id(&free))).await;
    let undone = format!("UPDATE subscription SET wanted = 'canceled' WHERE member_id = '{}'", id(&members[3]));
    world.execute(&undone).await;
    report = world.ok("billing.reconcile", json!({})).await;
    let items = report["items"].as_array().expect("items").clone();
    let of = |kind: &str| items.iter().find(|item| item["kind"] == kind).unwrap_or_else(|| panic!("{kind}: {report}"));
    assert_eq!(items.len(), 5, "{report}");
    assert_eq!((&of("locked_out")["member"], &of("not_paying")["member"]), (&members[1], &free));
    assert_eq!(of("locked_out")["fix"]["tool"], "subscriptions.resync");
    assert_eq!(of("not_paying")["fix"]["args"], json!({ "member": { "id": free } }));
    let later = subscription(world, &members[2]).await;
    assert_eq!(of("two_live")["fix"]["args"], json!({ "subscription": later["id"], "when": "now" }));
    let undone = subscription(world, &members[3]).await;
    assert_eq!(of("canceled_but_live")["subscription"], undone["id"]);
    assert_eq!(of("canceled_but_live")["fix"]["scope"], "subscriptions:manage");
    assert!(of("unknown_here")["fix"].is_null() && of("unknown_here")["externalId"].is_string());

    // A page at a time is the same.
    let (mut paged, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let mut args = json!({ "limit": 1 });
        if cursor.is_string() {
            args["cursor"] = cursor;
        }
        let page = world.ok("billing.reconcile", args).await;
        paged.extend(page["items"].as_array().expect("items").clone());
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(paged, items);
    let (_, stranger) = world.other_site("Second", None).await;
    assert_eq!(world.call(&stranger, "billing.reconcile", json!({})).await.result()["items"], json!([]));
});
