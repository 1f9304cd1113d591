//! The demo clinic of a data folder: what says that it is one, its accounts, and what a person is told of them.
//!
//! Two files make a folder a demo. `demo.json` says what is in it and whether all of it is there; `demo-credentials.json` holds
//! each role's sign-in. Both are written before the store is, so a start that was broken off is known for what it was, and the
//! next one goes on: seeding passes over what is there, and so does the making of accounts.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use iris_access::{AccessError, Named, Role, RoleSet};
use iris_demo::{Day, Detail, PATIENTS_DEFAULT, PATIENTS_MAX, Plan, SEED_DEFAULT};
use iris_identity::NewUser;
use iris_kernel::{Secret, Tenant};
use iris_store::{Store, StoreConfig};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{seed, words};
use crate::application::{Application, failure};
use crate::cli::{Output, ServeFlags};
use crate::command::{Failure, Go, Report};
use crate::config::{Config, read_bounded};
use crate::operations::permit;
use crate::output::ProgressDisplay;
use crate::platform::Machine;
use crate::words::Password;

/// Each role's sign-in: role to `username` and `password`.
const CREDENTIALS: &str = "demo-credentials.json";
/// What the folder holds.
const STATE: &str = "demo.json";
/// The tenant of the demo.
const TENANT: Tenant = Tenant(1);
/// What is in a demo folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    seed: u64,
    patients: u32,
    /// The day on which the clinic was opened: everybody's age and the last visit are as of it.
    at: String,
    /// Whether all of it was stored and every account made.
    ready: bool,
}

/// A sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    username: String,
    password: Password,
}

/// The sign-ins by the word of their role. A folder that an earlier version made has those of its roles alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Credentials(BTreeMap<String, SignIn>);

impl Credentials {
    /// The roles that there is a sign-in for, in the order in which they are told.
    fn by_role(&self) -> impl Iterator<Item = (Role, &SignIn)> {
        Role::ALL.into_iter().filter_map(|role| Some((role, self.0.get(role.name())?)))
    }
}

/// A folder that is a demo clinic, or is about to become one.
pub(crate) struct Demo {
    folder: PathBuf,
    state: State,
    credentials: Credentials,
}

/// How filling the clinic ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// Everything is there.
    Ready,
    /// The person at the terminal said stop.
    Told,
}

/// Whether the folder holds a demo clinic.
pub(crate) fn is_one(folder: &Path) -> bool {
    folder.join(CREDENTIALS).exists()
}

impl Demo {
    /// What `iris serve` was asked for: a demo, or none.
    ///
    /// # Errors
    /// The server would be reached from elsewhere, and the demo's sign-ins are for one machine.
    pub(crate) fn wanted(flags: &ServeFlags, config: &Config) -> Result<bool, Failure> {
        if !flags.demo {
            return Ok(false);
        }
        let mut faults = Vec::new();
        for (name, address) in
            [("IRIS_HTTP_LISTEN", config.http_listen), ("IRIS_METRICS_LISTEN", config.metrics_listen)]
        {
            if !address.ip().is_loopback() {
                faults.push(format!("{name}: a demo listens on a loopback address only, such as 127.0.0.1:8080"));
            }
        }
        if config.behind_proxy {
            faults.push("IRIS_BEHIND_PROXY: a demo is not for others to reach".to_owned());
        }
        if faults.is_empty() {
            return Ok(true);
        }
        Err(Failure { faults, ..Failure::new("a demo clinic is served to this machine alone") })
    }

    /// Makes the locked folder a demo, or finds that it is one.
    ///
    /// # Errors
    /// It holds a clinic that is none, or a demo of another size, or its files cannot be read or written.
    pub(crate) fn claim(folder: &Path, flags: &ServeFlags, machine: &Machine) -> Result<Self, Failure> {
        if is_one(folder) {
            return Self::found(folder, flags);
        }
        if Store::exists(&StoreConfig::new(folder))
            .map_err(|error| failure("the folder cannot be looked at", &error))?
        {
            return Err(Failure::new(format!(
                "{} holds a clinic that is no demo; --demo makes its own in an empty folder (--data-dir)",
                folder.display()
            )));
        }
        let patients = flags.demo_patients.unwrap_or(PATIENTS_DEFAULT);
        if patients == 0 || patients > PATIENTS_MAX {
            return Err(Failure::new(format!("--demo-patients: expected 1 to {PATIENTS_MAX}")));
        }
        let at = Day::from(machine.clock.now()).to_string();
        let sign_in = |role: Role| SignIn {
            username: role.name().to_owned(),
            password: Password(words::password(&*machine.entropy)),
        };
        let demo = Self {
            folder: folder.to_owned(),
            state: State { seed: SEED_DEFAULT, patients, at, ready: false },
            credentials: Credentials(Role::ALL.map(|role| (role.name().to_owned(), sign_in(role))).into()),
        };
        demo.save_state()?;
        // Last: it is what makes the folder a demo.
        write(&folder.join(CREDENTIALS), &demo.credentials)?;
        Ok(demo)
    }

    fn found(folder: &Path, flags: &ServeFlags) -> Result<Self, Failure> {
        let state: State = read(&folder.join(STATE))?;
        if let Some(other) = flags.demo_patients.filter(|wanted| *wanted != state.patients) {
            return Err(Failure::new(format!(
                "--demo-patients: the demo in {} was begun with {} patients, not {other}; leave it out, or name another folder",
                folder.display(),
                state.patients
            )));
        }
        Ok(Self { folder: folder.to_owned(), state, credentials: read(&folder.join(CREDENTIALS))? })
    }

