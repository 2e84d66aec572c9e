//! Selling a plan on Stripe's page.

use futures_util::future::join_all;
use serde_json::{Value, json};
use stripe_fake::{Fault, Key, Payer, Rule};
use usher_stripe::requests::{checkout, customers, subscriptions};

use super::{Shop, shop::subscription};
use crate::harness::{Reply, World};

async fn member(world: &World) -> Value {
    world.one("members.create", json!({ "email": "anna@example.com" })).await["id"].clone()
}

async fn plan(world: &World) -> Value {
    let args = json!({ "name": "Gold", "amount": 900, "currency": "EUR", "every": "month" });
    let made = world.ok("plans.create", args).await;
    if let Some(job) = made.get("job") {
        world.job(&job["id"]).await;
    }
    made["plan"]["id"].clone()
}

fn args(member: &Value, plan: &Value) -> Value {
    json!({ "member": { "id": member }, "plan": plan, "successUrl": "https://example.com/welcome" })
}

async fn sell(world: &World, args: Value) -> Reply {
    world.call(&world.key, "subscriptions.createCheckout", args).await
}

fn open(sessions: &usher_stripe::views::Page<usher_stripe::views::CheckoutSession>) -> usize {
    let open = usher_stripe::views::CheckoutStatus::Open;
    sessions.data.iter().filter(|session| session.status.as_ref() == Some(&open)).count()
}

both!(a_member_buys_on_the_page_that_a_call_gives, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, gold) = (member(world).await, plan(world).await);
    let dry = json!({ "args": args(&anna, &gold), "dryRun": true });
    let dry = world.call_with(&world.key, "subscriptions.createCheckout", dry, &[]).await.json();
    let calls = dry["changes"].as_array().expect("changes").iter().filter(|one| one["kind"] == "stripeCall");
    let calls: Vec<_> = calls.map(|one| one["after"]["call"].as_str().expect("a call")).collect();
    assert_eq!(calls, ["POST /v1/customers", "POST /v1/checkout/sessions"], "{dry}");
    let sold = sell(world, args(&anna, &gold)).await.result();
    assert_eq!(sold["job"]["status"], "succeeded", "the call has waited: {sold}");
    assert_eq!(sold["url"], sold["job"]["result"]["url"]);
    let session = sold["job"]["result"]["sessionId"].as_str().expect("a session").to_owned();
    let seen = shop.read(checkout::get(&session)).await;
    assert_eq!(seen.client_reference_id.as_deref(), anna.as_str());
    assert_eq!(seen.metadata["usher_plan"], gold.as_str().expect("an id"));
    // Until it is paid, the paywall says that it waits.
    let why = world.ok("members.whyPaywall", json!({ "member": { "id": anna } })).await;
    assert!(why["checks"].as_array().expect("checks").iter().any(|check| check["name"] == "checkout"), "{why}");
    shop.fake.complete_checkout(&session, &Payer::default()).expect("it is paid");
    shop.settle(world).await;
    let mirrored = subscription(world, &anna).await;
    assert_eq!((&mirrored["plan"], &mirrored["status"]), (&gold, &json!("active")));
    let why = world.ok("members.whyPaywall", json!({ "member": { "id": anna } })).await;
    assert_eq!(why["reason"], "allowed_subscription");
    assert_eq!(world.rows("SELECT status FROM checkout").await, ["complete"]);
    let again = sell(world, args(&anna, &gold)).await;
    assert_eq!(again.code(), "subscription_exists", "{}", again.text);
    // Whoever does as it says looks, and charges nobody twice.
    let fix = again.json()["fix"].clone();
    assert_eq!(
        world.ok(fix["tool"].as_str().expect("a tool"), fix["args"].clone()).await["subscription"]["id"],
        mirrored["id"]
    );
    let mut second = args(&anna, &gold);
    second["allowSecond"] = json!(true);
    assert_eq!(sell(world, second).await.result()["job"]["status"], "succeeded");
});

