//! Purposes of use: why somebody looks at a record, and who may say so.

use crate::caller::{Caller, SubjectKind};
use crate::family::Family;
use crate::permission::Permission;
use crate::permit::Denial;

/// What is written down where nobody states anything: no code of HL7, and no claim.
pub const UNSTATED: &str = "clinical_review";

/// Who may state a purpose: whoever has the permission on the family. `None`: whoever has it anywhere.
type Needs = (Permission, Option<Family>);

/// A code of HL7 v3 PurposeOfUse that may be stated here.
pub struct Purpose {
    /// The code.
    pub code: &'static str,
    /// What it stands for.
    pub meaning: &'static str,
    /// One of these must hold, and not on the own record alone.
    needs: &'static [Needs],
    /// Whether people may state it about their own record.
    own: bool,
}

const TREATS: Needs = (Permission::ClinicalExecute, Some(Family::Clinical));
const IMAGES: Needs = (Permission::DicomAdmin, Some(Family::Imaging));
const BILLS: Needs = (Permission::HealthcareWrite, Some(Family::Billing));
const REGISTERS: Needs = (Permission::HealthcareWrite, Some(Family::Demographics));
const LEADS: Needs = (Permission::HealthcareAdmin, Some(Family::Clinical));
const EMERGENCY: Needs = (Permission::HealthcareBreakGlass, None);
const AUDITS: Needs = (Permission::AuditRead, Some(Family::AuditLog));
const RUNS: Needs = (Permission::SystemAdmin, None);
const REPORTS: Needs = (Permission::IrisRead, Some(Family::Registry));

const fn purpose(code: &'static str, meaning: &'static str, needs: &'static [Needs]) -> Purpose {
    Purpose { code, meaning, needs, own: false }
}

/// Every purpose that may be stated. Each row says who may; `tests/golden/purposes.txt` says which roles these are.
pub const PURPOSES: [Purpose; 16] = [
    purpose("TREAT", "treatment", &[TREATS, IMAGES]),
    purpose("CAREMGT", "care management", &[TREATS]),
    purpose("COC", "coordination of care", &[TREATS]),
    purpose("ETREAT", "emergency treatment", &[EMERGENCY]),
    purpose("BTG", "break the glass", &[EMERGENCY]),
    purpose("HPAYMT", "payment", &[BILLS]),
    purpose("COVERAGE", "coverage under a policy", &[BILLS]),
    purpose("ELIGVER", "verification of eligibility", &[BILLS]),
    purpose("HOPERAT", "operations of the clinic", &[REGISTERS, BILLS, RUNS]),
    purpose("PATADMIN", "patient administration", &[REGISTERS]),
    purpose("HQUALIMP", "improvement of quality", &[LEADS]),
    purpose("HRESCH", "research", &[LEADS]),
    purpose("HCOMPL", "compliance", &[AUDITS]),
    purpose("HSYSADMIN", "administration of the system", &[RUNS]),
    purpose("PUBHLTH", "public health", &[REPORTS]),
    Purpose { own: true, ..purpose("PATRQT", "at the patient\'s request", &[REGISTERS, TREATS]) },
];

impl Purpose {
    /// Whether the caller may state it. What machines may is in their scopes.
    #[must_use]
    pub fn may_be_stated_by(&self, caller: &Caller) -> bool {
        if caller.subject.kind != SubjectKind::User {
            return true;
        }
        let meets = |(permission, family): &Needs| {
            let reaches = |rule: &crate::Rule| family.is_none_or(|family| rule.reach.has(family));
            caller.rules.iter().any(|rule| !rule.own_record_only && rule.permissions.has(*permission) && reaches(rule))
        };
        self.needs.iter().any(meets) || (self.own && caller.rules.iter().any(|rule| rule.own_record_only))
    }
}

/// The purpose that the caller states, if it is one.
pub(crate) fn stated(caller: &Caller) -> Option<&str> {
    caller.purpose.as_deref().filter(|purpose| *purpose != UNSTATED)
}

/// Whether the caller states nothing, or something that they may state.
pub(crate) fn may_state(caller: &Caller) -> Result<(), Denial> {
    let Some(code) = stated(caller) else { return Ok(()) };
    let known = PURPOSES.iter().find(|purpose| purpose.code == code);
    match known {
        Some(purpose) if purpose.may_be_stated_by(caller) => Ok(()),
        _ => Err(Denial::Purpose(code.into())),
    }
}
