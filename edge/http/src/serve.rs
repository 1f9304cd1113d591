//! The listener: own accept loop, so that headers have a deadline, connections a cap, and stopping a grace period.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use futures_util::FutureExt as _;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use crate::leftover;
use crate::metrics::Ongoing;
use crate::patience::Patience;

/// Longest wait for the headers of a request, and longest idle time of a kept connection.
pub const HEADER_SECONDS_MAX: u64 = 30;
/// Longest time in which the other side takes not one byte of an answer; then the connection is cut, and the answer let go.
pub const WRITE_SECONDS_MAX: u64 = 30;
/// Connections served at the same time; further ones wait in the listener's queue.
pub const CONNECTIONS_MAX: usize = 10_240;
/// Longest wait for requests in flight when the server stops.
pub const DRAIN_SECONDS_MAX: u64 = 30;
/// Largest head of a request in bytes.
pub const HEAD_BYTES_MAX: usize = 64 << 10;
/// Most headers of a request.
pub const HEADERS_MAX: usize = 100;
/// Pause after an accept that failed because the process has no descriptor left; the connection is still in the queue.
const ACCEPT_PAUSE_MS: u64 = 50;

/// The address of the other side, an extension of each request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every request in flight was answered.
    Fully,
    /// Connections were cut after [`DRAIN_SECONDS_MAX`].
    Cut,
}

/// Serves until `drain` resolves, then refuses new connections and lets requests in flight end.
///
/// Connections beyond [`CONNECTIONS_MAX`] wait unaccepted. A failing accept never ends the loop.
pub async fn serve(listener: TcpListener, router: Router, drain: impl Future<Output = ()>) -> Drained {
    serve_patiently(listener, router, drain, Duration::from_secs(WRITE_SECONDS_MAX)).await
}

/// As [`serve`], with the patience for readers that do not read as an argument, so that tests need not wait.
pub(crate) async fn serve_patiently(
    listener: TcpListener,
    router: Router,
    drain: impl Future<Output = ()>,
    patience: Duration,
) -> Drained {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut drain = std::pin::pin!(drain);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = &mut drain => break,
            next = next => next,
        };
        // The semaphore is never closed, so a place is always had.
        let Ok(place) = place else { break };
        match accepted {
            Ok((stream, peer)) => taken(stream, peer, place, (&router, patience), &graceful),
            Err(cause) => accept_failed(&cause).await,
        }
    }
    // Whoever is in the queue already has a connection, as far as they know; closing it now would lose their request.
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        let Ok(place) = places.clone().try_acquire_owned() else { break };
        taken(stream, peer, place, (&router, patience), &graceful);
    }
    drop(listener);
    let limit = Duration::from_secs(DRAIN_SECONDS_MAX);
    match tokio::time::timeout(limit, graceful.shutdown()).await {
        Ok(()) => Drained::Fully,
        Err(_) => Drained::Cut,
    }
}

fn taken(
    stream: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
    (router, patience): (&Router, Duration),
    graceful: &GracefulShutdown,
) {
    // Small answers must not wait for the client's acknowledgement; without the option they are only slower.
    let _ = stream.set_nodelay(true);
    connection(Patience::new(stream, patience), peer, place, router.clone(), graceful);
}

fn connection(
    stream: Patience<TcpStream>,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
    router: Router,
    graceful: &GracefulShutdown,
) {
    let service = tower::service_fn(move |request: Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            let (mut request, leftover) = leftover::lend(request.map(axum::body::Body::new));
            request.extensions_mut().insert(Peer(peer));
            let answer = router.oneshot(request).await?;
            Ok::<_, Infallible>(leftover.read(answer).await)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEADER_SECONDS_MAX))
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let watched = graceful.watch(connection);
    let ongoing = Ongoing::begin(metrics::gauge!(crate::metrics::CONNECTIONS));
    tokio::spawn(async move {
        if let Err(cause) = watched.await {
            // The other side went away or sent no HTTP: nothing for us to do, and not worth more than a trace.
            tracing::debug!(%cause, "connection ended early");
        }
        drop((place, ongoing));
    });
}

async fn accept_failed(cause: &io::Error) {
    let of_one_connection = matches!(
        cause.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    );
    if !of_one_connection {
        tracing::warn!(%cause, "cannot accept a connection");
        tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
    }
}
