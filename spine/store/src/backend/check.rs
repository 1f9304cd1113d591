//! Whether a write set may be stored: what it expects against what is there. The same for every database.

use std::collections::{HashMap, HashSet};

use iris_kernel::{Kind, RecordId, Seq, Tenant, Version};

use super::{ClaimChange, Pointer, RawKey, SetRefused, WriteSet};
use crate::audit::LogRound;
use crate::error::Conflict;
use crate::tx::{ClaimExpect, ClaimScope, Expect};

/// What is stored, as far as expectations ask about it.
pub(super) trait Stored {
    /// What goes wrong with the database.
    type Error;
    /// The newest row of a record.
    fn pointer(&self, tenant: Tenant, kind: Kind, record: &RecordId) -> Result<Option<Pointer>, Self::Error>;
    /// Who holds a claim.
    fn claim(&self, tenant: Tenant, scope: ClaimScope, token: &[u8; 16]) -> Result<Option<RecordId>, Self::Error>;
    /// Whether the key stored for this one's owner is this very key; `None` if there is none.
    fn is_key(&self, fresh: &RawKey) -> Result<Option<bool>, Self::Error>;
    /// Entries in the Merkle log.
    fn log_size(&self) -> Result<u64, Self::Error>;
}

/// What stands in the way of a set: its own expectations, or the database.
pub(super) enum Stop<E> {
    Refused(SetRefused),
    Database(E),
}

impl<E> From<E> for Stop<E> {
    fn from(error: E) -> Self {
        Self::Database(error)
    }
}

fn conflict<E>(which: Conflict) -> Stop<E> {
    Stop::Refused(SetRefused::Conflict(which))
}

/// The holders after a set, by claim; `None`: nobody.
pub(super) type ClaimsAfter = HashMap<(ClaimScope, [u8; 16]), Option<RecordId>>;

/// A set that may be stored, and what follows from what it was checked against.
pub(super) struct Checked {
    /// Positions of the keys that are not stored yet.
    pub(super) fresh: Vec<usize>,
    /// For each put, the row that it replaces.
    pub(super) superseded: Vec<Option<Seq>>,
    pub(super) claims: ClaimsAfter,
}

/// Checks everything that a set expects.
pub(super) fn check<S: Stored>(stored: &S, set: &WriteSet) -> Result<Checked, Stop<S::Error>> {
    let tenant = set.tenant.unwrap_or(Tenant::PLATFORM);
    let fresh = keys(stored, set)?;
    requirements(stored, tenant, set)?;
    let superseded = puts(stored, tenant, set)?;
    let claims = claims(stored, tenant, set)?;
    if let Some(round) = &set.log {
        log(stored, round)?;
    }
    Ok(Checked { fresh, superseded, claims })
}

/// Which of the keys that the set brings along are to be stored.
fn keys<S: Stored>(stored: &S, set: &WriteSet) -> Result<Vec<usize>, Stop<S::Error>> {
    let mut missing = Vec::new();
    for (at, fresh) in set.fresh.iter().enumerate() {
        match stored.is_key(&fresh.row)? {
            None => missing.push(at),
            Some(true) => {}
            Some(false) => return Err(Stop::Refused(SetRefused::Raced)),
        }
    }
    Ok(missing)
}

fn requirements<S: Stored>(stored: &S, tenant: Tenant, set: &WriteSet) -> Result<(), Stop<S::Error>> {
    for (at, required) in set.requirements.iter().enumerate() {
        let found = stored.pointer(tenant, required.kind, &required.record)?;
        let holds = match required.expect {
            Expect::Absent => found.is_none(),
            Expect::Current(seq) => found.is_some_and(|found| found.seq == seq),
        };
        if !holds {
            return Err(conflict(Conflict::Require(at)));
        }
    }
    Ok(())
}

fn puts<S: Stored>(stored: &S, tenant: Tenant, set: &WriteSet) -> Result<Vec<Option<Seq>>, Stop<S::Error>> {
    let mut seen = HashSet::with_capacity(set.puts.len());
    let mut superseded = Vec::with_capacity(set.puts.len());
    for (at, put) in set.puts.iter().enumerate() {
        if !seen.insert((put.kind, put.record)) {
            return Err(Stop::Refused(SetRefused::Invalid("one record is put twice in one write set")));
        }
        let found = stored.pointer(tenant, put.kind, &put.record)?;
        let version = match (put.expect, found) {
            (Expect::Absent, None) => Version::FIRST,
            (Expect::Current(seq), Some(found)) if found.seq == seq => found.version.next(),
            _ => return Err(conflict(Conflict::Put(at))),
        };
        if put.version != version {
            return Err(Stop::Refused(SetRefused::Invalid("a put's version does not follow the one it replaces")));
        }
        superseded.push(found.map(|found| found.seq));
    }
    Ok(superseded)
}

/// Changes of one set are taken in order: a claim given back can be taken again.
fn claims<S: Stored>(stored: &S, tenant: Tenant, set: &WriteSet) -> Result<ClaimsAfter, Stop<S::Error>> {
    let mut after: ClaimsAfter = HashMap::with_capacity(set.claims.len());
    let mut taken = 0;
    for ClaimChange { scope, token, holder, take } in &set.claims {
        let found = match after.get(&(*scope, *token)) {
            Some(found) => *found,
            None => stored.claim(tenant, *scope, token)?,
        };
        let Some(expect) = take else {
            // Giving back what somebody else holds changes nothing.
            after.insert((*scope, *token), found.filter(|found| found != holder));
            continue;
        };
        let holds = match expect {
            ClaimExpect::Absent => found.is_none(),
            ClaimExpect::HeldBy(expected) => found == Some(*expected),
            ClaimExpect::Any => true,
        };
        if !holds {
            return Err(conflict(Conflict::Claim(taken)));
        }
        taken += 1;
        after.insert((*scope, *token), Some(*holder));
    }
    Ok(after)
}

fn log<S: Stored>(stored: &S, round: &LogRound) -> Result<(), Stop<S::Error>> {
    let mut next = stored.log_size()?;
    for span in &round.spans {
        if span.position != next || span.count == 0 {
            return Err(Stop::Refused(SetRefused::Invalid("a span does not begin where the log ends")));
        }
        next += span.count;
    }
    Ok(())
}
