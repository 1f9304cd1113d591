//! The root configuration: file, environment and flags become one typed [`Config`], or a list of everything that is wrong.

mod access;
mod database;
mod messages;
mod print;
mod sources;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use iris_http::settings::{
    self, ACCOUNT_DORMANT_RANGE, SESSION_IDLE_MIN, SESSION_LIFE_MAX, SLOW_REQUEST_DEFAULT, SLOW_REQUEST_RANGE,
};
use iris_identity::{DORMANT_DEFAULT, PageSessions};
use iris_kernel::config::Settings;
use iris_kernel::span::{self, Span};
use iris_kernel::{Fault, Secret};

use crate::traces;
use crate::vaccines::{self, VaccineFile};

pub use access::{AccessSettings, Limit};
pub use database::{Address, CaFile, Database, Pooler, PostgresSettings, Tls};
pub use messages::{MailRoute, MailServer, MessageSettings, Webhook};
pub use print::{Shown, document, table};
use sources::Origins;
pub use sources::Sources;
pub(crate) use sources::read_bounded;

/// Everything that an installation decides before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// `IRIS_DATA_DIR`: the folder that holds all that must not be lost.
    pub data_dir: PathBuf,
    /// `IRIS_HTTP_LISTEN`: where the API listens.
    pub http_listen: SocketAddr,
    /// `IRIS_METRICS_LISTEN`: where `/metrics` listens.
    pub metrics_listen: SocketAddr,
    /// `IRIS_DATABASE_URL`: which database holds the truth.
    pub database: Database,
    /// `IRIS_REDIS_URL`: a cache that nodes share, where the database is PostgreSQL.
    pub redis: Option<Address>,
    /// `IRIS_KEY_PASSPHRASE` or `IRIS_KEY_PASSPHRASE_FILE`: opens the key file, if it was made with one.
    pub key_passphrase: Option<Secret<String>>,
    /// `IRIS_REFERENCES`: what a single FHIR write may refer to.
    pub references: References,
    /// `IRIS_CLIENT_IDS`: whether callers may choose ids.
    pub client_ids: ClientIds,
    /// `IRIS_CONDITIONAL_DELETE`: whether a conditional delete may take several records away.
    pub conditional_delete: ConditionalDelete,
    /// `IRIS_PUBLIC_URL`: the address under which callers reach this server, for links in answers.
    pub public_url: Option<String>,
    /// `IRIS_BEHIND_PROXY`: something in front of this server ends TLS.
    pub behind_proxy: bool,
    /// `IRIS_VACCINES`: a file whose vaccine table is used instead of the one that ships with IRIS.
    pub vaccines: Option<VaccineFile>,
    /// `IRIS_SESSION_IDLE` and `IRIS_SESSION_LIFE`: how long the sessions of pages last.
    pub page_sessions: PageSessions,
    /// How mails and text messages leave.
    pub messages: MessageSettings,
    /// Passwords and the keys that sign access tokens.
    pub access: AccessSettings,
    /// `IRIS_LOG_LEVEL`: how much is logged.
    pub log_level: LogLevel,
    /// `IRIS_ACCOUNT_DORMANT`: after how long without a sign-in an account is dormant in the access report.
    pub account_dormant: Duration,
    /// `IRIS_SLOW_REQUEST`: a request that takes at least this long is logged.
    pub slow_request: Duration,
    /// `IRIS_DRAIN_DELAY`: how long a server that was told to stop says that it is not ready while it still serves, so that what
    /// stands in front of it sends it nothing more before it closes its door.
    pub drain_delay: Duration,
    /// `IRIS_OTLP_ENDPOINT`: where traces of requests are sent, without a slash at the end.
    pub otlp_endpoint: Option<String>,
    /// `IRIS_FLAG_…`: features that are on or off, by the name of the setting.
    pub flags: Vec<(&'static str, Switch)>,
    /// Where the values come from that somebody named.
    pub(crate) origins: Origins,
}

/// `IRIS_REFERENCES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum References {
    /// A reference to an absent local resource is a fault.
    Checked,
    /// It is stored as sent.
    Recorded,
}

/// `IRIS_CLIENT_IDS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientIds {
    /// `PUT` to an unused id makes the record.
    Allowed,
    /// `PUT` to an unused id is refused.
    Refused,
}

/// `IRIS_CONDITIONAL_DELETE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionalDelete {
    /// Criteria that match several records are refused.
    Single,
    /// All that match go, up to a thousand.
    Multiple,
}

