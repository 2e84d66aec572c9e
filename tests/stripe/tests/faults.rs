//! What goes wrong goes wrong exactly as planned.

use std::collections::BTreeMap;

use serde_json::Value;
use stripe_fake::{Fault, Rule};

use crate::client::{Answer, Client, IMPATIENCE, NoAnswer, begin};

/// What a caller sees of each fault, and whether it happened.
#[tokio::test]
async fn each_fault_is_what_it_says() {
    let status =
        |status| move |answer: &Result<Answer, NoAnswer>| answer.as_ref().is_ok_and(|answer| answer.status == status);
    let no_answer = |wanted| move |answer: &Result<Answer, NoAnswer>| *answer == Err(wanted);
    type Seen = Box<dyn Fn(&Result<Answer, NoAnswer>) -> bool>;
    let table: [(Fault, Seen, bool); 15] = [
        (Fault::None, Box::new(status(200)), true),
        (Fault::TimeoutBefore, Box::new(no_answer(NoAnswer::Never)), false),
        (Fault::TimeoutAfter, Box::new(no_answer(NoAnswer::Never)), true),
        (Fault::RateLimited, Box::new(status(429)), false),
        (Fault::RateLimitedRetryAfter, Box::new(status(429)), false),
        (Fault::Conflict, Box::new(status(409)), false),
        (Fault::ServerErrorBefore, Box::new(status(500)), false),
        (Fault::ServerErrorAfter, Box::new(status(500)), true),
        (Fault::BadGateway, Box::new(status(502)), false),
        (Fault::BadGatewayAfter, Box::new(status(502)), true),
        (Fault::Unavailable, Box::new(status(503)), false),
        (Fault::Truncated, Box::new(no_answer(NoAnswer::Cut)), true),
        (Fault::Garbled, Box::new(status(200)), true),
        (Fault::ResetBefore, Box::new(no_answer(NoAnswer::Cut)), false),
        (Fault::ResetAfter, Box::new(no_answer(NoAnswer::Cut)), true),
    ];
    let (fake, client, _, _) = begin().await;
    for (at, (fault, seen, happened)) in table.iter().enumerate() {
        fake.fault(Rule::next([*fault]).on("POST", "/v1/products"));
        let mut caller = client.clone();
        if matches!(fault, Fault::TimeoutBefore | Fault::TimeoutAfter) {
            caller.patience = IMPATIENCE;
        }
        let answer = caller.send("POST", "/v1/products", &format!("id=p{at}&name=a"), None).await;
        assert!(seen(&answer), "{fault:?}: {answer:?}");
        let there = client.send("GET", &format!("/v1/products/p{at}"), "", None).await.expect("an answer");
        assert_eq!(there.status == 200, *happened, "{fault:?}");
        let entry = fake.log().into_iter().rfind(|entry| entry.method == "POST").expect("in the log");
        assert_eq!((entry.fault, entry.ran), (*fault, *happened));
        assert_eq!(
            entry.status,
            answer.as_ref().map_or(if *fault == Fault::Truncated { 200 } else { 0 }, |answer| answer.status)
        );
    }
}

#[tokio::test]
async fn pages_of_proxies_and_waits_are_as_they_are_seen_in_the_wild() {
    let (fake, client, _, _) = begin().await;
    fake.fault(Rule::next([Fault::BadGateway, Fault::RateLimited, Fault::RateLimitedRetryAfter, Fault::Garbled]));
    let page = client.post("/v1/products", "name=a").await;
    assert!(matches!(page.body, Value::String(html) if html.starts_with("<html>")));
    assert_eq!(client.post("/v1/products", "name=a").await.retry_after, None);
    assert_eq!(client.post("/v1/products", "name=a").await.retry_after.as_deref(), Some("2"));
    assert_eq!(client.post("/v1/products", "name=a").await.body["id"], 17);
}

#[tokio::test]
async fn only_what_fits_a_rule() {
    let (fake, client, customer, _) = begin().await;
    fake.fault(Rule::next([Fault::Unavailable, Fault::Unavailable]).on("GET", "/v1/customers/*"));
    client.get("/v1/customers").await;
    client.post(&format!("/v1/customers/{customer}"), "name=b").await.ok();
    for status in [503, 503, 200] {
        let answer = client.send("GET", &format!("/v1/customers/{customer}"), "", None).await.expect("an answer");
        assert_eq!(answer.status, status);
    }
    fake.fault(Rule { chances: BTreeMap::from([(Fault::Unavailable, 1.0)]), ..Rule::default() });
    assert_eq!(client.send("GET", "/v1/events", "", None).await.expect("an answer").status, 503);
    fake.clear_faults();
    client.get("/v1/events").await;
}

/// The same seed, the same faults; and about as many as planned.
#[tokio::test]
async fn chances_come_from_the_seed() {
    let mut runs = vec![];
    for _ in 0..2 {
        let (fake, client, _, _) = begin().await;
        fake.clear_log();
        let chances = BTreeMap::from([(Fault::Unavailable, 0.3), (Fault::RateLimited, 0.2)]);
        fake.fault(Rule { chances, ..Rule::default() });
        for _ in 0..300 {
            _ = client.send("GET", "/v1/products", "", None).await;
        }
        runs.push(fake.log().into_iter().map(|entry| entry.status).collect::<Vec<_>>());
    }
    assert_eq!(runs[0], runs[1]);
    let failed = runs[0].iter().filter(|status| **status != 200).count();
    assert!((120..=180).contains(&failed), "{failed} of 300");
}

#[tokio::test]
async fn what_is_held_happens_though_nobody_waits_any_more() {
    let (fake, client, _, _) = begin().await;
    fake.fault(Rule::next([Fault::Held]));
    let hasty = Client { patience: IMPATIENCE, ..client.clone() };
    let answer = hasty.send("POST", "/v1/products", "id=late&name=a", Some("key")).await;
    assert_eq!(answer, Err(NoAnswer::Never));
    fake.release();
    while fake.n_held() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.get("/v1/products/late").await["id"], "late");
}
