//! PgBouncer before a database of a test, in the mode in which each transaction may get another connection.

use std::process::Child;

use super::{Account, Database, Endpoint, OWNER, RUNTIME, SUPERUSER, free_port, program};
use crate::wait;

/// A running PgBouncer in transaction mode. Killed when dropped.
#[derive(Debug)]
pub struct Bouncer {
    endpoint: Endpoint,
    database: String,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Bouncer {
    /// Starts one that shares `connections` connections to the database among all its clients. `None` where it is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn before(database: &Database, connections: u32) -> Option<Self> {
        let binary = program("pgbouncer")?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let account = Account::of_servers();
        account.own(folder.path());
        let server = database.endpoint();
        let port = free_port();
        let users = folder.path().join("users");
        let lines = [OWNER, RUNTIME, SUPERUSER].map(|role| format!("\"{role}\" \"{}\"\n", server.password));
        let settings = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = {connections}\nmax_client_conn = 1000\nserver_lifetime = 600\n",
            server.port,
            users.display()
        );
        for (path, content) in [(&users, lines.concat()), (&settings, text)] {
            std::fs::write(path, content).expect("a file of PgBouncer's");
            account.own(path);
        }
        let child = account.command(&binary).arg("--quiet").arg(&settings).spawn().expect("pgbouncer runs");
        let bouncer =
            Self { endpoint: server.behind(port), database: database.name().to_owned(), child, _folder: folder };
        wait::until(30, "PgBouncer to start", || {
            bouncer.endpoint.try_sql(SUPERUSER, &bouncer.database, "select 1").ok()
        });
        Some(bouncer)
    }

    /// The database's URL through it, for the role that IRIS runs as.
    #[must_use]
    pub fn url(&self) -> String {
        self.endpoint.url(RUNTIME, &self.database)
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
