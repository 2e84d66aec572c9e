//! Renewals, trials, pauses, ends: what time does to subscriptions and checkouts.

use serde_json::Value;

use crate::client::{Client, begin, kinds, subscribe, text, texts};

const DAY: i64 = 86_400;
/// Longer than any month, and the hour for which an invoice is a draft.
const MONTH: i64 = 31 * DAY + 3600;

async fn period(client: &Client, subscription: &str) -> (i64, i64) {
    let found = client.get(&format!("/v1/subscriptions/{subscription}")).await;
    let item = &found["items"]["data"][0];
    let at = |field: &str| item[field].as_i64().expect("a time");
    (at("current_period_start"), at("current_period_end"))
}

#[tokio::test]
async fn a_year_passes_month_by_month() {
    let (fake, client, customer, price) = begin().await;
    let subscription = subscribe(&client, &customer, &price, "").await;
    let first = period(&client, &subscription).await;
    fake.advance(12 * MONTH).await;
    assert_eq!(client.invoices(&subscription).await, ["paid"; 13]);
    let list = client.get(&format!("/v1/invoices?subscription={subscription}&limit=100")).await;
    let starts: Vec<i64> = list["data"]
        .as_array()
        .expect("a list")
        .iter()
        .rev()
        .map(|invoice| invoice["lines"]["data"][0]["period"]["start"].as_i64().expect("a time"))
        .collect();
    assert_eq!(starts[..2], [first.0, first.1]);
    assert!(starts.windows(2).all(|two| (28 * DAY..=31 * DAY).contains(&(two[1] - two[0]))), "{starts:?}");
    let numbers: std::collections::BTreeSet<String> = texts(&list, "number").into_iter().collect();
    assert_eq!(numbers.len(), 13);
}

#[tokio::test]
async fn a_renewal_is_a_draft_for_an_hour() {
    let (fake, client, customer, price) = begin().await;
    let subscription = subscribe(&client, &customer, &price, "").await;
    let (_, end) = period(&client, &subscription).await;
    fake.advance(end - fake.now()).await;
    assert_eq!(client.invoices(&subscription).await, ["draft", "paid"]);
    fake.advance(3599).await;
    assert_eq!(client.invoices(&subscription).await, ["draft", "paid"]);
    fake.advance(1).await;
    assert_eq!(client.invoices(&subscription).await, ["paid", "paid"]);
}

#[tokio::test]
async fn months_keep_their_day() {
    let (fake, client, customer, price) = begin().await;
    // 31 January 2027.
    fake.advance(1_801_353_600 - fake.now()).await;
    let subscription = subscribe(&client, &customer, &price, "").await;
    let mut ends = vec![];
    for _ in 0..3 {
        let (_, end) = period(&client, &subscription).await;
        ends.push(end);
        fake.advance(end - fake.now()).await;
    }
    // 28 February, 31 March, 30 April.
    assert_eq!(ends, [1_803_772_800, 1_806_451_200, 1_809_043_200]);
}

