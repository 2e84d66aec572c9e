//! The HTTP API: one endpoint for all tools, and what is not a tool (uploads, events, exports, documents, health).
//! Every failure, whoever notices it, is the envelope of the contract with an `X-Request-Id`.

mod address;
mod call;
mod compress;
mod documents;
mod envelope;
mod events;
mod export;
mod health;
mod page;
mod serve;
mod sign_in;
mod status;
mod unsubscribe;
mod uploads;
mod webhooks;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
pub use health::{metrics_endpoint, start_metrics};
use http::{Method, StatusCode};
use poem::{
    Endpoint, EndpointExt as _, IntoResponse as _, Request, Response, Route,
    endpoint::make,
    error::{MethodNotAllowedError, NotFoundError},
    get,
    middleware::CatchPanic,
    post,
};
pub use serve::serve;
pub use status::status;

use crate::{
    app::App,
    error::{Code, Error, Result},
    gate::{self, Call, Caller},
    tools::{
        CATALOG,
        addresses::{self, Address, Opens},
    },
    values::RequestId,
};

/// Where tools are called.
pub const TOOLS: &str = "/api/v1/tools/";

/// How long a call may take, besides what it waits for a job's end. A body may take half of it to arrive.
const LONGEST: Duration = Duration::from_secs(60);

/// Every route.
pub fn endpoint(app: Arc<App>) -> impl Endpoint<Output = Response> {
    let with = |handler: fn(Arc<App>, Request) -> Handled| {
        let app = app.clone();
        make(move |request| handler(app.clone(), request))
    };
    let entrance = |entrance: Entrance| {
        let app = app.clone();
        make(move |request| enter(app.clone(), request, entrance))
    };
    let panicked = app.clone();
    let around = app.clone();
    Route::new()
        .at("/api/v1/tools/:tool", with(|app, request| Box::pin(call_tool(app, request))))
        .at(uploads::ENTRANCE.address.route(), post(entrance(uploads::ENTRANCE)))
        .at(events::ENTRANCE.address.route(), get(entrance(events::ENTRANCE)))
        .at(export::JOB_ERRORS.address.route(), get(entrance(export::JOB_ERRORS)))
        .at(export::JOB_FILE.address.route(), get(entrance(export::JOB_FILE)))
        .at(export::BLOCKLIST.address.route(), get(entrance(export::BLOCKLIST)))
        .at(export::ACTIVITY.address.route(), get(entrance(export::ACTIVITY)))
        .at("/webhooks/stripe/:site", with(|app, request| Box::pin(webhooks::stripe(app, request))))
        .at("/webhooks/mail/:site", with(|app, request| Box::pin(webhooks::mail(app, request))))
        .at("/unsubscribe/*token", with(|app, request| Box::pin(unsubscribe::page(app, request))))
        .at("/sign-in/:token", with(|app, request| Box::pin(sign_in::page(app, request))))
        .at(addresses::KEY_SET.path, get(with(|app, request| Box::pin(sign_in::key_set(app, request)))))
        .at(addresses::ALIVE.path, get(make(|_| async { health::alive() })))
        .at(addresses::READY.path, get(with(|app, _| Box::pin(health::ready(app)))))
        .at("/metrics", get(with(|app, request| Box::pin(health::metrics_for_token(app, request)))))
        .nest_no_strip("/", documents::routes())
        .around(move |endpoint, request| {
            let app = around.clone();
            async move {
                let (method, path) = (request.method().clone(), request.uri().path().to_owned());
                let mut response = match endpoint.call(request).await {
                    Ok(response) => response.into_response(),
                    Err(error) => routing(&app, &method, &path, error),
                };
                if !response.headers().contains_key("x-request-id") {
                    envelope::identify(response.headers_mut(), &app.clock.id());
                }
                Ok::<_, poem::Error>(response)
            }
        })
        .with(CatchPanic::new().with_handler(move |_| {
            let error = Error::internal("a handler panicked");
            envelope::failure(&error, None, &panicked.clock.id())
        }))
        .map_to_response()
}

type Handled = BoxFuture<'static, poem::Result<Response>>;

type Entered = BoxFuture<'static, Result<Response>>;

/// What is let in by the gate and is not a tool.
#[derive(Clone, Copy)]
struct Entrance {
    address: &'static Address,
    /// What is done for whom is let in; it records itself when it succeeds.
    handle: fn(Arc<App>, Request, Arc<Call>, Caller) -> Entered,
}

