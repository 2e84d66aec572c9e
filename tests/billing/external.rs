//! What is paid elsewhere.

use serde_json::{Value, json};
use usher::{areas::access, values::PlanId};
use usher_jobs::Owner;

use super::people::{member, refused, why};
use crate::harness::{START, World};

const DAY: u64 = 86_400;

async fn plan(world: &World, name: &str) -> PlanId {
    let id = world.app.clock.id();
    world.plan(&id, name).await;
    id
}

fn advance(world: &World, days: u64) {
    world.clock.advance(std::time::Duration::from_secs(days * DAY));
}

/// Ends what is over, as the worker does from time to time.
async fn lapse(world: &World) {
    let mut tx = world.app.db.begin().await.unwrap();
    let row = world.app.jobs.enqueue(&mut tx, Owner::site(0), &access::Lapse).await.unwrap();
    tx.commit().await.unwrap();
    world.app.jobs.wait(0, &row.id, crate::harness::PATIENCE).await.unwrap();
}

async fn shown(world: &World, member: &Value) -> String {
    world.one("members.get", json!({ "member": { "id": member } })).await["status"].as_str().unwrap().to_owned()
}

both!(a_plan_paid_elsewhere_lets_in_until_it_is_over, async |world| {
    world.without_budgets().await;
    let anna = member(world, "anna@example.com").await;
    let gold = plan(world, "Gold").await;
    let until = |days: u64| json!((START + std::time::Duration::from_secs(days * DAY)).to_string());
    let sale = |days: u64| json!({ "member": { "id": anna }, "plan": gold, "source": "bank transfer", "reference": "R-1", "expiresAt": until(days) });
    let first = world.ok("subscriptions.recordExternal", sale(30)).await;
    assert_eq!((&first["changed"], &first["charged"]), (&json!(true), &json!(false)), "{first}");
    assert_eq!(first["access"], json!({ "allowed": true, "reason": "allowed_subscription", "until": until(30) }));
    assert_eq!(shown(world, &anna).await, "paid");
    // Told again it is one, and with a later end it is longer; never shorter.
    let second = world.ok("subscriptions.recordExternal", sale(30)).await;
    assert_eq!((&second["changed"], &second["subscription"]), (&json!(false), &first["subscription"]));
    assert_eq!(world.ok("subscriptions.recordExternal", sale(10)).await["changed"], false);
    let third = world.ok("subscriptions.recordExternal", sale(60)).await;
    assert_eq!((&third["changed"], &third["subscription"]["periodEnd"]), (&json!(true), &until(60)));
    assert_eq!(third["subscription"]["id"], first["subscription"]["id"]);
    advance(world, 59);
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    advance(world, 1);
    assert_eq!(why(world, &anna).await, "subscription_ended");
    assert_eq!(
        refused(world, "subscriptions.cancel", json!({ "subscription": first["subscription"]["id"] })).await,
        "subscription_ended"
    );
    lapse(world).await;
    assert_eq!(shown(world, &anna).await, "free");
    let one = world.one("subscriptions.get", json!({ "subscription": first["subscription"]["id"] })).await;
    assert_eq!((&one["status"], &one["endedAt"]), (&json!("canceled"), &until(60)), "{one}");
    // The same words as ever do nothing, a later end takes it up again.
    assert_eq!(world.ok("subscriptions.recordExternal", sale(60)).await["changed"], false);
    let fourth = world.ok("subscriptions.recordExternal", sale(90)).await;
    assert_eq!((&fourth["changed"], &fourth["subscription"]["status"]), (&json!(true), &json!("active")), "{fourth}");
    assert_eq!(why(world, &anna).await, "allowed_subscription");
});

