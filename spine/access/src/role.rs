//! Roles, and what each may touch at all.

use std::fmt;
use std::str::FromStr;

use crate::family::{Family, FamilySet};
use crate::permission::{Permission, PermissionSet};

/// A job that somebody does in the clinic. What it allows is [`Role::permissions`] on the families of [`Role::reach`]; both
/// together are the golden file `tests/golden/access.txt`, which a compliance officer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Role {
    /// Runs the installation: everything.
    Admin,
    /// Treats: reads and writes the whole record, runs workflows, shares documents.
    Physician,
    /// Treats under direction: as a physician, without sharing documents and without writing images.
    Nurse,
    /// Registers people, their insurance, appointments and immunizations; sees no other clinical data.
    Registrar,
    /// Reads and verifies the audit log; sees no clinical data.
    Auditor,
    /// Reads the own record and nothing else.
    Patient,
}

impl Role {
    /// Every role, in the order of the golden table.
    pub const ALL: [Role; 6] =
        [Role::Admin, Role::Physician, Role::Nurse, Role::Registrar, Role::Auditor, Role::Patient];

    /// The word used in the API, in tokens and in stored users.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Physician => "physician",
            Role::Nurse => "nurse",
            Role::Registrar => "registrar",
            Role::Auditor => "auditor",
            Role::Patient => "patient",
        }
    }

    /// The permissions that come with the role.
    #[must_use]
    pub const fn permissions(self) -> PermissionSet {
        use Permission as P;
        match self {
            Role::Admin => PermissionSet::EVERY,
            Role::Physician => PermissionSet::of(&[
                P::HealthcareRead,
                P::HealthcareWrite,
                P::ClinicalRead,
                P::ClinicalWrite,
                P::ClinicalExecute,
                P::DocumentRead,
                P::DocumentWrite,
                P::DocumentShare,
                P::DicomRead,
                P::DicomWrite,
                P::IrisRead,
                P::IrisWrite,
                P::AiUse,
            ]),
            Role::Nurse => PermissionSet::of(&[
                P::HealthcareRead,
                P::HealthcareWrite,
                P::ClinicalRead,
                P::ClinicalWrite,
                P::ClinicalExecute,
                P::DocumentRead,
                P::DocumentWrite,
                P::DicomRead,
                P::IrisRead,
                P::IrisWrite,
            ]),
            Role::Registrar => PermissionSet::of(&[
                P::HealthcareRead,
                P::HealthcareWrite,
                P::ClinicalRead,
                P::ClinicalWrite,
                P::IrisRead,
                P::IrisWrite,
            ]),
            Role::Auditor => PermissionSet::of(&[P::AuditRead, P::AuditAdmin]),
            Role::Patient => PermissionSet::of(&[P::HealthcareRead, P::ClinicalRead, P::DocumentRead, P::DicomRead]),
        }
    }

    /// The permissions that count for the role on one family: those of the role, and what it has there alone. A patient may know
    /// who has seen their record (45 CFR 164.528), which makes nobody a reader of the log.
    #[must_use]
    pub const fn permissions_on(self, family: Family) -> PermissionSet {
        match (self, family) {
            (Role::Patient, Family::Disclosures) => {
                self.permissions().union(PermissionSet::of(&[Permission::AuditRead]))
            }
            _ => self.permissions(),
        }
    }

    /// The families on which the role's permissions count. A permission such as `healthcare:read` is wider than some jobs
    /// need; this is what keeps a registrar out of laboratory results (minimum necessary, HIPAA 45 CFR 164.502(b)).
    #[must_use]
    pub const fn reach(self) -> FamilySet {
        use Family as F;
        match self {
            Role::Admin => FamilySet::EVERY,
            Role::Physician | Role::Nurse => FamilySet::of(&[
                F::Demographics,
                F::Billing,
                F::Immunization,
                F::Clinical,
                F::Scheduling,
                F::Workflow,
                F::Document,
                F::Imaging,
                F::Directory,
                F::Knowledge,
                F::Registry,
            ]),
            Role::Registrar => FamilySet::of(&[
                F::Demographics,
                F::Billing,
                F::Immunization,
                F::Scheduling,
                F::Directory,
                F::Knowledge,
                F::Registry,
            ]),
            Role::Auditor => FamilySet::of(&[F::AuditEvent, F::AuditLog, F::Disclosures]),
            Role::Patient => FamilySet::of(&[
                F::Demographics,
                F::Billing,
                F::Immunization,
                F::Clinical,
                F::Scheduling,
                F::Workflow,
                F::Document,
                F::Imaging,
                F::Disclosures,
            ]),
        }
    }

    /// Whether what the role sees is limited to the compartment of the caller's own Patient resource.
    #[must_use]
    pub const fn own_record_only(self) -> bool {
        matches!(self, Role::Patient)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The word names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such role; the roles are admin, physician, nurse, registrar, auditor and patient")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Role::ALL.into_iter().find(|role| role.name() == text).ok_or(UnknownRole)
    }
}

/// A set of roles; a copy costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RoleSet(u8);

impl RoleSet {
    /// The set of these roles.
    #[must_use]
    pub fn of(roles: &[Role]) -> Self {
        Self(roles.iter().fold(0, |bits, role| bits | 1 << *role as u8))
    }

    /// Whether the role is in it.
    #[must_use]
    pub const fn has(self, role: Role) -> bool {
        self.0 & (1 << role as u8) != 0
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The roles in it, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }

    /// Their words, as tokens and the API show them.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Role::name).collect()
    }

    /// What the roles allow together.
    #[must_use]
    pub fn permissions(self) -> PermissionSet {
        self.iter().fold(PermissionSet::NONE, |all, role| all.union(role.permissions()))
    }
}
