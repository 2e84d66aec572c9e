//! Following a job to its end: by its events, else by asking now and then.

use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};
use tokio::time;

use super::{
    client::{Client, Trouble, away},
    patience::Patience,
    show::Show,
};
use crate::cli::Result;

/// How long a stream may be silent. The server sends a comment every 15 s.
const SILENCE: Duration = Duration::from_secs(40);

/// How often a job is asked for where events do not come through. The budget is 100 calls a minute.
const ASK: Duration = Duration::from_secs(2);

/// Streams that were opened and brought nothing, after which there is only asking.
const EMPTY_STREAMS: u32 = 2;

/// Bytes of an event that are kept at most.
const LONGEST: usize = 1 << 20;

/// How a stream came to its end.
enum End {
    /// With the job's.
    Job(Value),
    /// Without; whether an event had come.
    Broken { heard: bool },
}

/// The job as it ended. Lives through the server being stopped, killed and started again.
pub(super) async fn to_the_end(client: &Client, job: &str, show: &Show, patience: &mut Patience<'_>) -> Result<Value> {
    let mut empty_streams = 0;
    loop {
        if empty_streams < EMPTY_STREAMS {
            match client.events(job).await {
                Ok(stream) => match read(stream, show, patience).await {
                    End::Job(job) => return Ok(job),
                    End::Broken { heard: true } => {
                        empty_streams = 0;
                        patience.pause(Trouble::Away("the connection broke".into())).await?;
                        continue;
                    }
                    End::Broken { heard: false } => empty_streams += 1,
                },
                // If the job cannot be had, asking for it says so.
                Err(Trouble::Final(_)) => empty_streams = EMPTY_STREAMS,
                Err(trouble) => {
                    patience.pause(trouble).await?;
                    continue;
                }
            }
        }
        let answer =
            patience.until_answered(async || client.call("jobs.get", &json!({ "job": job }), None).await).await?;
        show.job(&answer["job"]);
        if answer["job"]["finishedAt"].is_string() {
            return Ok(answer["job"].clone());
        }
        time::sleep(ASK).await;
    }
}

async fn read(mut stream: Response, show: &Show, patience: &mut Patience<'_>) -> End {
    let mut events = Events::default();
    let mut heard = false;
    while let Ok(Ok(Some(piece))) = time::timeout(SILENCE, async { stream.chunk().await.map_err(away) }).await {
        for (kind, data) in events.push(&piece) {
            let Ok(job) = serde_json::from_str::<Value>(&data) else { continue };
            heard = true;
            patience.heard();
            show.job(&job);
            if kind == "end" {
                return End::Job(job);
            }
        }
    }
    End::Broken { heard }
}

/// Cuts a stream into events (HTML Living Standard, section 9.2.6), as far as ours use it.
#[derive(Default)]
struct Events {
    line: Vec<u8>,
    kind: String,
    data: String,
}

impl Events {
    /// The events that are complete with these bytes: their type and data.
    fn push(&mut self, bytes: &[u8]) -> Vec<(String, String)> {
        let mut complete = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' => complete.extend(self.end_line()),
                b'\r' => {}
                _ if self.line.len() < LONGEST => self.line.push(*byte),
                _ => {}
            }
        }
        complete
    }

    fn end_line(&mut self) -> Option<(String, String)> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let event = (std::mem::take(&mut self.kind), std::mem::take(&mut self.data));
            return Some(event).filter(|(_, data)| !data.is_empty());
        }
        let line = String::from_utf8_lossy(&line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.kind = value.into(),
            "data" if self.data.len() < LONGEST => self.data.push_str(value),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = ": keep-alive\r\n\r\nevent: progress\ndata: {\"a\":1}\n\nid: 7\nevent:end\ndata:{}\n\n";
        let whole = Events::default().push(text.as_bytes());
        assert_eq!(whole, [("progress".into(), "{\"a\":1}".into()), ("end".into(), "{}".into())]);
        let mut events = Events::default();
        let pieces: Vec<_> = text.bytes().flat_map(|byte| events.push(&[byte])).collect();
        assert_eq!(pieces, whole);
        assert!(Events::default().push(b"event: end\ndata: {").is_empty());
    }
}
