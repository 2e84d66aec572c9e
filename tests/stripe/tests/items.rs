//! Subscriptions of several items, and what changes of them come to.

use serde_json::Value;
use stripe_fake::{AfterRetries, Fake, Settings};

use crate::client::{Client, begin, kinds, subscribe, text};

const DAY: i64 = 86_400;

/// Another monthly price, of so much.
async fn price(client: &Client, amount: i64) -> String {
    let product = client.post("/v1/products", "name=Other").await.ok();
    let form = format!("product={}&currency=usd&unit_amount={amount}&recurring[interval]=month", text(&product, "id"));
    text(&client.post("/v1/prices", &form).await.ok(), "id")
}

async fn change(client: &Client, subscription: &str, form: &str) -> Value {
    client.post(&format!("/v1/subscriptions/{subscription}"), form).await.ok()
}

/// The newest invoice: total, what was due and what was paid; and each line's amount and whether it is a proration.
async fn newest(client: &Client, subscription: &str) -> ((i64, i64, i64), Vec<(i64, bool)>) {
    let list = client.get(&format!("/v1/invoices?subscription={subscription}&limit=1")).await;
    let invoice = &list["data"][0];
    let lines = invoice["lines"]["data"].as_array().expect("lines").iter();
    let is_proration = |line: &Value| line["parent"]["subscription_item_details"]["proration"] == true;
    let number = |field: &str| invoice[field].as_i64().expect("a number");
    (
        (number("total"), number("amount_due"), number("amount_paid")),
        lines.map(|line| (line["amount"].as_i64().expect("a number"), is_proration(line))).collect(),
    )
}

/// A subscription to 900 a month, ten days of its thirty-one old; and its item.
async fn ten_days_old() -> (Fake, Client, String, String, String) {
    let (fake, client, customer, first) = begin().await;
    let subscription = subscribe(&client, &customer, &first, "").await;
    let found = client.get(&format!("/v1/subscriptions/{subscription}")).await;
    let item = &found["items"]["data"][0];
    let length = item["current_period_end"].as_i64().expect("an end") - found["created"].as_i64().expect("a time");
    fake.advance(length / 3).await;
    (fake, client, customer, subscription, text(item, "id"))
}

#[tokio::test]
async fn each_item_is_billed_by_its_quantity() {
    let (_fake, client, customer, first) = begin().await;
    let other = price(&client, 250).await;
    let more = format!("&items[1][price]={other}&items[1][quantity]=3");
    let subscription = subscribe(&client, &customer, &first, &more).await;
    assert_eq!(newest(&client, &subscription).await, ((1650, 1650, 1650), vec![(900, false), (750, false)]));
}

#[tokio::test]
async fn a_change_is_made_up_for_at_once_or_with_the_next_invoice_or_not_at_all() {
    for (behavior, at_once, with_next) in [
        ("always_invoice", Some((1400, vec![(-600, true), (2000, true)])), (3000, vec![(3000, false)])),
        ("create_prorations", None, (4400, vec![(-600, true), (2000, true), (3000, false)])),
        ("none", None, (3000, vec![(3000, false)])),
    ] {
        let (fake, client, _, subscription, item) = ten_days_old().await;
        let gold = price(&client, 3000).await;
        let form = format!("items[0][id]={item}&items[0][price]={gold}&proration_behavior={behavior}");
        change(&client, &subscription, &form).await;
        let (amounts, lines) = newest(&client, &subscription).await;
        match at_once {
            Some((total, expected)) => assert_eq!((amounts, lines), ((total, total, total), expected), "{behavior}"),
            None => assert_eq!(lines, [(900, false)], "{behavior}"),
        }
        fake.advance(25 * DAY).await;
        let (total, expected) = with_next;
        assert_eq!(newest(&client, &subscription).await, ((total, total, total), expected), "{behavior}");
    }
}

#[tokio::test]
async fn what_is_credited_beyond_a_charge_pays_the_next_invoices() {
    let (fake, client, customer, subscription, item) = ten_days_old().await;
    let cheap = price(&client, 300).await;
    let form = format!("items[0][id]={item}&items[0][price]={cheap}&proration_behavior=always_invoice");
    change(&client, &subscription, &form).await;
    assert_eq!(newest(&client, &subscription).await, ((-400, 0, 0), vec![(-600, true), (200, true)]));
    let balance = async || client.get(&format!("/v1/customers/{customer}")).await["balance"].as_i64();
    assert_eq!(balance().await, Some(-400));
    fake.advance(25 * DAY).await;
    assert_eq!((newest(&client, &subscription).await.0, balance().await), ((300, 0, 0), Some(-100)));
    fake.advance(31 * DAY).await;
    assert_eq!((newest(&client, &subscription).await.0, balance().await), ((300, 200, 200), Some(0)));
}

