//! The HTTP API: one endpoint for all tools, and what is not a tool (uploads, events, exports, documents, health).
//! Every failure, whoever notices it, is the envelope of the contract with an `X-Request-Id`.

mod address;
mod call;
mod documents;
mod envelope;
mod events;
mod export;
mod health;
mod serve;
mod status;
mod uploads;

use std::sync::Arc;

pub use health::start_metrics;
use http::Method;
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
    error::{Code, Error},
    gate,
};

/// Where tools are called.
pub const TOOLS: &str = "/api/v1/tools/";

/// Every route.
pub fn endpoint(app: Arc<App>) -> impl Endpoint<Output = Response> {
    let with = |handler: fn(Arc<App>, Request) -> Handled| {
        let app = app.clone();
        make(move |request| handler(app.clone(), request))
    };
    let panicked = app.clone();
    let around = app.clone();
    Route::new()
        .at("/api/v1/tools/:tool", with(|app, request| Box::pin(call_tool(app, request))))
        .at("/api/v1/uploads", post(with(|app, request| Box::pin(uploads::receive(app, request)))))
        .at("/api/v1/jobs/:id/events", get(with(|app, request| Box::pin(events::follow(app, request)))))
        .at("/api/v1/jobs/:id/errors", get(with(|app, request| Box::pin(export::job_errors(app, request)))))
        .at("/api/v1/activity/export", get(with(|app, request| Box::pin(export::activity(app, request)))))
        .at("/healthz", get(make(|_| async { health::alive() })))
        .at("/readyz", get(with(|app, _| Box::pin(health::ready(app)))))
        .at("/metrics", get(with(|app, _| Box::pin(health::metrics(app)))))
        .nest_no_strip("/", documents::routes())
        .around(move |endpoint, request| {
            let app = around.clone();
            async move {
                let (method, path) = (request.method().clone(), request.uri().path().to_owned());
                match endpoint.call(request).await {
                    Ok(response) => Ok(response.into_response()),
                    Err(error) => Ok(routing(&app, &method, &path, error)),
                }
            }
        })
        .with(CatchPanic::new().with_handler(move |_| {
            let error = Error::internal("a handler panicked");
            envelope::failure(&error, None, &panicked.clock.id())
        }))
        .map_to_response()
}

type Handled = futures_util::future::BoxFuture<'static, poem::Result<Response>>;

async fn call_tool(app: Arc<App>, mut request: Request) -> poem::Result<Response> {
    let tool = request.raw_path_param("tool").unwrap_or_default().to_owned();
    let (call, preferences) = call::of(&app, &request, &tool);
    let id = call.request.clone();
    let answer = if request.method() == Method::POST {
        let headers = request.headers().clone();
        gate::call(&app, call, call::input(headers, request.take_body())).await
    } else {
        let text = format!(
            "{} does not work here. Call it as: curl -X POST -H 'Authorization: Bearer usher_…' -H 'Content-Type: \
             application/json' -d '{{\"args\":{{}}}}' {TOOLS}{tool}",
            request.method()
        );
        gate::refuse(&app, call, Error::new(Code::MethodNotAllowed, text)).await
    };
    Ok(envelope::response(answer, &id, preferences))
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
        let allowed = if path == "/api/v1/uploads" { "POST" } else { "GET" };
        response.headers_mut().insert(http::header::ALLOW, http::HeaderValue::from_static(allowed));
    }
    response
}
