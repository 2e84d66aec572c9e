//! A writing call: one transaction for all that it does.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json, value::RawValue};
use usher_db::Change;

use super::{
    Call, Caller, Cx, Done, Input, Progress, caps,
    cx::Started,
    idempotency::{self, Scope, Stored},
    is_refusal, limits, on_own_task, record, redact, success, unchanged,
};
use crate::{
    app::App,
    areas::{
        activity::{self, ActivityStatus, Record, changes_json},
        jobs::JobView,
    },
    error::{Code, Error, Result},
    tools::ToolInfo,
    values::SiteId,
};

/// Everything that the call's own task needs.
struct Job {
    app: Arc<App>,
    tool: &'static ToolInfo,
    cx: Cx,
    args: Value,
    dry_run: bool,
    record: Record,
    keep: Option<(Scope, Vec<u8>)>,
    started: std::time::Instant,
}

enum End {
    Done(Done, Vec<Started>),
    Replay(Stored),
}

pub(super) async fn write(
    app: &Arc<App>,
    call: &Call,
    tool: &'static ToolInfo,
    input: Input,
    caller: Caller,
    progress: &Progress,
) -> Result<Done> {
    let Input { args, dry_run, .. } = input;
    let scope = scope(call, &caller, dry_run);
    let fingerprint = idempotency::fingerprint(tool.definition.name, &args);
    let keep = match scope.clone() {
        Some(scope) => {
            let working = app.gate.in_progress.begin(scope.clone())?;
            Some((scope, working))
        }
        None => None,
    };
    // Until the answer is there: whoever sends the call again meanwhile must not get another one.
    let (keep, working) =
        keep.map_or((None, None), |(scope, working)| (Some((scope, fingerprint.clone())), Some(Arc::new(working))));
    let mut record = record(call, progress, ActivityStatus::Ok, None).expect("the caller is known");
    record.dry_run = dry_run;
    let ask = limits::Ask {
        site: caller.site.id,
        key: caller.key.id.clone(),
        kind: tool.definition.access.kind,
        budgets: caller.site.settings.budgets,
    };
    let mut job = Job {
        app: app.clone(),
        tool,
        cx: Cx::new(app.clone(), caller, call, None),
        args,
        dry_run,
        record: record.clone(),
        keep,
        started: call.started,
    };
    job.cx.dry_run = dry_run;
    let held = working.clone();
    let ran = on_own_task(async move {
        let end = job.run().await;
        drop(held);
        end
    });
    match ran.await?? {
        End::Done(mut done, started) => {
            let wait = call.waits();
            if !started.is_empty() && !wait.is_zero() {
                await_jobs(app, tool, wait, (record.site, scope.as_ref()), started, &mut done).await?;
            }
            Ok(done)
        }
        End::Replay(stored) => {
            app.gate.limits.give_back(ask).await;
            if stored.fingerprint != fingerprint {
                return Err(Error::new(
                    Code::IdempotencyKeyReused,
                    "This Idempotency-Key was used for another call. Use a new one for each new call.",
                ));
            }
            record.replayed = true;
            app.log.write(record).await?;
            let code = code_of(&stored.answer);
            Ok(Done { body: stored.answer, code, retry_after_s: None, replayed: true, waited: false })
        }
    }
}

impl Job {
    async fn run(mut self) -> Result<End> {
        let mut tx = self.app.db.begin().await?;
        if let Some((scope, _)) = &self.keep {
            idempotency::hold(&mut tx, scope).await?;
            if let Some(stored) = idempotency::find(tx.conn(), scope, &self.app.sealer).await? {
                tx.rollback().await?;
                return Ok(End::Replay(stored));
            }
            // A refusal is kept too, without what the tool wrote before it.
            tx.mark().await?;
        }
        self.cx.tx = Some(tx);
        let outcome = self.act().await;
        let tx = self.cx.tx.take().expect("the transaction is still open");
        self.record.member = self.cx.member.clone();
        self.record.job = self.cx.job_id();
        match outcome {
            Ok(result) => self.succeed(tx, result).await,
            Err(error) if is_refusal(&error) => self.refuse(tx, &error).await,
            Err(error) => {
                tx.rollback().await?;
                Err(error)
            }
        }
    }

    async fn act(&mut self) -> Result<Value> {
        if self.tool.definition.access.destructive {
            caps::destroy(&mut self.cx).await?;
        }
        let mut args = self.args.take();
        let seen = unchanged::take(&mut args)?;
        let result = self.tool.definition.run(args, &mut self.cx).await?;
        if let (Some(thing), Some(seen)) = (self.tool.definition.changes, seen) {
            unchanged::check(&mut self.cx, thing, seen, &result)?;
        }
        Ok(result)
    }

