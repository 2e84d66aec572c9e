//! The one way into a tool, whatever the surface: who calls, may they, how often, with what; then the tool, its record
//! and the answer.
//!
//! The order of the checks is the contract's: key, tool, scope, budget, arguments. A reading tool's record is committed
//! before its answer leaves. A writing tool is one transaction: what it writes, its record, the stored answer and the
//! jobs it accepted are committed together or not at all. A call runs on a task of its own, so that a client that goes
//! away leaves nothing half-done and a panic is one call's `internal`.

mod admit;
mod budget;
pub mod caps;
mod cx;
mod door;
pub mod idempotency;
mod limits;
mod record;
mod redact;
mod unchanged;
mod write;

use std::{net::IpAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use admit::{authenticate, let_in, unknown_tool};
pub use budget::{Bucket, Budgets, Standing};
pub use cx::{Caller, Cx};
pub use door::{Door, invalid_key};
use futures_util::FutureExt as _;
pub use limits::Limits;
pub use record::{entry, record_entry, record_refusal};
use record::{look, record, rejected};
use serde_json::Value;

use crate::{
    app::App,
    areas::activity::{ActivityStatus, Surface},
    background::Place,
    error::{Code, Error, Result},
    tools::{CATALOG, Kind, ToolInfo},
    values::{RequestId, Time},
};

/// Where the gate keeps what it knows between calls.
pub struct Gate {
    door: Door,
    limits: Limits,
    throttle: limits::Throttle,
    in_progress: idempotency::InProgress,
}

impl Gate {
    /// A gate that knows nothing yet.
    pub fn new(limits: Limits, unknown_keys_per_minute: u32) -> Self {
        Self {
            door: Door::default(),
            limits,
            throttle: limits::Throttle::new(unknown_keys_per_minute),
            in_progress: idempotency::InProgress::default(),
        }
    }

    /// Counts a guess at a secret, which an unknown key is too; after how many seconds the next is looked at if there
    /// were too many from this address.
    pub fn guess(&self, address: IpAddr, now: Time) -> Result<(), u64> {
        self.throttle.count(address, now)
    }
}

/// One call, from whatever surface.
pub struct Call {
    /// The request.
    pub request: RequestId,
    /// When it came in.
    pub at: Time,
    /// When it came in, by the clock that measures durations.
    pub started: std::time::Instant,
    /// How it came in.
    pub surface: Surface,
    /// The tool's name, as asked for.
    pub tool: String,
    /// The text of the key.
    pub bearer: Option<String>,
    /// The host name that was called.
    pub host: Option<String>,
    /// The client's address.
    pub address: IpAddr,
    /// The Idempotency-Key.
    pub idempotency_key: Option<String>,
    /// How long to wait for the end of a job that the call starts; as long as its tool does, unless it says so.
    pub wait: Option<Duration>,
}

impl Call {
    /// How long it waits for the end of a job that it starts.
    pub fn waits(&self) -> Duration {
        let of_tool = || CATALOG.get(&self.tool).map_or(Duration::ZERO, |tool| tool.definition.wait);
        self.wait.unwrap_or_else(of_tool)
    }
}

/// What a call asks for.
#[derive(Debug, Default)]
pub struct Input {
    /// The arguments.
    pub args: Value,
    /// Whether nothing is to happen.
    pub dry_run: bool,
    /// Where it was read and is checked, if it is so large that this takes over a millisecond.
    pub place: Option<Place>,
}

/// What a call gets.
#[derive(Debug)]
pub struct Answer {
    /// The body, as it is sent and stored.
    pub body: String,
    /// Why there is no result.
    pub code: Option<Code>,
    /// Whether it is the tool's own word, which HTTP says with status 200.
    pub by_tool: bool,
    /// After how many seconds another try is worth it.
    pub retry_after_s: Option<u64>,
    /// How the tightest budget of the key stands.
    pub standing: Option<(Standing, Budgets)>,
    /// Whether it was given before.
    pub replayed: bool,
    /// Whether the end of a job was waited for.
    pub waited: bool,
    /// Who called, if that is known.
    pub caller: Option<Caller>,
}

/// How far a call got.
struct Progress {
    caller: Option<Caller>,
    standing: Option<(Standing, Budgets)>,
    args: Option<String>,
}

/// How a tool ended.
struct Done {
    body: String,
    code: Option<Code>,
    /// Of a refusal that is made now; one that is replayed would tell of an earlier moment.
    retry_after_s: Option<u64>,
    replayed: bool,
    waited: bool,
}

/// Lets a call in, runs its tool and records it. `input` is read only once the caller is let in.
pub async fn call(app: &Arc<App>, call: Call, input: impl Future<Output = Result<Input>>) -> Answer {
    let mut progress = Progress { caller: None, standing: None, args: None };
    let outcome = admitted(app, &call, input, &mut progress).await;
    count(&call, outcome.as_ref().map_or_else(|error| Some(error.code()), |done| done.code));
    let standing = progress.standing;
    match outcome {
        Ok(done) => Answer {
            body: done.body,
            code: done.code,
            by_tool: true,
            retry_after_s: done.retry_after_s,
            standing,
            replayed: done.replayed,
            waited: done.waited,
            caller: progress.caller,
        },
        Err(error) => rejected(app, &call, error, progress).await,
    }
}

/// Counts a call, for `/metrics`.
fn count(call: &Call, code: Option<Code>) {
    let tool = CATALOG.get(&call.tool).map_or("unknown", |tool| tool.definition.name);
    metrics::counter!("usher_calls_total", "tool" => tool, "code" => code.map_or("ok", Code::name)).increment(1);
    metrics::histogram!("usher_call_seconds", "tool" => tool).record(call.started.elapsed().as_secs_f64());
}

/// Records and answers a call that a surface refuses by itself, such as one with the wrong method.
pub async fn refuse(app: &Arc<App>, call: Call, error: Error) -> Answer {
    let mut progress = Progress { caller: None, standing: None, args: None };
    if let Ok(caller) = authenticate(app, &call).await {
        progress.caller = Some(caller);
    }
    rejected(app, &call, error, progress).await
}

/// Lets somebody in who does not call a tool: for an upload, an export or a stream of events. Uses the budget of
/// `kind`. Gives who it is as well when it lets nobody in.
pub async fn enter(
    app: &Arc<App>,
    call: &Call,
    scope: Option<crate::tools::Scope>,
    kind: Kind,
) -> (Result<Caller>, Option<(Standing, Budgets)>, Option<Caller>) {
    let mut progress = Progress { caller: None, standing: None, args: None };
    let caller = match authenticate(app, call).await {
        Ok(caller) => caller,
        Err(error) => return (Err(error), None, None),
    };
    progress.caller = Some(caller.clone());
    let let_in = match let_in(app, call, caller.clone(), (scope, &[]), kind, &mut progress).await {
        Err(error) => Err(record_refusal(app, call, &caller, error).await),
        let_in => let_in,
    };
    let standing = match progress.standing {
        None => look(app, call, &caller).await,
        standing => standing,
    };
    (let_in, standing, Some(caller))
}

async fn admitted(
    app: &Arc<App>,
    call: &Call,
    input: impl Future<Output = Result<Input>>,
    progress: &mut Progress,
) -> Result<Done> {
    let caller = authenticate(app, call).await?;
    progress.caller = Some(caller.clone());
    let tool = CATALOG.get(&call.tool).ok_or_else(|| unknown_tool(&call.tool, &caller))?;
    let access = tool.definition.access;
    let caller = let_in(app, call, caller, (access.scope, access.also), access.kind, progress).await?;

    let Input { args, dry_run, place } = input.await?;
    let check = move || (redact::redacted(&args, &tool.args).to_string(), tool.accept(args));
    let (shown, args) = match place {
        Some(place) => place.run(check).await.map_err(Error::internal)?.0,
        None => check(),
    };
    progress.args = Some(shown);
    if let (Kind::Write | Kind::Generate, Some(name)) = (access.kind, &call.idempotency_key) {
        idempotency::check(name)?;
    }
    let args = args?;
    if access.kind == Kind::Read {
        // A dry run of what only reads is the same.
        return read(app, call, tool, args, caller, progress).await;
    }
    write::write(app, call, tool, Input { args, dry_run, place: None }, caller, progress).await
}

async fn read(
    app: &Arc<App>,
    call: &Call,
    tool: &'static ToolInfo,
    args: Value,
    caller: Caller,
    progress: &Progress,
) -> Result<Done> {
    let mut cx = Cx::new(app.clone(), caller, call, None);
    // On the caller's task: a read that nobody waits for any more has nothing that it could leave half-done.
    let outcome = AssertUnwindSafe(tool.definition.run(args, &mut cx)).catch_unwind().await;
    let outcome = outcome.map_err(|_| Error::internal("the tool panicked"))?;
    let member = cx.member;
    let (done, status, error) = match outcome {
        Ok(result) => (
            Done { body: success(tool, &result), code: None, retry_after_s: None, replayed: false, waited: false },
            ActivityStatus::Ok,
            None,
        ),
        Err(error) if is_refusal(&error) => (refusal(call, &error), ActivityStatus::Refused, Some(error)),
        Err(error) => return Err(error),
    };
    let mut record = record(call, progress, status, error.as_ref()).expect("the caller is known");
    record.member = member;
    app.log.write(record).await?;
    Ok(done)
}

/// Runs something that a client that goes away must not stop, and that may panic.
async fn on_own_task<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T> {
    tokio::spawn(work).await.map_err(Error::internal)
}

/// Whether a failure is the tool's own word, and not that something is wrong with the call or with us.
fn is_refusal(error: &Error) -> bool {
    !matches!(error.code(), Code::Internal | Code::Unavailable | Code::InvalidArguments | Code::IdempotencyInProgress)
}

/// Whether a failure is that a text means nothing here, which the schema lets through.
fn is_word(code: Code) -> bool {
    matches!(code, Code::InvalidId | Code::InvalidTag)
}

fn success(tool: &ToolInfo, result: &impl serde::Serialize) -> String {
    #[derive(serde::Serialize)]
    struct Success<'a, R> {
        ok: bool,
        tool: &'a str,
        result: R,
    }
    serde_json::to_string(&Success { ok: true, tool: tool.definition.name, result }).expect("a result is JSON")
}

fn refusal(call: &Call, error: &Error) -> Done {
    let body = error.body(Some(&call.tool), call.request.as_str()).to_string();
    Done { body, code: Some(error.code()), retry_after_s: error.retry_after_s(), replayed: false, waited: false }
}

impl Cx {
    fn new(app: Arc<App>, caller: Caller, call: &Call, tx: Option<usher_db::Tx>) -> Self {
        Self {
            app,
            caller,
            request: call.request.clone(),
            now: call.at,
            dry_run: false,
            tx,
            member: None,
            jobs: Vec::new(),
        }
    }
}
