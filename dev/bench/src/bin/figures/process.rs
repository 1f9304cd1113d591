//! A server that is measured: started over SQLite or PostgreSQL, asked for its memory, stopped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use iris_testkit::postgres::{Database, Server};

use crate::Outcome;

/// An installation of its own: a folder, and a database where that is not in the folder.
pub(crate) struct Place<'a> {
    binary: &'a Path,
    pub(crate) folder: tempfile::TempDir,
    postgres: Option<(&'a Server, Database)>,
}

impl<'a> Place<'a> {
    /// An empty one, over a database of this server if there is one, else over SQLite.
    pub(crate) fn new(binary: &'a Path, server: Option<&'a Server>) -> Outcome<Self> {
        let postgres = server.map(|server| (server, server.database()));
        Ok(Self { binary, folder: tempfile::tempdir()?, postgres })
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(self.binary);
        command
            .env("IRIS_DATA_DIR", self.folder.path())
            .env("IRIS_HTTP_LISTEN", "127.0.0.1:0")
            .env("IRIS_METRICS_LISTEN", "127.0.0.1:0");
        if let Some((_, database)) = &self.postgres {
            command.env("IRIS_DATABASE_URL", database.url()).env("IRIS_DATABASE_MIGRATE_URL", database.owner_url());
        }
        command
    }

    /// The processes that serve: IRIS, and the database's.
    pub(crate) fn pids(&self, serving: &Serving) -> Outcome<String> {
        let own = serving.child.id();
        let Some((server, _)) = &self.postgres else { return Ok(own.to_string()) };
        let file = std::fs::read_to_string(server.data().join("postmaster.pid"))?;
        Ok(format!("{own},{}", file.lines().next().ok_or("the server names no process")?))
    }

    /// Bytes that everything stored takes on disk.
    pub(crate) fn bytes(&self) -> Outcome<u64> {
        let of_database = match &self.postgres {
            Some((_, database)) => database.sql("select pg_database_size(current_database())").trim().parse()?,
            None => 0,
        };
        Ok(disk_bytes(self.folder.path())? + of_database)
    }
}

pub(crate) struct Serving {
    child: Child,
    pub(crate) base: String,
    /// Where the metrics are.
    metrics: String,
    /// From the start of the process to its line that says where it listens.
    pub(crate) started_in: Duration,
}

impl Serving {
    pub(crate) fn start(place: &Place<'_>) -> Outcome<Self> {
        let start = Instant::now();
        let mut child = place.command().arg("serve").stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let mut told = |what: &str| -> Outcome<String> {
            loop {
                let line = lines.next().ok_or("the server ended before it listened")??;
                if let Some(url) = line.strip_prefix(what) {
                    return Ok(url.to_owned());
                }
            }
        };
        let base = told("listening on ")?;
        let started_in = start.elapsed();
        let metrics = told("metrics on ")?;
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, base, metrics, started_in })
    }

    /// Versions written so far.
    pub(crate) fn head(&self) -> Outcome<u64> {
        let text = ureq::get(format!("{}/metrics", self.metrics)).call()?.body_mut().read_to_string()?;
        let line = text.lines().find_map(|line| line.strip_prefix("iris_store_head ")).ok_or("no iris_store_head")?;
        Ok(line.trim().parse::<f64>()? as u64)
    }

    /// Resident memory in megabytes.
    pub(crate) fn resident_mb(&self) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }

    pub(crate) fn stop(mut self) -> Outcome<()> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status()?;
        let ended = self.child.wait()?;
        if asked.success() && ended.success() { Ok(()) } else { Err(format!("the server ended with {ended}").into()) }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // After `stop` there is nothing left to kill; after an error there is.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A bearer token of a new machine client.
pub(crate) fn token(place: &Place<'_>, base: &str) -> Outcome<String> {
    let output = place
        .command()
        .args(["client", "create", "--name", "figures", "--scope", "system/*.cruds", "-o", "json"])
        .output()?;
    let made: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        text("client_id"),
        text("client_secret")
    );
    let mut answer = ureq::post(format!("{base}/oauth2/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .send(form)?;
    let token: serde_json::Value = serde_json::from_slice(&answer.body_mut().read_to_vec()?)?;
    Ok(token["access_token"].as_str().ok_or("no access token")?.to_owned())
}

/// Bytes that a folder's files take on disk.
fn disk_bytes(folder: &Path) -> Outcome<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        sum += if path.is_dir() { disk_bytes(&path)? } else { std::fs::symlink_metadata(&path)?.blocks() * 512 };
    }
    Ok(sum)
}
