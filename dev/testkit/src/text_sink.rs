//! A webhook for text messages of a test's own: keeps what is posted to it, and answers with the status it is told.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// Longest wait for a request.
const PATIENCE_SECONDS: u64 = 30;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Method, path and query.
    pub line: String,
    /// The header, by lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
}

impl Posted {
    /// A header's value; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

#[derive(Debug)]
struct Shared {
    posted: Mutex<Vec<Posted>>,
    status: Mutex<u16>,
}

/// A running webhook on a free port of 127.0.0.1, in clear.
#[derive(Debug)]
pub struct TextSink {
    port: u16,
    shared: Arc<Shared>,
}

impl TextSink {
    /// Starts one that takes everything.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared { posted: Mutex::default(), status: Mutex::new(202) });
        let of_listener = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&of_listener);
                std::thread::spawn(move || drop(serve(stream, &shared)));
            }
        });
        Self { port, shared }
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Sets the status of its answers from now on.
    ///
    /// # Panics
    /// When a thread of it has panicked.
    pub fn answer(&self, status: u16) {
        *self.shared.status.lock().expect("the sink's lock") = status;
    }

    /// What was posted so far.
    ///
    /// # Panics
    /// When a thread of it has panicked.
    #[must_use]
    pub fn posted(&self) -> Vec<Posted> {
        self.shared.posted.lock().expect("the sink's lock").clone()
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(PATIENCE_SECONDS)))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let status = *shared.status.lock().expect("the sink's lock");
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let posted = Posted { line: line.trim_end().to_owned(), headers, body };
    shared.posted.lock().expect("the sink's lock").push(posted);
    let location = if (300..400).contains(&status) { "location: http://127.0.0.1:1/\r\n" } else { "" };
    write!(reader.get_mut(), "HTTP/1.1 {status} x\r\n{location}content-length: 2\r\n\r\nok")
}
