//! The first answer under a key is the answer, for a day.

use stripe_fake::{Fault, Rule};

use crate::client::{begin, text};

const DAY: i64 = 86_400;
const PATH: &str = "/v1/products";

#[tokio::test]
async fn kept_for_a_day_and_then_run_anew() {
    let (fake, client, _, _) = begin().await;
    let make = || async { client.send("POST", PATH, "name=a", Some("key")).await.expect("an answer") };
    let first = make().await;
    fake.advance(DAY - 1).await;
    let again = make().await;
    assert_eq!((again.replayed, &again.body), (true, &first.body));
    fake.advance(1).await;
    let anew = make().await;
    assert!(!anew.replayed);
    assert_ne!(text(&anew.body, "id"), text(&first.body, "id"));
}

#[tokio::test]
async fn other_parameters_or_another_path_are_refused() {
    let (_fake, client, _, _) = begin().await;
    client.send("POST", PATH, "name=a", Some("key")).await.expect("an answer").ok();
    for (path, form) in [(PATH, "name=b"), ("/v1/customers", "name=a")] {
        let refused = client.send("POST", path, form, Some("key")).await.expect("an answer");
        assert_eq!((refused.status, refused.body["error"]["type"].as_str()), (400, Some("idempotency_error")));
    }
}

#[tokio::test]
async fn each_account_has_its_own_keys() {
    let (fake, mut client, _, _) = begin().await;
    fake.add_account("acct_site", Some("acct_fake"));
    let here = client.send("POST", PATH, "name=a", Some("key")).await.expect("an answer").ok();
    client.account = Some("acct_site".into());
    let there = client.send("POST", PATH, "name=a", Some("key")).await.expect("an answer");
    assert!(!there.replayed);
    assert_ne!(text(&there.ok(), "id"), text(&here, "id"));
}

#[tokio::test]
async fn a_500_is_kept_whether_or_not_it_happened() {
    for (fault, happened) in [(Fault::ServerErrorBefore, 0), (Fault::ServerErrorAfter, 1)] {
        let (fake, client, _, _) = begin().await;
        fake.fault(Rule::next([fault]));
        let make = || async { client.send("POST", PATH, "id=one&name=a", Some("key")).await.expect("an answer") };
        assert_eq!((make().await.status, make().await.status), (500, 500));
        let found = client.get("/v1/products?ids[]=one").await;
        assert_eq!(found["data"].as_array().map(Vec::len), Some(happened), "{fault:?}");
    }
}

#[tokio::test]
async fn refusals_before_the_operation_are_not_kept_and_those_of_the_operation_are() {
    let (fake, client, _, _) = begin().await;
    fake.fault(Rule::next([Fault::RateLimited, Fault::Conflict, Fault::BadGateway]));
    for status in [429, 409, 502, 400] {
        let form = if status == 400 { "colour=red" } else { "name=a" };
        assert_eq!(client.send("POST", PATH, form, Some("key")).await.expect("an answer").status, status);
    }
    let made = client.send("POST", PATH, "name=a", Some("key")).await.expect("an answer");
    assert_eq!((made.status, made.replayed), (200, false));
    let unknown = || async { client.send("POST", "/v1/products/none", "name=a", Some("other")).await };
    assert_eq!(unknown().await.expect("an answer").refused(), (404, "resource_missing"));
    assert!(unknown().await.expect("an answer").replayed);
}

#[tokio::test]
async fn a_key_that_is_in_use_is_refused_until_its_operation_is_over() {
    let (fake, client, _, _) = begin().await;
    fake.fault(Rule::next([Fault::Held]));
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.send("POST", PATH, "name=a", Some("key")).await }
    });
    while fake.n_held() == 0 {
        tokio::task::yield_now().await;
    }
    let second = client.send("POST", PATH, "name=a", Some("key")).await.expect("an answer");
    assert_eq!(second.refused(), (409, "idempotency_key_in_use"));
    fake.release();
    let first = first.await.expect("no panic").expect("an answer").ok();
    let third = client.send("POST", PATH, "name=a", Some("key")).await.expect("an answer");
    assert_eq!((third.replayed, third.body), (true, first));
}

#[tokio::test]
async fn reads_and_deletions_take_no_notice_of_keys() {
    let (_fake, client, customer, _) = begin().await;
    let path = format!("/v1/customers/{customer}");
    assert!(!client.send("GET", &path, "", Some("key")).await.expect("an answer").replayed);
    assert!(!client.send("DELETE", &path, "", Some("key")).await.expect("an answer").replayed);
    assert_eq!(client.send("DELETE", &path, "", Some("key")).await.expect("an answer").status, 404);
}
