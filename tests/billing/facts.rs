//! From what Stripe says to who gets in: each rule of the mirror, seen by `members.whyPaywall`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stripe_fake::{AfterRetries, Dress, Fault, Payer, Plan, Rule, Settings};
use usher_stripe::requests::{
    checkout::{self, Sells},
    customers, subscriptions as change,
};

use super::{
    Shop,
    events::event,
    shop::{read_all, subscription},
};
use crate::harness::World;

const DAY: u64 = 86_400;
const HOUR: u64 = 3600;

async fn member(world: &World, email: &str) -> Value {
    world.one("members.create", json!({ "email": email })).await["id"].clone()
}

async fn why(world: &World, member: &Value) -> String {
    let why = world.ok("members.whyPaywall", json!({ "member": { "id": member } })).await;
    why["reason"].as_str().expect("a reason").to_owned()
}

/// Whether the member counts as one who pays, and why the paywall is where it is.
async fn stands(world: &World, member: &Value) -> (String, String) {
    let shown = world.one("members.get", json!({ "member": { "id": member } })).await;
    (shown["status"].as_str().expect("a status").to_owned(), why(world, member).await)
}

fn is(stands: (String, String), status: &str, reason: &str) {
    assert_eq!((stands.0.as_str(), stands.1.as_str()), (status, reason));
}

/// A member who has just bought a subscription for a month: her id, the customer, the subscription at Stripe.
async fn anna(world: &World, shop: &Shop) -> (Value, String, String) {
    let anna = member(world, "anna@example.com").await;
    let price = shop.price(900).await;
    let external = shop.sells(&anna, &price).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "paid", "allowed_subscription");
    let customer = subscription(world, &anna).await["customerId"].as_str().expect("a customer").to_owned();
    (anna, customer, external)
}

async fn later(world: &World, shop: &Shop, seconds: u64) {
    shop.advance(world, seconds).await;
    shop.settle(world).await;
}

both!(a_pause_lasts_for_what_was_paid_however_long_stripes_periods_go_on, async |world| {
    let shop = Shop::open(world).await;
    let (anna, _, external) = anna(world, &shop).await;
    let paid_until = subscription(world, &anna).await["periodEnd"].clone();
    shop.write(change::pause_collection(&external, None)).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "paid", "allowed_subscription");
    later(world, &shop, 25 * DAY).await;
    is(stands(world, &anna).await, "paid", "allowed_subscription");
    for _ in 0..4 {
        later(world, &shop, 31 * DAY).await;
        is(stands(world, &anna).await, "free", "subscription_paused");
        assert_eq!(subscription(world, &anna).await["periodEnd"], paid_until);
    }
    shop.write(change::clear_pause_collection(&external)).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "paid", "allowed_subscription");
    assert_ne!(subscription(world, &anna).await["periodEnd"], paid_until);
});

both!(what_is_paused_counts_by_what_was_paid_and_not_by_when_it_was_heard_of, async |world| {
    let shop = Shop::open(world).await;
    let (anna, _, external) = anna(world, &shop).await;
    shop.fake.set_plan(Plan::held());
    // Two periods are paid before the pause, of which nobody has heard; then Stripe's go on for three months.
    shop.advance(world, 40 * DAY).await;
    shop.write(change::pause_collection(&external, None)).await;
    let paid_until = shop.read(change::get(&external)).await.current_period().expect("a period").end;
    shop.settle(world).await;
    is(stands(world, &anna).await, "paid", "allowed_subscription");
    let end = |mirrored: &Value| mirrored["periodEnd"].as_str().map(str::to_owned);
    let told = end(&subscription(world, &anna).await);
    shop.advance(world, 90 * DAY).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "free", "subscription_paused");
    assert_eq!(end(&subscription(world, &anna).await), told);
    assert!(paid_until < shop.fake.now());
});

