//! The row in the activity log of each call that was let in.

use std::sync::Arc;

use super::{Answer, Budgets, Call, Caller, Progress, Standing, is_word, limits, redact};
use crate::{
    app::App,
    areas::activity::{ActivityStatus, Actor, Record},
    error::{Code, Error, Result},
    tools::{CATALOG, Kind},
};

/// Records and answers what was not let in, or failed.
pub(super) async fn rejected(app: &Arc<App>, call: &Call, error: Error, progress: Progress) -> Answer {
    let mut error = error;
    let refused_by_tool = is_word(error.code());
    let failed = matches!(error.code(), Code::Internal | Code::Unavailable);
    if failed {
        tracing::error!(request = %call.request, tool = call.tool, ?error, "a call failed");
    }
    let status = match () {
        () if failed => ActivityStatus::Failed,
        () if refused_by_tool => ActivityStatus::Refused,
        () => ActivityStatus::Rejected,
    };
    if let Some(record) = record(call, &progress, status, Some(&error))
        && let Err(unrecorded) = app.log.write(record).await
    {
        error = unrecorded;
    }
    let standing = match (progress.standing, &progress.caller) {
        (None, Some(caller)) => look(app, call, caller).await,
        (standing, _) => standing,
    };
    let tool = CATALOG.get(&call.tool).map_or(call.tool.as_str(), |tool| tool.definition.name);
    Answer {
        body: error.body(Some(tool).filter(|tool| !tool.is_empty()), call.request.as_str()).to_string(),
        code: Some(error.code()),
        by_tool: is_word(error.code()),
        retry_after_s: error.retry_after_s(),
        standing,
        replayed: false,
        waited: false,
        caller: progress.caller,
    }
}

/// How the budgets of a caller stand who has used none of them yet.
pub(super) async fn look(app: &App, call: &Call, caller: &Caller) -> Option<(Standing, Budgets)> {
    let kind = CATALOG.get(&call.tool).map_or(Kind::Read, |tool| tool.definition.access.kind);
    let budgets = caller.site.settings.budgets;
    let ask = limits::Ask { site: caller.site.id, key: caller.key.id.clone(), kind, budgets };
    Some((app.gate.limits.look(ask).await?, budgets))
}

/// The row of a call; `None` while the caller is not known.
pub(super) fn record(
    call: &Call,
    progress: &Progress,
    status: ActivityStatus,
    error: Option<&Error>,
) -> Option<Record> {
    let caller = progress.caller.as_ref()?;
    Some(Record {
        key: Some(caller.key.id.clone()),
        args: progress.args.clone(),
        status,
        code: error.map(|error| error.code().name().into()),
        error: error.map(|error| redact::message(error.message())),
        duration_us: i64::try_from(call.started.elapsed().as_micros()).unwrap_or(i64::MAX),
        ..Record::done(
            caller.site.id,
            call.request.clone(),
            call.at,
            (Actor::Key, call.surface),
            redact::name(&call.tool),
        )
    })
}

/// Records something done that is not a tool's call, such as a download.
pub async fn record_entry(app: &App, call: &Call, caller: &Caller) -> Result<()> {
    app.log.write(entry(call, caller)).await
}

/// Records that something else than a tool's call was let in and then refused, and gives the refusal.
pub async fn record_refusal(app: &App, call: &Call, caller: &Caller, error: Error) -> Error {
    let progress = Progress { caller: Some(caller.clone()), standing: None, args: None };
    let failed = matches!(error.code(), Code::Internal | Code::Unavailable);
    let status = if failed { ActivityStatus::Failed } else { ActivityStatus::Rejected };
    let record = record(call, &progress, status, Some(&error)).expect("the caller is known");
    match app.log.write(record).await {
        Ok(()) => error,
        Err(unrecorded) => unrecorded,
    }
}

/// The row of something done that is not a tool's call.
pub fn entry(call: &Call, caller: &Caller) -> Record {
    let progress = Progress { caller: Some(caller.clone()), standing: None, args: None };
    record(call, &progress, ActivityStatus::Ok, None).expect("the caller is known")
}
