//! What goes wrong, by plan: an exact list for the next requests that match, or chances from a seed.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::ids::Rng;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing, in a list that says which of the next requests fail.
    None,
    /// Nothing happens and no answer ever comes.
    TimeoutBefore,
    /// It happens and no answer ever comes.
    TimeoutAfter,
    /// 429 without Retry-After.
    RateLimited,
    /// 429 with `Retry-After: 2`.
    RateLimitedRetryAfter,
    /// 409 `lock_timeout`: another request holds the object.
    Conflict,
    /// 500 and nothing happened; kept under the idempotency key.
    ServerErrorBefore,
    /// 500 and it happened; kept under the idempotency key.
    ServerErrorAfter,
    /// 502 with an HTML page, and nothing happened.
    BadGateway,
    /// 502 with an HTML page, and it happened.
    BadGatewayAfter,
    /// 503, and nothing happened.
    Unavailable,
    /// It happens; of the answer half comes, then the connection is cut.
    Truncated,
    /// It happens; the answer is 200 with JSON of which nothing can be made.
    Garbled,
    /// The connection is reset, and nothing happened.
    ResetBefore,
    /// It happens, and the connection is reset.
    ResetAfter,
    /// Waits, with the idempotency key taken, until the test releases it; then goes on as if nothing had been.
    Held,
}

impl Fault {
    /// Those that a random plan draws from: all but `none` and `held`.
    pub const ALL: [Self; 14] = [
        Self::TimeoutBefore,
        Self::TimeoutAfter,
        Self::RateLimited,
        Self::RateLimitedRetryAfter,
        Self::Conflict,
        Self::ServerErrorBefore,
        Self::ServerErrorAfter,
        Self::BadGateway,
        Self::BadGatewayAfter,
        Self::Unavailable,
        Self::Truncated,
        Self::Garbled,
        Self::ResetBefore,
        Self::ResetAfter,
    ];
}

/// Which requests, and what goes wrong with them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// `GET`, `POST`, `DELETE`; any if not given.
    pub method: Option<String>,
    /// Such as `/v1/subscriptions/*`: `*` is one part of a path, `**` at the end any number. Any path if not given.
    pub path: Option<String>,
    /// Only requests to this account.
    pub account: Option<String>,
    /// What happens to the next requests, one each; then the chances apply.
    pub next: VecDeque<Fault>,
    /// How likely each fault is.
    pub chances: BTreeMap<Fault, f64>,
}

impl Rule {
    /// Exactly these faults for the next requests.
    pub fn next(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self { next: faults.into_iter().collect(), ..Self::default() }
    }

    /// All kinds of faults alike, with this chance in all.
    pub fn chance(all: f64) -> Self {
        let each = all / Fault::ALL.len() as f64;
        Self { chances: Fault::ALL.into_iter().map(|fault| (fault, each)).collect(), ..Self::default() }
    }

    /// Only for requests of a method and, unless empty, to a path.
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = (!path.is_empty()).then(|| path.to_owned());
        self
    }

    fn fits(&self, method: &str, path: &str, account: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.account.as_ref().is_none_or(|wanted| wanted == account)
            && self.path.as_ref().is_none_or(|pattern| fits(pattern, path))
    }
}

/// Whether a path is one of those that a pattern means.
pub fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(wanted), Some(part)) if wanted == part => {}
            _ => return false,
        }
    }
}

/// The plan.
#[derive(Debug)]
pub struct Faults {
    rules: Vec<Rule>,
    rng: Rng,
}

impl Faults {
    /// A plan without faults.
    pub fn new(seed: u64) -> Self {
        Self { rules: vec![], rng: Rng::new(seed, "faults") }
    }

    /// Adds a rule; of those that fit a request the first decides.
    pub fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Nothing goes wrong any more.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// What goes wrong with a request.
    pub fn pick(&mut self, method: &str, path: &str, account: &str) -> Fault {
        for rule in self.rules.iter_mut().filter(|rule| rule.fits(method, path, account)) {
            if let Some(fault) = rule.next.pop_front() {
                return fault;
            }
            if rule.chances.is_empty() {
                continue;
            }
            let mut drawn = self.rng.unit();
            for (fault, chance) in &rule.chances {
                if drawn < *chance {
                    return *fault;
                }
                drawn -= chance;
            }
            return Fault::None;
        }
        Fault::None
    }
}