both!(a_pause_gives_nothing_that_was_not_paid, async |world| {
    let shop = Shop::open(world).await;
    let (anna, customer, external) = anna(world, &shop).await;
    shop.fake.set_card(&customer, true).expect("a customer");
    later(world, &shop, 33 * DAY).await;
    assert_eq!(why(world, &anna).await, "allowed_grace");
    shop.write(change::pause_collection(&external, None)).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "free", "subscription_paused");
});

both!(a_payment_that_fails_is_waited_for_once, async |world| {
    let shop = Shop::open(world).await;
    let settings = Settings { after_retries: AfterRetries::PastDue, ..Settings::default() };
    shop.fake.set_settings(None, settings).expect("an account");
    let (anna, customer, _) = anna(world, &shop).await;
    let paid_until = subscription(world, &anna).await["periodEnd"].clone();
    shop.fake.set_card(&customer, true).expect("a customer");
    later(world, &shop, 31 * DAY + 2 * HOUR).await;
    is(stands(world, &anna).await, "paid", "allowed_grace");
    later(world, &shop, 8 * DAY).await;
    assert_eq!(why(world, &anna).await, "subscription_past_due");
    // It stays so in the next period, whose own payment is not waited for.
    later(world, &shop, 31 * DAY).await;
    assert_eq!(why(world, &anna).await, "subscription_past_due");
    let mirrored = subscription(world, &anna).await;
    assert_eq!((&mirrored["status"], &mirrored["pastDueSince"]), (&json!("past_due"), &paid_until));
});

both!(what_is_unpaid_in_the_end_lets_nobody_in, async |world| {
    let shop = Shop::open(world).await;
    let settings = Settings { after_retries: AfterRetries::Unpaid, ..Settings::default() };
    shop.fake.set_settings(None, settings).expect("an account");
    let (anna, customer, _) = anna(world, &shop).await;
    shop.fake.set_card(&customer, true).expect("a customer");
    for days in [32, 4, 6, 8] {
        later(world, &shop, days * DAY).await;
    }
    assert_eq!(subscription(world, &anna).await["status"], "unpaid");
    is(stands(world, &anna).await, "free", "subscription_past_due");
});

both!(a_full_refund_ends_what_it_was_paid_for_and_the_next_payment_opens_again, async |world| {
    let shop = Shop::open(world).await;
    let (anna, customer, _) = anna(world, &shop).await;
    shop.refund(world, &customer, Some(400)).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "paid", "allowed_subscription");
    assert_eq!(world.rows("SELECT CAST(amount_refunded AS TEXT) FROM invoice").await, ["400"]);
    shop.refund(world, &customer, None).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "free", "subscription_ended");
    later(world, &shop, 32 * DAY).await;
    is(stands(world, &anna).await, "paid", "allowed_subscription");
    // Of two periods the older one is given back.
    later(world, &shop, 31 * DAY).await;
    let old = shop.invoices(&customer).await.remove(1);
    shop.refund_intent(world, old.payment_intent_ids().next().expect("a payment"), None).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "paid", "allowed_subscription");
    let refunded = world.rows("SELECT CAST(amount_refunded AS TEXT) FROM invoice ORDER BY id").await;
    assert_eq!(refunded, ["900", "900", "0"]);
});

both!(a_refund_may_be_heard_of_before_what_it_is_of, async |world| {
    let shop = Shop::open(world).await;
    shop.fake.set_plan(Plan::held());
    let anna = member(world, "anna@example.com").await;
    let price = shop.price(900).await;
    shop.sells(&anna, &price).await;
    let customer = shop.customer().await;
    shop.refund(world, &customer, None).await;
    let mut events = shop.fake.events(None).expect("an account");
    events.reverse();
    for (event, _) in events {
        shop.fake.deliver(&event, &Dress::default()).await.expect("an event");
        read_all(world, world.site.id).await;
    }
    is(stands(world, &anna).await, "free", "subscription_ended");
    let linked = world.rows("SELECT subscription_id FROM invoice").await;
    assert_eq!(linked, [subscription(world, &anna).await["id"].as_str().expect("an id")]);
});

