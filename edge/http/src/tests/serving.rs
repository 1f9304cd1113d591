use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

use crate::serve::{Drained, HEAD_BYTES_MAX, serve, serve_patiently};

async fn ask(stream: &mut TcpStream, path: &str) {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
}

async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4_096];
    let count = stream.read(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

#[tokio::test]
async fn requests_in_flight_end_before_the_server_does() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (entered, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (entered_here, go_on_here) = (entered.clone(), go_on.clone());
    let slow = get(move || {
        let (entered, go_on) = (entered.clone(), go_on.clone());
        async move {
            entered.notify_one();
            go_on.notified().await;
            "done"
        }
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(serve(listener, Router::new().route("/slow", slow), async {
        let _ = stopped.await;
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream, "/slow").await;
    entered_here.notified().await;
    stop.send(()).unwrap();
    // Not accepting any more, yet the request in flight goes on.
    go_on_here.notify_one();
    assert!(answer(&mut stream).await.ends_with("done"));
    assert_eq!(tokio::time::timeout(Duration::from_secs(10), served).await.unwrap().unwrap(), Drained::Fully);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn garbage_and_giant_heads_do_not_stop_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, Router::new().route("/", get(|| async { "fine" })), std::future::pending()));
    let giant = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(2 * HEAD_BYTES_MAX));
    for bytes in ["\0\0\0\0", "nonsense\r\n\r\n", giant.as_str()] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may close while we still write.
        let _ = stream.write_all(bytes.as_bytes()).await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream, "/").await;
    assert!(answer(&mut stream).await.ends_with("fine"));
}

/// A large answer that tells when it is let go.
struct Large(Vec<u8>, Arc<Notify>);

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        self.1.notify_one();
    }
}

#[tokio::test]
async fn who_never_reads_holds_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let dropped = Arc::new(Notify::new());
    let told = dropped.clone();
    let large = get(move || async move { Bytes::from_owner(Large(vec![0; 64 << 20], told.clone())) });
    let router = Router::new().route("/", large);
    tokio::spawn(serve_patiently(listener, router, std::future::pending(), Duration::from_millis(50)));
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream, "/").await;
    tokio::time::timeout(Duration::from_secs(20), dropped.notified()).await.unwrap();
}

#[tokio::test]
async fn metrics_are_told_on_their_own_listener_without_values() {
    // The recorder belongs to the process; each test here has a process of its own, or shares one that has it already.
    let Ok(handle) = crate::metrics::install() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let world = super::World::new();
    world.get("/api/v1/patients/secret-id?access_purpose=secret-purpose", "").await.expect(401);
    let app = world.app.clone();
    tokio::spawn(crate::metrics::serve(listener, handle, move || app.gauges(), std::future::pending()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let line = r#"iris_http_requests_total{method="GET",route="/api/v1/patients/{id}",status="401"} 1"#;
    assert!(text.contains(line) && text.contains("iris_store_head"), "{text}");
    assert!(!text.contains("secret"));
}
