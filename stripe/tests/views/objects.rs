use serde_json::json;
use usher_stripe::views::*;

use super::read;

#[test]
fn prices_and_products() {
    let price: Price = read(json!({
        "id": "price_1", "active": true, "currency": "kwd", "unit_amount": null, "unit_amount_decimal": "0.5", "type": "recurring",
        "billing_scheme": "tiered", "recurring": { "interval": "month" }, "lookup_key": "pln_1", "nickname": null,
        "product": { "id": "prod_1", "deleted": true }, "livemode": true
    }));
    assert_eq!((price.amount(), price.every().unwrap().interval_count), (None, 1));
    assert!(price.product.unwrap().whole().unwrap().deleted);
    let once: Price =
        read(json!({ "id": "price_1", "unit_amount": 0, "type": "one_time", "recurring": null, "product": "prod_1" }));
    assert_eq!((once.amount(), once.every(), once.product.unwrap().id()), (Some(0), None, "prod_1"));
    // localstripe gives back what was sent, as text
    let product: Product =
        read(json!({ "id": "prod_1", "active": "false", "name": "Gold", "default_price": "price_1", "metadata": {} }));
    assert_eq!((product.active, product.name.as_deref()), (false, Some("Gold")));
}

#[test]
fn customers_that_are_gone() {
    let gone: Customer = read(json!({ "id": "cus_1", "object": "customer", "deleted": true }));
    assert!(gone.deleted && gone.email.is_none());
    let here: Customer =
        read(json!({ "id": "cus_1", "email": "ann@example.org", "name": null, "metadata": { "a": "b" } }));
    assert!(!here.deleted);
    assert!(!format!("{here:?}").contains("ann@"));
    assert_eq!(here.email.unwrap().into_inner(), "ann@example.org");
}

#[test]
fn checkout_sessions() {
    let open: CheckoutSession = read(json!({
        "id": "cs_test_1", "status": "open", "payment_status": "unpaid", "mode": "subscription", "url": "https://checkout.example/1",
        "customer": "cus_1", "subscription": null, "client_reference_id": "mem_1", "expires_at": 1700086400, "created": 1700000000
    }));
    assert_eq!((open.status, open.payment_status), (Some(CheckoutStatus::Open), Some(PaymentStatus::Unpaid)));
    assert_eq!((open.mode, open.expires_at), (Some(CheckoutMode::Subscription), Some(1700086400)));
    // Before 2021-12 there was no status.
    let old: CheckoutSession = read(
        json!({ "id": "cs_1", "payment_status": "no_payment_required", "subscription": { "id": "sub_1", "status": "x" } }),
    );
    assert_eq!((old.status.as_ref(), old.subscription_id(), old.customer_id()), (None, Some("sub_1"), None));
}

#[test]
fn the_rest() {
    let account: Account =
        read(json!({ "id": "acct_1", "charges_enabled": true, "business_profile": { "name": null }, "country": "DE" }));
    assert!(account.charges_enabled && !account.details_submitted);
    let coupon: Coupon =
        read(json!({ "id": "SPRING", "valid": true, "percent_off": 25.5, "amount_off": null, "duration": "forever" }));
    assert_eq!((coupon.valid, coupon.percent_off), (true, Some(25.5)));
    let refund: Refund =
        read(json!({ "id": "re_1", "amount": 100, "charge": "ch_1", "payment_intent": null, "status": "succeeded" }));
    assert_eq!(refund.charge_id(), Some("ch_1"));
    let charge: Charge =
        read(json!({ "id": "ch_1", "payment_intent": { "id": "pi_1" }, "amount_refunded": 5, "invoice": "in_1" }));
    assert_eq!((charge.payment_intent_id(), charge.amount_refunded), (Some("pi_1"), 5));
}
