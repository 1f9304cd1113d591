//! The schema: numbered migrations, each applied once and never changed afterwards. A database that holds something is only
//! changed when an operator says so (`iris migrate --apply`), because several nodes of two releases may work with it.

use iris_crypto::sha256;
use iris_kernel::Clock;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSqlOwned, Type};

use std::sync::Arc;

use super::link::{Engine, Fault, For, Link, Session, Sql, Step, naming};
use crate::backend::Scope;
use crate::config::{PostgresConfig, Server};
use crate::error::{OpenError, StoreError};
use crate::migrations::{Applied, Plan, State};

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
    ("USAGE", "SEQUENCE data_key_number"),
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
const KEY_CHECK: Sql = Sql { text: "SELECT value FROM meta WHERE name = 'key_check'", types: &[] };
const PUT_KEY_CHECK: Sql = Sql {
    text: "INSERT INTO meta (name, value) VALUES ('key_check', $1) ON CONFLICT (name) DO NOTHING",
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

/// Whether something was stored under some key.
pub(super) fn exists(link: &Link) -> Result<bool, OpenError> {
    let has_tables = first(&link.ask(Scope::All, &HAS_TABLES, &[]).map_err(fault)?).map_err(fault)?;
    if has_tables != Some(true) {
        return Ok(false);
    }
    Ok(!link.ask(Scope::All, &KEY_CHECK, &[]).map_err(fault)?.is_empty())
}

/// Refuses a server, a schema or a key that this program must not work with; makes the tables of an empty database.
pub(super) fn ready(
    config: &PostgresConfig,
    link: &Link,
    engine: &Arc<Engine>,
    check: &[u8; 32],
    clock: &dyn Clock,
) -> Result<(), OpenError> {
    server(link)?;
    let plan = plan(link, MIGRATIONS)?;
    if plan.is_empty_database() {
        apply_list(config, engine, MIGRATIONS, clock)?;
    } else {
        plan.allows_start()?;
    }
    link.change(&PUT_KEY_CHECK, &[&&check[..]]).map_err(fault)?;
    match first::<Vec<u8>>(&link.ask(Scope::All, &KEY_CHECK, &[]).map_err(fault)?).map_err(fault)? {
        Some(stored) if stored == check => Ok(()),
        Some(_) => Err(OpenError::WrongKey("PostgreSQL".into())),
        None => Err(StoreError::damaged(None, "the check value of the key is missing").into()),
    }
}

/// What is applied and what is not.
pub(crate) fn planned(config: &PostgresConfig) -> Result<Plan, OpenError> {
    let engine = Engine::start()?;
    let link = Link::new(config, &config.server, &engine)?;
    server(&link)?;
    plan(&link, MIGRATIONS)
}

/// Applies what is not applied yet; gives the state before.
pub(crate) fn apply(config: &PostgresConfig, clock: &dyn Clock) -> Result<Plan, OpenError> {
    let engine = Engine::start()?;
    let link = Link::new(config, config.owner.as_ref().unwrap_or(&config.server), &engine)?;
    server(&link)?;
    let before = plan(&link, MIGRATIONS)?;
    before.allows_change()?;
    apply_list(config, &engine, MIGRATIONS, clock)?;
    Ok(before)
}

fn server(link: &Link) -> Result<(), OpenError> {
    let rows = link.ask(Scope::All, &SERVER, &[]).map_err(fault)?;
    let Some(row) = rows.first() else { return Err(StoreError::Unavailable("the server says nothing".into()).into()) };
    let (version, follows): (i32, bool) = (get(row, 0).map_err(fault)?, get(row, 1).map_err(fault)?);
    let (fsync, commit): (String, String) = (get(row, 2).map_err(fault)?, get(row, 3).map_err(fault)?);
    let named: String = get(row, 4).map_err(fault)?;
    if version < SERVER_MIN {
        return Err(OpenError::Server(format!("it is PostgreSQL {named}; upgrade it to 15 or newer")));
    }
    if follows {
        let fix = "name the primary in IRIS_DATABASE_URL, or all servers and target_session_attrs=read-write";
        return Err(OpenError::Server(format!("it follows another server and takes no writes; {fix}")));
    }
    if fsync == "off" || commit == "off" {
        let fix = "set fsync and synchronous_commit to on";
        return Err(OpenError::Server(format!("it acknowledges writes that a crash can lose; {fix}")));
    }
    Ok(())
}

fn plan(link: &Link, list: &[Migration]) -> Result<Plan, OpenError> {
    let has_tables = first(&link.ask(Scope::All, &HAS_TABLES, &[]).map_err(fault)?).map_err(fault)?;
    let applied = match has_tables {
        Some(true) => link.ask(Scope::All, &APPLIED, &[]).map_err(fault)?,
        _ => Vec::new(),
    };
    let applied = applied.iter().map(applied_of).collect::<Result<Vec<_>, _>>().map_err(fault)?;
    let known = list.last().map_or(0, |migration| migration.number);
    let mut states = Vec::new();
    for (row, checksum) in &applied {
        let own = list.iter().find(|migration| migration.number == row.number);
        let state = match own {
            Some(own) if sha256(&[own.text.as_bytes()])[..] == checksum[..] => State::Applied,
            Some(_) => State::Drifted,
            None if row.number > known => State::Newer { oldest: row.oldest },
            None => State::Drifted,
        };
        states.push((row.number, row.name.clone(), state));
    }
    for migration in list.iter().filter(|migration| applied.iter().all(|(row, _)| row.number != migration.number)) {
        states.push((migration.number, migration.name.to_owned(), State::Pending));
    }
    Ok(Plan { states, known })
}

fn applied_of(row: &Row) -> Result<(Applied, Vec<u8>), Fault> {
    let number = |at| get::<i32>(row, at).map(|number| u32::try_from(number).unwrap_or(0));
    Ok((Applied { number: number(0)?, name: get(row, 1)?, oldest: number(3)? }, get(row, 2)?))
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
            let result = apply_one(&mut session, migration, &grants, at).await;
            if result.is_err() {
                session.discard();
            }
            result
        });
        match applied.and_then(|applied| applied) {
            Ok(()) => {}
            Err(refused) if refused.state() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                let fix = "name a role that may in IRIS_DATABASE_MIGRATE_URL and run: iris migrate --apply";
                return Err(OpenError::Server(format!("this role may not make tables in it; {fix}")));
            }
            Err(refused) if refused.state() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                let why = "somebody held a lock for longer than five seconds; nothing was changed, try again";
                return Err(OpenError::Server(format!("migration {} was not applied: {why}", migration.name)));
            }
            Err(other) => return Err(fault(other)),
        }
    }
    Ok(())
}

