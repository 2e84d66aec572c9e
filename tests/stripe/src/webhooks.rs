//! Which event goes where, when and in what order. How it is signed is in `sign`, sending in `deliver`.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{account::Account, ids::Rng, sign::places};

/// How events are delivered from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// Whether they wait for `flush`, or go out by themselves.
    pub held: bool,
    /// How many seconds of virtual time they are late.
    pub late_seconds: i64,
    /// How often each is delivered.
    pub copies: usize,
    /// The seed of the order in which those that go out together do so; in the order of the events without it.
    pub shuffled: Option<u64>,
    /// How likely one is lost.
    pub dropped: f64,
    /// How many are on their way at the same time.
    pub parallel: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { held: false, late_seconds: 0, copies: 1, shuffled: None, dropped: 0.0, parallel: 1 }
    }
}

impl Plan {
    /// Each goes out as soon as it can.
    pub fn immediate() -> Self {
        Self::default()
    }

    /// They wait for `flush`.
    pub fn held() -> Self {
        Self { held: true, ..Self::default() }
    }

    /// They are lost.
    pub fn dropped() -> Self {
        Self { dropped: 1.0, ..Self::default() }
    }

    /// They come so much virtual time later.
    pub fn late(self, seconds: i64) -> Self {
        Self { late_seconds: seconds, ..self }
    }

    /// Each comes twice.
    pub fn doubled(self) -> Self {
        Self { copies: 2, ..self }
    }

    /// Those that go out together do so in an order from a seed.
    pub fn shuffled(self, seed: u64) -> Self {
        Self { shuffled: Some(seed), ..self }
    }

    /// So many are on their way at the same time.
    pub fn parallel(self, n: usize) -> Self {
        Self { parallel: n, ..self }
    }
}

/// A delivery that has not been answered with 2xx yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its number.
    pub n: u64,
    /// `evt_…`.
    pub event: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it happened.
    pub account: String,
    /// Whose endpoint it goes to.
    pub endpoint_account: String,
    /// `we_…`.
    pub endpoint: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The virtual time from which it goes out.
    pub due: i64,
}

/// A delivery that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// `evt_…`.
    pub event: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// `we_…`.
    pub endpoint: String,
    /// Where to.
    pub url: String,
    /// The answer's status; 0 if none came.
    pub status: u16,
}

/// What is to be delivered, and how.
#[derive(Debug)]
pub struct Webhooks {
    /// How what happens from now on is delivered.
    pub plan: Plan,
    pending: Vec<Delivery>,
    sent: Vec<Sent>,
    answered: HashSet<(String, String)>,
    rng: Rng,
    next: u64,
}

/// Tries before Stripe gives up, over about three days.
const ATTEMPTS_MAX: u32 = 8;

impl Webhooks {
    /// Nothing yet.
    pub fn new(seed: u64) -> Self {
        Self {
            plan: Plan::default(),
            pending: vec![],
            sent: vec![],
            answered: HashSet::new(),
            rng: Rng::new(seed, "webhooks"),
            next: 0,
        }
    }

    /// Plans the deliveries of an event: to the account's own endpoints and to those its platform has for it.
    pub fn plan_event(&mut self, accounts: &mut BTreeMap<String, Account>, account: &str, event: &str, now: i64) {
        let Some(kind) =
            accounts.get(account).and_then(|found| found.events.get(event)).map(|event| event.kind.clone())
        else {
            return;
        };
        let places = places(accounts, account, &kind);
        if let Some(event) = accounts.get_mut(account).and_then(|found| found.events.get_mut(event)) {
            event.pending = places.len();
        }
        for (endpoint_account, endpoint) in places {
            for _ in 0..self.plan.copies {
                if self.plan.dropped > 0.0 && self.rng.unit() < self.plan.dropped {
                    continue;
                }
                self.pending.push(Delivery {
                    n: self.next,
                    event: event.to_owned(),
                    kind: kind.clone(),
                    account: account.to_owned(),
                    endpoint_account: endpoint_account.clone(),
                    endpoint: endpoint.clone(),
                    attempts: 0,
                    due: now + self.plan.late_seconds,
                });
                self.next += 1;
            }
        }
    }

    /// What waits.
    pub fn pending(&self) -> &[Delivery] {
        &self.pending
    }

    /// What was tried.
    pub fn sent(&self) -> &[Sent] {
        &self.sent
    }

    /// Takes what is to go out, in the order in which it goes.
    pub fn take(&mut self, wanted: impl Fn(&Delivery) -> bool) -> Vec<Delivery> {
        let (mut taken, left) = std::mem::take(&mut self.pending).into_iter().partition::<Vec<_>, _>(wanted);
        self.pending = left;
        if let (Some(seed), Some(first)) = (self.plan.shuffled, taken.first()) {
            Rng::new(seed, &format!("shuffle {}", first.n)).shuffle(&mut taken);
        }
        taken
    }

    /// Notes how a delivery went: one that was not answered with 2xx comes again later.
    pub fn ended(
        &mut self,
        accounts: &mut BTreeMap<String, Account>,
        mut delivery: Delivery,
        url: &str,
        status: u16,
        now: i64,
    ) {
        self.sent.push(Sent {
            event: delivery.event.clone(),
            kind: delivery.kind.clone(),
            endpoint: delivery.endpoint.clone(),
            url: url.to_owned(),
            status,
        });
        if (200..300).contains(&status) {
            let first = self.answered.insert((delivery.event.clone(), delivery.endpoint.clone()));
            let event = accounts.get_mut(&delivery.account).and_then(|account| account.events.get_mut(&delivery.event));
            if let (true, Some(event)) = (first, event) {
                event.pending = event.pending.saturating_sub(1);
            }
            return;
        }
        delivery.attempts += 1;
        if delivery.attempts < ATTEMPTS_MAX {
            delivery.due = now + (600 << ((delivery.attempts - 1) * 2)).min(86_400);
            self.pending.push(delivery);
        }
    }
}
