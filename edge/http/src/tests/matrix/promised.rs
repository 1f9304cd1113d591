//! What is promised, by hand: which role may do what (mission A5), and what each relation to a patient, an account or a tenant makes of
//! it (ADR 0008, 0014, 0015, 0018). Nothing here asks the code that decides.

use iris_access::Role;

/// How somebody stands to what a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Own,
    CareTeam,
    Stranger,
    OtherTenant,
    ConsentDenied,
    LabelDenied,
    ExpiredGrant,
    BreakGlass,
    RevokedToken,
    NoToken,
}

impl Relation {
    /// Every one, in the order of the table.
    pub(super) const ALL: [Self; 10] = [
        Self::Own,
        Self::CareTeam,
        Self::Stranger,
        Self::OtherTenant,
        Self::ConsentDenied,
        Self::LabelDenied,
        Self::ExpiredGrant,
        Self::BreakGlass,
        Self::RevokedToken,
        Self::NoToken,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Own => "self",
            Self::CareTeam => "care team",
            Self::Stranger => "stranger",
            Self::OtherTenant => "other tenant",
            Self::ConsentDenied => "consent-denied",
            Self::LabelDenied => "label-denied",
            Self::ExpiredGrant => "expired grant",
            Self::BreakGlass => "break-glass",
            Self::RevokedToken => "revoked token",
            Self::NoToken => "no token",
        }
    }

    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Own => {
                "the account's own patient record (everybody has one here, beside their role), session, emergency or account; care \
                 teams are required, and nobody is in their own"
            }
            Self::CareTeam => "a patient in whose care team they are, where care teams are required",
            Self::Stranger => "a patient in whose care team they are not, where care teams are required",
            Self::OtherTenant => "what belongs to the first tenant, asked for by people of another one",
            Self::ConsentDenied => "a patient who has denied these people everything by a consent",
            Self::LabelDenied => {
                "records with a security label above what the role sees: V or R; for patients, of their own record"
            }
            Self::ExpiredGrant => "the role was granted for a time that is over; a patient's role was taken away",
            Self::BreakGlass => {
                "a patient closed by care team, consent and label V, for whom those who may have opened the record in an emergency"
            }
            Self::RevokedToken => "after signing out",
            Self::NoToken => "without a token",
        }
    }

    /// Whether the tenant requires care teams.
    pub(super) const fn asks_for_care_teams(self) -> bool {
        matches!(self, Self::Own | Self::CareTeam | Self::Stranger | Self::BreakGlass)
    }
}

/// What a role may, by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum May {
    /// All records of the tenant.
    Yes,
    /// The own record.
    Own,
    /// Nothing.
    No,
}

/// Which role may what. Each letter is a role: admin, administrator, clinical_admin, financial_admin, physician, nurse_practitioner,
/// nurse, radiologist, registrar, auditor, patient, user. `y`: yes, `o`: on the own record, `-`: no.
const PROMISED: &[(&str, &str)] = &[
    ("demographics.read", "y-yyyyyyy-o-"),
    ("demographics.write", "y-y-yyy-y---"),
    ("demographics.admin", "y-y---------"),
    ("consents.keep", "y-y-----y---"),
    ("billing.read", "y-yyyyy-y-o-"),
    ("billing.write", "y-yyyyy-y---"),
    ("billing.admin", "y-yy--------"),
    ("immunization.read", "y-y-yyy-y-o-"),
    ("immunization.write", "y-y-yyy-y---"),
    ("immunization.admin", "y-y---------"),
    ("clinical.read", "y-y-yyyy--o-"),
    ("clinical.write", "y-y-yyy-----"),
    ("clinical.admin", "y-y---------"),
    ("scheduling.read", "y-y-yyy-y-o-"),
    ("scheduling.write", "y-y-yyy-y---"),
    ("scheduling.admin", "y-y---------"),
    ("workflow.read", "y-y-yyy---o-"),
    ("workflow.write", "y-y-yyy-----"),
    ("workflow.admin", "y-y---------"),
    ("document.read", "y-y-yyyy--o-"),
    ("document.write", "y-y-yyy-----"),
    ("document.admin", "y-y---------"),
    ("imaging.read", "y-y-yyyy--o-"),
    ("imaging.write", "y-y-yy-y----"),
    ("imaging.admin", "y------y----"),
    ("directory.read", "y-yyyyyyy---"),
    ("directory.write", "y-y---------"),
    ("directory.admin", "y-y---------"),
    ("knowledge.read", "y-yyyyyyy---"),
    ("knowledge.write", "y-----------"),
    ("knowledge.admin", "y-----------"),
    ("audit-event.read", "y--------y--"),
    ("audit-event.write", "y-----------"),
    ("audit-event.admin", "y-----------"),
    ("some.read", "y-yyyyyyyyo-"),
    ("platform.read", "y-----------"),
    ("platform.write", "y-----------"),
    ("platform.admin", "y-----------"),
    ("registry.read", "y-y-yyy-y---"),
    ("audit-log.read", "yy-------y--"),
    ("audit-log.admin", "y--------y--"),
    ("disclosures.read", "y--------yo-"),
    ("break-glass.open", "y-y-yyy-----"),
    ("break-glass.review", "yyy------y--"),
    ("reviews", "yyy------y--"),
    ("accounts", "yy----------"),
    ("tenants", "y-----------"),
    ("operation", "yy----------"),
    ("colleagues", "yyyyyyyyyy--"),
];

/// What a role may of this, by itself.
#[track_caller]
pub(super) fn may(what: &str, role: Role) -> May {
    let (_, letters) =
        PROMISED.iter().find(|(name, _)| *name == what).unwrap_or_else(|| panic!("{what} is not promised"));
    let at = Role::ALL.iter().position(|other| *other == role).unwrap();
    match letters.as_bytes()[at] {
        b'y' => May::Yes,
        b'o' => May::Own,
        _ => May::No,
    }
}

/// Whether the rule by which a role reaches this is bound to care teams: it reaches clinical records (ADR 0014), and whoever has it is
/// not the administrator, who answers for the whole (ADR 0015). Imaging is another rule of the radiologist.
pub(super) fn is_bound(what: &str, role: Role) -> bool {
    match role {
        Role::ClinicalAdmin | Role::Physician | Role::NursePractitioner | Role::Nurse => true,
        Role::Radiologist => !what.starts_with("imaging."),
        _ => false,
    }
}

/// Which of the labels `R` and `V` is above what a role sees; the administrator sees all, patients of their own record all but `V`.
pub(super) const fn label_above(role: Role) -> &'static str {
    match role {
        Role::Admin | Role::ClinicalAdmin | Role::Physician | Role::NursePractitioner | Role::Patient => "V",
        _ => "R",
    }
}
