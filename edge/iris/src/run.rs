//! From the command line to an exit code.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use iris_audit::{Verifier, verify_file};
use iris_kernel::{Entropy, Fault};
use iris_store::{FolderLock, OpenError, Store};
use rustix::process::{Resource, Rlimit, setrlimit};
use serde_json::{Value, json};

use crate::admin;
use crate::application::{Application, failure, store_config};
use crate::cli::{
    AuditCommand, Cli, ClientCommand, Command, ConfigCommand, DemoCommand, ImportFlags, IndexCommand, KeysCommand,
    Output, PasswordsCommand, SeedFlags, StoreCommand, TenantCommand, UserCommand, VaccinesCommand, absolute,
};
use crate::command::{AdminCommand, Details, Failure, ImportCommand, OnReject, Operations, SeedCommand};
use crate::config::{self, Config, LogLevel, Sources, read_bounded};
use crate::doctor;
use crate::logging::{self, LevelSwitch};
use crate::operations::verdict;
use crate::output::{self, ProgressDisplay};
use crate::passwords;
use crate::platform::Machine;
use crate::serve::{self, Watch};
use crate::stopping::Stopping;
use crate::store_copy::{self, Ends};
use crate::traces::{Collector, SpanLayer};
use crate::vaccines::{self, Damaged};
use crate::words::{self, Ask, PasswordSource};

/// Exit code of a start that never happened, because the settings are wrong.
const EXIT_CONFIGURATION: u8 = 2;
/// Where rejects go when `--keep-going` is given alone.
const REJECTS_DEFAULT: &str = "iris-rejects.ndjson";

/// Runs the process.
pub fn main() -> ExitCode {
    let Cli { settings, output, command } = Cli::parse();
    forbid_core_dumps();
    let machine = Machine::real();
    let sources = settings.sources(std::env::vars_os().collect());
    ExitCode::from(match command {
        Command::Version => output::finish(output, &Ok(json!({ "version": env!("CARGO_PKG_VERSION") }))),
        Command::Audit(AuditCommand::Verify { file: Some(file), key: Some(key) }) => {
            output::finish(output, &verify_exported(&file, &key))
        }
        Command::Vaccines(VaccinesCommand::Check { file }) => output::finish(output, &vaccines::check(&file)),
        Command::Passwords(PasswordsCommand::Build { source, target }) => {
            output::finish(output, &passwords::build(&source, &target))
        }
        Command::Config(ConfigCommand::Print) => configured(output, sources, |config| {
            let shown = config.explain();
            Ok(if output == Output::Json { config::document(&shown) } else { Value::String(config::table(&shown)) })
        }),
        Command::Doctor(flags) => {
            let output = if flags.json { Output::Json } else { output };
            configured(output, sources, |config| {
                start_logging(LogLevel::Error, &machine, None)?;
                examine(&config, &machine, output)
            })
        }
        Command::Migrate(flags) => {
            configured(output, sources, |config| crate::migrate::run(&config, &flags, &*machine.clock))
        }
        Command::Store(StoreCommand::Copy(flags)) => well_set(output, Ends::read(&flags, &sources), |ends| {
            let runtime = serve::runtime()?;
            let stopping = Stopping::default();
            stopping.listen(&runtime).map_err(|error| failure("signals cannot be heard", &error))?;
            store_copy::run(&ends, &machine, &stopping, ProgressDisplay::new(output, &*machine.clock))
        }),
        Command::Serve(flags) => configured(output, sources, |config| {
            let mut collector = Collector::start(config.otlp_endpoint.as_deref())?;
            let level = start_logging(config.log_level, &machine, collector.layer.take())?;
            let served = serve::serve(&config, &flags, &machine, Watch { level, traces: collector.traces.clone() });
            collector.end();
            served.map(|()| Value::Null)
        }),
        other => {
            let command = translate(other, output, &sources, &*machine.entropy);
            configured(output, sources, |config| {
                // Beside a person's result only what goes wrong is of interest.
                let level = if config.log_level == LogLevel::Info { LogLevel::Warn } else { config.log_level };
                start_logging(level, &machine, None)?;
                administer(&config, &machine, output, command?)
            })
        }
    })
}

/// A core dump would hold keys and records in clear. Where the limit cannot be set the system already forbids more.
fn forbid_core_dumps() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// Reads the configuration and acts with it; every fault of it at once, and a code of its own, if it is wrong.
fn configured(output: Output, sources: Sources, act: impl FnOnce(Config) -> Result<Value, Failure>) -> u8 {
    well_set(output, Config::read(sources), act)
}