both!(what_is_paid_once_has_no_end_but_a_full_refund, async |world| {
    let shop = Shop::open(world).await;
    shop.fake.set_plan(Plan::held());
    for is_heard_of_first in [false, true] {
        let buyer = member(world, &format!("{is_heard_of_first}@example.com")).await;
        let price = shop.once(5000).await;
        let (_, session) = shop.checkout(&buyer, &price, Sells::Payment).await;
        shop.knows(world, &buyer, &session).await;
        let paid = shop.fake.complete_checkout(&session, &Payer::default()).expect("it is paid");
        let intent = paid["payment_intent"].as_str().expect("a payment").to_owned();
        if !is_heard_of_first {
            shop.settle(world).await;
            is(stands(world, &buyer).await, "paid", "allowed_subscription");
            let mirrored = subscription(world, &buyer).await;
            assert_eq!((&mirrored["externalId"], &mirrored["periodEnd"]), (&json!(session), &Value::Null));
            assert_eq!(world.rows("SELECT status FROM checkout").await, ["complete"]);
            later(world, &shop, 400 * DAY).await;
            shop.refund_intent(world, &intent, Some(100)).await;
            shop.settle(world).await;
            is(stands(world, &buyer).await, "paid", "allowed_subscription");
        }
        shop.refund_intent(world, &intent, None).await;
        let mut events = shop.fake.events(None).expect("an account");
        events.reverse();
        for (event, _) in events.iter().filter(|(_, kind)| kind == "charge.refunded").take(1) {
            shop.fake.deliver(event, &Dress::default()).await.expect("an event");
            read_all(world, world.site.id).await;
        }
        shop.settle(world).await;
        is(stands(world, &buyer).await, "free", "subscription_ended");
    }
});

both!(what_another_page_sells_counts_if_it_is_a_plan_and_somebody_known_buys_it, async |world| {
    let shop = Shop::open(world).await;
    let (anna, ben) = (member(world, "anna@example.com").await, member(world, "ben@example.com").await);
    let shirt = shop.once(2500).await;
    let (_, session) = shop.checkout(&anna, &shirt, Sells::Payment).await;
    shop.fake.complete_checkout(&session, &Payer::default()).expect("it is paid");
    shop.settle(world).await;
    is(stands(world, &anna).await, "free", "no_subscription");
    let args = json!({ "name": "For life", "amount": 5000, "currency": "EUR", "every": "one_time" });
    let made = world.call_with(&world.key, "plans.create", json!({ "args": args }), &[("prefer", "wait=20")]).await;
    let plan = made.result()["plan"].clone();
    let price = plan["priceId"].as_str().expect("an answer that has waited has the price").to_owned();
    let (_, session) = shop.checkout(&anna, &price, Sells::PaymentWithInvoice).await;
    // Not before it is paid.
    shop.settle(world).await;
    is(stands(world, &anna).await, "free", "no_subscription");
    let paid = shop.fake.complete_checkout(&session, &Payer::default()).expect("it is paid");
    shop.settle(world).await;
    is(stands(world, &anna).await, "paid", "allowed_subscription");
    let mirrored = subscription(world, &anna).await;
    assert_eq!((&mirrored["plan"], &mirrored["externalId"]), (&plan["id"], &json!(session)));
    let invoices = world.ok("invoices.list", json!({ "member": { "id": anna } })).await;
    assert_eq!(invoices["items"][0]["amountPaid"], 5000, "{invoices}");
    // By the reference alone, and of nobody.
    for (reference, buyer) in [(ben.as_str().expect("an id"), Some(&ben)), ("mem_nobody", None)] {
        let none = BTreeMap::new();
        let new = customers::NewCustomer { email: "b@example.com", name: None, metadata: &none };
        let customer = shop.write(customers::create(&new)).await.id;
        let new = checkout::NewCheckout {
            customer: &customer,
            price: &price,
            sells: Sells::Payment,
            reference,
            metadata: &none,
            success_url: "https://example.com/",
            cancel_url: None,
            coupon: None,
            expires_at: None,
        };
        let session = shop.write(checkout::create(&new)).await.id;
        shop.fake.complete_checkout(&session, &Payer::default()).expect("it is paid");
        shop.settle(world).await;
        if let Some(buyer) = buyer {
            is(stands(world, buyer).await, "paid", "allowed_subscription");
            // A buyer can write any member's id there, who does not become the customer by that.
            let linked = world.rows("SELECT id FROM stripe_customer").await;
            assert!(!linked.contains(&customer), "{linked:?}");
        }
    }
    assert_eq!(world.rows("SELECT id FROM subscription").await.len(), 2);
    // Given back, it is over.
    shop.refund_intent(world, paid["payment_intent"].as_str().expect("a payment"), None).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "free", "subscription_ended");
});

