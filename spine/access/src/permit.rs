//! The one decision, and the proof of it that everything below asks for.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use iris_kernel::{ErrorKind, Kind, Tenant};

use crate::action::{Action, ActionKind};
use crate::caller::{Caller, Limit, SubjectKind};
use crate::family::{Family, family_of};
use crate::labels::{self, Labels};
use crate::permission::Permission;
use crate::purpose;
use crate::restriction::{RecordFacts, Restriction};
use crate::scope::Scopes;

/// What is not a record of a [`Kind`], yet needs a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Named {
    /// The audit log: entries, proofs, checkpoints.
    AuditLog,
    /// Who has seen one patient's record.
    Disclosures,
    /// Emergencies in which somebody saw a record that was closed to them.
    BreakGlass,
    /// Reviews of who may do what.
    Reviews,
    /// Users, clients, sessions of others.
    Accounts,
    /// Tenants, which the operator alone makes and switches.
    Tenants,
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
            Named::BreakGlass => Family::BreakGlass,
            Named::Reviews => Family::Reviews,
            Named::Accounts => Family::Accounts,
            Named::Tenants => Family::Tenants,
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
    /// The record; `None` while none is at hand (before a fetch, and for a search). The decision then carries a restriction that the
    /// record must meet.
    pub record: Option<RecordFacts<'a>>,
}

impl<'a> Facts<'a> {
    /// This, with no record at hand yet.
    #[must_use]
    pub const fn of(target: Target) -> Self {
        Self { target, record: None }
    }

    /// Records of this kind, none at hand yet.
    #[must_use]
    pub const fn kind(kind: Kind) -> Self {
        Self::of(Target::Kind(kind))
    }

    /// One record of this kind.
    #[must_use]
    pub const fn record(kind: Kind, record: RecordFacts<'a>) -> Self {
        Self { target: Target::Kind(kind), record: Some(record) }
    }

    /// What concerns these patients, a record or not.
    #[must_use]
    pub const fn about(target: Target, patients: &'a [String]) -> Self {
        Self { target, record: Some(RecordFacts::of(patients)) }
    }

