//! Accounts and keys, speed, and much at once.

use std::time::{Duration, Instant};

use stripe_fake::{Key, Limit, Second, Seed};

use crate::client::{begin, text, texts};

#[tokio::test]
async fn nobody_sees_another_account() {
    let (fake, client, customer, _) = begin().await;
    fake.add_account("acct_site", Some("acct_fake"));
    fake.add_account("acct_stranger", None);
    let mut other = client.clone();
    other.account = Some("acct_site".into());
    assert_eq!(texts(&other.get("/v1/customers").await, "id"), [""; 0]);
    assert_eq!(other.send("GET", &format!("/v1/customers/{customer}"), "", None).await.expect("an answer").status, 404);
    other.account = Some("acct_stranger".into());
    let refused = other.send("GET", "/v1/customers", "", None).await.expect("an answer");
    assert_eq!(refused.refused(), (403, "account_invalid"));
}

#[tokio::test]
async fn a_restricted_key_is_told_what_it_lacks() {
    let (fake, mut client, _, _) = begin().await;
    let may = |permissions: &[&str]| {
        let permissions = permissions.iter().map(|one| (*one).to_owned()).collect();
        fake.add_key(Key { key: "rk_test_1".into(), account: "acct_fake".into(), permissions: Some(permissions) });
    };
    client.key = "rk_test_1".into();
    may(&["rak_product_read"]);
    client.get("/v1/products").await;
    let refused = client.post("/v1/products", "name=a").await;
    assert_eq!(refused.status, 403);
    assert!(text(&refused.body["error"], "message").contains("'rak_product_write'"));
    may(&["rak_product_write"]);
    client.post("/v1/products", "name=a").await.ok();
    client.get("/v1/products").await;
    fake.remove_key("rk_test_1");
    assert_eq!(client.post("/v1/products", "name=a").await.status, 401);
}

#[tokio::test]
async fn the_limit_is_exact_and_the_peak_is_counted() {
    let (fake, client, _, _) = begin().await;
    fake.set_limit(None, Some(Limit { per_second: 5, clock: Second::Virtual })).expect("an account");
    fake.advance(1).await;
    fake.reset_speeds();
    let mut statuses = vec![];
    for n in 0..14 {
        if n == 7 {
            fake.advance(1).await;
        }
        statuses.push(client.send("GET", "/v1/products", "", None).await.expect("an answer").status);
    }
    assert_eq!(statuses[..7], [200, 200, 200, 200, 200, 429, 429]);
    assert_eq!(statuses[7..], [200, 200, 200, 200, 200, 429, 429]);
    let speed = fake.speeds()["acct_fake"];
    assert_eq!((speed.requests, speed.refused), (14, 4));
    assert!((1..=14).contains(&speed.peak));
    assert_eq!(fake.n_requests("GET", "/v1/*"), 14);
    fake.set_limit(None, Some(Limit { per_second: 3, clock: Second::Real })).expect("an account");
    let (began, mut served) = (Instant::now(), 0);
    for _ in 0..4 {
        served += usize::from(client.send("GET", "/v1/products", "", None).await.expect("an answer").status == 200);
    }
    // Four requests in a row take far less than a second, unless the machine stands still.
    if began.elapsed() < Duration::from_secs(1) {
        assert_eq!(served, 3);
    }
}

#[tokio::test]
async fn fifty_thousand_subscriptions_are_listed_page_by_page() {
    let (fake, client, _, _) = begin().await;
    let seed = Seed {
        subscriptions: 50_000,
        metadata: [("member".to_owned(), "m{n}".to_owned())].into(),
        canceled_every: 10,
        ..Seed::default()
    };
    let made = fake.seed(&seed).expect("an account").made;
    let mut found = vec![];
    let mut after = String::new();
    loop {
        let page = client.get(&format!("/v1/subscriptions?status=all&limit=100{after}")).await;
        found.extend(texts(&page, "id"));
        if page["has_more"] == false {
            break;
        }
        after = format!("&starting_after={}", found.last().expect("a page is not empty"));
    }
    assert!(found.iter().eq(made.iter().rev().map(|(_, subscription)| subscription)));
    let (customer, subscription) = &made[41_234];
    let of_customer = client.get(&format!("/v1/subscriptions?customer={customer}")).await;
    assert_eq!(texts(&of_customer, "id"), [subscription.as_str()]);
    assert_eq!(of_customer["data"][0]["metadata"]["member"], "m41234");
    assert_eq!(client.status(&made[0].1).await, "canceled");
}

#[tokio::test]
async fn a_form_that_contradicts_itself_is_refused() {
    let (_fake, client, _, _) = begin().await;
    for form in ["name=a&name[b]=c", "name[b=c", "name=a&metadata=x", "name=a&metadata[a][b]=x", "name[]=a"] {
        let refused = client.post("/v1/products", form).await;
        assert_eq!(
            (refused.status, refused.body["error"]["type"].as_str()),
            (400, Some("invalid_request_error")),
            "{form}"
        );
    }
}
