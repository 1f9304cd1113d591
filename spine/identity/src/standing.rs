//! Which verified tokens are still good: a bounded cache of what they said, and a flag per account, session and token that every
//! change of it lowers, whichever node made it: on its own node from the next request on, on the others within a second.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use iris_kernel::{Kind, RecordId, Tenant, Timestamp};
use iris_store::{Change, Follower};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::kinds;
use iris_access::{Caller, Origin, Proven, View};

/// Most verified tokens that are remembered.
pub(crate) const VERIFIED_MAX: usize = 20_000;
/// How long a token is believed without asking the store again. Changes are told; this bounds what a node that is not told would
/// do.
pub(crate) const BELIEVED: Duration = Duration::from_secs(30);
/// Most refused tokens whose refusal is remembered as recorded.
const REFUSED_MAX: usize = 10_000;

/// What a token proved, as long as it stands.
pub(crate) struct Verified {
    pub(crate) proven: Proven,
    /// `exp`, in seconds.
    pub(crate) expires: i64,
    /// The tenant and its roles, the account, and the session or the token itself.
    pub(crate) standing: Vec<Standing>,
    /// When what the account may do changes by itself: a grant begins or ends.
    pub(crate) until: Option<Timestamp>,
    /// When account and session were last looked at.
    pub(crate) checked: Timestamp,
    /// When the token was last shown: microseconds.
    pub(crate) seen: AtomicI64,
}

impl Verified {
    pub(crate) fn stands(&self, now: Timestamp) -> bool {
        now.seconds() < self.expires
            && self.until.is_none_or(|until| now < until)
            && self.standing.iter().all(Standing::is_up)
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.checked) < BELIEVED
    }

    pub(crate) fn caller(&self, view: Arc<View>, origin: Origin) -> Caller {
        Caller::proven(&self.proven, view, origin)
    }
}

/// A flag that a change lowers for good: what stands behind it is then read again.
#[derive(Clone)]
pub(crate) struct Standing(Arc<AtomicBool>);

impl Standing {
    fn is_up(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The flags that somebody holds.
///
/// A flag is taken *before* the account is read from the store. The store tells of a change once it is committed, and for a change
/// of this node before its writer has the answer; so either the reader sees the change, or the flag that its cache entry holds goes
/// down.
#[derive(Default)]
pub(crate) struct Standings {
    flags: Mutex<HashMap<RecordId, Weak<AtomicBool>>>,
}

/// What a token's standing depends on.
const FOLLOWED: [Kind; 6] =
    [kinds::USER, kinds::SESSION, kinds::CLIENT, kinds::REVOKED_TOKEN, kinds::ROLES, kinds::TENANTS];

impl Follower for Standings {
    fn committed(&self, changes: &mut [Change]) {
        changes.iter().filter(|change| FOLLOWED.contains(&change.kind)).for_each(|change| self.lower(change.record));
    }
}

impl Standings {
    pub(crate) fn take(&self, id: RecordId) -> Standing {
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

    pub(crate) fn lower(&self, id: RecordId) {
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

    /// What the token proved, if it is remembered, still stands, and was looked at not long ago.
    pub(crate) fn get(&self, key: &[u8; 32], now: Timestamp) -> Option<Arc<Verified>> {
        let verified = self.good.get(key)?;
        if verified.stands(now) && verified.is_fresh(now) {
            verified.seen.store(now.0, Ordering::Relaxed);
            return Some(verified);
        }
        self.good.remove(key);
        None
    }

    pub(crate) fn remember(&self, key: [u8; 32], verified: &Arc<Verified>) {
        self.good.insert(key, Arc::clone(verified));
    }

    /// When a token of this session was last shown to this node.
    pub(crate) fn last_seen(&self, session: Uuid) -> Option<Timestamp> {
        let of_it = self.good.iter().filter(|(_, verified)| verified.proven.session == Some(session));
        of_it.map(|(_, verified)| Timestamp(verified.seen.load(Ordering::Relaxed))).max()
    }

    /// In how many sessions of a tenant a token that still stands was shown since then.
    pub(crate) fn sessions(&self, tenant: Tenant, now: Timestamp, since: Timestamp) -> usize {
        self.sessions_of(|verified| verified.proven.tenant == tenant, now, since)
    }

    /// The same for all tenants together.
    pub(crate) fn sessions_of_all(&self, now: Timestamp, since: Timestamp) -> usize {
        self.sessions_of(|_| true, now, since)
    }

    fn sessions_of(&self, meant: impl Fn(&Verified) -> bool, now: Timestamp, since: Timestamp) -> usize {
        let shown = |verified: &Verified| {
            meant(verified) && verified.stands(now) && verified.seen.load(Ordering::Relaxed) >= since.0
        };
        let sessions = self
            .good
            .iter()
            .filter(|(_, verified)| shown(verified))
            .filter_map(|(_, verified)| verified.proven.session);
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
    use iris_access::{RoleSet, Subject, SubjectKind};

    use super::*;

    #[test]
    fn a_lowered_flag_stays_down_and_the_next_one_is_new() {
        let standings = Standings::default();
        let id = RecordId([1; 16]);
        let (one, two) = (standings.take(id), standings.take(id));
        standings.lower(id);
        assert!(!one.is_up() && !two.is_up());
        assert!(standings.take(id).is_up());
        standings.lower(RecordId([2; 16]));
    }

    #[test]
    fn flags_that_nobody_holds_are_dropped() {
        let standings = Standings::default();
        for n in 0..(VERIFIED_MAX as u128 * 5) {
            standings.take(RecordId(n.to_be_bytes()));
        }
        assert!(standings.flags.lock().len() <= VERIFIED_MAX * 2 + 1);
    }

    #[test]
    fn nothing_is_believed_for_long_without_a_look() {
        let (tokens, standings) = (VerifiedTokens::new(), Standings::default());
        let checked = Timestamp(1_000_000_000);
        let verified = Arc::new(Verified {
            proven: Proven {
                subject: Subject { id: Uuid::nil(), name: "a".into(), kind: SubjectKind::User },
                tenant: Tenant::DEFAULT,
                roles: RoleSet::default(),
                rules: Arc::default(),
                scopes: None,
                patient: None,
                practitioner: None,
                departments: Arc::default(),
                authenticated_at: None,
                factor: None,
                limited: None,
                session: None,
                token: Uuid::nil(),
            },
            expires: i64::MAX,
            until: None,
            standing: vec![standings.take(RecordId([1; 16])), standings.take(RecordId([2; 16]))],
            checked,
            seen: AtomicI64::new(0),
        });
        let ask = |after: Duration| {
            tokens.remember([7; 32], &verified);
            tokens.get(&[7; 32], checked.plus(after)).is_some()
        };
        assert!(ask(Duration::ZERO) && ask(BELIEVED - Duration::from_micros(1)));
        assert!(!ask(BELIEVED));
        standings.lower(RecordId([2; 16]));
        assert!(!ask(Duration::ZERO));
    }
}
