//! Work that blocks, on a thread that may, in the name of the request that it is done for.

use tokio::task::{JoinHandle, spawn_blocking};
use tracing::Span;

/// As [`spawn_blocking`]; what the work logs carries the request's correlation id.
pub(crate) fn blocking<T, F>(work: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let span = Span::current();
    spawn_blocking(move || span.in_scope(work))
}
