//! Whose turn it is to sign. Alone in its folder, always this process; over a shared store the one process that holds the lease.
//!
//! The lease only keeps two nodes from doing the same work. That there is one log is held by the store, which refuses a round that
//! does not begin where the log ends: a process that was stopped for longer than its lease may believe that it is its turn.

use std::sync::Arc;
use std::time::Duration;

use iris_store::{Store, StoreError};

/// How long a node has the right to sign without asking again. It asks every half a second; so one that is killed is followed by
/// another within three seconds.
pub const LEASE_SPAN: Duration = Duration::from_millis(2_500);
/// Name of the lease.
const LEASE: &str = "audit";

/// Where the right to sign is had.
pub(crate) trait Lease: Send + Sync {
    /// Takes or renews it for `span`; for none, gives it back. Whether this process has it.
    fn hold(&self, span: Duration) -> Result<bool, StoreError>;
}

impl Lease for Store {
    fn hold(&self, span: Duration) -> Result<bool, StoreError> {
        self.lease(LEASE, span)
    }
}

/// Who signs.
#[derive(Clone)]
pub(crate) enum Turn {
    /// This process, always: nobody else writes into the store.
    Alone,
    /// Whoever has the lease.
    Shared(Arc<dyn Lease>),
}

impl Turn {
    /// As the store says.
    pub(crate) fn of(store: &Store) -> Self {
        if store.is_shared() { Self::Shared(Arc::new(store.clone())) } else { Self::Alone }
    }

    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    /// Whether it is this process's turn, for [`LEASE_SPAN`] from now.
    pub(crate) fn take(&self) -> Result<bool, StoreError> {
        match self {
            Self::Alone => Ok(true),
            Self::Shared(lease) => lease.hold(LEASE_SPAN),
        }
    }

    /// Lets another one begin at once. If the store is away the lease lapses by itself.
    pub(crate) fn give_back(&self) {
        if let Self::Shared(lease) = self
            && let Err(error) = lease.hold(Duration::ZERO)
        {
            tracing::debug!(%error, "the right to sign could not be given back; it lapses");
        }
    }
}
