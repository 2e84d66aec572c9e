//! A job's progress as Server-Sent Events (HTML Living Standard, section 9.2).

use std::{sync::Arc, time::Duration};

use futures_util::stream;
use poem::{
    IntoResponse as _, Request, Response,
    web::sse::{Event, SSE},
};

use super::Entrance;
use crate::{
    app::App,
    areas::jobs::JobView,
    error::{Code, Error, Result},
    gate::{self, Call, Caller},
    tools::addresses,
    values::JobId,
};

/// How often a job is looked at that another process works on.
const LOOK: Duration = Duration::from_millis(500);

/// How often a comment keeps the connection alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) const ENTRANCE: Entrance = Entrance {
    address: &addresses::JOB_EVENTS,
    handle: |app, request, call, caller| Box::pin(follow(app, request, call, caller)),
};

/// `progress` for each change, and `end` with the job as it ended, after which the stream ends.
async fn follow(app: Arc<App>, request: Request, call: Arc<Call>, caller: Caller) -> Result<Response> {
    let text = request.raw_path_param("job").unwrap_or_default();
    let id = JobId::parse(text)
        .map_err(|_| Error::new(Code::InvalidId, "The job's id is mistyped. Copy it from an answer of this API."))?;
    let (site, key) = (caller.site.id.number(), caller.key.id.to_string());
    let first = app.jobs.get(app.db.read(), site, id.as_str()).await.map_err(Error::from)?;
    let first = first
        .filter(|row| row.key_id.as_deref() == Some(&key))
        .ok_or_else(|| Error::new(Code::JobNotFound, format!("This key has started no job {id}, or it is gone.")))?;
    gate::record_entry(&app, &call, &caller).await?;

    struct State {
        app: Arc<App>,
        site: i64,
        id: JobId,
        next: Option<JobView>,
        changes: tokio::sync::broadcast::Receiver<usher_jobs::Changed>,
        shown: String,
    }
    let state = State {
        changes: app.jobs.changed(),
        app,
        site,
        id,
        next: Some(JobView::from_row(first)?),
        shown: String::new(),
    };
    let events = stream::unfold(Some(state), |state| async {
        let mut state = state?;
        loop {
            let job = match state.next.take() {
                Some(job) => job,
                None => {
                    // Wakes for changes of this process; those of others are found by looking.
                    tokio::select! {
                        _ = tokio::time::timeout(LOOK, state.changes.recv()) => {}
                        // The client comes back, to a server that stays.
                        () = state.app.stopping.cancelled() => return None,
                    }
                    let row = state.app.jobs.get(state.app.db.read(), state.site, state.id.as_str()).await.ok()??;
                    JobView::from_row(row).ok()?
                }
            };
            let text = job.json().to_string();
            if job.is_over() {
                return Some((Event::message(text).event_type("end"), None));
            }
            if text != state.shown {
                state.shown.clone_from(&text);
                return Some((Event::message(text).event_type("progress"), Some(state)));
            }
        }
    });
    Ok(SSE::new(events).keep_alive(KEEP_ALIVE).into_response())
}
