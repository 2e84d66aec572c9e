//! Posts webhooks, to loopback addresses only.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, time};

use crate::{
    handle::Inner,
    sign::{Dress, Signed, sign},
    webhooks::Delivery,
};

/// How long a receiver may take to answer.
const ANSWER: Duration = Duration::from_secs(30);

/// How deliveries went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flushed {
    /// Those that were answered with 2xx.
    pub delivered: usize,
    /// Those that were not.
    pub failed: usize,
}

/// Delivers what waits, and what comes up meanwhile, each once; whoever asks meanwhile waits for it.
pub async fn deliver(inner: &Arc<Inner>, wanted: impl Fn(&Delivery) -> bool) -> Flushed {
    let _turn = inner.delivering.lock().await;
    let mut flushed = Flushed::default();
    let mut first = true;
    loop {
        let (batch, parallel) = {
            let mut world = inner.world.lock();
            let batch = world.webhooks.take(|delivery| wanted(delivery) && (first || delivery.attempts == 0));
            (batch, world.webhooks.plan.parallel.max(1))
        };
        first = false;
        if batch.is_empty() {
            return flushed;
        }
        let statuses: Vec<u16> =
            stream::iter(batch).map(|delivery| one(inner, delivery)).buffer_unordered(parallel).collect().await;
        let delivered = statuses.iter().filter(|status| (200..300).contains(*status)).count();
        flushed.delivered += delivered;
        flushed.failed += statuses.len() - delivered;
    }
}

async fn one(inner: &Arc<Inner>, delivery: Delivery) -> u16 {
    let signed = {
        let world = inner.world.lock();
        let place = (delivery.endpoint_account.as_str(), delivery.endpoint.as_str());
        sign(&world.accounts, &delivery.account, &delivery.event, place, &Dress::default())
    };
    // An endpoint that is gone gets nothing, and nothing is tried again.
    let Some(signed) = signed else { return 0 };
    let status = post(&signed).await;
    let mut world = inner.world.lock();
    let world = &mut *world;
    world.webhooks.ended(&mut world.accounts, delivery, &signed.url, status, world.now);
    status
}

/// Posts a webhook and gives the status of the answer; 0 if none came.
pub async fn post(signed: &Signed) -> u16 {
    match time::timeout(ANSWER, try_post(signed)).await {
        Ok(Some(status)) => status,
        _ => 0,
    }
}

async fn try_post(signed: &Signed) -> Option<u16> {
    let url: http::Uri = signed.url.parse().ok()?;
    let host = url.host()?;
    if url.scheme_str() != Some("http") || !matches!(host, "127.0.0.1" | "localhost" | "[::1]") {
        return None;
    }
    let socket = TcpStream::connect((host.trim_matches(['[', ']']), url.port_u16().unwrap_or(80))).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.ok()?;
    let connection = tokio::spawn(connection);
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let mut request = http::Request::post(path).header("host", url.authority()?.as_str());
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(signed.body.clone()))).ok()?;
    let answer = sender.send_request(request).await.ok()?;
    let status = answer.status().as_u16();
    _ = answer.into_body().collect().await;
    connection.abort();
    Some(status)
}