fn well_set<C>(output: Output, read: Result<C, Vec<Fault>>, act: impl FnOnce(C) -> Result<Value, Failure>) -> u8 {
    match read {
        Ok(config) => output::finish(output, &act(config)),
        Err(faults) => {
            output::finish(output, &Err(Failure::with_faults("the configuration is wrong", &faults)));
            EXIT_CONFIGURATION
        }
    }
}

fn start_logging(level: LogLevel, machine: &Machine, spans: Option<SpanLayer>) -> Result<LevelSwitch, Failure> {
    logging::start(level, Arc::clone(&machine.clock), spans).map_err(|error| failure("logging cannot start", &error))
}

/// The command as typed, as the command that is carried out.
fn translate(
    typed: Command,
    output: Output,
    sources: &Sources,
    entropy: &dyn Entropy,
) -> Result<AdminCommand, Failure> {
    Ok(match typed {
        Command::User(UserCommand::Create { name, roles, tenant, patient, password_stdin, password_hashed }) => {
            let source = if password_stdin { PasswordSource::StandardInput } else { PasswordSource::Found };
            let ask = if output == Output::Json { Ask::Never } else { Ask::AtTerminal };
            let (password, generated) = words::password(source, sources, entropy, ask).map_err(Failure::new)?;
            if password_hashed && generated {
                return Err(Failure::new(
                    "--password-hashed needs a hash, in IRIS_USER_PASSWORD(_FILE) or with --password-stdin",
                ));
            }
            AdminCommand::UserCreate { name, roles, tenant, patient, password, hashed: password_hashed, generated }
        }
        Command::User(UserCommand::ResetFactors { name, tenant }) => AdminCommand::UserResetFactors { name, tenant },
        Command::Client(ClientCommand::Create { name, scope, tenant }) => {
            AdminCommand::ClientCreate { name, scope, tenant }
        }
        Command::Tenant(command) => tenant(command),
        Command::Import(flags) => AdminCommand::Import(import(flags)?),
        Command::Demo(DemoCommand::Seed(flags)) => AdminCommand::DemoSeed(seed(&flags)),
        Command::Index(IndexCommand::Rebuild) => AdminCommand::IndexRebuild,
        Command::Index(IndexCommand::Verify) => AdminCommand::IndexVerify,
        Command::Audit(AuditCommand::Verify { .. }) => AdminCommand::AuditVerify,
        Command::Audit(AuditCommand::Export { file, open }) => AdminCommand::AuditExport {
            file: absolute(&file).map_err(Failure::new)?,
            details: if open { Details::Open } else { Details::Sealed },
        },
        Command::Audit(AuditCommand::Key) => AdminCommand::AuditKey,
        Command::Store(StoreCommand::Verify) => AdminCommand::StoreVerify,
        Command::Vaccines(VaccinesCommand::Load { file }) => {
            AdminCommand::VaccinesLoad { file: absolute(&file).map_err(Failure::new)? }
        }
        Command::Vaccines(VaccinesCommand::Reset) => AdminCommand::VaccinesReset,
        Command::Keys(KeysCommand::Rotate) => AdminCommand::KeysRotate,
        Command::Vaccines(VaccinesCommand::Check { .. })
        | Command::Passwords(_)
        | Command::Config(_)
        | Command::Doctor(_)
        | Command::Migrate(_)
        | Command::Store(StoreCommand::Copy(_))
        | Command::Serve(_)
        | Command::Version => {
            return Err(Failure::new("this is no administrative command"));
        }
    })
}

fn seed(flags: &SeedFlags) -> SeedCommand {
    let SeedFlags { patients, seed, detail, at, tenant, yes } = *flags;
    SeedCommand { patients, seed, detail, at: at.map(|day| day.to_string()), tenant, yes }
}

fn import(flags: ImportFlags) -> Result<ImportCommand, Failure> {
    let rejects = match (flags.rejects, flags.keep_going) {
        (None, true) => Some(PathBuf::from(REJECTS_DEFAULT)),
        (given, _) => given,
    };
    let paths = flags.paths.iter().map(|path| absolute(path)).collect::<Result<_, _>>().map_err(Failure::new)?;
    Ok(ImportCommand {
        paths,
        tenant: flags.tenant,
        on_reject: if flags.keep_going { OnReject::KeepGoing } else { OnReject::Stop },
        rejects: rejects.map(|path| absolute(&path)).transpose().map_err(Failure::new)?,
    })
}

