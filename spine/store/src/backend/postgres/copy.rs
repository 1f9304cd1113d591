//! A PostgreSQL database as the source or the target of a copy: one transaction of one connection, with the counters locked.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use iris_kernel::Clock;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};

use super::link::{Engine, Fault, For, Link, Session, Sql, Step, naming};
use super::migrate;
use super::session::LONG_ANSWER_MAX;
use crate::backend::Scope;
use crate::config::{PostgresConfig, Server};
use crate::copy::{
    CopyError, Counters, Holds, PAGE_BYTES, PAGE_ROWS, Pages, Source, TABLES, Table, Target, Value, Values, exact,
    misfit, narrow,
};
use crate::error::{OpenError, StoreError};
use crate::migrations::{COPYING, KEY_CHECK};

/// A copy waits for nobody, and rests as long as the other side takes.
const LIMITS: &str = "SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = 0; \
                      SET LOCAL statement_timeout = 0";
const HEAD: Sql = Sql { text: "SELECT seq, audit_write FROM head FOR UPDATE", types: &[] };
const READ_HEAD: Sql = Sql { text: "SELECT audit_read FROM read_head FOR UPDATE", types: &[] };
const LEASES: Sql = Sql { text: "SELECT name FROM lease WHERE until > clock_timestamp()", types: &[] };
const META: Sql = Sql { text: "SELECT name, value FROM meta", types: &[] };
const DRAWN: Sql = Sql {
    text: "SELECT CASE WHEN e.is_called THEN e.last_value ELSE 0 END, CASE WHEN k.is_called THEN k.last_value ELSE 0 END \
           FROM outbox_number_seq e, data_key_number k",
    types: &[],
};
const UNUSED: Sql = Sql {
    text: "SELECT (SELECT seq = 1 AND audit_write = 0 FROM head) AND (SELECT audit_read = 0 FROM read_head) \
           AND NOT EXISTS (SELECT FROM version) AND NOT EXISTS (SELECT FROM data_key) \
           AND NOT EXISTS (SELECT FROM current) AND NOT EXISTS (SELECT FROM claim) AND NOT EXISTS (SELECT FROM outbox) \
           AND NOT EXISTS (SELECT FROM audit_write) AND NOT EXISTS (SELECT FROM audit_read) \
           AND NOT EXISTS (SELECT FROM log_span) AND NOT EXISTS (SELECT FROM log_tile) \
           AND NOT EXISTS (SELECT FROM log_checkpoint)",
    types: &[],
};
const MARK: Sql = Sql { text: "INSERT INTO meta (name, value) VALUES ($1, $2)", types: &[Type::TEXT, Type::BYTEA] };
const UNMARK: Sql = Sql { text: "DELETE FROM meta WHERE name = $1", types: &[Type::TEXT] };
const SET_HEAD: Sql = Sql { text: "UPDATE head SET seq = $1, audit_write = $2", types: &[Type::INT8, Type::INT8] };
const SET_READ_HEAD: Sql = Sql { text: "UPDATE read_head SET audit_read = $1", types: &[Type::INT8] };
const SET_DRAWN: Sql = Sql {
    text: "SELECT setval('outbox_number_seq', greatest($1, 1), $1 > 0), setval('data_key_number', greatest($2, 1), $2 > 0)",
    types: &[Type::INT8, Type::INT8],
};

/// The statements of a table.
struct Texts {
    page: String,
    page_types: Vec<Type>,
    put: String,
    put_types: Vec<Type>,
}

static TEXTS: LazyLock<Vec<Texts>> = LazyLock::new(|| TABLES.iter().map(Texts::new).collect());

impl Texts {
    fn new(table: &Table) -> Self {
        let (names, keys) = (table.names(table.columns.len()), table.names(table.key));
        let places = |count: usize| (1..=count).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
        let page = match table.heavy {
            // Sizes are known without reading what is large: first where the page ends, then its rows.
            Some(heavy) => format!(
                "SELECT {names} FROM {name} WHERE {keys} > $1 AND {keys} <= (SELECT max({keys}) FROM \
                 (SELECT {keys}, sum(size) OVER (ORDER BY {keys}) - size AS before FROM \
                 (SELECT {keys}, octet_length({heavy})::int8 AS size FROM {name} WHERE {keys} > $1 \
                 ORDER BY {keys} LIMIT {PAGE_ROWS}) AS sizes) AS sums WHERE before < {PAGE_BYTES}) ORDER BY {keys}",
                name = table.name
            ),
            None => format!(
                "SELECT {names} FROM {} WHERE ({keys}) > ({}) ORDER BY {keys} LIMIT {PAGE_ROWS}",
                table.name,
                places(table.key)
            ),
        };
        // Numbers of events are drawn by the table itself, unless it is told not to.
        let put = format!(
            "INSERT INTO {} ({names}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest({})",
            table.name,
            places(table.columns.len())
        );
        let page_types = table.columns[..table.key].iter().map(|(_, holds)| one(*holds)).collect();
        let put_types = table.columns.iter().map(|(_, holds)| many(*holds)).collect();
        Self { page, page_types, put, put_types }
    }