both!(it_is_cancelled_paused_and_resumed_here, async |world| {
    world.without_budgets().await;
    let anna = member(world, "anna@example.com").await;
    let gold = plan(world, "Gold").await;
    let sale = json!({ "member": { "id": anna }, "plan": gold, "source": "app store", "reference": "R-1" });
    let id = world.ok("subscriptions.recordExternal", sale.clone()).await["subscription"]["id"].clone();
    let args = json!({ "subscription": id });
    // It is paid for good, so there is nothing to pause, and only now can it end.
    assert_eq!(refused(world, "subscriptions.pause", args.clone()).await, "subscription_once");
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    assert_eq!(refused(world, "subscriptions.cancel", args.clone()).await, "arguments_refused");
    let gone = world.ok("subscriptions.cancel", json!({ "subscription": id, "when": "now" })).await;
    assert_eq!(gone["subscription"]["status"], "canceled", "{gone}");
    assert_eq!((why(world, &anna).await.as_str(), shown(world, &anna).await.as_str()), ("subscription_ended", "free"));
    // A seller that repeats itself does not undo it.
    let again = world.ok("subscriptions.recordExternal", sale).await;
    assert_eq!((&again["changed"], &again["access"]["allowed"]), (&json!(false), &json!(false)), "{again}");
    // With a period it ends with that.
    let end = (START + std::time::Duration::from_secs(30 * DAY)).to_string();
    let sale = json!({ "member": { "id": anna }, "plan": gold, "source": "app store", "expiresAt": end });
    let id = world.ok("subscriptions.recordExternal", sale.clone()).await["subscription"]["id"].clone();
    let paused = world.ok("subscriptions.pause", json!({ "subscription": id })).await;
    assert_eq!((&paused["atStripe"], &paused["subscription"]["status"]), (&json!(false), &json!("paused")), "{paused}");
    assert!(paused.get("job").is_none());
    assert_eq!(why(world, &anna).await, "allowed_subscription", "what is paid goes on");
    world.ok("subscriptions.resume", json!({ "subscription": id })).await;
    let ending = world.ok("subscriptions.cancel", json!({ "subscription": id })).await;
    assert_eq!(
        (&ending["subscription"]["status"], &ending["subscription"]["cancelAt"]),
        (&json!("active"), &json!(end))
    );
    assert_eq!(why(world, &anna).await, "allowed_subscription");
    // Without a reference it is still the one that runs.
    assert_eq!(world.ok("subscriptions.recordExternal", sale).await["changed"], false);
    advance(world, 30);
    assert_eq!(why(world, &anna).await, "subscription_ended");
});

both!(a_sale_is_one_however_it_is_told, async |world| {
    world.without_budgets().await;
    let world = &*world;
    let (anna, ben) = (member(world, "anna@example.com").await, member(world, "ben@example.com").await);
    let (gold, silver) = (plan(world, "Gold").await, plan(world, "Silver").await);
    let sale = |who: &Value, plan: &PlanId| json!({ "member": { "id": who }, "plan": plan, "source": "shop", "reference": "R-7" });
    let calls = (0..12).map(|n| {
        let args = sale(if n % 3 == 0 { &ben } else { &anna }, &gold);
        async move { world.call(&world.key, "subscriptions.recordExternal", args).await }
    });
    let replies = futures_util::future::join_all(calls).await;
    let (mut changed, mut used) = (0, 0);
    for reply in &replies {
        match reply.json()["ok"] == true {
            true => changed += usize::from(reply.result()["changed"] == true),
            false => {
                assert_eq!(reply.code(), "reference_used");
                used += 1;
            }
        }
    }
    assert_eq!((changed, used == 4 || used == 8), (1, true), "{used}");
    assert_eq!(world.rows("SELECT id FROM subscription").await.len(), 1);
    let owner = world.rows("SELECT member_id FROM subscription").await.remove(0);
    assert_eq!(refused(world, "subscriptions.recordExternal", sale(&json!(owner), &silver)).await, "reference_used");
    // Another seller's is another sale.
    let other = json!({ "member": { "id": anna }, "plan": silver, "source": "bank", "reference": "R-7" });
    assert_eq!(world.ok("subscriptions.recordExternal", other).await["changed"], true);
});

both!(what_cannot_be_is_refused, async |world| {
    let anna = member(world, "anna@example.com").await;
    let gold = plan(world, "Gold").await;
    let unknown: PlanId = world.app.clock.id();
    let who = json!({ "id": anna });
    for (args, code) in [
        (json!({ "member": who, "plan": gold, "source": "Stripe" }), "arguments_refused"),
        (json!({ "member": who, "plan": unknown, "source": "shop" }), "plan_not_found"),
        (json!({ "member": who, "plan": gold, "source": "shop", "expiresAt": START.to_string() }), "arguments_refused"),
        (
            json!({ "member": who, "plan": gold, "source": "shop", "startedAt": "2100-01-01T00:00:00Z" }),
            "arguments_refused",
        ),
        (json!({ "member": { "email": "nobody@example.com" }, "plan": gold, "source": "shop" }), "member_not_found"),
    ] {
        assert_eq!(refused(world, "subscriptions.recordExternal", args).await, code);
    }
    assert!(world.rows("SELECT id FROM subscription").await.is_empty());
});
