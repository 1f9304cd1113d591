//! What somebody may do, as data: built-in roles, custom roles and direct grants all become rules.

use crate::action::ActionKind;
use crate::family::{Family, FamilySet};
use crate::permission::{Permission, PermissionSet};

/// One reason for a yes: these permissions count on these families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it allows.
    pub permissions: PermissionSet,
    /// Where it allows it.
    pub reach: FamilySet,
    /// Whether only records of the caller's own Patient resource are meant.
    pub own_record_only: bool,
}

impl Rule {
    /// Everything everywhere.
    pub const EVERYTHING: Rule =
        Rule { permissions: PermissionSet::EVERY, reach: FamilySet::EVERY, own_record_only: false };

    /// These permissions on these families, for all records of the tenant.
    #[must_use]
    pub const fn new(permissions: &[Permission], reach: &[Family]) -> Self {
        Self { permissions: PermissionSet::of(permissions), reach: FamilySet::of(reach), own_record_only: false }
    }

    /// The same on the own record.
    #[must_use]
    pub const fn own(self) -> Self {
        Self { own_record_only: true, ..self }
    }

    /// Permissions that were given to somebody directly, or that make up a custom role without families of its own: they count on the
    /// families that ask for one of them. A permission that no family asks for, such as `healthcare:restricted`, says more about
    /// records that are reached otherwise, and does so everywhere.
    #[must_use]
    pub fn granted(permissions: PermissionSet) -> Self {
        let asks = |family: &Family, permission| {
            ActionKind::ALL.iter().any(|action| family.permission(*action) == Some(permission))
        };
        let reached = |permission| -> FamilySet {
            let asking: Vec<Family> = Family::ALL.into_iter().filter(|family| asks(family, permission)).collect();
            if asking.is_empty() { FamilySet::EVERY } else { FamilySet::of(&asking) }
        };
        let mut rule = Self { permissions, reach: FamilySet::NONE, own_record_only: false };
        // One reach serves all of its permissions: no family asks for a permission of another one's without being reached by it.
        for permission in permissions.iter() {
            rule.reach = rule.reach.union(reached(permission));
        }
        rule
    }

    /// Whether it is one of those who treat, for whom the tenant may ask for a care relation: it reaches clinical records or documents
    /// of others. Registering and billing do not, nor does reading the images of a whole house. Documents count by themselves, or a
    /// single `document:read`, given to somebody who has it already on those whom they treat, would open everybody's.
    #[must_use]
    pub const fn is_of_care(&self) -> bool {
        !self.own_record_only && (self.reach.has(Family::Clinical) || self.reach.has(Family::Document))
    }

    /// Whether it gives the permission on the family.
    #[must_use]
    pub const fn gives(&self, permission: Permission, family: Family) -> bool {
        self.permissions.has(permission) && self.reach.has(family)
    }
}
