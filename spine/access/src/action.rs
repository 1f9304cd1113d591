//! Actions, as values for tables and as marker types for [`crate::Permit`].

use std::fmt;

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ActionKind {
    /// See the current version of one record.
    Read,
    /// See one named version of one record.
    VersionRead,
    /// See the versions of one record, or of a type.
    History,
    /// See, or count, all records that match.
    Search,
    /// Make a record.
    Create,
    /// Change a record.
    Update,
    /// Take a record out of sight.
    Delete,
    /// Take many records out of the system at once.
    Export,
    /// Check the integrity of stored data.
    Verify,
}

impl ActionKind {
    /// Every action, in the order of the golden table.
    pub const ALL: [ActionKind; 9] = [
        ActionKind::Read,
        ActionKind::VersionRead,
        ActionKind::History,
        ActionKind::Search,
        ActionKind::Create,
        ActionKind::Update,
        ActionKind::Delete,
        ActionKind::Export,
        ActionKind::Verify,
    ];

    /// The word used in refusals and in the golden table; FHIR's interaction code where there is one.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ActionKind::Read => "read",
            ActionKind::VersionRead => "vread",
            ActionKind::History => "history",
            ActionKind::Search => "search",
            ActionKind::Create => "create",
            ActionKind::Update => "update",
            ActionKind::Delete => "delete",
            ActionKind::Export => "export",
            ActionKind::Verify => "verify",
        }
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A marker type that stands for one [`ActionKind`], so that `Permit<Read>` cannot be used to delete.
pub trait Action: sealed::Sealed + Copy + Send + Sync + 'static {
    /// The action it stands for.
    const KIND: ActionKind;
}

macro_rules! markers {
    ($($name:ident)*) => {$(
        #[doc = concat!("Marker for [`ActionKind::", stringify!($name), "`].")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl sealed::Sealed for $name {}
        impl Action for $name {
            const KIND: ActionKind = ActionKind::$name;
        }
    )*};
}

markers! { Read VersionRead History Search Create Update Delete Export Verify }