async fn apply_one(session: &mut Session, migration: &Migration, grants: &str, at: i64) -> Result<(), Fault> {
    let begin = format!(
        "BEGIN; SET LOCAL lock_timeout = '5s'; {}; SELECT pg_advisory_xact_lock(hashtextextended('iris migrate', 0)); \
         SET LOCAL client_min_messages = warning; {OWN_TABLE}",
        naming(Scope::All)
    );
    let applied = session.converse(&[Step::Plain(begin)]).await;
    applied?;
    let applied = session.converse(&[Step::Sql(&APPLIED, Vec::new())]).await?;
    let number = i32::try_from(migration.number).unwrap_or(i32::MAX);
    let mut steps = Vec::new();
    let (oldest, checksum) =
        (i32::try_from(migration.oldest).unwrap_or(i32::MAX), sha256(&[migration.text.as_bytes()]));
    let checksum = &checksum[..];
    let is_there = applied.iter().flatten().any(|row| get::<i32>(row, 0).is_ok_and(|found| found == number));
    if !is_there {
        steps.push(Step::Plain(migration.text.to_owned()));
        steps.push(Step::Sql(&APPLY, vec![&number, &migration.name, &checksum, &oldest, &at]));
    }
    steps.push(Step::Plain(grants.to_owned()));
    steps.push(Step::Plain("COMMIT".to_owned()));
    session.converse(&steps).await.map(drop)
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
