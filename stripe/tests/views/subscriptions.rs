use serde_json::json;
use usher_stripe::views::{Period, Subscription, SubscriptionStatus};

use super::read;

#[test]
fn of_2020_with_the_period_on_itself_and_a_plan_besides_the_price() {
    let subscription: Subscription = read(json!({
        "id": "sub_1", "object": "subscription", "application_fee_percent": null, "billing_cycle_anchor": 1598500000,
        "cancel_at": null, "cancel_at_period_end": false, "canceled_at": null, "collection_method": "charge_automatically",
        "created": 1598500000, "current_period_end": 1601178400, "current_period_start": 1598500000,
        "customer": "cus_1", "ended_at": null,
        "items": { "object": "list", "has_more": false, "data": [{
            "id": "si_1", "object": "subscription_item", "quantity": 1,
            "plan": { "id": "price_1", "object": "plan", "amount": 1500, "interval": "month", "interval_count": 1, "product": "prod_1" },
            "price": { "id": "price_1", "object": "price", "active": true, "currency": "eur", "product": "prod_1",
                "recurring": { "interval": "month", "interval_count": 1, "trial_period_days": null }, "type": "recurring",
                "unit_amount": 1500, "unit_amount_decimal": "1500" }
        }] },
        "latest_invoice": "in_1", "livemode": false, "metadata": { "usher_member": "mem_1" }, "pause_collection": null,
        "plan": { "id": "price_1", "amount": 1500 }, "quantity": 1, "schedule": null, "start_date": 1598500000,
        "status": "active", "trial_end": null, "trial_start": null
    }));
    assert_eq!(subscription.status, SubscriptionStatus::Active);
    assert_eq!(subscription.current_period(), Some(Period { start: 1598500000, end: 1601178400 }));
    assert_eq!((subscription.price_id(), subscription.product_id()), (Some("price_1"), Some("prod_1")));
    assert_eq!(subscription.prices().next().unwrap().amount(), Some(1500));
    assert_eq!(subscription.customer_id(), Some("cus_1"));
    assert_eq!(subscription.latest_invoice.as_ref().unwrap().id(), "in_1");
    assert_eq!(subscription.metadata["usher_member"], "mem_1");
    assert!(!subscription.can_pause(), "its billing mode is not known");
}

#[test]
fn of_2025_with_the_period_on_its_items_and_things_expanded() {
    let subscription: Subscription = read(json!({
        "id": "sub_1", "status": "paused", "billing_mode": { "type": "flexible", "updated_at": 1 }, "schedule": null,
        "cancel_at_period_end": true, "cancel_at": 1800000000, "canceled_at": 1700000001,
        "cancellation_details": { "reason": "cancellation_requested", "comment": "x", "feedback": null },
        "customer": { "id": "cus_1", "deleted": true, "object": "customer" },
        "pause_collection": { "behavior": "void", "resumes_at": 1790000000 },
        "items": { "data": [
            { "id": "si_1", "current_period_start": 10, "current_period_end": 20, "price": { "id": "price_1",
                "product": { "id": "prod_1", "name": "Gold", "active": true } } },
            { "id": "si_2", "current_period_start": 5, "current_period_end": 30, "price": { "id": "price_2" } }
        ] },
        "latest_invoice": { "id": "in_1", "status": "paid", "total": 1500,
            "payments": { "data": [{ "id": "inpay_1", "payment": { "type": "payment_intent", "payment_intent": "pi_1" } }] } },
        "trial_start": 1, "trial_end": 2, "brand_new": { "field": [1, 2] }
    }));
    assert_eq!(subscription.current_period(), Some(Period { start: 5, end: 30 }));
    assert_eq!((subscription.price_id(), subscription.prices().count()), (Some("price_1"), 2));
    assert_eq!(
        subscription.prices().next().unwrap().product.as_ref().unwrap().whole().unwrap().name.as_deref(),
        Some("Gold")
    );
    assert!(subscription.can_pause() && subscription.cancel_at_period_end);
    assert!(subscription.customer.as_ref().unwrap().whole().unwrap().deleted);
    let invoice = subscription.latest_invoice.as_ref().unwrap().whole().unwrap();
    assert_eq!(invoice.payment_intent_ids().collect::<Vec<_>>(), ["pi_1"]);
    let pause = subscription.pause_collection.unwrap();
    assert_eq!((pause.behavior.as_deref(), pause.resumes_at), (Some("void"), Some(1790000000)));
}

#[test]
fn of_before_prices_with_a_plan_only() {
    for sample in [
        json!({ "id": "sub_1", "status": "past_due", "plan": { "id": "gold", "amount": 900, "interval": "year", "product": "prod_1" } }),
        json!({ "id": "sub_1", "status": "past_due", "items": { "data": [{ "plan":
            { "id": "gold", "amount": 900, "interval": "year", "product": "prod_1" } }] } }),
    ] {
        let subscription: Subscription = read(sample);
        let price = subscription.prices().next().unwrap();
        let every = price.every().unwrap();
        assert_eq!((price.amount(), every.interval.as_str(), every.interval_count), (Some(900), "year", 1));
        assert_eq!((subscription.price_id(), subscription.product_id()), (Some("gold"), Some("prod_1")));
    }
}

#[test]
fn with_almost_nothing_or_with_words_of_tomorrow() {
    let bare: Subscription = read(json!({ "id": "sub_1", "status": "active" }));
    assert_eq!((bare.current_period(), bare.price_id(), bare.customer_id()), (None, None, None));
    let strange: Subscription = read(json!({
        "id": "sub_1", "status": "hibernating", "metadata": null, "items": { "data": null }, "cancel_at_period_end": "true",
        "customer": { "id": "cus_1", "email": 7 }, "billing_mode": { "type": "quantum" },
    }));
    assert_eq!(strange.status, SubscriptionStatus::Other("hibernating".into()));
    assert_eq!((strange.status.as_str(), strange.customer_id()), ("hibernating", Some("cus_1")));
    assert!(strange.cancel_at_period_end);
}

#[test]
fn every_status_keeps_its_word() {
    for word in
        ["incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused", "new"]
    {
        let status: SubscriptionStatus = read(json!(word));
        assert_eq!((status.as_str(), serde_json::to_value(&status).unwrap()), (word, json!(word)));
        assert_eq!(matches!(status, SubscriptionStatus::Other(_)), word == "new");
    }
}
