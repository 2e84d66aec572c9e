//! Each request as the bytes that go out.

use std::collections::BTreeMap;

use proptest::prelude::*;
use usher_stripe::money::{Currency, Money};
use usher_stripe::requests::checkout::{self, NewCheckout, Sells};
use usher_stripe::requests::prices::{self, Every, NewPrice, PriceFilter};
use usher_stripe::requests::products::{self, NewProduct, ProductChange};
use usher_stripe::requests::*;
use usher_stripe::views::SubscriptionStatus;
use usher_stripe::{Request, StoredRequest, Url};

fn metadata() -> Metadata {
    [("usher_op", "op:1"), ("usher_member", "mem_1")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

#[track_caller]
fn sends<T>(request: Request<T>, line: &str, body: &str) {
    let StoredRequest { method, path, query, body: sent, version } = request.into_stored();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    assert_eq!(format!("{} {path}{query}", method.as_str()), line);
    assert_eq!(sent.unwrap_or_default(), body);
    assert_eq!(version, usher_stripe::API_VERSION);
}

#[test]
fn products_and_prices() {
    let metadata = metadata();
    let new = NewProduct { id: "pln_1", name: "Gold & more", description: Some("All"), metadata: &metadata };
    let body = "description=All&id=pln_1&metadata[usher_member]=mem_1&metadata[usher_op]=op:1&name=Gold+%26+more";
    sends(products::create(&new), "POST /v1/products", body);
    let change = ProductChange { description: Some(""), active: Some(false), ..Default::default() };
    sends(products::update("pln_1", &change), "POST /v1/products/pln_1", "active=false&description=");
    sends(products::get("pln_1"), "GET /v1/products/pln_1", "");
    sends(products::list(Some(true)), "GET /v1/products?active=true&limit=100", "");

    let price = Money { amount: 1500, currency: Currency::parse("EUR").unwrap() };
    let none = Metadata::new();
    let new = |every| NewPrice { product: "pln_1", price, every, lookup_key: "pln_1", metadata: &none };
    let body = "currency=eur&lookup_key=pln_1&product=pln_1&recurring[interval]=month&recurring[interval_count]=3&unit_amount=1500";
    sends(prices::create(&new(Every::Months(3))), "POST /v1/prices", body);
    let body = "currency=eur&lookup_key=pln_1&product=pln_1&recurring[interval]=year&recurring[interval_count]=1&unit_amount=1500";
    sends(prices::create(&new(Every::Years(1))), "POST /v1/prices", body);
    let body = "currency=eur&lookup_key=pln_1&product=pln_1&unit_amount=1500";
    sends(prices::create(&new(Every::Once)), "POST /v1/prices", body);
    sends(prices::set_active("price_1", false), "POST /v1/prices/price_1", "active=false");
    sends(prices::get("price_1"), "GET /v1/prices/price_1?expand[0]=product", "");
    let filter = PriceFilter { lookup_key: Some("pln_1"), ..Default::default() };
    sends(prices::list(&filter), "GET /v1/prices?expand[0]=data.product&limit=100&lookup_keys[0]=pln_1", "");
}

#[test]
fn customers_and_checkout() {
    let (none, metadata) = (Metadata::new(), metadata());
    let new = customers::NewCustomer { email: "ann@example.org", name: Some("Ann B"), metadata: &none };
    sends(customers::create(&new), "POST /v1/customers", "email=ann@example.org&name=Ann+B");
    let change = customers::CustomerChange { name: Some(""), ..Default::default() };
    sends(customers::update("cus_1", &change), "POST /v1/customers/cus_1", "name=");
    sends(customers::get("cus_1"), "GET /v1/customers/cus_1", "");
    sends(customers::with_email("a+b@c.de"), "GET /v1/customers?email=a%2Bb@c.de&limit=100", "");

    let new = NewCheckout {
        customer: "cus_1",
        price: "price_1",
        sells: Sells::Subscription { trial_days: 14 },
        reference: "mem_1",
        metadata: &metadata,
        success_url: "https://x.org/ok",
        cancel_url: Some("https://x.org/no"),
        coupon: Some("SPRING"),
        expires_at: Some(1_800_000_000),
    };
    let body = "cancel_url=https://x.org/no&client_reference_id=mem_1&customer=cus_1&discounts[0][coupon]=SPRING\
        &expires_at=1800000000&line_items[0][price]=price_1&line_items[0][quantity]=1&metadata[usher_member]=mem_1\
        &metadata[usher_op]=op:1&mode=subscription&subscription_data[metadata][usher_member]=mem_1\
        &subscription_data[metadata][usher_op]=op:1&subscription_data[trial_period_days]=14&success_url=https://x.org/ok";
    sends(checkout::create(&new), "POST /v1/checkout/sessions", body);

    let plain = NewCheckout { metadata: &none, cancel_url: None, coupon: None, expires_at: None, ..new };
    let rest = "&success_url=https://x.org/ok";
    let first = "client_reference_id=mem_1&customer=cus_1";
    let item = "line_items[0][price]=price_1&line_items[0][quantity]=1";
    let no_trial = NewCheckout { sells: Sells::Subscription { trial_days: 0 }, ..plain.clone() };
    let body = format!("{first}&{item}&mode=subscription{rest}");
    sends(checkout::create(&no_trial), "POST /v1/checkout/sessions", &body);
    let once = NewCheckout { sells: Sells::Payment, ..plain.clone() };
    sends(checkout::create(&once), "POST /v1/checkout/sessions", &format!("{first}&{item}&mode=payment{rest}"));
    let once = NewCheckout { sells: Sells::PaymentWithInvoice, metadata: &metadata, ..plain };
    let body = checkout::create(&once).into_stored().body.unwrap();
    for part in [
        "invoice_creation[enabled]=true",
        "invoice_creation[invoice_data][metadata][usher_op]=op:1",
        "payment_intent_data[metadata][usher_op]=op:1",
        "&metadata[usher_op]=op:1",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    sends(checkout::get("cs_1"), "GET /v1/checkout/sessions/cs_1", "");
    sends(checkout::of_customer("cus_1"), "GET /v1/checkout/sessions?customer=cus_1&limit=100", "");
    sends(checkout::expire("cs_1"), "POST /v1/checkout/sessions/cs_1/expire", "");
}

#[test]
fn subscription_reads_and_writes() {
    let to = "POST /v1/subscriptions/sub_1";
    sends(subscriptions::get("sub_1"), "GET /v1/subscriptions/sub_1", "");
    let whole = "GET /v1/subscriptions/sub_1?expand[0]=latest_invoice.payments";
    sends(subscriptions::get_with_invoice("sub_1"), whole, "");
    let created = Created { from: Some(5), before: Some(9) };
    let filter = subscriptions::SubscriptionFilter { customer: Some("cus_1"), created, ..Default::default() };
    let line = "GET /v1/subscriptions?created[gte]=5&created[lt]=9&customer=cus_1&limit=100&status=all";
    sends(subscriptions::list(&filter), line, "");
    let status = Some(SubscriptionStatus::PastDue);
    let filter = subscriptions::SubscriptionFilter { status, price: Some("price_1"), ..Default::default() };
    sends(subscriptions::list(&filter), "GET /v1/subscriptions?limit=100&price=price_1&status=past_due", "");

    sends(subscriptions::cancel_now("sub_1"), "DELETE /v1/subscriptions/sub_1", "");
    sends(subscriptions::cancel_at_period_end("sub_1", true), to, "cancel_at_period_end=true");
    sends(subscriptions::cancel_at_period_end("sub_1", false), to, "cancel_at_period_end=false");
    sends(subscriptions::clear_cancel_at("sub_1"), to, "cancel_at=");
    sends(subscriptions::pause_collection("sub_1", None), to, "pause_collection[behavior]=void");
    let body = "pause_collection[behavior]=void&pause_collection[resumes_at]=1800000000";
    sends(subscriptions::pause_collection("sub_1", Some(1_800_000_000)), to, body);
    sends(subscriptions::clear_pause_collection("sub_1"), to, "pause_collection=");
    sends(subscriptions::pause("sub_1"), "POST /v1/subscriptions/sub_1/pause", "type=subscription");
    let body = "payment_behavior=resume_on_payment_success";
    sends(subscriptions::resume("sub_1"), "POST /v1/subscriptions/sub_1/resume", body);
    let body = "metadata[usher_member]=mem_1&metadata[usher_op]=op:1";
    sends(subscriptions::set_metadata("sub_1", &metadata()), to, body);
}

#[test]
fn the_rest_is_read() {
    sends(account::get_own(), "GET /v1/account", "");
    sends(coupons::get_one("20 % off"), "GET /v1/coupons/20%20%25%20off", "");
    sends(invoices::get("in_1"), "GET /v1/invoices/in_1", "");
    sends(invoices::get_with_payments("in_1"), "GET /v1/invoices/in_1?expand[0]=payments", "");
    sends(invoices::lines("in_1"), "GET /v1/invoices/in_1/lines?limit=100", "");
    let filter = invoices::InvoiceFilter { subscription: Some("sub_1"), ..Default::default() };
    sends(invoices::list(&filter), "GET /v1/invoices?limit=100&subscription=sub_1", "");
    let filter = invoices::InvoiceFilter { with_payments: true, ..filter };
    sends(invoices::list(&filter), "GET /v1/invoices?expand[0]=data.payments&limit=100&subscription=sub_1", "");
    let expanded = "expand%5B0%5D=data.payment.payment_intent.latest_charge";
    sends(
        invoice_payments::of_invoice("in_1"),
        &format!("GET /v1/invoice_payments?{expanded}&invoice=in_1&limit=100"),
        "",
    );
    let line = "GET /v1/invoice_payments?limit=100&payment%5Bpayment_intent%5D=pi_1&payment%5Btype%5D=payment_intent";
    sends(invoice_payments::of_intent("pi_1"), line, "");
    sends(charges::get_one("ch_1"), "GET /v1/charges/ch_1", "");
    sends(charges::of_customer("cus_1"), "GET /v1/charges?customer=cus_1&limit=100", "");
    sends(charges::of_intent("pi_1"), "GET /v1/charges?limit=100&payment_intent=pi_1", "");
    sends(refunds::of_charge("ch_1"), "GET /v1/refunds?charge=ch_1&limit=100", "");
    sends(refunds::of_intent("pi_1"), "GET /v1/refunds?limit=100&payment_intent=pi_1", "");
    let created = Created { from: Some(5), before: None };
    let filter = events::EventFilter { types: &["invoice.paid", "charge.refunded"], created, delivered: Some(false) };
    let line =
        "GET /v1/events?created[gte]=5&delivery_success=false&limit=100&types[0]=invoice.paid&types[1]=charge.refunded";
    sends(events::list(&filter), line, "");
    sends(events::get("evt_1"), "GET /v1/events/evt_1", "");
}

proptest! {
    /// Whatever people write arrives as they wrote it, and is not taken for another parameter.
    #[test]
    fn values_arrive_as_they_are(name in "\\PC{1,20}", email in "[ -~]{1,20}", value in "\\PC{0,40}", id in "\\PC{1,20}") {
        let metadata = Metadata::from([("usher_note".to_owned(), value.clone())]);
        let new = customers::NewCustomer { email: &email, name: Some(&name), metadata: &metadata };
        let body = customers::create(&new).into_stored().body.unwrap();
        let wanted = [("email", email.as_str()), ("metadata[usher_note]", &value), ("name", &name)];
        prop_assert_eq!(parameters(&body), wanted.map(|(name, value)| (name.to_owned(), value.to_owned())).into());

        let query = customers::with_email(&email).into_stored().query.unwrap();
        prop_assert_eq!(&parameters(&query)["email"], &email);
        let query = refunds::of_charge(&id).into_stored().query.unwrap();
        prop_assert_eq!(&parameters(&query)["charge"], &id);
        let path = subscriptions::cancel_now(&id).into_stored().path;
        prop_assert_eq!(path.split('/').count(), 4);
        prop_assert!(path.is_ascii() && !path.contains(['?', '#', ' ']));
    }
}

fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut url = Url::parse("https://api.stripe.com/").unwrap();
    url.set_query(Some(text));
    url.query_pairs().into_owned().collect()
}

#[test]
fn refunds_portals_and_changes_of_plan() {
    let metadata = Metadata::from([("usher_op".to_owned(), "op:1".to_owned())]);
    let of = refunds::Refunded::Intent("pi_1");
    let body = "amount=250&metadata%5Busher_op%5D=op%3A1&payment_intent=pi_1";
    sends(refunds::create(&refunds::NewRefund { of, amount: 250, metadata: &metadata }), "POST /v1/refunds", body);
    let body = "customer=cus_1&return_url=https%3A%2F%2Fexample.com%2F";
    sends(billing_portal::create("cus_1", "https://example.com/"), "POST /v1/billing_portal/sessions", body);
    let change = subscriptions::ItemPrice { item: "si_1", price: "price_2", proration_date: Some(1_700_000_000) };
    let body = "items%5B0%5D%5Bid%5D=si_1&items%5B0%5D%5Bprice%5D=price_2&payment_behavior=allow_incomplete&proration_behavior=always_invoice&proration_date=1700000000";
    sends(subscriptions::change_price("sub_1", &change), "POST /v1/subscriptions/sub_1", body);
    let preview =
        invoices::PricePreview { subscription: "sub_1", item: "si_1", price: "price_2", proration_date: None };
    let body = "subscription=sub_1&subscription_details%5Bitems%5D%5B0%5D%5Bid%5D=si_1&subscription_details%5Bitems%5D%5B0%5D%5Bprice%5D=price_2&subscription_details%5Bproration_behavior%5D=none";
    sends(invoices::preview(&preview), "POST /v1/invoices/create_preview", body);
    sends(
        subscription_schedules::from_subscription("sub_1"),
        "POST /v1/subscription_schedules",
        "from_subscription=sub_1",
    );
    sends(subscription_schedules::release("sub_sched_1"), "POST /v1/subscription_schedules/sub_sched_1/release", "");
}
