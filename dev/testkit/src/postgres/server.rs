//! A PostgreSQL of a test's own: to be killed, restarted, followed by a standby, and replaced by it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::{Account, Database, Endpoint, OWNER, RUNTIME, SUPERUSER, free_port, programs};
use crate::wait;

/// How long a server may take to start, to stop, to follow or to be promoted.
const PATIENCE_SECONDS: u64 = 60;

/// A running server in a temporary folder. Killed and removed when dropped. It flushes like a production server.
#[derive(Debug)]
pub struct Server {
    endpoint: Endpoint,
    account: Account,
    child: Option<Child>,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts an empty server with further lines of `postgresql.conf`. `None` where PostgreSQL is not installed.
    ///
    /// # Panics
    /// With its log, when it does not start.
    #[must_use]
    pub fn start(settings: &[&str]) -> Option<Self> {
        let mut server = Self::prepare(&programs()?, password());
        let secret = server.folder.path().join("password");
        std::fs::write(&secret, &server.endpoint.password).expect("a password file");
        server.account.own(&secret);
        let mut initdb = server.command("initdb");
        initdb.arg("--pgdata").arg(server.data()).arg("--pwfile").arg(&secret);
        initdb.args([
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]);
        run(&mut initdb);
        server.configure(&["listen_addresses = '127.0.0.1'", "unix_socket_directories = ''", "max_connections = 200"]);
        server.configure(&["shared_buffers = 64MB", "log_min_messages = warning"]);
        server.configure(settings);
        server.restart();
        for role in [OWNER, RUNTIME] {
            let statement = format!("create role {role} login password '{}' nosuperuser", server.endpoint.password);
            server.endpoint.sql("postgres", &statement);
        }
        Some(server)
    }

    /// [`Server::start`] with TLS on. Gives the certificate file of the authority that vouches for `localhost` and 127.0.0.1.
    ///
    /// # Panics
    /// With its log, when it does not start.
    #[must_use]
    pub fn start_with_tls(settings: &[&str]) -> Option<(Self, PathBuf)> {
        let mut server = Self::start(settings)?;
        let authority = certificates(server.folder.path());
        for (from, to) in [("server.crt", "server.crt"), ("server.key", "server.key")] {
            let to = server.data().join(to);
            std::fs::copy(server.folder.path().join(from), &to).expect("a certificate");
            server.account.own(&to);
        }
        server.configure(&["ssl = on"]);
        server.stop();
        server.restart();
        Some((server, authority))
    }

