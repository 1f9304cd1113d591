//! What of a request's body nobody has read when the answer is there: of a request that is refused by its path, its token or its
//! headers. It is read then and thrown away, within limits: a connection on which some of it is still to come cannot be kept, and who
//! sends the next request on it would find it closed without having been told (RFC 9112 §9.3). Beyond the limits they are told.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::{CONNECTION, EXPECT};
use axum::http::{HeaderValue, Version};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;

/// Most bytes that are read for nothing.
const LEFTOVER_BYTES_MAX: usize = 256 << 10;
/// Longest wait for them, in milliseconds.
const LEFTOVER_MS_MAX: u64 = 1_000;

/// Where a body comes back to that was not read to its end.
type Back = Arc<Mutex<Option<Body>>>;

/// What may be left of one request.
pub(crate) struct Leftover {
    back: Option<Back>,
    /// The caller sends the body only when it is asked for, and nobody has.
    asks_first: bool,
    closes_anyway: bool,
}

/// Lends a request's body to whoever answers it. A request without one costs nothing.
pub(crate) fn lend(request: Request) -> (Request, Leftover) {
    let asks_first = request.headers().contains_key(EXPECT);
    let closes_anyway = request.version() < Version::HTTP_11;
    if request.body().is_end_stream() {
        return (request, Leftover { back: None, asks_first, closes_anyway });
    }
    let back = Back::default();
    let request = request.map(|body| Body::new(Lent { body, ended: false, back: Arc::clone(&back) }));
    (request, Leftover { back: Some(back), asks_first, closes_anyway })
}

impl Leftover {
    /// Reads what is left; the answer says so if the connection cannot be kept.
    pub(crate) async fn read(self, mut answer: Response) -> Response {
        let left = self.back.and_then(|back| back.lock().take());
        if let Some(left) = left
            && !self.closes_anyway
            && (self.asks_first || !read_up(left).await)
        {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }
}

/// Reads a body for nothing; false if it does not end within the limits.
async fn read_up(mut body: Body) -> bool {
    let all = async {
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            bytes += frame.ok().and_then(|frame| frame.into_data().ok()).map_or(0, |data| data.len());
            if bytes > LEFTOVER_BYTES_MAX {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(Duration::from_millis(LEFTOVER_MS_MAX), all).await.unwrap_or(false)
}

/// A body that comes back when it is dropped before its end.
struct Lent {
    body: Body,
    ended: bool,
    back: Back,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        // After an error nothing more comes.
        self.ended |= matches!(polled, Poll::Ready(None | Some(Err(_))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            *self.back.lock() = Some(std::mem::take(&mut self.body));
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::post;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use crate::serve::serve;

    async fn listening() -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // The one does not read its body, the other does.
        let router = Router::new().route("/refuses", post(async || StatusCode::NOT_FOUND));
        let router = router.route("/reads", post(async |body: String| body));
        tokio::spawn(serve(listener, router, std::future::pending()));
        TcpStream::connect(address).await.unwrap()
    }

    /// Reads until `times` heads of answers are there, or the end.
    async fn answers(stream: &mut TcpStream, times: usize) -> String {
        let mut text = String::new();
        let mut bytes = [0; 4_096];
        while text.matches("HTTP/1.1 ").count() < times || !text.ends_with("\r\n\r\n") {
            match stream.read(&mut bytes).await {
                Ok(0) | Err(_) => break,
                Ok(count) => text.push_str(&String::from_utf8_lossy(&bytes[..count])),
            }
        }
        text.to_ascii_lowercase()
    }

    #[tokio::test]
    async fn a_connection_is_kept_though_a_body_comes_after_its_refusal() {
        let mut stream = listening().await;
        for _ in 0..20 {
            stream.write_all(b"POST /refuses HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n").await.unwrap();
            // The head is there by itself: the machine is busy, or the network slow.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            stream.write_all(b"{}").await.unwrap();
            let answer = answers(&mut stream, 1).await;
            assert!(answer.starts_with("http/1.1 404") && !answer.contains("connection: close"), "{answer}");
        }
    }

    #[tokio::test]
    async fn who_sends_too_much_or_too_slowly_is_told_that_the_connection_ends() {
        let mut stream = listening().await;
        let head = format!("POST /refuses HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", 64 << 20);
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = answers(&mut stream, 1).await;
        assert!(answer.starts_with("http/1.1 404") && answer.contains("connection: close"), "{answer}");
    }

    #[tokio::test]
    async fn who_asks_first_is_not_asked_for_a_body_that_nobody_wants() {
        let mut stream = listening().await;
        let head = "POST /refuses HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = answers(&mut stream, 1).await;
        assert!(answer.starts_with("http/1.1 404") && answer.contains("connection: close"), "{answer}");
    }

    #[tokio::test]
    async fn a_body_that_is_read_is_all_there() {
        let mut stream = listening().await;
        let text = "x".repeat(100_000);
        let request = format!("POST /reads HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{text}", text.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = vec![0; 1 << 20];
        let mut all = String::new();
        while !all.ends_with(&text) {
            let count = stream.read(&mut bytes).await.unwrap();
            assert!(count > 0, "it ended after {}", all.len());
            all.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
        assert!(all.starts_with("HTTP/1.1 200"));
    }
}
