use poem_openapi::Object;
use usher_jobs::{Filter, JobRow, State};

use super::types::{Accepted, JobStatus, JobView};
use crate::{
    error::{Code, Error, Result},
    gate::Cx,
    paging::{self, Cursor, default_limit},
    tools::{Access, Area, Kind, Tool, tools},
    values::JobId,
};

/// The tools of jobs.
pub const AREA: Area = Area {
    name: "jobs",
    about: "Work that was accepted and is applied by a worker. A key sees only the jobs it started.",
    tools: tools![ListJobs, GetJob, CancelJob, RetryJob],
};

/// Jobs have one order, newest first.
const ORDER: &str = "jobs.list -id";

/// A page of jobs.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct JobPage {
    /// Newest first.
    items: Vec<JobView>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List jobs
///
/// The jobs that this key started, newest first. Any key may ask.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListJobs {
    /// Only those that stand so.
    status: Option<JobStatus>,
    /// Only those of this kind.
    #[oai(validator(max_length = 100))]
    kind: Option<String>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListJobs {
    const NAME: &'static str = "jobs.list";
    const ACCESS: Access = Access::any_key(Kind::Read);
    const EXAMPLE: &'static str = r#"{"status":"running"}"#;
    type Output = JobPage;

    async fn run(self, cx: &mut Cx) -> Result<JobPage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map(|[id]| id);
        let (app, site, key) = (cx.app.clone(), cx.site().number(), cx.caller.key.id.to_string());
        let filter = Filter { key_id: Some(&key), state: self.status.map(State::from), kind: self.kind.as_deref() };
        let mut rows = app.jobs.list(cx.conn(), site, filter, before.as_deref(), self.limit + 1).await?;
        let more = paging::cut(&mut rows, self.limit);
        let next_cursor = rows.last().filter(|_| more).map(|row| Cursor::after(ORDER, [row.id.clone()]).encode());
        Ok(JobPage { items: rows.into_iter().map(JobView::from_row).collect::<Result<_>>()?, next_cursor })
    }
}

/// Get a job
///
/// How a job that this key started stands. `GET /api/v1/jobs/<id>/events` follows it as Server-Sent Events.
#[derive(Object)]
pub struct GetJob {
    /// The job.
    job: JobId,
}

impl Tool for GetJob {
    const NAME: &'static str = "jobs.get";
    const ACCESS: Access = Access::any_key(Kind::Read);
    const EXAMPLE: &'static str = r#"{"job":"job_01kan8v3t0e0rt8nfkzk1s7p4qc"}"#;
    type Output = Accepted;

    async fn run(self, cx: &mut Cx) -> Result<Accepted> {
        let row = own(cx, &self.job).await?;
        Ok(Accepted { job: JobView::from_row(row)? })
    }
}

/// Cancel a job
///
/// A waiting job is cancelled at once; a running one stops after the chunk it is at, and what it has done stays. A job
/// that has ended is left as it is.
#[derive(Object)]
pub struct CancelJob {
    /// The job.
    job: JobId,
}

impl Tool for CancelJob {
    const NAME: &'static str = "jobs.cancel";
    const ACCESS: Access = Access::any_key(Kind::Write);
    const EXAMPLE: &'static str = r#"{"job":"job_01kan8v3t0e0rt8nfkzk1s7p4qc"}"#;
    type Output = Accepted;

    async fn run(self, cx: &mut Cx) -> Result<Accepted> {
        own(cx, &self.job).await?;
        let (app, site) = (cx.app.clone(), cx.site().number());
        let row = app.jobs.cancel(cx.tx(), site, self.job.as_str()).await?;
        Ok(Accepted { job: JobView::from_row(row.ok_or_else(|| not_found(&self.job))?)? })
    }
}

/// Retry a job
///
/// Queues a failed or cancelled job again. It goes on where it stopped.
#[derive(Object)]
pub struct RetryJob {
    /// The job.
    job: JobId,
}

impl Tool for RetryJob {
    const NAME: &'static str = "jobs.retry";
    const ACCESS: Access = Access::any_key(Kind::Write);
    const EXAMPLE: &'static str = r#"{"job":"job_01kan8v3t0e0rt8nfkzk1s7p4qc"}"#;
    type Output = Accepted;

    async fn run(self, cx: &mut Cx) -> Result<Accepted> {
        let before = own(cx, &self.job).await?;
        if !matches!(before.state, State::Failed | State::Cancelled) {
            let text = format!("The job is {}; only a failed or cancelled job can be retried.", before.state.as_str());
            return Err(Error::new(Code::JobNotRetryable, text));
        }
        let (app, site) = (cx.app.clone(), cx.site().number());
        let row = app.jobs.retry(cx.tx(), site, self.job.as_str()).await?;
        let row = row.ok_or_else(|| not_found(&self.job))?;
        cx.starts(&row);
        Ok(Accepted { job: JobView::from_row(row)? })
    }
}

/// The job, if this key started it.
async fn own(cx: &mut Cx, id: &JobId) -> Result<JobRow> {
    let (app, site) = (cx.app.clone(), cx.site().number());
    let row = app.jobs.get(cx.conn(), site, id.as_str()).await?;
    row.filter(|row| row.key_id.as_deref() == Some(cx.caller.key.id.as_str())).ok_or_else(|| not_found(id))
}

fn not_found(id: &JobId) -> Error {
    Error::new(Code::JobNotFound, format!("This key has started no job {id}, or it is gone."))
}