/// Lets a request in, and answers it with its own id and its key's budget, whatever becomes of it.
async fn enter(app: Arc<App>, request: Request, entrance: Entrance) -> poem::Result<Response> {
    let Address { name, opens, .. } = *entrance.address;
    let Opens::Keys(scope, kind) = opens else { unreachable!("{name} lets anybody in, and is no entrance") };
    let (call, _) = call::of(&app, &request, name);
    let call = Arc::new(call);
    let (let_in, standing, caller) = gate::enter(&app, &call, scope, kind).await;
    let answer = match let_in {
        Err(error) => Err(error),
        Ok(caller) => match (entrance.handle)(app.clone(), request, call.clone(), caller.clone()).await {
            Err(error) => Err(gate::record_refusal(&app, &call, &caller, error).await),
            answered => answered,
        },
    };
    let code = answer.as_ref().err().map(Error::code);
    let mut response = match answer {
        Ok(response) => response,
        Err(error) => {
            if error.code() == Code::Internal {
                tracing::error!(request = %call.request, what = name, ?error, "a request failed");
            }
            envelope::failure(&error, None, &call.request)
        }
    };
    envelope::identify(response.headers_mut(), &call.request);
    if let Some((standing, budgets)) = &standing {
        envelope::budget(response.headers_mut(), standing, budgets);
    }
    log(&call.request, (name, code), response.status(), call.started, caller.as_ref());
    Ok(response)
}

/// One line for each call, also for one that is refused: never an address, an argument or a body.
fn log(
    request: &RequestId,
    (tool, code): (&str, Option<Code>),
    status: StatusCode,
    started: std::time::Instant,
    caller: Option<&Caller>,
) {
    tracing::info!(
        tool,
        code = code.map_or("ok", Code::name),
        status = status.as_u16(),
        ms = started.elapsed().as_secs_f64() * 1000.0,
        %request,
        key = caller.map(|caller| caller.key.id.as_str()),
        site = caller.map(|caller| caller.site.id.number()),
        "call"
    );
}

async fn call_tool(app: Arc<App>, mut request: Request) -> poem::Result<Response> {
    let tool = request.raw_path_param("tool").unwrap_or_default().to_owned();
    let (call, preferences) = call::of(&app, &request, &tool);
    let (id, started, encoding) = (call.request.clone(), call.started, compress::Encoding::of(request.headers()));
    // What is no tool may be anything, an address too.
    let name = CATALOG.get(&tool).map_or("unknown", |tool| tool.definition.name);
    let answer = if request.method() == Method::POST {
        let headers = request.headers().clone();
        let limit = LONGEST + call.waits();
        let input = call::input(headers, request.take_body());
        match tokio::time::timeout(limit, gate::call(&app, call, input)).await {
            Ok(answer) => answer,
            Err(_) => {
                let error =
                    Error::unavailable("The call took too long; the database may be away. Try again in a moment.");
                let response = envelope::failure(&error, Some(&tool), &id);
                log(&id, (name, Some(error.code())), response.status(), started, None);
                return Ok(response);
            }
        }
    } else {
        let text = format!(
            "{} does not work here. Call it as: curl -X POST -H 'Authorization: Bearer usher_…' -H 'Content-Type: \
             application/json' -d '{{\"args\":{{}}}}' {TOOLS}{tool}",
            request.method()
        );
        gate::refuse(&app, call, Error::new(Code::MethodNotAllowed, text)).await
    };
    let (code, caller) = (answer.code, answer.caller.clone());
    let response = envelope::response(answer, &id, preferences, encoding);
    log(&id, (name, code), response.status(), started, caller.as_ref());
    Ok(response)
}

/// poem's own errors, as the API says errors.
fn routing(app: &App, method: &Method, path: &str, error: poem::Error) -> Response {
    let request = app.clock.id();
    let told = if error.is::<NotFoundError>() {
        let text = format!("Nothing is at {path}. See /docs, or call tools at {TOOLS}<name>.");
        Error::new(Code::NotFound, text)
    } else if error.is::<MethodNotAllowedError>() {
        Error::new(Code::MethodNotAllowed, format!("{method} does not work at {path}. See /docs."))
    } else {
        match error.downcast::<Error>() {
            Ok(ours) => ours,
            Err(error) => Error::internal(error.to_string()),
        }
    };
    if told.code() == Code::Internal {
        tracing::error!(%request, path, error = ?told, "a request failed");
    }
    let mut response = envelope::failure(&told, None, &request);
    if told.code() == Code::MethodNotAllowed {
        let allowed = if path == addresses::UPLOAD.path { "POST" } else { "GET" };
        response.headers_mut().insert(http::header::ALLOW, http::HeaderValue::from_static(allowed));
    }
    response
}
