//! The command line: what can be typed, and its translation into settings and commands.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use iris_demo::{Day, PATIENTS_DEFAULT, PATIENTS_MAX, SEED_DEFAULT};

use crate::command::SeedDetail;
use crate::config::Sources;

/// IRIS, a healthcare platform: a FHIR R4 server and a plain API over one sealed, audited store.
#[derive(Debug, Parser)]
#[command(name = "iris", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// Where settings come from.
    #[command(flatten)]
    pub settings: SettingFlags,
    /// How results are printed.
    #[arg(short = 'o', long = "output", global = true, value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Settings on the command line; each wins over the environment and the file.
#[derive(Debug, Default, Args)]
pub struct SettingFlags {
    /// TOML file of settings: the names of IRIS_… in lower case
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder that holds everything (IRIS_DATA_DIR, default ./iris-data)
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_dir: Option<String>,
    /// Address of the API (IRIS_HTTP_LISTEN, default 127.0.0.1:8080)
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub http_listen: Option<String>,
    /// Address of /metrics (IRIS_METRICS_LISTEN, default 127.0.0.1:9464)
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub metrics_listen: Option<String>,
    /// error, warn, info or debug (IRIS_LOG_LEVEL, default info)
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// Any other setting
    #[arg(long = "set", global = true, value_name = "NAME=VALUE")]
    pub assignments: Vec<String>,
}

impl SettingFlags {
    /// The places to read settings from, these flags on top.
    #[must_use]
    pub fn sources(self, environment: Vec<(OsString, OsString)>) -> Sources {
        let flags = [
            ("DATA_DIR", "--data-dir", self.data_dir),
            ("HTTP_LISTEN", "--http-listen", self.http_listen),
            ("METRICS_LISTEN", "--metrics-listen", self.metrics_listen),
            ("LOG_LEVEL", "--log-level", self.log_level),
        ];
        let flags = flags.into_iter().filter_map(|(key, flag, value)| Some((key, flag, value?))).collect();
        Sources { file: self.config, environment, flags, assignments: self.assignments }
    }
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For a person.
    Text,
    /// One JSON document on standard output.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API until SIGTERM or ctrl-c
    Serve(ServeFlags),
    /// Users who sign in with a password
    #[command(subcommand)]
    User(UserCommand),
    /// Machines that sign in with the client-credentials grant
    #[command(subcommand)]
    Client(ClientCommand),
    /// Organisations whose data are kept apart
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Import FHIR JSON: resources or bundles, .json or .ndjson, plain, .gz or .bz2
    Import(ImportFlags),
    /// Invented patients
    #[command(subcommand)]
    Demo(DemoCommand),
    /// The search index
    #[command(subcommand)]
    Index(IndexCommand),
    /// The audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The stored rows
    #[command(subcommand)]
    Store(StoreCommand),
    /// The schema of the database
    Migrate(MigrateFlags),
    /// The table of vaccine and manufacturer codes
    #[command(subcommand)]
    Vaccines(VaccinesCommand),
    /// Lists of breached passwords
    #[command(subcommand)]
    Passwords(PasswordsCommand),
    /// The keys that sign access tokens
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Say what is missing before patients' data may go in, each with its fix; fails if something is
    Doctor(DoctorFlags),
    /// Print the version
    Version,
}

/// `iris serve …`
#[derive(Clone, Debug, Default, Args)]
pub struct ServeFlags {
    /// Serve a demo clinic: invented patients and an account for each role, made in an empty folder at the first start
    #[arg(long)]
    pub demo: bool,
    /// How many patients the demo is made with (1000 if not given); counts at its first start only
    #[arg(long, requires = "demo", value_name = "N")]
    pub demo_patients: Option<u32>,
}

/// `iris demo …`
#[derive(Debug, Subcommand)]
pub enum DemoCommand {
    /// Store invented families with their records; the same seed is always the same people
    Seed(SeedFlags),
}

