//! Which database holds the truth, and how to reach it: `IRIS_DATABASE_…` and `IRIS_REDIS_URL`.
//!
//! An address may hold a password, so it is a [`Secret`]; what can be shown of it is [`Address::shown`]. Whatever leaves this
//! machine goes through verified TLS: the settings that would allow less are refused by name.

use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use iris_kernel::Secret;
use iris_kernel::config::Settings;
use percent_encoding::percent_decode_str;

use super::read_bounded;
use iris_kernel::span::{self, Span};

/// Which database.
#[derive(Clone, Debug)]
pub enum Database {
    /// SQLite inside the data folder.
    Embedded,
    /// PostgreSQL, which several nodes may share.
    Postgres(Box<PostgresSettings>),
}

/// `IRIS_DATABASE_…` where the database is PostgreSQL.
#[derive(Clone, Debug)]
pub struct PostgresSettings {
    /// `IRIS_DATABASE_URL`: the primary, or all servers of which one is the primary.
    pub primary: Address,
    /// `IRIS_DATABASE_MIGRATE_URL`: the same database for the role that may change its tables; the run-time role's where absent.
    pub migrate: Option<Address>,
    /// `IRIS_DATABASE_REPLICA_URLS`: servers that may answer what need not be newest.
    pub replicas: Vec<Address>,
    /// `IRIS_DATABASE_CA`: who vouches for the servers; the machine's own list where absent.
    pub ca: Option<CaFile>,
    /// `IRIS_DATABASE_POOL`: most connections of this node to the primary, [`POOL_MAX`] at most.
    pub pool: usize,
    /// `IRIS_DATABASE_WAIT`: longest wait for a free connection while the database answers others. It is no time-out of a
    /// dead database: one that is known to be away answers 503 at once, and opening a connection has the limit of its own that
    /// [`Address::connect`] says.
    pub wait: Duration,
    /// `IRIS_DATABASE_RECYCLE`: age at which a connection is replaced.
    pub recycle: Duration,
    /// `IRIS_DATABASE_POOLER`: what stands between this node and the database.
    pub pooler: Pooler,
    /// `IRIS_CACHE_ROWS_MB`, in bytes: how much memory rows may take that are kept near at hand, sealed as the database has them.
    pub cache_bytes: u64,
}

/// `IRIS_DATABASE_POOLER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooler {
    /// Nothing, or what gives each connection a session of its own: statements may be prepared once and kept.
    None,
    /// PgBouncer in transaction mode: nothing of a session may be relied on beyond one transaction.
    Transaction,
}

impl FromStr for Pooler {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "none" => Ok(Self::None),
            "transaction" => Ok(Self::Transaction),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Pooler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Transaction => "transaction",
        })
    }
}

/// `IRIS_DATABASE_CA`: certificates of authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaFile {
    /// Where they stand.
    pub path: PathBuf,
    /// One certificate or more as PEM; that there is one at least was checked, what it says was not.
    pub pem: String,
}

/// Where a database is.
#[derive(Clone, Debug)]
pub struct Address {
    /// The URL as a driver takes it: without `sslmode`, about which [`Address::tls`] decides, and with
    /// `target_session_attrs=read-write` where several servers are named and nothing else is said.
    pub url: Secret<String>,
    /// The same for people: no password.
    pub shown: String,
    /// Host names, addresses, or folders of sockets, in the order in which they are tried.
    pub hosts: Vec<String>,
    /// Whether connections are encrypted.
    pub tls: Tls,
    /// `connect_timeout` of the URL: longest wait for one server to take a connection, [`CONNECT_SECONDS`] where it says nothing.
    pub connect: Duration,
}

/// Whether connections to a database are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// In clear; only to this machine itself.
    Off,
    /// With TLS, the server's certificate and name verified.
    Verified,
}

/// Connections of a node where nothing is said.
const POOL_DEFAULT: usize = 20;
/// Most connections of a node.
const POOL_MAX: usize = 50;
/// Memory for rows where nothing is said, in MiB.
const CACHE_ROWS_MB_DEFAULT: u64 = 64;
/// Most memory for rows, in MiB.
const CACHE_ROWS_MB_MAX: u64 = 65_536;
/// Most servers for reading.
const REPLICAS_MAX: usize = 16;
/// Seconds until a server that takes no connection counts as away, where the URL says nothing.
const CONNECT_SECONDS: u64 = 5;
/// Longest [`PostgresSettings::wait`].
const WAIT_MAX: Duration = Duration::from_secs(5 * 60);
/// Shortest [`PostgresSettings::recycle`].
const RECYCLE_MIN: Duration = Duration::from_secs(60);
const EXPECTED: &str = "expected postgres://user@host:port/database, or nothing for SQLite in the data folder";

