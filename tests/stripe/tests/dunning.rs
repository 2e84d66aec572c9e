//! Cards that are declined.

use stripe_fake::{AfterRetries, Payer, Settings};

use crate::client::{begin, kinds, subscribe, text};

const DAY: i64 = 86_400;

async fn decline_until(after_retries: AfterRetries) -> (String, Vec<String>, Vec<String>) {
    let (fake, client, customer, price) = begin().await;
    fake.set_settings(None, Settings { after_retries, ..Settings::default() }).expect("an account");
    let subscription = subscribe(&client, &customer, &price, "").await;
    fake.set_card(&customer, true).expect("a customer");
    fake.advance(32 * DAY).await;
    assert_eq!(client.status(&subscription).await, "past_due");
    fake.advance(3 * DAY + 5 * DAY + 7 * DAY).await;
    let status = client.status(&subscription).await;
    fake.advance(31 * DAY).await;
    (status, client.invoices(&subscription).await, kinds(&fake))
}

#[tokio::test]
async fn after_the_last_try_it_is_canceled() {
    let (status, invoices, kinds) = decline_until(AfterRetries::Cancel).await;
    assert_eq!(status, "canceled");
    assert_eq!(invoices, ["open", "paid"]);
    let failed = kinds.iter().filter(|kind| *kind == "invoice.payment_failed").count();
    assert_eq!(failed, 4, "the first time and three retries");
}

#[tokio::test]
async fn or_unpaid_with_drafts_from_then_on() {
    let (status, invoices, _) = decline_until(AfterRetries::Unpaid).await;
    assert_eq!((status.as_str(), invoices), ("unpaid", ["draft", "open", "paid"].map(String::from).to_vec()));
}

#[tokio::test]
async fn or_stays_past_due() {
    let (status, invoices, _) = decline_until(AfterRetries::PastDue).await;
    assert_eq!((status.as_str(), invoices), ("past_due", ["open", "open", "paid"].map(String::from).to_vec()));
}

#[tokio::test]
async fn a_new_card_is_tried_at_the_next_retry() {
    let (fake, client, customer, price) = begin().await;
    let subscription = subscribe(&client, &customer, &price, "").await;
    fake.set_card(&customer, true).expect("a customer");
    fake.advance(32 * DAY).await;
    fake.set_card(&customer, false).expect("a customer");
    fake.advance(3 * DAY).await;
    assert_eq!(client.status(&subscription).await, "active");
    assert_eq!(client.invoices(&subscription).await, ["paid", "paid"]);
}

#[tokio::test]
async fn a_first_payment_has_a_day() {
    let (fake, client, customer, price) = begin().await;
    fake.set_card(&customer, true).expect("a customer");
    let subscription = subscribe(&client, &customer, &price, "").await;
    assert_eq!(client.status(&subscription).await, "incomplete");
    fake.advance(23 * 3600).await;
    assert_eq!(client.status(&subscription).await, "incomplete_expired");
    assert_eq!(client.invoices(&subscription).await, ["void"]);
}

#[tokio::test]
async fn a_checkout_with_a_bad_card_stays_open() {
    let (fake, client, customer, price) = begin().await;
    let form =
        format!("mode=subscription&customer={customer}&line_items[0][price]={price}&success_url=https://a.example");
    let session = text(&client.post("/v1/checkout/sessions", &form).await.ok(), "id");
    let refused = fake.complete_checkout(&session, &Payer { card_fails: true, ..Payer::default() });
    assert_eq!(refused.expect_err("declined").code, Some("card_declined"));
    let none = client.get(&format!("/v1/subscriptions?customer={customer}&status=all")).await;
    assert_eq!(none["data"].as_array().map(Vec::len), Some(0));
    let payer = Payer { card_fails_later: true, ..Payer::default() };
    let session = fake.complete_checkout(&session, &payer).expect("a payment");
    let subscription = text(&session, "subscription");
    assert_eq!(client.status(&subscription).await, "active");
    fake.advance(32 * DAY).await;
    assert_eq!(client.status(&subscription).await, "past_due");
}
