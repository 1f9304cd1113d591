//! The schema: numbered migrations, each applied once and never changed afterwards. A database that holds something is only
//! changed when an operator says so (`iris migrate --apply`), because several nodes of two releases may work with it.

use iris_crypto::sha256;
use iris_kernel::Clock;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSqlOwned, Type};

use std::collections::BTreeMap;
use std::sync::Arc;

use super::link::{Engine, Fault, For, Link, Session, Sql, Step, naming};
use super::session::LONG_ANSWER_MAX;
use crate::backend::Scope;
use crate::config::{PostgresConfig, Server};
use crate::error::{OpenError, StoreError};
use crate::migrations::{Applied, Applies, COPYING, KEY_CHECK, Known, Plan};

/// A migration of PostgreSQL. Its number and name are those of its twin for SQLite.
struct Migration {
    number: u32,
    name: &'static str,
    text: &'static str,
    /// The oldest program, by its newest migration, that can go on working when this one has been applied.
    oldest: u32,
}

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "0001_store",
    text: include_str!("../../../../../migrations/postgres/0001_store.sql"),
    oldest: 1,
}];

/// Servers older than this lack what the statements use, or are no longer mended.
const SERVER_MIN: i32 = 150_000;

const OWN_TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
    number   integer NOT NULL PRIMARY KEY,
    name     text    NOT NULL,
    checksum bytea   NOT NULL,
    oldest   integer NOT NULL,
    at       bigint  NOT NULL
)";

/// What the role that reads and writes rows may do, and no more: history and log are only ever added to.
const GRANTS: &[(&str, &str)] = &[
    ("SELECT, INSERT", "version, data_key, audit_write, audit_read, log_span, log_checkpoint, meta"),
    ("SELECT, INSERT, UPDATE", "current, log_tile, lease"),
    ("SELECT, INSERT, UPDATE, DELETE", "claim"),
    ("SELECT, INSERT, DELETE", "outbox"),
    ("SELECT, UPDATE", "head, read_head"),
    ("SELECT", "migration"),
    ("USAGE, SELECT", "SEQUENCE data_key_number"),
    ("SELECT", "SEQUENCE outbox_number_seq"),
];

const SERVER: Sql = Sql {
    text: "SELECT current_setting('server_version_num')::int4, pg_is_in_recovery(), current_setting('fsync'), \
           current_setting('synchronous_commit'), current_setting('server_version')",
    types: &[],
};
const HAS_TABLES: Sql = Sql { text: "SELECT to_regclass('migration') IS NOT NULL", types: &[] };
const APPLIED: Sql = Sql { text: "SELECT number, name, checksum, oldest FROM migration ORDER BY number", types: &[] };
const APPLY: Sql = Sql {
    text: "INSERT INTO migration (number, name, checksum, oldest, at) VALUES ($1, $2, $3, $4, $5)",
    types: &[Type::INT4, Type::TEXT, Type::BYTEA, Type::INT4, Type::INT8],
};
const MAY_CREATE: Sql = Sql { text: "SELECT has_schema_privilege(current_schema(), 'CREATE')", types: &[] };
const META: Sql = Sql { text: "SELECT name, value FROM meta", types: &[] };
// A copy into this database holds the table until it has put its mark there.
const PUT_KEY_CHECK: Sql = Sql {
    text: "INSERT INTO meta (name, value) SELECT 'key_check', $1 WHERE NOT EXISTS \
           (SELECT FROM meta WHERE name = 'copying') ON CONFLICT (name) DO NOTHING",
    types: &[Type::BYTEA],
};

fn get<T: FromSqlOwned>(row: &Row, at: usize) -> Result<T, Fault> {
    row.try_get(at).map_err(Fault::from)
}

fn first<T: FromSqlOwned>(rows: &[Row]) -> Result<Option<T>, Fault> {
    rows.first().map(|row| get(row, 0)).transpose()
}

fn fault(fault: Fault) -> OpenError {
    OpenError::Database(fault.into())
}

/// Numbers, names and digests of the migrations.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn known() -> Vec<Known> {
    known_of(MIGRATIONS)
}

fn known_of(list: &[Migration]) -> Vec<Known> {
    list.iter().map(|own| (own.number, own.name, sha256(&[own.text.as_bytes()]))).collect()
}

/// Whether something was stored under some key.
pub(super) fn exists(link: &Link) -> Result<bool, OpenError> {
    Ok(has_tables(link)? && !link.ask(Scope::All, &META, &[]).map_err(fault)?.is_empty())
}

fn has_tables(link: &Link) -> Result<bool, OpenError> {
    let found = first(&link.ask(Scope::All, &HAS_TABLES, &[]).map_err(fault)?).map_err(fault)?;
    Ok(found == Some(true))
}

