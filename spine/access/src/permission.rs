//! The permission strings of the first system documentation, and those that decide about single records, as a closed set.

use std::fmt;

/// One permission. [`Permission::name`] is the string that the API's tables, tokens and 403 answers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Permission {
    /// `healthcare:read`
    HealthcareRead,
    /// `healthcare:write`
    HealthcareWrite,
    /// `healthcare:admin`
    HealthcareAdmin,
    /// `healthcare:identifiers`: national identifiers such as SSNs, in full and to search by
    HealthcareIdentifiers,
    /// `healthcare:restricted`: records with a security label other than `V`
    HealthcareRestricted,
    /// `healthcare:very_restricted`: records labelled `V` too
    HealthcareVeryRestricted,
    /// `healthcare:break_glass`: see a record in an emergency that one may not see otherwise
    HealthcareBreakGlass,
    /// `healthcare:consents`: keep consents, whatever they say: see them although their patient is closed, and take them back
    HealthcareConsents,
    /// `clinical:read`
    ClinicalRead,
    /// `clinical:write`
    ClinicalWrite,
    /// `clinical:execute`
    ClinicalExecute,
    /// `clinical:admin`
    ClinicalAdmin,
    /// `document:read`
    DocumentRead,
    /// `document:write`
    DocumentWrite,
    /// `document:share`
    DocumentShare,
    /// `document:admin`
    DocumentAdmin,
    /// `dicom:read`
    DicomRead,
    /// `dicom:write`
    DicomWrite,
    /// `dicom:admin`
    DicomAdmin,
    /// `iris:read`
    IrisRead,
    /// `iris:write`
    IrisWrite,
    /// `iris:admin`
    IrisAdmin,
    /// `audit:read`
    AuditRead,
    /// `audit:admin`
    AuditAdmin,
    /// `access:review`: review of broken glasses and of who may do what
    AccessReview,
    /// `retention:read`
    RetentionRead,
    /// `retention:admin`
    RetentionAdmin,
    /// `ai:use`
    AiUse,
    /// `system:admin`
    SystemAdmin,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Permission; 29] = [
        Permission::HealthcareRead,
        Permission::HealthcareWrite,
        Permission::HealthcareAdmin,
        Permission::HealthcareIdentifiers,
        Permission::HealthcareRestricted,
        Permission::HealthcareVeryRestricted,
        Permission::HealthcareBreakGlass,
        Permission::HealthcareConsents,
        Permission::ClinicalRead,
        Permission::ClinicalWrite,
        Permission::ClinicalExecute,
        Permission::ClinicalAdmin,
        Permission::DocumentRead,
        Permission::DocumentWrite,
        Permission::DocumentShare,
        Permission::DocumentAdmin,
        Permission::DicomRead,
        Permission::DicomWrite,
        Permission::DicomAdmin,
        Permission::IrisRead,
        Permission::IrisWrite,
        Permission::IrisAdmin,
        Permission::AuditRead,
        Permission::AuditAdmin,
        Permission::AccessReview,
        Permission::RetentionRead,
        Permission::RetentionAdmin,
        Permission::AiUse,
        Permission::SystemAdmin,
    ];

    /// The string form.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Permission::HealthcareRead => "healthcare:read",
            Permission::HealthcareWrite => "healthcare:write",
            Permission::HealthcareAdmin => "healthcare:admin",
            Permission::HealthcareIdentifiers => "healthcare:identifiers",
            Permission::HealthcareRestricted => "healthcare:restricted",
            Permission::HealthcareVeryRestricted => "healthcare:very_restricted",
            Permission::HealthcareBreakGlass => "healthcare:break_glass",
            Permission::HealthcareConsents => "healthcare:consents",
            Permission::ClinicalRead => "clinical:read",
            Permission::ClinicalWrite => "clinical:write",
            Permission::ClinicalExecute => "clinical:execute",
            Permission::ClinicalAdmin => "clinical:admin",
            Permission::DocumentRead => "document:read",
            Permission::DocumentWrite => "document:write",
            Permission::DocumentShare => "document:share",
            Permission::DocumentAdmin => "document:admin",
            Permission::DicomRead => "dicom:read",
            Permission::DicomWrite => "dicom:write",
            Permission::DicomAdmin => "dicom:admin",
            Permission::IrisRead => "iris:read",
            Permission::IrisWrite => "iris:write",
            Permission::IrisAdmin => "iris:admin",
            Permission::AuditRead => "audit:read",
            Permission::AuditAdmin => "audit:admin",
            Permission::AccessReview => "access:review",
            Permission::RetentionRead => "retention:read",
            Permission::RetentionAdmin => "retention:admin",
            Permission::AiUse => "ai:use",
            Permission::SystemAdmin => "system:admin",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The word names no permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such permission")]
pub struct UnknownPermission;

impl std::str::FromStr for Permission {
    type Err = UnknownPermission;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Permission::ALL.into_iter().find(|permission| permission.name() == text).ok_or(UnknownPermission)
    }
}

/// A set of permissions; a copy costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet(u32);

impl PermissionSet {
    /// Nothing.
    pub const NONE: PermissionSet = PermissionSet(0);
    /// Everything.
    pub const EVERY: PermissionSet = PermissionSet::of(&Permission::ALL);

    /// The set of these permissions.
    #[must_use]
    pub const fn of(permissions: &[Permission]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < permissions.len() {
            bits |= 1 << permissions[i] as u8;
            i += 1;
        }
        Self(bits)
    }

    /// Whether the permission is in it.
    #[must_use]
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The permissions in it, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.has(*permission))
    }

    /// Their strings, as tokens and `GET /auth/me` show them.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Permission::name).collect()
    }
}
