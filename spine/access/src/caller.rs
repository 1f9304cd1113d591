//! Who is asking.

use std::sync::Arc;

use iris_fhir::json::Value;
use iris_kernel::{Kind, Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::family::Family;
use crate::permission::{Permission, PermissionSet};
use crate::permit::Denial;
use crate::purpose::PURPOSES;
use crate::role::{Role, RoleSet, permissions_of};
use crate::rule::Rule;
use crate::scope::Scopes;
use crate::view::View;

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
    /// What the peer shows of an earlier sign-in on the same device; nothing of it is proven here.
    pub device: Option<Arc<str>>,
}

/// How a person has proven who they are. Stored as [`Factor::name`] says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// A password alone.
    Password,
    /// A password and a second factor.
    Two,
    /// A passkey.
    Passkey,
    /// The portal's one-time code; for the own record only.
    Portal,
}

impl Factor {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Password, Self::Two, Self::Passkey, Self::Portal];

    /// The word in lists of sessions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Factor::Password => "password",
            Factor::Two => "two",
            Factor::Passkey => "passkey",
            Factor::Portal => "portal",
        }
    }
}

/// What a session must be used for before it is good for anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// A role asks for a second factor that the account does not have yet.
    MfaSetup,
    /// The password must be changed.
    PasswordChange,
}

impl Limit {
    /// The word in tokens (`must`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Limit::MfaSetup => "mfa_setup",
            Limit::PasswordChange => "password_change",
        }
    }
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
    /// Why they may what they may: roles, custom roles and direct grants as they hold now; none for clients, whose scopes say it.
    pub rules: Arc<[Rule]>,
    /// What the rules allow together; everything for the system, nothing for clients.
    pub permissions: PermissionSet,
    /// The scopes of the token: all that a client has; for a user they narrow and never widen.
    pub scopes: Option<Arc<Scopes>>,
    /// The id of the caller's own Patient resource, for the patient role.
    pub patient: Option<Arc<str>>,
    /// The id of the Practitioner resource that is this person; care teams and consents name it.
    pub practitioner: Option<Arc<str>>,
    /// The ids of the Organization resources in which they work.
    pub departments: Arc<[String]>,
    /// What holds for them now beside their rules: care relations, consents, broken glasses.
    pub view: Arc<View>,
    /// When they last proved who they are; none for clients and the system.
    pub authenticated_at: Option<Timestamp>,
    /// How they did; none for clients and the system.
    pub factor: Option<Factor>,
    /// What must be done first in this session: until then nothing is decided with a yes.
    pub limited: Option<Limit>,
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
    /// What their roles, custom roles and direct grants come to ([`RoleSet::rules`], [`Rule::granted`]); none for clients.
    pub rules: Arc<[Rule]>,
    /// The scopes of the token; all that a client has.
    pub scopes: Option<Arc<Scopes>>,
    /// The id of the own Patient resource, for the patient role.
    pub patient: Option<Arc<str>>,
    /// The id of the own Practitioner resource.
    pub practitioner: Option<Arc<str>>,
    /// The ids of the Organization resources in which they work.
    pub departments: Arc<[String]>,
    /// When they last proved who they are; none for clients.
    pub authenticated_at: Option<Timestamp>,
    /// How they did; none for clients.
    pub factor: Option<Factor>,
    /// What must be done first in this session.
    pub limited: Option<Limit>,
    /// The session of the token; none for clients.
    pub session: Option<Uuid>,
    /// The token's own id (`jti`).
    pub token: Uuid,
}

impl Caller {
    /// The caller of a request with a verified token, and what holds for them now. Only `iris-identity`, which verifies tokens, may call this
    /// (`only_identity_proves_callers`).
    #[must_use]
    pub fn proven(proven: &Proven, view: Arc<View>, origin: Origin) -> Self {
        Self {
            subject: proven.subject.clone(),
            tenant: proven.tenant,
            roles: proven.roles,
            permissions: permissions_of(&proven.rules),
            rules: Arc::clone(&proven.rules),
            scopes: proven.scopes.clone(),
            patient: proven.patient.clone(),
            practitioner: proven.practitioner.clone(),
            departments: Arc::clone(&proven.departments),
            view,
            authenticated_at: proven.authenticated_at,
            factor: proven.factor,
            limited: proven.limited,
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
            rules: Role::System.rules().into(),
            scopes: None,
            patient: None,
            practitioner: None,
            departments: Arc::default(),
            // It looks at no consent and no care team, at whatever time.
            view: Arc::new(View::neutral(Timestamp(0))),
            authenticated_at: None,
            factor: None,
            limited: None,
            session: None,
            token: Uuid::nil(),
            address: None,
            agent: None,
            correlation: correlation.into(),
            purpose: None,
        }
    }

    /// Whether a permission counts for the caller on one record: `permission` on `family`, in the compartments of `patients`.
    /// For permissions that say more about records which are reached otherwise, such as `healthcare:identifiers`; what machines
    /// reach they have whole.
    #[must_use]
    pub fn holds(&self, permission: Permission, family: Family, patients: &[String]) -> bool {
        let is_own = || self.patient.as_deref().is_some_and(|own| patients.iter().any(|patient| patient == own));
        match self.subject.kind {
            SubjectKind::System | SubjectKind::Client => true,
            SubjectKind::User => {
                self.rules.iter().any(|rule| rule.gives(permission, family) && (!rule.own_record_only || is_own()))
            }
        }
    }

    /// The same caller; for one who keeps consents (`healthcare:consents`), one to whom consents close nothing: for recording and
    /// taking back consents alone, which a patient who has denied everything to everybody could not do otherwise. Care teams,
    /// labels and permissions count as ever.
    #[must_use]
    pub fn keeping_consents(&self) -> Self {
        if !self.view.keeps() {
            return self.clone();
        }
        Self { view: Arc::new(self.view.without_consents()), ..self.clone() }
    }

    /// Whether [`Caller::may_replace`] has anything to look at in records of this type.
    #[must_use]
    pub fn guards(&self, kind: Kind) -> bool {
        self.view.guards(kind)
    }

    /// Whether the caller may put `after` (nothing, for a deletion) in the place of a record, beside what permits say of both: nobody
    /// takes back a denial that holds against themselves, but for those who keep consents.
    ///
    /// # Errors
    /// [`Denial::OwnDenial`].
    pub fn may_replace(&self, kind: Kind, before: Value<'_>, after: Option<Value<'_>>) -> Result<(), Denial> {
        let stated = PURPOSES.iter().filter(|purpose| purpose.may_be_stated_by(self)).map(|purpose| purpose.code);
        if self.view.may_replace(kind, (before, after), stated) { Ok(()) } else { Err(Denial::OwnDenial) }
    }

    /// Where the request comes from, for the audit log.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            address: self.address.clone(),
            agent: self.agent.clone(),
            correlation: Arc::clone(&self.correlation),
            purpose: self.purpose.clone(),
            device: None,
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
            rules: roles.rules(),
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
            rules: Arc::default(),
            scopes: Some(Arc::new(scopes)),
            ..Self::system(tenant, name, "test")
        }
    }
}
