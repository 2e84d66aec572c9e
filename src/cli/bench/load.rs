//! Load: connections that each send one request after the other, and how long the answers took.
//!
//! The client shares the processors with the server that it measures, so it is made to cost little: one thread,
//! requests that are made beforehand, and of an answer only the status, the length and the first bytes are looked at.

use std::{
    net::SocketAddr,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use super::{Failure, Result};

/// Stands for a number that is another in each request.
pub(super) const NUMBER: &str = "@@@@@@@@@@";

/// The longest answer that is read, in bytes.
const LONGEST: usize = 16 << 20;

/// One request as it is sent, and the place of the number in it.
pub(super) struct Request {
    bytes: Vec<u8>,
    number: Option<Range<usize>>,
}

impl Request {
    pub(super) fn hello() -> Self {
        Self { bytes: b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".into(), number: None }
    }

    pub(super) fn call(tool: &str, key: &str, args: &str) -> Self {
        let body = format!("{{\"args\":{args}}}");
        let text = format!(
            "POST /api/v1/tools/{tool} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let number = text.find(NUMBER).map(|at| at..at + NUMBER.len());
        Self { bytes: text.into(), number }
    }
}

/// Requests that connections send in turn.
pub(super) struct Requests {
    each: Vec<Request>,
    next_number: AtomicU64,
}

impl Requests {
    pub(super) fn new(each: impl IntoIterator<Item = Request>) -> Arc<Self> {
        Arc::new(Self { each: each.into_iter().collect(), next_number: AtomicU64::new(1) })
    }

    fn write(&self, at: usize, to: &mut Vec<u8>) {
        let request = &self.each[at % self.each.len()];
        to.clear();
        to.extend_from_slice(&request.bytes);
        if let Some(place) = &request.number {
            let mut number = self.next_number.fetch_add(1, Ordering::Relaxed);
            for digit in to[place.clone()].iter_mut().rev() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        }
    }
}

/// How long answers took.
#[derive(Default)]
pub(super) struct Times {
    /// In microseconds, sorted.
    us: Vec<u32>,
    pub(super) elapsed: Duration,
}

impl Times {
    pub(super) fn new(mut us: Vec<u32>, elapsed: Duration) -> Self {
        us.sort_unstable();
        Self { us, elapsed }
    }

    pub(super) fn len(&self) -> usize {
        self.us.len()
    }

    pub(super) fn per_second(&self) -> f64 {
        self.us.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The time in milliseconds within which this share of the answers came.
    pub(super) fn within_ms(&self, share: f64) -> f64 {
        let last = self.us.len().saturating_sub(1);
        let at = (self.us.len() as f64 * share) as usize;
        self.us.get(at.min(last)).map_or(0.0, |us| f64::from(*us) / 1000.0)
    }
}

/// Calls a server for a while over so many connections. An answer that is not a success ends it.
pub(super) async fn run(
    address: SocketAddr,
    connections: u16,
    time: Duration,
    requests: &Arc<Requests>,
) -> Result<Times> {
    let requests = requests.clone();
    // A runtime of its own with one thread: no thread has to be woken by another.
    let thread = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(calls(address, connections, time, requests))
    });
    thread.await?
}

async fn calls(address: SocketAddr, connections: u16, time: Duration, requests: Arc<Requests>) -> Result<Times> {
    let mut tasks = JoinSet::new();
    let mut ready = Vec::new();
    for _ in 0..connections {
        ready.push(Connection::open(address).await?);
    }
    let begun = Instant::now();
    for (first, mut connection) in ready.into_iter().enumerate() {
        let requests = requests.clone();
        tasks.spawn(async move {
            let mut times = Vec::new();
            let mut at = first;
            while begun.elapsed() < time {
                times.push(connection.send(&requests, at).await?);
                at += usize::from(connections);
            }
            Ok::<_, Failure>(times)
        });
    }
    let mut all = Vec::new();
    while let Some(times) = tasks.join_next().await {
        all.extend(times??);
    }
    Ok(Times::new(all, begun.elapsed()))
}

/// A connection that is kept.
pub(super) struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, request: Vec::new(), answer: vec![0; 16 << 10] })
    }

    /// Sends the request of this place and gives how many microseconds its answer took.
    pub(super) async fn send(&mut self, requests: &Requests, at: usize) -> Result<u32> {
        requests.write(at, &mut self.request);
        let begun = Instant::now();
        self.stream.write_all(&self.request).await?;
        let (head, whole) = self.read().await?;
        let time = begun.elapsed();
        let (answer, body) = (&self.answer[..whole], &self.answer[head..whole]);
        // What is not of Usher is not an object.
        if !answer.starts_with(b"HTTP/1.1 200 ") || body.starts_with(b"{") && !body.starts_with(b"{\"ok\":true") {
            return Err(Failure(format!("the server answers: {}", String::from_utf8_lossy(answer))));
        }
        Ok(u32::try_from(time.as_micros()).unwrap_or(u32::MAX))
    }

    /// Reads one answer, and gives the length of its head and of all of it.
    async fn read(&mut self) -> Result<(usize, usize)> {
        let (mut filled, mut lengths) = (0, None);
        loop {
            if filled == self.answer.len() {
                self.answer.resize(2 * filled, 0);
            }
            let n = self.stream.read(&mut self.answer[filled..]).await?;
            filled += n;
            if n == 0 || filled > LONGEST {
                return Err(Failure("the server closed the connection".into()));
            }
            if lengths.is_none()
                && let Some(head) = end_of_head(&self.answer[..filled])
            {
                lengths = Some((head, head + length(&self.answer[..head])?));
            }
            if let Some((head, whole)) = lengths
                && filled >= whole
            {
                return Ok((head, whole));
            }
        }
    }
}

fn end_of_head(answer: &[u8]) -> Option<usize> {
    answer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn length(head: &[u8]) -> Result<usize> {
    const NAME: &[u8] = b"\r\ncontent-length: ";
    let at = head.windows(NAME.len()).position(|name| name.eq_ignore_ascii_case(NAME));
    let digits = at.map(|at| head[at + NAME.len()..].iter().take_while(|byte| byte.is_ascii_digit()));
    let digits = digits.ok_or_else(|| Failure("an answer does not say how long it is".into()))?;
    Ok(digits.fold(0, |number, digit| 10 * number + usize::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_another_number_each_time() {
        let requests = Requests::new([Request::call("t", "k", &format!("{{\"n\":\"{NUMBER}\"}}"))]);
        let mut text = Vec::new();
        for n in 1..=12 {
            requests.write(0, &mut text);
            assert!(text.ends_with(format!("\r\n\r\n{{\"args\":{{\"n\":\"{n:010}\"}}}}").as_bytes()));
        }
    }

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let times = Times::new((1..=1000).rev().map(|n| n * 1000).collect(), Duration::from_secs(2));
        assert_eq!((times.within_ms(0.5), times.within_ms(0.99), times.within_ms(1.0)), (501.0, 991.0, 1000.0));
        assert!((times.per_second() - 500.0).abs() < 1e-9);
        assert_eq!(Times::new(Vec::new(), Duration::from_secs(1)).within_ms(0.99), 0.0);
    }

    #[test]
    fn an_answer_is_as_long_as_it_says() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\ndate: x\r\n\r\n";
        assert_eq!((end_of_head(head), length(head).unwrap()), (Some(head.len()), 12));
        assert!(length(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
