use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use usher_db::{Change, Conn, Tx};
use usher_jobs::{Job, JobRow, Owner};

use crate::{
    app::App,
    areas::{keys::Key, sites::Site},
    error::{Error, Result},
    values::{JobId, MemberId, RequestId, SiteId, Time, Zone},
};

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key.
    pub key: Key,
    /// Its site.
    pub site: Arc<Site>,
}

/// What a running tool can reach: who calls, when, and the database. A writing tool runs in one transaction, with
/// its record and its answer; a reading tool reads where it can.
pub struct Cx {
    /// The program.
    pub app: Arc<App>,
    /// Who calls.
    pub caller: Caller,
    /// The request.
    pub request: RequestId,
    /// When the call came in.
    pub now: Time,
    /// Whether nothing is to happen: what is outside the transaction must be left alone.
    pub dry_run: bool,
    pub(super) tx: Option<Tx>,
    pub(super) member: Option<MemberId>,
    pub(super) jobs: Vec<Started>,
}

/// A job that a call has started.
#[derive(Clone, Debug)]
pub(super) struct Started {
    /// Where in the result the object stands that has it as `job`: a JSON pointer.
    pub(super) place: String,
    pub(super) row: JobRow,
}

impl Cx {
    /// The one site that this call is about.
    pub fn site(&self) -> SiteId {
        self.caller.site.id
    }

    /// The site's time zone: what a date that somebody gives means.
    pub fn zone(&self) -> Zone {
        self.caller.site.settings.time_zone
    }

    /// Whether the call writes.
    pub fn writes(&self) -> bool {
        self.tx.is_some()
    }

    /// For a statement: in the transaction of a writing tool, else on a reading connection.
    pub fn conn(&mut self) -> Conn<'_> {
        match &mut self.tx {
            Some(tx) => tx.conn(),
            None => self.app.db.read(),
        }
    }

    /// The transaction.
    ///
    /// # Panics
    /// In a reading tool, which has none.
    pub fn tx(&mut self) -> &mut Tx {
        self.tx.as_mut().expect("a tool that writes says so in its ACCESS")
    }

    /// Whether the call has changed anything so far.
    pub fn has_changed(&self) -> bool {
        self.tx.as_ref().is_some_and(|tx| !tx.changes().is_empty())
    }

    /// Notes which member the call is about, for the activity log.
    pub fn touches(&mut self, member: &MemberId) {
        self.member = Some(member.clone());
    }

    /// Ends the transaction of a dry run in which nothing was written yet, so that something outside can be asked, and
    /// begins another.
    pub async fn apart<T>(&mut self, ask: impl Future<Output = T>) -> Result<T> {
        if !self.dry_run || !self.tx().changes().is_empty() {
            return Err(Error::internal("a call that writes must not wait for something outside"));
        }
        if let Some(tx) = self.tx.take() {
            tx.rollback().await?;
        }
        let answer = ask.await;
        self.tx = Some(self.app.db.begin().await?);
        Ok(answer)
    }

    /// Accepts a job in the transaction, for this key.
    pub async fn enqueue<J: Job + Serialize>(&mut self, job: &J) -> Result<JobRow> {
        let (app, request, key, site) =
            (self.app.clone(), self.request.to_string(), self.caller.key.id.to_string(), self.site().number());
        let owner = Owner { site, key_id: Some(&key), request_id: Some(&request), ..Owner::default() };
        let row = app.jobs.enqueue(self.tx(), owner, job).await?;
        self.tx().note(Change::created("job", row.id.as_str(), json!({ "kind": row.kind })));
        self.starts(&row);
        Ok(row)
    }

    /// The same for one of several jobs: `place` is the JSON pointer, within the result, of the object that has it.
    pub async fn enqueue_at<J: Job + Serialize>(&mut self, place: String, job: &J) -> Result<JobRow> {
        let row = self.enqueue(job).await?;
        if let Some(started) = self.jobs.last_mut() {
            started.place = place;
        }
        Ok(row)
    }

    /// The same for a job of which there is one only: the earlier one, if there is one, whatever its kind and its state,
    /// and whether it is new.
    pub async fn enqueue_once<J: Job + Serialize>(&mut self, dedupe: &str, job: &J) -> Result<(JobRow, bool)> {
        let (app, request, key, site) =
            (self.app.clone(), self.request.to_string(), self.caller.key.id.to_string(), self.site().number());
        let owner =
            Owner { site, key_id: Some(&key), request_id: Some(&request), dedupe: Some(dedupe), ..Owner::default() };
        let row = app.jobs.enqueue(self.tx(), owner, job).await?;
        let is_new = row.request_id.as_deref() == Some(&request);
        if is_new {
            self.tx().note(Change::created("job", row.id.as_str(), json!({ "kind": row.kind })));
            self.starts(&row);
        }
        Ok((row, is_new))
    }

    /// Notes which job the call starts, for the log and for a caller that waits for its end.
    pub fn starts(&mut self, job: &JobRow) {
        self.jobs.push(Started { place: String::new(), row: job.clone() });
    }

    /// The job that was accepted, if one was; of several the first.
    pub(super) fn job_id(&self) -> Option<JobId> {
        self.jobs.first().and_then(|job| JobId::parse(&job.row.id).ok())
    }
}