/// `IRIS_FLAG_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// The feature is there.
    On,
    /// It is not.
    Off,
}

/// `IRIS_LOG_LEVEL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Defects and losses only.
    Error,
    /// What an operator should look at, slow requests among it.
    Warn,
    /// What the server does by itself besides, such as starting and stopping; no line for a request.
    Info,
    /// Everything, with one line per request.
    Debug,
}

/// A word of a closed set; parsing anything else fails, and the fault names the words.
macro_rules! words {
    ($type:ident: $($word:literal => $variant:ident),+) => {
        impl FromStr for $type {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(()),
                }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word,)+ })
            }
        }
    };
}
words!(References: "checked" => Checked, "recorded" => Recorded);
words!(ClientIds: "allowed" => Allowed, "refused" => Refused);
words!(ConditionalDelete: "single" => Single, "multiple" => Multiple);
words!(Switch: "on" => On, "off" => Off);
words!(LogLevel: "error" => Error, "warn" => Warn, "info" => Info, "debug" => Debug);

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Config {
    /// Reads everything.
    ///
    /// # Errors
    /// Every wrong and every unknown setting, each with its name and where it stands.
    pub fn read(sources: Sources) -> Result<Self, Vec<Fault>> {
        let (values, origins, mut faults) = sources.merge();
        let mut settings = Settings::new(values);
        let mut config = Self::take(&mut settings);
        faults.extend(settings.finish().err().unwrap_or_default().into_iter().map(|fault| origins.locate(fault)));
        config.origins = origins;
        if faults.is_empty() { Ok(config) } else { Err(faults) }
    }

    /// Where callers reach this server, without a slash at the end; `bound` is what it listens on.
    #[must_use]
    pub fn base_url(&self, bound: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{bound}"))
    }

    /// Where callers reach its FHIR API.
    #[must_use]
    pub fn fhir_url(&self, bound: SocketAddr) -> String {
        format!("{}/fhir", self.base_url(bound))
    }

    fn take(settings: &mut Settings) -> Self {
        let behind_proxy = settings.parsed("BEHIND_PROXY", false, "true or false");
        let database = database::database(settings);
        let drain_delay = drain_delay(settings, &database);
        let config = Self {
            data_dir: settings.text("DATA_DIR").unwrap_or_else(|| "./iris-data".to_owned()).into(),
            http_listen: settings.parsed("HTTP_LISTEN", SocketAddr::new(LOOPBACK, 8080), ADDRESS),
            metrics_listen: settings.parsed("METRICS_LISTEN", SocketAddr::new(LOOPBACK, 9464), ADDRESS),
            database,
            redis: database::redis(settings),
            key_passphrase: settings.text("KEY_PASSPHRASE").map(Secret::new),
            references: settings.parsed("REFERENCES", References::Recorded, "checked or recorded"),
            client_ids: settings.parsed("CLIENT_IDS", ClientIds::Allowed, "allowed or refused"),
            conditional_delete: settings.parsed("CONDITIONAL_DELETE", ConditionalDelete::Single, "single or multiple"),
            public_url: public_url(settings),
            behind_proxy,
            vaccines: vaccine_file(settings),
            page_sessions: page_sessions(settings),
            messages: MessageSettings::take(settings),
            access: AccessSettings::take(settings),
            log_level: settings.parsed("LOG_LEVEL", LogLevel::Info, "error, warn, info or debug"),
            account_dormant: account_dormant(settings),
            slow_request: slow_request(settings),
            drain_delay,
            otlp_endpoint: otlp_endpoint(settings),
            flags: flags(settings),
            origins: Origins::default(),
        };
        config.judge(settings);
        config
    }

    /// What is wrong although each value alone is right.
    fn judge(&self, settings: &mut Settings) {
        if self.redis.is_some() && matches!(self.database, Database::Embedded) {
            settings.fault("REDIS_URL", "needs IRIS_DATABASE_URL to name PostgreSQL");
        }
        self.messages.judge(self, settings);
        if self.data_dir.as_os_str().is_empty() {
            settings.fault("DATA_DIR", "may not be empty");
        }
        if self.key_passphrase.as_ref().is_some_and(|phrase| phrase.expose().is_empty()) {
            settings.fault("KEY_PASSPHRASE", "may not be empty");
        }
        if !self.http_listen.ip().is_loopback() && !self.behind_proxy {
            settings.fault(
                "HTTP_LISTEN",
                "this server does not speak TLS yet, so it listens on a loopback address only; \
                 set IRIS_BEHIND_PROXY=true where something in front of it ends TLS",
            );
        }
        if self.http_listen == self.metrics_listen && self.http_listen.port() != 0 {
            settings.fault("METRICS_LISTEN", "must differ from IRIS_HTTP_LISTEN");
        }
    }
}