    fn prepare(bin: &Path, password: String) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let account = Account::of_servers();
        account.own(folder.path());
        let endpoint = Endpoint { port: free_port(), password, bin: bin.to_owned() };
        Self { endpoint, account, child: None, folder }
    }

    /// Where it listens.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Makes an empty database on it.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn database(&self) -> Database {
        Database::on(&self.endpoint)
    }

    /// Appends lines to its `postgresql.conf`; they count from the next start.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn configure(&self, settings: &[&str]) {
        let path = self.data().join("postgresql.conf");
        let mut text = std::fs::read_to_string(&path).expect("its configuration");
        for line in settings {
            text.push_str(line);
            text.push('\n');
        }
        std::fs::write(&path, text).expect("its configuration");
    }

    /// Starts it where it does not run: after [`Server::kill`] or [`Server::stop`], over the same data and port.
    ///
    /// # Panics
    /// With its log, when it does not start.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log"));
        let mut command = self.account.command(&self.endpoint.bin.join("postgres"));
        command.arg("-D").arg(self.data()).args(["-p", &self.endpoint.port.to_string()]);
        self.child = Some(command.stderr(log.expect("its log")).spawn().expect("postgres runs"));
        let endpoint = self.endpoint.clone();
        wait::until(PATIENCE_SECONDS, "PostgreSQL to start", || {
            let child = self.child.as_mut().expect("it was started");
            assert!(child.try_wait().expect("its state").is_none(), "{}", self.log());
            endpoint.try_sql(SUPERUSER, "postgres", "select 1").ok()
        });
    }

    /// Its log, from the first start on.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("its log")
    }

    /// Ends it and all its connections as a power cut would: `kill -9` for every one of its processes.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        let pid = child.id().to_string();
        let output = Command::new("ps").args(["-o", "pid=", "--ppid", &pid]).output().expect("ps runs");
        let others = String::from_utf8(output.stdout).expect("numbers");
        child.kill().expect("kill");
        child.wait().expect("wait");
        // A process of it may have ended by itself meanwhile; `kill` then complains, and that is as well.
        Command::new("kill").arg("-9").args(others.split_whitespace()).output().expect("kill runs");
        wait::until(PATIENCE_SECONDS, "PostgreSQL's processes to be gone", || {
            others.split_whitespace().all(|pid| !Path::new("/proc").join(pid).exists()).then_some(())
        });
    }

    /// Ends it in good order, cutting its connections.
    ///
    /// # Panics
    /// When it does not run or does not end.
    pub fn stop(&mut self) {
        let mut child = self.child.take().expect("it runs");
        let status = Command::new("kill").arg("-INT").arg(child.id().to_string()).status().expect("kill runs");
        assert!(status.success(), "it could not be signalled");
        child.wait().expect("wait");
    }

    /// Starts a standby that streams from it under `name`, with its roles, password and settings.
    ///
    /// # Panics
    /// With its log, when it does not start or follow.
    #[must_use]
    pub fn standby(&self, name: &str) -> Self {
        let mut standby = Self::prepare(&self.endpoint.bin, self.endpoint.password.clone());
        let from = format!(
            "host=127.0.0.1 port={} user={SUPERUSER} password={} application_name={name}",
            self.endpoint.port, self.endpoint.password
        );
        let mut copy = standby.command("pg_basebackup");
        copy.args(["--dbname", &from, "--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--pgdata"]);
        run(copy.arg(standby.data()));
        standby.restart();
        self.await_streaming(name);
        standby
    }

    /// Waits until the standby of that name has everything that was written here.
    ///
    /// # Panics
    /// When it does not.
    pub fn await_streaming(&self, name: &str) {
        let question = format!(
            "select 1 from pg_stat_replication where application_name = '{name}' and state = 'streaming' \
             and replay_lsn >= pg_current_wal_lsn()"
        );
        wait::until(PATIENCE_SECONDS, "the standby to follow", || {
            (!self.endpoint.sql("postgres", &question).is_empty()).then_some(())
        });
    }

    /// From now on a commit is acknowledged only when the standby of that name has flushed it; with no name, alone.
    ///
    /// # Panics
    /// When the server is not there.
    pub fn synchronous(&self, name: Option<&str>) {
        let statement = format!("alter system set synchronous_standby_names = '{}'", name.unwrap_or_default());
        self.endpoint.sql("postgres", &statement);
        self.endpoint.sql("postgres", "select pg_reload_conf()");
        let state = if name.is_some() { "sync" } else { "async" };
        wait::until(PATIENCE_SECONDS, "the standby to count", || {
            let states = self.endpoint.sql("postgres", "select sync_state from pg_stat_replication");
            (states.is_empty() && name.is_none() || states.lines().any(|line| line == state)).then_some(())
        });
    }

    /// Makes a standby take writes.
    ///
    /// # Panics
    /// When it does not.
    pub fn promote(&self) {
        let promoted = self.endpoint.sql("postgres", &format!("select pg_promote(true, {PATIENCE_SECONDS})"));
        assert_eq!(promoted, "t", "{}", self.log());
    }

    /// A program of PostgreSQL's that runs as the server does.
    fn command(&self, program: &str) -> Command {
        self.account.command(&self.endpoint.bin.join(program))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

fn run(command: &mut Command) {
    let output = command.stderr(std::process::Stdio::piped()).output().expect("the program runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn password() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    // Keyed by the system's chance; it guards a server on loopback for the length of a test.
    format!("{:016x}", RandomState::new().hash_one(0))
}

/// Makes an authority and, vouched for by it, `server.crt` and `server.key` in `folder`. Gives the authority's certificate.
pub(crate) fn certificates(folder: &Path) -> PathBuf {
    let authority = folder.join("authority.crt");
    let path = |name: &str| folder.join(name).display().to_string();
    let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let openssl = |arguments: &[&str]| run(Command::new("openssl").args(arguments));
    let own = ["-subj", "/CN=test authority", "-keyout", &path("authority.key"), "-out", &path("authority.crt")];
    openssl(&[&new[..], &own].concat());
    let names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    let signed = [
        "-CA",
        &path("authority.crt"),
        "-CAkey",
        &path("authority.key"),
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ];
    let files = ["-keyout", &path("server.key"), "-out", &path("server.crt")];
    openssl(&[&new[..], &names, &signed, &files].concat());
    authority
}
