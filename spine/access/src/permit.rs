//! The one decision, and the proof of it that everything below asks for.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use iris_kernel::{ErrorKind, Kind, Tenant};

use crate::action::{Action, ActionKind};
use crate::caller::{Caller, SubjectKind};
use crate::family::{Family, family_of};
use crate::permission::Permission;
use crate::scope::Scopes;

/// What is not a record of a [`Kind`], yet needs a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Named {
    /// The audit log: entries, proofs, checkpoints.
    AuditLog,
    /// Who has seen one patient's record.
    Disclosures,
    /// Users, clients, tenants, sessions of others.
    Accounts,
    /// Keys, jobs, configuration, index, import.
    Operation,
    /// The immunization registry, and the vaccine tables that its messages are written in.
    Registry,
}

impl Named {
    const fn family(self) -> Family {
        match self {
            Named::AuditLog => Family::AuditLog,
            Named::Disclosures => Family::Disclosures,
            Named::Accounts => Family::Accounts,
            Named::Operation => Family::Operation,
            Named::Registry => Family::Registry,
        }
    }
}

/// What the action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Records of one kind.
    Kind(Kind),
    /// Something that has a name instead.
    Named(Named),
}

impl Target {
    /// The family whose rules hold.
    #[must_use]
    pub fn family(self) -> Family {
        match self {
            Target::Kind(kind) => family_of(kind),
            Target::Named(named) => named.family(),
        }
    }
}

/// All that is known about what somebody wants to touch.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The kind of record, or the named thing.
    pub target: Target,
    /// The logical ids of the patients in whose compartment the record is; `None` while no record is at hand (before a fetch,
    /// and for a search). The decision then carries a restriction that the record must meet.
    pub patients: Option<&'a [String]>,
}

impl<'a> Facts<'a> {
    /// Records of this kind, none at hand yet.
    #[must_use]
    pub const fn kind(kind: Kind) -> Self {
        Self { target: Target::Kind(kind), patients: None }
    }

    /// One record of this kind, in the compartments of these patients (`iris_fhir::search::patients_of`).
    #[must_use]
    pub const fn record(kind: Kind, patients: &'a [String]) -> Self {
        Self { target: Target::Kind(kind), patients: Some(patients) }
    }

    /// Something with a name.
    #[must_use]
    pub const fn named(named: Named) -> Self {
        Self { target: Target::Named(named), patients: None }
    }
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The permission is not among the caller's.
    Permission {
        /// What is missing.
        missing: Permission,
        /// On what.
        family: Family,
    },
    /// The permission is there, but none of the caller's roles may use it on this family.
    Reach {
        /// The permission that would have to count there.
        permission: Permission,
        /// On what.
        family: Family,
    },
    /// The token's scopes do not cover it; the scope that would.
    Scope(String),
    /// Nobody may do this to that.
    Never {
        /// The action.
        action: ActionKind,
        /// On what.
        family: Family,
    },
    /// The account has a role that sees only its own record, and no record is linked to it.
    NoOwnRecord,
    /// The record is not one that this caller may know of: answered like an absent one.
    Hidden,
}

impl Denial {
    /// How it is answered.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Denial::Hidden => ErrorKind::NotFound,
            Denial::Permission { .. }
            | Denial::Reach { .. }
            | Denial::Scope(_)
            | Denial::Never { .. }
            | Denial::NoOwnRecord => ErrorKind::Forbidden,
        }
    }

    /// The name of the missing permission or scope, where there is one to name.
    #[must_use]
    pub fn missing(&self) -> Option<&str> {
        match self {
            Denial::Permission { missing, .. } => Some(missing.name()),
            Denial::Reach { permission, .. } => Some(permission.name()),
            Denial::Scope(scope) => Some(scope),
            Denial::Never { .. } | Denial::NoOwnRecord | Denial::Hidden => None,
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denial::Permission { missing, family } => write!(f, "permission {missing} on {family} is missing"),
            Denial::Reach { permission, family } => {
                write!(f, "none of your roles carries the permission {permission} to {family}")
            }
            Denial::Scope(scope) => write!(f, "scope {scope} is missing"),
            Denial::Never { action, family } => write!(f, "{action} is not possible on {family}"),
            Denial::NoOwnRecord => f.write_str("no patient record is linked to this account"),
            Denial::Hidden => f.write_str("there is no such record"),
        }
    }
}

impl std::error::Error for Denial {}