    /// The day as of which a folder's demo was made; none if it is no demo.
    ///
    /// # Errors
    /// Its file cannot be read.
    pub(crate) fn day_of(folder: &Path) -> Result<Option<Day>, Failure> {
        let path = folder.join(STATE);
        if !path.exists() {
            return Ok(None);
        }
        let state: State = read(&path)?;
        day(&state.at).map(Some)
    }

    /// Stores what is not there yet and makes the accounts, where an earlier start has not done so.
    ///
    /// # Errors
    /// What could not be stored. The next start goes on from there.
    pub(crate) fn fill(
        &mut self,
        application: &Application,
        stopping: &mut dyn FnMut() -> bool,
    ) -> Result<Filled, Failure> {
        if self.state.ready {
            return Ok(Filled::Ready);
        }
        let State { seed, patients, .. } = self.state;
        let plan = Plan { seed, patients, detail: Detail::Full, at: day(&self.state.at)?, tenant: TENANT };
        eprintln!("Making the demo clinic: {patients} invented patients. This happens once.");
        let mut display = ProgressDisplay::new(Output::Text, &*application.clock);
        let mut told = false;
        let report: &mut Report<'_> = &mut |progress| {
            display.show(&progress);
            told = stopping();
            if told { Go::Stop } else { Go::On }
        };
        let seeded = seed::run(application, &plan, report);
        display.end();
        if told {
            return Ok(Filled::Told);
        }
        seeded?;
        for (role, sign_in) in self.credentials.by_role() {
            Self::account(application, role, sign_in, &plan)?;
        }
        self.state.ready = true;
        self.save_state()?;
        Ok(Filled::Ready)
    }

    fn account(application: &Application, role: Role, sign_in: &SignIn, plan: &Plan) -> Result<(), Failure> {
        let SignIn { username, password } = sign_in;
        let user = NewUser {
            name: username.clone(),
            password: Secret::new(password.0.expose().clone()),
            roles: RoleSet::of(&[role]),
            patient: if role == Role::Patient { plan.shown_patient() } else { None },
        };
        let permit = permit(&application.caller(TENANT, "serve --demo"), Named::Accounts)?;
        match application.runtime.block_on(application.identity.user_create(&permit, user)) {
            // Taken: an earlier start came this far.
            Ok(_) | Err(AccessError::Taken(_)) => Ok(()),
            Err(error) => Err(failure("an account of the demo cannot be made", &error)),
        }
    }

    fn save_state(&self) -> Result<(), Failure> {
        write(&self.folder.join(STATE), &self.state)
    }

    /// The address and the sign-ins, for the person at the terminal.
    pub(crate) fn table(&self, base_url: &str) -> Zeroizing<String> {
        let State { seed, patients, at, .. } = &self.state;
        let mut text = Zeroizing::new(format!(
            "\nThe demo clinic is open at {base_url}\n{patients} invented patients (seed {seed}, as of {at}) in {}\n\n",
            self.folder.display()
        ));
        let names = self.credentials.by_role().map(|(_, sign_in)| sign_in.username.len());
        let width = names.max().unwrap_or(0).max("user name".len());
        let roles = Role::ALL.map(|role| role.name().len()).into_iter().max().unwrap_or(0);
        text.push_str(&format!("{:roles$}  {:width$}  password\n", "role", "user name"));
        for (role, SignIn { username, password }) in self.credentials.by_role() {
            text.push_str(&format!("{:roles$}  {username:width$}  {}\n", role.name(), password.0.expose()));
        }
        text.push_str(&format!("\nThe sign-ins stand in {} as well. Ctrl-C closes the clinic.\n", CREDENTIALS));
        text
    }
}

/// The address that a demo tells: `localhost`, where nothing else is set.
pub(crate) fn address(config: &Config, bound: SocketAddr) -> Config {
    let local = format!("http://localhost:{}", bound.port());
    Config { public_url: Some(config.public_url.clone().unwrap_or(local)), ..config.clone() }
}

fn day(text: &str) -> Result<Day, Failure> {
    text.parse().map_err(|error| failure(STATE, &error))
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Failure> {
    let unreadable = |what: String| Failure::new(format!("{}: {what}", path.display()));
    let text = Zeroizing::new(read_bounded(path).map_err(unreadable)?);
    // The message of the parser could repeat a password.
    serde_json::from_str(&text)
        .map_err(|error| unreadable(format!("is not as a demo wrote it (line {})", error.line())))
}

/// Writes a file of the folder's owner alone: whole or not at all, and on the disk when this returns.
fn write(path: &Path, content: &impl Serialize) -> Result<(), Failure> {
    let written = |error: io::Error| Failure::new(format!("{} cannot be written: {error}", path.display()));
    let mut text = Zeroizing::new(serde_json::to_vec_pretty(content).map_err(|error| Failure::new(error.to_string()))?);
    text.push(b'\n');
    let beside = path.with_extension("json.new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(written(error)),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(written)?;
    // Once more, because the mask of the process can have taken away even what the owner needs.
    file.set_permissions(Permissions::from_mode(0o600)).map_err(written)?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(written)?;
    std::fs::rename(&beside, path).map_err(written)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(written)
}
