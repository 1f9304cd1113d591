//! Roles, and what each may touch at all.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::family::Family as F;
use crate::permission::{Permission as P, PermissionSet};
use crate::rule::Rule;

/// A job that somebody does in the clinic. What it allows is [`Role::rules`]; the golden file `tests/golden/access.txt`, which a
/// compliance officer reads, shows what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Role {
    /// Runs the installation: everything.
    Admin,
    /// Runs accounts and the installation; sees no health data.
    Administrator,
    /// Leads those who treat: as a physician, and removes and exports their records.
    ClinicalAdmin,
    /// Runs billing; sees who somebody is, and no clinical data.
    FinancialAdmin,
    /// Treats: reads and writes the whole record, runs workflows, shares documents.
    Physician,
    /// Treats: as a physician, without sharing documents.
    NursePractitioner,
    /// Treats under direction: without sharing documents, without writing images, without restricted records.
    Nurse,
    /// Runs imaging; reads the clinical record.
    Radiologist,
    /// Registers people, their insurance, appointments and immunizations; sees no other clinical data.
    Registrar,
    /// Reads and verifies the audit log; sees no clinical data.
    Auditor,
    /// Reads the own record and nothing else.
    Patient,
    /// Has signed in, and may nothing: whoever registers begins here.
    User,
    /// Machines of the installation itself. No person ever has it.
    System,
}

/// What whoever treats reaches.
const CARE: [F; 12] = [
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
    F::BreakGlass,
];
/// What a nurse may.
const NURSE: PermissionSet = PermissionSet::of(&[
    P::HealthcareRead,
    P::HealthcareWrite,
    P::HealthcareBreakGlass,
    P::ClinicalRead,
    P::ClinicalWrite,
    P::ClinicalExecute,
    P::DocumentRead,
    P::DocumentWrite,
    P::DicomRead,
    P::IrisRead,
    P::IrisWrite,
]);
/// What a nurse practitioner may.
const PRACTITIONER: PermissionSet = NURSE.union(PermissionSet::of(&[P::HealthcareRestricted, P::DicomWrite, P::AiUse]));
/// What a physician may.
const PHYSICIAN: PermissionSet = PRACTITIONER.union(PermissionSet::of(&[P::DocumentShare]));
/// What somebody may who leads them.
const CLINICAL_ADMIN: PermissionSet = PHYSICIAN.union(PermissionSet::of(&[
    P::HealthcareAdmin,
    P::HealthcareConsents,
    P::ClinicalAdmin,
    P::DocumentAdmin,
]));

/// Permissions of several families at once, see [`Rule::new`].
const fn on(permissions: PermissionSet, reach: &[F]) -> Rule {
    Rule { permissions, ..Rule::new(&[], reach) }
}

const ADMIN_RULES: [Rule; 1] = [Rule::EVERYTHING];
const ADMINISTRATOR_RULES: [Rule; 3] = [
    Rule::new(&[P::SystemAdmin], &[F::Accounts, F::Operation]),
    Rule::new(&[P::AuditRead], &[F::AuditLog]),
    Rule::new(&[P::AccessReview], &[F::Reviews, F::BreakGlass]),
];
const CLINICAL_ADMIN_RULES: [Rule; 2] =
    [on(CLINICAL_ADMIN, &CARE), Rule::new(&[P::AccessReview], &[F::Reviews, F::BreakGlass])];
const FINANCIAL_ADMIN_RULES: [Rule; 2] = [
    Rule::new(&[P::HealthcareRead, P::HealthcareWrite, P::HealthcareAdmin, P::HealthcareIdentifiers], &[F::Billing]),
    Rule::new(&[P::HealthcareRead, P::HealthcareIdentifiers], &[F::Demographics, F::Directory, F::Knowledge]),
];
const PHYSICIAN_RULES: [Rule; 1] = [on(PHYSICIAN, &CARE)];
const NURSE_PRACTITIONER_RULES: [Rule; 1] = [on(PRACTITIONER, &CARE)];
const NURSE_RULES: [Rule; 1] = [on(NURSE, &CARE)];
const RADIOLOGIST_RULES: [Rule; 2] = [
    Rule::new(&[P::DicomRead, P::DicomWrite, P::DicomAdmin], &[F::Imaging]),
    Rule::new(
        &[P::HealthcareRead, P::DocumentRead],
        &[F::Demographics, F::Clinical, F::Document, F::Directory, F::Knowledge],
    ),
];
const REGISTRAR_RULES: [Rule; 1] = [Rule::new(
    &[
        P::HealthcareRead,
        P::HealthcareWrite,
        P::HealthcareIdentifiers,
        // The desk is where a patient who denied everything to everybody comes to take that back.
        P::HealthcareConsents,
        P::ClinicalRead,
        P::ClinicalWrite,
        P::IrisRead,
        P::IrisWrite,
    ],
    // `healthcare:read` is wider than the job needs: this keeps a registrar out of laboratory results (minimum necessary, HIPAA
    // 45 CFR 164.502(b)).
    &[F::Demographics, F::Billing, F::Immunization, F::Scheduling, F::Directory, F::Knowledge, F::Registry],
)];
const AUDITOR_RULES: [Rule; 2] = [
    Rule::new(&[P::AuditRead, P::AuditAdmin], &[F::AuditEvent, F::AuditLog, F::Disclosures]),
    Rule::new(&[P::AccessReview], &[F::Reviews, F::BreakGlass]),
];
const PATIENT_RULES: [Rule; 2] = [
    Rule::new(
        &[P::HealthcareRead, P::HealthcareIdentifiers, P::ClinicalRead, P::DocumentRead, P::DicomRead],
        &[
            F::Demographics,
            F::Billing,
            F::Immunization,
            F::Clinical,
            F::Scheduling,
            F::Workflow,
            F::Document,
            F::Imaging,
        ],
    )
    .own(),
    DISCLOSURES,
];
/// Patients may know who has seen their record (45 CFR 164.528), which makes nobody a reader of the log: the permission counts
/// here and is not among those that a token tells of ([`Role::permissions`]).
const DISCLOSURES: Rule = Rule::new(&[P::AuditRead], &[F::Disclosures]).own();

