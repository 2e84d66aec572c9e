//! What is too long for one JSON answer: the activity log as NDJSON, and the bad rows of an import.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use poem::{Body, Request, Response};
use tokio_util::io::ReaderStream;

use super::call;
use crate::{
    app::App,
    areas::{activity, blocklist},
    error::{Code, Error},
    gate,
    tools::{CATALOG, Kind, Scope},
    values::JobId,
};

/// `GET /api/v1/activity/export`: the rows of `activity.list`, with its filters as query parameters.
pub(super) async fn activity(app: Arc<App>, request: Request) -> poem::Result<Response> {
    let (call, _) = call::of(&app, &request, "activity.export");
    let caller = gate::enter(&app, &call, Some(Scope::ActivityRead), Kind::Read).await?;
    let query: Vec<(String, String)> = request
        .params()
        .map_err(|_| Error::field("query", "cannot be read; encode it as application/x-www-form-urlencoded"))?;
    let args = query.into_iter().map(|(name, value)| (name, serde_json::Value::String(value))).collect();
    let tool = CATALOG.get("activity.list").expect("the log has a list");
    let filter = activity::export_filter(tool.accept(serde_json::Value::Object(args))?)?;
    gate::record_entry(&app, &call, &caller).await?;
    let lines = activity::export(app, caller.site.id, filter).map_err(std::io::Error::other);
    Ok(Response::builder()
        .content_type("application/x-ndjson")
        .header("x-request-id", call.request.as_str())
        .header("content-disposition", "attachment; filename=\"activity.ndjson\"")
        .body(Body::from_bytes_stream(lines.map_ok(bytes::Bytes::from))))
}

/// `GET /api/v1/jobs/<id>/errors`: the rows that an import could not take, as CSV that imports again once mended.
pub(super) async fn job_errors(app: Arc<App>, request: Request) -> poem::Result<Response> {
    let (call, _) = call::of(&app, &request, "jobs.errors");
    let caller = gate::enter(&app, &call, None, Kind::Read).await?;
    let id = JobId::parse(request.raw_path_param("id").unwrap_or_default())
        .map_err(|_| Error::new(Code::InvalidId, "The job's id is mistyped. Copy it from an answer of this API."))?;
    let row = app.jobs.get(app.db.read(), caller.site.id.number(), id.as_str()).await.map_err(Error::from)?;
    let own = row.is_some_and(|row| row.key_id.as_deref() == Some(caller.key.id.as_str()));
    let path = blocklist::error_file(&app.config, caller.site.id, &id);
    let file = match own {
        true => tokio::fs::File::open(path).await.ok(),
        false => None,
    };
    let file = file.ok_or_else(|| {
        Error::new(Code::JobNotFound, format!("This key has started no job {id}, or it has no bad rows to show."))
    })?;
    gate::record_entry(&app, &call, &caller).await?;
    Ok(Response::builder()
        .content_type("text/csv; charset=utf-8")
        .header("x-request-id", call.request.as_str())
        .header("content-disposition", format!("attachment; filename=\"{id}-errors.csv\""))
        .body(Body::from_bytes_stream(ReaderStream::new(file))))
}
