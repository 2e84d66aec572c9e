//! Amazon SNS as the tests need it: a topic that signs, and a place where its certificate is.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::{rand::SystemRandom, signature};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use usher::areas::notices::{self, Source, store};

use crate::harness::{Reply, World};

pub const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:bounces";
pub const CERTIFICATE: &str = "/SimpleNotificationService-0123456789abcdef.pem";

/// A place in the tests' stead of `https://sns.eu-west-1.amazonaws.com`.
pub struct Aws {
    pub base: String,
    answers: Arc<Mutex<HashMap<String, (u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Aws {
    /// Opens one, with the certificate of what signs; the first site listens to its topic.
    pub async fn open(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let (answers, asked) = (Arc::new(Mutex::default()), Arc::new(Mutex::default()));
        let aws = Self { base, answers, asked };
        tokio::spawn(serve(listener, aws.answers.clone(), aws.asked.clone()));
        aws.answers(CERTIFICATE, 200, include_str!("fixtures/sns.pem"));
        let source = notices::topic(TOPIC).expect("a topic");
        listen(world, &Source { base: Some(aws.base.clone()), ..source }).await;
        aws
    }

    /// Says what is at a path.
    pub fn answers(&self, path: &str, status: u16, body: impl Into<String>) {
        self.answers.lock().unwrap().insert(path.into(), (status, body.into()));
    }

    /// What was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

type Shared<T> = Arc<Mutex<T>>;

async fn serve(listener: TcpListener, answers: Shared<HashMap<String, (u16, String)>>, asked: Shared<Vec<String>>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < 10_000 {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        let head = String::from_utf8_lossy(&head);
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let path = target.split('?').next().unwrap_or_default();
        let (status, body) = answers.lock().unwrap().get(path).cloned().unwrap_or((404, String::new()));
        asked.lock().unwrap().push(target);
        let place = if status == 302 { format!("location: {body}\r\n") } else { String::new() };
        let head = format!("HTTP/1.1 {status} X\r\n{place}connection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        _ = stream.write_all((head + &body).as_bytes()).await;
    }
}

/// Lets the first site listen to somebody.
pub async fn listen(world: &World, source: &Source) {
    let mut tx = world.app.db.begin().await.expect("a transaction");
    store::insert(tx.conn(), world.site.id, source, world.clock.now()).await.expect("it is written");
    tx.commit().await.expect("a commit");
}

/// A message that says something of SES's, signed as SNS signs, version 2.
pub fn message(said: &Value) -> Value {
    let said = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
    signed(json!({
        "Type": "Notification", "MessageId": "9a1c", "TopicArn": TOPIC, "Message": said,
        "Timestamp": "2025-01-01T11:59:59.001Z", "SignatureVersion": "2",
        "SigningCertURL": format!("https://sns.eu-west-1.amazonaws.com{CERTIFICATE}"),
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
    }))
}

/// The same message, signed anew.
pub fn signed(mut message: Value) -> Value {
    let names: &[&str] = if message["Type"] == "Notification" {
        &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    } else {
        &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    };
    let value = |name: &&str| message[*name].as_str().map(|value| format!("{name}\n{value}\n"));
    let text: String = names.iter().filter_map(value).collect();
    let der = include_str!("fixtures/sns.pk8.txt").split_whitespace().collect::<String>();
    let key = signature::RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(der).expect("base64")).expect("a key");
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).expect("a signature");
    message["Signature"] = json!(BASE64_STANDARD.encode(signature));
    message
}

/// A permanent bounce, as event publishing has it.
pub fn bounce(emails: &[&str]) -> Value {
    let recipients: Vec<_> = emails
        .iter()
        .map(|email| {
            json!({ "emailAddress": email, "action": "failed", "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown" })
        })
        .collect();
    json!({ "eventType": "Bounce", "mail": { "messageId": "0102-mail" },
            "bounce": { "bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": recipients } })
}

/// Delivers to the first site as SNS does.
pub async fn deliver(world: &World, message: &Value) -> Reply {
    let kind = message["Type"].as_str().unwrap_or("Notification").to_owned();
    let headers =
        [("content-type", "text/plain; charset=UTF-8".to_owned()), ("x-amz-sns-message-type", kind.replace('\n', ""))];
    world.send("POST", &format!("/webhooks/mail/{}", world.site.id), &headers, message.to_string()).await
}
