//! PostgreSQL for tests: an empty database or one made of a template, on a server that all tests share, or a [`Server`] of a
//! test's own that may be killed, followed by a standby and replaced by it.
//!
//! Where PostgreSQL is not installed, tests skip and say so; with `$IRIS_REQUIRE_TEST_DATA` set they fail instead.

mod bouncer;
mod database;
mod server;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

pub use bouncer::Bouncer;
pub use database::Database;
pub use server::Server;
pub(crate) use server::{certificates, password};

/// The name of the role that owns a test's database and may change its schema.
pub const OWNER: &str = "iris_owner";
/// The name of the role that IRIS runs as: it owns nothing, creates nothing, and obeys row-level security.
pub const RUNTIME: &str = "iris_app";
const SUPERUSER: &str = "postgres";

/// Where a server listens on loopback, and the password of all its roles.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// The password of [`OWNER`], [`RUNTIME`] and the superuser.
    pub password: String,
    bin: PathBuf,
}

impl Endpoint {
    /// The URL of a database for a role.
    #[must_use]
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// The same server behind another port, such as a [`crate::FaultProxy`]'s.
    #[must_use]
    pub fn behind(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

    /// Runs statements as the superuser and gives the rows as text: a line each, columns divided by `|`.
    ///
    /// # Panics
    /// With what the server said, when one of them fails.
    #[track_caller]
    pub fn sql(&self, database: &str, statements: &str) -> String {
        self.try_sql(SUPERUSER, database, statements)
            .unwrap_or_else(|said| panic!("PostgreSQL on port {}: {said}", self.port))
    }

    /// Runs statements as a role, the first that fails ending it.
    ///
    /// # Errors
    /// What the server said, or that it could not be reached.
    pub fn try_sql(&self, role: &str, database: &str, statements: &str) -> Result<String, String> {
        let output = self.psql(role, database).args(["--command", statements]).output().expect("psql runs");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned())
        }
    }

    fn psql(&self, role: &str, database: &str) -> Command {
        let mut command = Command::new(self.bin.join("psql"));
        command
            .env("PGPASSWORD", &self.password)
            .env("PGCONNECT_TIMEOUT", "10")
            .args(["-XqAt", "-h", "127.0.0.1", "-v", "ON_ERROR_STOP=1", "-U", role, "-d", database])
            .args(["-p", &self.port.to_string()])
            .stdin(Stdio::null());
        command
    }
}

/// The folder of PostgreSQL's programs: `$IRIS_POSTGRES_BIN`, else Debian's. `None`, with a line on standard output, where they
/// are not installed.
///
/// # Panics
/// Where they are absent although `$IRIS_REQUIRE_TEST_DATA` is set: in CI a skipped test is a failed one.
#[must_use]
pub fn programs() -> Option<PathBuf> {
    let named = std::env::var_os("IRIS_POSTGRES_BIN").map(PathBuf::from);
    let debian = PathBuf::from("/usr/lib/postgresql/15/bin");
    if let Some(bin) = named.into_iter().chain([debian]).find(|bin| bin.join("initdb").is_file()) {
        return Some(bin);
    }
    absent("PostgreSQL")
}

/// The path of another server's program, looked for where Debian puts it.
///
/// # Panics
/// As [`programs`].
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    let found = ["/usr/sbin", "/usr/bin", "/usr/local/bin"].iter().map(|folder| Path::new(folder).join(name));
    found.into_iter().find(|path| path.is_file()).or_else(|| absent(name))
}

fn absent<T>(what: &str) -> Option<T> {
    assert!(std::env::var_os("IRIS_REQUIRE_TEST_DATA").is_none(), "{what} is not installed; `make setup` brings it");
    println!("skipped: {what} is not installed");
    None
}

/// The server that all tests share, started by whoever asks first (`dev/scripts/postgres`). It ends by itself.
///
/// # Panics
/// When it cannot be started, and as [`programs`].
#[must_use]
pub fn shared() -> Option<Endpoint> {
    static SHARED: OnceLock<Endpoint> = OnceLock::new();
    let bin = programs()?;
    let start = || {
        // Looked for from where the test runs: clones that share a build need not lie where it was built.
        let here = std::env::current_dir().expect("the folder of the crate under test");
        let script = here.ancestors().map(|folder| folder.join("dev/scripts/postgres")).find(|path| path.is_file());
        let output = Command::new(script.expect("dev/scripts/postgres above the crate"))
            .arg("ensure")
            .stdin(Stdio::null())
            .output()
            .expect("the script runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let url = String::from_utf8(output.stdout).expect("a URL");
        let rest = url.trim_end().strip_prefix("postgres://postgres:").expect("a superuser's URL");
        let (password, rest) = rest.split_once("@127.0.0.1:").expect("a password");
        let port = rest.strip_suffix("/postgres").and_then(|port| port.parse().ok()).expect("a port");
        Endpoint { port, password: password.to_owned(), bin }
    };
    Some(SHARED.get_or_init(start).clone())
}

/// Whom a server process runs as: root hands over to the user of Debian's package, anybody else stays who they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    /// User and group, where they are to be changed.
    ids: Option<(u32, u32)>,
}

impl Account {
    pub(crate) fn of_servers() -> Self {
        let id = |arguments: &[&str]| -> Option<u32> {
            let output = Command::new("id").args(arguments).output().expect("id runs");
            String::from_utf8_lossy(&output.stdout).trim().parse().ok()
        };
        if id(&["-u"]) != Some(0) {
            return Self { ids: None };
        }
        let of = |user: &str| Some((id(&["-u", user])?, id(&["-g", user])?));
        Self { ids: Some(of(SUPERUSER).or_else(|| of("nobody")).expect("an unprivileged user")) }
    }

    /// A command that runs as this account, with nothing of the test's on its standard streams.
    pub(crate) fn command(self, program: &Path) -> Command {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new(program);
        // PostgreSQL's programs look at where they are, and root's folders are closed to them.
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
        command
    }

    /// Gives it a file or folder.
    pub(crate) fn own(self, path: &Path) {
        if let Some((user, group)) = self.ids {
            std::os::unix::fs::chown(path, Some(user), Some(group)).expect("root gives a file away");
        }
    }
}

/// A port of 127.0.0.1 that was free a moment ago.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}