/// `iris demo seed …`
#[derive(Debug, Args)]
pub struct SeedFlags {
    /// How many patients
    #[arg(long, value_name = "N", default_value_t = PATIENTS_DEFAULT,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(PATIENTS_MAX)))]
    pub patients: u32,
    /// What chance follows from
    #[arg(long, value_name = "S", default_value_t = SEED_DEFAULT)]
    pub seed: u64,
    /// How much of each patient
    #[arg(long, value_enum, default_value_t = SeedDetail::Full)]
    pub detail: SeedDetail,
    /// The day that ages and visits are as of (2026-11-01 if not given; in a demo clinic the day it was opened)
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub at: Option<Day>,
    /// Number of the tenant
    #[arg(long, default_value_t = 1)]
    pub tenant: u32,
    /// Store them even where there are patients that nobody invented
    #[arg(long)]
    pub yes: bool,
}

/// `iris user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user; the password is asked for, taken from IRIS_USER_PASSWORD(_FILE), or made and printed once
    Create {
        /// Name to sign in with
        #[arg(long)]
        name: String,
        /// admin, physician, nurse, registrar, auditor or patient; may be repeated
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// Number of the tenant
        #[arg(long, default_value_t = 1)]
        tenant: u32,
        /// Id of the Patient that this user is (role patient)
        #[arg(long)]
        patient: Option<String>,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
        /// The password is given as the bcrypt hash of another system; ours takes its place at the first sign-in
        #[arg(long)]
        password_hashed: bool,
    },
    /// Take all second factors away from a user who has lost them, and end their sessions; for the last administrator
    ResetFactors {
        /// Name to sign in with
        #[arg(long)]
        name: String,
        /// Number of the tenant
        #[arg(long, default_value_t = 1)]
        tenant: u32,
    },
}

/// `iris config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting with its value and where it comes from; secrets are not shown
    Print,
}

/// `iris doctor`
#[derive(Debug, Args)]
pub struct DoctorFlags {
    /// As one JSON document; the same as -o json
    #[arg(long)]
    pub json: bool,
}

/// `iris client …`
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Make a client; its secret is printed once
    Create {
        /// What people call it
        #[arg(long)]
        name: String,
        /// SMART scopes, such as 'system/*.cruds'
        #[arg(long)]
        scope: String,
        /// Number of the tenant
        #[arg(long, default_value_t = 1)]
        tenant: u32,
    },
}

/// `iris tenant …`
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Make a tenant and print its number
    Create {
        /// What people call it
        #[arg(long)]
        name: String,
        /// Sign-in name of its first administrator, whose password is made and printed once
        #[arg(long, value_name = "NAME")]
        admin: Option<String>,
    },
    /// Call a tenant something else
    Rename {
        /// Number of the tenant
        number: u32,
        /// What people call it from now on
        #[arg(long)]
        name: String,
    },
    /// Switch a tenant off: nobody signs in there, and all its sessions end for good
    Off {
        /// Number of the tenant
        number: u32,
    },
    /// Switch a tenant on again
    On {
        /// Number of the tenant
        number: u32,
    },
    /// List the tenants
    List,
}

/// `iris import …`
#[derive(Debug, Args)]
pub struct ImportFlags {
    /// Files, and folders whose files are taken in the order of their names
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Go on after a rejected resource
    #[arg(long)]
    pub keep_going: bool,
    /// File to write each fault to, as NDJSON (with --keep-going: iris-rejects.ndjson if not given)
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Number of the tenant
    #[arg(long, default_value_t = 1)]
    pub tenant: u32,
}

/// `iris index …`
#[derive(Debug, Subcommand)]
pub enum IndexCommand {
    /// Drop the index and build it from the store
    Rebuild,
    /// Compare the index with the store
    Verify,
}

/// `iris audit …`
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Verify the log of this installation, or an exported file with nothing but the public key
    Verify {
        /// An exported log
        #[arg(long, requires = "key")]
        file: Option<PathBuf>,
        /// The public key, as `iris audit key` printed it, or a file that holds it
        #[arg(long, requires = "file")]
        key: Option<String>,
    },
    /// Write the log to a file that can be verified elsewhere
    Export {
        /// The file; must not exist
        file: PathBuf,
        /// Show who did what to whom; without it the details stay sealed and the file proves only that they are unchanged
        #[arg(long)]
        open: bool,
    },
    /// Print the public key that checkpoints are signed with
    Key,
}

/// `iris store …`
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Open every row and check that histories hold together
    Verify,
    /// Copy the whole store into another database, as it is, and verify the copy
    Copy(CopyFlags),
}

