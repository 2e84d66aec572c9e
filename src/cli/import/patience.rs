use std::time::{Duration, Instant};

use tokio::time;

use super::{
    client::{Client, Trouble},
    show::Show,
};
use crate::cli::{Failure, Result};

/// How long a server that has answered may be away before an import is given up on.
const AWAY: Duration = Duration::from_secs(600);

/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_secs(5);

/// How long, and how often, something is tried again.
pub(super) struct Patience<'a> {
    show: &'a Show,
    server: &'a str,
    limit: Duration,
    heard: Instant,
    pause: Duration,
}

impl<'a> Patience<'a> {
    /// None until the server has answered once, since it may as well be the wrong address.
    pub(super) fn new(show: &'a Show, client: &'a Client) -> Self {
        Self { show, server: &client.url, limit: Duration::ZERO, heard: Instant::now(), pause: Duration::ZERO }
    }

    /// The server has answered.
    pub(super) fn heard(&mut self) {
        if !self.pause.is_zero() {
            self.show.note("The server answers again.");
        }
        (self.limit, self.heard, self.pause) = (AWAY, Instant::now(), Duration::ZERO);
    }

    /// Tries until it works, or cannot.
    pub(super) async fn until_answered<T>(&mut self, mut once: impl AsyncFnMut() -> Result<T, Trouble>) -> Result<T> {
        loop {
            match once().await {
                Ok(answer) => {
                    self.heard();
                    return Ok(answer);
                }
                Err(trouble) => self.pause(trouble).await?,
            }
        }
    }

    /// Waits a while before the next try.
    pub(super) async fn pause(&mut self, trouble: Trouble) -> Result<()> {
        match trouble {
            Trouble::Final(failure) => Err(failure),
            Trouble::Busy(seconds) => {
                self.heard();
                if seconds > 1 {
                    self.show.note(&format!("The key's budget is used up; going on in {seconds} s."));
                }
                time::sleep(Duration::from_secs(seconds.max(1))).await;
                self.heard = Instant::now();
                Ok(())
            }
            Trouble::Away(why) => {
                let (server, minutes) = (self.server, AWAY.as_secs() / 60);
                if self.limit.is_zero() {
                    return Err(Failure(format!("the server at {server} cannot be reached: {why}")));
                }
                if self.heard.elapsed() >= self.limit {
                    return Err(Failure(format!(
                        "the server at {server} has not answered for {minutes} minutes: {why}"
                    )));
                }
                if self.pause.is_zero() {
                    self.show.note(&format!("The server is away ({why}); trying again for {minutes} minutes."));
                }
                self.pause = (self.pause * 2).clamp(Duration::from_millis(500), PAUSE);
                time::sleep(self.pause).await;
                Ok(())
            }
        }
    }
}
