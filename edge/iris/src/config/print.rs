//! `iris config print`: every setting with the value that counts, and where it comes from.

use iris_http::settings::{Started, is_live};
use iris_kernel::{Secret, Span};
use serde_json::{Value, json};

use super::sources::PREFIX;
use super::{Config, Database, PostgresSettings};

/// One setting as it counts. A secret's value is `***`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its full name, `IRIS_…`.
    pub name: String,
    /// Its value as one would write it; `None` where it is not set and has no default.
    pub value: Option<String>,
    /// `default`, `environment`, the file and the place in it, or the flag.
    pub origin: String,
    /// Whether `/api/v1/config` can put another value in its place while the server runs.
    pub live: bool,
}

impl Config {
    /// Every setting, by name.
    #[must_use]
    pub fn explain(&self) -> Vec<Shown> {
        let mut shown: Vec<Shown> = self
            .rows()
            .into_iter()
            .map(|(key, value)| Shown {
                name: format!("{PREFIX}{key}"),
                value,
                origin: self.origins.of(&key).unwrap_or("default").to_owned(),
                live: is_live(&key),
            })
            .collect();
        shown.sort_by(|a, b| a.name.cmp(&b.name));
        shown
    }

    /// What `/api/v1/config` starts from.
    #[must_use]
    pub fn live(&self) -> Vec<(String, Started)> {
        let live = self.explain().into_iter().filter(|shown| shown.live);
        let named = live.filter_map(|Shown { name, value, origin, .. }| {
            let name = name.strip_prefix(PREFIX)?.to_lowercase();
            Some((name, Started { value: value?, origin }))
        });
        named.collect()
    }

    /// Every setting without its prefix, with its value as text. A new member of the configuration does not compile until it
    /// stands here.
    pub(super) fn rows(&self) -> Vec<(String, Option<String>)> {
        let Self {
            data_dir,
            http_listen,
            metrics_listen,
            database,
            redis,
            key_passphrase,
            references,
            client_ids,
            conditional_delete,
            public_url,
            behind_proxy,
            vaccines,
            page_sessions,
            messages,
            access,
            log_level,
            account_dormant,
            slow_request,
            drain_delay,
            otlp_endpoint,
            flags,
            origins: _,
        } = self;
        let mut rows = vec![
            ("ACCOUNT_DORMANT", Some(Span(*account_dormant).to_string())),
            ("BEHIND_PROXY", Some(behind_proxy.to_string())),
            ("CLIENT_IDS", Some(client_ids.to_string())),
            ("CONDITIONAL_DELETE", Some(conditional_delete.to_string())),
            ("DATA_DIR", Some(data_dir.display().to_string())),
            ("DRAIN_DELAY", Some(Span(*drain_delay).to_string())),
            ("HTTP_LISTEN", Some(http_listen.to_string())),
            ("KEY_PASSPHRASE", key_passphrase.as_ref().map(hidden)),
            ("LOG_LEVEL", Some(log_level.to_string())),
            ("METRICS_LISTEN", Some(metrics_listen.to_string())),
            ("OTLP_ENDPOINT", otlp_endpoint.clone()),
            ("PUBLIC_URL", public_url.clone()),
            ("REDIS_URL", redis.as_ref().map(|address| address.shown.clone())),
            ("REFERENCES", Some(references.to_string())),
            ("SESSION_IDLE", Some(Span(page_sessions.idle).to_string())),
            ("SESSION_LIFE", Some(Span(page_sessions.life).to_string())),
            ("SLOW_REQUEST", Some(Span(*slow_request).to_string())),
            ("VACCINES", vaccines.as_ref().map(|file| file.path.display().to_string())),
        ];
        rows.extend(messages.rows());
        rows.extend(access.rows());
        rows.extend(match database {
            Database::Embedded => vec![("DATABASE_URL", Some("sqlite:".to_owned()))],
            Database::Postgres(settings) => postgres(settings),
        });
        let flags = flags.iter().map(|(name, switch)| (name.to_uppercase(), Some(switch.to_string())));
        rows.into_iter().map(|(key, value)| (key.to_owned(), value)).chain(flags).collect()
    }
}

/// What concerns PostgreSQL only; without it these settings mean nothing and are not shown.
fn postgres(settings: &PostgresSettings) -> Vec<(&'static str, Option<String>)> {
    let PostgresSettings { primary, migrate, replicas, ca, pool, wait, recycle, pooler, cache_bytes } = settings;
    let replicas: Vec<&str> = replicas.iter().map(|address| address.shown.as_str()).collect();
    vec![
        ("CACHE_ROWS_MB", Some((cache_bytes >> 20).to_string())),
        ("DATABASE_CA", ca.as_ref().map(|file| file.path.display().to_string())),
        ("DATABASE_MIGRATE_URL", migrate.as_ref().map(|address| address.shown.clone())),
        ("DATABASE_POOL", Some(pool.to_string())),
        ("DATABASE_POOLER", Some(pooler.to_string())),
        ("DATABASE_RECYCLE", Some(Span(*recycle).to_string())),
        ("DATABASE_REPLICA_URLS", (!replicas.is_empty()).then(|| replicas.join(","))),
        ("DATABASE_URL", Some(primary.shown.clone())),
        ("DATABASE_WAIT", Some(Span(*wait).to_string())),
    ]
}

fn hidden(secret: &Secret<String>) -> String {
    format!("{secret:?}")
}

/// As a table for people.
#[must_use]
pub fn table(rows: &[Shown]) -> String {
    let shown = |row: &Shown| row.value.clone().unwrap_or_else(|| "-".to_owned());
    let names = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let values = rows.iter().map(|row| shown(row).chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for row in rows {
        let mark = if row.live { " *" } else { "" };
        out.push_str(&format!("{:names$}  {:values$}  {}{mark}\n", row.name, shown(row), row.origin));
    }
    out.push_str("* the value at the start; /api/v1/config shows and changes it while the server runs");
    out
}

/// As a document for programs.
#[must_use]
pub fn document(rows: &[Shown]) -> Value {
    let settings: Vec<Value> = rows
        .iter()
        .map(|row| json!({ "name": row.name, "value": row.value, "origin": row.origin, "live": row.live }))
        .collect();
    json!({ "settings": settings })
}
