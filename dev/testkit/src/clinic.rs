//! A fresh installation with a machine client, ready to be spoken to.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::caller::{Answer, Caller};
use crate::server::Server;

/// A running server over a temporary folder, and a bearer token that may do everything clinical.
#[derive(Debug)]
pub struct Clinic {
    /// The server.
    pub server: Server,
    /// `Bearer …` of a client with `system/*.cruds`.
    pub bearer: String,
    folder: PathBuf,
    /// Removes the folder when dropped, if it is one of ours.
    _own: Option<tempfile::TempDir>,
    binary: &'static str,
    environment: Vec<(String, String)>,
    secret: (String, String),
}

/// Password that [`Clinic::user`] gives.
pub const PASSWORD: &str = "correct horse battery staple 9";

impl Clinic {
    /// Starts the binary over a fresh folder, makes a client beside the running server and signs it in.
    ///
    /// # Panics
    /// When any of that fails.
    #[must_use]
    pub fn open(binary: &'static str) -> Self {
        Self::with(binary, &[])
    }

    /// [`Clinic::open`] with further environment, for every start of the server and every command.
    ///
    /// # Panics
    /// When any of that fails.
    #[must_use]
    pub fn with(binary: &'static str, environment: &[(&str, &str)]) -> Self {
        let own = tempfile::tempdir().expect("a temporary folder");
        Self::start(binary, own.path().to_owned(), Some(own), environment)
    }

    /// [`Clinic::open`] over a folder of the caller's.
    ///
    /// # Panics
    /// When any of that fails.
    #[must_use]
    pub fn at(binary: &'static str, folder: PathBuf) -> Self {
        Self::start(binary, folder, None, &[])
    }

    fn start(
        binary: &'static str,
        folder: PathBuf,
        own: Option<tempfile::TempDir>,
        environment: &[(&str, &str)],
    ) -> Self {
        let server = Server::start(binary, &folder, environment);
        let secret = machine_client(binary, &folder, environment);
        let bearer = machine_token(server.caller(), &secret);
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { server, bearer, folder, _own: own, binary, environment, secret }
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.folder
    }

    /// Runs a command of the binary over the folder to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.prepared(&[]).args(arguments).output().expect("the binary runs")
    }

    /// A command of the binary over the folder, in the environment of the server and a further one.
    fn prepared(&self, further: &[(&str, &str)]) -> Command {
        let own = self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Server::command(self.binary, &self.folder, &own.chain(further.iter().copied()).collect::<Vec<_>>())
    }

    /// Kills the server as a power cut would and starts it anew over the same folder.
    pub fn crash_and_restart(&mut self) {
        self.server.kill();
        self.restart();
    }

    /// Starts the server anew over the same folder, once the one before has ended.
    pub fn restart(&mut self) {
        let own = self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>();
        self.server = Server::start(self.binary, &self.folder, &own);
        self.bearer = machine_token(self.server.caller(), &self.secret);
    }

    /// Runs a command of the binary over the folder, expects success and reads its JSON.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Value {
        json_of(&self.run(arguments), arguments)
    }

    /// Makes a user with [`PASSWORD`] and returns the bearer token of its sign-in.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn user(&self, name: &str, role: &str) -> String {
        self.user_with(name, &["--role", role], None)
    }

    /// [`Clinic::user`] with arguments of one's own, signed in to a tenant.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn user_with(&self, name: &str, arguments: &[&str], tenant: Option<&str>) -> String {
        let output = self
            .prepared(&[("IRIS_USER_PASSWORD", PASSWORD)])
            .args(["user", "create", "--name", name, "-o", "json"])
            .args(arguments)
            .output()
            .expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut body = serde_json::json!({ "username": name, "password": PASSWORD });
        if let Some(tenant) = tenant {
            body["tenant"] = tenant.into();
        }
        let body = body.to_string();
        let answer = self.server.send(
            "POST",
            "/api/v1/auth/login",
            &[("content-type", "application/json")],
            Some(body.as_bytes()),
        );
        let token = answer.expect(200).json();
        format!("Bearer {}", token["access_token"].as_str().expect("an access token"))
    }

    /// GET as the machine client.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.server.get(path, &[("authorization", &self.bearer)])
    }

    /// A FHIR request with a body, as the machine client.
    #[must_use]
    pub fn fhir(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let headers = [("authorization", self.bearer.as_str()), ("content-type", "application/fhir+json")];
        self.server.send(method, path, &headers, Some(body))
    }

    /// A plain request with a JSON body under somebody's token.
    #[must_use]
    pub fn plain(&self, bearer: &str, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [("authorization", bearer), ("content-type", "application/json")];
        let body = if body.is_null() { None } else { Some(body.to_string()) };
        self.server.send(method, path, &headers, body.as_ref().map(String::as_bytes))
    }
}

/// Makes a machine client that may do everything clinical, beside the server that runs over the folder: id and secret.
pub(crate) fn machine_client(binary: &str, folder: &Path, environment: &[(&str, &str)]) -> (String, String) {
    let arguments = ["client", "create", "--name", "test", "--scope", "system/*.cruds", "-o", "json"];
    let output = Server::command(binary, folder, environment).args(arguments).output().expect("the binary runs");
    let made = json_of(&output, &arguments);
    let text = |name: &str| made[name].as_str().expect("client_id and client_secret").to_owned();
    (text("client_id"), text("client_secret"))
}

/// Signs a machine client in: `Bearer …`.
pub(crate) fn machine_token(caller: &Caller, (id, secret): &(String, String)) -> String {
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let token = caller.send("POST", "/oauth2/token", &headers, Some(form.as_bytes())).expect(200).json();
    format!("Bearer {}", token["access_token"].as_str().expect("an access token"))
}

fn json_of(output: &Output, arguments: &[&str]) -> Value {
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{arguments:?} printed no JSON ({e}): {}", String::from_utf8_lossy(&output.stdout)))
}