/// `iris store copy …`
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = true)]
pub struct CopyFlags {
    /// Data folder or postgres://… to copy from (the configured database if not given); nobody may work with it meanwhile
    #[arg(long, value_name = "FOLDER|URL")]
    pub from: Option<String>,
    /// Empty data folder or postgres://… to copy into (the configured database if not given)
    #[arg(long, value_name = "FOLDER|URL")]
    pub to: Option<String>,
}

/// `iris migrate …`
#[derive(Clone, Copy, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct MigrateFlags {
    /// List every migration and whether it is applied
    #[arg(long)]
    pub plan: bool,
    /// Succeed only if this program would start with the database as it is; otherwise say what to do
    #[arg(long)]
    pub check: bool,
    /// Apply what is not applied yet, as the role of IRIS_DATABASE_MIGRATE_URL
    #[arg(long)]
    pub apply: bool,
}

/// `iris vaccines …`
#[derive(Debug, Subcommand)]
pub enum VaccinesCommand {
    /// Tell every fault of a table, or what is in it
    Check {
        /// The table
        file: PathBuf,
    },
    /// Use another table from now on; a running server goes over to it at once
    Load {
        /// The table
        file: PathBuf,
    },
    /// Go back to the table that ships with IRIS, whatever state a loaded one is in
    Reset,
}

/// `iris passwords …`
#[derive(Debug, Subcommand)]
pub enum PasswordsCommand {
    /// Make the list that IRIS_PASSWORD_LIST names, of at most 50 million passwords
    Build {
        /// A password or a SHA-1 digest in each line, as Have I Been Pwned gives them
        source: PathBuf,
        /// The list; must not exist
        target: PathBuf,
    },
}

/// `iris keys …`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Sign with a new key from now on; nobody is signed out
    Rotate,
}

/// A path that means the same in another process.
///
/// # Errors
/// That there is no current folder.
pub fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_scripts_rely_on_parses() {
        for line in [
            "iris serve --config iris.toml",
            "iris client create --name n --scope system/*.cruds -o json",
            "iris user create --name n --role admin --role nurse",
            "iris user reset-factors --name n --tenant 2 -o json",
            "iris import a b --keep-going --rejects r -o json",
            "iris serve --demo --demo-patients 20",
            "iris demo seed --patients 100000 --seed 7 --detail demographics --at 2026-01-31",
            "iris demo seed --yes",
            "iris index rebuild",
            "iris index verify -o json",
            "iris audit verify",
            "iris audit verify --file f --key k",
            "iris audit export f",
            "iris audit export f --open",
            "iris audit key -o text",
            "iris store verify --data-dir d",
            "iris store copy --from d --to postgres://h/iris -o json",
            "iris store copy --to d",
            "iris migrate --plan",
            "iris migrate --check",
            "iris migrate --apply -o json",
            "iris vaccines check f",
            "iris vaccines load f -o json",
            "iris vaccines reset -o json",
            "iris passwords build leak.txt list.bin",
            "iris keys rotate -o json",
            "iris tenant create --name x --admin boss",
            "iris tenant rename 2 --name y",
            "iris tenant off 2",
            "iris tenant on 2 -o json",
            "iris tenant list",
            "iris config print",
            "iris doctor --json",
            "iris config print --config f -o json",
            "iris version -o json",
        ] {
            Cli::try_parse_from(line.split(' ')).unwrap();
        }
        for line in [
            "iris audit verify --file f",
            "iris store copy",
            "iris migrate",
            "iris migrate --plan --apply",
            "iris import",
            "iris user create --name n",
            "iris user reset-factors",
            "iris serve --nonsense",
            "iris serve --demo-patients 20",
            "iris demo seed --patients 0",
            "iris demo seed --patients 1000001",
            "iris demo seed --at 2026-02-30",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }

    #[test]
    fn flags_become_settings() {
        let cli = Cli::try_parse_from(["iris", "serve", "--http-listen", "x", "--set", "a=b"]).unwrap();
        let sources = cli.settings.sources(Vec::new());
        assert_eq!(sources.flags, [("HTTP_LISTEN", "--http-listen", "x".to_owned())]);
        assert_eq!(sources.assignments, ["a=b"]);
    }
}