both!(a_member_has_one_customer_and_one_open_page, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, gold) = (member(world).await, plan(world).await);
    let sold = join_all((0..4).map(|_| sell(world, args(&anna, &gold)))).await;
    for reply in sold {
        let job = reply.result()["job"]["id"].clone();
        assert_eq!(world.job(&job).await["status"], "succeeded");
    }
    let all = shop.read(customers::list()).await;
    assert_eq!(all.data.len(), 1);
    let sessions = shop.read(checkout::of_customer(&all.data[0].id)).await;
    assert_eq!((sessions.data.len(), open(&sessions)), (4, 1));
    shop.settle(world).await;
    assert_eq!(world.rows("SELECT status FROM checkout WHERE status = 'open'").await.len(), 1);
    assert_eq!(world.rows("SELECT status FROM checkout WHERE status = 'expired'").await.len(), 3);
});

both!(a_page_that_was_paid_while_another_was_made_sells_nothing_twice, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, gold) = (member(world).await, plan(world).await);
    let first = sell(world, args(&anna, &gold)).await.result();
    shop.fake.set_plan(stripe_fake::Plan { held: true, ..Default::default() });
    let session = first["job"]["result"]["sessionId"].as_str().expect("a session");
    shop.fake.complete_checkout(session, &Payer::default()).expect("it is paid");
    // Nobody has told Usher yet.
    let second = sell(world, args(&anna, &gold)).await.result();
    assert_eq!(second["job"]["error"]["code"], "subscription_exists", "{second}");
    shop.fake.set_plan(stripe_fake::Plan::default());
    shop.settle(world).await;
    let customer = shop.read(customers::list()).await.data.remove(0).id;
    let filter = subscriptions::SubscriptionFilter { customer: Some(&customer), ..Default::default() };
    assert_eq!(shop.read(subscriptions::list(&filter)).await.data.len(), 1);
    world.leaves_traces = true;
});

both!(what_cannot_be_sold_is_refused_at_once, async |world| {
    world.without_budgets().await;
    let (anna, gold) = (member(world).await, plan(world).await);
    assert_eq!(sell(world, args(&anna, &gold)).await.code(), "stripe_not_connected");
    let shop = Shop::open(world).await;
    for url in ["http://example.com/", "javascript:alert(1)"] {
        let mut args = args(&anna, &gold);
        args["cancelUrl"] = json!(url);
        assert_eq!(sell(world, args).await.code(), "arguments_refused", "{url}");
    }
    let mut coupon = args(&anna, &gold);
    coupon["coupon"] = json!("NONE");
    assert_eq!(sell(world, coupon).await.result()["job"]["error"]["code"], "coupon_refused");
    world.settings(|settings| settings.stripe_writes = false).await;
    assert_eq!(sell(world, args(&anna, &gold)).await.code(), "stripe_writes_locked");
    world.settings(|settings| settings.stripe_writes = true).await;
    let archived = world.ok("plans.archive", json!({ "plan": gold })).await;
    world.job(&archived["job"]["id"]).await;
    assert_eq!(sell(world, args(&anna, &gold)).await.code(), "plan_archived");
    assert_eq!(shop.fake.summary()["accounts"]["acct_fake"]["checkout_sessions"], 0);
    world.leaves_traces = true;
});

both!(a_key_that_may_not_is_waited_for, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, gold) = (member(world).await, plan(world).await);
    let key = "sk_test_fake".to_owned();
    let lesser = Key { key: key.clone(), account: "acct_fake".into(), permissions: Some(Default::default()) };
    shop.fake.add_key(lesser);
    let body = json!({ "args": args(&anna, &gold) });
    let made =
        world.call_with(&world.key, "subscriptions.createCheckout", body, &[("prefer", "wait=0")]).await.result();
    let id = made["job"]["id"].clone();
    assert!(made.get("url").is_none(), "{made}");
    until(async || world.ok("jobs.get", json!({ "job": id })).await["job"]["error"]["code"] == "stripe_parked").await;
    assert_eq!(world.rows("SELECT parked_why FROM stripe_connection WHERE parked_at IS NOT NULL").await.len(), 1);
    // Mended, it goes on by itself.
    shop.fake.add_key(Key { key, account: "acct_fake".into(), permissions: None });
    world.execute("UPDATE stripe_connection SET parked_at = NULL, parked_why = NULL").await;
    world.execute("UPDATE job SET not_before = 1, ticket = 'lost' WHERE state = 'queued'").await;
    assert_eq!(world.job(&id).await["status"], "succeeded");
});

