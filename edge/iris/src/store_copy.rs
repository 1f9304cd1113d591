//! `iris store copy`: an installation's truth from one database into another, verified before anybody may open it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use iris_audit::Audit;
use iris_kernel::Fault;
use iris_store::{Copied, CopyError, CopyReport, Database, KeyProvider, Store, StoreConfig, copy, keyfile};
use serde_json::{Value, json};

use crate::application::{KEY_FILE, failure, store_config};
use crate::cli::{CopyFlags, absolute};
use crate::command::{Failure, Go, Progress};
use crate::config::{Config, Sources};
use crate::operations::verdict;
use crate::output::ProgressDisplay;
use crate::platform::Machine;
use crate::stopping::Stopping;

/// Most damaged places that are shown on the terminal.
const DAMAGE_SHOWN_MAX: usize = 20;
/// What a data folder may hold before a store is copied into it. What the store keeps there it judges itself.
const HARMLESS: [&str; 8] =
    [KEY_FILE, "lock", "iris.db", "iris.db-wal", "iris.db-shm", "iris.db-journal", "journal", "lost+found"];

/// The two ends of a copy, and what else it needs.
pub(crate) struct Ends {
    from: StoreConfig,
    to: StoreConfig,
    /// The settings that name the passphrase and the data folder.
    config: Config,
}

impl Ends {
    /// What the flags name: folders, PostgreSQL URLs, or, where one is left out, the configured database.
    ///
    /// # Errors
    /// Every fault of the settings.
    pub(crate) fn read(flags: &CopyFlags, sources: &Sources) -> Result<Self, Vec<Fault>> {
        let config = |flag, url: Option<&String>| {
            let mut sources = sources.clone();
            sources.flags.extend(url.map(|url| ("DATABASE_URL", flag, url.clone())));
            Config::read(sources)
        };
        let end = |flag, text: Option<&String>| -> Result<StoreConfig, Vec<Fault>> {
            match text {
                Some(folder) if !is_url(folder) => {
                    let folder = absolute(Path::new(folder)).map_err(|what| vec![Fault::new(flag, what)])?;
                    Ok(StoreConfig::new(folder))
                }
                url => Ok(store_config(&config(flag, url)?)),
            }
        };
        let (from, to) = (flags.from.as_ref(), flags.to.as_ref());
        let url = [("--to", to), ("--from", from)].into_iter().find(|(_, text)| text.is_some_and(|text| is_url(text)));
        let (flag, url) = url.unwrap_or(("--to", None));
        Ok(Self { from: end("--from", from)?, to: end("--to", to)?, config: config(flag, url)? })
    }
}

