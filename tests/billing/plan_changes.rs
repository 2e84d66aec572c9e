//! Another plan for a subscription at Stripe: now, and at the end of its period.

use serde_json::{Value, json};
use stripe_fake::{Fault, Payer, Rule};
use usher_stripe::requests::subscriptions as ask;

use super::{
    Shop,
    people::{refused, waited, why},
    shop::{member, subscription},
};
use crate::harness::World;

const CHANGE: &str = "subscriptions.changePlan";

const DAY: u64 = 86_400;

/// A plan with its price at Stripe.
async fn plan(world: &World, name: &str, amount: i64, every: &str) -> Value {
    let args = json!({ "name": name, "amount": amount, "currency": "EUR", "every": every });
    let made = world.ok("plans.create", args).await;
    world.job(&made["job"]["id"]).await;
    made["plan"]["id"].clone()
}

/// A member who has bought a plan on Usher's own page: the member, and the subscription as it is here.
async fn buyer(world: &World, shop: &Shop, plan: &Value) -> (Value, Value) {
    let anna = member(world, "anna@example.com").await;
    let args = json!({ "member": { "id": anna }, "plan": plan, "successUrl": "https://example.com/" });
    let sold = world.ok("subscriptions.createCheckout", args).await;
    let session = sold["job"]["result"]["sessionId"].as_str().unwrap_or_else(|| panic!("{sold}")).to_owned();
    shop.fake.complete_checkout(&session, &Payer::default()).expect("it is paid");
    shop.settle(world).await;
    let bought = subscription(world, &anna).await;
    (anna, bought)
}

/// What was charged to the customer who came last, newest first.
async fn charged(shop: &Shop) -> Vec<i64> {
    shop.invoices(&shop.customer().await).await.iter().map(|invoice| invoice.amount_paid).collect()
}

async fn price_of(world: &World, plan: &Value) -> String {
    world.one("plans.get", json!({ "plan": plan })).await["priceId"].as_str().expect("a price").to_owned()
}

both!(a_plan_is_changed_now_for_what_stripe_said_it_would_cost, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (silver, gold) = (plan(world, "Silver", 900, "month").await, plan(world, "Gold", 3000, "month").await);
    let (anna, bought) = buyer(world, &shop, &silver).await;
    shop.advance(world, 10 * DAY).await;
    shop.settle(world).await;
    let args = json!({ "subscription": bought["id"], "plan": gold, "when": "now" });
    let dry = world.call_with(&world.key, CHANGE, json!({ "args": args, "dryRun": true }), &[]).await.json();
    let preview = &dry["result"]["preview"];
    let due = preview["amountDue"].as_i64().unwrap_or_else(|| panic!("{dry}"));
    assert!(due > 0 && due < 2100, "{dry}");
    assert_eq!(preview["lines"].as_array().map(Vec::len), Some(2), "{dry}");
    let calls = dry["changes"].as_array().expect("changes").iter().filter(|one| one["kind"] == "stripeCall");
    assert_eq!(calls.map(|one| &one["after"]["preview"]).collect::<Vec<_>>(), [preview], "{dry}");
    assert_eq!(charged(&shop).await, [900]);
    // An hour later, exactly that is charged, once; also where the response is lost.
    shop.advance(world, 3600).await;
    let path = format!("/v1/subscriptions/{}", bought["externalId"].as_str().expect("an id"));
    shop.fake.fault(Rule::next([Fault::ServerErrorAfter]).on("POST", &path));
    let mut exactly = args.clone();
    exactly["proratedFrom"] = preview["proratedFrom"].clone();
    let changed = waited(world, CHANGE, exactly).await;
    assert_eq!(world.job(&changed["job"]["id"]).await["result"]["outcome"], "done", "{changed}");
    shop.settle(world).await;
    assert_eq!(charged(&shop).await, [due, 900]);
    let now = subscription(world, &anna).await;
    assert_eq!((&now["plan"], &now["status"], &now["id"]), (&gold, &json!("active"), &bought["id"]));
    assert_eq!(now["periodEnd"], bought["periodEnd"]);
    // Once more changes nothing, and charges nothing.
    let again = waited(world, CHANGE, args).await;
    assert_eq!((&again["job"]["result"]["outcome"], &again["subscription"]["plan"]), (&json!("done"), &gold));
    assert_eq!(charged(&shop).await, [due, 900]);
    shop.advance(world, 30 * DAY).await;
    shop.settle(world).await;
    assert_eq!(charged(&shop).await, [3000, due, 900]);
    assert_eq!(why(world, &anna).await, "allowed_subscription");
});

