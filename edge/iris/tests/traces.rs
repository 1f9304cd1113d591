//! Traces as a collector gets them. Needs `--features otel`.
#![cfg(feature = "otel")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use iris_testkit::Clinic;
use iris_testkit::wait::until;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_iris");
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// What a collector was sent, as text.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<String>>>);

impl Sink {
    fn listen(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sink = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let sink = sink.clone();
                std::thread::spawn(move || sink.serve(stream.unwrap()));
            }
        });
        port
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut out = stream;
        loop {
            let (mut length, mut lines) = (0, 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
                lines += 1;
                assert!(lines > 1 || line.starts_with("POST /v1/traces "), "{line}");
                if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                    length = text.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            self.0.lock().unwrap().push(String::from_utf8(body).unwrap());
            out.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        }
    }

    fn spans(&self) -> Vec<Value> {
        let bodies: Vec<Value> =
            self.0.lock().unwrap().iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
        let resources = bodies.iter().flat_map(|body| list(body, "resourceSpans"));
        let scopes = resources.flat_map(|resource| list(&resource, "scopeSpans"));
        scopes.flat_map(|scope| list(&scope, "spans")).collect()
    }
}

#[test]
fn a_request_is_a_span_of_its_caller_s_trace_and_shows_nobody() {
    let sink = Sink::default();
    let endpoint = format!("http://127.0.0.1:{}", sink.listen());
    let clinic = Clinic::with(BINARY, &[("IRIS_OTLP_ENDPOINT", &endpoint)]);
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let headers = [("authorization", clinic.bearer.as_str()), ("traceparent", parent.as_str())];
    let path = "/api/v1/patients/secret-id?access_purpose=secret-purpose";
    let answer = clinic.server.send("GET", path, &headers, None);
    assert_eq!(answer.status, 404);
    let named = |name: &str| sink.spans().into_iter().find(|span| span["name"] == name);
    let span = until(20, "the span", || named("GET /api/v1/patients/{id}"));
    assert_eq!((span["traceId"].as_str(), span["parentSpanId"].as_str()), (Some(TRACE), Some(CALLER)));
    // SPAN_KIND_SERVER
    assert_eq!(span["kind"], 2);
    let mut names: Vec<&str> =
        span["attributes"].as_array().unwrap().iter().filter_map(|one| one["key"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["correlation", "http.request.method", "http.response.status_code", "http.route"]);
    let unsampled = [("traceparent", parent.replace("-01", "-00"))];
    let unsampled = unsampled.each_ref().map(|(name, value)| (*name, value.as_str()));
    let _ = clinic.server.send("GET", "/openapi.json", &unsampled, None).expect(200);
    // A trace that begins here, after which all before it were sent.
    let _ = clinic.server.send("GET", "/docs", &[], None).expect(200);
    until(20, "the span", || named("GET /docs"));
    assert!(named("GET /openapi.json").is_none(), "the caller did not want it");
    let all = sink.0.lock().unwrap().join("\n");
    assert!(!all.contains("secret"), "{all}");
}
