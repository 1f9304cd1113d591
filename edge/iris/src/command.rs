//! The commands that act on an installation, as data: the same value is carried out in this process or, through the admin
//! socket, in a running server.

use std::path::PathBuf;

use iris_kernel::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::words::Password;

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdminCommand {
    /// Makes a user who signs in with a password.
    UserCreate {
        /// Sign-in name, unique in the tenant.
        name: String,
        /// Names of roles.
        roles: Vec<String>,
        /// Number of the tenant.
        tenant: u32,
        /// Id of the Patient that this user is, for the role patient.
        patient: Option<String>,
        /// The password.
        password: Password,
        /// Whether it is a hash that another system made.
        hashed: bool,
        /// Whether it was made here, and must therefore be shown once.
        generated: bool,
    },
    /// Takes all second factors away from a user who has lost them, and ends their sessions.
    UserResetFactors {
        /// Sign-in name.
        name: String,
        /// Number of the tenant.
        tenant: u32,
    },
    /// Makes a machine client for the client-credentials grant.
    ClientCreate {
        /// What people call it.
        name: String,
        /// SMART scopes, separated by spaces.
        scope: String,
        /// Number of the tenant.
        tenant: u32,
    },
    /// Makes a tenant.
    TenantCreate {
        /// What people call it.
        name: String,
        /// Sign-in name of its first administrator, whose password is made and shown once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        admin: Option<String>,
    },
    /// Names a tenant anew, or switches it off or on.
    TenantChange {
        /// Its number.
        number: u32,
        /// What people call it from now on.
        name: Option<String>,
        /// Whether people can sign in there; `false` ends all its sessions for good.
        on: Option<bool>,
    },
    /// Lists the tenants.
    TenantList,
    /// Imports files.
    Import(ImportCommand),
    /// Stores invented families.
    DemoSeed(SeedCommand),
    /// Drops the search index and builds it anew from the store.
    IndexRebuild,
    /// Compares the search index with the store.
    IndexVerify,
    /// Verifies the whole audit log against its checkpoints and the stored entries.
    AuditVerify,
    /// Writes the audit log to a file that can be verified without this installation.
    AuditExport {
        /// Absolute path; must not exist.
        file: PathBuf,
        /// Whether the details can be read in it.
        details: Details,
    },
    /// The public key that checkpoints are signed with.
    AuditKey,
    /// Opens every stored row and checks that chains and pointers hold.
    StoreVerify,
    /// Puts another vaccine table in the place of the one in use.
    VaccinesLoad {
        /// Absolute path of the table.
        file: PathBuf,
    },
    /// Goes back to the vaccine table that ships with IRIS.
    VaccinesReset,
    /// Makes a new key that signs access tokens from now on.
    KeysRotate,
    /// Looks for what the installation lacks before patients' data may go into it.
    Doctor,
}

impl AdminCommand {
    /// Its name, for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::UserCreate { .. } => "user create",
            Self::UserResetFactors { .. } => "user reset-factors",
            Self::ClientCreate { .. } => "client create",
            Self::TenantCreate { .. } => "tenant create",
            Self::TenantChange { .. } => "tenant change",
            Self::TenantList => "tenant list",
            Self::Import(_) => "import",
            Self::DemoSeed(_) => "demo seed",
            Self::IndexRebuild => "index rebuild",
            Self::IndexVerify => "index verify",
            Self::AuditVerify => "audit verify",
            Self::AuditExport { .. } => "audit export",
            Self::AuditKey => "audit key",
            Self::StoreVerify => "store verify",
            Self::VaccinesLoad { .. } => "vaccines load",
            Self::VaccinesReset => "vaccines reset",
            Self::KeysRotate => "keys rotate",
            Self::Doctor => "doctor",
        }
    }
}

/// Whether an exported log shows who did what to whom, or only that nobody changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Details {
    /// As stored: headers in clear, details sealed.
    Sealed,
    /// Details in clear beside the sealed ones.
    Open,
}

impl Details {
    /// For the audit log's own entry.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Sealed => "details sealed",
            Self::Open => "details open",
        }
    }
}

/// What to import, and what a fault means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportCommand {
    /// Absolute paths of files and folders.
    pub paths: Vec<PathBuf>,
    /// Number of the tenant.
    pub tenant: u32,
    /// Whether a rejected resource ends the import.
    pub on_reject: OnReject,
    /// Absolute path of the file that names each fault; must not exist.
    pub rejects: Option<PathBuf>,
}

/// What a rejected resource means for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnReject {
    /// The import ends after the batch it was in.
    Stop,
    /// It is written to the rejects file and the import goes on.
    KeepGoing,
}

/// Which families to invent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedCommand {
    /// How many patients.
    pub patients: u32,
    /// What chance follows from.
    pub seed: u64,
    /// How much of each patient.
    pub detail: SeedDetail,
    /// The day that ages are as of, as `2026-11-01`; the folder's or the usual one where none is given.
    pub at: Option<String>,
    /// Number of the tenant.
    pub tenant: u32,
    /// Whether they may stand among patients that nobody invented.
    pub yes: bool,
}

/// How much of each patient is invented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum SeedDetail {
    /// The Patient alone.
    Demographics,
    /// The whole record.
    Full,
}

/// How far a command is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Units done: bytes of the files for an import, rows otherwise.
    pub done: u64,
    /// Units there are; 0 when unknown.
    pub total: u64,
    /// What is counted for the rate: resources, rows.
    pub items: u64,
    /// The word for [`Progress::items`].
    pub unit: String,
}

/// What a command says while it runs and at its end; one JSON line each on the admin socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// It goes on.
    Progress(Progress),
    /// It succeeded.
    Done {
        /// An object of named results.
        result: Value,
    },
    /// It failed.
    Failed(Failure),
}

/// Why a command failed. `result` holds what it found or did nevertheless.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What failed, in a sentence.
    pub message: String,
    /// Every fault, as `place: what`.
    pub faults: Vec<String>,
    /// What is known all the same; null if nothing.
    pub result: Value,
}

impl Failure {
    /// A failure that is its message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// A failure with its faults.
    pub fn with_faults(message: impl Into<String>, faults: &[Fault]) -> Self {
        Self { faults: faults.iter().map(ToString::to_string).collect(), ..Self::new(message) }
    }
}

/// Whether a long command should go on; the answer of whoever hears its progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// Yes.
    On,
    /// No: the person left, or the server is stopping. It ends where it can be resumed.
    Stop,
}

/// Hears how far a command is, and says whether it should go on.
pub type Report<'a> = dyn FnMut(Progress) -> Go + 'a;

/// Something that carries out commands: an opened installation.
pub trait Operations: Send + Sync {
    /// Carries out one command.
    ///
    /// # Errors
    /// What failed, in words for the person at the terminal.
    fn execute(&self, command: AdminCommand, report: &mut Report<'_>) -> Result<Value, Failure>;
}