both!(cancelled_now_is_over_now, async |world| {
    let shop = Shop::open(world).await;
    let (anna, _, external) = anna(world, &shop).await;
    shop.write(change::cancel_now(&external)).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "free", "subscription_ended");
});

both!(other_checkouts_take_nothing_away_and_two_that_live_are_told_of_once, async |world| {
    let shop = Shop::open(world).await;
    let (anna, _, first) = anna(world, &shop).await;
    let price = shop.price(100).await;
    // One is left alone, one is declined: nothing changes, now or when they expire.
    shop.checkout(&anna, &price, Sells::Subscription { trial_days: 0 }).await;
    let (_, declined) = shop.checkout(&anna, &price, Sells::Subscription { trial_days: 0 }).await;
    shop.fake.complete_checkout(&declined, &Payer { card_fails: true, ..Payer::default() }).expect_err("declined");
    later(world, &shop, 25 * HOUR).await;
    is(stands(world, &anna).await, "paid", "allowed_subscription");
    // A second one is bought: both live, which is told once, however often it is heard of.
    let second = shop.sells(&anna, &price).await;
    shop.settle(world).await;
    let alarms = async || world.ok("activity.list", json!({ "tool": "stripe.twoLiveSubscriptions" })).await;
    assert_eq!(alarms().await["items"].as_array().expect("rows").len(), 1);
    for (event, _) in shop.fake.events(None).expect("an account") {
        shop.fake.deliver(&event, &Dress::default()).await.expect("an event");
    }
    for external in [&first, &second] {
        shop.tell(world, &event(&format!("evt_{external}"), external)).await;
    }
    later(world, &shop, 40 * DAY).await;
    assert_eq!(alarms().await["items"].as_array().expect("rows").len(), 1);
    // The second ends, and the first goes on.
    shop.write(change::cancel_now(&second)).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "paid", "allowed_subscription");
    shop.write(change::cancel_now(&first)).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "free", "subscription_ended");
});

both!(whom_nobody_knows_gets_in_once_somebody_is_known, async |world| {
    let shop = Shop::open(world).await;
    let price = shop.price(900).await;
    let external = shop.sells(&json!("nobody"), &price).await;
    shop.settle(world).await;
    assert_eq!(world.rows("SELECT id FROM stripe_stray").await, [external.as_str()]);
    assert!(world.rows("SELECT id FROM subscription").await.is_empty());
    assert!(
        world.rows("SELECT id FROM invoice WHERE hosted_url IS NOT NULL OR member_id IS NOT NULL").await.is_empty()
    );
    let customer = shop.customer().await;
    shop.refund(world, &customer, None).await;
    let ben = member(world, "ben@example.com").await;
    let metadata = BTreeMap::from([("usher_member".to_owned(), ben.as_str().expect("an id").to_owned())]);
    shop.write(change::set_metadata(&external, &metadata)).await;
    shop.settle(world).await;
    assert!(world.rows("SELECT id FROM stripe_stray").await.is_empty());
    // Its invoices are his, with their pages, and so is what was given back.
    let ours = world.rows("SELECT member_id FROM invoice WHERE subscription_id IS NOT NULL AND pdf_url IS NOT NULL");
    assert_eq!(ours.await, [ben.as_str().expect("an id")]);
    is(stands(world, &ben).await, "free", "subscription_ended");
    later(world, &shop, 32 * DAY).await;
    is(stands(world, &ben).await, "paid", "allowed_subscription");
});