/// Parameters of a URL that are passed on; `sslmode` and `connect_timeout` are judged as well.
const PARAMETERS: [&str; 15] = [
    "user",
    "password",
    "dbname",
    "host",
    "port",
    "application_name",
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "sslmode",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// Takes everything about the database out of the settings.
pub(super) fn database(settings: &mut Settings) -> Database {
    let url = settings.text("DATABASE_URL");
    let postgres = url.filter(|url| is_postgres(url) || !embedded(settings, url));
    let primary = postgres.and_then(|url| address(settings, "DATABASE_URL", &url, Role::Primary));
    let migrate = settings.text("DATABASE_MIGRATE_URL");
    let replicas = settings.text("DATABASE_REPLICA_URLS");
    let given = [("DATABASE_MIGRATE_URL", migrate.is_some()), ("DATABASE_REPLICA_URLS", replicas.is_some())];
    let migrate = migrate.and_then(|url| address(settings, "DATABASE_MIGRATE_URL", &url, Role::Primary));
    let replicas = replica_addresses(settings, replicas.as_deref().unwrap_or_default());
    let ca = ca_file(settings, "DATABASE_CA");
    let pool = settings.parsed("DATABASE_POOL", POOL_DEFAULT, "a number of connections");
    if !(2..=POOL_MAX).contains(&pool) {
        settings.fault("DATABASE_POOL", format!("must be from 2 to {POOL_MAX}"));
    }
    let Span(wait) = settings.parsed("DATABASE_WAIT", Span(Duration::from_secs(30)), span::EXPECTED);
    if wait.is_zero() || wait > WAIT_MAX {
        settings.fault("DATABASE_WAIT", "must be from one second to five minutes");
    }
    let Span(recycle) = settings.parsed("DATABASE_RECYCLE", Span(Duration::from_secs(3_600)), span::EXPECTED);
    if recycle < RECYCLE_MIN {
        settings.fault("DATABASE_RECYCLE", "must be one minute at least");
    }
    let pooler = settings.parsed("DATABASE_POOLER", Pooler::None, "none or transaction");
    let cache_mb = settings.parsed("CACHE_ROWS_MB", CACHE_ROWS_MB_DEFAULT, "a number of megabytes; 0 for none");
    if cache_mb > CACHE_ROWS_MB_MAX {
        settings.fault("CACHE_ROWS_MB", format!("must be {CACHE_ROWS_MB_MAX} at most"));
    }
    let cache_bytes = cache_mb.saturating_mul(1 << 20);
    let Some(primary) = primary else {
        for (key, _) in given.into_iter().filter(|(_, given)| *given) {
            settings.fault(key, "needs IRIS_DATABASE_URL to name PostgreSQL");
        }
        return Database::Embedded;
    };
    let settings = PostgresSettings { primary, migrate, replicas, ca, pool, wait, recycle, pooler, cache_bytes };
    Database::Postgres(Box::new(settings))
}

/// `IRIS_REDIS_URL`: a cache that nodes share. Only sealed rows go there.
pub(super) fn redis(settings: &mut Settings) -> Option<Address> {
    let text = settings.text("REDIS_URL")?;
    let expected = "expected rediss://host:port, or redis:// on this machine";
    let (tls, rest) = match (text.strip_prefix("rediss://"), text.strip_prefix("redis://")) {
        (Some(rest), _) => (Tls::Verified, rest),
        (None, Some(rest)) => (Tls::Off, rest),
        (None, None) => {
            settings.fault("REDIS_URL", expected);
            return None;
        }
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let sane = !place.is_empty() && path.bytes().all(|b| b.is_ascii_digit()) && port_is_sane(place);
    if !sane {
        settings.fault("REDIS_URL", expected);
        return None;
    }
    let host = host_of(place);
    if tls == Tls::Off && !is_here(&host) {
        settings.fault("REDIS_URL", format!("{host} is not this machine, so TLS is needed: rediss://"));
        return None;
    }
    let login = if login.is_empty() { "" } else { "***@" };
    let scheme = if tls == Tls::Verified { "rediss" } else { "redis" };
    let path = if path.is_empty() { String::new() } else { format!("/{path}") };
    let shown = format!("{scheme}://{login}{place}{path}");
    Some(Address {
        url: Secret::new(text),
        shown,
        hosts: vec![host],
        tls,
        connect: Duration::from_secs(CONNECT_SECONDS),
    })
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Whether a URL means SQLite in the data folder; one that means nothing at all is a fault, and counts as that too.
fn embedded(settings: &mut Settings, url: &str) -> bool {
    match url {
        "sqlite:" | "sqlite://" => {}
        _ if url.starts_with("sqlite:") => {
            settings
                .fault("DATABASE_URL", "SQLite always stands in the data folder; leave it out, and set IRIS_DATA_DIR");
        }
        _ => settings.fault("DATABASE_URL", EXPECTED),
    }
    true
}

/// What a server is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Writes.
    Primary,
    /// Reads that need not be newest.
    Replica,
}

fn replica_addresses(settings: &mut Settings, text: &str) -> Vec<Address> {
    // A URL of several servers has commas of its own, so a new one begins where its scheme does.
    let mut urls: Vec<String> = Vec::new();
    for part in text.split(',').map(str::trim) {
        match urls.last_mut() {
            Some(last) if !is_postgres(part) => *last = format!("{last},{part}"),
            _ if part.is_empty() => {}
            _ => urls.push(part.to_owned()),
        }
    }
    if urls.len() > REPLICAS_MAX {
        settings.fault("DATABASE_REPLICA_URLS", format!("must be {REPLICAS_MAX} at most"));
    }
    let addresses = urls.iter().filter_map(|url| address(settings, "DATABASE_REPLICA_URLS", url, Role::Replica));
    addresses.collect()
}

/// The parts of a URL, still percent-encoded.
struct Url<'a> {
    login: Option<&'a str>,
    /// Each with its port, as written.
    places: Vec<&'a str>,
    database: &'a str,
    parameters: Vec<(String, &'a str)>,
}

impl<'a> Url<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, places) = match authority.rsplit_once('@') {
            Some((login, places)) => (Some(login), places),
            None => (None, authority),
        };
        let places: Vec<&str> = if places.is_empty() { Vec::new() } else { places.split(',').collect() };
        let sane = places.iter().all(|place| !host_of(place).is_empty() && port_is_sane(place))
            // With an @ there, what stands before it is a part of a password that holds a slash: it would be shown.
            && !database.contains(['/', '@'])
            && !text.contains([' ', '#', '\n']);
        let parameters = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((decoded(name), value))
        });
        sane.then_some(())?;
        Some(Self { login, places, database, parameters: parameters.collect::<Option<_>>()? })
    }

    fn value(&self, name: &str) -> Option<String> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| decoded(value))
    }

    fn hosts(&self) -> Vec<String> {
        let extra = self.value("host");
        let extra = extra.iter().flat_map(|hosts| hosts.split(',')).map(str::to_owned);
        self.places.iter().map(|place| host_of(place)).chain(extra).collect()
    }

    /// As text again. The password is left out for people, and so is whatever the driver does not know for the driver.
    fn write(&self, reader: Reader, extra: &[(&str, &str)]) -> String {
        let mut out = "postgres://".to_owned();
        if let Some(login) = self.login {
            let user = login.split_once(':').map_or(login, |(user, _)| user);
            match reader {
                Reader::Driver => out.push_str(login),
                Reader::Person if user.len() < login.len() => {
                    out.push_str(user);
                    out.push_str(":***");
                }
                Reader::Person => out.push_str(user),
            }
            out.push('@');
        }
        out.push_str(&self.places.join(","));
        out.push('/');
        out.push_str(self.database);
        let dropped = |name: &str| reader == Reader::Driver && name == "sslmode";
        let own = self.parameters.iter().filter(|(name, _)| !dropped(name)).map(|(name, value)| {
            let hidden = reader == Reader::Person && name == "password";
            (name.as_str(), if hidden { "***" } else { value })
        });
        for (at, (name, value)) in own.chain(extra.iter().copied()).enumerate() {
            // Writing to a text cannot fail.
            let _ = write!(out, "{}{name}={value}", if at == 0 { '?' } else { '&' });
        }
        out
    }
}

