//! Idempotency keys: the first answer under a key is the answer for 24 hours of virtual time, a 500 as well.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// How long an answer is kept.
const KEPT_SECONDS: i64 = 24 * 3600;
/// The longest key.
const KEY_LENGTH_MAX: usize = 255;

/// An answer: status and body.
pub type Answer = (u16, String);

#[derive(Debug)]
struct Entry {
    fingerprint: [u8; 32],
    at: i64,
    original: String,
    /// `None` while the operation goes on.
    answer: Option<Answer>,
}

/// What to do with a request that has a key.
#[derive(Debug)]
pub enum Begin {
    /// Run it.
    Anew,
    /// Give this answer of the request with that id.
    Replay(Answer, String),
    /// Refuse it.
    Refuse(ApiError),
}

/// The keys of all accounts.
#[derive(Debug, Default)]
pub struct Keys(HashMap<(String, String), Entry>);

impl Keys {
    /// Looks a key up, and notes that its operation begins if it is new.
    pub fn begin(&mut self, account: &str, key: &str, request: &str, what: &[&[u8]], now: i64) -> Begin {
        if key.len() > KEY_LENGTH_MAX {
            let message = format!("Idempotency keys can only be up to {KEY_LENGTH_MAX} characters long.");
            return Begin::Refuse(ApiError { before: true, ..ApiError::request(400, message) });
        }
        let fingerprint = fingerprint(what);
        let place = (account.to_owned(), key.to_owned());
        match self.0.get(&place).filter(|entry| now - entry.at < KEPT_SECONDS) {
            Some(entry) if entry.fingerprint != fingerprint => {
                let message = format!(
                    "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '{key}' if you meant to execute a different request."
                );
                Begin::Refuse(ApiError { kind: "idempotency_error", before: true, ..ApiError::request(400, message) })
            }
            Some(Entry { answer: Some(answer), original, .. }) => Begin::Replay(answer.clone(), original.clone()),
            Some(_) => {
                let message = format!(
                    "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): {key}. Please try again later."
                );
                let error = ApiError::request(409, message).code("idempotency_key_in_use");
                Begin::Refuse(ApiError { kind: "idempotency_error", before: true, ..error })
            }
            None => {
                let entry = Entry { fingerprint, at: now, original: request.to_owned(), answer: None };
                self.0.insert(place, entry);
                Begin::Anew
            }
        }
    }

    /// Keeps the answer, or forgets the key where no operation began.
    pub fn end(&mut self, account: &str, key: &str, answer: Option<Answer>) {
        let place = (account.to_owned(), key.to_owned());
        match (answer, self.0.get_mut(&place)) {
            (Some(answer), Some(entry)) => entry.answer = Some(answer),
            _ => _ = self.0.remove(&place),
        }
    }

    /// Forgets what is too old.
    pub fn prune(&mut self, now: i64) {
        self.0.retain(|_, entry| now - entry.at < KEPT_SECONDS);
    }
}

fn fingerprint(what: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in what {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