both!(an_answer_that_is_lost_makes_nothing_twice, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, gold) = (member(world).await, plan(world).await);
    for fault in
        [Fault::ServerErrorAfter, Fault::ServerErrorBefore, Fault::Garbled, Fault::BadGatewayAfter, Fault::ResetAfter]
    {
        shop.fake.fault(Rule::next([fault]).on("POST", "/v1/customers"));
        shop.fake.fault(Rule::next([fault]).on("POST", "/v1/checkout/sessions"));
        let sold = sell(world, args(&anna, &gold)).await.result();
        assert_eq!(world.job(&sold["job"]["id"]).await["status"], "succeeded", "{fault:?}");
        shop.fake.clear_faults();
    }
    let all = shop.read(customers::list()).await;
    assert_eq!(all.data.len(), 1);
    let sessions = shop.read(checkout::of_customer(&all.data[0].id)).await;
    assert_eq!((sessions.data.len(), open(&sessions)), (5, 1));
});

both!(what_stripe_will_not_do_ends_the_job_with_its_words, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let (anna, gold) = (member(world).await, plan(world).await);
    let price = world.one("plans.get", json!({ "plan": gold })).await["priceId"].as_str().expect("a price").to_owned();
    shop.write(usher_stripe::requests::prices::set_active(&price, false)).await;
    let sold = sell(world, args(&anna, &gold)).await.result();
    let error = &sold["job"]["error"];
    assert_eq!(error["code"], "stripe_refused", "{sold}");
    assert!(error["message"].as_str().expect("words").contains("inactive"), "{error}");
    assert_eq!(world.rows("SELECT status FROM checkout").await, ["failed"]);
    // Mended at Stripe, the same job can be tried again: with another key.
    shop.write(usher_stripe::requests::prices::set_active(&price, true)).await;
    world.ok("jobs.retry", json!({ "job": sold["job"]["id"] })).await;
    assert_eq!(world.job(&sold["job"]["id"]).await["status"], "succeeded");
    world.leaves_traces = true;
});

async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < crate::harness::PATIENCE, "it never holds");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

both!(who_signs_up_with_the_address_that_pays_is_told_whose_it_is, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let payer = member(world).await;
    let price = shop.price(900).await;
    shop.sells(&payer, &price).await;
    shop.settle(world).await;
    let detail = async |address: &str| {
        let other = crate::billing::shop::member(world, address).await;
        let why = crate::billing::shop::why(world, &other).await;
        let checks = why["checks"].as_array().expect("checks").clone();
        let found = checks.into_iter().find(|check| check["name"] == "other_address");
        found.map(|check| check["detail"].as_str().expect("a text").to_owned())
    };
    // Stripe has this address of whom the shop sells to.
    let told = detail("X@example.com").await.expect("a trap");
    let id = payer.as_str().expect("an id");
    assert_eq!(
        told,
        format!(
            "anna@example.com ({id}) pays at Stripe with this member's address and may see it: perhaps the same person."
        )
    );
    assert_eq!(detail("y@example.com").await, None);
});

/// A plan of so many cents, with its price at Stripe.
async fn plan_of(world: &World, name: &str, amount: i64, every: &str, trial_days: u32) -> Value {
    let args = json!({ "name": name, "amount": amount, "currency": "EUR", "every": every, "trialDays": trial_days });
    let made = world.ok("plans.create", args).await;
    world.job(&made["job"]["id"]).await;
    made["plan"]["id"].clone()
}

/// A member buys a plan, and the mirror has read it; the free days of the page.
async fn buys(world: &World, shop: &Shop, args: Value) -> Value {
    let sold = sell(world, args).await.result();
    let session = sold["job"]["result"]["sessionId"].as_str().unwrap_or_else(|| panic!("{sold}")).to_owned();
    shop.fake.complete_checkout(&session, &Payer::default()).expect("it is paid");
    shop.settle(world).await;
    sold["job"]["result"]["trialDays"].clone()
}

