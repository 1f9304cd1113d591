//! Who may do what: roles, permissions, scopes, and the one decision. Only this crate makes a [`Permit`], and nothing below reads
//! or writes a record without one (ADR 0008).

mod action;
mod caller;
pub mod error;
mod family;
mod names;
mod permission;
mod permit;
pub mod records;
mod role;
mod scope;
pub mod trail;

pub use action::{Action, ActionKind, Create, Delete, Export, History, Read, Search, Update, Verify, VersionRead};
pub use caller::{Caller, Origin, Proven, Subject, SubjectKind};
pub use error::{AccessError, Cause};
pub use family::{Family, FamilySet, family_of_name};
pub use permission::{Permission, PermissionSet};
pub use permit::{Denial, Facts, Named, Permit, Target, decide, judge};
pub use role::{Role, RoleSet, UnknownRole};
pub use scope::{SCOPE_BYTES_MAX, SCOPES_MAX, Scopes};
