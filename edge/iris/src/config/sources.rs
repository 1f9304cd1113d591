//! Where settings come from, and which of two wins: flags over environment over file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use iris_kernel::Fault;

/// Before every name in the environment.
pub(super) const PREFIX: &str = "IRIS_";
/// Settings whose value may stand in a file that `…_FILE` names, so that it appears in no environment or process list.
const SECRETS: &[&str] = &[
    "DATABASE_MIGRATE_URL",
    "DATABASE_REPLICA_URLS",
    "DATABASE_URL",
    "KEY_PASSPHRASE",
    "REDIS_URL",
    "SMS_TOKEN",
    "SMS_URL",
    "SMTP_URL",
];
/// Variables with our prefix that are no settings of the product: one command's password, and what tests and tools read.
const FOREIGN: &[&str] = &["USER_PASSWORD", "USER_PASSWORD_FILE", "REQUIRE_TEST_DATA", "SOAK"];
/// Longest configuration or secret file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The places that settings are read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config FILE`
    pub file: Option<PathBuf>,
    /// The process's environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags, as (setting without prefix, flag as typed, value).
    pub flags: Vec<(&'static str, &'static str, String)>,
    /// `--set KEY=VALUE`, as typed.
    pub assignments: Vec<String>,
}

/// Where each setting that won came from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins(BTreeMap<String, String>);

impl Origins {
    /// Where this setting stands; `None` if nobody said anything about it.
    pub(super) fn of(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Adds to a fault where the setting stands.
    pub(super) fn locate(&self, mut fault: Fault) -> Fault {
        if let Some(origin) = fault.at.strip_prefix(PREFIX).and_then(|key| self.0.get(key)) {
            fault.what = format!("{} ({origin})", fault.what);
        }
        fault
    }
}

#[derive(Default)]
struct Merge {
    values: BTreeMap<String, String>,
    origins: Origins,
    faults: Vec<Fault>,
}

impl Sources {
    /// The merged settings by upper-case name, their origins, and what could not be read at all.
    pub(super) fn merge(self) -> (BTreeMap<String, String>, Origins, Vec<Fault>) {
        let mut merge = Merge::default();
        if let Some(path) = &self.file {
            merge.file(path);
        }
        let mut environment = Merge::default();
        environment.environment(self.environment);
        let mut flags = Merge::default();
        flags.flags(self.flags, self.assignments);
        for mut stronger in [environment, flags] {
            stronger.secrets();
            merge.overlay(stronger);
        }
        merge.secrets();
        (merge.values, merge.origins, merge.faults)
    }
}

impl Merge {
    fn put(&mut self, key: String, value: String, origin: String) {
        self.origins.0.insert(key.clone(), origin);
        self.values.insert(key, value);
    }

    fn overlay(&mut self, stronger: Self) {
        for key in stronger.values.keys() {
            // A secret given here in words replaces one that a weaker source gave by file, and the reverse.
            self.values.remove(&format!("{key}_FILE"));
        }
        self.values.extend(stronger.values);
        self.origins.0.extend(stronger.origins.0);
        self.faults.extend(stronger.faults);
    }

    fn environment(&mut self, variables: Vec<(OsString, OsString)>) {
        for (name, value) in variables {
            let Some(key) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
            if FOREIGN.contains(&key) || key.starts_with("TEST_") {
                continue;
            }
            match value.into_string() {
                Ok(value) => self.put(key.to_owned(), value, "environment".to_owned()),
                Err(_) => self.faults.push(Fault::new(format!("{PREFIX}{key}"), "is not UTF-8 (environment)")),
            }
        }
    }

    fn flags(&mut self, flags: Vec<(&'static str, &'static str, String)>, assignments: Vec<String>) {
        for assignment in assignments {
            match assignment.split_once('=') {
                Some((key, value)) if !key.is_empty() => {
                    let key = key.to_uppercase().replace(['.', '-'], "_");
                    let key = key.strip_prefix(PREFIX).map_or(key.clone(), str::to_owned);
                    self.put(key, value.to_owned(), "flag --set".to_owned());
                }
                _ => self.faults.push(Fault::new("--set", "expected NAME=VALUE")),
            }
        }
        for (key, flag, value) in flags {
            self.put(key.to_owned(), value, format!("flag {flag}"));
        }
    }

    fn file(&mut self, path: &Path) {
        let origin = path.display().to_string();
        let text = match read_bounded(path) {
            Ok(text) => text,
            Err(what) => return self.faults.push(Fault::new(origin, what)),
        };
        match text.parse::<toml::Table>() {
            Ok(table) => self.table("", &table, &origin),
            // The whole message would quote the line, which may hold a secret.
            Err(error) => {
                let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
                self.faults.push(Fault::new(origin, format!("is not TOML, line {line}: {}", error.message())));
            }
        }
    }

    /// `[http] listen = …` and `http_listen = …` are the same setting; writing both is a fault.
    fn table(&mut self, prefix: &str, table: &toml::Table, origin: &str) {
        for (name, value) in table {
            let dotted = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            let key = dotted.to_uppercase().replace(['.', '-'], "_");
            let text = match value {
                toml::Value::Table(inner) => {
                    self.table(&dotted, inner, origin);
                    continue;
                }
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(flag) => flag.to_string(),
                toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Array(_) => {
                    let what = format!("expected a text, a whole number or a truth value ({origin}: {dotted})");
                    self.faults.push(Fault::new(format!("{PREFIX}{key}"), what));
                    continue;
                }
            };
            if self.values.contains_key(&key) {
                self.faults
                    .push(Fault::new(format!("{PREFIX}{key}"), format!("stands there twice ({origin}: {dotted})")));
            }
            self.put(key, text, format!("{origin}: {dotted}"));
        }
    }

    /// Replaces each `…_FILE` of a secret by the file's content.
    fn secrets(&mut self) {
        for key in SECRETS {
            let file_key = format!("{key}_FILE");
            let Some(path) = self.values.remove(&file_key) else { continue };
            let origin = self.origins.0.remove(&file_key).unwrap_or_default();
            if self.values.contains_key(*key) {
                self.faults.push(Fault::new(
                    format!("{PREFIX}{file_key}"),
                    format!("and {PREFIX}{key} are both given ({origin})"),
                ));
                continue;
            }
            match read_bounded(Path::new(&path)) {
                Ok(text) => {
                    let text = text.strip_suffix('\n').map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
                    self.put((*key).to_owned(), text.to_owned(), format!("{origin}, by {PREFIX}{file_key}"));
                }
                Err(what) => self.faults.push(Fault::new(format!("{PREFIX}{file_key}"), format!("{what} ({origin})"))),
            }
        }
    }
}

/// Reads a small text file.
pub(crate) fn read_bounded(path: &Path) -> Result<String, String> {
    let said = |error: std::io::Error| format!("cannot be read: {error}");
    let length = std::fs::metadata(path).map_err(said)?.len();
    if length > FILE_BYTES_MAX {
        return Err(format!("is longer than {FILE_BYTES_MAX} bytes"));
    }
    std::fs::read_to_string(path).map_err(said)
}
