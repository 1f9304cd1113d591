//! What is copied: the tables with their columns, and rows as both databases give and take them. Bodies and keys stay sealed.

use iris_crypto::sha256;

use crate::error::StoreError;

/// Most rows of a page.
pub(crate) const PAGE_ROWS: usize = 1_000;
/// Bytes after which no row is added to a page.
pub(crate) const PAGE_BYTES: usize = 8 << 20;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// 64 bits, perhaps nothing.
    Long,
    /// 32 bits.
    Int,
    /// 16 bits.
    Short,
    /// 0 or 1; in PostgreSQL a truth value.
    Bool,
    Bytes,
}

/// A value of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Bytes(Vec<u8>),
}

/// The values of a row, in the order of its table's columns.
pub(crate) type Values = Vec<Value>;

/// Who knows where the rows of a table end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Nobody.
    Not,
    /// [`Counters::seq`], from 1 without a gap.
    Seq,
    /// [`Counters::writes`], from 0 without a gap.
    Writes,
    /// [`Counters::reads`], from 0 without a gap.
    Reads,
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Holds)],
    /// How many of the columns, from the first on, are the primary key.
    pub(crate) key: usize,
    /// The column that may be large; its table's key is one number then.
    pub(crate) heavy: Option<&'static str>,
    pub(crate) counted: Counted,
}

