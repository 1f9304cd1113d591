//! A database of one test, on a server of several.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Endpoint, OWNER, RUNTIME, shared};

/// A database of [`OWNER`]'s, which [`RUNTIME`] may connect to. Dropped with its connections when this value is.
#[derive(Debug)]
pub struct Database {
    endpoint: Endpoint,
    name: String,
}

impl Database {
    /// One with nothing in it, on the shared server. `None` where PostgreSQL is not installed.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn empty() -> Option<Self> {
        Some(Self::on(&shared()?))
    }

    /// One with nothing in it, on a server of the caller's.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn on(endpoint: &Endpoint) -> Self {
        Self::make(endpoint, "template0")
    }

    /// One like the template of that digest, on the shared server. The first of all test processes to ask makes the template with
    /// `fill`, which is given an empty database and must have closed its connections to it when it returns; the others wait for
    /// it. `None` where PostgreSQL is not installed.
    ///
    /// `digest` stands for everything that `fill` does: letters and digits, 40 at most.
    ///
    /// # Panics
    /// When `fill` does, or a database cannot be made.
    #[must_use]
    pub fn from_template(digest: &str, fill: impl FnOnce(&Self)) -> Option<Self> {
        assert!(digest.len() <= 40 && digest.bytes().all(|byte| byte.is_ascii_alphanumeric()), "a digest: {digest}");
        let endpoint = shared()?;
        let template = format!("template_{}", digest.to_ascii_lowercase());
        let there =
            || !endpoint.sql("postgres", &format!("select 1 from pg_database where datname = '{template}'")).is_empty();
        if !there() {
            let lock = Lock::take(&endpoint, &template);
            if !there() {
                let making = Self::make(&endpoint, "template0");
                fill(&making);
                making.disconnect();
                endpoint.sql("postgres", &format!("alter database {} rename to {template}", making.name));
            }
            lock.release();
        }
        Some(Self::make(&endpoint, &template))
    }

    fn make(endpoint: &Endpoint, template: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        // A process of the same number may have been killed before it could drop its own.
        endpoint.sql("postgres", &format!("drop database if exists {name} with (force)"));
        endpoint.sql("postgres", &format!("create database {name} owner {OWNER} template {template}"));
        Self { endpoint: endpoint.clone(), name }
    }

    /// The URL for the role that IRIS runs as.
    #[must_use]
    pub fn url(&self) -> String {
        self.endpoint.url(RUNTIME, &self.name)
    }

    /// The URL for the role that owns the database and changes its schema.
    #[must_use]
    pub fn owner_url(&self) -> String {
        self.endpoint.url(OWNER, &self.name)
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server it is on.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// [`Endpoint::sql`] in this database.
    ///
    /// # Panics
    /// With what the server said, when a statement fails.
    #[track_caller]
    pub fn sql(&self, statements: &str) -> String {
        self.endpoint.sql(&self.name, statements)
    }

    /// [`Endpoint::try_sql`] in this database.
    ///
    /// # Errors
    /// What the server said, or that it could not be reached.
    pub fn try_sql(&self, role: &str, statements: &str) -> Result<String, String> {
        self.endpoint.try_sql(role, &self.name, statements)
    }

    /// Ends every connection to it, as an administrator would, and gives their number.
    ///
    /// # Panics
    /// When the server is not there.
    pub fn disconnect(&self) -> usize {
        let statement = format!(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{}' and pid <> pg_backend_pid()",
            self.name
        );
        self.endpoint.sql("postgres", &statement).lines().count()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may be gone with all it had, killed by the test; then there is nothing to drop.
        drop(self.endpoint.try_sql(
            "postgres",
            "postgres",
            &format!("drop database if exists {} with (force)", self.name),
        ));
    }
}

/// A lock that the server holds for as long as the connection of this process lives.
struct Lock(Child);

impl Lock {
    fn take(endpoint: &Endpoint, name: &str) -> Self {
        let mut psql = endpoint.psql("postgres", "postgres");
        let mut child = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("psql runs");
        let statement = format!("select 'locked' from pg_advisory_lock(hashtextextended('{name}', 0));\n");
        child.stdin.as_mut().expect("its input").write_all(statement.as_bytes()).expect("psql reads");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("its output")).read_line(&mut line).expect("psql answers");
        assert_eq!(line, "locked\n", "the lock of {name}");
        Self(child)
    }

    fn release(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().expect("psql ends");
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // After `release` there is nothing left to end; after a panic the server frees the lock with the connection.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