both!(a_member_has_one_trial_whatever_the_plan, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let gold = plan_of(world, "Gold", 900, "month", 7).await;
    let silver = plan_of(world, "Silver", 500, "month", 14).await;
    // By the site.
    let ben = crate::billing::shop::member(world, "ben@example.com").await;
    let end = world.clock.now() + std::time::Duration::from_secs(86_400);
    world.ok("access.setTrial", json!({ "member": { "id": ben }, "expiresAt": end })).await;
    assert_eq!(buys(world, &shop, args(&ben, &gold)).await, 0);
    assert_eq!(subscription(world, &ben).await["status"], "active");
    // Not wanted.
    let carl = crate::billing::shop::member(world, "carl@example.com").await;
    let mut never = args(&carl, &gold);
    never["trial"] = json!("never");
    let dry = json!({ "args": never, "dryRun": true });
    let dry = world.call_with(&world.key, "subscriptions.createCheckout", dry, &[]).await.json();
    let page = dry["changes"].as_array().expect("changes").iter().rfind(|one| one["kind"] == "stripeCall");
    assert_eq!(page.expect("a call")["after"]["trialDays"], 0, "{dry}");
    assert_eq!(buys(world, &shop, never).await, 0);
    // At Stripe: the first time, and never again, whatever the plan and whether Usher has heard of it.
    let anna = member(world).await;
    assert_eq!(buys(world, &shop, args(&anna, &gold)).await, 7);
    let first = subscription(world, &anna).await;
    assert_eq!(first["status"], "trialing");
    let end = json!({ "subscription": first["id"], "when": "now" });
    crate::billing::people::waited(world, "subscriptions.cancel", end).await;
    world.execute("UPDATE subscription SET trial_end = NULL").await;
    assert_eq!(buys(world, &shop, args(&anna, &silver)).await, 0);
    assert_eq!(subscription(world, &anna).await["status"], "active");
});

both!(a_second_subscription_is_refused_and_leads_to_a_change_of_plan, async |world| {
    world.without_budgets().await;
    let shop = Shop::open(world).await;
    let gold = plan_of(world, "Gold", 900, "month", 0).await;
    let silver = plan_of(world, "Silver", 500, "month", 0).await;
    let course = plan_of(world, "Course", 5000, "one_time", 0).await;
    let anna = member(world).await;
    // What is paid once is no subscription, before and after.
    buys(world, &shop, args(&anna, &course)).await;
    buys(world, &shop, args(&anna, &gold)).await;
    let second = sell(world, args(&anna, &course)).await;
    assert_eq!(second.json()["fix"]["tool"], "subscriptions.get", "{}", second.text);
    let live = world.ok("subscriptions.list", json!({ "member": { "id": anna }, "plan": gold })).await;
    let id = live["items"][0]["id"].clone();
    let refused = sell(world, args(&anna, &silver)).await;
    assert_eq!(refused.code(), "subscription_exists");
    assert!(refused.text.contains(" has Gold: ") && refused.text.contains(" to Silver with "), "{}", refused.text);
    let fix = &refused.json()["fix"];
    let wanted = json!({ "subscription": id, "plan": silver, "when": "periodEnd" });
    assert_eq!((&fix["tool"], &fix["args"]), (&json!("subscriptions.changePlan"), &wanted));
    // Where Usher has not heard of it, the job finds it.
    world.execute("UPDATE subscription SET status = 'canceled' WHERE period_end IS NOT NULL").await;
    let late = sell(world, args(&anna, &silver)).await.result();
    assert_eq!(late["job"]["error"]["code"], "subscription_exists", "{late}");
    shop.settle(world).await;
    // One that is to end does not count.
    crate::billing::people::waited(world, "subscriptions.cancel", json!({ "subscription": id })).await;
    buys(world, &shop, args(&anna, &silver)).await;
    let both = world.ok("subscriptions.list", json!({ "member": { "id": anna }, "live": true })).await;
    assert_eq!(both["items"].as_array().map(Vec::len), Some(3), "{both}");
    world.leaves_traces = true;
});