/// Proof that somebody may do `A` to records of one kind, in one tenant. Only [`decide`] makes one, so whoever asks for a
/// `Permit<Read>` cannot be called without the decision having been taken.
#[derive(Clone, Debug)]
pub struct Permit<A: Action> {
    caller: Arc<Caller>,
    target: Target,
    restriction: Option<Arc<str>>,
    action: PhantomData<A>,
}

impl<A: Action> Permit<A> {
    /// Who may.
    #[must_use]
    pub fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// In which tenant. Every access to the store and the index takes its tenant from here.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        self.caller.tenant
    }

    /// To what.
    #[must_use]
    pub const fn target(&self) -> Target {
        self.target
    }

    /// The kind of record; `None` for named things.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        match self.target {
            Target::Kind(kind) => Some(kind),
            Target::Named(_) => None,
        }
    }

    /// What is allowed.
    #[must_use]
    pub const fn action(&self) -> ActionKind {
        A::KIND
    }

    /// If set, only records in the compartment of this patient: a term that every search must carry, and a check
    /// ([`Permit::admits`]) that every fetched or sent version must pass.
    #[must_use]
    pub fn restriction(&self) -> Option<&str> {
        self.restriction.as_deref()
    }

    /// Whether a record in the compartments of these patients is covered. What is not covered is answered as absent.
    #[must_use]
    pub fn admits(&self, patients: &[String]) -> bool {
        self.restriction().is_none_or(|own| patients.iter().any(|patient| patient == own))
    }
}

/// The one decision: whether this caller may do `action` to what `facts` describe. Pure: no clock, no store, no configuration.
///
/// # Errors
/// Why not, with the missing permission or scope by name.
pub fn decide<A: Action>(caller: &Arc<Caller>, _action: A, facts: &Facts<'_>) -> Result<Permit<A>, Denial> {
    let restriction = judge(caller, A::KIND, facts)?;
    Ok(Permit { caller: Arc::clone(caller), target: facts.target, restriction, action: PhantomData })
}

/// The decision without the proof: the restriction under which it is a yes. Tables and tests use it with an action as a value.
///
/// # Errors
/// Why not.
pub fn judge(caller: &Caller, action: ActionKind, facts: &Facts<'_>) -> Result<Option<Arc<str>>, Denial> {
    let family = facts.target.family();
    let needed = family.permission(action).ok_or(Denial::Never { action, family })?;
    let restriction = match caller.subject.kind {
        SubjectKind::System | SubjectKind::Client => None,
        SubjectKind::User => by_roles(caller, needed, family)?,
    };
    by_scopes(caller, action, facts.target)?;
    match (&restriction, facts.patients) {
        (Some(own), Some(patients)) if !patients.iter().any(|patient| **patient == **own) => Err(Denial::Hidden),
        _ => Ok(restriction),
    }
}

/// A user may, if one role gives the permission and reaches the family. The own-record restriction holds only while every role
/// that says yes carries it: a nurse who is also a patient works as a nurse.
fn by_roles(caller: &Caller, needed: Permission, family: Family) -> Result<Option<Arc<str>>, Denial> {
    let mut own_only = false;
    let mut held = false;
    for role in caller.roles.iter().filter(|role| role.permissions_on(family).has(needed)) {
        held = true;
        if !role.reach().has(family) {
            continue;
        }
        if !role.own_record_only() {
            return Ok(None);
        }
        own_only = true;
    }
    match (own_only, held, &caller.patient) {
        (true, _, Some(own)) => Ok(Some(Arc::clone(own))),
        (true, _, None) => Err(Denial::NoOwnRecord),
        (false, true, _) => Err(Denial::Reach { permission: needed, family }),
        (false, false, _) => Err(Denial::Permission { missing: needed, family }),
    }
}

/// Scopes narrow, never widen. A client has nothing else, so without scopes it may nothing; named things have no scope yet, so
/// no client reaches them.
fn by_scopes(caller: &Caller, action: ActionKind, target: Target) -> Result<(), Denial> {
    match (&caller.scopes, caller.subject.kind) {
        (None, SubjectKind::User | SubjectKind::System) => Ok(()),
        (None, SubjectKind::Client) => Err(Denial::Scope(Scopes::needed(action, target))),
        (Some(scopes), _) if scopes.admit(action, target) => Ok(()),
        (Some(_), _) => Err(Denial::Scope(Scopes::needed(action, target))),
    }
}

#[cfg(test)]
#[path = "permit_tests.rs"]
mod tests;
