//! Several nodes of the real binary over one database, behind HAProxy.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::balancer::Balancer;
use crate::caller::Caller;
use crate::clinic::{machine_client, machine_token};
use crate::postgres::free_port;
use crate::server::Server;
use crate::wait;

/// How long a node may take to be ready.
const PATIENCE_SECONDS: u64 = 60;

/// Running nodes with a load balancer before them. Killed when dropped.
#[derive(Debug)]
pub struct Nodes {
    nodes: Vec<Node>,
    /// What is before them.
    pub balancer: Balancer,
    /// `Bearer …` of a client with `system/*.cruds`.
    pub bearer: String,
    binary: &'static str,
    environment: Vec<(String, String)>,
    _folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Node {
    folder: PathBuf,
    port: u16,
    server: Option<Server>,
}

impl Nodes {
    /// Starts `count` nodes with that environment, each over a folder of its own with the same root key, makes a client, and waits
    /// until all are ready. `None` where HAProxy is not installed.
    ///
    /// # Panics
    /// When a node does not start.
    #[must_use]
    pub fn start(binary: &'static str, count: usize, environment: &[(&str, &str)]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let node =
            |at: usize| Node { folder: folder.path().join(format!("node{at}")), port: free_port(), server: None };
        let nodes = (0..count).map(node).collect::<Vec<_>>();
        let ports = nodes.iter().map(|node| node.port).collect::<Vec<_>>();
        let kept = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut group = Self {
            nodes,
            balancer: Balancer::before(&ports)?,
            bearer: String::new(),
            binary,
            environment: kept,
            _folder: folder,
        };
        group.start_node(0);
        for at in 1..count {
            // The operator's part: the first node makes the root key, the others get a copy before they start.
            std::fs::create_dir(group.folder(at)).expect("a folder");
            std::fs::copy(group.folder(0).join("root.key"), group.folder(at).join("root.key")).expect("a root key");
            group.start_node(at);
        }
        let secret = machine_client(binary, group.folder(0), environment);
        group.bearer = machine_token(group.node(0).caller(), &secret);
        Some(group)
    }

    /// Starts a node that does not run and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_node(&mut self, at: usize) {
        assert!(self.nodes[at].server.is_none(), "node {at} runs");
        let address = format!("127.0.0.1:{}", self.nodes[at].port);
        let mut environment = vec![("IRIS_HTTP_LISTEN", address.as_str()), ("IRIS_PUBLIC_URL", &self.balancer.base)];
        environment.extend(self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let server = Server::start(self.binary, &self.nodes[at].folder, &environment);
        self.nodes[at].server = Some(server);
        self.await_ready(at);
    }

    /// Waits until a running node is ready and HAProxy has seen it.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn await_ready(&self, at: usize) {
        wait::until(PATIENCE_SECONDS, "a node to be ready", || self.balancer.serves(at).then_some(()));
    }

    /// A running node.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn node(&self, at: usize) -> &Server {
        self.nodes[at].server.as_ref().expect("the node runs")
    }

    /// How many nodes there are, running or not.
    #[must_use]
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// A node's data folder.
    #[must_use]
    pub fn folder(&self, at: usize) -> &Path {
        &self.nodes[at].folder
    }

    /// Ends a node as a power cut would.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self, at: usize) {
        self.nodes[at].server.take().expect("the node runs").kill();
    }

    /// Asks a node to end (SIGTERM), waits until it has, and gives its exit code.
    ///
    /// # Panics
    /// When it does not run.
    pub fn terminate(&mut self, at: usize) -> Option<i32> {
        self.nodes[at].server.take().expect("the node runs").terminate()
    }

    /// Runs a command of the binary over a node's folder to its end.
    ///
    /// # Panics
    /// When the binary cannot be started.
    #[must_use]
    pub fn run(&self, at: usize, arguments: &[&str]) -> Output {
        let environment =
            self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>();
        Server::command(self.binary, self.folder(at), &environment).args(arguments).output().expect("the binary runs")
    }

    /// A caller of all of them, through HAProxy.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller::to(&self.balancer.base)
    }
}
