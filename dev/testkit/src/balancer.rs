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
