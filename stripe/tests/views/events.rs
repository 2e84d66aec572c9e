use serde_json::json;
use usher_stripe::views::{About, Event};

use super::read;

#[test]
fn of_any_version_says_what_it_is_about() {
    let event: Event = read(json!({
        "id": "evt_1", "object": "event", "type": "invoice.paid", "created": 1700000000, "livemode": true,
        "api_version": "2020-08-27", "account": "acct_1", "pending_webhooks": 1,
        "request": { "id": "req_1", "idempotency_key": "op:1:g0" },
        "data": { "object": { "id": "in_1", "object": "invoice", "customer": "cus_1", "subscription": "sub_1",
            "charge": "ch_1", "payment_intent": "pi_1", "customer_email": "ann@example.org" }, "previous_attributes": {} }
    }));
    let about = About {
        id: Some("in_1"),
        object: Some("invoice"),
        customer: Some("cus_1"),
        subscription: Some("sub_1"),
        invoice: Some("in_1"),
        payment_intent: Some("pi_1"),
        charge: Some("ch_1"),
    };
    assert_eq!((event.about(), event.account.as_deref(), event.livemode), (about, Some("acct_1"), Some(true)));
    let request = event.request.as_ref().unwrap();
    assert_eq!(request.idempotency_key.as_deref(), Some("op:1:g0"));
    assert!(!format!("{event:?}").contains("ann@"));
}

#[test]
fn since_2025_the_subscription_is_the_parents() {
    let event: Event =
        read(json!({ "id": "evt_1", "type": "invoice.paid", "created": 1, "data": { "object": { "id": "in_1",
        "object": "invoice", "customer": { "id": "cus_1", "object": "customer" },
        "parent": { "subscription_details": { "subscription": "sub_1" } } } } }));
    assert_eq!((event.about().subscription, event.about().customer), (Some("sub_1"), Some("cus_1")));
}

#[test]
fn about_a_subscription_or_customer_itself() {
    let of = |kind: &str, object: &str, id: &str| -> Event {
        read(json!({ "id": "evt_1", "type": kind, "created": 1, "data": { "object": { "id": id, "object": object } } }))
    };
    assert_eq!(of("customer.subscription.deleted", "subscription", "sub_1").about().subscription, Some("sub_1"));
    assert_eq!(of("customer.deleted", "customer", "cus_1").about().customer, Some("cus_1"));
    assert_eq!(of("charge.refunded", "charge", "ch_1").about().charge, Some("ch_1"));
}

#[test]
fn of_strange_shape_is_still_an_event() {
    for sample in [
        json!({ "id": "evt_1", "type": "entitlements.active_entitlement_summary.updated", "created": 1,
            "data": { "object": { "object": "entitlements.active_entitlement_summary", "customer": "cus_1" } } }),
        json!({ "id": "evt_1", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found", "created": "2025-01-01T00:00:00Z" }),
        json!({ "id": "evt_1", "type": "x", "data": null, "request": null, "created": null }),
        json!({ "id": "evt_1", "type": "x", "data": { "object": [] }, "request": "req_1" }),
        json!({ "id": "evt_1", "type": "x", "data": 7, "request": 7 }),
    ] {
        let event: Event = read(sample);
        assert_eq!(event.about().id, None);
    }
    assert!(serde_json::from_value::<Event>(json!({ "id": "evt_1" })).is_err());
}
