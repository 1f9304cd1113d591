//! Who is asking.

use std::sync::Arc;

use iris_kernel::Tenant;
use uuid::Uuid;

use crate::permission::PermissionSet;
use crate::role::RoleSet;
use crate::scope::Scopes;

/// What sort of subject somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    /// A person with an account.
    User,
    /// A machine with a client id and granted scopes.
    Client,
    /// This installation itself: an operator's command on the machine, or a background job.
    System,
}

impl SubjectKind {
    /// The word used in tokens and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            SubjectKind::User => "user",
            SubjectKind::Client => "client",
            SubjectKind::System => "system",
        }
    }
}

/// The one who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The id of the user or client; nil for the system.
    pub id: Uuid,
    /// The name as it was given when the account was made, or the name of the command.
    pub name: Arc<str>,
    /// User, client or system.
    pub kind: SubjectKind,
}

/// Where a request comes from; the edge fills it in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Network address of the peer.
    pub address: Option<Arc<str>>,
    /// What the peer calls itself (`User-Agent`).
    pub agent: Option<Arc<str>>,
    /// The correlation id of the request.
    pub correlation: Arc<str>,
    /// Purpose of use, if the caller states one (HL7 v3 PurposeOfUse code, e.g. `TREAT`).
    pub purpose: Option<Arc<str>>,
}

/// Somebody whose identity has been proven, with what they may do, for the length of one request.
///
/// Made from a verified token (`iris_identity::Identity::authenticate`) or for the system itself ([`Caller::system`]).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Caller {
    /// Who acts.
    pub subject: Subject,
    /// The tenant whose data they work with; everything they reach is inside it.
    pub tenant: Tenant,
    /// Their roles; none for clients and the system.
    pub roles: RoleSet,
    /// What their roles allow together; everything for the system, nothing for clients, whose scopes say it.
    pub permissions: PermissionSet,
    /// The scopes of the token: all that a client has; for a user they narrow and never widen.
    pub scopes: Option<Arc<Scopes>>,
    /// The id of the caller's own Patient resource, for the patient role.
    pub patient: Option<Arc<str>>,
    /// The session (refresh family) of the token; none for clients and the system.
    pub session: Option<Uuid>,
    /// The token's own id (`jti`); nil for the system.
    pub token: Uuid,
    /// Network address of the peer.
    pub address: Option<Arc<str>>,
    /// What the peer calls itself.
    pub agent: Option<Arc<str>>,
    /// Correlation id of the request.
    pub correlation: Arc<str>,
    /// Stated purpose of use.
    pub purpose: Option<Arc<str>>,
}

/// What a verified token proves.
#[derive(Clone, Debug)]
pub struct Proven {
    /// Who acts.
    pub subject: Subject,
    /// The tenant whose data they work with.
    pub tenant: Tenant,
    /// Their roles; none for clients.
    pub roles: RoleSet,
    /// The scopes of the token; all that a client has.
    pub scopes: Option<Arc<Scopes>>,
    /// The id of the own Patient resource, for the patient role.
    pub patient: Option<Arc<str>>,
    /// The session of the token; none for clients.
    pub session: Option<Uuid>,
    /// The token's own id (`jti`).
    pub token: Uuid,
}

impl Caller {
    /// The caller of a request with a verified token. Only `iris-identity`, which verifies tokens, may call this
    /// (`only_identity_proves_callers`).
    #[must_use]
    pub fn proven(proven: &Proven, origin: Origin) -> Self {
        Self {
            subject: proven.subject.clone(),
            tenant: proven.tenant,
            roles: proven.roles,
            permissions: proven.roles.permissions(),
            scopes: proven.scopes.clone(),
            patient: proven.patient.clone(),
            session: proven.session,
            token: proven.token,
            address: origin.address,
            agent: origin.agent,
            correlation: origin.correlation,
            purpose: origin.purpose,
        }
    }

    /// The installation itself acting on a tenant: `what` names the command or job, as the audit log will show it.
    #[must_use]
    pub fn system(tenant: Tenant, what: &str, correlation: &str) -> Self {
        Self {
            subject: Subject { id: Uuid::nil(), name: what.into(), kind: SubjectKind::System },
            tenant,
            roles: RoleSet::default(),
            permissions: PermissionSet::EVERY,
            scopes: None,
            patient: None,
            session: None,
            token: Uuid::nil(),
            address: None,
            agent: None,
            correlation: correlation.into(),
            purpose: None,
        }
    }

    /// Where the request comes from, for the audit log.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            address: self.address.clone(),
            agent: self.agent.clone(),
            correlation: Arc::clone(&self.correlation),
            purpose: self.purpose.clone(),
        }
    }

    /// A caller without a token, for tests of other crates: a user with these roles.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn pretend(tenant: Tenant, name: &str, roles: RoleSet, patient: Option<&str>) -> Self {
        Self {
            subject: Subject { id: Uuid::from_u128(0x5eed), name: name.into(), kind: SubjectKind::User },
            roles,
            permissions: roles.permissions(),
            patient: patient.map(Into::into),
            ..Self::system(tenant, name, "test")
        }
    }

    /// A client without a token, for tests of other crates.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn pretend_client(tenant: Tenant, name: &str, scopes: Scopes) -> Self {
        Self {
            subject: Subject { id: Uuid::from_u128(0xc11e), name: name.into(), kind: SubjectKind::Client },
            permissions: PermissionSet::NONE,
            scopes: Some(Arc::new(scopes)),
            ..Self::system(tenant, name, "test")
        }
    }
}
