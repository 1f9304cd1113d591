//! Families: resource types and internal records that are protected alike. A table, so that a new type is a new row.

use std::fmt;
use std::sync::OnceLock;

use iris_kernel::Kind;

use crate::action::ActionKind;
use crate::permission::Permission;

/// What is protected alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Family {
    /// Who somebody is, who belongs to them, and what they consented to.
    Demographics,
    /// Insurance, claims, payments.
    Billing,
    /// Immunizations, their evaluation and forecast.
    Immunization,
    /// The rest of the clinical record.
    Clinical,
    /// Appointments and free time.
    Scheduling,
    /// Definitions and instances of work, messages.
    Workflow,
    /// Documents and their content.
    Document,
    /// Images and their description.
    Imaging,
    /// Who works where, and lists of people: practitioners, organizations, places, groups, devices as types.
    Directory,
    /// Definitions and terminology.
    Knowledge,
    /// FHIR AuditEvents that others sent us.
    AuditEvent,
    /// Resources that steer the server or describe it.
    Platform,
    /// Our own audit log.
    AuditLog,
    /// Who has seen one patient's record: the entries of our audit log that concern it.
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

impl Family {
    /// Every family, in the order of the golden table.
    pub const ALL: [Family; 20] = [
        Family::Demographics,
        Family::Billing,
        Family::Immunization,
        Family::Clinical,
        Family::Scheduling,
        Family::Workflow,
        Family::Document,
        Family::Imaging,
        Family::Directory,
        Family::Knowledge,
        Family::AuditEvent,
        Family::Platform,
        Family::AuditLog,
        Family::Disclosures,
        Family::BreakGlass,
        Family::Reviews,
        Family::Accounts,
        Family::Tenants,
        Family::Operation,
        Family::Registry,
    ];

    /// The word used in the golden table and in refusals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Family::Demographics => "demographics",
            Family::Billing => "billing",
            Family::Immunization => "immunization",
            Family::Clinical => "clinical",
            Family::Scheduling => "scheduling",
            Family::Workflow => "workflow",
            Family::Document => "document",
            Family::Imaging => "imaging",
            Family::Directory => "directory",
            Family::Knowledge => "knowledge",
            Family::AuditEvent => "audit-event",
            Family::Platform => "platform",
            Family::AuditLog => "audit-log",
            Family::Disclosures => "disclosures",
            Family::BreakGlass => "break-glass",
            Family::Reviews => "reviews",
            Family::Accounts => "accounts",
            Family::Tenants => "tenants",
            Family::Operation => "operation",
            Family::Registry => "registry",
        }
    }

    /// The permission that an action on this family asks for; `None` where nobody may do it, whatever they hold.
    #[must_use]
    pub const fn permission(self, action: ActionKind) -> Option<Permission> {
        use Permission as P;
        let (read, write, admin) = match self {
            Family::Demographics | Family::Billing | Family::Immunization | Family::Clinical => {
                (P::HealthcareRead, P::HealthcareWrite, P::HealthcareAdmin)
            }
            Family::Scheduling | Family::Workflow => (P::ClinicalRead, P::ClinicalWrite, P::ClinicalAdmin),
            Family::Document => (P::DocumentRead, P::DocumentWrite, P::DocumentAdmin),
            Family::Imaging => (P::DicomRead, P::DicomWrite, P::DicomAdmin),
            Family::Directory => (P::HealthcareRead, P::HealthcareAdmin, P::HealthcareAdmin),
            Family::Knowledge => (P::HealthcareRead, P::SystemAdmin, P::SystemAdmin),
            Family::AuditEvent => (P::AuditRead, P::SystemAdmin, P::SystemAdmin),
            Family::Platform | Family::Accounts | Family::Tenants | Family::Operation => {
                (P::SystemAdmin, P::SystemAdmin, P::SystemAdmin)
            }
            Family::Registry => (P::IrisRead, P::IrisWrite, P::IrisAdmin),
            Family::AuditLog => return audit_log_permission(action),
            Family::Disclosures => return disclosures_permission(action),
            Family::BreakGlass => return break_glass_permission(action),
            Family::Reviews => return reviews_permission(action),
        };
        match action {
            ActionKind::Read | ActionKind::VersionRead | ActionKind::History | ActionKind::Search => Some(read),
            ActionKind::Create | ActionKind::Update => Some(write),
            ActionKind::Delete | ActionKind::Export => Some(admin),
            ActionKind::Verify => match self {
                Family::Operation => Some(admin),
                _ => None,
            },
        }
    }
}