/// Who reads a URL.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Driver,
    Person,
}

fn address(settings: &mut Settings, key: &str, text: &str, role: Role) -> Option<Address> {
    let Some(url) = Url::read(text) else {
        settings.fault(key, EXPECTED);
        return None;
    };
    let mut faults = Vec::new();
    for (at, (name, _)) in url.parameters.iter().enumerate() {
        if !PARAMETERS.contains(&name.as_str()) {
            faults.push(format!("there is no parameter {}", name.escape_default()));
        } else if url.parameters.iter().take(at).any(|(other, _)| other == name) {
            faults.push(format!("the parameter {name} stands there twice"));
        }
    }
    let hosts = url.hosts();
    if hosts.is_empty() {
        faults.push("names no host".to_owned());
    }
    let tls = tls(&url, &hosts, &mut faults);
    let mut extra = Vec::new();
    match (url.value("target_session_attrs").as_deref(), role) {
        (None, Role::Primary) if hosts.len() > 1 => extra.push(("target_session_attrs", "read-write")),
        (None | Some("any" | "read-write"), _) | (Some("read-only"), Role::Replica) => {}
        (Some(_), Role::Primary) => faults.push("target_session_attrs: expected any or read-write".to_owned()),
        (Some(_), Role::Replica) => faults.push("target_session_attrs: expected any or read-only".to_owned()),
    }
    let connect = url.value("connect_timeout").map_or(Some(CONNECT_SECONDS), |text| text.parse().ok());
    let connect = connect.filter(|seconds| (1..=60).contains(seconds));
    if connect.is_none() {
        faults.push("connect_timeout: expected 1 to 60 seconds".to_owned());
    }
    let seconds = CONNECT_SECONDS.to_string();
    if url.value("connect_timeout").is_none() {
        extra.push(("connect_timeout", &seconds));
    }
    for what in &faults {
        settings.fault(key, what.clone());
    }
    if !faults.is_empty() {
        return None;
    }
    Some(Address {
        url: Secret::new(url.write(Reader::Driver, &extra)),
        shown: url.write(Reader::Person, &[]),
        hosts,
        tls,
        connect: Duration::from_secs(connect.unwrap_or(CONNECT_SECONDS)),
    })
}

