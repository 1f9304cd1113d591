//! Which verified tokens are still good: a bounded cache of what they said, and a flag per account, session and token that a
//! revocation lowers, so that it holds from the next request on.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Weak};

use iris_kernel::{Tenant, Timestamp};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::caller::{Caller, Origin, Subject};
use crate::role::RoleSet;
use crate::scope::Scopes;

/// Most verified tokens that are remembered.
pub(crate) const VERIFIED_MAX: usize = 20_000;
/// Most refused tokens whose refusal is remembered as recorded.
const REFUSED_MAX: usize = 10_000;

/// What a token proved, as long as it stands.
pub(crate) struct Verified {
    pub(crate) subject: Subject,
    pub(crate) tenant: Tenant,
    pub(crate) roles: RoleSet,
    pub(crate) scopes: Option<Arc<Scopes>>,
    pub(crate) patient: Option<Arc<str>>,
    pub(crate) session: Option<Uuid>,
    pub(crate) token: Uuid,
    /// `exp`, in seconds.
    pub(crate) expires: i64,
    /// The account, and the session or the token itself.
    pub(crate) standing: [Standing; 2],
    /// When the token was last shown: microseconds.
    pub(crate) seen: AtomicI64,
}

impl Verified {
    pub(crate) fn stands(&self, now: Timestamp) -> bool {
        now.seconds() < self.expires && self.standing.iter().all(Standing::is_up)
    }

    pub(crate) fn caller(&self, origin: Origin) -> Caller {
        Caller {
            subject: self.subject.clone(),
            tenant: self.tenant,
            roles: self.roles,
            permissions: self.roles.permissions(),
            scopes: self.scopes.clone(),
            patient: self.patient.clone(),
            session: self.session,
            token: self.token,
            address: origin.address,
            agent: origin.agent,
            correlation: origin.correlation,
            purpose: origin.purpose,
        }
    }
}

/// A flag that a revocation lowers for good.
#[derive(Clone)]
pub(crate) struct Standing(Arc<AtomicBool>);

impl Standing {
    fn is_up(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The flags that somebody holds.
///
/// A flag is taken *before* the account is read from the store. Whoever changes an account commits first and lowers the flag
/// then; so either the reader sees the change, or the flag that its cache entry holds goes down.
#[derive(Default)]
pub(crate) struct Standings {
    flags: Mutex<HashMap<Uuid, Weak<AtomicBool>>>,
}

impl Standings {
    pub(crate) fn take(&self, id: Uuid) -> Standing {
        let mut flags = self.flags.lock();
        if let Some(flag) = flags.get(&id).and_then(Weak::upgrade) {
            return Standing(flag);
        }
        if flags.len() > VERIFIED_MAX * 2 {
            flags.retain(|_, flag| flag.strong_count() > 0);
        }
        let flag = Arc::new(AtomicBool::new(true));
        flags.insert(id, Arc::downgrade(&flag));
        Standing(flag)
    }

    pub(crate) fn lower(&self, id: Uuid) {
        if let Some(flag) = self.flags.lock().remove(&id).and_then(|flag| flag.upgrade()) {
            flag.store(false, Ordering::Release);
        }
    }
}

/// Tokens by their SHA-256: what the good ones proved, and which refusals are in the log already.
pub(crate) struct VerifiedTokens {
    good: Cache<[u8; 32], Arc<Verified>>,
    refused: Cache<[u8; 32], ()>,
}

impl VerifiedTokens {
    pub(crate) fn new() -> Self {
        Self { good: Cache::new(VERIFIED_MAX), refused: Cache::new(REFUSED_MAX) }
    }

    /// What the token proved, if it is remembered and still stands.
    pub(crate) fn get(&self, key: &[u8; 32], now: Timestamp) -> Option<Arc<Verified>> {
        let verified = self.good.get(key)?;
        if verified.stands(now) {
            verified.seen.store(now.0, Ordering::Relaxed);
            return Some(verified);
        }
        self.good.remove(key);
        None
    }

    pub(crate) fn remember(&self, key: [u8; 32], verified: &Arc<Verified>) {
        self.good.insert(key, Arc::clone(verified));
    }

    /// In how many sessions of a tenant a token that still stands was shown since then.
    pub(crate) fn sessions(&self, tenant: Tenant, now: Timestamp, since: Timestamp) -> usize {
        let shown = |verified: &Verified| {
            verified.tenant == tenant && verified.stands(now) && verified.seen.load(Ordering::Relaxed) >= since.0
        };
        let sessions =
            self.good.iter().filter(|(_, verified)| shown(verified)).filter_map(|(_, verified)| verified.session);
        sessions.collect::<HashSet<Uuid>>().len()
    }

    /// Whether the refusal of this token is in the log. Whoever keeps sending a revoked token must not fill the log.
    pub(crate) fn refusal_known(&self, key: &[u8; 32]) -> bool {
        self.refused.get(key).is_some()
    }

    pub(crate) fn refusal_remember(&self, key: [u8; 32]) {
        self.refused.insert(key, ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lowered_flag_stays_down_and_the_next_one_is_new() {
        let standings = Standings::default();
        let id = Uuid::from_u128(1);
        let (one, two) = (standings.take(id), standings.take(id));
        standings.lower(id);
        assert!(!one.is_up() && !two.is_up());
        assert!(standings.take(id).is_up());
        standings.lower(Uuid::from_u128(2));
    }

    #[test]
    fn flags_that_nobody_holds_are_dropped() {
        let standings = Standings::default();
        for n in 0..(VERIFIED_MAX as u128 * 5) {
            standings.take(Uuid::from_u128(n));
        }
        assert!(standings.flags.lock().len() <= VERIFIED_MAX * 2 + 1);
    }
}
