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
use tokio::sync::mpsc::{Sender, channel};

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
    let (sender, mut receiver) = channel(PIECES_WAITING);
    let (audit, opening) = (call.app.audit.clone(), Opening::Tenant(permit.tenant()));
    let correlation = call.correlation.clone();
    crate::blocking::blocking(move || {
        let mut pipe = Pipe { sender, piece: BytesMut::new() };
        if let Err(cause) = audit.export(&mut pipe, opening, &receipt) {
            // The file then lacks its last line, by which every reader knows that it was cut; a failed body cuts the connection too.
            tracing::warn!(%cause, correlation, "an export of the audit log was broken off");
            let _ = pipe.sender.blocking_send(Err(cause));
        }
        drop(place);
    });
    // What keeps it from beginning at all is told as what it is: once the answer has begun, it can only be cut.
    let first = receiver.recv().await.transpose()?;
    if first.is_none() {
        return Err(Problem::new(ErrorKind::Internal, "the export was broken off"));
    }
    let pieces = stream::unfold((first, receiver), async |(first, mut receiver)| {
        let piece = match first {
            Some(piece) => Some(Ok(piece)),
            None => receiver.recv().await,
        };
        piece.map(|piece| (piece, (None, receiver)))
    });
    Ok(file(Body::from_stream(pieces)))
}

fn file(body: Body) -> Answer {
    Answer::flowing(StatusCode::OK, body)
        .with(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"))
        .with(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"iris-audit.ndjson\""))
}

/// What the export writes into, in pieces. A reader that went away ends it.
struct Pipe {
    sender: Sender<Result<Bytes, AuditError>>,
    piece: BytesMut,
}

impl Pipe {
    fn send(&mut self) -> io::Result<()> {
        let piece = self.piece.split().freeze();
        self.sender.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
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
