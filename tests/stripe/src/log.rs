//! What was asked, in order.

use serde::{Deserialize, Serialize};

use crate::faults::Fault;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 0.
    pub n: u64,
    /// The virtual time.
    pub at: i64,
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Such as `/v1/subscriptions`.
    pub path: String,
    /// The account it acts for; empty if there was no valid key.
    pub account: String,
    /// Its Idempotency-Key.
    pub idempotency_key: Option<String>,
    /// Its `Request-Id`.
    pub request_id: String,
    /// The status of the answer; 0 if none came.
    pub status: u16,
    /// Whether the answer was kept from before.
    pub replayed: bool,
    /// Whether the operation ran.
    pub ran: bool,
    /// What went wrong.
    pub fault: Fault,
}

/// All requests.
#[derive(Debug, Default)]
pub struct Log {
    first: u64,
    entries: Vec<Entry>,
}

impl Log {
    /// Adds a request and gives its number.
    pub fn add(&mut self, mut entry: Entry) -> u64 {
        entry.n = self.first + self.entries.len() as u64;
        let n = entry.n;
        self.entries.push(entry);
        n
    }

    /// Changes a request that has not been forgotten.
    pub fn edit(&mut self, n: u64, apply: impl FnOnce(&mut Entry)) {
        let at = n.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        if let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) {
            apply(entry);
        }
    }

    /// All of them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.first += self.entries.len() as u64;
        self.entries.clear();
    }
}
