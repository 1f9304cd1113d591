//! What is applied to a shared database and what is not, in words that an operator is shown.

use iris_kernel::Clock;

use crate::backend::postgres;
use crate::config::PostgresConfig;
use crate::error::OpenError;

/// What is applied to a database and what is not. Changes nothing.
///
/// # Errors
/// [`OpenError`]: the server does not answer or is too old.
pub fn plan(config: &PostgresConfig) -> Result<Plan, OpenError> {
    postgres::planned(config)
}

/// Applies what is not applied yet, as the owner of the tables, each migration in a transaction of its own that waits five
/// seconds at most for locks; gives the state before.
///
/// # Errors
/// [`OpenError::Drift`], [`OpenError::Newer`], and what the server says; the migration named was not applied then.
pub fn apply(config: &PostgresConfig, clock: &dyn Clock) -> Result<Plan, OpenError> {
    postgres::apply(config, clock)
}

/// A migration as the database remembers it.
pub(crate) struct Applied {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) oldest: u32,
}

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

/// All migrations that the database or this program knows, ascending: number, name, state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Number, name and state of each.
    pub states: Vec<(u32, String, State)>,
    /// The newest migration of this program.
    pub known: u32,
}

impl Plan {
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

    /// Whether this program may work with the database as it is.
    ///
    /// # Errors
    /// [`OpenError::Drift`], [`OpenError::Newer`], [`OpenError::Pending`].
    pub fn allows_start(&self) -> Result<(), OpenError> {
        self.allows_change()?;
        match self.pending().next() {
            Some((_, name)) => Err(OpenError::Pending(name.to_owned())),
            None => Ok(()),
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
}
