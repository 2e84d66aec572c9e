//! The HTTP server. Its accept loop is its own, as a fault may reset a connection or leave it without an answer.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::uri::Scheme;
use hyper::{Request as HyperRequest, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use poem::{
    Addr, Body, Endpoint, IntoResponse, Request, Response, Result, Route,
    http::StatusCode,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
    time,
};

use crate::{
    api::{Call, Reply},
    control::Control,
    faults::Fault,
    routes,
};

/// A body longer than this is refused.
const BODY_MAX: usize = 1 << 20;
/// How long a request without an answer is left alone before its connection is reset after all.
const SILENCE: Duration = Duration::from_secs(600);

/// Resets the connection of a request.
#[derive(Clone)]
struct Cut(Arc<(socket2::Socket, Notify)>);

impl Cut {
    /// The connection is gone before this returns to anybody.
    async fn reset(self) -> Response {
        // With nothing to linger for, closing sends RST instead of FIN.
        _ = self.0.0.set_linger(Some(Duration::ZERO));
        self.0.1.notify_one();
        std::future::pending().await
    }
}

/// Serves for ever.
pub async fn serve(listener: TcpListener, control: Control) {
    let app = Arc::new(Route::new().nest("/_fake", routes::routes(&control)).nest_no_strip("/v1", Stripe(control)));
    // They end with the server.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((socket, peer)) = listener.accept().await else {
            time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let local = LocalAddr(Addr::SocketAddr(socket.local_addr().unwrap_or(peer)));
        let remote = RemoteAddr(Addr::SocketAddr(peer));
        let app = app.clone();
        connections.spawn(async move {
            let Ok((socket, cut)) = twin(socket) else { return };
            let service = service_fn({
                let cut = cut.clone();
                move |mut request: HyperRequest<Incoming>| {
                    request.extensions_mut().insert(cut.clone());
                    let request = Request::from((request, local.clone(), remote.clone(), Scheme::HTTP));
                    let app = app.clone();
                    async move { Ok::<hyper::Response<_>, io::Error>(app.get_response(request).await.into()) }
                }
            });
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
            tokio::select! {
                _ = connection => {}
                () = cut.0.1.notified() => {}
            }
        });
    }
}

/// A second handle on a connection, to reset it by.
fn twin(socket: TcpStream) -> io::Result<(TcpStream, Cut)> {
    socket.set_nodelay(true)?;
    let twin = socket2::SockRef::from(&socket).try_clone()?;
    Ok((socket, Cut(Arc::new((twin, Notify::new())))))
}

/// `/v1/…`.
struct Stripe(Control);

impl Endpoint for Stripe {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let header = |name| request.header(name).map(ToOwned::to_owned);
        let call = Call {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            authorization: header("authorization"),
            account: header("stripe-account"),
            key: header("idempotency-key"),
            body: request.take_body().into_bytes_limit(BODY_MAX).await?,
        };
        let cut = request.extensions().get::<Cut>().cloned();
        // What has been asked for happens, whether or not anybody waits for the answer.
        let asked = tokio::spawn(answer(self.0.clone(), call));
        let Ok(reply) = asked.await else { return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response()) };
        self.0.inner().wake.notify_one();
        Ok(match (reply, cut) {
            (Reply::Whole { status, headers, body, html }, _) => whole(status, headers, body, html),
            (Reply::Half(body), _) => half(&body),
            (Reply::Reset, Some(cut)) => cut.reset().await,
            (Reply::Silence, Some(cut)) => {
                time::sleep(SILENCE).await;
                cut.reset().await
            }
            (_, None) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        })
    }
}

async fn answer(control: Control, call: Call) -> Reply {
    let inner = control.inner();
    let mut released = inner.released.subscribe();
    let admitted = match inner.world.lock().admit(&call) {
        Ok(admitted) => admitted,
        Err(reply) => return reply,
    };
    let held = admitted.fault == Fault::Held;
    if held {
        let refused = inner.world.lock().hold(&call, &admitted);
        if let Some(reply) = refused {
            return reply;
        }
        _ = released.changed().await;
    }
    inner.world.lock().execute(&call, &admitted, held)
}

fn whole(status: u16, headers: Vec<(&'static str, String)>, body: String, html: bool) -> Response {
    let mut response = Response::builder()
        .status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .content_type(if html { "text/html" } else { "application/json" });
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(body)
}

/// Half of what was announced, and then no connection.
fn half(body: &str) -> Response {
    let (all, half) = (body.len(), Bytes::copy_from_slice(&body.as_bytes()[..body.len() / 2]));
    let parts = stream::unfold(Some(half), |half| async {
        if let Some(half) = half {
            return Some((Ok(half), None));
        }
        // The half is on its way before the connection is cut.
        time::sleep(Duration::from_millis(20)).await;
        Some((Err(io::Error::other("cut by a fault")), None))
    });
    Response::builder()
        .content_type("application/json")
        .header("content-length", all.to_string())
        .body(Body::from_bytes_stream(parts))
}