/// Clear text only to this machine itself, and there unless TLS is asked for; everywhere else TLS, always verified.
fn tls(url: &Url<'_>, hosts: &[String], faults: &mut Vec<String>) -> Tls {
    let away = hosts.iter().find(|host| !is_here(host));
    match (url.value("sslmode").as_deref(), away) {
        (Some("require" | "verify-ca" | "verify-full"), _) | (None, Some(_)) => Tls::Verified,
        (None | Some("disable" | "allow" | "prefer"), None) => Tls::Off,
        (Some(mode @ ("disable" | "allow" | "prefer")), Some(host)) => {
            faults.push(format!("sslmode={mode}: {host} is not this machine, so TLS is needed: sslmode=verify-full"));
            Tls::Verified
        }
        (Some(_), _) => {
            faults.push("sslmode: expected verify-full, or disable on this machine".to_owned());
            Tls::Verified
        }
    }
}

/// Whether a host is this machine: a loopback address, its name, or the folder of a socket.
pub(super) fn is_here(host: &str) -> bool {
    host == "localhost" || host.starts_with(['/', '@']) || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The host of `host`, `host:port` or `[v6]:port`, decoded.
pub(super) fn host_of(place: &str) -> String {
    if let Some((host, _)) = place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return host.to_owned();
    }
    decoded(place.rsplit_once(':').map_or(place, |(host, _)| host))
}

pub(super) fn port_is_sane(place: &str) -> bool {
    let after = place.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(place, |(_, after)| after);
    after.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0))
}

pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The file of authorities that this setting names.
pub(super) fn ca_file(settings: &mut Settings, key: &str) -> Option<CaFile> {
    let path = PathBuf::from(settings.text(key)?);
    match pem(&path) {
        Ok(pem) => Some(CaFile { path, pem }),
        Err(what) => {
            settings.fault(key, format!("{}: {what}", path.display()));
            None
        }
    }
}

fn pem(path: &Path) -> Result<String, String> {
    let text = read_bounded(path)?;
    if text.contains("-----BEGIN CERTIFICATE-----") { Ok(text) } else { Err("holds no certificate (PEM)".to_owned()) }
}

#[cfg(test)]
#[path = "database_tests.rs"]
mod tests;