fn is_url(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

fn is_folder(config: &StoreConfig) -> bool {
    matches!(config.database, Database::Embedded)
}

/// Copies and verifies.
///
/// # Errors
/// Why it was not copied; the target cannot be opened then, unless it was refused untouched.
pub(crate) fn run(
    ends: &Ends,
    machine: &Machine,
    stopping: &Stopping,
    mut display: ProgressDisplay<'_>,
) -> Result<Value, Failure> {
    let Ends { from, to, config } = ends;
    let key_file = if is_folder(from) { from.folder.join(KEY_FILE) } else { config.data_dir.join(KEY_FILE) };
    let own_key = is_folder(to).then(|| to.folder.join(KEY_FILE));
    if let Some(own_key) = &own_key {
        stays_empty(&to.folder)?;
        same_key(&key_file, own_key)?;
    }
    let unusable = |error| failure("the key of the source cannot be used", &error);
    let entropy = Arc::clone(&machine.entropy);
    let key = keyfile::open_or_create(&key_file, config.key_passphrase.as_ref(), entropy, false).map_err(unusable)?;
    let key: Arc<dyn KeyProvider> = Arc::new(key);
    let copied = copy(from, to, &key, &*machine.clock, Arc::clone(&machine.entropy), &mut |copied| {
        display.show(&progress(copied));
        stopping.go() == Go::On
    });
    display.end();
    let report = copied.map_err(refused)?;
    if let Some(own_key) = &own_key {
        give_key(&key_file, own_key)?;
    }
    let audit = audit_verify(to, key, &key_file, machine)?;
    Ok(told(&report, &audit, &key_file, own_key.as_deref()))
}

fn progress(copied: Copied) -> Progress {
    Progress { done: copied.done, total: copied.total, items: copied.rows, unit: "rows".to_owned() }
}

fn told(report: &CopyReport, audit: &Value, key_file: &Path, own_key: Option<&Path>) -> Value {
    let tables: serde_json::Map<String, Value> =
        report.tables.iter().map(|(table, rows)| ((*table).to_owned(), (*rows).into())).collect();
    let next = match own_key {
        Some(own_key) => {
            format!("{} is the key of the copy as well; keep it apart from the data too", own_key.display())
        }
        None => format!("each node needs {} in its data folder as {KEY_FILE}", key_file.display()),
    };
    json!({
        "good": true,
        "rows": tables,
        "store_verify": { "rows": report.scrub.rows, "keys": report.scrub.keys, "damaged": 0 },
        "audit_verify": audit,
        "next": next,
    })
}

fn refused(error: CopyError) -> Failure {
    let failure = failure("the store was not copied", &error);
    let CopyError::Damaged { damage, more } = error else { return failure };
    let line = |one: &iris_store::Damage| {
        one.seq.map_or_else(|| one.what.clone(), |seq| format!("row {}: {}", seq.0, one.what))
    };
    let lines: Vec<String> = damage.iter().map(line).collect();
    let damaged = damage.len() as u64 + more;
    let faults = lines.iter().take(DAMAGE_SHOWN_MAX).cloned().collect();
    Failure { faults, result: json!({ "damaged": damaged, "damage": lines }), ..failure }
}

/// A folder that something else lies in, an index for example, is no empty target.
fn stays_empty(folder: &Path) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| Failure::new(format!("{} cannot be read: {error}", folder.display()));
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(unreadable)?,
    };
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        if !HARMLESS.iter().any(|harmless| name == **harmless) {
            let (folder, name) = (folder.display(), name.display());
            return Err(Failure::new(format!("{folder} is not empty: there is {name} in it; nothing was changed")));
        }
    }
    Ok(())
}

/// The key of another store must not be overwritten, nor stand beside this one's data.
fn same_key(source: &Path, target: &Path) -> Result<(), Failure> {
    if !target.exists() {
        return Ok(());
    }
    if read_key(source)? == read_key(target)? {
        return Ok(());
    }
    let (source, target) = (source.display(), target.display());
    Err(Failure::new(format!("{target} is another key than {source}; nothing was changed, give another target")))
}

fn read_key(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::new(format!("the key file {} cannot be read: {error}", path.display())))
}

/// Puts the key beside the data that it opens.
fn give_key(source: &Path, target: &Path) -> Result<(), Failure> {
    if target.exists() {
        return Ok(());
    }
    let content = read_key(source)?;
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(target)?;
        file.write_all(&content)?;
        file.sync_all()?;
        target.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(|error| {
        let (source, target) = (source.display(), target.display());
        Failure::new(format!("the store was copied, but not its key: copy {source} to {target} yourself ({error})"))
    })
}

/// Verifies the log of the copy as `iris audit verify` does.
fn audit_verify(
    to: &StoreConfig,
    key: Arc<dyn KeyProvider>,
    key_file: &Path,
    machine: &Machine,
) -> Result<Value, Failure> {
    let wrong = |error: &dyn std::error::Error| failure("the store was copied, but the copy does not open", error);
    // Nodes have their own folders; here the one of the key serves.
    let folder =
        if is_folder(to) { to.folder.clone() } else { key_file.parent().map_or(PathBuf::new(), Path::to_owned) };
    let config = StoreConfig { folder, ..to.clone() };
    let (clock, entropy) = (Arc::clone(&machine.clock), Arc::clone(&machine.entropy));
    let store = Store::open(config, key, Arc::clone(&clock), Arc::clone(&entropy)).map_err(|error| wrong(&error))?;
    let audit = Audit::open(store.clone(), clock, entropy).map_err(|error| wrong(&error))?;
    let found = audit.verify(|_, _| {}).map_err(|error| failure("the log of the copy could not be read", &error));
    audit.settle();
    store.close();
    verdict(&found?)
}
