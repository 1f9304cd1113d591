//! HAProxy before several servers, with the settings of `haproxy.cfg` beside this file.

use std::fmt::Write as _;
use std::process::Child;

use crate::caller::Caller;
use crate::postgres::{Account, free_port, program};
use crate::wait;

const CONFIGURATION: &str = include_str!("haproxy.cfg");
/// What HAProxy says where no node says anything.
const UNAVAILABLE: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 2\r\n\
    cache-control: no-store\r\ncontent-length: 70\r\n\r\n{\"status\":503,\"title\":\"No server is ready\",\"error_type\":\"unavailable\"}";

/// A running HAProxy. Killed when dropped.
#[derive(Debug)]
pub struct Balancer {
    /// `http://127.0.0.1:<port>`
    pub base: String,
    state: Caller,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Balancer {
    /// Starts one before servers that listen, or will, on those ports of 127.0.0.1. `None` where HAProxy is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn before(ports: &[u16]) -> Option<Self> {
        let binary = program("haproxy")?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let account = Account::of_servers();
        account.own(folder.path());
        let (port, state) = (free_port(), free_port());
        let mut servers = String::new();
        for (at, port) in ports.iter().enumerate() {
            writeln!(servers, "    server node{at} 127.0.0.1:{port}").expect("writing to a text");
        }
        let text = CONFIGURATION
            .replace("{folder}", &folder.path().display().to_string())
            .replace("{port}", &port.to_string())
            .replace("{state}", &state.to_string())
            .replace("{servers}\n", &servers);
        let settings = folder.path().join("haproxy.cfg");
        for (path, content) in [(&settings, text.as_str()), (&folder.path().join("unavailable.http"), UNAVAILABLE)] {
            std::fs::write(path, content).expect("a file of HAProxy's");
            account.own(path);
        }
        let said = folder.path().join("said");
        let mut command = account.command(&binary);
        command.stderr(std::fs::File::create(&said).expect("its log")).args(["-db", "-f"]).arg(&settings);
        let child = command.spawn().expect("haproxy runs");
        let state = Caller::to(&format!("http://127.0.0.1:{state}"));
        let mut balancer = Self { base: format!("http://127.0.0.1:{port}"), state, child, _folder: folder };
        wait::until(30, "HAProxy to start", || {
            let ended = balancer.child.try_wait().expect("its state");
            assert!(ended.is_none(), "{}", std::fs::read_to_string(&said).expect("its log"));
            balancer.state.try_send("GET", "/state;csv", &[], None).ok()
        });
        Some(balancer)
    }

    /// Whether it sends requests to the server of that place among those it was started with.
    ///
    /// # Panics
    /// When it is gone.
    #[must_use]
    pub fn serves(&self, at: usize) -> bool {
        let state = self.state.send("GET", "/state;csv", &[], None).expect(200);
        let text = String::from_utf8(state.body).expect("text");
        text.lines()
            .any(|line| line.starts_with(&format!("nodes,node{at},")) && line.split(',').any(|cell| cell == "UP"))
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

    use std::io::{BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// How a node dies with a request in its hands.
    const RESET: &str = "/reset";
    const END: &str = "/end";

    /// A node that breaks off once when it is told to: before it has read a request, or behind it.
    fn node(breaks: &Arc<AtomicBool>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let breaks = Arc::clone(breaks);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let breaks = Arc::clone(&breaks);
                std::thread::spawn(move || serve(&stream.unwrap(), &breaks));
            }
        });
        port
    }

    fn serve(stream: &TcpStream, breaks: &AtomicBool) {
        let mut seen = [0; 256];
        let count = stream.peek(&mut seen).unwrap();
        let text = String::from_utf8_lossy(&seen[..count]).into_owned();
        if text.contains(RESET) && breaks.swap(false, Ordering::SeqCst) {
            // Closed with something unread, a connection is reset.
            return;
        }
        let (_, length) = head(&mut BufReader::new(stream));
        if text.contains(END) && breaks.swap(false, Ordering::SeqCst) {
            return;
        }
        assert!(length <= 2, "{text}");
        let mut stream = stream;
        // Whoever only looked whether it listens is gone again.
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    }

    /// Reads a message to its end: its first line, and how long its body was.
    fn head(reader: &mut impl std::io::BufRead) -> (String, usize) {
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).unwrap();
        let mut line = String::from("-");
        while !line.trim().is_empty() {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        reader.take(length as u64).read_to_end(&mut Vec::new()).unwrap();
        (first, length)
    }

    #[test]
    fn whatever_a_node_dies_with_the_client_is_answered_on_its_connection() {
        let breaks = Arc::new(AtomicBool::new(false));
        let ports = [node(&breaks), node(&breaks)];
        let Some(balancer) = Balancer::before(&ports) else { return };
        wait::until(30, "both nodes to serve", || (balancer.serves(0) && balancer.serves(1)).then_some(()));
        let mut stream = TcpStream::connect(balancer.base.trim_start_matches("http://")).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut send = |start: &str, header: &str, body: &str| {
            let text = format!("{start} HTTP/1.1\r\nhost: x\r\n{header}content-length: {}\r\n\r\n", body.len());
            // Apart, so that the proxy may have to wait for the body.
            stream.write_all(text.as_bytes()).unwrap();
            stream.write_all(body.as_bytes()).unwrap();
            let (first, _) = head(&mut reader);
            first.split(' ').nth(1).unwrap_or_else(|| panic!("{start} got no answer")).to_owned()
        };
        assert_eq!(send("GET /first", "", ""), "200");
        let keyed = "idempotency-key: one\r\n";
        for (start, header, body, status) in [
            // What changes nothing when it is sent twice is sent to the other node.
            (format!("GET {END}"), "", "", "200"),
            (format!("PUT {END}"), "", "{}", "200"),
            (format!("POST {END}"), keyed, "{}", "200"),
            (format!("GET {RESET}"), "", "", "200"),
            (format!("POST {RESET}"), keyed, "{}", "200"),
            // Anything else is not.
            (format!("POST {END}"), "", "{}", "503"),
            (format!("POST {RESET}"), "", "{}", "503"),
        ] {
            breaks.store(true, Ordering::SeqCst);
            assert_eq!(send(&start, header, body), status, "{start} {header}");
            assert!(!breaks.load(Ordering::SeqCst), "{start}: the node did not break off");
        }
        assert_eq!(send("GET /last", "", ""), "200");
    }
}
