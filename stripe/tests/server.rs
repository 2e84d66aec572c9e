//! A server that answers what the test tells it to, byte by byte, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use usher_stripe::{AccountId, ApiKey, Client, Http, Settings, Url};

/// What the server does with one request.
#[derive(Clone)]
pub enum Reply {
    /// Answers, with these header lines.
    Answer { status: u16, headers: &'static str, body: String },
    /// Sends these bytes and closes.
    Raw(String),
    /// Reads the request and says nothing for ever.
    Silence,
    /// Reads the request and closes.
    Close,
}

/// An answer of JSON.
pub fn json(status: u16, body: &str) -> Reply {
    Reply::Answer { status, headers: "Request-Id: req_1\r\nContent-Type: application/json\r\n", body: body.to_owned() }
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub line: String,
    headers: Vec<(String, String)>,
    pub body: String,
    pub connection: usize,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Answers each request with the next of its replies.
pub struct Server {
    pub base: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let replies = Arc::new(Mutex::new(replies.into_iter().collect::<VecDeque<_>>()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let memory = seen.clone();
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, connection, replies.clone(), memory.clone()));
            }
        });
        Self { base, seen }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn settings(&self) -> Settings {
        let key = ApiKey::parse("sk_test_hidden").unwrap();
        let account = Some(AccountId::parse("acct_1").unwrap());
        Settings { base: Some(self.base.clone()), account, ..Settings::new(key) }
    }

    pub fn client(&self) -> Client {
        Client::new(self.settings(), Http::new().unwrap()).unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    memory: Arc<Mutex<Vec<Seen>>>,
) {
    while let Some(request) = read(&mut stream, connection).await {
        memory.lock().unwrap().push(request);
        let reply = replies.lock().unwrap().pop_front().expect("a request too many");
        match reply {
            Reply::Answer { status, headers, body } => {
                let head = format!("HTTP/1.1 {status} Word\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
            Reply::Raw(bytes) => {
                stream.write_all(bytes.as_bytes()).await.unwrap();
                return;
            }
            Reply::Silence => std::future::pending().await,
            Reply::Close => return,
        }
    }
}

async fn read(stream: &mut TcpStream, connection: usize) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    while bytes.len() < end + 4 + length {
        stream.read_buf(&mut bytes).await.ok().filter(|n| *n > 0)?;
    }
    let body = String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).unwrap();
    Some(Seen { line, headers, body, connection })
}
