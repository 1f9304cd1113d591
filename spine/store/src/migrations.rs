//! What is applied to a database and what is not, in words that an operator is shown.

use iris_kernel::Clock;

use crate::backend::{postgres, sqlite};
use crate::config::{Database, PostgresConfig, StoreConfig};
use crate::error::OpenError;

/// What is applied to a database and what is not. Changes nothing.
///
/// # Errors
/// [`OpenError`]: the server does not answer or is none to work with; the file does not open.
pub fn plan(config: &StoreConfig) -> Result<Plan, OpenError> {
    match &config.database {
        Database::Embedded => sqlite::planned(&config.folder),
        Database::Postgres(config) => postgres::planned(config),
    }
}

/// Whether this program would start with the database as it is: server, schema, and the right to make what is missing. The
/// key is not looked at.
///
/// # Errors
/// [`OpenError`] that says why not and what to do.
pub fn check(config: &StoreConfig) -> Result<(), OpenError> {
    match &config.database {
        Database::Embedded => sqlite::checked(&config.folder),
        Database::Postgres(config) => postgres::checked(config),
    }
}

/// Applies what is not applied yet to PostgreSQL, as the owner of the tables, each migration in a transaction of its own that
/// waits five seconds at most for locks, and gives the role of the rows its rights; gives the state before. Several callers at
/// once take turns. SQLite needs nobody to do this: a start does it.
///
/// # Errors
/// [`OpenError::Drift`], [`OpenError::Newer`], and what the server says; the migration named was not applied then.
pub fn apply(config: &PostgresConfig, clock: &dyn Clock) -> Result<Plan, OpenError> {
    postgres::apply(config, clock)
}

/// Name in `meta` of what tells whether a root key belongs to the database.
pub(crate) const KEY_CHECK: &str = "key_check";
/// Name in `meta` of the mark that a copy into the database has not ended. Nobody works with it then.
pub(crate) const COPYING: &str = "copying";

/// A migration as a database remembers it.
pub(crate) struct Applied {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) checksum: Vec<u8>,
    pub(crate) oldest: u32,
}

/// A migration as this program knows it: number, name, digest of its text.
pub(crate) type Known = (u32, &'static str, [u8; 32]);

/// How a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Applied, with the text that this program has.
    Applied,
    /// Known to this program, not applied.
    Pending,
    /// Applied with another text, or between ours and unknown here.
    Drifted,
    /// Applied by a newer program; programs from `oldest` on can go on.
    Newer {
        /// The newest migration of the oldest program that can.
        oldest: u32,
    },
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Drifted => "drifted",
            Self::Newer { .. } => "newer",
        })
    }
}

/// Who applies what is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// The next start: nobody else works with the database.
    TheStart,
    /// An operator, with `iris migrate --apply`: other nodes may work with it. Only an empty database is filled by a start.
    AnOperator,
}

/// All migrations that the database or this program knows, ascending: number, name, state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Number, name and state of each.
    pub states: Vec<(u32, String, State)>,
    /// The newest migration of this program.
    pub known: u32,
    /// Who applies what is pending.
    pub applies: Applies,
}

impl Plan {
    /// Compares what was applied with what this program knows.
    pub(crate) fn new(applied: Vec<Applied>, list: &[Known], applies: Applies) -> Self {
        let known = list.last().map_or(0, |(number, ..)| *number);
        let missing = |number: u32| applied.iter().all(|row| row.number != number);
        let pending: Vec<_> = list.iter().filter(|(number, ..)| missing(*number)).collect();
        let pending: Vec<_> =
            pending.into_iter().map(|(number, name, _)| (*number, (*name).to_owned(), State::Pending)).collect();
        let state = |row: &Applied| match list.iter().find(|(number, ..)| *number == row.number) {
            Some((_, _, checksum)) if checksum[..] == row.checksum[..] => State::Applied,
            None if row.number > known => State::Newer { oldest: row.oldest },
            _ => State::Drifted,
        };
        let mut states: Vec<_> = applied
            .into_iter()
            .map(|row| {
                let state = state(&row);
                (row.number, row.name, state)
            })
            .collect();
        states.extend(pending);
        states.sort_by_key(|(number, ..)| *number);
        Self { states, known, applies }
    }

