//! What an installation decides about writes; it may decide otherwise while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What an installation decides about writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether single FHIR writes may refer to local resources that are not there. `/api/v1` and transactions never may.
    pub references: ReferencePolicy,
    /// Whether `PUT Type/id` may make a record with an id of the caller's choice.
    pub client_ids: ClientIds,
    /// Whether a conditional delete may take several records away.
    pub multiple_deletes: MultipleDeletes,
}

/// What a reference to an absent local resource means on a single FHIR write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferencePolicy {
    /// It is a fault.
    Checked,
    /// It is recorded as sent.
    Recorded,
}

/// Whether callers choose ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientIds {
    /// `PUT` to an unused id makes the record.
    Allowed,
    /// `PUT` to an unused id is refused.
    Refused,
}

/// What a conditional delete does whose criteria match several records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultipleDeletes {
    /// It is refused.
    Refused,
    /// All of them go, up to [`crate::CONDITIONAL_DELETE_MAX`].
    Allowed,
}

/// The decisions that hold now, shared by everybody who writes. They do not depend on each other, so each is its own switch.
#[derive(Clone, Debug)]
pub(crate) struct CurrentPolicy(Arc<Switches>);

#[derive(Debug)]
struct Switches {
    references_checked: AtomicBool,
    client_ids_allowed: AtomicBool,
    multiple_deletes_allowed: AtomicBool,
}

impl CurrentPolicy {
    pub(crate) fn new(policy: Policy) -> Self {
        let switches = Switches {
            references_checked: AtomicBool::new(false),
            client_ids_allowed: AtomicBool::new(false),
            multiple_deletes_allowed: AtomicBool::new(false),
        };
        let current = Self(Arc::new(switches));
        current.set(policy);
        current
    }

    pub(crate) fn set(&self, policy: Policy) {
        self.0.references_checked.store(policy.references == ReferencePolicy::Checked, Ordering::Relaxed);
        self.0.client_ids_allowed.store(policy.client_ids == ClientIds::Allowed, Ordering::Relaxed);
        let several = policy.multiple_deletes == MultipleDeletes::Allowed;
        self.0.multiple_deletes_allowed.store(several, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Policy {
        let on = |switch: &AtomicBool| switch.load(Ordering::Relaxed);
        Policy {
            references: if on(&self.0.references_checked) {
                ReferencePolicy::Checked
            } else {
                ReferencePolicy::Recorded
            },
            client_ids: if on(&self.0.client_ids_allowed) { ClientIds::Allowed } else { ClientIds::Refused },
            multiple_deletes: if on(&self.0.multiple_deletes_allowed) {
                MultipleDeletes::Allowed
            } else {
                MultipleDeletes::Refused
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clone_sees_what_was_decided_last() {
        let policy = |references, client_ids, multiple_deletes| Policy { references, client_ids, multiple_deletes };
        let first = policy(ReferencePolicy::Checked, ClientIds::Refused, MultipleDeletes::Allowed);
        let current = CurrentPolicy::new(first);
        let clone = current.clone();
        assert_eq!(clone.get(), first);
        let second = policy(ReferencePolicy::Recorded, ClientIds::Allowed, MultipleDeletes::Refused);
        current.set(second);
        assert_eq!(clone.get(), second);
    }
}