    /// Something with a name.
    #[must_use]
    pub const fn named(named: Named) -> Self {
        Self::of(Target::Named(named))
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
    /// What is to be written carries a security label that the caller may not see; the permission that opens it.
    Label(Permission),
    /// The stated purpose of use is none that this caller may state.
    Purpose(Arc<str>),
    /// What is to be written would be closed to its writer: outside their own record, of a patient whom they do not treat, or of one
    /// who has denied it.
    Closed,
    /// A consent that denies something to the caller would not do so any more.
    OwnDenial,
    /// Something must be done first in this session.
    Limited(Limit),
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
            | Denial::NoOwnRecord
            | Denial::Label(_)
            | Denial::Purpose(_)
            | Denial::Closed
            | Denial::OwnDenial
            | Denial::Limited(_) => ErrorKind::Forbidden,
        }
    }

    /// The name of the missing permission or scope, where there is one to name.
    #[must_use]
    pub fn missing(&self) -> Option<&str> {
        match self {
            Denial::Permission { missing, .. } => Some(missing.name()),
            Denial::Reach { permission, .. } | Denial::Label(permission) => Some(permission.name()),
            Denial::Scope(scope) => Some(scope),
            Denial::OwnDenial => Some(Permission::HealthcareConsents.name()),
            Denial::Never { .. }
            | Denial::NoOwnRecord
            | Denial::Hidden
            | Denial::Purpose(_)
            | Denial::Closed
            | Denial::Limited(_) => None,
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
            Denial::Label(permission) => {
                write!(f, "the record carries a security label for which permission {permission} is missing")
            }
            Denial::Purpose(purpose) => write!(f, "you may not state the purpose of use {purpose:?}"),
            Denial::Closed => f.write_str("nothing of this sort may be added to this patient's record by you"),
            Denial::OwnDenial => f.write_str(
                "this consent denies something to you; only who has permission healthcare:consents takes that back",
            ),
            Denial::Limited(Limit::MfaSetup) => f.write_str("a second factor must be set up first"),
            Denial::Limited(Limit::PasswordChange) => f.write_str("the password must be changed first"),
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
    restriction: Restriction,
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

    /// What is left out: terms that every search must carry, and a check ([`Permit::admits`]) that every fetched or sent version
    /// must pass.
    #[must_use]
    pub const fn restriction(&self) -> &Restriction {
        &self.restriction
    }

    /// The own patient record, where nothing beyond it is covered.
    #[must_use]
    pub fn own(&self) -> Option<&str> {
        self.restriction.only()
    }

    /// Whether a record is covered. What is not covered is answered as absent.
    #[must_use]
    pub fn admits(&self, record: &RecordFacts<'_>) -> bool {
        self.restriction.admits(record)
    }

    /// Whether a record may be written with these labels: nobody puts away what they could not take out again. Whose record it may be,
    /// [`Permit::may_hold`] says, once it is known what it refers to.
    ///
    /// # Errors
    /// [`Denial::Label`].
    pub fn may_write(&self, record: &RecordFacts<'_>) -> Result<(), Denial> {
        if self.restriction.admits_labels(record) {
            return Ok(());
        }
        Err(Denial::Label(labels::opened_by(self.restriction.hidden().common(record.labels))))
    }

    /// Whether a record may become what it is to be: nobody adds to what is closed to them. That its patients are there for the
    /// caller ([`sight`]) is looked at before, so this tells nothing of them.
    ///
    /// # Errors
    /// [`Denial::Closed`].
    pub fn may_hold(&self, record: &RecordFacts<'_>) -> Result<(), Denial> {
        if self.admits(record) { Ok(()) } else { Err(Denial::Closed) }
    }

    /// Whether somebody new, of whom there is no record yet, may get one. Care relations and consents come after it.
    ///
    /// # Errors
    /// [`Denial::Closed`], for who reaches nothing beyond their own record.
    pub fn may_begin(&self) -> Result<(), Denial> {
        if self.own().is_none() { Ok(()) } else { Err(Denial::Closed) }
    }

    /// Whether only patients whom the caller treats are covered: a patient whom the caller registers then needs a care relation.
    #[must_use]
    pub const fn asks_care_relation(&self) -> bool {
        self.restriction.team.is_some()
    }
}

/// What is left out of the records of a type for a caller who may read them, or who may not, but learns on other ways whether one
/// is there: by referring to it.
#[must_use]
pub fn sight(caller: &Caller, kind: Kind) -> Restriction {
    let facts = Facts::kind(kind);
    judge(caller, ActionKind::Read, &facts).unwrap_or_else(|_| match caller.subject.kind {
        SubjectKind::System => Restriction::default(),
        SubjectKind::Client => by_view(caller, ActionKind::Read, facts.target),
        SubjectKind::User => {
            let hidden = Labels::ALL.without(cleared(caller, facts.target.family()));
            Restriction { hidden, ..by_view(caller, ActionKind::Read, facts.target) }
        }
    })
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
pub fn judge(caller: &Caller, action: ActionKind, facts: &Facts<'_>) -> Result<Restriction, Denial> {
    let family = facts.target.family();
    let needed = family.permission(action).ok_or(Denial::Never { action, family })?;
    if let Some(limit) = caller.limited {
        return Err(Denial::Limited(limit));
    }
    let restriction = match caller.subject.kind {
        SubjectKind::System => Restriction::default(),
        SubjectKind::Client => Restriction { hidden: Labels::NONE, ..by_view(caller, action, facts.target) },
        SubjectKind::User => by_rules(caller, action, needed, facts.target)?,
    };
    by_scopes(caller, action, facts.target)?;
    purpose::may_state(caller)?;
    match facts.record {
        Some(record) if !restriction.admits(&record) => Err(Denial::Hidden),
        _ => Ok(restriction),
    }
}

/// A user may, if one rule gives the permission and reaches the family. The own record is all that they see only while every rule
/// that says yes is about it: a nurse who is also a patient works as a nurse, and sees their own record as a patient does.
fn by_rules(caller: &Caller, action: ActionKind, needed: Permission, target: Target) -> Result<Restriction, Denial> {
    let family = target.family();
    let (mut of_all, mut of_own, mut of_care_only) = (false, false, true);
    for rule in caller.rules.iter().filter(|rule| rule.gives(needed, family)) {
        of_own |= rule.own_record_only;
        of_all |= !rule.own_record_only;
        of_care_only &= rule.own_record_only || rule.is_of_care();
    }
    let own = caller.patient.clone().filter(|_| of_own);
    match (of_all, own) {
        (true, own) => {
            let hidden = Labels::ALL.without(cleared(caller, family));
            let by_view = by_view(caller, action, target);
            // Whoever also registers people finds them by that rule, whom they treat by the other.
            let team = by_view.team.clone().filter(|_| of_care_only);
            Ok(Restriction { own, team, hidden, ..by_view })
        }
        (false, Some(own)) => Ok(own_record(caller, action, target, own)),
        (false, None) if of_own => Err(Denial::NoOwnRecord),
        (false, None) if caller.permissions.has(needed) => Err(Denial::Reach { permission: needed, family }),
        (false, None) => Err(Denial::Permission { missing: needed, family }),
    }
}

/// The labels that the rules which are not about the own record open on a family, and those that the view opens beyond.
fn cleared(caller: &Caller, family: Family) -> Labels {
    let rules = caller.rules.iter().filter(|rule| !rule.own_record_only && rule.reach.has(family));
    rules.fold(caller.view.clearance(), |all, rule| all.union(labels::cleared(rule.permissions)))
}

/// What consents and care relations say. They are about records of FHIR types; what has a name is not a patient's record.
fn by_view(caller: &Caller, action: ActionKind, target: Target) -> Restriction {
    let Target::Kind(kind) = target else { return Restriction::default() };
    if !kind.is_fhir() {
        return Restriction::default();
    }
    let view = &caller.view;
    let consent = view.consent(kind, action, purpose::stated(caller));
    Restriction { team: view.team().cloned(), consent, lifted: view.glass().clone(), ..Restriction::default() }
}

/// One's own record is open to oneself, whoever treats one and whatever one has agreed to; what others have denied about records
/// that are theirs as well stays closed.
fn own_record(caller: &Caller, action: ActionKind, target: Target, own: Arc<str>) -> Restriction {
    let Restriction { consent, .. } = by_view(caller, action, target);
    let (only, own) = (Some(Arc::clone(&own)), Some(own));
    let hidden = Labels::ALL.without(labels::OWN);
    Restriction { only, own, consent: consent.without_within(), hidden, ..Restriction::default() }
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

#[cfg(test)]
#[path = "worlds_tests.rs"]
mod worlds;
