//! The database of a test with several nodes.

use iris_testkit::Nodes;
use iris_testkit::postgres::{Database, OWNER, RUNTIME, Server};

use crate::binary;

/// A primary and a standby that has everything before it is acknowledged.
pub(crate) struct Truth {
    pub(crate) primary: Server,
    pub(crate) standby: Server,
    database: Option<Database>,
}

impl Truth {
    /// Starts both. `None` where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        let primary = Server::start(&[])?;
        let standby = primary.standby("second");
        primary.synchronous(Some("second"));
        let database = primary.database();
        Some(Self { primary, standby, database: Some(database) })
    }

    /// The URL that names both servers; whichever takes writes is the one that is used.
    fn url(&self, role: &str, primary: u16) -> String {
        let second = self.standby.endpoint();
        let name = self.database.as_ref().unwrap().name();
        format!("postgres://{role}:{}@127.0.0.1:{primary},127.0.0.1:{}/{name}", second.password, second.port)
    }

    /// Nodes over it. `None` where HAProxy is not installed.
    pub(crate) fn nodes(&self, count: usize) -> Option<Nodes> {
        self.nodes_by(count, self.primary.endpoint().port)
    }

    /// Nodes that reach the primary by another port.
    pub(crate) fn nodes_by(&self, count: usize, primary: u16) -> Option<Nodes> {
        nodes(count, &self.url(RUNTIME, primary), &self.url(OWNER, primary))
    }
}

/// Nodes over a database whose tables are not there yet. `None` where HAProxy is not installed.
pub(crate) fn nodes(count: usize, url: &str, owner_url: &str) -> Option<Nodes> {
    Nodes::start(binary(), count, &[("IRIS_DATABASE_URL", url), ("IRIS_DATABASE_MIGRATE_URL", owner_url)])
}