/// The log is written by what happens, never by a caller: no permission creates, changes or deletes an entry.
const fn audit_log_permission(action: ActionKind) -> Option<Permission> {
    match action {
        ActionKind::Read | ActionKind::Search => Some(Permission::AuditRead),
        ActionKind::Verify | ActionKind::Export => Some(Permission::AuditAdmin),
        ActionKind::VersionRead
        | ActionKind::History
        | ActionKind::Create
        | ActionKind::Update
        | ActionKind::Delete => None,
    }
}

/// A list that the log gives and nobody writes.
const fn disclosures_permission(action: ActionKind) -> Option<Permission> {
    match action {
        ActionKind::Search => Some(Permission::AuditRead),
        ActionKind::Read
        | ActionKind::VersionRead
        | ActionKind::History
        | ActionKind::Create
        | ActionKind::Update
        | ActionKind::Delete
        | ActionKind::Export
        | ActionKind::Verify => None,
    }
}

/// Who treats breaks the glass and sees what they broke; others list it and say what they think of it.
const fn break_glass_permission(action: ActionKind) -> Option<Permission> {
    match action {
        ActionKind::Create | ActionKind::Read => Some(Permission::HealthcareBreakGlass),
        ActionKind::Search | ActionKind::Update => Some(Permission::AccessReview),
        ActionKind::VersionRead
        | ActionKind::History
        | ActionKind::Delete
        | ActionKind::Export
        | ActionKind::Verify => None,
    }
}

