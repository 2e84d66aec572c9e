use serde_json::Value;
use usher_db::{Error, FromRow, Row};

use crate::Result;

/// The columns of a [`JobRow`], in its order.
macro_rules! columns {
    () => {
        "site, id, kind, queue, state, key_id, request_id, attempt, max_attempts, cancelling, progress, result, \
         error_code, error, created_at, updated_at, finished_at"
    };
}
pub(crate) use columns;

/// A job as the outside may see it. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    /// The site it works for; 0 for work of the whole installation.
    pub site: i64,
    /// `job_…`.
    pub id: String,
    /// Which [`Job`](crate::Job).
    pub kind: String,
    /// Where it queues.
    pub queue: String,
    /// How it stands.
    pub state: State,
    /// The key that started it.
    pub key_id: Option<String>,
    /// The call that started it.
    pub request_id: Option<String>,
    /// Runs so far that count.
    pub attempt: u32,
    /// How many may count.
    pub max_attempts: u32,
    /// It was asked to stop and has not noticed yet.
    pub cancelling: bool,
    /// Done, total and counts; `{}` before anything is known.
    pub progress: Value,
    /// What it gave, once it succeeded.
    pub result: Option<Value>,
    /// The last failure's code.
    pub error_code: Option<String>,
    /// The last failure, for people.
    pub error: Option<String>,
    /// When it was accepted.
    pub created_at: i64,
    /// When anything here changed last.
    pub updated_at: i64,
    /// When it ended.
    pub finished_at: Option<i64>,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for a worker, or for its next attempt.
    Queued,
    /// A worker has it.
    Running,
    /// Done.
    Succeeded,
    /// Given up; can be retried by hand.
    Failed,
    /// Stopped by hand; can be retried by hand.
    Cancelled,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// As it is written in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Nothing more happens to it by itself.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl FromRow for JobRow {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            site: row.take()?,
            id: row.take()?,
            kind: row.take()?,
            queue: row.take()?,
            state: state(&row.take::<String>()?)?,
            key_id: row.take()?,
            request_id: row.take()?,
            attempt: count(row.take()?),
            max_attempts: count(row.take()?),
            cancelling: row.take()?,
            progress: json(&row.take::<String>()?)?,
            result: row.take::<Option<String>>()?.as_deref().map(json).transpose()?,
            error_code: row.take()?,
            error: row.take()?,
            created_at: row.take()?,
            updated_at: row.take()?,
            finished_at: row.take()?,
        })
    }
}

fn state(text: &str) -> Result<State> {
    State::parse(text).ok_or_else(|| Error::Decode(format!("no job state {text:?}").into()))
}

fn count(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or_default()
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| Error::Decode(error.into()))
}

/// A value as the database keeps it.
pub(crate) fn to_json(value: &(impl serde::Serialize + ?Sized)) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Encode(error.into()))
}