/// Refuses a server, a schema or a key that this program must not work with; makes the tables of an empty database.
pub(super) fn ready(
    config: &PostgresConfig,
    link: &Link,
    engine: &Arc<Engine>,
    check: &[u8; 32],
    clock: &dyn Clock,
) -> Result<(), OpenError> {
    ready_list(config, link, engine, MIGRATIONS, clock)?;
    link.change(&PUT_KEY_CHECK, &[&&check[..]]).map_err(fault)?;
    let meta = meta(link)?;
    if meta.contains_key(COPYING) {
        return Err(OpenError::HalfCopied);
    }
    match meta.get(KEY_CHECK) {
        Some(stored) if stored == check => Ok(()),
        Some(_) => Err(OpenError::WrongKey("PostgreSQL".into())),
        None => Err(StoreError::damaged(None, "the check value of the key is missing").into()),
    }
}

fn ready_list(
    config: &PostgresConfig,
    link: &Link,
    engine: &Arc<Engine>,
    list: &[Migration],
    clock: &dyn Clock,
) -> Result<(), OpenError> {
    server(link)?;
    let plan = plan(link, list)?;
    plan.allows_start()?;
    if plan.is_empty_database() { apply_list(config, engine, list, clock) } else { Ok(()) }
}

/// The rows of `meta` by their names.
pub(super) fn meta(link: &Link) -> Result<BTreeMap<String, Vec<u8>>, OpenError> {
    let rows = link.ask(Scope::All, &META, &[]).map_err(fault)?;
    rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect::<Result<_, _>>().map_err(fault)
}

/// What is applied and what is not.
pub(crate) fn planned(config: &PostgresConfig) -> Result<Plan, OpenError> {
    let engine = Engine::start()?;
    let link = Link::new(config, &config.server, &engine)?;
    server(&link)?;
    plan(&link, MIGRATIONS)
}

/// Whether a start would work as far as server and schema go.
pub(crate) fn checked(config: &PostgresConfig) -> Result<(), OpenError> {
    checked_list(config, MIGRATIONS)
}

fn checked_list(config: &PostgresConfig, list: &[Migration]) -> Result<(), OpenError> {
    let engine = Engine::start()?;
    let link = Link::new(config, &config.server, &engine)?;
    server(&link)?;
    let plan = plan(&link, list)?;
    plan.allows_start()?;
    if plan.is_empty_database() {
        let owner = Link::new(config, config.owner.as_ref().unwrap_or(&config.server), &engine)?;
        let may = first(&owner.ask(Scope::All, &MAY_CREATE, &[]).map_err(fault)?).map_err(fault)?;
        return if may == Some(true) { Ok(()) } else { Err(no_right()) };
    }
    if meta(&link)?.contains_key(COPYING) { Err(OpenError::HalfCopied) } else { Ok(()) }
}

/// Applies what is not applied yet; gives the state before.
pub(crate) fn apply(config: &PostgresConfig, clock: &dyn Clock) -> Result<Plan, OpenError> {
    applied_list(config, MIGRATIONS, clock)
}

fn applied_list(config: &PostgresConfig, list: &[Migration], clock: &dyn Clock) -> Result<Plan, OpenError> {
    let engine = Engine::start()?;
    let link = Link::new(config, config.owner.as_ref().unwrap_or(&config.server), &engine)?;
    server(&link)?;
    let before = plan(&link, list)?;
    before.allows_change()?;
    apply_list(config, &engine, list, clock)?;
    Ok(before)
}

fn server(link: &Link) -> Result<(), OpenError> {
    let rows = link.ask(Scope::All, &SERVER, &[]).map_err(fault)?;
    let Some(row) = rows.first() else { return Err(StoreError::Unavailable("the server says nothing".into()).into()) };
    let traits = || -> Result<Traits, Fault> {
        Ok(Traits {
            version: get(row, 0)?,
            follows: get(row, 1)?,
            fsync: get(row, 2)?,
            commit: get(row, 3)?,
            named: get(row, 4)?,
        })
    };
    traits().map_err(fault)?.judge()
}

/// What a server says of itself.
struct Traits {
    version: i32,
    follows: bool,
    fsync: String,
    commit: String,
    named: String,
}

impl Traits {
    fn judge(&self) -> Result<(), OpenError> {
        if self.version < SERVER_MIN {
            return Err(OpenError::Server(format!("it is PostgreSQL {}; upgrade it to 15 or newer", self.named)));
        }
        if self.follows {
            let fix = "name the primary in IRIS_DATABASE_URL, or all servers and target_session_attrs=read-write";
            return Err(OpenError::Server(format!("it follows another server and takes no writes; {fix}")));
        }
        if self.fsync == "off" || self.commit == "off" {
            let fix = "set fsync and synchronous_commit to on";
            return Err(OpenError::Server(format!("it acknowledges writes that a crash can lose; {fix}")));
        }
        Ok(())
    }
}