both!(a_plan_is_changed_with_the_period_and_nothing_is_charged_before, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (gold, silver) = (plan(world, "Gold", 3000, "month").await, plan(world, "Silver", 900, "month").await);
    let yearly = plan(world, "Yearly", 9000, "year").await;
    let (anna, bought) = buyer(world, &shop, &gold).await;
    let args = |plan: &Value| json!({ "subscription": bought["id"], "plan": plan, "when": "periodEnd" });
    let dry = world.call_with(&world.key, CHANGE, json!({ "args": args(&silver), "dryRun": true }), &[]).await.json();
    assert_eq!(dry["result"]["preview"]["amountDue"], 900, "{dry}");
    assert!(dry["result"]["preview"].get("proratedFrom").is_none(), "{dry}");
    for fault in [Fault::ResetAfter, Fault::ServerErrorAfter] {
        shop.fake.fault(Rule::next([fault]).on("POST", "/v1/subscription_schedules"));
    }
    // The last one counts.
    waited(world, CHANGE, args(&yearly)).await;
    let changed = waited(world, CHANGE, args(&silver)).await;
    let job = world.job(&changed["job"]["id"]).await;
    assert_eq!(
        (&job["result"]["outcome"], &job["result"]["changesAt"]),
        (&json!("done"), &bought["periodEnd"]),
        "{job}"
    );
    assert_eq!(subscription(world, &anna).await["plan"], gold);
    assert_eq!(charged(&shop).await, [3000]);
    shop.advance(world, 32 * DAY).await;
    shop.settle(world).await;
    let now = subscription(world, &anna).await;
    assert_eq!((&now["plan"], &now["status"]), (&silver, &json!("active")));
    assert_eq!(charged(&shop).await, [900, 3000]);
    // The schedule lets it go after a period, and it goes on.
    shop.advance(world, 60 * DAY).await;
    shop.settle(world).await;
    assert_eq!(charged(&shop).await, [900, 900, 900, 3000]);
    let view = shop.read(ask::get(bought["externalId"].as_str().expect("an id"))).await;
    assert_eq!(view.schedule_id(), None);
    // To another interval: a period of that begins.
    waited(world, CHANGE, args(&yearly)).await;
    shop.advance(world, 40 * DAY).await;
    shop.settle(world).await;
    let now = subscription(world, &anna).await;
    assert_eq!(now["plan"], yearly);
    assert_eq!(charged(&shop).await, [9000, 900, 900, 900, 3000]);
});

both!(a_cancel_beats_a_change_of_plan, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (gold, silver) = (plan(world, "Gold", 3000, "month").await, plan(world, "Silver", 900, "month").await);
    let (anna, bought) = buyer(world, &shop, &gold).await;
    let id = &bought["id"];
    let args = |when: &str| json!({ "subscription": id, "plan": silver, "when": when });
    // One that is planned: the schedule lets it go, and it ends with its period.
    waited(world, CHANGE, args("periodEnd")).await;
    let ended = waited(world, "subscriptions.cancel", json!({ "subscription": id })).await;
    assert_eq!(ended["job"]["result"]["outcome"], "done", "{ended}");
    let external = bought["externalId"].as_str().expect("an id");
    let view = shop.read(ask::get(external)).await;
    assert!(view.cancel_at_period_end && view.schedule_id().is_none(), "{view:?}");
    assert_eq!(refused(world, CHANGE, args("now")).await, "subscription_ending");
    waited(world, "subscriptions.resume", json!({ "subscription": id })).await;
    // One that waits for Stripe.
    shop.fake.fault(Rule::next([Fault::Unavailable; 3]).on("GET", &format!("/v1/subscriptions/{external}")));
    let waits = world.ok(CHANGE, args("now")).await;
    let ended = world.ok("subscriptions.cancel", json!({ "subscription": id, "when": "now" })).await;
    assert_eq!(world.job(&ended["job"]["id"]).await["status"], "succeeded");
    let late = world.job(&waits["job"]["id"]).await;
    let is_beaten = late["result"]["outcome"] == "superseded" || late["error"]["code"] == "subscription_ended";
    assert!(is_beaten, "{late}");
    shop.settle(world).await;
    let now = subscription(world, &anna).await;
    assert_eq!((&now["status"], &now["plan"]), (&json!("canceled"), &gold));
    assert_eq!(charged(&shop).await, [3000]);
    assert_eq!(refused(world, CHANGE, args("now")).await, "subscription_ended");
    world.leaves_traces = true;
});

