//! Whether the process lives, whether it can serve, and what it counts.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use http::StatusCode;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use poem::{Endpoint, EndpointExt as _, Request, Response, Route, endpoint::make, error::NotFoundError, get};
use serde_json::json;
use subtle::ConstantTimeEq as _;
use tokio::time::timeout;
use usher_db::Schema;

use super::{call, envelope};
use crate::{
    app::{self, App},
    error::{Code, Error},
};

/// How long the database may take to answer before it counts as away.
const READY: Duration = Duration::from_secs(2);

static METRICS: LazyLock<PrometheusHandle> = LazyLock::new(|| {
    let recorder = PrometheusBuilder::new()
        .set_buckets(&[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0])
        .expect("there are buckets")
        .build_recorder();
    let handle = recorder.handle();
    // Somebody who embeds the program may have a recorder of their own; then theirs counts.
    _ = metrics::set_global_recorder(recorder);
    handle
});

/// Begins to count.
pub fn start_metrics() {
    LazyLock::force(&METRICS);
    metrics::describe_counter!("usher_calls_total", "Calls, by tool and by error code (ok: done).");
    metrics::describe_histogram!("usher_call_seconds", "Seconds from a call's arrival to its answer, by tool.");
    metrics::describe_gauge!("usher_jobs", "Jobs, by state; failed ones can be retried.");
    metrics::describe_gauge!("usher_jobs_oldest_queued_seconds", "Seconds that the oldest waiting job is due.");
}

pub(super) fn alive() -> poem::Result<Response> {
    Ok(envelope::json(StatusCode::OK, json!({ "status": "alive" }).to_string()))
}

/// Ready: the database answers and has the schema that this program needs.
pub(super) async fn ready(app: Arc<App>) -> poem::Result<Response> {
    let problem = match timeout(READY, app::schema(&app.db)).await {
        // A newer one: it was migrated while this program ran. Migrations only add, so it goes on until its turn to be
        // replaced comes.
        Ok(Ok(Schema::Current | Schema::Ahead)) => None,
        Ok(Ok(Schema::Behind(_))) => Some("the database has to be migrated: run `usher migrate`"),
        Ok(Err(_)) | Err(_) => Some("the database does not answer"),
    };
    Ok(match problem {
        None => envelope::json(StatusCode::OK, json!({ "status": "ready" }).to_string()),
        Some(problem) => {
            let error = Error::unavailable(format!("Not ready: {problem}."));
            envelope::failure(&error, None, &app.clock.id())
        }
    })
}

/// `/metrics` and nothing else, for an address of its own.
pub fn metrics_endpoint(app: Arc<App>) -> impl Endpoint<Output = Response> {
    Route::new()
        .at("/metrics", get(make(move |_| metrics(app.clone()))))
        .map_to_response()
        .catch_all_error(|_| async { Response::builder().status(StatusCode::NOT_FOUND).body("See /metrics.\n") })
}

/// The same at the main address, for who has the token. Without one it is not there, so that nobody learns from it how
/// many members are blocked, mailed or billed.
pub(super) async fn metrics_for_token(app: Arc<App>, request: Request) -> poem::Result<Response> {
    let presented = call::bearer(request.headers()).unwrap_or_default();
    match &app.config.metrics_token {
        None => Err(NotFoundError.into()),
        Some(token) if bool::from(token.as_bytes().ct_eq(presented.as_bytes())) => metrics(app).await,
        Some(_) => {
            let text = "Send the token of USHER_METRICS_TOKEN as Authorization: Bearer.";
            Ok(envelope::failure(&Error::new(Code::InvalidKey, text), None, &app.clock.id()))
        }
    }
}

/// Counters and gauges, as Prometheus reads them.
async fn metrics(app: Arc<App>) -> poem::Result<Response> {
    if let Ok(depth) = app.jobs.depth().await {
        metrics::gauge!("usher_jobs", "state" => "queued").set(depth.queued as f64);
        metrics::gauge!("usher_jobs", "state" => "running").set(depth.running as f64);
        metrics::gauge!("usher_jobs", "state" => "failed").set(depth.dead as f64);
        metrics::gauge!("usher_jobs_oldest_queued_seconds").set(depth.oldest_us as f64 / 1e6);
    }
    METRICS.run_upkeep();
    Ok(Response::builder().content_type("text/plain; version=0.0.4; charset=utf-8").body(METRICS.render()))
}
