//! What operations on internal records share: audit events of a request, and commits that are tried again.

use std::sync::Arc;

use iris_audit::{Action as AuditAction, Actor, Event, Outcome};
use iris_kernel::{Tenant, Timestamp};
use iris_store::{CommitError, Tx};

use crate::caller::{Caller, Origin};
use crate::error::AccessError;
use crate::permit::{Denial, Named, Permit, Target};

/// How often a write is tried again after somebody else changed the same record in between.
pub const TRIES_MAX: usize = 16;

/// An event of a request.
#[must_use]
pub fn event(tenant: Tenant, actor: Actor, what: Happened<'_>, origin: &Origin, at: Timestamp) -> Event {
    let text = |part: &Option<Arc<str>>| part.as_deref().unwrap_or_default().to_owned();
    let mut event = Event::new(tenant, actor, what.action, what.outcome, at);
    event.address = text(&origin.address);
    event.agent = text(&origin.agent);
    event.purpose = text(&origin.purpose);
    event.correlation = origin.correlation.to_string();
    event.resources = what.resource.into_iter().collect();
    event.query = what.detail.to_owned();
    event
}

/// An event that a caller causes.
#[must_use]
pub fn event_by(caller: &Caller, what: Happened<'_>, at: Timestamp) -> Event {
    let actor = Actor::new(caller.subject.id.into_bytes(), &*caller.subject.name);
    event(caller.tenant, actor, what, &caller.origin(), at)
}

/// What is to be recorded.
pub struct Happened<'a> {
    /// What was done.
    pub action: AuditAction,
    /// How it ended.
    pub outcome: Outcome,
    /// `User/<id>`, `Client/<id>`, `Session/<id>`, …
    pub resource: Option<String>,
    /// Why, or what else a reader must know. Never a password, token or secret.
    pub detail: &'a str,
}

impl<'a> Happened<'a> {
    /// Without a detail.
    #[must_use]
    pub fn new(action: AuditAction, outcome: Outcome, resource: Option<String>) -> Self {
        Self { action, outcome, resource, detail: "" }
    }

    /// With a detail.
    #[must_use]
    pub fn because(self, detail: &'a str) -> Self {
        Self { detail, ..self }
    }
}

/// How a commit ended that is tried again after a conflict.
pub enum Try {
    /// Stored.
    Done,
    /// Somebody else was faster; read again.
    Again,
}

/// Commits, and tells a conflict from a failure.
///
/// # Errors
/// As the commit, but for a conflict.
pub async fn commit(tx: Tx) -> Result<Try, AccessError> {
    match tx.commit().await {
        Ok(_) => Ok(Try::Done),
        Err(CommitError::Conflict { .. }) => Ok(Try::Again),
        Err(other) => Err(other.into()),
    }
}

/// Whether the permit is one on accounts; one on patients opens no accounts.
///
/// # Errors
/// [`AccessError::Denied`].
pub fn on_accounts<A: crate::Action>(permit: &Permit<A>) -> Result<&Arc<Caller>, AccessError> {
    if permit.target() == Target::Named(Named::Accounts) {
        return Ok(permit.caller());
    }
    let (action, family) = (permit.action(), Target::Named(Named::Accounts).family());
    Err(AccessError::Denied(Denial::Never { action, family }))
}
