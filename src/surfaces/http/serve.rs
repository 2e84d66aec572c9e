//! The accept loop. poem's own `Server` sets no deadline for a request's head
//! and spins when the process is out of file descriptors; this one does neither.

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use http::uri::Scheme;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use poem::{
    Addr, Endpoint,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{net::TcpListener, sync::Semaphore, time};

/// How long the head of a request may take to arrive.
const HEAD: Duration = Duration::from_secs(10);
/// Connections served at once; more wait to be accepted.
const CONNECTIONS: usize = 4096;

/// Serves until `stop`, then lets what runs end, for at most `drain`.
pub async fn serve(
    listener: TcpListener,
    app: impl Endpoint + 'static,
    drain: Duration,
    stop: impl Future<Output = ()>,
) {
    let app = Arc::new(app);
    let mut http = Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    http.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD).max_concurrent_streams(100);
    let connections = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::pin!(stop);

    loop {
        let next = async {
            let slot = slots.clone().acquire_owned().await.expect("never closed");
            listener.accept().await.map(|accepted| (slot, accepted))
        };
        let (slot, (socket, peer)) = tokio::select! {
            () = &mut stop => break,
            next = next => match next {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(%error, "accept");
                    time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let local = LocalAddr(Addr::SocketAddr(socket.local_addr().unwrap_or(peer)));
        let remote = RemoteAddr(Addr::SocketAddr(peer));
        let app = app.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (app, request) = (app.clone(), (request, local.clone(), remote.clone(), Scheme::HTTP));
            async move { Ok::<Response<_>, Infallible>(app.get_response(request.into()).await.into()) }
        });
        let connection = http.serve_connection_with_upgrades(TokioIo::new(socket), service).into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            _ = connection.await;
            drop(slot);
        });
    }
    drop(listener);
    if time::timeout(drain, connections.shutdown()).await.is_err() {
        tracing::warn!("connections still open after {drain:?}");
    }
}
