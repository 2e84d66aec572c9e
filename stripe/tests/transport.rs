//! One call: what is sent, and what each way to fail is taken for.

use std::time::Duration;

use usher_stripe::requests::{Metadata, customers, subscriptions};
use usher_stripe::views::{Customer, Subscription};
use usher_stripe::{
    API_VERSION, Answer, Client, Error, Fault, Http, Kind, Method, NotSent, Settings, StoredRequest, Url,
};

use crate::server::{Reply, Server, json};

const CUSTOMER: &str = r#"{"id":"cus_1","object":"customer"}"#;
const RETRY: Kind = Kind::Retry { after: None };

fn new_customer() -> StoredRequest {
    let new = customers::NewCustomer { email: "ann@example.org", name: None, metadata: &Metadata::new() };
    customers::create(&new).into_stored()
}

async fn write(server: &Server) -> Result<Answer<Customer>, Error> {
    server.client().write(&new_customer(), "op:1:g0").await
}

async fn failure(reply: Reply) -> Error {
    write(&Server::start([reply]).await).await.unwrap_err()
}

#[tokio::test]
async fn a_write_is_sent_as_it_was_kept() {
    let server = Server::start([json(200, CUSTOMER)]).await;
    let kept = serde_json::to_string(&new_customer()).unwrap(); // and the process dies
    let request: StoredRequest = serde_json::from_str(&kept).unwrap();
    let answer: Answer<Customer> = server.client().write(&request, "op:1:g0").await.unwrap();
    assert_eq!((answer.value.id.as_str(), answer.request_id.as_deref()), ("cus_1", Some("req_1")));
    assert!(!answer.is_replayed);

    let [seen] = server.seen().try_into().unwrap();
    assert_eq!((seen.line.as_str(), seen.body.as_str()), ("POST /v1/customers HTTP/1.1", "email=ann@example.org"));
    for (name, value) in [
        ("authorization", "Bearer sk_test_hidden"),
        ("stripe-account", "acct_1"),
        ("stripe-version", API_VERSION),
        ("idempotency-key", "op:1:g0"),
        ("content-type", "application/x-www-form-urlencoded"),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn a_kept_request_goes_out_in_the_version_it_was_written_in() {
    let server = Server::start([json(200, CUSTOMER)]).await;
    let request = StoredRequest { version: "2025-09-30.clover".into(), ..new_customer() };
    server.client().write::<Customer>(&request, "op:1:g0").await.unwrap();
    assert_eq!(server.seen()[0].header("stripe-version"), Some("2025-09-30.clover"));
}

#[tokio::test]
async fn reads_share_a_connection_and_have_no_key() {
    let server = Server::start([json(200, CUSTOMER), json(200, CUSTOMER)]).await;
    let client = server.client();
    for _ in 0..2 {
        client.read(&customers::get("cus_1")).await.unwrap();
    }
    let seen = server.seen();
    assert_eq!(seen[0].line, "GET /v1/customers/cus_1 HTTP/1.1");
    assert_eq!((seen[0].header("idempotency-key"), seen[0].header("content-type")), (None, None));
    assert_eq!((seen[0].connection, seen[1].connection), (0, 0));
}

#[tokio::test]
async fn a_base_with_a_path_is_kept() {
    let server = Server::start([json(200, CUSTOMER)]).await;
    let settings = Settings { base: Some(server.base.join("fake").unwrap()), ..server.settings() };
    let client = Client::new(settings, Http::new().unwrap()).unwrap();
    client.read(&customers::with_email("ann@example.org")).await.unwrap_err();
    assert_eq!(server.seen()[0].line, "GET /fake/v1/customers?email=ann@example.org&limit=100 HTTP/1.1");
}

#[tokio::test]
async fn a_replayed_answer_says_so() {
    let headers = "Idempotent-Replayed: true\r\n";
    let server = Server::start([Reply::Answer { status: 200, headers, body: CUSTOMER.into() }]).await;
    assert!(write(&server).await.unwrap().is_replayed);
}

#[tokio::test]
async fn without_an_answer_the_outcome_is_unknown() {
    for (reply, wanted) in [
        (Reply::Silence, Fault::Timeout),
        (Reply::Close, Fault::Broken),
        (Reply::Raw("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"id\":".into()), Fault::Broken),
        (Reply::Raw("this is no HTTP\r\n\r\n".into()), Fault::Broken),
    ] {
        let server = Server::start([reply]).await;
        let settings = Settings { timeout: Duration::from_millis(200), ..server.settings() };
        let client = Client::new(settings, Http::new().unwrap()).unwrap();
        let error = client.write::<Customer>(&new_customer(), "op:1:g0").await.unwrap_err();
        assert!(matches!(&error, Error::Unknown { fault, .. } if *fault == wanted), "{error}");
        assert_eq!(error.kind(), RETRY);
        assert_eq!(server.seen().len(), 1, "it is sent once");
    }
}

#[tokio::test]
async fn where_nobody_listens_no_connection_is_made() {
    let server = Server::start([]).await;
    let settings = Settings { base: Some(Url::parse("http://127.0.0.1:9/").unwrap()), ..server.settings() };
    let client = Client::new(settings, Http::new().unwrap()).unwrap();
    let error = client.read(&customers::with_email("ann@example.org")).await.unwrap_err();
    assert!(matches!(error, Error::Unknown { fault: Fault::Connect, .. }));
    assert_silent(&error);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_has_happened() {
    for body in ["", "<html>OK</html>", "{}", r#"{"id":"cus_1","email":["ann@example.org"]}"#, r#"{"id":"cus_1""#] {
        let error = failure(json(200, body)).await;
        assert!(matches!(&error, Error::Undecodable { status: 200, .. }), "{body}: {error}");
        assert_eq!((error.kind(), error.request_id()), (Kind::LookUpFirst, Some("req_1")));
        assert_silent(&error);
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let body = format!(r#"{{"id":"{}"}}"#, "a".repeat(usher_stripe::MAX_ANSWER_BYTES));
    let error = failure(json(200, &body)).await;
    assert!(matches!(error, Error::Undecodable { .. }));
}

#[tokio::test]
async fn an_error_of_stripes_is_told_whole_and_shows_nothing_private() {
    let body = r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds",
        "message":"The card of ann@example.org was declined (sk_test_hidden)","param":"source","doc_url":"x"}}"#;
    let headers = "Request-Id: req_7\r\nStripe-Should-Retry: false\r\n";
    let error = failure(Reply::Answer { status: 402, headers, body: body.into() }).await;
    assert_eq!(error.kind(), Kind::Refused);
    let said = error.api().unwrap();
    assert_eq!((said.status, said.is_stripes, said.should_retry), (402, true, Some(false)));
    assert_eq!(said.decline_code.as_deref(), Some("insufficient_funds"));
    assert!(said.message.as_deref().unwrap().contains("declined"));
    let shown = "Stripe answered 402, card_error, card_declined, insufficient_funds, source (req_7)";
    assert_eq!(error.to_string(), shown);
    assert_silent(&error);
}

#[tokio::test]
async fn too_many_requests_say_how_long_to_wait() {
    let body = r#"{"error":{"type":"invalid_request_error","code":"rate_limit"}}"#;
    let headers = "Retry-After: 7\r\nStripe-Rate-Limited-Reason: global-rate\r\n";
    let error = failure(Reply::Answer { status: 429, headers, body: body.into() }).await;
    assert_eq!(error.kind(), Kind::Retry { after: Some(Duration::from_secs(7)) });
    assert_eq!(error.api().unwrap().rate_limited_reason.as_deref(), Some("global-rate"));
}

#[tokio::test]
async fn a_page_of_a_gateway_refuses_nothing() {
    for status in [502, 503, 504, 404, 413] {
        let error = failure(Reply::Answer { status, headers: "", body: "<html>ann@example.org</html>".into() }).await;
        assert_eq!((error.kind(), error.api().unwrap().is_stripes), (RETRY, false), "{status}");
        assert_silent(&error);
    }
    let error = failure(Reply::Answer { status: 500, headers: "", body: "oops".into() }).await;
    assert_eq!(error.kind(), Kind::LookUpFirst);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start([]).await;
    let headers: &'static str = format!("Location: {}v1/customers\r\n", elsewhere.base).leak();
    for status in [301, 302, 307, 308] {
        let error = failure(Reply::Answer { status, headers, body: String::new() }).await;
        assert_eq!((error.api().unwrap().status, error.kind()), (status, RETRY));
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn what_would_go_wrong_is_not_sent() {
    let server = Server::start([]).await;
    let client = server.client();
    for id in ["", ".", ".."] {
        let error = client.read(&subscriptions::get(id)).await.unwrap_err();
        assert!(matches!(error, Error::NotSent(NotSent::Path)), "{id:?}: {error}");
        let cancel = subscriptions::cancel_now(id).into_stored();
        let error = client.write::<Subscription>(&cancel, "op:1:g0").await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
    }
    for key in ["", "a b", "ü", "a\nb", &"k".repeat(256)] {
        let error = client.write::<Customer>(&new_customer(), key).await.unwrap_err();
        assert!(matches!(error, Error::NotSent(NotSent::IdempotencyKey)), "{key:?}");
    }
    let error = client.read(&subscriptions::clear_pause_collection("sub_1")).await.unwrap_err();
    assert!(matches!(error, Error::NotSent(NotSent::NotARead)));
    let broken = StoredRequest { version: "a\nb".into(), method: Method::Post, ..new_customer() };
    let error = client.write::<Customer>(&broken, "op:1:g0").await.unwrap_err();
    assert!(matches!(error, Error::NotSent(NotSent::Header)));
    assert!(server.seen().is_empty());
}

#[test]
fn a_client_shows_no_key() {
    let settings = Settings::new(usher_stripe::ApiKey::parse("sk_live_hidden").unwrap());
    let client = Client::new(settings.clone(), Http::new().unwrap()).unwrap();
    let shown = format!("{settings:?} {client:?}");
    assert!(!shown.contains("hidden"), "{shown}");
}

/// Neither the error nor what is behind it shows a key or an address.
fn assert_silent(error: &Error) {
    let mut shown = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        shown += &format!(" {inner} {inner:?}");
        source = inner.source();
    }
    assert!(!shown.contains("hidden") && !shown.contains("example.org"), "{shown}");
}
