//! A connection to the server, over which one request goes at a time.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub(crate) type Sender = SendRequest<Full<Bytes>>;
pub(crate) type Failed = Box<dyn std::error::Error + Send + Sync>;

pub(crate) async fn connect(authority: &str) -> Result<Sender, Failed> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// The whole answer; one that tells of no success is a failure.
pub(crate) async fn exchange(sender: &mut Sender, request: Request<Full<Bytes>>) -> Result<Bytes, Failed> {
    sender.ready().await?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    if status.is_success() { Ok(body) } else { Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into()) }
}