impl Table {
    const fn small(name: &'static str, key: usize, columns: &'static [(&'static str, Holds)]) -> Self {
        Self { name, columns, key, heavy: None, counted: Counted::Not }
    }

    /// Where the rows of a page begin that nothing stands before.
    pub(crate) fn start(&self) -> Values {
        let least = |holds: &Holds| match holds {
            Holds::Long => Value::Int(i64::MIN),
            Holds::Int => Value::Int(i64::from(i32::MIN)),
            Holds::Short | Holds::Bool => Value::Int(i64::from(i16::MIN)),
            Holds::Bytes => Value::Bytes(Vec::new()),
        };
        self.columns[..self.key].iter().map(|(_, holds)| least(holds)).collect()
    }

    /// The names of the columns, divided by commas.
    pub(crate) fn names(&self, columns: usize) -> String {
        self.columns[..columns].iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

const AUDIT: &[(&str, Holds)] = &[("ordinal", Holds::Long), ("header", Holds::Bytes), ("details", Holds::Bytes)];

/// Entries of reads: a table in PostgreSQL, the journal's files beside SQLite.
pub(crate) const READS: Table =
    Table { heavy: Some("details"), counted: Counted::Reads, ..Table::small("audit_read", 1, AUDIT) };

/// Every table that holds something of an installation's, in the order in which they are copied. `lease` names processes and
/// `migration` is each database's own; `meta` is told apart, because it says who may open the database.
pub(crate) const TABLES: &[Table] = &[
    Table::small(
        "data_key",
        1,
        &[
            ("key", Holds::Long),
            ("tenant", Holds::Long),
            ("owner", Holds::Bytes),
            ("kek", Holds::Long),
            ("wrapped", Holds::Bytes),
        ],
    ),
    Table {
        heavy: Some("body"),
        counted: Counted::Seq,
        ..Table::small(
            "version",
            1,
            &[
                ("seq", Holds::Long),
                ("tenant", Holds::Long),
                ("kind", Holds::Int),
                ("record", Holds::Bytes),
                ("version", Holds::Long),
                ("at", Holds::Long),
                ("born", Holds::Long),
                ("prev", Holds::Long),
                ("deleted", Holds::Bool),
                ("key", Holds::Long),
                ("body", Holds::Bytes),
            ],
        )
    },
    Table::small(
        "current",
        3,
        &[
            ("tenant", Holds::Long),
            ("kind", Holds::Int),
            ("record", Holds::Bytes),
            ("seq", Holds::Long),
            ("version", Holds::Long),
        ],
    ),
    Table::small(
        "claim",
        3,
        &[("tenant", Holds::Long), ("scope", Holds::Int), ("token", Holds::Bytes), ("record", Holds::Bytes)],
    ),
    Table {
        heavy: Some("body"),
        ..Table::small(
            "outbox",
            1,
            &[
                ("number", Holds::Long),
                ("event", Holds::Bytes),
                ("tenant", Holds::Long),
                ("key", Holds::Long),
                ("body", Holds::Bytes),
            ],
        )
    },
    Table { heavy: Some("details"), counted: Counted::Writes, ..Table::small("audit_write", 1, AUDIT) },
    READS,
    Table::small(
        "log_span",
        1,
        &[("position", Holds::Long), ("stream", Holds::Short), ("ordinal", Holds::Long), ("count", Holds::Long)],
    ),
    Table::small("log_tile", 2, &[("level", Holds::Short), ("number", Holds::Long), ("bytes", Holds::Bytes)]),
    Table::small("log_checkpoint", 1, &[("number", Holds::Long), ("bytes", Holds::Bytes)]),
];

/// The next numbers to be given out, and the last ones that were drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Next sequence.
    pub(crate) seq: i64,
    /// Next ordinal of an entry of writes.
    pub(crate) writes: i64,
    /// Next ordinal of an entry of reads.
    pub(crate) reads: i64,
    /// Last number of an event, which is never used again.
    pub(crate) event: i64,
    /// Last number of a data key.
    pub(crate) key: i64,
}

impl Counters {
    /// First number, and the one behind the last, of a table whose rows have no gaps.
    pub(crate) const fn range(&self, counted: Counted) -> Option<(i64, i64)> {
        match counted {
            Counted::Not => None,
            Counted::Seq => Some((1, self.seq)),
            Counted::Writes => Some((0, self.writes)),
            Counted::Reads => Some((0, self.reads)),
        }
    }
}

/// What tells whether two tables are equal: the number of their rows, and a digest over all values in the order of the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) rows: u64,
    digest: [u8; 32],
}

impl Sum {
    pub(crate) fn add(&mut self, row: &[Value]) {
        let mut bytes = Vec::with_capacity(256);
        for value in row {
            let (tag, part): (u8, &[u8]) = match value {
                Value::Null => (0, &[]),
                Value::Int(number) => (1, &number.to_le_bytes()),
                Value::Bytes(value) => (2, value),
            };
            bytes.push(tag);
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        self.digest = sha256(&[&self.digest, &bytes]);
        self.rows += 1;
    }
}

/// The number that a row's key is, where it is one.
pub(crate) fn number_of(row: &[Value]) -> Option<i64> {
    match row.first() {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}

/// A number of fewer bits than it was given with.
pub(crate) fn narrow<N: TryFrom<i64>>(wide: i64) -> Result<N, StoreError> {
    N::try_from(wide).map_err(|_| StoreError::damaged(None, "a number is out of its range"))
}

pub(crate) fn misfit() -> StoreError {
    StoreError::damaged(None, "a column holds a value that never belongs there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_have_equal_sums_and_others_do_not() {
        let sum = |rows: &[Values]| {
            let mut sum = Sum::default();
            rows.iter().for_each(|row| sum.add(row));
            sum
        };
        let (one, two) = (vec![Value::Int(1), Value::Null], vec![Value::Int(2), Value::Bytes(vec![7])]);
        assert_eq!(sum(&[one.clone(), two.clone()]), sum(&[one.clone(), two.clone()]));
        assert_ne!(sum(&[one.clone(), two.clone()]), sum(&[two.clone(), one.clone()]));
        assert_ne!(sum(std::slice::from_ref(&one)), sum(&[vec![Value::Int(1), Value::Bytes(Vec::new())]]));
        let (split, whole) = (
            vec![Value::Bytes(vec![1]), Value::Bytes(vec![2, 3])],
            vec![Value::Bytes(vec![1, 2]), Value::Bytes(vec![3])],
        );
        assert_ne!(sum(&[split]), sum(&[whole]));
    }

    #[test]
    fn every_table_of_both_databases_is_copied_or_said_not_to_be() {
        let apart = ["meta", "lease", "head", "read_head"];
        let made = |text: &str| -> Vec<String> {
            let names = text.lines().filter_map(|line| line.strip_prefix("CREATE TABLE "));
            names.filter_map(|rest| rest.split_whitespace().next().map(str::to_owned)).collect()
        };
        let postgres = made(include_str!("../../../../migrations/postgres/0001_store.sql"));
        let sqlite = made(include_str!("../../../../migrations/sqlite/0001_store.sql"));
        for name in postgres.iter().chain(&sqlite).filter(|name| !apart.contains(&name.as_str())) {
            assert!(TABLES.iter().any(|table| table.name == name), "{name} would be left behind");
        }
        for table in TABLES {
            assert!(postgres.iter().any(|name| name == table.name));
            assert!(table.heavy.is_none() || table.key == 1);
        }
    }
}