const ADDRESS: &str = "an address and a port, such as 127.0.0.1:8080";

/// `IRIS_DRAIN_DELAY` where several nodes share a database: there, something in front of them must notice before one closes its
/// door. Two failed checks, two seconds apart, and a bit.
const DRAIN_DELAY_SHARED: Duration = Duration::from_secs(8);
/// Longest `IRIS_DRAIN_DELAY`.
const DRAIN_DELAY_MAX: Duration = Duration::from_secs(120);

fn page_sessions(settings: &mut Settings) -> PageSessions {
    let default = PageSessions::default();
    let Span(idle) = settings.parsed("SESSION_IDLE", Span(default.idle), span::EXPECTED);
    let Span(life) = settings.parsed("SESSION_LIFE", Span(default.life), span::EXPECTED);
    if idle < SESSION_IDLE_MIN || idle > life {
        settings.fault("SESSION_IDLE", "must be two minutes at least, and no longer than IRIS_SESSION_LIFE");
    }
    if life > SESSION_LIFE_MAX {
        settings.fault("SESSION_LIFE", "must be seven days at most");
    }
    PageSessions { idle, life }
}

fn flags(settings: &mut Settings) -> Vec<(&'static str, Switch)> {
    let flags = settings::flags().map(|flag| {
        let default = flag.default.parse().unwrap_or(Switch::On);
        (flag.name, settings.parsed(&flag.name.to_uppercase(), default, "on or off"))
    });
    flags.collect()
}

/// Only to this machine: a collector here passes on what it gets, and speaks TLS, which this server does not yet.
fn otlp_endpoint(settings: &mut Settings) -> Option<String> {
    let url = settings.text("OTLP_ENDPOINT")?;
    let place = url.strip_prefix("http://").and_then(|rest| rest.parse::<SocketAddr>().ok());
    if !traces::SUPPORTED {
        settings.fault("OTLP_ENDPOINT", "this build sends no traces; build it with --features otel");
    } else if !place.is_some_and(|place| place.ip().is_loopback()) {
        settings.fault("OTLP_ENDPOINT", "expected a collector on this machine, such as http://127.0.0.1:4318");
    }
    Some(url)
}

fn account_dormant(settings: &mut Settings) -> Duration {
    let Span(after) = settings.parsed("ACCOUNT_DORMANT", Span(DORMANT_DEFAULT), span::EXPECTED);
    if !ACCOUNT_DORMANT_RANGE.contains(&after) {
        settings.fault("ACCOUNT_DORMANT", "must be from one day to 3650 days");
    }
    after
}

fn slow_request(settings: &mut Settings) -> Duration {
    let Span(limit) = settings.parsed("SLOW_REQUEST", Span(SLOW_REQUEST_DEFAULT), span::EXPECTED);
    if !SLOW_REQUEST_RANGE.contains(&limit) {
        settings.fault("SLOW_REQUEST", "must be from 1ms to one hour");
    }
    limit
}

fn drain_delay(settings: &mut Settings, database: &Database) -> Duration {
    let default = match database {
        Database::Embedded => Duration::ZERO,
        Database::Postgres(_) => DRAIN_DELAY_SHARED,
    };
    let Span(delay) = settings.parsed("DRAIN_DELAY", Span(default), span::EXPECTED);
    if delay > DRAIN_DELAY_MAX {
        settings.fault("DRAIN_DELAY", "must be two minutes at most");
    }
    delay
}

/// A table with a fault in it is refused before anything starts: it would code doses wrongly.
fn vaccine_file(settings: &mut Settings) -> Option<VaccineFile> {
    let path = PathBuf::from(settings.text("VACCINES")?);
    match vaccines::read(&path) {
        Ok((_, table)) => Some(VaccineFile { path, table }),
        Err(faults) => {
            for fault in faults {
                settings.fault("VACCINES", format!("{}: {fault}", path.display()));
            }
            None
        }
    }
}

fn public_url(settings: &mut Settings) -> Option<String> {
    let url = settings.text("PUBLIC_URL")?;
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let sane =
        rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['?', '#', ' ', '@']) && !rest.ends_with('/'));
    if !sane {
        settings.fault("PUBLIC_URL", "expected http(s)://host[:port][/path] without a slash at the end");
    }
    Some(url)
}

#[cfg(test)]
mod tests;