impl Role {
    /// Every role that a person can have, in the order of the golden table.
    pub const ALL: [Role; 12] = [
        Role::Admin,
        Role::Administrator,
        Role::ClinicalAdmin,
        Role::FinancialAdmin,
        Role::Physician,
        Role::NursePractitioner,
        Role::Nurse,
        Role::Radiologist,
        Role::Registrar,
        Role::Auditor,
        Role::Patient,
        Role::User,
    ];

    /// Who may all that another may, from above to below, but for the own record, which is only the patient's.
    pub const HIERARCHY: [Role; 6] =
        [Role::Admin, Role::ClinicalAdmin, Role::Physician, Role::NursePractitioner, Role::Nurse, Role::Patient];

    /// The word used in the API, in tokens and in stored users.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Administrator => "administrator",
            Role::ClinicalAdmin => "clinical_admin",
            Role::FinancialAdmin => "financial_admin",
            Role::Physician => "physician",
            Role::NursePractitioner => "nurse_practitioner",
            Role::Nurse => "nurse",
            Role::Radiologist => "radiologist",
            Role::Registrar => "registrar",
            Role::Auditor => "auditor",
            Role::Patient => "patient",
            Role::User => "user",
            Role::System => "system",
        }
    }

    /// What the role allows where.
    #[must_use]
    pub const fn rules(self) -> &'static [Rule] {
        match self {
            Role::Admin | Role::System => &ADMIN_RULES,
            Role::Administrator => &ADMINISTRATOR_RULES,
            Role::ClinicalAdmin => &CLINICAL_ADMIN_RULES,
            Role::FinancialAdmin => &FINANCIAL_ADMIN_RULES,
            Role::Physician => &PHYSICIAN_RULES,
            Role::NursePractitioner => &NURSE_PRACTITIONER_RULES,
            Role::Nurse => &NURSE_RULES,
            Role::Radiologist => &RADIOLOGIST_RULES,
            Role::Registrar => &REGISTRAR_RULES,
            Role::Auditor => &AUDITOR_RULES,
            Role::Patient => &PATIENT_RULES,
            Role::User => &[],
        }
    }

    /// The permissions that come with the role.
    #[must_use]
    pub fn permissions(self) -> PermissionSet {
        permissions_of(self.rules())
    }

    /// The roles for which whoever runs accounts may invite somebody without holding them: those that treat, register, bill and
    /// image. Whoever leads, oversees or runs the installation is made by somebody who holds that role.
    pub const INVITABLE: [Role; 6] = [
        Role::FinancialAdmin,
        Role::Physician,
        Role::NursePractitioner,
        Role::Nurse,
        Role::Radiologist,
        Role::Registrar,
    ];

    /// Whether what the role sees is limited to the compartment of the caller's own Patient resource.
    #[must_use]
    pub const fn own_record_only(self) -> bool {
        matches!(self, Role::Patient)
    }
}

/// The roles with which somebody who holds these rules may invite people, though they hold none of them: those of
/// [`Role::INVITABLE`] for whoever runs the accounts of the tenant. The separation is in the rest of it: the account begins without a
/// password, its address is not the inviter's, and from then on it holds more than the inviter, who can change nothing about it but
/// lock it (ADR 0018).
#[must_use]
pub fn invitable(mine: &[Rule]) -> RoleSet {
    let runs = |rule: &Rule| !rule.own_record_only && rule.gives(P::SystemAdmin, F::Accounts);
    if mine.iter().any(runs) { RoleSet::of(&Role::INVITABLE) } else { RoleSet::default() }
}

/// What rules allow together, as tokens and `GET /auth/me` show it.
#[must_use]
pub fn permissions_of(rules: &[Rule]) -> PermissionSet {
    let told = rules.iter().filter(|rule| **rule != DISCLOSURES);
    told.fold(PermissionSet::NONE, |all, rule| all.union(rule.permissions))
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The word names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such role; the roles are {}", Role::ALL.map(Role::name).join(", "))]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;
    /// Reads the role of a person; `system` is none.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Role::ALL.into_iter().find(|role| role.name() == text).ok_or(UnknownRole)
    }
}

/// A set of roles; a copy costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RoleSet(u16);

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

    /// Whether all of these are in it.
    #[must_use]
    pub const fn has_all(self, others: Self) -> bool {
        others.0 & !self.0 == 0
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

    /// The rules of the roles, to which those of custom roles and direct grants are added ([`Rule::granted`]).
    #[must_use]
    pub fn rules(self) -> Arc<[Rule]> {
        self.iter().flat_map(|role| role.rules().iter().copied()).collect()
    }
}
