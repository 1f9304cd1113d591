//! What the expectations of a group are checked against: the database at the moment of the lock, and then what the sets
//! before have changed.

use std::collections::HashMap;
use std::convert::Infallible;

use iris_kernel::{Kind, RecordId, Seq, Tenant, Version};
use tokio_postgres::Row;
use tokio_postgres::types::FromSqlOwned;

use super::link::Fault;
use super::{number, seq_of, unsigned};
use crate::backend::check::{Checked, Stored};
use crate::backend::{Pointer, RawKey, WriteSet};
use crate::tx::ClaimScope;

/// The next numbers to be given out.
#[derive(Clone, Copy, Default)]
pub(super) struct Counters {
    pub(super) seq: u64,
    pub(super) audit: u64,
}

/// Which part of it some rows are.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Nothing,
    Counters,
    Keys,
    LogSize,
    Pointers(Tenant),
    Holders(Tenant),
}

pub(super) struct Loaded {
    /// The tenant that the transaction has named last.
    pub(super) named: Tenant,
    pub(super) counters: Counters,
    /// The number of the transaction, as the database writes it.
    pub(super) transaction: String,
    /// What the server says of its life.
    pub(super) life: String,
    pointers: HashMap<(Tenant, Kind, RecordId), Pointer>,
    holders: HashMap<(Tenant, ClaimScope, [u8; 16]), RecordId>,
    keys: HashMap<[u8; 16], (i64, Vec<u8>)>,
    log_size: u64,
}

fn get<T: FromSqlOwned>(row: &Row, at: usize) -> Result<T, Fault> {
    row.try_get(at).map_err(Fault::from)
}

fn bytes16(row: &Row, at: usize) -> Result<[u8; 16], Fault> {
    get::<Vec<u8>>(row, at)?.try_into().map_err(|_| strange())
}

fn narrow<W: TryInto<N>, N>(wide: W) -> Result<N, Fault> {
    wide.try_into().map_err(|_| strange())
}

fn strange() -> Fault {
    Fault::Strange("a column holds a value that never belongs there")
}

impl Loaded {
    pub(super) fn new(named: Tenant) -> Self {
        Self {
            named,
            counters: Counters::default(),
            transaction: String::new(),
            life: String::new(),
            pointers: HashMap::new(),
            holders: HashMap::new(),
            keys: HashMap::new(),
            log_size: 0,
        }
    }

    /// Takes in the rows of one answer.
    pub(super) fn take(&mut self, part: Part, rows: &[Row]) -> Result<(), Fault> {
        for row in rows {
            match part {
                Part::Nothing => {}
                Part::Counters => {
                    self.counters = Counters { seq: unsigned(get(row, 0)?), audit: unsigned(get(row, 1)?) };
                    self.transaction = get(row, 2)?;
                    self.life = get(row, 3)?;
                }
                Part::Keys => drop(self.keys.insert(bytes16(row, 0)?, (get(row, 1)?, get(row, 2)?))),
                Part::LogSize => self.log_size = unsigned(get(row, 0)?),
                Part::Pointers(tenant) => {
                    let kind = Kind(narrow(get::<i32>(row, 0)?)?);
                    let version = Version(narrow(get::<i64>(row, 3)?)?);
                    let pointer = Pointer { seq: seq_of(get(row, 2)?), version };
                    self.pointers.insert((tenant, kind, RecordId(bytes16(row, 1)?)), pointer);
                }
                Part::Holders(tenant) => {
                    let scope = ClaimScope(narrow(get::<i32>(row, 0)?)?);
                    self.holders.insert((tenant, scope, bytes16(row, 1)?), RecordId(bytes16(row, 2)?));
                }
            }
        }
        if matches!(part, Part::Counters) && rows.is_empty() {
            return Err(Fault::Strange("the head has no row"));
        }
        Ok(())
    }

    /// A set is to be stored: the next ones are checked against what it leaves.
    pub(super) fn took(&mut self, tenant: Tenant, set: &WriteSet, checked: &Checked) {
        for at in &checked.fresh {
            let key = &set.fresh[*at].row;
            self.keys.insert(key.owner, (number(key.key.0), key.wrapped.clone()));
        }
        for (seq, put) in (self.counters.seq..).zip(&set.puts) {
            let pointer = Pointer { seq: Seq(seq), version: put.version };
            self.pointers.insert((tenant, put.kind, put.record), pointer);
        }
        for ((scope, token), holder) in &checked.claims {
            match holder {
                Some(holder) => self.holders.insert((tenant, *scope, *token), *holder),
                None => self.holders.remove(&(tenant, *scope, *token)),
            };
        }
        if let Some(round) = &set.log {
            self.log_size += round.spans.iter().map(|span| span.count).sum::<u64>();
        }
        self.counters.seq += set.puts.len() as u64;
        self.counters.audit += set.audit.len() as u64;
    }

    pub(super) fn newest(&self, tenant: Tenant, kind: Kind, record: RecordId) -> Option<Pointer> {
        self.pointers.get(&(tenant, kind, record)).copied()
    }

    pub(super) fn holder(&self, tenant: Tenant, scope: ClaimScope, token: [u8; 16]) -> Option<RecordId> {
        self.holders.get(&(tenant, scope, token)).copied()
    }
}

impl Stored for Loaded {
    type Error = Infallible;

    fn pointer(&self, tenant: Tenant, kind: Kind, record: &RecordId) -> Result<Option<Pointer>, Infallible> {
        Ok(self.newest(tenant, kind, *record))
    }

    fn claim(&self, tenant: Tenant, scope: ClaimScope, token: &[u8; 16]) -> Result<Option<RecordId>, Infallible> {
        Ok(self.holder(tenant, scope, *token))
    }

    fn is_key(&self, fresh: &RawKey) -> Result<Option<bool>, Infallible> {
        let stored = self.keys.get(&fresh.owner);
        Ok(stored.map(|(key, wrapped)| *key == number(fresh.key.0) && *wrapped == fresh.wrapped))
    }

    fn log_size(&self) -> Result<u64, Infallible> {
        Ok(self.log_size)
    }
}