/// A review is begun, worked on and kept.
const fn reviews_permission(action: ActionKind) -> Option<Permission> {
    match action {
        ActionKind::Read | ActionKind::Search | ActionKind::Create | ActionKind::Update => {
            Some(Permission::AccessReview)
        }
        ActionKind::VersionRead
        | ActionKind::History
        | ActionKind::Delete
        | ActionKind::Export
        | ActionKind::Verify => None,
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The word names no family.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such family")]
pub struct UnknownFamily;

impl std::str::FromStr for Family {
    type Err = UnknownFamily;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Family::ALL.into_iter().find(|family| family.name() == text).ok_or(UnknownFamily)
    }
}

/// A set of families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilySet(u32);

impl FamilySet {
    /// None of them.
    pub const NONE: FamilySet = FamilySet(0);
    /// All of them.
    pub const EVERY: FamilySet = FamilySet::of(&Family::ALL);

    /// The set of these families.
    #[must_use]
    pub const fn of(families: &[Family]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < families.len() {
            bits |= 1 << families[i] as u8;
            i += 1;
        }
        Self(bits)
    }

    /// Whether the family is in it.
    #[must_use]
    pub const fn has(self, family: Family) -> bool {
        self.0 & (1 << family as u8) != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The families in it, in the order of [`Family::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Family> {
        Family::ALL.into_iter().filter(move |family| self.has(*family))
    }
}

/// Every R4 resource type whose family is not [`Family::Clinical`]. A type that stands nowhere here is clinical: the careful
/// answer for a type that a later edition adds.
const TYPES: &[(Family, &[&str])] = &[
    (Family::Demographics, &["Consent", "Patient", "Person", "RelatedPerson"]),
    (
        Family::Billing,
        &[
            "Account",
            "ChargeItem",
            "Claim",
            "ClaimResponse",
            "Contract",
            "Coverage",
            "CoverageEligibilityRequest",
            "CoverageEligibilityResponse",
            "EnrollmentRequest",
            "EnrollmentResponse",
            "ExplanationOfBenefit",
            "Invoice",
            "PaymentNotice",
            "PaymentReconciliation",
        ],
    ),
    (Family::Immunization, &["Immunization", "ImmunizationEvaluation", "ImmunizationRecommendation"]),
    (Family::Scheduling, &["Appointment", "AppointmentResponse", "Schedule", "Slot"]),
    (
        Family::Workflow,
        &["ActivityDefinition", "Communication", "CommunicationRequest", "PlanDefinition", "RequestGroup", "Task"],
    ),
    (Family::Document, &["Binary", "Bundle", "Composition", "DocumentManifest", "DocumentReference"]),
    (Family::Imaging, &["ImagingStudy", "Media"]),
    (
        Family::Directory,
        &[
            "DeviceDefinition",
            "Endpoint",
            // Not demographics: who is a member of a group must not see the other members for it.
            "Group",
            "HealthcareService",
            "InsurancePlan",
            "Location",
            "Organization",
            "OrganizationAffiliation",
            "Practitioner",
            "PractitionerRole",
        ],
    ),
    (
        Family::Knowledge,
        &[
            "CapabilityStatement",
            "CatalogEntry",
            "ChargeItemDefinition",
            "CodeSystem",
            "CompartmentDefinition",
            "ConceptMap",
            "EffectEvidenceSynthesis",
            "EventDefinition",
            "Evidence",
            "EvidenceVariable",
            "ExampleScenario",
            "GraphDefinition",
            "ImplementationGuide",
            "Library",
            "Measure",
            "MedicationKnowledge",
            "MedicinalProduct",
            "MedicinalProductAuthorization",
            "MedicinalProductContraindication",
            "MedicinalProductIndication",
            "MedicinalProductIngredient",
            "MedicinalProductInteraction",
            "MedicinalProductManufactured",
            "MedicinalProductPackaged",
            "MedicinalProductPharmaceutical",
            "MedicinalProductUndesirableEffect",
            "MessageDefinition",
            "NamingSystem",
            "ObservationDefinition",
            "OperationDefinition",
            "Questionnaire",
            "ResearchDefinition",
            "ResearchElementDefinition",
            "RiskEvidenceSynthesis",
            "SearchParameter",
            "SpecimenDefinition",
            "StructureDefinition",
            "StructureMap",
            "SubstanceNucleicAcid",
            "SubstancePolymer",
            "SubstanceProtein",
            "SubstanceReferenceInformation",
            "SubstanceSourceMaterial",
            "SubstanceSpecification",
            "TerminologyCapabilities",
            "ValueSet",
        ],
    ),
    (Family::AuditEvent, &["AuditEvent"]),
    (
        Family::Platform,
        &[
            "Linkage",
            "MessageHeader",
            "OperationOutcome",
            "Parameters",
            "Subscription",
            "TestReport",
            "TestScript",
            "VerificationResult",
        ],
    ),
];

/// The family of a FHIR resource type by its name.
#[must_use]
pub fn family_of_name(name: &str) -> Family {
    TYPES.iter().find(|(_, names)| names.contains(&name)).map_or(Family::Clinical, |(family, _)| *family)
}

/// The family of a kind. Internal kinds are accounts: users, clients, sessions, keys.
pub(crate) fn family_of(kind: Kind) -> Family {
    static BY_KIND: OnceLock<Vec<(Kind, Family)>> = OnceLock::new();
    if !kind.is_fhir() {
        return Family::Accounts;
    }
    let rows = BY_KIND.get_or_init(|| {
        let named = TYPES.iter().flat_map(|(family, names)| names.iter().map(move |name| (*name, *family)));
        let mut rows: Vec<_> =
            named.filter_map(|(name, family)| crate::names::kind_of(name).map(|kind| (kind, family))).collect();
        rows.sort_unstable_by_key(|(kind, _)| *kind);
        rows
    });
    rows.binary_search_by_key(&kind, |(kind, _)| *kind).map_or(Family::Clinical, |at| rows[at].1)
}

/// The names that stand in the table, for the test that finds misspelt ones.
#[cfg(test)]
pub(crate) fn table_names() -> impl Iterator<Item = &'static str> {
    TYPES.iter().flat_map(|(_, names)| names.iter().copied())
}
