//! `GET /api/v1/audit/export`: the log as a file that anybody can verify (`iris audit verify --file`), made while it is sent.

use std::io::{self, Write};

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use iris_access::{ActionKind, Export, Named};
use iris_audit::{Action, AuditError, Opening};
use iris_kernel::ErrorKind;
use iris_resources::Refusal;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{event, place};
use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use crate::problem::Problem;

/// Bytes of one piece of the file.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that wait for a slow reader; then the export waits as well.
const PIECES_WAITING: usize = 4;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(
        Method::GET,
        "/api/v1/audit/export",
        "The whole log as JSON lines for `iris audit verify --file`; entries of other tenants stay sealed in it",
        handle,
    )
    .needs(Needs::Named(ActionKind::Export, Named::AuditLog))
    .gives(&[(200, Some("AuditExport"))])
    .fails(&[ErrorKind::TooMany])
}

async fn handle(call: Call) -> Outcome {
    let permit = call.permit_named(Export, Named::AuditLog).await?;
    if !call.app.settings.audit_export() {
        return Err(Problem::new(ErrorKind::Forbidden, "flag_audit_export: exporting is switched off here"));
    }
    if call.method() == Method::HEAD {
        // Nothing leaves, so nothing is made, and the log does not say that somebody has taken it away.
        return Ok(file(Body::empty()));
    }
    let place = place(&call)?;
    let event = event(&call, Action::AuditExport)?;
    let receipt = call.app.audit.record(event).await.map_err(Refusal::from)?;
    let (audit, opening) = (call.app.audit.clone(), Opening::Tenant(permit.tenant()));
    let correlation = call.correlation.clone();
    let mut making = Making::start(move |out| {
        let made = audit.export(out, opening, &receipt);
        if let Err(cause) = &made {
            tracing::warn!(%cause, correlation, "an export of the audit log was broken off");
        }
        drop(place);
        made.map(drop)
    });
    // What keeps it from beginning at all is told as what it is: once the answer has begun, it can only be cut.
    let Some(first) = making.next().await? else {
        return Err(Problem::new(ErrorKind::Internal, "the export has nothing in it"));
    };
    Ok(file(making.body(first)))
}

fn file(body: Body) -> Answer {
    Answer::flowing(StatusCode::OK, body)
        .with(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"))
        .with(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"iris-audit.ndjson\""))
}

/// What the thread that makes the file tells.
enum Told {
    Piece(Bytes),
    /// That was all of it.
    Whole,
    Broken(AuditError),
}

/// A file while a thread of its own makes it. It is whole only if that thread says so at the end: one that died cuts the
/// connection, as an error does, and nobody takes a part for the whole. (Its last line would show it too, to who looks.)
struct Making(Receiver<Told>);

impl Making {
    fn start(make: impl FnOnce(&mut dyn Write) -> Result<(), AuditError> + Send + 'static) -> Self {
        let (sender, receiver) = channel(PIECES_WAITING);
        crate::blocking::blocking(move || {
            let mut pipe = Pipe { sender, piece: BytesMut::new() };
            let told = match make(&mut pipe) {
                Ok(()) => Told::Whole,
                Err(cause) => Told::Broken(cause),
            };
            // A reader that went away need not be told.
            let _ = pipe.sender.blocking_send(told);
        });
        Self(receiver)
    }

    /// The next piece; `None` behind the last.
    async fn next(&mut self) -> Result<Option<Bytes>, AuditError> {
        match self.0.recv().await {
            Some(Told::Piece(piece)) => Ok(Some(piece)),
            Some(Told::Whole) => Ok(None),
            Some(Told::Broken(cause)) => Err(cause),
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the thread that made the export died").into()),
        }
    }

    /// All of it, of which the first piece was taken already. An error ends the body without its end, which cuts the connection.
    fn body(self, first: Bytes) -> Body {
        Body::from_stream(stream::try_unfold((Some(first), self), async |(first, mut making)| {
            let piece = match first {
                Some(piece) => Some(piece),
                None => making.next().await?,
            };
            Ok::<_, AuditError>(piece.map(|piece| (piece, (None, making))))
        }))
    }
}

/// What the export writes into, in pieces. A reader that went away ends it.
struct Pipe {
    sender: Sender<Told>,
    piece: BytesMut,
}

impl Pipe {
    fn send(&mut self) -> io::Result<()> {
        let piece = self.piece.split().freeze();
        self.sender.blocking_send(Told::Piece(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() { Ok(()) } else { self.send() }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// What goes over the wire when the thread writes two pieces and then does this.
    async fn wire(end: fn() -> Result<(), AuditError>) -> String {
        let answer = async move || {
            let mut making = Making::start(move |out| {
                for _ in 0..2 {
                    out.write_all(b"{}\n")?;
                    out.flush()?;
                }
                end()
            });
            let first = making.next().await.unwrap().unwrap();
            making.body(first)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(crate::serve(listener, Router::new().route("/", get(answer)), std::future::pending()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut bytes = Vec::new();
        // A connection that is cut may end in a reset.
        let _ = stream.read_to_end(&mut bytes).await;
        String::from_utf8(bytes).unwrap()
    }

    /// How a chunked body ends that is whole (RFC 9112, 7.1).
    const END: &str = "\r\n0\r\n\r\n";

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_export_whose_thread_dies_or_fails_is_cut_and_never_ends_as_a_whole() {
        let whole = wire(|| Ok(())).await;
        assert!(whole.ends_with(END) && whole.matches("{}\n").count() == 2, "{whole}");
        for end in [|| panic!("on purpose"), || Err(io::Error::other("the store is gone").into())] {
            let cut = wire(end).await;
            assert!(!cut.ends_with(END), "{cut}");
        }
    }
}