    async fn succeed(mut self, tx: usher_db::Tx, result: Value) -> Result<End> {
        let changes = tx.changes().to_vec();
        self.record.changes = Record::changes_of(&changes);
        self.record.duration_us = elapsed(self.started);
        if self.dry_run {
            tx.rollback().await?;
            self.app.log.write(self.record).await?;
            let body = dry(self.tool, &result, &changes);
            return Ok(End::Done(
                Done { body, code: None, retry_after_s: None, replayed: false, waited: false },
                Vec::new(),
            ));
        }
        let done =
            Done { body: success(self.tool, &result), code: None, retry_after_s: None, replayed: false, waited: false };
        self.keep_and_commit(tx, &done).await?;
        Ok(End::Done(done, self.cx.jobs))
    }

    async fn refuse(mut self, mut tx: usher_db::Tx, error: &Error) -> Result<End> {
        let body = error.body(Some(self.tool.definition.name), self.record.id.as_str()).to_string();
        let done = Done {
            body,
            code: Some(error.code()),
            retry_after_s: error.retry_after_s(),
            replayed: false,
            waited: false,
        };
        self.record.status = ActivityStatus::Refused;
        self.record.code = Some(error.code().name().into());
        self.record.error = Some(redact::message(error.message()));
        self.record.duration_us = elapsed(self.started);
        self.record.job = None;
        if self.keep.is_some() {
            tx.undo().await?;
            self.keep_and_commit(tx, &done).await?;
        } else {
            tx.rollback().await?;
            self.app.log.write(self.record).await?;
        }
        Ok(End::Done(done, Vec::new()))
    }

    async fn keep_and_commit(&self, mut tx: usher_db::Tx, done: &Done) -> Result<()> {
        activity::store::insert(tx.conn(), [(&self.record, 1)]).await?;
        if let Some((scope, fingerprint)) = &self.keep {
            let answer = match done.code {
                None => kept(&self.app, self.tool, scope, &done.body),
                Some(_) => done.body.clone(),
            };
            let stored = Stored { fingerprint: fingerprint.clone(), answer };
            idempotency::keep(tx.conn(), scope, &stored, &self.record.id, self.record.at).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Waits for the ends of the jobs that a call started, and answers with them. What it waits for all together is as long
/// as for one.
async fn await_jobs(
    app: &Arc<App>,
    tool: &ToolInfo,
    wait: Duration,
    (site, scope): (SiteId, Option<&Scope>),
    started: Vec<Started>,
    done: &mut Done,
) -> Result<()> {
    let begun = std::time::Instant::now();
    let mut answer: Value = serde_json::from_str(&done.body).map_err(Error::internal)?;
    for Started { place, row } in started {
        // A program that is to stop does not wait: its last answers say how the jobs stand.
        let left = wait.saturating_sub(begun.elapsed());
        let ended = tokio::select! {
            ended = app.jobs.wait(row.site, &row.id, left) => ended?,
            () = app.stopping.cancelled() => app.jobs.wait(row.site, &row.id, Duration::ZERO).await?,
        };
        let Some(row) = ended else { continue };
        done.waited = true;
        let Some(part) = answer["result"].pointer_mut(&place) else { continue };
        for name in tool.definition.lifts {
            // A job that failed has no result, but its progress says how far it came.
            let value = row.result.as_ref().and_then(|result| result.get(*name)).or_else(|| row.progress.get(*name));
            if let Some(value) = value {
                part[*name] = value.clone();
            }
        }
        part["job"] = JobView::from_row(row)?.json();
    }
    if done.waited {
        tool.definition.renew(app, site, &mut answer["result"]).await?;
    }
    done.body = success(tool, &answer["result"]);
    if let Some(scope) = scope {
        let mut tx = app.db.begin().await?;
        idempotency::replace(tx.conn(), scope, &kept(app, tool, scope, &done.body)).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What was done, as it is kept: sealed if it gives a secret.
fn kept(app: &App, tool: &ToolInfo, scope: &Scope, body: &str) -> String {
    match tool.definition.gives_secret {
        true => idempotency::sealed(scope, &app.sealer, body),
        false => body.to_owned(),
    }
}

fn scope(call: &Call, caller: &Caller, dry_run: bool) -> Option<Scope> {
    let name = call.idempotency_key.as_ref()?;
    // Nothing happens in a dry run, so there is nothing to do only once.
    let scope = || Scope { site: caller.site.id, key: caller.key.id.clone(), name: name.as_str().into() };
    (!dry_run).then(scope)
}

/// The answer to a dry run: the result as it would be, and what would be written.
fn dry(tool: &ToolInfo, result: &Value, changes: &[Change]) -> String {
    json!({ "ok": true, "tool": tool.definition.name, "result": result, "dryRun": true, "changes": changes_json(changes) })
        .to_string()
}

/// The code in an answer that was kept.
fn code_of(answer: &str) -> Option<Code> {
    #[derive(serde::Deserialize)]
    struct Kept<'a> {
        #[serde(borrow)]
        code: Option<&'a str>,
        #[serde(borrow)]
        #[expect(dead_code, reason = "skipped without being read")]
        result: Option<&'a RawValue>,
    }
    let kept: Kept<'_> = serde_json::from_str(answer).ok()?;
    Code::ALL.iter().copied().find(|code| Some(code.name()) == kept.code)
}

fn elapsed(started: std::time::Instant) -> i64 {
    i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX)
}
