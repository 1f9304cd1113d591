//! Who acts, as the audit log names them.

use iris_access::Caller;
use iris_audit::{Action, Actor, Event, Outcome};
use iris_kernel::{Tenant, Timestamp};

/// The part of a caller that stands in audit entries and in written versions.
#[derive(Clone, Debug)]
pub struct Who {
    /// Whose data are touched.
    pub tenant: Tenant,
    /// Who touches them.
    pub actor: Actor,
    purpose: String,
    address: String,
    agent: String,
    correlation: String,
}

impl Who {
    /// The caller of a request, or the installation itself.
    #[must_use]
    pub fn caller(caller: &Caller) -> Self {
        Self {
            tenant: caller.tenant,
            actor: Actor::new(*caller.subject.id.as_bytes(), &*caller.subject.name),
            purpose: text(caller.purpose.as_ref()),
            address: text(caller.address.as_ref()),
            agent: text(caller.agent.as_ref()),
            correlation: caller.correlation.to_string(),
        }
    }

    /// An event by this actor.
    #[must_use]
    pub fn event(&self, action: Action, outcome: Outcome, at: Timestamp) -> Event {
        let mut event = Event::new(self.tenant, self.actor.clone(), action, outcome, at);
        event.purpose.clone_from(&self.purpose);
        event.address.clone_from(&self.address);
        event.agent.clone_from(&self.agent);
        event.correlation.clone_from(&self.correlation);
        event
    }
}

fn text(value: Option<&std::sync::Arc<str>>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}