/// Asks the installation what it lacks, be it open in a server or here; where there is none yet, this process says what it can.
fn examine(config: &Config, machine: &Machine, output: Output) -> Result<Value, Failure> {
    let there =
        Store::exists(&store_config(config)).map_err(|error| failure("the store cannot be looked at", &error))?;
    let examined = match there {
        true => administer(config, machine, Output::Json, AdminCommand::Doctor)?,
        false => doctor::examine_empty(config),
    };
    doctor::verdict(&examined, output == Output::Text)
}

/// Carries a command out: on the folder if nobody has it, else in the server that does.
fn administer(config: &Config, machine: &Machine, output: Output, command: AdminCommand) -> Result<Value, Failure> {
    let exists = Store::exists(&store_config(config));
    if !makes_an_installation(&command) && !exists.map_err(|error| failure("the store cannot be looked at", &error))? {
        return Err(Failure::new(format!("there is no installation in {}", config.data_dir.display())));
    }
    let runtime = serve::runtime()?;
    let stopping = Stopping::default();
    stopping.listen(&runtime).map_err(|error| failure("signals cannot be heard", &error))?;
    let mut display = ProgressDisplay::new(output, &*machine.clock);
    let mut report = |progress| {
        display.show(&progress);
        stopping.go()
    };
    let outcome = match FolderLock::take(&config.data_dir) {
        Ok(lock) => {
            let base_url = config.fhir_url(config.http_listen);
            let (handle, damaged) = (runtime.handle().clone(), damaged_table(&command));
            let application = Application::open(config, &base_url, lock, machine, handle, damaged)?;
            let outcome = application.execute(command, &mut report);
            application.close();
            outcome
        }
        Err(OpenError::Locked(_)) => admin::call(&config.data_dir, &command, &mut report),
        Err(error) => Err(failure("the data folder cannot be used", &error)),
    };
    display.end();
    outcome
}

fn tenant(command: TenantCommand) -> AdminCommand {
    match command {
        TenantCommand::Create { name, admin } => AdminCommand::TenantCreate { name, admin },
        TenantCommand::Rename { number, name } => AdminCommand::TenantChange { number, name: Some(name), on: None },
        TenantCommand::Off { number } => AdminCommand::TenantChange { number, name: None, on: Some(false) },
        TenantCommand::On { number } => AdminCommand::TenantChange { number, name: None, on: Some(true) },
        TenantCommand::List => AdminCommand::TenantList,
    }
}

/// Whether a command may be the first thing that happens in a folder.
const fn makes_an_installation(command: &AdminCommand) -> bool {
    match command {
        AdminCommand::UserCreate { .. }
        | AdminCommand::ClientCreate { .. }
        | AdminCommand::TenantCreate { .. }
        | AdminCommand::Import(_)
        | AdminCommand::DemoSeed(_) => true,
        AdminCommand::UserResetFactors { .. }
        | AdminCommand::IndexRebuild
        | AdminCommand::IndexVerify
        | AdminCommand::AuditVerify
        | AdminCommand::AuditExport { .. }
        | AdminCommand::AuditKey
        | AdminCommand::StoreVerify
        | AdminCommand::VaccinesLoad { .. }
        | AdminCommand::VaccinesReset
        | AdminCommand::KeysRotate
        | AdminCommand::TenantChange { .. }
        | AdminCommand::TenantList
        | AdminCommand::Doctor => false,
    }
}

/// A damaged table stands in nobody's way who brings another one.
const fn damaged_table(command: &AdminCommand) -> Damaged {
    match command {
        AdminCommand::VaccinesLoad { .. } | AdminCommand::VaccinesReset => Damaged::Replaced,
        _ => Damaged::Refused,
    }
}

/// Verifies an exported log: no folder, no key file, no network.
fn verify_exported(file: &Path, key: &str) -> Result<Value, Failure> {
    let text = if Path::new(key).is_file() {
        read_bounded(Path::new(key)).map_err(|what| Failure::new(format!("{key}: {what}")))?
    } else {
        key.to_owned()
    };
    let key: Verifier = text.trim().parse().map_err(|error| failure("the public key cannot be read", &error))?;
    let unreadable = |error: std::io::Error| Failure::new(format!("{}: {error}", file.display()));
    let report = verify_file(BufReader::new(File::open(file).map_err(unreadable)?), &key).map_err(unreadable)?;
    verdict(&report)
}
