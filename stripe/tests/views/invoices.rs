use serde_json::json;
use usher_stripe::views::{Invoice, InvoicePayment, InvoiceStatus, Page, Period, refunded};

use super::read;

#[test]
fn of_2020_with_its_charge_and_subscription_on_itself() {
    let invoice: Invoice = read(json!({
        "id": "in_1", "object": "invoice", "number": "A-1", "status": "paid", "currency": "eur", "amount_due": 1785,
        "amount_paid": 1785, "amount_remaining": 0, "subtotal": 1500, "tax": 285, "total": 1785, "paid": true,
        "billing_reason": "subscription_cycle", "created": 1598500000, "customer": "cus_1", "subscription": "sub_1",
        "customer_email": "ann@example.org", "customer_name": "Ann B",
        "charge": { "id": "ch_1", "amount": 1785, "amount_refunded": 1785, "refunded": true, "payment_intent": "pi_1" },
        "payment_intent": "pi_1", "hosted_invoice_url": "https://invoice.example/1", "invoice_pdf": "https://invoice.example/1.pdf",
        "lines": { "data": [{ "id": "il_1", "amount": 1500, "currency": "eur", "description": "1 × Gold", "quantity": 1,
            "period": { "start": 1598500000, "end": 1601178400 }, "plan": { "id": "price_1" }, "proration": false,
            "price": { "id": "price_1", "product": "prod_1" }, "subscription": "sub_1", "type": "subscription" }], "has_more": false },
        "period_start": 1595821600, "period_end": 1598500000,
        "status_transitions": { "finalized_at": 1598500001, "paid_at": 1598500002, "voided_at": null }, "total_tax_amounts": [{ "amount": 285 }]
    }));
    assert_eq!((invoice.status.clone(), invoice.subscription_id()), (Some(InvoiceStatus::Paid), Some("sub_1")));
    assert_eq!((invoice.tax(), invoice.refunded(), invoice.paid_at()), (285, Some(1785), Some(1598500002)));
    assert_eq!(invoice.payment_intent_ids().collect::<Vec<_>>(), ["pi_1"]);
    let line = &invoice.lines.data[0];
    assert_eq!(
        (line.price_id(), line.product_id(), line.subscription_id()),
        (Some("price_1"), Some("prod_1"), Some("sub_1"))
    );
    assert_eq!((line.period, line.is_proration()), (Some(Period { start: 1598500000, end: 1601178400 }), false));
    assert_eq!(invoice.customer_email.as_deref().map(String::as_str), Some("ann@example.org"));
    let shown = format!("{invoice:?}");
    assert!(!shown.contains("ann@") && !shown.contains("Ann B"), "{shown}");
}

#[test]
fn of_2022_with_the_charge_behind_its_payment_intent() {
    let charge = json!({ "id": "ch_1", "amount": 1500, "amount_refunded": 200 });
    for intent in
        [json!({ "id": "pi_1", "charges": { "data": [charge] } }), json!({ "id": "pi_1", "latest_charge": charge })]
    {
        let invoice: Invoice =
            read(json!({ "id": "in_1", "status": "paid", "charge": "ch_1", "payment_intent": intent }));
        assert_eq!((invoice.refunded(), invoice.tax()), (Some(200), 0));
    }
}

#[test]
fn since_2025_with_parents_pricing_and_payments() {
    let invoice: Invoice = read(json!({
        "id": "in_1", "status": "open", "total": 1785, "total_excluding_tax": 1500, "total_taxes": [{ "amount": 200 }, { "amount": 85 }],
        "parent": { "type": "subscription_details", "quote_details": null,
            "subscription_details": { "metadata": { "usher_member": "mem_1" }, "subscription": "sub_1" } },
        "lines": { "data": [{ "id": "il_1", "amount": -100, "description": null,
            "pricing": { "type": "price_details", "unit_amount_decimal": "1500", "price_details": { "price": "price_1", "product": "prod_1" } },
            "parent": { "type": "subscription_item_details", "invoice_item_details": null,
                "subscription_item_details": { "subscription": "sub_1", "proration": true } } }] },
        "payments": { "has_more": false, "data": [{ "id": "inpay_1", "status": "open",
            "payment": { "type": "payment_intent", "payment_intent": "pi_1" } }] }
    }));
    assert_eq!((invoice.subscription_id(), invoice.tax()), (Some("sub_1"), 285));
    assert_eq!(invoice.payment_intent_ids().collect::<Vec<_>>(), ["pi_1"]);
    assert_eq!(invoice.refunded(), Some(0), "what was not paid cannot have been given back");
    let line = &invoice.lines.data[0];
    assert_eq!(
        (line.price_id(), line.product_id(), line.subscription_id()),
        (Some("price_1"), Some("prod_1"), Some("sub_1"))
    );
    assert!(line.is_proration());
}

#[test]
fn with_almost_nothing() {
    let invoice: Invoice =
        read(json!({ "id": "in_1", "lines": null, "status": "haunted", "status_transitions": null }));
    assert_eq!((invoice.total, invoice.refunded(), invoice.subscription_id(), invoice.tax()), (0, None, None, 0));
    assert_eq!(invoice.status.unwrap().as_str(), "haunted");
}

#[test]
fn what_was_given_back_is_the_sum_over_its_payments() {
    let payment = |n: u8, paid: i64, charge| {
        let intent = json!({ "id": format!("pi_{n}"), "latest_charge": charge });
        json!({ "id": format!("inpay_{n}"), "status": "paid", "amount_paid": paid, "invoice": "in_1",
            "payment": { "type": "payment_intent", "payment_intent": intent } })
    };
    let of = |payments: Vec<serde_json::Value>| {
        let page: Page<InvoicePayment> = read(json!({ "data": payments, "has_more": false }));
        assert!(page.unreadable.is_empty());
        refunded(&page.data)
    };
    let charge = |back: i64| json!({ "id": "ch_1", "amount": 1000, "amount_refunded": back });
    assert_eq!(of(vec![payment(1, 1000, charge(0))]), Some(0));
    assert_eq!(of(vec![payment(1, 1000, charge(1000)), payment(2, 500, charge(100))]), Some(1100));
    assert_eq!(of(vec![payment(1, 600, charge(1000))]), Some(600), "the rest of the charge paid something else");
    assert_eq!(of(vec![payment(1, 1000, json!("ch_1"))]), None, "it is not known");
    assert_eq!(of(vec![]), Some(0));
    let out_of_band =
        json!({ "id": "inpay_3", "status": "paid", "payment": { "type": "payment_record", "payment_record": "pr_1" } });
    let direct = json!({ "id": "inpay_4", "status": "paid", "payment": { "type": "charge", "charge": charge(50) } });
    assert_eq!(of(vec![out_of_band, direct]), Some(50));
}