    /// Whether nothing was ever applied.
    #[must_use]
    pub fn is_empty_database(&self) -> bool {
        self.states.iter().all(|(_, _, state)| *state == State::Pending)
    }

    /// Those that are to be applied.
    pub fn pending(&self) -> impl Iterator<Item = (u32, &str)> {
        let pending = self.states.iter().filter(|(_, _, state)| *state == State::Pending);
        pending.map(|(number, name, _)| (*number, name.as_str()))
    }

    /// Whether this program may work with the database as it is, or as a start makes it.
    ///
    /// # Errors
    /// [`OpenError::Drift`], [`OpenError::Newer`], [`OpenError::Pending`].
    pub fn allows_start(&self) -> Result<(), OpenError> {
        self.allows_change()?;
        match self.pending().next() {
            Some((_, name)) if self.applies == Applies::AnOperator && !self.is_empty_database() => {
                Err(OpenError::Pending(name.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Whether this program may apply migrations.
    pub(crate) fn allows_change(&self) -> Result<(), OpenError> {
        for (number, name, state) in &self.states {
            match state {
                State::Drifted => return Err(OpenError::Drift { number: *number, applied: name.clone() }),
                State::Newer { oldest } if *oldest > self.known => {
                    return Err(OpenError::Newer { found: *number, known: self.known });
                }
                State::Applied | State::Pending | State::Newer { .. } => {}
            }
        }
        Ok(())
    }

    /// Whether the database is exactly what this program makes, so that it knows every table and column of it.
    pub(crate) fn is_exact(&self) -> bool {
        self.states.iter().all(|(_, _, state)| *state == State::Applied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_databases_have_the_same_migrations() {
        let named = |list: Vec<Known>| list.into_iter().map(|(number, name, _)| (number, name)).collect::<Vec<_>>();
        let (sqlite, postgres) = (named(sqlite::known()), named(postgres::known()));
        assert_eq!(sqlite, postgres);
        for (at, (number, name)) in (1..).zip(sqlite) {
            assert!(number == at && name.starts_with(&format!("{number:04}_")), "{number} {name}");
        }
    }

    #[test]
    fn a_plan_names_what_is_applied_pending_drifted_and_newer() {
        let row = |number, checksum: u8, oldest| Applied {
            number,
            name: format!("n{number}"),
            checksum: vec![checksum; 32],
            oldest,
        };
        let list = [(1, "n1", [1; 32]), (2, "n2", [2; 32]), (4, "n4", [4; 32])];
        let plan = |applied| Plan::new(applied, &list, Applies::AnOperator);
        let states = |plan: &Plan| plan.states.iter().map(|(number, _, state)| (*number, *state)).collect::<Vec<_>>();
        let pending = [(1, State::Pending), (2, State::Pending), (4, State::Pending)];
        assert_eq!(states(&plan(Vec::new())), pending);
        assert!(plan(Vec::new()).allows_start().is_ok(), "an empty database is filled by the start");
        let found = plan(vec![row(1, 1, 1), row(2, 9, 1), row(3, 3, 1), row(5, 5, 4)]);
        let (drifted, newer) = (State::Drifted, State::Newer { oldest: 4 });
        assert_eq!(
            states(&found),
            [(1, State::Applied), (2, drifted), (3, drifted), (4, State::Pending), (5, newer)],
            "3 stands between ours and is unknown"
        );
        let half = plan(vec![row(1, 1, 1)]);
        assert!(matches!(half.allows_start(), Err(OpenError::Pending(name)) if name == "n2"));
        assert!(Plan { applies: Applies::TheStart, ..half }.allows_start().is_ok());
        let whole = |oldest| plan(vec![row(1, 1, 1), row(2, 2, 1), row(4, 4, 1), row(5, 5, oldest)]);
        assert!(whole(4).allows_start().is_ok() && !whole(4).is_exact());
        assert!(matches!(whole(5).allows_start(), Err(OpenError::Newer { found: 5, known: 4 })));
    }
}