#[tokio::test]
async fn a_quantity_and_items_that_come_and_go_are_made_up_for() {
    let (_fake, client, _, subscription, item) = ten_days_old().await;
    let other = price(&client, 300).await;
    let at_once = "proration_behavior=always_invoice";
    change(&client, &subscription, &format!("items[0][id]={item}&items[0][quantity]=2&{at_once}")).await;
    assert_eq!(newest(&client, &subscription).await.1, [(-600, true), (1200, true)]);
    let found = change(&client, &subscription, &format!("items[0][price]={other}&{at_once}")).await;
    assert_eq!(newest(&client, &subscription).await.1, [(200, true)]);
    let added = text(&found["items"]["data"][1], "id");
    change(&client, &subscription, &format!("items[0][id]={added}&items[0][deleted]=true&{at_once}")).await;
    assert_eq!(newest(&client, &subscription).await, ((-200, 0, 0), vec![(-200, true)]));
    let refused = async |form: &str| client.post(&format!("/v1/subscriptions/{subscription}"), form).await.status;
    assert_eq!(refused(&format!("items[0][id]={item}&items[0][deleted]=true")).await, 400, "the last one");
    let same = format!("items[0][price]={}", text(&found["items"]["data"][0]["price"], "id"));
    assert_eq!(refused(&same).await, 400, "the same price twice");
    assert_eq!(refused("payment_behavior=pending_if_incomplete").await, 400, "what is not modelled");
}

#[tokio::test]
async fn an_upgrade_that_is_not_paid_is_tried_again_and_an_older_payment_changes_nothing() {
    let (fake, client, customer, subscription, item) = ten_days_old().await;
    let gold = price(&client, 3000).await;
    let settings = Settings { after_retries: AfterRetries::PastDue, ..Settings::default() };
    fake.set_settings(None, settings).expect("an account");
    fake.set_card(&customer, true).expect("a customer");
    let form = format!("items[0][id]={item}&items[0][price]={gold}&proration_behavior=always_invoice");
    assert_eq!(change(&client, &subscription, &form).await["status"], "past_due");
    assert_eq!(client.invoices(&subscription).await, ["open", "paid"]);
    // The next period is not paid either; then only the upgrade is.
    fake.advance(25 * DAY).await;
    assert_eq!(client.invoices(&subscription).await, ["open", "open", "paid"]);
    fake.set_card(&customer, false).expect("a customer");
    let all = client.get(&format!("/v1/invoices?subscription={subscription}&status=open")).await;
    let pay = async |at: usize| {
        client.post(&format!("/v1/invoices/{}/pay", text(&all["data"][at], "id")), "").await.ok();
        client.status(&subscription).await
    };
    assert_eq!(pay(1).await, "past_due");
    assert_eq!(pay(0).await, "active");
    assert!(kinds(&fake).iter().filter(|kind| *kind == "invoice.payment_failed").count() >= 3, "it was tried again");
}

#[tokio::test]
async fn a_schedule_changes_the_items_that_it_names() {
    let (fake, client, customer, first) = begin().await;
    let (other, gold) = (price(&client, 300).await, price(&client, 3000).await);
    let subscription = subscribe(&client, &customer, &first, &format!("&items[1][price]={other}")).await;
    let schedule = client.post("/v1/subscription_schedules", &format!("from_subscription={subscription}")).await.ok();
    let phase = &schedule["phases"][0];
    let form = format!(
        "phases[0][start_date]={}&phases[0][end_date]={}&phases[0][items][0][price]={first}&phases[0][items][1][price]={other}\
         &phases[1][items][0][price]={gold}&phases[1][items][1][price]={other}&phases[1][items][1][quantity]=2\
         &phases[1][duration][interval]=month",
        phase["start_date"], phase["end_date"]
    );
    client.post(&format!("/v1/subscription_schedules/{}", text(&schedule, "id")), &form).await.ok();
    let items = async || {
        let found = client.get(&format!("/v1/subscriptions/{subscription}")).await;
        let items = found["items"]["data"].as_array().expect("items").clone();
        items
            .iter()
            .map(|item| (text(item, "id"), text(&item["price"], "id"), item["quantity"].clone()))
            .collect::<Vec<_>>()
    };
    let before = items().await;
    fake.advance(32 * DAY).await;
    let after = items().await;
    assert_eq!(after[0], (before[0].0.clone(), gold, 1.into()));
    assert_eq!(after[1], (before[1].0.clone(), other, 2.into()));
    assert_eq!(newest(&client, &subscription).await.1, [(3000, false), (600, false)]);
}
