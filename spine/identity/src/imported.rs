//! Password hashes that come from other systems: bcrypt. They are good for one sign-in, at which argon2id takes their place.
//!
//! bcrypt takes another time than argon2id, which would tell strangers whose account came in with such a hash. Therefore a sign-in that
//! fails costs the same whoever is meant, for as long as a hash waits in the tenant: one argon2id, and one bcrypt as dear as the dearest
//! that waits.

use std::fmt;

use iris_kernel::{Fault, Secret, Tenant};
use iris_store::Tx;
use serde::{Deserialize, Serialize};

use crate::identity::Identity;
use crate::kinds;
use crate::records::{self, Stamp};
use iris_access::AccessError;

/// Dearest hash that is accepted: each step of the cost doubles the work, and a hash of cost 31 would hold a core for days.
pub const BCRYPT_COST_MAX: u32 = 14;
/// Cheapest that is accepted; the format knows nothing cheaper.
pub const BCRYPT_COST_MIN: u32 = 4;
/// What every hash begins with. `$2x$` marks those of a version with a defect, and is refused.
const PREFIXES: [&str; 3] = ["$2a$", "$2b$", "$2y$"];
/// Characters of a hash.
const LENGTH: usize = 60;

/// A hash that was checked for its form and cost.
pub struct Imported(String);

impl Imported {
    /// Reads a hash as other systems store it.
    ///
    /// # Errors
    /// What is no bcrypt hash, or one that costs too much to check.
    pub fn parse(hash: &str, at: &str) -> Result<Self, Fault> {
        match cost(hash) {
            Some(cost) if (BCRYPT_COST_MIN..=BCRYPT_COST_MAX).contains(&cost) => Ok(Self(hash.to_owned())),
            Some(_) => Err(Fault::new(at, format!("costs more than {BCRYPT_COST_MAX} or less than {BCRYPT_COST_MIN}"))),
            None => Err(Fault::new(at, "must be a hash of bcrypt: $2a$, $2b$ or $2y$")),
        }
    }

    /// As it is stored.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Imported {
    /// Does not show it: whoever has a hash can guess at it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Imported(***)")
    }
}

/// What checking a hash costs, if it is one of these.
pub(crate) fn cost(hash: &str) -> Option<u32> {
    let parts: bcrypt::HashParts = hash.parse().ok().filter(|_| hash.len() == LENGTH && is_bcrypt(hash))?;
    Some(parts.get_cost())
}

/// The hashes that wait in a tenant for their owner's first sign-in, as stored.
#[derive(Clone, Default, Serialize, Deserialize)]
struct ImportsRecord {
    waiting: u32,
    /// The dearest cost among those that came in since nothing waited.
    dearest: u32,
}

/// Id of the one record.
const IMPORTS_ID: &str = "all";

impl Identity {
    /// How dear a bcrypt a sign-in that fails has to cost in this tenant; nothing where no such hash waits.
    pub(crate) fn imports_dearest(&self, tenant: Tenant) -> Result<Option<u32>, AccessError> {
        let stored = records::read::<ImportsRecord>(self.store.current(tenant, kinds::IMPORTS, IMPORTS_ID)?)?;
        Ok(stored.filter(|stored| stored.value.waiting > 0).map(|stored| stored.value.dearest))
    }

    /// Counts in a write set that a hash came in, or that one was replaced: `before` and `after` are the account's hashes.
    pub(crate) fn imports_count(
        &self,
        tx: &mut Tx,
        stamp: Stamp,
        (before, after): (&str, &str),
    ) -> Result<(), AccessError> {
        if before == after || !(is_bcrypt(before) || is_bcrypt(after)) {
            return Ok(());
        }
        let stored = records::read::<ImportsRecord>(self.store.current(tx.tenant(), kinds::IMPORTS, IMPORTS_ID)?)?;
        let was = stored.as_ref().map(|stored| stored.value.clone()).unwrap_or_default();
        let waiting = was.waiting.saturating_sub(u32::from(is_bcrypt(before))) + u32::from(is_bcrypt(after));
        let dearest = if waiting == 0 { 0 } else { was.dearest.max(cost(after).unwrap_or(0)) };
        let next = ImportsRecord { waiting, dearest };
        match &stored {
            None => records::add(tx, stamp, kinds::IMPORTS, IMPORTS_ID, &next),
            Some(stored) => records::change(tx, stamp, (kinds::IMPORTS, IMPORTS_ID), stored, &next),
        }
    }
}

/// Does the work of one check at cost `to` where one at cost `from` was done already, or none. Blocks.
pub(crate) fn pad(from: Option<u32>, to: u32) {
    let to = to.min(BCRYPT_COST_MAX);
    // A check at a cost is twice one at the cost below: those at `from` and all up to `to` make up the difference.
    let costs = from.map_or(to..=to, |from| from..=to.saturating_sub(1));
    for cost in costs {
        // What comes of it is of no interest; it fails for no cost between these bounds.
        let _ = std::hint::black_box(bcrypt::hash_with_salt(b"nobody", cost.max(BCRYPT_COST_MIN), [0; 16]));
    }
}

/// Whether a stored hash is one of these.
pub(crate) fn is_bcrypt(stored: &str) -> bool {
    PREFIXES.iter().any(|prefix| stored.starts_with(prefix))
}

/// Whether the password fits. Blocks.
///
/// # Errors
/// The hash is damaged, or dearer than it may be.
pub(crate) fn fits(password: &Secret<String>, stored: &str) -> Result<bool, AccessError> {
    Imported::parse(stored, "").map_err(|fault| AccessError::Damaged(fault.to_string().into()))?;
    // As it was typed: the other system knew no normal form. What follows the 72nd byte never counted there.
    let checked = bcrypt::verify(password.expose(), stored);
    checked.map_err(|error| AccessError::Damaged(error.to_string().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the password `U*U`, from the test vectors of crypt_blowfish, and of `correct horse battery staple`.
    const VECTOR: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn hashes_of_all_three_spellings_fit_their_password_alone() {
        for prefix in PREFIXES {
            let hash = VECTOR.replace("$2a$", prefix);
            assert!(fits(&secret("U*U"), &hash).unwrap(), "{prefix}");
            assert!(!fits(&secret("U*V"), &hash).unwrap() && !fits(&secret(""), &hash).unwrap());
        }
    }

    #[test]
    fn attack_a_hash_that_would_hold_a_core_for_days_is_refused() {
        let of_cost = |cost: u32| VECTOR.replace("$05$", &format!("${cost:02}$"));
        assert!(Imported::parse(&of_cost(BCRYPT_COST_MAX), "password_hash").is_ok());
        for cost in [0, 3, BCRYPT_COST_MAX + 1, 31, 99] {
            assert!(Imported::parse(&of_cost(cost), "password_hash").is_err(), "{cost}");
            assert!(fits(&secret("U*U"), &of_cost(cost)).is_err());
        }
    }

    #[test]
    fn what_is_no_hash_of_bcrypt_is_refused() {
        let defect = VECTOR.replace("$2a$", "$2x$");
        let short = &VECTOR[..59];
        for bad in ["", "$2a$", "plain text", short, defect.as_str(), "$argon2id$v=19$m=19456,t=2,p=1$AAAA$BBBB"] {
            assert!(Imported::parse(bad, "password_hash").is_err(), "{bad}");
        }
    }
}
