//! How fast an account is called, and how fast it may be.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// A limit of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Requests in any one second; each one more is refused with 429.
    pub per_second: usize,
    /// Whose second it is.
    #[serde(default)]
    pub clock: Second,
}

/// Whose second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Second {
    /// Any second of real time.
    #[default]
    Real,
    /// A second of the virtual clock.
    Virtual,
}

/// How fast an account was called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speed {
    /// All requests.
    pub requests: u64,
    /// Those that were refused.
    pub refused: u64,
    /// The most requests, refused ones too, in any one second of real time.
    pub peak: usize,
}

/// One account's requests.
#[derive(Debug, Default)]
pub struct Rate {
    /// The limit, if there is one.
    pub limit: Option<Limit>,
    speed: Speed,
    all: VecDeque<Instant>,
    served: VecDeque<Instant>,
    served_virtual: (i64, usize),
}

const SECOND: Duration = Duration::from_secs(1);

impl Rate {
    /// Counts a request, and says whether it may pass.
    pub fn pass(&mut self, now: i64) -> bool {
        let real = Instant::now();
        forget(&mut self.all, real);
        self.all.push_back(real);
        self.speed.requests += 1;
        self.speed.peak = self.speed.peak.max(self.all.len());
        let passes = match self.limit {
            None => true,
            Some(Limit { per_second, clock: Second::Real }) => {
                forget(&mut self.served, real);
                let passes = self.served.len() < per_second;
                if passes {
                    self.served.push_back(real);
                }
                passes
            }
            Some(Limit { per_second, clock: Second::Virtual }) => {
                if self.served_virtual.0 != now {
                    self.served_virtual = (now, 0);
                }
                self.served_virtual.1 += 1;
                self.served_virtual.1 <= per_second
            }
        };
        self.speed.refused += u64::from(!passes);
        passes
    }

    /// How fast it was called.
    pub fn speed(&self) -> Speed {
        self.speed
    }

    /// Counts anew.
    pub fn reset(&mut self) {
        (self.speed, self.all) = (Speed::default(), VecDeque::new());
    }
}

fn forget(times: &mut VecDeque<Instant>, now: Instant) {
    while times.front().is_some_and(|first| now.duration_since(*first) >= SECOND) {
        times.pop_front();
    }
}