    fn of(table: &Table) -> Result<&'static Self, StoreError> {
        let at = TABLES.iter().position(|known| known.name == table.name);
        at.and_then(|at| TEXTS.get(at)).ok_or_else(misfit)
    }
}

const fn one(holds: Holds) -> Type {
    match holds {
        Holds::Long => Type::INT8,
        Holds::Int => Type::INT4,
        Holds::Short => Type::INT2,
        Holds::Bool => Type::BOOL,
        Holds::Bytes => Type::BYTEA,
    }
}

const fn many(holds: Holds) -> Type {
    match holds {
        Holds::Long => Type::INT8_ARRAY,
        Holds::Int => Type::INT4_ARRAY,
        Holds::Short => Type::INT2_ARRAY,
        Holds::Bool => Type::BOOL_ARRAY,
        Holds::Bytes => Type::BYTEA_ARRAY,
    }
}

type Bound = Box<dyn ToSql + Sync + Send>;

/// A value as a parameter.
fn bound(holds: Holds, value: &Value) -> Result<Bound, StoreError> {
    Ok(match (holds, value) {
        (Holds::Long, Value::Int(number)) => Box::new(*number),
        (Holds::Int, Value::Int(number)) => Box::new(narrow::<i32>(*number)?),
        (Holds::Short, Value::Int(number)) => Box::new(narrow::<i16>(*number)?),
        (Holds::Bytes, Value::Bytes(bytes)) => Box::new(bytes.clone()),
        _ => return Err(misfit()),
    })
}

/// A column of many rows as one parameter.
fn array(holds: Holds, values: Vec<Value>) -> Result<Bound, StoreError> {
    fn each<T>(
        values: Vec<Value>,
        take: impl Fn(Value) -> Result<T, StoreError>,
    ) -> Result<Vec<Option<T>>, StoreError> {
        let one = |value| if value == Value::Null { Ok(None) } else { take(value).map(Some) };
        values.into_iter().map(one).collect()
    }
    let number = |value| match value {
        Value::Int(number) => Ok(number),
        _ => Err(misfit()),
    };
    Ok(match holds {
        Holds::Long => Box::new(each(values, number)?),
        Holds::Int => Box::new(each(values, |value| narrow::<i32>(number(value)?))?),
        Holds::Short => Box::new(each(values, |value| narrow::<i16>(number(value)?))?),
        Holds::Bool => Box::new(each(values, |value| match value {
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            _ => Err(misfit()),
        })?),
        Holds::Bytes => Box::new(each(values, |value| match value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(misfit()),
        })?),
    })
}

fn value(row: &Row, at: usize, holds: Holds) -> Result<Value, StoreError> {
    let get = || -> Result<Option<Value>, tokio_postgres::Error> {
        Ok(match holds {
            Holds::Long => row.try_get::<_, Option<i64>>(at)?.map(Value::Int),
            Holds::Int => row.try_get::<_, Option<i32>>(at)?.map(|number| Value::Int(number.into())),
            Holds::Short => row.try_get::<_, Option<i16>>(at)?.map(|number| Value::Int(number.into())),
            Holds::Bool => row.try_get::<_, Option<bool>>(at)?.map(|truth| Value::Int(truth.into())),
            Holds::Bytes => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Value::Bytes),
        })
    };
    get().map(|value| value.unwrap_or(Value::Null)).map_err(|_| misfit())
}

/// One connection, in the middle of a transaction.
struct Conversation {
    link: Arc<Link>,
    session: Session,
}

