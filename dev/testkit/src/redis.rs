//! A Redis of a test's own, to be killed, stopped for a while, filled up and meddled with.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::postgres::{Account, certificates, free_port, password, program};
use crate::wait;

/// How long it may take to start.
const PATIENCE_SECONDS: u64 = 30;

/// A running `redis-server` on a free port of 127.0.0.1, keeping nothing on disk. Killed and removed when dropped.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    password: String,
    program: PathBuf,
    account: Account,
    child: Option<Child>,
    /// The certificate file of the authority that vouches for it, where it speaks TLS.
    authority: Option<PathBuf>,
    folder: tempfile::TempDir,
}

impl Redis {
    /// Starts one that wants a password. `None` where it is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        Some(Self::with(program("redis-server")?, false))
    }

    /// [`Redis::start`], speaking TLS alone.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start_with_tls() -> Option<Self> {
        Some(Self::with(program("redis-server")?, true))
    }

    fn with(program: PathBuf, tls: bool) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let account = Account::of_servers();
        account.own(folder.path());
        let authority = tls.then(|| certificates(folder.path()));
        if tls {
            ["server.crt", "server.key"].iter().for_each(|name| account.own(&folder.path().join(name)));
        }
        let mut redis =
            Self { port: free_port(), password: password(), program, account, child: None, authority, folder };
        redis.restart();
        redis
    }

    /// Starts it where it does not run: after [`Redis::kill`], empty, on the same port.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let (port, path) = (self.port.to_string(), |name: &str| self.folder.path().join(name));
        let mut command = self.account.command(&self.program);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--requirepass", &self.password]);
        command.arg("--dir").arg(self.folder.path());
        if self.authority.is_some() {
            command.args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]);
            command.arg("--tls-cert-file").arg(path("server.crt")).arg("--tls-key-file").arg(path("server.key"));
            command.arg("--tls-ca-cert-file").arg(path("authority.crt"));
        } else {
            command.args(["--port", &port]);
        }
        self.child = Some(command.spawn().expect("redis-server runs"));
        wait::until(PATIENCE_SECONDS, "Redis to start", || self.try_ask(&["PING"]).filter(|answer| answer == "PONG"));
    }

    /// Its URL, with the password.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "rediss" } else { "redis" };
        format!("{scheme}://:{}@localhost:{}", self.password, self.port)
    }

    /// The certificate file of the authority that vouches for it, where it speaks TLS.
    #[must_use]
    pub fn authority(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    /// What it answers, as text: a line for each part.
    ///
    /// # Panics
    /// When it does not answer.
    #[allow(clippy::must_use_candidate, reason = "many a command is not sent for its answer")]
    pub fn ask(&self, command: &[&str]) -> String {
        self.try_ask(command).unwrap_or_else(|| panic!("Redis does not answer {command:?}"))
    }

    fn try_ask(&self, command: &[&str]) -> Option<String> {
        let mut client = Command::new("redis-cli");
        client.env("REDISCLI_AUTH", &self.password).args(["-h", "localhost", "-p", &self.port.to_string(), "--raw"]);
        if let Some(authority) = &self.authority {
            client.arg("--tls").arg("--cacert").arg(authority);
        }
        let output = client.args(command).output().expect("redis-cli runs");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// How many values it has.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.ask(&["DBSIZE"]).parse().expect("a number")
    }

    /// Ends it as a power cut would. What it had is gone.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("kill");
        child.wait().expect("wait");
    }

    /// Keeps it from doing anything, its connections open, until [`Redis::wake`].
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn wake(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill runs").success(), "it was signalled");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}