both!(who_is_deleted_while_an_event_is_read_stays_deleted, async |world| {
    let shop = Shop::open(world).await;
    let (anna, _, external) = anna(world, &shop).await;
    shop.fake.fault(Rule { method: Some("GET".into()), ..Rule::next([Fault::Held; 1]) });
    shop.tell(world, &event("evt_late", &external)).await;
    let began = std::time::Instant::now();
    while shop.fake.n_held() == 0 {
        assert!(began.elapsed() < crate::harness::PATIENCE, "nobody reads");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    world.execute("DELETE FROM member").await;
    shop.fake.clear_faults();
    shop.fake.release();
    shop.settle(world).await;
    assert!(world.rows("SELECT id FROM subscription").await.is_empty());
    assert!(world.rows("SELECT object_id FROM stripe_dirty").await.is_empty());
    assert_eq!(world.rows("SELECT id FROM stripe_stray").await, [external.as_str()]);
    // Invoices that come later have no pages of hers.
    later(world, &shop, 32 * DAY).await;
    let later = world.rows("SELECT id FROM invoice WHERE hosted_url IS NOT NULL").await;
    assert!(later.len() <= 1, "{later:?}");
    assert!(!anna.is_null());
});

both!(a_price_that_nobody_here_knows_becomes_a_private_plan, async |world| {
    let shop = Shop::open(world).await;
    anna(world, &shop).await;
    let plans =
        world.rows("SELECT name || ' ' || CAST(amount AS TEXT) || ' ' || currency || ' ' || every FROM plan").await;
    assert_eq!(plans, ["Gold 900 eur month"]);
    assert_eq!(world.rows("SELECT id FROM plan WHERE is_public = (1 = 0) AND archived_at IS NULL").await.len(), 1);
});

both!(what_stripe_has_no_more_pays_for_nothing, async |world| {
    let shop = Shop::open(world).await;
    let (anna, ..) = anna(world, &shop).await;
    world.execute("UPDATE subscription SET external_id = 'sub_gone'").await;
    shop.tell(world, &event("evt_gone", "sub_gone")).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "free", "subscription_ended");
    assert_eq!(subscription(world, &anna).await["status"], "canceled");
});

both!(what_cannot_be_kept_holds_up_nothing_else, async |world| {
    let shop = Shop::open(world).await;
    let (anna, _, external) = anna(world, &shop).await;
    // As after an answer that the database does not take.
    world.execute("UPDATE subscription SET status = 'of_another_world'").await;
    shop.tell(world, &event("evt_poison", &external)).await;
    let price = shop.price(900).await;
    let ben = member(world, "ben@example.com").await;
    shop.sells(&ben, &price).await;
    shop.settle(world).await;
    is(stands(world, &ben).await, "paid", "allowed_subscription");
    let errors = world.rows("SELECT error FROM stripe_dirty WHERE kind = 'subscription'").await;
    assert_eq!(errors, ["What Stripe says of it could not be kept; the server's log says why."]);
    world.execute("UPDATE subscription SET status = 'active'").await;
    shop.tell(world, &event("evt_again", &external)).await;
    shop.settle(world).await;
    is(stands(world, &anna).await, "paid", "allowed_subscription");
    assert!(world.rows("SELECT object_id FROM stripe_dirty").await.is_empty());
});
