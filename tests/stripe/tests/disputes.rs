//! What customers have their banks take back.

use serde_json::Value;

use crate::client::{Client, begin, kinds, subscribe, text, texts};

/// The charge of a new subscription.
async fn charge(client: &Client, customer: &str, price: &str) -> Value {
    subscribe(client, customer, price, "").await;
    client.get(&format!("/v1/charges?customer={customer}&limit=1")).await["data"][0].clone()
}

#[tokio::test]
async fn a_dispute_is_opened_answered_and_decided() {
    for is_won in [true, false] {
        let (fake, client, customer, price) = begin().await;
        let charge = charge(&client, &customer, &price).await;
        let id = text(&charge, "id");
        assert_eq!(charge["disputed"], false);
        let dispute = fake.dispute(&id, None).expect("a dispute");
        let path = format!("/v1/disputes/{}", text(&dispute, "id"));
        assert_eq!((&dispute["amount"], &dispute["status"]), (&charge["amount"], &Value::from("needs_response")));
        assert_eq!(client.get(&format!("/v1/charges/{id}")).await["disputed"], true);
        assert_eq!(client.post(&path, "metadata[a]=b").await.ok()["status"], "under_review");
        assert_eq!(client.post("/v1/refunds", &format!("charge={id}")).await.refused(), (400, "charge_disputed"));
        let decided = fake.decide_dispute(&text(&dispute, "id"), is_won).expect("a decision");
        assert_eq!(decided["status"], if is_won { "won" } else { "lost" });
        let moved = decided["balance_transactions"].as_array().expect("a list").iter();
        let moved: Vec<_> = moved.map(|one| one["amount"].as_i64().expect("an amount")).collect();
        assert_eq!(moved, if is_won { vec![-900, 900] } else { vec![-900] });
        let listed = client.get(&format!("/v1/disputes?charge={id}")).await;
        assert_eq!(texts(&listed, "status"), [text(&decided, "status")]);
        let told: Vec<_> = kinds(&fake).into_iter().filter(|kind| kind.starts_with("charge.dispute.")).collect();
        let more = if is_won { vec!["funds_reinstated", "closed"] } else { vec!["closed"] };
        let expected = ["created", "funds_withdrawn", "updated", "updated"].into_iter().chain(more);
        assert_eq!(told, expected.map(|kind| format!("charge.dispute.{kind}")).collect::<Vec<_>>());
        // Once won, it can be given back; a second time it cannot be disputed.
        let refunded = client.post("/v1/refunds", &format!("charge={id}")).await.status;
        assert_eq!(refunded, if is_won { 200 } else { 400 });
        fake.dispute(&id, None).expect_err("once");
        fake.decide_dispute(&text(&dispute, "id"), true).expect_err("it is closed");
    }
}

#[tokio::test]
async fn a_part_can_be_disputed_and_giving_up_loses() {
    let (fake, client, customer, price) = begin().await;
    let id = text(&charge(&client, &customer, &price).await, "id");
    fake.dispute(&id, Some(901)).expect_err("too much");
    let dispute = fake.dispute(&id, Some(300)).expect("a dispute");
    let closed = client.post(&format!("/v1/disputes/{}/close", text(&dispute, "id")), "").await.ok();
    assert_eq!((&closed["status"], &closed["amount"]), (&Value::from("lost"), &Value::from(300)));
}
