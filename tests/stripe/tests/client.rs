//! A client that sees what a careless library would hide, and a receiver of webhooks.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::Value;
use stripe_fake::{Config, Control, Fake, Seed};
use tokio::{
    net::{TcpListener, TcpStream},
    time,
};

/// How long to wait for an answer that comes, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait for an answer that never comes.
pub const IMPATIENCE: Duration = Duration::from_millis(200);

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub replayed: bool,
    pub retry_after: Option<String>,
}

impl Answer {
    /// Its body, which has to be one of success.
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// Status and code of a refusal.
    pub fn refused(&self) -> (u16, &str) {
        (self.status, self.body["error"]["code"].as_str().unwrap_or_default())
    }
}

/// How a request may end without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    Never,
    Cut,
}

/// A caller.
#[derive(Clone)]
pub struct Client {
    pub address: std::net::SocketAddr,
    pub key: String,
    pub account: Option<String>,
    pub patience: Duration,
}

impl Client {
    pub fn of(fake: &Fake) -> Self {
        Self { address: fake.address(), key: Config::default().key, account: None, patience: PATIENCE }
    }

    pub async fn get(&self, path: &str) -> Value {
        self.send("GET", path, "", None).await.expect("an answer").ok()
    }

    pub async fn post(&self, path: &str, form: &str) -> Answer {
        self.send("POST", path, form, None).await.expect("an answer")
    }

    /// One request on a connection of its own.
    pub async fn send(&self, method: &str, path: &str, form: &str, key: Option<&str>) -> Result<Answer, NoAnswer> {
        let socket = TcpStream::connect(self.address).await.expect("a connection");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.expect("a connection");
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some(account) = &self.account {
            request = request.header("stripe-account", account);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(form.as_bytes()))).expect("a request");
        let answer = time::timeout(self.patience, async {
            let response = sender.send_request(request).await.map_err(|_| NoAnswer::Cut)?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|_| NoAnswer::Cut)?.to_bytes();
            let header = |name: &str| head.headers.get(name).map(|value| value.to_str().expect("text").to_owned());
            Ok(Answer {
                status: head.status.as_u16(),
                body: serde_json::from_slice(&body)
                    .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned())),
                replayed: header("idempotent-replayed").is_some(),
                retry_after: header("retry-after"),
            })
        });
        let answer = answer.await.unwrap_or(Err(NoAnswer::Never));
        connection.abort();
        answer
    }

    /// Statuses of the invoices of a subscription, newest first.
    pub async fn invoices(&self, subscription: &str) -> Vec<String> {
        let list = self.get(&format!("/v1/invoices?subscription={subscription}&limit=100")).await;
        texts(&list, "status")
    }

    /// The status of a subscription.
    pub async fn status(&self, subscription: &str) -> String {
        let found = self.get(&format!("/v1/subscriptions/{subscription}")).await;
        found["status"].as_str().expect("a status").to_owned()
    }
}

/// One field of each object of a list.
pub fn texts(list: &Value, field: &str) -> Vec<String> {
    let data = list["data"].as_array().expect("a list");
    data.iter().map(|one| one[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// The types of all events of the first account, oldest first.
pub fn kinds(control: &Control) -> Vec<String> {
    control.events(None).expect("an account").into_iter().map(|(_, kind)| kind).collect()
}

/// A fake, a caller, a customer with a card that works and the monthly price of a product.
pub async fn begin() -> (Fake, Client, String, String) {
    let fake = Fake::start(Config::default()).await.expect("a port");
    let client = Client::of(&fake);
    let seeded = fake.seed(&Seed { subscriptions: 0, unit_amount: 900, ..Seed::default() }).expect("a price");
    let customer = client.post("/v1/customers", "email=a@example.com&payment_method=pm_card_visa").await.ok();
    (fake, client, text(&customer, "id"), seeded.price)
}

/// Makes a subscription with some more parameters.
pub async fn subscribe(client: &Client, customer: &str, price: &str, more: &str) -> String {
    let form = format!("customer={customer}&items[0][price]={price}{more}");
    text(&client.post("/v1/subscriptions", &form).await.ok(), "id")
}

/// A field that is a text.
pub fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_else(|| panic!("no {field}: {object}")).to_owned()
}

/// Takes webhooks on a free port.
#[derive(Clone, Default)]
pub struct Receiver {
    pub taken: Arc<Mutex<Vec<Value>>>,
    /// What it answers; 200 if empty.
    pub answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    /// Starts it and gives its address.
    pub async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let receiver = self.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let receiver = receiver.clone();
                let service = service_fn(move |request| receiver.clone().take(request));
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(socket), service));
            }
        });
        url
    }

    async fn take(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let body = request.into_body().collect().await?.to_bytes();
        self.taken.lock().push(serde_json::from_slice(&body).expect("JSON"));
        let status = self.answers.lock().pop().unwrap_or(200);
        Ok(Response::builder().status(status).body(Full::default()).expect("an answer"))
    }

    /// Ids of what was taken, in order.
    pub fn ids(&self) -> Vec<String> {
        self.taken.lock().iter().map(|event| text(event, "id")).collect()
    }
}
