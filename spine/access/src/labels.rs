//! Which security labels somebody may see. The classes themselves are `iris_fhir`'s.

pub use iris_search::{Label, Labels};

use crate::permission::{Permission, PermissionSet};

/// What a reader with `healthcare:restricted` sees beside unlabelled records: everything but `V`.
const RESTRICTED: Labels = Labels::ALL.without(Labels::of(&[Label::VeryRestricted]));

/// What people see of their own record: everything but psychotherapy notes and the like, which carry `V`
/// (45 CFR 164.524(a)(1)), and what they are to be told in person first.
pub(crate) const OWN: Labels = RESTRICTED.without(Labels::of(&[Label::Taboo]));

/// The labels that these permissions open.
pub(crate) const fn cleared(permissions: PermissionSet) -> Labels {
    if permissions.has(Permission::HealthcareVeryRestricted) {
        Labels::ALL
    } else if permissions.has(Permission::HealthcareRestricted) {
        RESTRICTED
    } else {
        Labels::NONE
    }
}

/// The permission that opens all of these labels.
pub(crate) const fn opened_by(labels: Labels) -> Permission {
    if labels.has(Label::VeryRestricted) {
        Permission::HealthcareVeryRestricted
    } else {
        Permission::HealthcareRestricted
    }
}