impl Conversation {
    fn begin(config: &PostgresConfig, server: &Server, isolation: &str) -> Result<Self, StoreError> {
        let engine = Engine::start()?;
        let link = Link::new(config, server, &engine)?;
        let mut session = link.wait(link.session(For::Own))??;
        session.answers_within(LONG_ANSWER_MAX);
        let mut conversation = Self { link, session };
        let begin = format!("BEGIN {isolation}; {LIMITS}; {}", naming(Scope::All));
        conversation.say(&[Step::Plain(begin)])?;
        Ok(conversation)
    }

    fn say(&mut self, steps: &[Step<'_>]) -> Result<Vec<Vec<Row>>, Fault> {
        self.link.wait(self.session.converse(steps))?
    }

    fn page(&mut self, table: &Table, after: &[Value]) -> Result<Vec<Values>, StoreError> {
        let texts = Texts::of(table)?;
        let sql = Sql { text: &texts.page, types: &texts.page_types };
        let bound: Vec<Bound> = table
            .columns
            .iter()
            .zip(after)
            .map(|((_, holds), value)| bound(*holds, value))
            .collect::<Result<_, _>>()?;
        let values = bound.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        let rows = self.say(&[Step::Sql(&sql, values)])?.pop().unwrap_or_default();
        let row = |row: &Row| {
            let columns = table.columns.iter().enumerate();
            columns.map(|(at, (_, holds))| value(row, at, *holds)).collect::<Result<Values, StoreError>>()
        };
        rows.iter().map(row).collect()
    }

    fn meta(&mut self) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        let rows = self.say(&[Step::Sql(&META, Vec::new())])?.pop().unwrap_or_default();
        let pair = |row: &Row| Ok((row.try_get(0).map_err(|_| misfit())?, row.try_get(1).map_err(|_| misfit())?));
        rows.iter().map(pair).collect()
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // Its transaction may be open: the server ends it with the connection.
        self.session.discard();
    }
}

const SOURCE: &str = "the source";
const TARGET: &str = "the target";

/// Somebody who is in the way is told from what is wrong with the database.
fn in_the_way(which: &str, fault: Fault) -> CopyError {
    let busy = fault.is_passing() || fault.state() == Some(&SqlState::LOCK_NOT_AVAILABLE);
    match fault.state() {
        _ if busy => CopyError::InUse(which.to_owned(), "somebody is writing".to_owned()),
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            let fix = match which {
                SOURCE => "run: iris migrate --apply, which gives it its rights",
                _ => "name the owner of its tables in IRIS_DATABASE_MIGRATE_URL",
            };
            OpenError::Server(format!("of {which}: this role may not copy with it ({fault}); {fix}")).into()
        }
        _ => CopyError::Store(which.to_owned(), fault.into()),
    }
}

/// The database that is copied from: one state of it, with its counters locked, so that no node writes meanwhile.
pub(crate) struct CopySource {
    conversation: Conversation,
    counters: Counters,
}

impl CopySource {
    pub(crate) fn open(config: &PostgresConfig) -> Result<Self, CopyError> {
        let plan = migrate::planned(config)?;
        if plan.is_empty_database() {
            return Err(CopyError::NoSource("the PostgreSQL database".to_owned()));
        }
        exact(&plan, SOURCE)?;
        migrate::checked(config)?;
        let broken = |error| CopyError::Store(SOURCE.to_owned(), error);
        let isolation = "ISOLATION LEVEL REPEATABLE READ";
        let mut conversation = Conversation::begin(config, &config.server, isolation).map_err(broken)?;
        let steps = [HEAD, READ_HEAD, DRAWN, LEASES];
        let steps: Vec<Step<'_>> = steps.iter().map(|sql| Step::Sql(sql, Vec::new())).collect();
        let answers = conversation.say(&steps).map_err(|fault| in_the_way(SOURCE, fault))?;
        if let Some(lease) = answers.get(3).and_then(|rows| rows.first()) {
            let name: String = lease.try_get(0).map_err(|_| broken(misfit()))?;
            let why = format!("a node runs or was stopped some seconds ago (it has the lease {name})");
            return Err(CopyError::InUse(SOURCE.to_owned(), why));
        }
        let number = |answer: usize, at: usize| -> Result<i64, CopyError> {
            let row = answers.get(answer).and_then(|rows| rows.first()).ok_or_else(|| broken(misfit()))?;
            row.try_get(at).map_err(|_| broken(misfit()))
        };
        let (seq, writes, reads) = (number(0, 0)?, number(0, 1)?, number(1, 0)?);
        let counters = Counters { seq, writes, reads, event: number(2, 0)?, key: number(2, 1)? };
        Ok(Self { conversation, counters })
    }
}