#[tokio::test]
async fn a_trial_ends_with_an_invoice() {
    let (fake, client, customer, price) = begin().await;
    let subscription = subscribe(&client, &customer, &price, "&trial_period_days=14").await;
    assert_eq!(client.status(&subscription).await, "trialing");
    let list = client.get(&format!("/v1/invoices?subscription={subscription}")).await;
    assert_eq!((&list["data"][0]["total"], &list["data"][0]["status"]), (&Value::from(0), &Value::from("paid")));
    fake.advance(14 * DAY - 1).await;
    assert_eq!(client.status(&subscription).await, "trialing");
    fake.advance(1).await;
    assert_eq!(client.status(&subscription).await, "active");
    fake.advance(3600).await;
    assert_eq!(client.invoices(&subscription).await, ["paid", "paid"]);
    let charges = client.get(&format!("/v1/charges?customer={customer}")).await;
    assert_eq!(charges["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn it_ends_with_its_period_and_is_not_charged_again() {
    let (fake, client, customer, price) = begin().await;
    let subscription = subscribe(&client, &customer, &price, "").await;
    client.post(&format!("/v1/subscriptions/{subscription}"), "cancel_at_period_end=true").await.ok();
    let (_, end) = period(&client, &subscription).await;
    fake.advance(end - 1 - fake.now()).await;
    assert_eq!(client.status(&subscription).await, "active");
    fake.advance(MONTH).await;
    let found = client.get(&format!("/v1/subscriptions/{subscription}")).await;
    assert_eq!((found["status"].as_str(), found["ended_at"].as_i64()), (Some("canceled"), Some(end)));
    assert_eq!(client.invoices(&subscription).await, ["paid"]);
    assert_eq!(kinds(&fake).last().map(String::as_str), Some("customer.subscription.deleted"));
}

#[tokio::test]
async fn while_collection_is_paused_invoices_are_void_and_then_paid_again() {
    let (fake, client, customer, price) = begin().await;
    let subscription = subscribe(&client, &customer, &price, "").await;
    let resumes = fake.now() + 70 * DAY;
    let form = format!("pause_collection[behavior]=void&pause_collection[resumes_at]={resumes}");
    client.post(&format!("/v1/subscriptions/{subscription}"), &form).await.ok();
    fake.advance(69 * DAY).await;
    assert_eq!(client.status(&subscription).await, "active");
    assert_eq!(client.invoices(&subscription).await, ["void", "void", "paid"]);
    fake.advance(30 * DAY).await;
    assert_eq!(client.invoices(&subscription).await, ["paid", "void", "void", "paid"]);
    let found = client.get(&format!("/v1/subscriptions/{subscription}")).await;
    assert_eq!(found["pause_collection"], Value::Null);
}

#[tokio::test]
async fn other_pauses_keep_drafts_or_give_up() {
    for (behavior, status) in [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible")] {
        let (fake, client, customer, price) = begin().await;
        let subscription = subscribe(&client, &customer, &price, "").await;
        let form = format!("pause_collection[behavior]={behavior}");
        client.post(&format!("/v1/subscriptions/{subscription}"), &form).await.ok();
        fake.advance(MONTH).await;
        assert_eq!(client.invoices(&subscription).await, [status, "paid"]);
    }
}

#[tokio::test]
async fn a_paused_subscription_has_no_invoices_until_it_is_resumed() {
    let (fake, client, customer, price) = begin().await;
    let subscription = subscribe(&client, &customer, &price, "").await;
    client.post(&format!("/v1/subscriptions/{subscription}/pause"), "").await.ok();
    fake.advance(3 * MONTH).await;
    assert_eq!(client.invoices(&subscription).await, ["paid"]);
    client.post(&format!("/v1/subscriptions/{subscription}/resume"), "").await.ok();
    assert_eq!(client.status(&subscription).await, "active");
    assert_eq!(client.invoices(&subscription).await, ["paid", "paid"]);
    assert_eq!(period(&client, &subscription).await.0, fake.now());
}

#[tokio::test]
async fn a_resumption_may_wait_for_its_payment() {
    let (fake, client, customer, price) = begin().await;
    let subscription = subscribe(&client, &customer, &price, "").await;
    client.post(&format!("/v1/subscriptions/{subscription}/pause"), "").await.ok();
    fake.set_card(&customer, true).expect("a customer");
    let resume = format!("/v1/subscriptions/{subscription}/resume");
    let found = client.post(&resume, "payment_behavior=resume_on_payment_success").await.ok();
    assert_eq!(found["status"], "paused");
    fake.set_card(&customer, false).expect("a customer");
    client.post(&format!("/v1/invoices/{}/pay", text(&found, "latest_invoice")), "").await.ok();
    assert_eq!(client.status(&subscription).await, "active");
}

#[tokio::test]
async fn an_open_checkout_expires_after_a_day() {
    let (fake, client, customer, price) = begin().await;
    let form =
        format!("mode=subscription&customer={customer}&line_items[0][price]={price}&success_url=https://a.example");
    let session = text(&client.post("/v1/checkout/sessions", &form).await.ok(), "id");
    fake.advance(DAY - 1).await;
    assert_eq!(client.get(&format!("/v1/checkout/sessions/{session}")).await["status"], "open");
    fake.advance(1).await;
    assert_eq!(client.get(&format!("/v1/checkout/sessions/{session}")).await["status"], "expired");
    assert!(fake.complete_checkout(&session, &Default::default()).is_err());
    assert_eq!(kinds(&fake).last().map(String::as_str), Some("checkout.session.expired"));
}

#[tokio::test]
async fn events_are_listed_for_thirty_days() {
    let (fake, client, _, _) = begin().await;
    assert_eq!(texts(&client.get("/v1/events").await, "type"), ["customer.created"]);
    fake.advance(30 * DAY + 1).await;
    assert_eq!(texts(&client.get("/v1/events").await, "type"), [""; 0]);
}
