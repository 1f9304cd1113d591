//! The real binary, started on free ports over a folder, spoken to over HTTP.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::caller::{Answer, Caller};

/// A running `iris serve`. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:<port>`
    pub base: String,
    /// `http://127.0.0.1:<port>` of the metrics listener
    pub metrics: String,
    caller: Caller,
}

impl Server {
    /// Starts `binary serve` over `folder` with further environment and waits for its line that says where it listens.
    ///
    /// # Panics
    /// With what it printed, when it ends instead.
    #[must_use]
    pub fn start(binary: &str, folder: &Path, environment: &[(&str, &str)]) -> Self {
        Self::start_with(binary, folder, environment, &[])
    }

    /// [`Server::start`] with further arguments after `serve`.
    ///
    /// # Panics
    /// With what it printed, when it ends instead.
    #[must_use]
    pub fn start_with(binary: &str, folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut child = Self::command(binary, folder, environment)
            .arg("serve")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("its standard output");
        let mut lines = BufReader::new(stdout).lines();
        let (mut base, mut metrics) = (String::new(), String::new());
        while base.is_empty() || metrics.is_empty() {
            let line = lines.next().expect("the server ended before it listened").expect("its output is text");
            if let Some(url) = line.strip_prefix("listening on ") {
                url.clone_into(&mut base);
            } else if let Some(url) = line.strip_prefix("metrics on ") {
                url.clone_into(&mut metrics);
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, caller: Caller::to(&base), base, metrics }
    }

    /// A command of the binary over `folder`, listening on free ports, with nothing of this process's own settings.
    #[must_use]
    pub fn command(binary: &str, folder: &Path, environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new(binary);
        command
            .env("IRIS_DATA_DIR", folder)
            .env("IRIS_HTTP_LISTEN", "127.0.0.1:0")
            .env("IRIS_METRICS_LISTEN", "127.0.0.1:0")
            .env("IRIS_LOG_LEVEL", "warn")
            .envs(environment.iter().copied());
        command
    }

    /// Runs a command of the binary over `folder` to its end.
    ///
    /// # Panics
    /// When the binary cannot be started.
    #[must_use]
    pub fn run(binary: &str, folder: &Path, arguments: &[&str]) -> Output {
        Self::command(binary, folder, &[]).args(arguments).output().expect("the binary runs")
    }

    /// The server's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would.
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Asks it to end (SIGTERM) and returns its exit code.
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub fn terminate(&mut self) -> Option<i32> {
        let status = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().expect("kill runs");
        assert!(status.success(), "could not signal the server");
        self.child.wait().expect("wait").code()
    }

    /// Its caller, for whoever speaks to several servers alike.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// GET with headers.
    #[must_use]
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, None)
    }

    /// Any method with headers and perhaps a body.
    ///
    /// # Panics
    /// When the connection fails.
    #[must_use]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        self.caller.send(method, path, headers, body)
    }

    /// As [`Server::send`], for tests that expect the connection to break.
    ///
    /// # Errors
    /// What the connection says.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        self.caller.try_send(method, path, headers, body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The child may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
