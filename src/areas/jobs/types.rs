use std::collections::BTreeMap;

use poem_openapi::{
    Enum, Object,
    types::{Any, ToJSON as _},
};
use serde_json::Value;
use usher_jobs::{JobRow, State};

use crate::{
    error::{Error, Result},
    tools::schema,
    values::{JobId, Time},
};

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum JobStatus {
    /// Waits for a worker, or for its next attempt.
    Queued,
    /// A worker has it.
    Running,
    /// Done.
    Succeeded,
    /// Given up; can be retried.
    Failed,
    /// Stopped on request; can be retried.
    Cancelled,
}

impl From<State> for JobStatus {
    fn from(state: State) -> Self {
        match state {
            State::Queued => Self::Queued,
            State::Running => Self::Running,
            State::Succeeded => Self::Succeeded,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
        }
    }
}

impl From<JobStatus> for State {
    fn from(status: JobStatus) -> Self {
        match status {
            JobStatus::Queued => Self::Queued,
            JobStatus::Running => Self::Running,
            JobStatus::Succeeded => Self::Succeeded,
            JobStatus::Failed => Self::Failed,
            JobStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, Object)]
pub struct JobError {
    /// For programs.
    code: String,
    /// For people.
    message: String,
}

/// Work that was accepted and is applied by a worker.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Job", rename_all = "camelCase")]
pub struct JobView {
    /// Its id, for `jobs.get`, `jobs.cancel` and `GET /api/v1/jobs/<id>/events`.
    id: JobId,
    /// What kind of work: the tool that started it.
    kind: String,
    /// How it stands.
    status: JobStatus,
    /// `done` of `total` rows or steps, and the counts of its kind.
    #[oai(validator(max_properties = 50))]
    progress: BTreeMap<String, i64>,
    /// What it gave, once it has succeeded.
    result: Option<Any<Value>>,
    /// The last failure, while it waits for its next attempt or once it has failed.
    error: Option<JobError>,
    /// Attempts so far.
    attempt: u32,
    /// When it was accepted.
    created_at: Time,
    /// When anything of it changed last.
    updated_at: Time,
    /// When it ended.
    finished_at: Option<Time>,
}

/// What a job would do to members, found out by doing it to some of them and taking it back.
#[derive(Clone, Debug, Object)]
pub struct JobPreview {
    /// Members that it would come to.
    total: u64,
    /// Whether it was tried on all of them. If not, the counts are estimates from the first 5,000.
    exact: bool,
    /// The counts of the job, as they would be.
    #[oai(validator(max_properties = 50))]
    counts: BTreeMap<String, i64>,
}

impl JobPreview {
    /// What would become of `total` members, of whom `tried` were tried.
    pub fn of(total: u64, tried: u64, counts: impl IntoIterator<Item = (&'static str, u64)>) -> Self {
        let all = |n: u64| i64::try_from((n * total).checked_div(tried).unwrap_or(0)).unwrap_or(i64::MAX);
        let counts = counts.into_iter().map(|(name, n)| (name.to_owned(), all(n))).collect();
        Self { total, exact: tried == total, counts }
    }

    /// As it stands in answers.
    pub fn json(&self) -> Value {
        self.to_json().unwrap_or_default()
    }
}

/// A job that was accepted.
#[derive(Clone, Debug, Object)]
pub struct Accepted {
    /// The job. `Prefer: wait=N` waits up to N seconds (at most 30) for its end.
    pub job: JobView,
}

impl JobView {
    /// The job as its caller sees it.
    pub fn from_row(row: JobRow) -> Result<Self> {
        let number = |(name, value): (&String, &Value)| Some((name.clone(), value.as_i64()?));
        let progress = row.progress.as_object().into_iter().flatten().filter_map(number).collect();
        let error = row.error_code.map(|code| JobError { code, message: row.error.unwrap_or_default() });
        Ok(Self {
            id: JobId::parse(&row.id).map_err(Error::internal)?,
            kind: row.kind,
            status: row.state.into(),
            progress,
            result: row.result.map(Any),
            error: error.filter(|_| row.state != State::Succeeded),
            attempt: row.attempt,
            created_at: Time::from_micros(row.created_at),
            updated_at: Time::from_micros(row.updated_at),
            finished_at: row.finished_at.map(Time::from_micros),
        })
    }

    /// As it stands in answers.
    pub fn json(&self) -> Value {
        let mut value = self.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        value
    }

    /// Whether nothing more happens to it by itself.
    pub fn is_over(&self) -> bool {
        State::from(self.status).is_over()
    }
}
