//! What is too long for one JSON answer: the activity log as NDJSON, the block list and the bad rows of an import as
//! CSV, and what an export made.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use poem::{Body, Request, Response};
use serde_json::Value;
use tokio_util::io::ReaderStream;

use super::Entrance;
use crate::{
    app::App,
    areas::{activity, blocklist, members::export_data::ENDING, uploads},
    error::{Code, Error, Result},
    gate::{self, Call, Caller},
    tools::addresses::{self, Address},
    values::JobId,
};

pub(super) const ACTIVITY: Entrance = Entrance {
    address: &addresses::ACTIVITY_EXPORT,
    handle: |app, request, call, caller| Box::pin(activity(app, request, call, caller)),
};

pub(super) const BLOCKLIST: Entrance = Entrance {
    address: &addresses::BLOCKLIST_EXPORT,
    handle: |app, request, call, caller| Box::pin(block_list(app, request, call, caller)),
};

pub(super) const JOB_FILE: Entrance = Entrance {
    address: &addresses::JOB_FILE,
    handle: |app, request, call, caller| Box::pin(job_file(app, request, call, caller)),
};

pub(super) const JOB_ERRORS: Entrance = Entrance {
    address: &addresses::JOB_ERRORS,
    handle: |app, request, call, caller| Box::pin(job_errors(app, request, call, caller)),
};

/// The query parameters, as arguments of the tool that lists.
fn filters(request: &Request, address: &Address) -> Result<Value> {
    let query: Vec<(String, String)> = request
        .params()
        .map_err(|_| Error::field("query", "cannot be read; encode it as application/x-www-form-urlencoded"))?;
    address.arguments(query)
}

/// `GET /api/v1/activity/export`: the rows of `activity.list`, with its filters as query parameters.
async fn activity(app: Arc<App>, request: Request, call: Arc<Call>, caller: Caller) -> Result<Response> {
    let filter =
        activity::export_filter(filters(&request, &addresses::ACTIVITY_EXPORT)?, caller.site.settings.time_zone)?;
    gate::record_entry(&app, &call, &caller).await?;
    let lines = activity::export(app, caller.site.id, filter).map_err(std::io::Error::other);
    Ok(Response::builder()
        .content_type("application/x-ndjson")
        .header("content-disposition", "attachment; filename=\"activity.ndjson\"")
        .body(Body::from_bytes_stream(lines.map_ok(bytes::Bytes::from))))
}

/// `GET /api/v1/blocklist/export`: the entries of `blocklist.list`, with its filters as query parameters.
async fn block_list(app: Arc<App>, request: Request, call: Arc<Call>, caller: Caller) -> Result<Response> {
    let filter = blocklist::export_filter(filters(&request, &addresses::BLOCKLIST_EXPORT)?)?;
    gate::record_entry(&app, &call, &caller).await?;
    let rows = blocklist::export(app, caller.site.id, filter).map_err(std::io::Error::other);
    Ok(Response::builder()
        .content_type("text/csv; charset=utf-8")
        .header("content-disposition", "attachment; filename=\"block-list.csv\"")
        .body(Body::from_bytes_stream(rows.map_ok(bytes::Bytes::from))))
}

/// `GET /api/v1/jobs/<id>/errors`: the rows that an import could not take, as CSV that imports again once mended.
async fn job_errors(app: Arc<App>, request: Request, call: Arc<Call>, caller: Caller) -> Result<Response> {
    let id = own_job(&app, &request, &caller, "bad rows").await?;
    let path = uploads::error_file(&app.config, caller.site.id, &id);
    let file = tokio::fs::File::open(path).await.map_err(|_| nothing(&id, "bad rows"))?;
    gate::record_entry(&app, &call, &caller).await?;
    Ok(attachment(file, "text/csv; charset=utf-8", &format!("{id}-errors.csv")))
}

/// `GET /api/v1/jobs/<id>/file`: what an export made.
async fn job_file(app: Arc<App>, request: Request, call: Arc<Call>, caller: Caller) -> Result<Response> {
    let id = own_job(&app, &request, &caller, "file").await?;
    for (ending, kind) in
        [("csv", "text/csv; charset=utf-8"), ("jsonl", "application/x-ndjson"), (ENDING, "application/json")]
    {
        let path = uploads::export_file(&app.config, caller.site.id, &id, ending);
        if let Ok(file) = tokio::fs::File::open(path).await {
            gate::record_entry(&app, &call, &caller).await?;
            return Ok(attachment(file, kind, &format!("members-{id}.{ending}")));
        }
    }
    Err(nothing(&id, "file"))
}

/// The job that a path names, which this key must have started.
async fn own_job(app: &App, request: &Request, caller: &Caller, what: &str) -> Result<JobId> {
    let id = JobId::parse(request.raw_path_param("job").unwrap_or_default())
        .map_err(|_| Error::new(Code::InvalidId, "The job's id is mistyped. Copy it from an answer of this API."))?;
    let row = app.jobs.get(app.db.read(), caller.site.id.number(), id.as_str()).await.map_err(Error::from)?;
    match row.is_some_and(|row| row.key_id.as_deref() == Some(caller.key.id.as_str())) {
        true => Ok(id),
        false => Err(nothing(&id, what)),
    }
}

fn nothing(id: &JobId, what: &str) -> Error {
    Error::new(Code::JobNotFound, format!("This key has started no job {id}, or it has no {what} to show."))
}

fn attachment(file: tokio::fs::File, content_type: &str, name: &str) -> Response {
    Response::builder()
        .content_type(content_type)
        .header("content-disposition", format!("attachment; filename=\"{name}\""))
        .body(Body::from_bytes_stream(ReaderStream::new(file)))
}
