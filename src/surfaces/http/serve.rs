//! The accept loop. poem's own `Server` sets no deadline for a request's head
//! and spins when the process is out of file descriptors; this one does neither.

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use http::{Version, uri::Scheme};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use poem::{
    Addr, Endpoint,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time,
};

/// How long the head of a request may take to arrive.
const HEAD: Duration = Duration::from_secs(10);
/// How long a client may leave what it was sent unread.
const UNREAD: Duration = Duration::from_secs(60);

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
    let [http1, http2] = [http.clone().http1_only(), http.http2_only()];
    let connections = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let stopping = watch::channel(false).0;
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
        let (http1, http2, watcher) = (http1.clone(), http2.clone(), connections.watcher());
        let mut stopping = stopping.subscribe();
        tokio::spawn(async move {
            let first = tokio::select! {
                first = version(&socket) => first,
                _ = stopping.changed() => None,
            };
            let http = match first {
                Some(Version::HTTP_2) => http2,
                Some(_) => http1,
                None => return,
            };
            let connection = http.serve_connection_with_upgrades(TokioIo::new(socket), service).into_owned();
            _ = watcher.watch(connection).await;
            drop(slot);
        });
    }
    _ = stopping.send(true);
    drop(listener);
    if time::timeout(drain, connections.shutdown()).await.is_err() {
        tracing::warn!("connections still open after {drain:?}");
    }
}

/// Which HTTP a client speaks, from its first bytes; `None` if they do not come in time. The library's own look at
/// them has no deadline, so that a client that sends nothing would hold its connection for ever.
async fn version(socket: &TcpStream) -> Option<Version> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    /// Between looks at a client that has sent the beginning of what may be a preface.
    const LOOK: Duration = Duration::from_millis(20);
    // A client that does not take its answers holds no connection either.
    _ = socket2::SockRef::from(socket).set_tcp_user_timeout(Some(UNREAD));
    let first = async {
        let mut bytes = [0; PREFACE.len()];
        loop {
            let read = socket.peek(&mut bytes).await.ok()?;
            match read {
                0 => return None,
                _ if !PREFACE.starts_with(&bytes[..read]) => return Some(Version::HTTP_11),
                read if read == PREFACE.len() => return Some(Version::HTTP_2),
                _ => time::sleep(LOOK).await,
            }
        }
    };
    time::timeout(HEAD, first).await.ok().flatten()
}