fn plan(link: &Link, list: &[Migration]) -> Result<Plan, OpenError> {
    let applied = match has_tables(link)? {
        true => link.ask(Scope::All, &APPLIED, &[]).map_err(fault)?,
        false => Vec::new(),
    };
    plan_of(&applied, list).map_err(fault)
}

fn plan_of(applied: &[Row], list: &[Migration]) -> Result<Plan, Fault> {
    let applied = applied.iter().map(applied_of).collect::<Result<Vec<_>, _>>()?;
    Ok(Plan::new(applied, &known_of(list), Applies::AnOperator))
}

fn applied_of(row: &Row) -> Result<Applied, Fault> {
    let number = |at| get::<i32>(row, at).map(|number| u32::try_from(number).unwrap_or(0));
    Ok(Applied { number: number(0)?, name: get(row, 1)?, checksum: get(row, 2)?, oldest: number(3)? })
}

fn no_right() -> OpenError {
    let fix = "name a role that may in IRIS_DATABASE_MIGRATE_URL and run: iris migrate --apply";
    OpenError::Server(format!("this role may not make tables in it; {fix}"))
}

/// Applies what is missing, each in a transaction of its own, as the owner of the tables. Somebody else who does the same at
/// the same time is waited for.
fn apply_list(
    config: &PostgresConfig,
    engine: &Arc<Engine>,
    list: &[Migration],
    clock: &dyn Clock,
) -> Result<(), OpenError> {
    let owner = config.owner.as_ref().unwrap_or(&config.server);
    let link = Link::new(config, owner, engine)?;
    let grants = grants(config)?;
    for migration in list {
        let at = clock.now().0;
        let applied = link.wait(async {
            let mut session = link.session(For::Own).await?;
            session.answers_within(LONG_ANSWER_MAX);
            let result = apply_one(&mut session, migration, list, &grants, at).await;
            if !matches!(result, Ok(Ok(()))) {
                session.discard();
            }
            result
        });
        match applied.and_then(|applied| applied) {
            Ok(done) => done?,
            Err(refused) if refused.state() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => return Err(no_right()),
            Err(refused) if refused.state() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                let why = "somebody held a lock for longer than five seconds; nothing of it was done, try again";
                return Err(OpenError::Server(format!("migration {} was not applied: {why}", migration.name)));
            }
            Err(other) => return Err(fault(other)),
        }
    }
    Ok(())
}

async fn apply_one(
    session: &mut Session,
    migration: &Migration,
    list: &[Migration],
    grants: &str,
    at: i64,
) -> Result<Result<(), OpenError>, Fault> {
    let begin = format!(
        "BEGIN; SET LOCAL lock_timeout = '5s'; {}; SELECT pg_advisory_xact_lock(hashtextextended('iris migrate', 0)); \
         SET LOCAL client_min_messages = warning; {OWN_TABLE}",
        naming(Scope::All)
    );
    session.converse(&[Step::Plain(begin)]).await?;
    let applied = session.converse(&[Step::Sql(&APPLIED, Vec::new())]).await?;
    // Looked at under the lock: somebody of another release may have been faster.
    let plan = plan_of(applied.first().map_or(&[], Vec::as_slice), list)?;
    if let Err(refused) = plan.allows_change() {
        return Ok(Err(refused));
    }
    let number = i32::try_from(migration.number).unwrap_or(i32::MAX);
    let mut steps = Vec::new();
    let (oldest, checksum) =
        (i32::try_from(migration.oldest).unwrap_or(i32::MAX), sha256(&[migration.text.as_bytes()]));
    let checksum = &checksum[..];
    if plan.pending().any(|(pending, _)| pending == migration.number) {
        steps.push(Step::Plain(migration.text.to_owned()));
        steps.push(Step::Sql(&APPLY, vec![&number, &migration.name, &checksum, &oldest, &at]));
    }
    steps.push(Step::Plain(grants.to_owned()));
    steps.push(Step::Plain("COMMIT".to_owned()));
    session.converse(&steps).await.map(|_| Ok(()))
}

/// Gives the role of the rows its rights, where the tables are another's.
fn grants(config: &PostgresConfig) -> Result<String, OpenError> {
    let role = |server: &Server| -> Result<Option<String>, OpenError> {
        let parsed: tokio_postgres::Config = server
            .url
            .expose()
            .parse()
            .map_err(|error: tokio_postgres::Error| StoreError::Unavailable(error.to_string()))?;
        Ok(parsed.get_user().map(str::to_owned))
    };
    let Some(owner) = &config.owner else { return Ok("SELECT 1".to_owned()) };
    let (user, owner) = (role(&config.server)?, role(owner)?);
    let Some(user) = user.filter(|user| Some(user) != owner.as_ref()) else { return Ok("SELECT 1".to_owned()) };
    let user = format!("\"{}\"", user.replace('"', "\"\""));
    Ok(GRANTS.iter().map(|(rights, on)| format!("GRANT {rights} ON {on} TO {user};")).collect())
}

#[cfg(test)]
mod tests;
