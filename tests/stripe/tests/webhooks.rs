//! Webhooks: late, doubled, shuffled, lost, tried again.

use stripe_fake::{Dress, Flushed, Plan, Shape};

use crate::client::{Client, Receiver, begin, kinds, subscribe, text};

async fn some_events(client: &Client, customer: &str) {
    for n in 0..10 {
        client.post(&format!("/v1/customers/{customer}"), &format!("name=n{n}")).await.ok();
    }
}

#[tokio::test]
async fn they_go_out_by_themselves_and_in_order() {
    let (fake, client, customer, _) = begin().await;
    let receiver = Receiver::default();
    fake.add_endpoint(None, &receiver.start().await, None, false).expect("an account");
    some_events(&client, &customer).await;
    fake.settle().await;
    let made: Vec<String> = fake.events(None).expect("an account").into_iter().map(|(id, _)| id).skip(1).collect();
    assert_eq!(receiver.ids(), made);
    assert_eq!(fake.pending(), []);
}

#[tokio::test]
async fn held_doubled_and_shuffled_the_same_way_each_time() {
    let mut orders = vec![];
    for seed in [7, 7, 8] {
        let (fake, client, customer, _) = begin().await;
        let receiver = Receiver::default();
        fake.add_endpoint(None, &receiver.start().await, None, false).expect("an account");
        fake.set_plan(Plan::held().doubled().shuffled(seed));
        some_events(&client, &customer).await;
        fake.settle().await;
        assert_eq!((receiver.ids().len(), fake.pending().len()), (0, 20));
        assert_eq!(fake.flush().await, Flushed { delivered: 20, failed: 0 });
        let mut twice: Vec<String> =
            fake.events(None).expect("an account").into_iter().map(|(id, _)| id).skip(1).collect();
        let ids = receiver.ids();
        assert_ne!(ids.iter().step_by(2).collect::<Vec<_>>(), twice.iter().collect::<Vec<_>>());
        twice.extend(twice.clone());
        twice.sort();
        let mut sorted = ids.clone();
        sorted.sort();
        assert_eq!(sorted, twice);
        orders.push(ids);
    }
    assert_eq!(orders[0], orders[1]);
    assert_ne!(orders[0], orders[2]);
}

#[tokio::test]
async fn late_ones_come_when_their_time_has_come() {
    let (fake, client, customer, _) = begin().await;
    let receiver = Receiver::default();
    fake.add_endpoint(None, &receiver.start().await, None, false).expect("an account");
    fake.set_plan(Plan::immediate().late(600));
    some_events(&client, &customer).await;
    fake.advance(599).await;
    assert_eq!(receiver.ids().len(), 0);
    fake.advance(1).await;
    assert_eq!(receiver.ids().len(), 10);
}

#[tokio::test]
async fn lost_ones_are_found_among_the_events() {
    let (fake, client, customer, _) = begin().await;
    let receiver = Receiver::default();
    fake.add_endpoint(None, &receiver.start().await, None, false).expect("an account");
    fake.set_plan(Plan::dropped());
    some_events(&client, &customer).await;
    fake.flush().await;
    assert_eq!(receiver.ids().len(), 0);
    let missed = client.get("/v1/events?delivery_success=false&limit=100").await;
    assert_eq!(missed["data"].as_array().map(Vec::len), Some(10));
}

#[tokio::test]
async fn refused_ones_come_again() {
    let (fake, client, customer, _) = begin().await;
    let receiver = Receiver::default();
    fake.add_endpoint(None, &receiver.start().await, None, false).expect("an account");
    *receiver.answers.lock() = vec![500, 503];
    client.post(&format!("/v1/customers/{customer}"), "name=b").await.ok();
    fake.settle().await;
    assert_eq!((receiver.ids().len(), fake.pending()[0].attempts), (1, 1));
    fake.advance(3600).await;
    fake.advance(3600).await;
    let ids = receiver.ids();
    assert_eq!((ids.len(), fake.pending()), (3, vec![]));
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(fake.sent().iter().map(|sent| sent.status).collect::<Vec<_>>(), [503, 500, 200]);
}

#[tokio::test]
async fn an_event_in_other_clothes() {
    let (fake, client, customer, price) = begin().await;
    let receiver = Receiver::default();
    fake.add_endpoint(None, &receiver.start().await, Some("whsec_known"), false).expect("an account");
    fake.set_plan(Plan::held());
    subscribe(&client, &customer, &price, "").await;
    let events = fake.events(None).expect("an account");
    let (paid, _) = events.iter().find(|(_, kind)| kind == "invoice.paid").expect("it was paid");
    let dress =
        Dress { shape: Shape::V2020, unknown_fields: true, kind: Some("moon.risen".into()), ..Dress::default() };
    assert_eq!(fake.deliver(paid, &dress).await.expect("an event"), [200]);
    let event = receiver.taken.lock()[0].clone();
    assert_eq!((text(&event, "type"), text(&event, "api_version")), ("moon.risen".into(), "2020-08-27".into()));
    let invoice = &event["data"]["object"];
    assert!(text(invoice, "charge").starts_with("ch_") && text(invoice, "payment_intent").starts_with("pi_"));
    let rolled = Dress { secrets: vec!["whsec_known".into(), "whsec_new".into()], age_seconds: 10, ..Dress::default() };
    let signed = fake.signed(paid, &rolled).expect("an event");
    let header = &signed[0].headers[0].1;
    assert!(header.starts_with(&format!("t={},v1=", fake.now() - 10)), "{header}");
    assert_eq!(header.matches("v1=").count(), 2);
}

#[tokio::test]
async fn a_first_subscription_is_told_as_stripe_does() {
    let (fake, client, customer, price) = begin().await;
    subscribe(&client, &customer, &price, "").await;
    assert_eq!(
        kinds(&fake)[1..],
        [
            "customer.subscription.created",
            "invoice.created",
            "invoice.finalized",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "invoice_payment.paid",
            "customer.subscription.updated",
            "invoice.paid",
            "invoice.payment_succeeded",
        ]
    );
    let list = client.get("/v1/events?type=customer.subscription.updated").await;
    assert_eq!(list["data"][0]["data"]["previous_attributes"], serde_json::json!({ "status": "incomplete" }));
}
