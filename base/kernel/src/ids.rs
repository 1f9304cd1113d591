//! Ids: one type for each thing that can be confused with another.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use uuid::Uuid;

use crate::Entropy;

/// The id of an internal record of type `T`: a random UUIDv4, so that nobody learns from it when or in what order it was made.
pub struct Id<T> {
    uuid: Uuid,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// Makes an id from an existing UUID, for example one read from a token.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, of: PhantomData }
    }

    /// Draws a fresh random id.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self::from_uuid(entropy.uuid())
    }

    /// The UUID inside.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<T> Eq for Id<T> {}
impl<T> std::hash::Hash for Id<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uuid, f)
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uuid, f)
    }
}
impl<T> FromStr for Id<T> {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self::from_uuid)
    }
}

/// One organisation whose data nobody else sees; it stands in every key of every table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(pub u32);

impl Tenant {
    /// The tenant that a single-clinic installation has without asking for one.
    pub const DEFAULT: Tenant = Tenant(1);
    /// The platform itself: records that belong to no tenant, such as the list of tenants.
    pub const PLATFORM: Tenant = Tenant(0);
}

/// A position in the store's one global order of changes. Starts at 1; 0 means "before everything".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seq(pub u64);

/// The version number of one record, starting at 1 (`meta.versionId` of a FHIR resource).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u32);

impl Version {
    /// The first version of every record.
    pub const FIRST: Version = Version(1);

    /// The version that follows this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What sort of record a row holds: a FHIR resource type, or one of our internal sorts.
///
/// Stored in clear, so a number must never change its meaning. FHIR types take the position of their name in the
/// alphabetical list of R4 (the definitions table fixes it); internal sorts start at [`Kind::INTERNAL`] and
/// stand in [`crate::kinds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub u16);

impl Kind {
    /// First number of the internal sorts.
    pub const INTERNAL: u16 = 0x8000;

    /// Whether this is a FHIR resource type.
    #[must_use]
    pub const fn is_fhir(self) -> bool {
        self.0 < Self::INTERNAL
    }
}

/// How the database knows a record: a keyed token of (tenant, kind, public id), so that no id stands there in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(pub [u8; 16]);