both!(an_upgrade_that_is_not_paid_is_past_due, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (silver, gold) = (plan(world, "Silver", 900, "month").await, plan(world, "Gold", 3000, "month").await);
    let (anna, bought) = buyer(world, &shop, &silver).await;
    shop.fake.set_card(&shop.customer().await, true).expect("a card");
    let args = json!({ "subscription": bought["id"], "plan": gold, "when": "now" });
    let changed = waited(world, CHANGE, args.clone()).await;
    assert_eq!((&changed["subscription"]["status"], &changed["subscription"]["plan"]), (&json!("past_due"), &gold));
    // Asked for again, it is not billed again.
    waited(world, CHANGE, args).await;
    assert_eq!(charged(&shop).await, [0, 900]);
    shop.settle(world).await;
    assert_eq!(why(world, &anna).await, "allowed_grace");
});

both!(an_item_is_needed_where_a_subscription_has_several, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (silver, gold) = (plan(world, "Silver", 900, "month").await, plan(world, "Gold", 3000, "month").await);
    let coaching = plan(world, "Coaching", 5000, "month").await;
    let (_, bought) = buyer(world, &shop, &silver).await;
    let external = bought["externalId"].as_str().expect("an id");
    shop.add_item(world, external, &price_of(world, &coaching).await).await;
    let mut args = json!({ "subscription": bought["id"], "plan": gold, "when": "periodEnd" });
    let dry = world.call_with(&world.key, CHANGE, json!({ "args": args, "dryRun": true }), &[]).await;
    assert_eq!(dry.code(), "item_needed", "{}", dry.text);
    let failed = waited(world, CHANGE, args.clone()).await;
    let view = shop.read(ask::get(external)).await;
    let ids: Vec<_> = view.items.data.iter().filter_map(|item| item.id.clone()).collect();
    let error = &failed["job"]["error"];
    assert_eq!(error["code"], "item_needed", "{failed}");
    assert!(ids.iter().all(|id| error["message"].as_str().is_some_and(|text| text.contains(id.as_str()))), "{failed}");
    args["item"] = json!(ids[0]);
    assert_eq!(waited(world, CHANGE, args.clone()).await["job"]["result"]["outcome"], "done");
    args["when"] = json!("now");
    assert_eq!(waited(world, CHANGE, args).await["job"]["result"]["outcome"], "done");
    let prices: Vec<_> = shop.read(ask::get(external)).await.prices().map(|price| price.id.clone()).collect();
    assert_eq!(prices, [price_of(world, &gold).await, price_of(world, &coaching).await]);
    shop.settle(world).await;
    world.leaves_traces = true;
});

both!(what_cannot_be_changed_is_refused, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (silver, gold) = (plan(world, "Silver", 900, "month").await, plan(world, "Gold", 3000, "month").await);
    let course = plan(world, "Course", 5000, "one_time").await;
    let (anna, bought) = buyer(world, &shop, &silver).await;
    let args = |plan: &Value| json!({ "subscription": bought["id"], "plan": plan, "when": "now" });
    assert_eq!(refused(world, CHANGE, args(&course)).await, "arguments_refused");
    let mut old = args(&gold);
    old["proratedFrom"] = json!(world.clock.now() - std::time::Duration::from_secs(2 * DAY));
    assert_eq!(refused(world, CHANGE, old).await, "arguments_refused");
    let elsewhere = json!({ "member": { "id": anna }, "plan": gold, "source": "bank" });
    let elsewhere = world.ok("subscriptions.recordExternal", elsewhere).await["subscription"]["id"].clone();
    let there = json!({ "subscription": elsewhere, "plan": silver, "when": "now" });
    assert_eq!(refused(world, CHANGE, there).await, "arguments_refused");
    world.settings(|settings| settings.stripe_writes = false).await;
    assert_eq!(refused(world, CHANGE, args(&gold)).await, "stripe_writes_locked");
    world.settings(|settings| settings.stripe_writes = true).await;
    // A schedule of the owner's own stays.
    shop.schedule(world, bought["externalId"].as_str().expect("an id"), &price_of(world, &gold).await).await;
    for when in ["now", "periodEnd"] {
        let mut args = args(&gold);
        args["when"] = json!(when);
        let failed = waited(world, CHANGE, args).await;
        assert_eq!(failed["job"]["error"]["code"], "subscription_scheduled", "{when}: {failed}");
    }
    let archived = world.ok("plans.archive", json!({ "plan": gold })).await;
    world.job(&archived["job"]["id"]).await;
    assert_eq!(refused(world, CHANGE, args(&gold)).await, "plan_archived");
    shop.settle(world).await;
    world.leaves_traces = true;
});
