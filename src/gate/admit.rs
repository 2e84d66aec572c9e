//! Who calls, and may they: the key, the scope and the budget, decided on what is in the database now.

use std::sync::Arc;

use super::{Bucket, Call, Caller, Progress, Standing, door::invalid_key, limits, redact};
use crate::{
    app::App,
    areas::keys,
    error::{Code, Detail, Error, Result},
    tools::{CATALOG, Kind, Scope},
};

pub(super) async fn authenticate(app: &Arc<App>, call: &Call) -> Result<Caller> {
    let unknown = |error: Error| match app.gate.throttle.count(call.address, call.at) {
        Err(seconds) if error.code() == Code::InvalidKey => too_many_unknown_keys(seconds),
        _ => error,
    };
    let Some(presented) = call.bearer.as_deref().and_then(keys::parse) else { return Err(unknown(invalid_key())) };
    let caller = match app.gate.door.caller(&app.db, &presented, call.at).await {
        Err(error) if error.code() == Code::InvalidKey => return Err(unknown(error)),
        other => other?,
    };
    if let Some(host) = &call.host
        && app.gate.door.site_of(&app.db, host).await?.is_some_and(|site| site != caller.site.id)
    {
        return Err(unknown(invalid_key()));
    }
    Ok(caller)
}

fn too_many_unknown_keys(seconds: u64) -> Error {
    Error::new(
        Code::RateLimited,
        "Too many calls with unknown keys came from this address. Check the key, then try again.",
    )
    .with(Detail::Limit("unknown_keys"))
    .retry_after(seconds)
}

/// Scope and budget, decided on the key as it is in the database now.
pub(super) async fn let_in(
    app: &Arc<App>,
    call: &Call,
    mut caller: Caller,
    (scope, also): (Option<Scope>, &[Scope]),
    kind: Kind,
    progress: &mut Progress,
) -> Result<Caller> {
    let presented = call.bearer.as_deref().and_then(keys::parse).ok_or_else(invalid_key)?;
    let lacks = |caller: &Caller| {
        let mut needed = scope.into_iter().chain(also.iter().copied());
        needed.find(|scope| !caller.key.scopes.has(*scope))
    };
    if lacks(&caller).is_some() {
        // What is remembered may be old: a refusal is decided on what is true now.
        caller = app.gate.door.read(&app.db, &presented, call.at).await?;
        if let Some(scope) = lacks(&caller) {
            return Err(missing_scope(&caller, scope));
        }
    }
    let ask =
        limits::Ask { site: caller.site.id, key: caller.key.id.clone(), kind, budgets: caller.site.settings.budgets };
    let mut admission = app.gate.limits.take(ask.clone()).await?;
    if admission.revision != caller.site.revision {
        caller = app.gate.door.read(&app.db, &presented, call.at).await?;
        progress.caller = Some(caller.clone());
        if let Some(scope) = lacks(&caller) {
            app.gate.limits.give_back(ask).await;
            return Err(missing_scope(&caller, scope));
        }
        if caller.site.settings.budgets != ask.budgets {
            if admission.standing.is_ok() {
                app.gate.limits.give_back(ask.clone()).await;
            }
            admission = app.gate.limits.take(limits::Ask { budgets: caller.site.settings.budgets, ..ask }).await?;
        }
    }
    let budgets = caller.site.settings.budgets;
    match admission.standing {
        Ok(standing) => progress.standing = Some((standing, budgets)),
        Err(standing) => {
            progress.standing = Some((standing, budgets));
            return Err(rate_limited(standing));
        }
    }
    Ok(caller)
}

pub(super) fn unknown_tool(name: &str, caller: &Caller) -> Error {
    let like = CATALOG.like(name, caller.key.scopes);
    let hint = match like.first() {
        Some(best) => format!("Did you mean {best}?"),
        None => "GET /openapi.json or call tools.list for the names.".into(),
    };
    let name = redact::name(name);
    Error::new(Code::UnknownTool, format!("There is no tool {name:?}. {hint}")).with(Detail::DidYouMean(like))
}

fn missing_scope(caller: &Caller, scope: Scope) -> Error {
    let name = scope.name();
    let text =
        format!("The key {:?} lacks the scope {name}. Add it to the key, or use one that has it.", caller.key.name);
    Error::new(Code::MissingScope, text).with(Detail::Scope(name))
}

fn rate_limited(standing: Standing) -> Error {
    let Standing { bucket, quota, reset_s, .. } = standing;
    let per = if bucket == Bucket::Generations { "day" } else { "minute" };
    let text = format!("The key has used its {quota} {} per {per}. Try again in {reset_s} s.", bucket.name());
    Error::new(Code::RateLimited, text).with(Detail::Limit(bucket.name())).retry_after(reset_s)
}
