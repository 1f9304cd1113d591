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

    /// Makes a user of a tenant, with [`PASSWORD`] and that role, and gives its id.
    pub(crate) fn user(&self, name: &str, role: &str, tenant: u64) -> Outcome<String> {
        let tenant = tenant.to_string();
        let mut command = self.command();
        command.env("IRIS_USER_PASSWORD", PASSWORD);
        command.args(["user", "create", "--name", name, "--role", role, "--tenant", &tenant, "-o", "json"]);
        let made = told(command)?;
        Ok(made["id"].as_str().ok_or("the user has no id")?.to_owned())
    }

    /// Makes a tenant, and gives its number.
    pub(crate) fn tenant(&self, name: &str) -> Outcome<u64> {
        let mut command = self.command();
        command.args(["tenant", "create", "--name", name, "-o", "json"]);
        Ok(told(command)?["tenant"].as_u64().ok_or("the tenant has no number")?)
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

/// Runs a command to its end, and gives what it says.
fn told(mut command: Command) -> Outcome<serde_json::Value> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Runs a command to its end, and gives what it says and the most memory that it had, in megabytes.
pub(crate) fn watched(mut command: Command) -> Outcome<(serde_json::Value, f64)> {
    const LOOK_EVERY: Duration = Duration::from_millis(50);
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut most = 0.0;
    while child.try_wait()?.is_none() {
        // One that has just ended tells nothing any more.
        most = memory_mb(child.id(), "VmHWM:").unwrap_or(most);
        std::thread::sleep(LOOK_EVERY);
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}", output.status).into());
    }
    Ok((serde_json::from_slice(&output.stdout)?, most))
}

/// What the system says of a process's memory, in megabytes (`proc(5)`).
fn memory_mb(process: u32, name: &str) -> Outcome<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}

/// What every user here signs in with.
pub(crate) const PASSWORD: &str = "correct horse battery staple 9";

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
        memory_mb(self.child.id(), "VmRSS:")
    }

    /// The most memory that it had so far, in megabytes.
    pub(crate) fn peak_mb(&self) -> Outcome<f64> {
        memory_mb(self.child.id(), "VmHWM:")
    }

    /// Processor time that it has used so far, in milliseconds.
    pub(crate) fn cpu_ms(&self) -> Outcome<f64> {
        /// Of the kernel's clock for processes.
        const TICKS_A_SECOND: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Behind the name, which may hold anything: user time is field 14 of proc(5), system time field 15.
        let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no name")?.1.split_whitespace().collect();
        let ticks = |at: usize| -> Outcome<f64> { Ok(fields.get(at).ok_or("too few fields")?.parse()?) };
        Ok((ticks(11)? + ticks(12)?) * 1e3 / TICKS_A_SECOND)
    }

    /// Where it listens.
    pub(crate) fn authority(&self) -> &str {
        self.base.trim_start_matches("http://")
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