impl Pages for CopySource {
    fn page(&mut self, table: &'static Table, after: &[Value]) -> Result<Vec<Values>, StoreError> {
        self.conversation.page(table, after)
    }
}

impl Source for CopySource {
    fn counters(&mut self) -> Result<Counters, StoreError> {
        Ok(self.counters)
    }

    fn key_check(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.conversation.meta()?.remove(KEY_CHECK))
    }
}

/// The database that is copied into, as the owner of its tables. Until [`Target::keep`] nothing of the copy is there.
pub(crate) struct CopyTarget {
    conversation: Conversation,
}

impl CopyTarget {
    pub(crate) fn begin(config: &PostgresConfig, clock: &dyn Clock) -> Result<Self, CopyError> {
        let plan = migrate::planned(config)?;
        if plan.is_empty_database() {
            migrate::apply(config, clock)?;
        } else {
            exact(&plan, TARGET)?;
        }
        let broken = |error| CopyError::Store(TARGET.to_owned(), error);
        let way = |fault| in_the_way(TARGET, fault);
        let owner = config.owner.as_ref().unwrap_or(&config.server);
        let mut conversation = Conversation::begin(config, owner, "").map_err(broken)?;
        // Whoever starts now waits until the copy has ended, and then finds its mark.
        let lock = "LOCK TABLE meta IN SHARE ROW EXCLUSIVE MODE".to_owned();
        conversation.say(&[Step::Plain(lock)]).map_err(way)?;
        let meta = conversation.meta().map_err(broken)?;
        if meta.contains_key(COPYING) {
            conversation.say(&[Step::Plain(emptying())]).map_err(way)?;
        }
        let holds = |what: &str| CopyError::NotEmpty(TARGET.to_owned(), what.to_owned());
        if meta.contains_key(KEY_CHECK) {
            return Err(holds("a node has started with it"));
        }
        let unused = conversation.say(&[Step::Sql(&UNUSED, Vec::new())]).map_err(way)?;
        let unused = unused.first().and_then(|rows| rows.first()).and_then(|row| row.try_get(0).ok());
        if unused != Some(true) {
            return Err(holds("there are rows in it"));
        }
        let mark = &b"1"[..];
        conversation.say(&[Step::Sql(&MARK, vec![&COPYING, &mark])]).map_err(way)?;
        Ok(Self { conversation })
    }
}

/// Takes away what an interrupted copy has left.
fn emptying() -> String {
    let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    format!(
        "TRUNCATE {}, meta; UPDATE head SET seq = 1, audit_write = 0; UPDATE read_head SET audit_read = 0",
        names.join(", ")
    )
}

impl Pages for CopyTarget {
    fn page(&mut self, table: &'static Table, after: &[Value]) -> Result<Vec<Values>, StoreError> {
        self.conversation.page(table, after)
    }
}

impl Target for CopyTarget {
    fn put(&mut self, table: &'static Table, rows: Vec<Values>) -> Result<(), StoreError> {
        let texts = Texts::of(table)?;
        let sql = Sql { text: &texts.put, types: &texts.put_types };
        let mut columns: Vec<Values> = table.columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
        for row in rows {
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
        let columns = table.columns.iter().zip(columns);
        let bound: Vec<Bound> = columns.map(|((_, holds), values)| array(*holds, values)).collect::<Result<_, _>>()?;
        let values = bound.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        self.conversation.say(&[Step::Sql(&sql, values)])?;
        Ok(())
    }

    fn keep(&mut self, counters: &Counters) -> Result<(), StoreError> {
        let Counters { seq, writes, reads, event, key } = counters;
        self.conversation.say(&[
            Step::Sql(&SET_HEAD, vec![seq, writes]),
            Step::Sql(&SET_READ_HEAD, vec![reads]),
            Step::Sql(&SET_DRAWN, vec![event, key]),
            Step::Plain("COMMIT".to_owned()),
        ])?;
        Ok(())
    }

    fn finish(&mut self, check: &[u8; 32]) -> Result<(), StoreError> {
        let check = &check[..];
        self.conversation.say(&[
            Step::Plain(format!("BEGIN; {LIMITS}; {}", naming(Scope::All))),
            Step::Sql(&UNMARK, vec![&COPYING]),
            Step::Sql(&MARK, vec![&KEY_CHECK, &check]),
            Step::Plain("COMMIT".to_owned()),
        ])?;
        Ok(())
    }
}
